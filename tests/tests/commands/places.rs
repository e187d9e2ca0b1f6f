//! A policy and a `store` that were edited, as `lango doctor`, `lango ledger` and `lango gateway` find them.

use std::{fs, path::Path};

use lango_testkit::{Engine, Office, Policy, Register, TestGrant, TestRegion, persons};

use crate::{
    doctor::{doctor, keyed, rewrite},
    prepare::lango,
    program::said,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_says_what_becomes_of_the_charges_under_an_edited_policy_as_the_gateway_does() {
    let world = TestRegion::new();
    let policy = Policy::of("GHA").grants([TestGrant::of("1", "4")]);
    let mut office = Office::prepare(&world, "GHA", &policy, &Register::sample(3));
    let config = office.write_config(&world);
    if office.database.engine() != Engine::Sqlite {
        // The rows' copies need grants of their own there.
        return;
    }
    office.database.run("CREATE TABLE others AS SELECT * FROM residents");
    let plain = policy.text();
    let renamed = |name: &str, table: &str| {
        plain
            .replace("residents", name)
            .replace(&format!("table = \"{name}\""), &format!("table = \"{table}\""))
    };
    // Another dataset over the copy, in one pool with the first or in its own.
    let (first, last) =
        (plain.find("[dataset.residents]").unwrap(), plain.find("[budget.residents]").unwrap());
    let dataset = &plain[first..last];
    let second = dataset.replace("residents", "others");
    let grouped = |text: &str| text.replace("unit = {", "group = \"all\"\nunit = {");
    let together = format!(
        "{}{}{}",
        &plain[..first],
        grouped(&(dataset.to_owned() + &second)),
        plain[last..].replace("[budget.residents]", "[budget.all]")
    );
    let budget = plain[last..].split_once("\n\n").map_or(&plain[last..], |(budget, _)| budget);
    let budget = budget.split("[[").next().unwrap().replace("residents", "others");
    let parted = format!("{}{dataset}{second}{budget}\n{}", &plain[..first], &plain[last..]);

    write(&office, &plain);
    doctor(&config).expect("policy's pools", "ok", "every charge stays in its pool");
    office.up().await.unwrap();
    world.analyst().ask(&office, &persons("by sex", "0.75")).await.unwrap();
    office.down().await;
    for (what, text, status, words) in [
        ("as it was", &plain, "ok", "every charge stays in its pool"),
        ("another name", &renamed("people", "residents"), "warning", "will count in the pool `people`"),
        (
            "another name and table",
            &renamed("others", "others"),
            "failed",
            "write `group = \"residents\"` in `[dataset.others]`",
        ),
    ] {
        write(&office, text);
        let before = fs::read(office.store()).unwrap();
        let found = doctor(&config);
        found.expect("policy's pools", status, words);
        assert_eq!(fs::read(office.store()).unwrap(), before, "{what}");
        if status == "failed" {
            refused_alike(&config, &found.found("policy's pools"));
        }
    }

    // One pool for two datasets, and then one for each.
    write(&office, &together);
    office.up().await.unwrap();
    office.down().await;
    doctor(&config).expect("policy's pools", "ok", "every charge stays in its pool");
    write(&office, &parted);
    let found = doctor(&config);
    found.expect("policy's pools", "failed", "have been charged to one pool, `all`");
    refused_alike(&config, &found.found("policy's pools"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_table_has_one_pool_by_whatever_source_it_is_reached() {
    let world = TestRegion::new();
    let policy = Policy::of("GHA").grants([TestGrant::of("1", "4")]);
    let mut office = Office::prepare(&world, "GHA", &policy, &Register::sample(3));
    let config = office.write_config(&world);
    office.up().await.unwrap();
    world.analyst().ask(&office, &persons("by sex", "0.75")).await.unwrap();
    office.down().await;
    // Known by what is reached: as a gateway of the command declares it.
    doctor(&config).expect("policy's pools", "ok", "every charge stays in its pool");

    // The same table by another source.
    let text = fs::read_to_string(&config).unwrap();
    let (before, source) = text.split_once("[source.register]").unwrap();
    let source = source.split("\n[").next().unwrap();
    fs::write(&config, format!("{before}[source.again]{source}\n[source.register]{source}\n")).unwrap();
    let plain = policy.text();
    let (first, last) =
        (plain.find("[dataset.residents]").unwrap(), plain.find("[budget.residents]").unwrap());
    let renamed = |text: &str| {
        text.replace("residents", "people")
            .replace("table = \"people\"", "table = \"residents\"")
            .replace("source = \"register\"", "source = \"again\"")
    };
    let budget = plain[last..].split("[[").next().unwrap();
    let both =
        format!("{}{}{}{}", &plain[..last], renamed(&plain[first..last]), renamed(budget), &plain[last..]);
    fs::write(office.folder().join("policies/policy.toml"), &both).unwrap();
    let found = doctor(&config);
    found.expect("policy's pools", "failed", "are both drawn from one table, which their sources reach");
    refused_alike(&config, "are both drawn from one table, which their sources reach");

    // Every name is another one, and the rows are not.
    fs::write(office.folder().join("policies/policy.toml"), renamed(&plain)).unwrap();
    doctor(&config).expect("policy's pools", "warning", "will count in the pool `people`");
}

/// Writes the policy for a gateway of this process, and for the commands.
fn write(office: &Office, text: &str) {
    office.write_policy(text);
    fs::write(office.folder().join("policies/policy.toml"), text).unwrap();
}

/// The gateway does not start, with the same words.
fn refused_alike(config: &Path, words: &str) {
    let (code, _, stderr) = said(&lango(&["gateway"], config, &[]));
    assert!(code == Some(1) && stderr.contains(words), "{words}: {stderr}");
}

/// The bytes of a file and of what SQLite makes beside it.
fn bytes_of(path: &Path) -> [Option<Vec<u8>>; 3] {
    ["", "-wal", "-shm"].map(|suffix| fs::read(format!("{}{suffix}", path.display())).ok())
}

#[test]
fn a_store_path_that_leads_to_something_else_is_named_and_changes_nothing_there() {
    let world = TestRegion::new();
    let (office, config) = keyed(&world);
    let other = office.folder().join("other.sqlite");
    let made = rusqlite::Connection::open(&other).unwrap();
    made.execute_batch("CREATE TABLE trips (a)").unwrap();
    drop(made);
    let empty = office.folder().join("empty.sqlite");
    fs::write(&empty, "").unwrap();
    let mut places =
        vec![("other.sqlite", other, "is a database but not a store"), ("empty.sqlite", empty, "is empty")];
    if office.database.engine() == Engine::Sqlite {
        places.push(("register.sqlite", office.register(), "is the file of the source `register`"));
    }
    let mut named = "ledger.sqlite";
    for (name, path, words) in places {
        rewrite(&config, &format!("store = \"{named}\""), &format!("store = \"{name}\""));
        named = name;
        let before = bytes_of(&path);
        doctor(&config).expect("store", "failed", words);
        for command in [&["gateway"][..], &["ledger", "show"]] {
            let (code, _, stderr) = said(&lango(command, &config, &[]));
            assert!(code == Some(1) && stderr.contains(words), "{name} {command:?}: {stderr}");
        }
        assert_eq!(bytes_of(&path), before, "{name}");
        let (code, _, stderr) = said(&lango(&["ledger", "create"], &config, &[]));
        if words == "is empty" {
            // No dead end: what a refused start saw can still become a store.
            assert_eq!(code, Some(0), "{stderr}");
            doctor(&config).expect("store", "ok", "this version's schema");
        } else {
            assert_eq!(code, Some(1), "{name}: {stderr}");
            assert_eq!(bytes_of(&path), before, "{name}");
        }
    }
}

#[test]
fn ledger_show_reads_a_store_and_does_not_write_it() {
    let world = TestRegion::new();
    let (office, config) = keyed(&world);
    let before = bytes_of(&office.store());
    let (code, stdout, stderr) = said(&lango(&["ledger", "show"], &config, &[]));
    assert!(code == Some(0) && stdout.contains("residents"), "{stdout}{stderr}");
    assert_eq!(bytes_of(&office.store()), before);
}

#[test]
fn where_the_store_is_missing_its_disk_comes_first_and_an_anchor_says_that_there_was_one() {
    let world = TestRegion::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let mut office = Office::prepare(&world, "GHA", &Policy::of("GHA"), &Register::sample(1));
    office.anchor_at(elsewhere.path().join("anchor"));
    let config = office.write_config(&world);
    fs::remove_file(office.store()).unwrap();
    let words =
        || [&["gateway"][..], &["ledger", "show"]].map(|command| said(&lango(command, &config, &[])).2);
    for stderr in words() {
        let [disk, create] =
            ["see that its disk is mounted", "lango ledger create"].map(|said| stderr.find(said));
        assert!(disk.is_some() && disk < create, "{stderr}");
    }
    doctor(&config).expect("store", "failed", "see that its disk is mounted");
    assert_eq!(said(&lango(&["ledger", "create"], &config, &[])).0, Some(0));
    fs::remove_file(office.store()).unwrap();
    for stderr in words() {
        assert!(stderr.contains("says that there was one: see that its disk is mounted"), "{stderr}");
        assert!(!stderr.contains("lango ledger create"), "{stderr}");
    }
    doctor(&config).expect("store", "failed", "says that there was one");
}
