//! What keeps a gateway from starting is named.

use lango_identity::Role;
use lango_testkit::{Office, Policy, Register, TestGrant, TestRegion};

#[tokio::test]
async fn a_gateway_that_cannot_keep_its_policy_does_not_start() {
    let world = TestRegion::new();
    let policy = || Policy::of("GHA");
    let grant = |grant: TestGrant| policy().grants([grant]);
    let register = || Register::sample(1);
    let keyless = || {
        let mut register = register();
        register.unit = "TEXT";
        register
    };
    let test = |expect: &str| {
        policy().more(&format!(
            "[[test]]\nquery = \"persons by sex\"\nas = \"spiffe://ecowas.example/analyst/awa\"\nexpect = \"{expect}\""
        ))
    };
    let replaced = |from: &str, to: &str| {
        let text = policy().text();
        assert!(text.contains(from));
        text.replacen(from, to, 1)
    };
    // Where the file is at fault, the message begins with line and column.
    let places = [
        ("publish in a region", "\"region\""),
        ("an unknown key", "epsilon_per_querry"),
        ("its nearest right name", "renew "),
        ("a grant above the budget", "100\npublish"),
    ];
    for (what, text, register, expected) in [
        ("as it should be", policy().text(), register(), None),
        ("a test that holds", test("allow: regional-analysts").text(), register(), None),
        ("a unit that repeats", policy().text(), keyless(), None),
        ("several rows of a unit", replaced("rows_at_most = 1", "rows_at_most = 4"), keyless(), None),
        (
            "publish in a region",
            grant(TestGrant { publish: "region".into(), ..TestGrant::default() }).text(),
            register(),
            Some("`publish = \"region\"` is not supported by this version"),
        ),
        (
            "a test that fails",
            test("deny: dimension-not-granted").text(),
            register(),
            Some(
                "test `persons by sex` expects `deny: dimension-not-granted` and got `allow: regional-analysts`",
            ),
        ),
        (
            "an unknown key",
            replaced("epsilon_per_query", "epsilon_per_querry"),
            register(),
            Some("a grant has no key `epsilon_per_querry`"),
        ),
        ("its nearest right name", replaced("renews", "renew"), register(), Some("did you mean `renews`?")),
        (
            "an unknown source",
            Policy { source: "archive".into(), ..policy() }.text(),
            register(),
            Some(
                "dataset `residents` names the source `archive`, which the configuration does not have: add `[source.archive]`",
            ),
        ),
        (
            "another office's policy",
            Policy::of("TGO").text(),
            register(),
            Some(
                "the signing certificate is of spiffe://ecowas.example/office/GHA, the policy of office `TGO`",
            ),
        ),
        (
            "no such table",
            replaced("table = \"residents\"", "table = \"people\""),
            register(),
            Some("has no table `people`"),
        ),
        (
            "no such column",
            replaced("sex = {", "gender = {").replace("\"sex\"", "\"gender\"").replace("(sex)", "(gender)"),
            register(),
            Some("has no column `gender`"),
        ),
        (
            "a grant above the budget",
            replaced("epsilon = 100", "epsilon = 99"),
            register(),
            Some("`epsilon_total` is above the budget of `residents`"),
        ),
        ("an empty policy", String::new(), register(), Some("a policy file needs `policy`")),
        ("no TOML", "office = GHA".into(), register(), Some("policy.toml:1:10")),
    ] {
        let mut office = Office::prepare(&world, "GHA", &policy(), &register);
        office.write_policy(&text);
        let found = office.up().await.err().map(|error| error.to_string());
        if let (Some(found), Some(place)) = (&found, places.iter().find(|(case, _)| *case == what)) {
            assert!(found.contains(&position(&text, place.1)), "{what}: {found}");
        }
        match (&found, expected) {
            (None, None) => {}
            (Some(found), Some(expected)) => {
                // A diagnostic is cut into lines between words.
                let words = found.split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(words.contains(expected), "{what}: {found}");
            }
            _ => panic!("{what}: {found:?}"),
        }
    }
}

/// Line and column, counting from 1, as a policy's errors show them.
fn position(text: &str, needle: &str) -> String {
    let before = text.split_once(needle).unwrap().0;
    let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
    format!(" policy.toml:{}:{column}\n", before.matches('\n').count() + 1)
}

#[tokio::test]
async fn a_gateway_whose_certificates_are_not_good_does_not_start() {
    let (world, stranger) = (TestRegion::new(), TestRegion::new());
    let (gha, tgo) = (world.id(Role::Office, "GHA"), world.id(Role::Office, "TGO"));
    let issue = |tls, signing| world.identity_of(&gha, tls, signing);
    let (life, past) = (world.lifetime(), world.past());
    let mut other_tls = issue(life, life);
    other_tls.tls = world.identity_of(&tgo, life, life).tls;
    for (what, identity, expected) in [
        ("expired for answers", issue(life, past), "the signing certificate is not good: "),
        ("expired for connections", issue(past, life), "the TLS certificate is not good: "),
        (
            "another office's for connections",
            other_tls,
            "the TLS certificate is not good: it is of spiffe://ecowas.example/office/TGO",
        ),
        (
            "another authority's",
            stranger.identity_of(&gha, life, life),
            "the signing certificate is not good: ",
        ),
        (
            "an analyst's",
            world.identity(Role::Analyst, "GHA"),
            "the signing certificate is of spiffe://ecowas.example/analyst/GHA",
        ),
    ] {
        let mut office = Office::prepare(&world, "GHA", &Policy::of("GHA"), &Register::sample(1));
        office.identity = identity;
        let found = office.up().await.expect_err(what).to_string();
        assert!(found.contains(expected), "{what}: {found}");
    }
}

#[tokio::test]
async fn a_ledger_of_another_version_is_left_alone() {
    let world = TestRegion::new();
    let mut office = Office::start(&world, &Policy::of("GHA"), &Register::sample(1)).await;
    office.down().await;
    let ledger = rusqlite::Connection::open(office.store()).unwrap();
    ledger.execute("UPDATE schema_version SET version = 99", []).unwrap();
    drop(ledger);
    let found = office.up().await.err().unwrap().to_string();
    assert!(found.contains("the store has schema 99, this version reads 10"), "{found}");
}
