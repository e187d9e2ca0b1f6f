//! Another policy comes into force between two questions, whole or not at all, and gives no budget back.

use lango_document::Document;
use lango_gateway::{PolicyChange, policy_digest};
use lango_testkit::{Mode, Office, Policy, Register, TestGrant, TestRegion, persons};

fn to(id: &str, name: &str, total: &str) -> TestGrant {
    TestGrant {
        id: id.to_owned(),
        to: format!("spiffe://ecowas.example/analyst/{name}"),
        ..TestGrant::of("1", total)
    }
}

/// A pool of 10, of which awa has 1.
fn policy(grants: impl IntoIterator<Item = TestGrant>) -> String {
    let budget = "accounting = \"pure\"\nepsilon = 10\nrenews = \"never\"";
    Policy::of("GHA").budget(budget).grants(grants).text()
}

fn digest(text: &str) -> [u8; 32] {
    policy_digest(&[Document::new("policy.toml", text)])
}

async fn change(office: &Office, text: &str) {
    assert_eq!(office.change(text).await.unwrap(), PolicyChange::Activated { digest: digest(text) });
}

fn decisions(office: &Office) -> Vec<String> {
    office.records().into_iter().map(|record| record.decision).collect()
}

async fn started(world: &TestRegion, text: &str) -> Office {
    let mut office = Office::prepare(world, "GHA", &Policy::of("GHA"), &Register::sample(5));
    office.write_policy(text);
    office.up().await.unwrap();
    office
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_is_revoked_is_gone_for_the_next_question() {
    let world = TestRegion::new();
    let (open, revoked) =
        (policy([to("a", "awa", "1"), to("k", "kofi", "1")]), policy([to("k", "kofi", "1")]));
    let mut office = started(&world, &open).await;
    let (awa, kofi) = (world.analyst(), world.caller(lango_identity::Role::Analyst, "kofi"));
    let first = awa.ask(&office, &persons("by sex", "0.5")).await.unwrap();
    assert_eq!(first.statement.basics.policy_digest, digest(&open));
    assert_eq!(office.change(&open).await.unwrap(), PolicyChange::Same);

    change(&office, &revoked).await;
    let refused = |failed: lango_testkit::FailedCall| failed.refusal().to_owned();
    // A new question, one whose answer is stored, its price, its answer and the catalogue: all are as if the grant had never
    // been.
    for question in ["0.25", "0.5"].map(|epsilon| persons("by sex", epsilon)) {
        assert_eq!(refused(awa.ask(&office, &question).await.unwrap_err()), "principal-not-granted");
        assert_eq!(refused(awa.estimate(&office, &question).await.unwrap_err()), "principal-not-granted");
    }
    let release = first.statement.release_id;
    assert_eq!(refused(awa.fetch(&office, release).await.unwrap_err()), "release-unknown");
    assert!(awa.describe(&office, None).await.unwrap().is_empty());
    let again = kofi.ask(&office, &persons("by sex", "0.5")).await.unwrap();
    assert_eq!((again.repeated, again.statement.basics.policy_digest), (true, digest(&revoked)));
    let [described] = &kofi.describe(&office, None).await.unwrap()[..] else { panic!("one dataset") };
    assert_eq!(described.grants.len(), 1);

    change(&office, &open.replace("Residents by country of birth", "Residents, mid-2024")).await;
    assert_eq!(awa.describe(&office, None).await.unwrap()[0].title, "Residents, mid-2024");
    let [reserved, released, activated, ..] = &office.records()[..] else { panic!("three records") };
    assert_eq!(
        [reserved, released, activated].map(|record| record.decision.as_str()),
        ["reserved", "released", "activated"]
    );
    assert_eq!((&activated.principal, activated.pure_nano), (&office.id.to_string(), Some(0)));
    // The start takes what was in force before, and another policy on record with its start.
    let before = office.records().len();
    office.down().await;
    office.up().await.unwrap();
    assert_eq!(office.records().len(), before);
    office.down().await;
    office.write_policy(&revoked);
    office.up().await.unwrap();
    assert_eq!(decisions(&office)[before..], ["activated"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_ends_under_the_policy_that_it_began_with() {
    let world = TestRegion::new();
    let (open, revoked) = (policy([to("a", "awa", "1")]), policy([to("k", "kofi", "1")]));
    let office = started(&world, &open).await;
    let awa = world.analyst();
    office.gate.set(Mode::Shut);
    let question = persons("by sex", "0.5");
    let (answer, ()) = tokio::join!(awa.ask(&office, &question), async {
        office.gate.reached().await;
        change(&office, &revoked).await;
        assert_eq!(
            awa.ask(&office, &persons("by age", "0.5")).await.unwrap_err().refusal(),
            "principal-not-granted"
        );
        office.gate.set(Mode::Open);
    });
    let answer = answer.unwrap();
    assert_eq!((answer.repeated, answer.statement.basics.policy_digest), (false, digest(&open)));
    assert_eq!(decisions(&office), ["reserved", "activated", "refused", "released"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_is_refused_changes_nothing() {
    let world = TestRegion::new();
    let open = policy([to("a", "awa", "1")]);
    let office = started(&world, &open).await;
    let awa = world.analyst();
    let question = persons("by sex", "0.5");
    awa.ask(&office, &question).await.unwrap();
    let dataset = "\n[dataset.visits]\ntitle = \"Visits\"\nkind = \"flow\"\nsource = \"register\"\ntable = \"visits\"\n\
                   version = \"1\"\nunit = { column = \"person_id\", noun = \"person\", rows_at_most = 1 }\n\
                   [dataset.visits.column]\nsex = { codes = [\"F\", \"M\"] }\n[budget.visits]\n\
                   accounting = \"pure\"\nepsilon = 1\nrenews = \"never\"\n";
    let test = "[[test]]\nquery = \"persons by sex\"\nas = \"spiffe://ecowas.example/analyst/awa\"\nexpect = \"deny: \
                dimension-not-granted\"\n";
    for (what, text, words) in [
        ("half of it", open[..open.len() / 2].to_owned(), "policy.toml"),
        ("nothing", String::new(), "policy.toml"),
        ("an unknown key", open.replace("epsilon_total", "epsilon_totl"), "did you mean `epsilon_total`?"),
        (
            "another office's",
            open.replace("office = \"GHA\"", "office = \"TGO\""),
            "the policy of office `TGO`",
        ),
        ("a test that fails", format!("{open}{test}"), "the policy fails its own tests"),
        (
            "an unknown source",
            open.replace("source = \"register\"", "source = \"archive\""),
            "[source.archive]",
        ),
        ("a table that is not there", format!("{open}{dataset}"), "dataset `visits` cannot be served"),
        ("a column that is not there", open.replace("education", "schooling"), "`schooling`"),
        (
            "a pool that is left",
            open.replace("[budget.residents]", "[budget.all]")
                .replace("table = \"residents\"", "table = \"residents\"\ngroup = \"all\"")
                + &dataset
                    .replace("visits\"\nversion", "residents\"\nversion")
                    .replace("[dataset.visits.column]", "group = \"visits\"\n[dataset.visits.column]"),
            "one pool",
        ),
    ] {
        let refused = office.change(&text).await.map(|_| what).unwrap_err().to_string();
        assert!(refused.contains(words), "{what}: {refused}");
        let again = awa.ask(&office, &question).await.unwrap();
        assert_eq!((again.repeated, again.statement.basics.policy_digest), (true, digest(&open)), "{what}");
    }
    assert!(!decisions(&office).contains(&"activated".to_owned()));
    // Each is on record, once.
    assert_eq!(decisions(&office).iter().filter(|decision| *decision == "failure").count(), 9);
    // What was refused is taken when it is good.
    office.database.run("CREATE TABLE visits AS SELECT * FROM residents");
    let both = format!("{open}{dataset}")
        .replace("[dataset.visits.column]", "group = \"visits\"\n[dataset.visits.column]");
    change(&office, &both).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_spent_survives_every_edit() {
    let world = TestRegion::new();
    let office = started(&world, &policy([to("a", "awa", "2")])).await;
    let awa = world.analyst();
    let left =
        async |price: &str| awa.estimate(&office, &persons("by age", price)).await.unwrap().queries_left;
    awa.ask(&office, &persons("by sex", "1")).await.unwrap();
    assert_eq!(left("0.5").await, 2);
    // (the edit, what is left of the grant in questions of 0.5)
    let edits = [
        ("raised", policy([to("a", "awa", "3")]), 4),
        ("lowered", policy([to("a", "awa", "1.5")]), 1),
        ("below what is spent", policy([to("a", "awa", "1")]), 0),
        ("to others too", policy([to("a", "awa", "2"), to("k", "kofi", "1")]), 2),
        // Another name is another account; the pool has its charges all the same.
        ("renamed", policy([to("b", "awa", "10")]), 18),
        ("named as before", policy([to("a", "awa", "2")]), 2),
        ("of other columns", policy([TestGrant { by_at_most: 2, ..to("a", "awa", "2") }]), 2),
        ("renewed otherwise", policy([to("a", "awa", "2")]).replace("\"never\"", "\"yearly\""), 2),
    ];
    for (edit, text, expected) in edits {
        change(&office, &text).await;
        assert_eq!(left("0.5").await, expected, "{edit}");
    }
    change(&office, &policy([to("k", "kofi", "1")])).await;
    assert_eq!(
        awa.estimate(&office, &persons("by age", "0.5")).await.unwrap_err().refusal(),
        "principal-not-granted"
    );
    change(&office, &policy([to("a", "awa", "2")])).await;
    assert_eq!(left("0.5").await, 2, "removed and added again");
    awa.ask(&office, &persons("by age", "1")).await.unwrap();
    let refused = awa.ask(&office, &persons("by education", "0.5")).await.unwrap_err();
    assert_eq!(refused.refusal(), "budget-exceeded");
    // A dataset that gets another name takes its charges along, and a question meanwhile is asked again.
    let renamed = policy([to("a", "awa", "3")])
        .replace("residents", "people")
        .replace("table = \"people\"", "table = \"residents\"");
    change(&office, &renamed).await;
    let of_people = |epsilon: &str| persons("by age", epsilon).replace("residents", "people");
    assert_eq!(awa.estimate(&office, &of_people("0.5")).await.unwrap().queries_left, 2);
    awa.ask(&office, &of_people("1")).await.unwrap();
    assert_eq!(office.ledger().pure_nano(""), 3_000_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_that_change_all_the_time_never_overspend_or_mix() {
    let world = TestRegion::new();
    let texts =
        [1, 2].map(|total| policy([to("a", "awa", &total.to_string())]).replace("mid", &total.to_string()));
    let office = started(&world, &texts[0]).await;
    let awa = world.analyst();
    let changing = async {
        for round in 1..=40 {
            change(&office, &texts[round % 2]).await;
        }
    };
    let asking = async {
        let mut answered = 0;
        for number in 0..60 {
            match awa.ask(&office, &persons("by sex", &format!("0.1{number:02}1"))).await {
                Ok(answer) => {
                    let digests = texts.each_ref().map(|text| digest(text));
                    assert!(digests.contains(&answer.statement.basics.policy_digest));
                    answered += 1;
                }
                Err(failed) => assert_eq!(failed.refusal(), "budget-exceeded"),
            }
        }
        answered
    };
    let (answered, ()) = tokio::join!(asking, changing);
    let spent = office.ledger().pure_nano("a");
    assert!(
        answered >= 7 && spent <= 2_000_000_000 && spent == office.ledger().pure_nano(""),
        "{answered}, {spent}"
    );
}
