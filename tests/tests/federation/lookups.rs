//! Prices, descriptions and stored releases.

use lango_identity::Role;
use lango_privacy::DatasetKind;
use lango_testkit::{Office, Policy, Register, TestGrant, TestRegion, persons};
use tonic::Code;

#[tokio::test]
async fn an_estimate_touches_no_data_and_charges_nothing() {
    let world = TestRegion::new();
    let policy = Policy::of("GHA").grants([TestGrant::of("1", "4")]);
    let office = Office::start(&world, &policy, &Register::sample(5)).await;
    let analyst = world.analyst();
    let text = persons("by age,sex", "1");
    office.database.away();

    let price = analyst.estimate(&office, &text).await.unwrap();
    assert_eq!(price.loss.unwrap().pure_nano, Some(1_000_000_000));
    assert_eq!(price.charged.unwrap().pure_nano, Some(1_000_000_000));
    assert_eq!((price.queries_left, price.repeated), (4, false));
    assert!(price.plan.contains("mechanism "), "{}", price.plan);
    assert!(price.layout.contains("codes sex F,M,_O,_U\n"), "{}", price.layout);

    let before = office.ledger();
    let failed = analyst.ask(&office, &text).await.unwrap_err();
    assert_eq!((failed.code, failed.refusal()), (Code::Unavailable, "unavailable"));
    assert_eq!(office.ledger(), before);
    assert_eq!((before.accounts.len(), before.reservations.len(), office.gate.fetches()), (0, 0, 0));

    office.database.back();
    let answer = analyst.ask(&office, &text).await.unwrap();
    assert_eq!((answer.plan.to_string(), answer.layout.to_string()), (price.plan, price.layout));

    let again = analyst.estimate(&office, &text).await.unwrap();
    assert_eq!(again.charged.unwrap().pure_nano, Some(0));
    assert_eq!(again.loss.unwrap().pure_nano, Some(1_000_000_000));
    assert!(again.repeated);
    let other = analyst.estimate(&office, &persons("by sex", "0.5")).await.unwrap();
    assert_eq!((other.queries_left, other.repeated), (6, false));
    let decisions: Vec<String> = office.records().into_iter().map(|record| record.decision).collect();
    assert_eq!(decisions, ["estimated", "refused", "reserved", "released", "estimated", "estimated"]);
}

