//! What is open at each office, as its analyst sees it through a coordinator.

use std::time::Duration;

use lango_analyst::{Client, Credentials, MemberCatalogue, NoAnswer};
use lango_identity::Role;
use lango_testkit::{Federation, Office, Policy, Register, TestGrant, TestRegion, persons};

const PATIENCE: Duration = Duration::from_secs(20);

async fn catalogue(
    world: &TestRegion,
    federation: &Federation,
    members: &[&str],
    only: Option<&str>,
) -> MemberCatalogue {
    let awa = world.identity(Role::Analyst, "awa");
    let credentials = Credentials { region: world.region.clone(), tls: awa.tls(), signer: awa.signer() };
    let address = format!("https://{}", federation.coordinator.address()).parse().unwrap();
    let client = Client::connect(credentials, &address, PATIENCE).await.unwrap();
    let members: Vec<String> = members.iter().map(|member| (*member).to_owned()).collect();
    let mut describing = client.describe(&members, only, PATIENCE).await.unwrap();
    while describing.next().await.unwrap().is_some() {}
    describing.finish()
}

fn undescribed(catalogue: &MemberCatalogue) -> Vec<String> {
    let why = |(office, why): &(String, NoAnswer)| match why {
        NoAnswer::Refused(refusal) => format!("{office} refused {}", refusal.code),
        NoAnswer::Missing(absence) => format!("{office} {absence}"),
    };
    catalogue.undescribed.iter().map(why).collect()
}

#[tokio::test]
async fn every_member_says_what_is_open_and_who_does_not_is_named() {
    let world = TestRegion::new();
    let mut offices = Vec::new();
    for name in ["BEN", "GHA", "SLE", "TGO"] {
        let by = if name == "TGO" { r#"["age"]"# } else { r#"["age", "sex"]"# };
        let grant = TestGrant { by: by.into(), ..TestGrant::of("0.5", "2") };
        offices.push(Office::start(&world, &Policy::of(name).grants([grant]), &Register::sample(3)).await);
    }
    let mut federation = Federation::start(&world, offices, Duration::from_secs(10)).await;
    federation.offices[2].down().await;
    world.analyst().ask(&federation.offices[1], &persons("by sex", "0.5")).await.unwrap();

    let found = catalogue(&world, &federation, &[], None).await;
    assert_eq!(undescribed(&found), ["SLE unreachable"]);
    let said: Vec<_> = found
        .described
        .iter()
        .map(|(office, description)| {
            let [residents] = description.datasets.as_slice() else { panic!("{description:?}") };
            let [grant] = residents.grants.as_slice() else { panic!("{residents:?}") };
            let by: Vec<&str> = grant.by.iter().map(|name| name.as_str()).collect();
            (office.as_str(), by.join(" "), grant.queries_left)
        })
        .collect();
    let all = |by: &str| by.to_owned();
    assert_eq!(said, [("BEN", all("age sex"), 4), ("GHA", all("age sex"), 3), ("TGO", all("age"), 4)]);

    let found = catalogue(&world, &federation, &["BEN", "gha"], Some("residnts")).await;
    assert_eq!(undescribed(&found), ["BEN refused dataset-unknown", "gha not-a-member"]);
    // The record names the analyst, and nothing was charged for it.
    let records = federation.offices[0].records();
    assert_eq!(
        records.iter().map(|record| record.decision.as_str()).collect::<Vec<_>>(),
        ["described", "refused"]
    );
    assert!(records.iter().all(|record| record.principal == world.analyst().id.to_string()));
    assert_eq!(federation.offices[0].ledger().accounts.len(), 0);
}

#[tokio::test]
async fn what_the_policy_refuses_is_not_shown_as_open() {
    let world = TestRegion::new();
    let awa = world.analyst();
    let grant = TestGrant { by: r#"["age", "country_of_birth", "sex"]"#.into(), ..TestGrant::of("1", "4") };
    let refusal = |parts: &str| format!("[[refusal]]\nid = \"never\"\n{parts}\n");
    for (parts, columns, measures, refused) in [
        ("columns = [\"income\"]", "age country_of_birth sex", 1, 0),
        ("columns = [\"sex\"]", "age country_of_birth income", 2, 0),
        ("columns = [\"sex\", \"age\"]", "age country_of_birth income sex", 2, 1),
        ("codes = { sex = [\"F\"] }", "age country_of_birth income sex", 2, 1),
        ("to = [\"spiffe://ecowas.example/analyst/kofi\"]", "age country_of_birth income sex", 2, 0),
    ] {
        let grant = TestGrant { measures: r#"["persons", "mean(income)"]"#.into(), ..grant.clone() };
        let policy = Policy::of("GHA").grants([grant]).more(&refusal(parts));
        let office = Office::start(&world, &policy, &Register::sample(3)).await;
        let described = awa.describe(&office, None).await.unwrap();
        let [residents] = described.as_slice() else { panic!("{parts}: {described:?}") };
        let found: Vec<&str> = residents.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(found.join(" "), columns, "{parts}");
        assert_eq!(
            (residents.grants[0].measures.len(), residents.refused.len()),
            (measures, refused),
            "{parts}"
        );
    }
    let policy = Policy::of("GHA").grants([grant]).more(&refusal("dataset = \"residents\""));
    let office = Office::start(&world, &policy, &Register::sample(3)).await;
    assert_eq!(awa.describe(&office, None).await.unwrap(), []);
    let failed = awa.describe(&office, Some("residents")).await.unwrap_err();
    assert_eq!(failed.refusal(), "dataset-unknown");
}
