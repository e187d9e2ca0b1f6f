//! `docs/ADVISORIES.md` speaks of what is in the lock file, and of all of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::{Command, Output},
};

use crate::{deny, locked, metadata, program::project, read};

/// A row of the table: the identifiers, and the crate with its version.
fn rows(page: &str) -> Vec<(Vec<String>, String)> {
    let section = page.split("\n## ").find(|section| section.starts_with("What stands\n")).unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")).skip(2);
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_end_matches('|').split('|').map(str::trim).collect();
        assert!(cells.len() == 5 && cells.iter().all(|cell| !cell.is_empty()), "{row}");
        let identifiers = cells[0].split(", ").map(str::to_owned).collect();
        (identifiers, cells[1].to_owned())
    })
    .collect()
}

/// The crates of the lock file, as `name version`.
fn crates() -> BTreeSet<String> {
    let named = |(name, versions): (String, Vec<String>)| {
        versions.into_iter().map(move |version| format!("{name} {version}")).collect::<Vec<_>>()
    };
    locked().into_iter().flat_map(named).collect()
}

#[test]
fn every_advisory_of_the_table_is_about_a_crate_of_the_lock_file() {
    let plain = |name: &String| name.split('+').next().unwrap().to_owned();
    let crates: BTreeSet<String> = crates().iter().map(plain).collect();
    let rows = rows(&read("docs/ADVISORIES.md"));
    assert!(rows.len() >= 2, "{rows:?}");
    let mut seen = BTreeSet::new();
    for (identifiers, name) in rows {
        assert!(crates.contains(&name), "{name} has left Cargo.lock: remove its row from docs/ADVISORIES.md");
        for identifier in identifiers {
            let known = ["RUSTSEC-", "CVE-", "GHSA-"].iter().any(|list| identifier.starts_with(list));
            assert!(known && seen.insert(identifier.clone()), "{identifier}");
        }
    }
    let of_rustsec = |identifier: &&String| identifier.starts_with("RUSTSEC-");
    let in_table: BTreeSet<&str> = seen.iter().filter(of_rustsec).map(String::as_str).collect();
    let deny = deny();
    let ignored = deny["advisories"]["ignore"].as_array().unwrap().iter();
    let ignored: BTreeSet<&str> = ignored.map(|entry| entry["id"].as_str().unwrap()).collect();
    assert_eq!(in_table, ignored, "docs/ADVISORIES.md and advisories.ignore of deny.toml");
    assert_eq!(deny["advisories"]["yanked"].as_str(), Some("deny"));
}

#[test]
fn every_crate_of_the_lock_file_is_reviewed() {
    let reviewed = read("tests/testdata/reviewed-crates.txt");
    let reviewed: BTreeSet<String> = reviewed.lines().map(str::to_owned).collect();
    let crates = crates();
    let new: Vec<_> = crates.difference(&reviewed).collect();
    let gone: Vec<_> = reviewed.difference(&crates).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "Cargo.lock has changed: review it as docs/ADVISORIES.md says; new {new:?}, gone {gone:?}"
    );
}

/// What the table says is not reached is not even built.
#[test]
fn no_feature_that_an_advisory_needs_is_built() {
    let tree = metadata();
    let nodes = tree["resolve"]["nodes"].as_array().unwrap();
    for (package, version, feature, other) in
        [("nalgebra", "0.19.0", "serde-serialize", "std"), ("rand", "0.7.3", "log", "std")]
    {
        let end = format!("#{package}@{version}");
        let node = nodes.iter().find(|node| node["id"].as_str().unwrap().ends_with(&end));
        // Once it has left the lock file, the first test of this file asks for its row to go.
        let Some(node) = node else { continue };
        let features = node["features"].as_array().unwrap();
        assert!(features.iter().any(|name| name == other), "{package}: {features:?}");
        assert!(!features.iter().any(|name| name == feature), "{package} is built with `{feature}`");
    }
}

/// Runs `tests/advisories` of a copy of the project whose lock file holds these crates.
fn review(crates: &[(&str, &str)], database: &Path, page: &str) -> (Output, String) {
    let folder = tempfile::tempdir().unwrap();
    for part in ["tests/testdata", "docs"] {
        fs::create_dir_all(folder.path().join(part)).unwrap();
    }
    let lock: String = crates
        .iter()
        .map(|(name, version)| {
            format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"registry+x\"\n")
        })
        .collect();
    fs::write(folder.path().join("Cargo.lock"), lock).unwrap();
    fs::write(folder.path().join("docs/ADVISORIES.md"), page).unwrap();
    let script = folder.path().join("tests/advisories");
    fs::copy(project().join("tests/advisories"), &script).unwrap();
    let done = Command::new("python3").arg(&script).arg(database).arg("--reviewed").output().unwrap();
    let written = fs::read_to_string(folder.path().join("tests/testdata/reviewed-crates.txt"));
    (done, written.unwrap_or_default())
}

#[test]
fn the_review_finds_what_touches_the_lock_file() {
    let database = tempfile::tempdir().unwrap();
    for (package, number, about, versions) in [
        ("caret", "0001", "", "patched = [\"^0.10.2\", \">= 0.11.1\"]"),
        ("ranges", "0002", "", "patched = [\">= 1.2.0\"]\nunaffected = [\"< 1.0.0\"]"),
        ("gone", "0003", "withdrawn = \"2026-02-01\"", "patched = []"),
        ("never", "0004", "informational = \"unmaintained\"", "patched = []"),
    ] {
        let folder = database.path().join("crates").join(package);
        fs::create_dir_all(&folder).unwrap();
        let text = format!(
            "```toml\n[advisory]\nid = \"RUSTSEC-2026-{number}\"\npackage = \"{package}\"\ndate = \"2026-01-01\"\n{about}\n\
             [versions]\n{versions}\n```\n\n# A fault\n"
        );
        fs::write(folder.join(format!("RUSTSEC-2026-{number}.md")), text).unwrap();
    }
    // What the lock file holds, and which advisory touches it.
    let cases = BTreeMap::from([
        (("caret", "0.10.1"), "0001"),
        (("caret", "0.10.2"), ""),
        (("caret", "0.11.0"), "0001"),
        (("caret", "0.12.0"), ""),
        (("ranges", "0.9.9"), ""),
        (("ranges", "1.1.9"), "0002"),
        (("ranges", "1.2.0-rc.1"), "0002"),
        (("ranges", "1.2.0+7"), ""),
        (("gone", "1.0.0"), ""),
        (("never", "1.0.0"), "0004"),
        (("other", "1.0.0"), ""),
    ]);
    for ((name, version), touched) in cases {
        let (done, written) = review(&[(name, version)], database.path(), "");
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert_eq!(done.status.code(), Some(i32::from(!touched.is_empty())), "{name} {version}: {said}");
        if touched.is_empty() {
            assert_eq!(written, format!("{name} {version}\n"));
            continue;
        }
        assert!(said.starts_with(&format!("RUSTSEC-2026-{touched}: {name} {version}: A fault\n")), "{said}");
        assert_eq!(written, "", "what is not decided is not reviewed");
        let (done, _) = review(&[(name, version)], database.path(), &format!("| RUSTSEC-2026-{touched} |"));
        assert!(done.status.success(), "{name} {version}");
    }
}