#[tokio::test]
async fn an_estimate_is_refused_as_the_question_would_be() {
    let world = TestRegion::new();
    let policy = Policy::of("GHA").grants([TestGrant { by: r#"["sex"]"#.into(), ..TestGrant::of("1", "4") }]);
    let office = Office::start(&world, &policy, &Register::sample(5)).await;
    let auditor = world.caller(Role::Auditor, "zainab");
    for (caller, text, expected) in [
        (world.analyst(), persons("by sex", "2"), "epsilon-per-query-exceeded"),
        (world.analyst(), persons("by age", "1"), "dimension-not-granted"),
        (auditor, persons("by sex", "1"), "role"),
    ] {
        assert_eq!(caller.estimate(&office, &text).await.unwrap_err().refusal(), expected);
        assert_eq!(caller.ask(&office, &text).await.unwrap_err().refusal(), expected);
    }
}

#[tokio::test]
async fn a_description_shows_what_grants_open_and_no_more() {
    let hidden = r#"
[dataset.visas]
title = "Visas"
kind = "flow"
source = "register"
table = "visas"
version = "1"
unit = { column = "person_id", noun = "person", rows_at_most = 1 }
column.sex = { codes = ["F", "M"] }

[budget.visas]
accounting = "pure"
epsilon = 1
renews = "never"
"#;
    let awa = TestGrant {
        to: "spiffe://ecowas.example/analyst/awa".into(),
        by: r#"["sex"]"#.into(),
        ..TestGrant::of("0.5", "4")
    };
    let over = TestGrant {
        id: "over".into(),
        more: "valid = { from = 2001-01-01, until = 2001-12-31 }".into(),
        ..TestGrant::of("1", "1")
    };
    let policy = Policy::of("GHA").grants([awa, over]).more(hidden);
    let world = TestRegion::new();
    let mut office = Office::prepare(&world, "GHA", &policy, &Register::sample(1));
    office.database.run("CREATE TABLE visas AS SELECT * FROM residents");
    office.up().await.unwrap();

    let described = world.analyst().describe(&office, None).await.unwrap();
    assert_eq!(described, world.analyst().describe(&office, Some("residents")).await.unwrap());
    let [residents] = described.as_slice() else { panic!("{described:?}") };
    assert_eq!((residents.name.as_str(), residents.kind), ("residents", DatasetKind::Stock));
    assert_eq!((residents.unit.as_str(), residents.rows_at_most), ("person", 1));
    let columns: Vec<_> =
        residents.columns.iter().map(|column| (column.name.as_str(), column.codes.len())).collect();
    assert_eq!(columns, [("income", 0), ("sex", 4)]);
    let [grant] = residents.grants.as_slice() else { panic!("{:?}", residents.grants) };
    assert_eq!(grant.id, "regional-analysts");
    assert_eq!((grant.epsilon_per_query_nano, grant.epsilon_total_nano), (500_000_000, 4_000_000_000));
    assert_eq!(grant.queries_left, 8);
    world.analyst().ask(&office, &persons("by sex", "0.5")).await.unwrap();
    assert_eq!(world.analyst().describe(&office, None).await.unwrap()[0].grants[0].queries_left, 7);

    let kofi = world.caller(Role::Analyst, "kofi");
    assert_eq!(kofi.describe(&office, None).await.unwrap(), []);
    for (caller, name) in [(&kofi, "residents"), (&world.analyst(), "visas"), (&kofi, "nothing")] {
        let failed = caller.describe(&office, Some(name)).await.unwrap_err();
        assert_eq!((failed.code, failed.refusal()), (Code::NotFound, "dataset-unknown"), "{name}");
    }
    let auditor = world.caller(Role::Auditor, "zainab");
    assert_eq!(auditor.describe(&office, None).await.unwrap_err().refusal(), "role");
}

#[tokio::test]
async fn a_stored_release_is_open_to_every_principal_that_may_ask_its_question() {
    let to = |name: &str| format!("spiffe://ecowas.example/analyst/{name}");
    let grant = |id: &str, name: &str, by: &str| TestGrant {
        id: id.into(),
        to: to(name),
        by: by.into(),
        ..TestGrant::of("1", "4")
    };
    let policy = Policy::of("GHA").grants([
        grant("a", "awa", r#"["age", "sex"]"#),
        grant("b", "kofi", r#"["sex"]"#),
        grant("c", "ama", r#"["age", "sex"]"#),
    ]);
    let world = TestRegion::new();
    let office = Office::start(&world, &policy, &Register::sample(5)).await;
    let answer = world.analyst().ask(&office, &persons("by age,sex", "1")).await.unwrap();
    let (id, charged) = (answer.statement.release_id, office.ledger());

    for name in ["awa", "ama"] {
        let stored = world.caller(Role::Analyst, name).fetch(&office, id).await.unwrap();
        assert_eq!((stored.cells, stored.repeated), (answer.cells.clone(), true), "{name}");
        assert_eq!(stored.charged.pure_nano, Some(0));
        assert_eq!(stored.statement.basics.query_digest, answer.statement.basics.query_digest);
    }
    for (name, id) in [("kofi", id), ("nobody", id), ("awa", [7; 16]), ("nobody", [7; 16])] {
        let failed = world.caller(Role::Analyst, name).fetch(&office, id).await.unwrap_err();
        assert_eq!((failed.code, failed.refusal()), (Code::NotFound, "release-unknown"), "{name}");
        assert_eq!(failed.status.message(), "no such release is open to you");
    }
    let auditor = world.caller(Role::Auditor, "zainab");
    assert_eq!(auditor.fetch(&office, id).await.unwrap_err().refusal(), "role");
    assert_eq!(office.ledger(), charged);
}
