//! What Lango is made of: licences, banned, duplicate and yanked crates, and the advisories that touch the lock file. The lists
//! are those of `deny.toml`, so that they are checked where cargo-deny, which takes longer to build than Lango, is not installed.

// What a test needs and does not get is its failure, in its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "supply/advisories.rs"]
mod advisories;
#[path = "supply/licence.rs"]
mod licence;
#[path = "support/program.rs"]
mod program;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Output,
};

use program::{cargo, command, project};
use serde_json::Value;
use toml::Table;

fn read(path: &str) -> String {
    let path = project().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn deny() -> Table {
    read("deny.toml").parse().unwrap()
}

/// The crates of the lock file that come from a registry, with their versions, in order.
fn locked() -> BTreeMap<String, Vec<String>> {
    let lock: Table = read("Cargo.lock").parse().unwrap();
    let mut found = BTreeMap::<String, Vec<String>>::new();
    for package in lock["package"].as_array().unwrap() {
        if package.get("source").is_some() {
            let text = |key: &str| package[key].as_str().unwrap().to_owned();
            found.entry(text("name")).or_default().push(text("version"));
        }
    }
    assert!(found.len() > 100, "{}", found.len());
    found
}

fn strings(value: &toml::Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// What cargo knows of the packages that are built for this machine.
fn metadata() -> Value {
    let host = command("rustc").arg("-vV").output().unwrap();
    let host = String::from_utf8(host.stdout).unwrap();
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let tree = command(cargo())
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host])
        .current_dir(project())
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", said(&tree));
    serde_json::from_slice(&tree.stdout).unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn every_licence_is_allowed() {
    let deny = deny();
    let allowed = strings(&deny["licenses"]["allow"]);
    let allowed: Vec<&str> = allowed.iter().map(String::as_str).collect();
    let clarified = |name: &str| {
        let tables = deny["licenses"]["clarify"].as_array().unwrap();
        let table = tables.iter().find(|table| table["crate"].as_str() == Some(name))?;
        table["expression"].as_str().map(str::to_owned)
    };
    let tree = metadata();
    let packages = tree["packages"].as_array().unwrap();
    assert!(packages.len() > 100, "{}", packages.len());
    for package in packages {
        let text = |key: &str| package[key].as_str().unwrap_or_default();
        let name = text("name");
        let expression =
            if text("license").is_empty() { clarified(name) } else { Some(text("license").to_owned()) };
        let expression =
            expression.unwrap_or_else(|| panic!("{name} names no licence and deny.toml clarifies none"));
        assert!(licence::is_met(&expression, &allowed), "{name} is licensed `{expression}`");
    }
}

#[test]
fn everything_comes_from_one_registry() {
    let lock: Table = read("Cargo.lock").parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    // A package of the workspace has no source.
    let sources: BTreeSet<&str> =
        packages.iter().filter_map(|package| package.get("source")?.as_str()).collect();
    assert!(
        sources.len() == 1 && sources.iter().all(|source| source.starts_with("registry+")),
        "{sources:?}"
    );
    for key in ["unknown-registry", "unknown-git"] {
        assert_eq!(deny()["sources"][key].as_str(), Some("deny"), "{key}");
    }
}

#[test]
fn no_banned_crate_is_used() {
    let (deny, tree) = (deny(), metadata());
    let bans = deny["bans"]["deny"].as_array().unwrap();
    let names: BTreeMap<&str, &str> = tree["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (package["id"].as_str().unwrap(), package["name"].as_str().unwrap()))
        .collect();
    for node in tree["resolve"]["nodes"].as_array().unwrap() {
        let user = names[node["id"].as_str().unwrap()];
        for used in node["dependencies"].as_array().unwrap() {
            let used = names[used.as_str().unwrap()];
            let ban = bans.iter().find(|ban| ban["crate"].as_str() == Some(used));
            let wrapped = |ban: &toml::Value| {
                ban.get("wrappers").is_some_and(|wrappers| strings(wrappers).iter().any(|name| name == user))
            };
            assert!(ban.is_none_or(wrapped), "{user} uses {used}");
        }
    }
}

#[test]
fn every_second_version_of_a_crate_has_its_reason() {
    let deny = deny();
    assert_eq!(deny["bans"]["multiple-versions"].as_str(), Some("deny"));
    let mut excused = BTreeSet::new();
    for skip in deny["bans"]["skip"].as_array().unwrap() {
        let (name, reason) = (skip["crate"].as_str().unwrap(), skip["reason"].as_str().unwrap());
        assert!(is_dated(reason), "{name}: the reason ends with the day of the decision: `{reason}`");
        assert!(excused.insert(name.to_owned()), "{name} stands twice");
    }
    let mut found = BTreeSet::new();
    for (name, versions) in locked() {
        let newest = versions.iter().max_by_key(|version| precedence(version)).unwrap();
        let older = versions.iter().filter(|version| *version != newest);
        // Build metadata is no part of a requirement.
        found.extend(older.map(|version| format!("{name}@{}", version.split('+').next().unwrap())));
    }
    let new: Vec<_> = found.difference(&excused).collect();
    assert!(new.is_empty(), "avoid these second versions, or give a reason in deny.toml, bans.skip: {new:?}");
    let gone: Vec<_> = excused.difference(&found).collect();
    assert!(gone.is_empty(), "no longer second versions, to be removed from deny.toml, bans.skip: {gone:?}");
}

/// Whether a text ends with a day in parentheses.
fn is_dated(reason: &str) -> bool {
    let day = reason.rsplit_once(" (").and_then(|(_, day)| day.strip_suffix(')'));
    day.is_some_and(|day| {
        let parts: Vec<&str> = day.split('-').collect();
        let digits = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
        parts.iter().map(|part| part.len()).eq([4, 2, 2]) && parts.iter().all(digits)
    })
}

fn precedence(version: &str) -> Vec<u64> {
    let plain = version.split(['+', '-']).next().unwrap();
    plain.split('.').map(|number| number.parse().unwrap()).collect()
}

#[test]
fn days_and_versions_are_read() {
    for (reason, dated) in [
        ("tonic 0.14 (2026-11-29)", true),
        ("tonic 0.14", false),
        ("(2026-11-29)", false),
        ("x (29-11-2026)", false),
    ] {
        assert_eq!(is_dated(reason), dated, "{reason}");
    }
    assert!(precedence("0.10.4") > precedence("0.7.3"));
    assert!(precedence("300.3.1+3.3.1") > precedence("5.3.0-rc.1"));
}

/// A manifest that asks for exactly these versions: what cargo cannot choose for it is yanked, or never was.
fn exactly(crates: &BTreeMap<String, Vec<String>>) -> String {
    let mut manifest = "[package]\nname = \"lock\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
                        [workspace]\n[lib]\npath = \"lib.rs\"\n[dependencies]\n"
        .to_owned();
    for (name, versions) in crates {
        for (number, version) in versions.iter().enumerate() {
            let version = version.split('+').next().unwrap();
            manifest += &format!(
                "{name}-{number} = {{ package = \"{name}\", version = \"={version}\", default-features = false }}\n"
            );
        }
    }
    manifest
}

/// Lets cargo choose the versions anew, which never takes a yanked one.
fn choose(manifest: &str, online: bool) -> Output {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.path().join("lib.rs"), "").unwrap();
    let mut cargo = command(cargo());
    cargo.arg("generate-lockfile").args((!online).then_some("--offline"));
    cargo.current_dir(folder.path()).output().unwrap()
}

/// By the index of the registry as this machine last saw it; `tests/run --long` asks the registry, through cargo.
#[test]
fn no_crate_is_yanked() {
    let chosen = choose(&exactly(&locked()), std::env::var_os("LANGO_LONG").is_some());
    assert!(chosen.status.success(), "{}", said(&chosen));
    // The same question about a version that is not there fails, so an answer means something.
    let absent = BTreeMap::from([("serde".to_owned(), vec!["9999.0.0".to_owned()])]);
    let chosen = choose(&exactly(&absent), false);
    assert!(!chosen.status.success() && said(&chosen).contains("serde"), "{}", said(&chosen));
}
