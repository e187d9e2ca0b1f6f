//! A ledger never begins anew by itself, and no edit of a policy gives budget back.

use std::{fs, path::Path};

use lango_testkit::{Engine, Office, Policy, Register, TestDatabase, TestGrant, TestRegion, persons};

/// A pool of 1, and nothing renews.
fn policy() -> Policy {
    Policy::of("GHA")
        .budget("accounting = \"pure\"\nepsilon = 1\nrenews = \"never\"")
        .grants([TestGrant::of("1", "1")])
}

async fn refused(office: &mut Office, expected: &str) {
    let error = office.up().await.err().unwrap_or_else(|| panic!("started: {expected}")).to_string();
    assert!(error.contains(expected), "{expected}: {error}");
}

fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_without_its_store_does_not_start_and_makes_none() {
    let world = TestRegion::new();
    let mut office = Office::prepare(&world, "GHA", &policy(), &Register::sample(5));
    let store = office.store();
    let away = office.folder().join("away");
    fs::rename(&store, &away).unwrap();
    for _ in 0..2 {
        refused(&mut office, "does not exist: see that its disk is mounted").await;
        assert!(!store.exists());
    }
    fs::write(&store, "").unwrap();
    refused(&mut office, "is empty: see that its disk is mounted").await;
    fs::rename(&away, &store).unwrap();
    office.up().await.unwrap();
    office.down().await;
    // Nor on a server.
    let database = TestDatabase::fresh(Engine::Postgres);
    office.keep_in(&database.owner());
    office.up().await.unwrap();
    office.down().await;
    let mut other = Office::prepare(&world, "GHA", &policy(), &Register::sample(5));
    let empty = TestDatabase::fresh(Engine::Postgres);
    other.keep_in(&empty.owner());
    empty.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    refused(&mut other, "is empty: see that its disk is mounted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_its_log_is_not_started_on() {
    let world = TestRegion::new();
    let mut office = Office::start(&world, &policy(), &Register::sample(5)).await;
    let analyst = world.analyst();
    analyst.ask(&office, &persons("by sex", "1")).await.unwrap();
    let (main, whole) = (office.folder().join("main"), office.folder().join("whole"));
    copy(&office.store(), &main);
    office.down().await;
    copy(&office.store(), &whole);
    copy(&main, &office.store());
    refused(&mut office, "lacks its log").await;
    copy(&whole, &office.store());
    office.up().await.unwrap();
    let refused = analyst.ask(&office, &persons("by age", "1")).await.unwrap_err();
    assert_eq!(refused.refusal(), "budget-exceeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anchored_gateway_starts_on_its_own_store_and_on_no_older_one() {
    let world = TestRegion::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let anchor = elsewhere.path().join("anchor");
    let mut office = Office::prepare(&world, "GHA", &policy(), &Register::sample(5));
    office.anchor_at(office.folder().join("anchor"));
    refused(&mut office, "lies in the store's folder").await;
    office.anchor_at(anchor.clone());
    office.up().await.unwrap();
    let analyst = world.analyst();
    analyst.ask(&office, &persons("by sex", "0.5")).await.unwrap();
    office.down().await;
    let older = elsewhere.path().join("older");
    copy(&office.store(), &older);
    office.up().await.unwrap();
    analyst.ask(&office, &persons("by age", "0.5")).await.unwrap();
    office.down().await;
    // A gateway that was killed leaves an anchor that is behind, never one that is ahead.
    let text = fs::read_to_string(&anchor).unwrap();
    assert!(text.ends_with("sequence 9\n"), "{text}");
    fs::write(&anchor, text.replace("sequence 9", "sequence 7")).unwrap();
    office.up().await.unwrap();
    office.down().await;
    assert_eq!(fs::read_to_string(&anchor).unwrap(), text.replace("sequence 9", "sequence 11"));

    let latest = elsewhere.path().join("latest");
    copy(&office.store(), &latest);
    copy(&older, &office.store());
    refused(&mut office, "the store is older than the anchor").await;
    let other = Office::prepare(&world, "GHA", &policy(), &Register::sample(5));
    copy(&other.store(), &office.store());
    refused(&mut office, "the store is not the one that the anchor").await;
    copy(&latest, &office.store());
    fs::rename(&anchor, elsewhere.path().join("gone")).unwrap();
    refused(&mut office, "lango ledger anchor --config FILE").await;
    fs::rename(elsewhere.path().join("gone"), &anchor).unwrap();
    office.up().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anchor_is_renewed_every_few_charges() {
    let world = TestRegion::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let anchor = elsewhere.path().join("anchor");
    let mut office = Office::prepare(&world, "GHA", &Policy::of("GHA"), &Register::sample(5));
    office.anchor_at(anchor.clone());
    office.up().await.unwrap();
    let analyst = world.analyst();
    for number in 1..=16 {
        analyst.ask(&office, &persons("by sex", &format!("0.00{number}1"))).await.unwrap();
    }
    for _ in 0..500 {
        if fs::read_to_string(&anchor).unwrap().contains("sequence 3") {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{}", fs::read_to_string(&anchor).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_dataset_keeps_what_was_charged_to_it() {
    let world = TestRegion::new();
    let mut office = Office::start(&world, &policy(), &Register::sample(5)).await;
    let analyst = world.analyst();
    analyst.ask(&office, &persons("by sex", "0.75")).await.unwrap();
    let renamed = |name: &str, group: &str| {
        let text = policy()
            .text()
            .replace("residents", name)
            .replace(&format!("table = \"{name}\""), &format!("table = \"residents\"\n{group}"));
        match group {
            "" => text,
            _ => text.replace(&format!("[budget.{name}]"), "[budget.census]"),
        }
    };
    for (name, group) in [
        ("people", ""),
        ("people", "group = \"census\""),
        ("residents", "group = \"census\""),
        ("residents", ""),
    ] {
        office.down().await;
        office.write_policy(&renamed(name, group));
        office.up().await.unwrap();
        let text = persons("by age", "0.5").replace("residents", name);
        let refused = analyst.ask(&office, &text).await.unwrap_err();
        assert_eq!(refused.refusal(), "budget-exceeded", "{name} {group}");
        assert!(refused.status.message().contains("has 0.25 left of 1"), "{}", refused.status.message());
        assert_eq!(analyst.estimate(&office, &text).await.unwrap().queries_left, 0);
    }
    office.down().await;
    // Another table by another name might hold the same persons.
    office.database.run("CREATE TABLE others AS SELECT * FROM residents");
    let text = policy().text().replace("residents", "others");
    office.write_policy(&text);
    refused(&mut office, "write `group = \"residents\"` in `[dataset.others]` if it holds the same persons")
        .await;
}
