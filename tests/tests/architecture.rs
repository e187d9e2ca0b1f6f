//! The plan of the house is a test: who may depend on whom, no file that nothing reaches, no two files that need each other, no
//! place of its making.

#[path = "architecture/circles.rs"]
mod circles;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use toml::Table;

/// What each crate may depend on among the others (DESIGN, section 3). A crate that is not listed fails a test: list here
/// what a new crate may depend on.
const ALLOWED: &[(&str, &[&str])] = &[
    ("words", &[]),
    ("files", &[]),
    ("document", &["words"]),
    ("principal", &["words"]),
    ("privacy", &[]),
    ("policy", &["privacy", "principal", "document"]),
    ("ledger", &["privacy"]),
    ("statistics", &["privacy"]),
    ("access-log", &[]),
    ("audit", &["access-log", "ledger", "policy", "principal", "privacy", "words"]),
    ("identity", &["files", "principal", "words"]),
    ("metrics", &[]),
    ("trace", &[]),
    ("transport", &["metrics", "trace"]),
    ("registers", &["files"]),
    ("database", &["files"]),
    ("import", &["files", "privacy"]),
    ("source", &["database", "files", "privacy", "trace"]),
    ("store", &["database", "ledger", "access-log", "privacy"]),
    ("sealing", &["access-log", "identity", "store"]),
    ("wire", &["privacy", "policy", "access-log", "identity", "statistics", "trace"]),
    (
        "gateway",
        &[
            "privacy",
            "policy",
            "document",
            "ledger",
            "access-log",
            "metrics",
            "statistics",
            "identity",
            "source",
            "sealing",
            "store",
            "trace",
            "transport",
            "wire",
        ],
    ),
    ("analyst", &["trace", "transport", "wire", "identity", "statistics", "privacy"]),
    (
        "coordinator",
        &[
            "metrics",
            "trace",
            "transport",
            "wire",
            "access-log",
            "identity",
            "sealing",
            "statistics",
            "store",
            "files",
            "privacy",
        ],
    ),
    ("sdmx", &["statistics", "privacy"]),
];
/// May depend on everything that ships.
const EVERYTHING: &[&str] = &["lango", "testkit"];
/// Know no clock, file, socket or database.
const PURE: &[&str] = &[
    "privacy",
    "policy",
    "ledger",
    "statistics",
    "access-log",
    "audit",
    "words",
    "document",
    "principal",
    "trace",
];
const IMPURE: &[&str] = &["tokio", "tonic", "sqlx", "rusqlite", "hyper-util", "tokio-rustls", "tokio-stream"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().canonicalize().unwrap()
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(of).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.join("Cargo.toml").is_file()).collect();
    folders.sort();
    folders
}

/// The manifests of the crates by their short names, `tests` among them.
fn manifests() -> BTreeMap<String, Table> {
    let root = root();
    let folders = folders(&root.join("crates")).into_iter().chain([root.join("tests")]);
    folders
        .map(|folder| {
            let text = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
            (folder.file_name().unwrap().to_str().unwrap().to_owned(), text.parse().unwrap())
        })
        .collect()
}

/// The packages in tables of this name, those for one platform only included.
fn dependencies(manifest: &Table, kind: &str) -> BTreeSet<String> {
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let tables = targets.into_iter().flat_map(|targets| targets.values().filter_map(toml::Value::as_table));
    let found = tables.chain([manifest]).filter_map(|table| table.get(kind)?.as_table());
    let name = |(name, value): (&String, &toml::Value)| {
        value.get("package").and_then(toml::Value::as_str).unwrap_or(name).to_owned()
    };
    found.flatten().map(name).collect()
}

/// The workspace's crates in tables of this name, by their short names.
fn rooms(manifest: &Table, kind: &str) -> BTreeSet<String> {
    let short = |name: String| name.strip_prefix("lango-").map(str::to_owned);
    dependencies(manifest, kind).into_iter().filter_map(short).collect()
}

#[test]
fn crates_depend_on_one_another_in_the_allowed_directions_only() {
    let manifests = manifests();
    let mut wrong = Vec::new();
    for (name, manifest) in &manifests {
        for kind in ["dependencies", "build-dependencies"] {
            let found = rooms(manifest, kind);
            let allowed: BTreeSet<String> = match ALLOWED.iter().find(|(room, _)| room == name) {
                Some((_, allowed)) => allowed.iter().map(|room| (*room).to_owned()).collect(),
                None if EVERYTHING.contains(&name.as_str()) => manifests.keys().cloned().collect(),
                None if name == "tests" => BTreeSet::new(),
                None => panic!("`{name}` is a new room: say in ALLOWED what it may depend on"),
            };
            wrong.extend(found.difference(&allowed).map(|on| format!("{name} -> {on} ({kind})")));
            // Only development may know the testkit, and the tests.
            wrong.extend(
                found
                    .iter()
                    .filter(|on| ["testkit", "tests"].contains(&on.as_str()))
                    .map(|on| format!("{name} -> {on} ({kind})")),
            );
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// The directions that a document states: `a, b -> c, d` for each room, `none`, or `everything but testkit`.
fn stated(document: &str) -> BTreeMap<String, BTreeSet<String>> {
    let section =
        document.split("\n## ").find(|section| section.starts_with("Allowed directions\n")).unwrap();
    let block = section.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    // A line that begins with a blank goes on with the one before.
    let block = block.split('\n').fold(String::new(), |block, line| {
        let joint = if line.starts_with(' ') { " " } else { "\n" };
        block + joint + line.trim_start()
    });
    let names = |text: &str| text.split(',').map(|name| name.trim().to_owned()).collect::<BTreeSet<_>>();
    let mut found = BTreeMap::new();
    for line in block.lines().filter(|line| !line.is_empty()) {
        let (from, to) = line.split_once("->").unwrap_or_else(|| panic!("`{line}` has no arrow"));
        let to = if to.trim() == "none" { BTreeSet::new() } else { names(to) };
        for room in names(from) {
            assert!(found.insert(room.clone(), to.clone()).is_none(), "`{room}` stands twice");
        }
    }
    found
}

#[test]
fn the_architecture_states_the_directions_that_are_tested() {
    let document = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let there: BTreeSet<String> = manifests().into_keys().filter(|room| room != "tests").collect();
    // What is allowed of rooms to come is not stated yet.
    let names = |rooms: &[&str]| {
        rooms
            .iter()
            .map(|room| (*room).to_owned())
            .filter(|room| there.contains(room))
            .collect::<BTreeSet<_>>()
    };
    let mut tested: BTreeMap<String, BTreeSet<String>> =
        ALLOWED.iter().map(|(room, allowed)| ((*room).to_owned(), names(allowed))).collect();
    for room in EVERYTHING {
        tested.insert((*room).to_owned(), BTreeSet::from(["everything but testkit".to_owned()]));
    }
    tested.retain(|room, _| there.contains(room));
    assert_eq!(stated(&document), tested, "docs/ARCHITECTURE.md, and ALLOWED and EVERYTHING of this test");
    assert_eq!(tested.into_keys().collect::<BTreeSet<_>>(), there);
}

/// The line of the diagram on which each room stands, from the top. What is said of a room is set apart by spaces.
fn drawn(document: &str) -> BTreeMap<&str, usize> {
    let section = document.split("\n## ").find(|section| section.starts_with("The rooms\n")).unwrap();
    let diagram = section.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let mut found = BTreeMap::new();
    for (number, line) in diagram.lines().enumerate() {
        found.extend(line.split("  ").map(|part| (part.trim(), number)));
    }
    found
}

#[test]
fn every_room_is_in_the_table_and_in_the_diagram() {
    let document = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let section = document.split("\n## ").find(|section| section.starts_with("The rooms\n")).unwrap();
    let table: BTreeSet<&str> =
        section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    for room in manifests().into_keys().filter(|room| room != "tests") {
        assert!(table.contains(room.as_str()), "`{room}` is not in the table");
        assert!(drawn(&document).contains_key(room.as_str()), "`{room}` is not in the diagram");
    }
}

#[test]
fn the_diagram_draws_every_room_above_what_it_depends_on() {
    let document = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let drawn = drawn(&document);
    for (room, manifest) in manifests().iter().filter(|(room, _)| *room != "tests") {
        for below in rooms(manifest, "dependencies") {
            let (height, under) = (drawn[room.as_str()], drawn[below.as_str()]);
            assert!(height < under, "`{room}` depends on `{below}` and stands no higher");
        }
    }
}

#[test]
fn directions_are_read() {
    let document = "# A\n\n## Allowed directions\n\n```text\na, b  -> c\nc -> none\n```\n\n## B\n";
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let expected = [("a", set(&["c"])), ("b", set(&["c"])), ("c", set(&[]))];
    let expected = expected.map(|(room, allowed)| (room.to_owned(), allowed));
    assert_eq!(stated(document), BTreeMap::from(expected));
}

#[test]
fn one_crate_draws_noise_and_one_speaks_protobuf() {
    for (library, homes) in [
        ("opendp", &["privacy"][..]),
        ("prost", &["wire"]),
        // Servers are reached in one place; rows are read in one room and the ledger is written in another. Tests inspect both.
        ("sqlx", &["database", "source", "store", "testkit", "tests"]),
        ("x509-parser", &["identity"]),
        // Tests need chains that no authority of Lango's issues.
        ("rcgen", &["identity", "testkit"]),
        // Who may read a file is asked in one place.
        ("rustix", &["files"]),
        ("unicode-properties", &["words"]),
    ] {
        let manifests = manifests();
        let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
        let users: BTreeSet<&str> = manifests
            .iter()
            .filter(|(_, manifest)| kinds.iter().any(|kind| dependencies(manifest, kind).contains(library)))
            .map(|(name, _)| name.as_str())
            .collect();
        let homes: BTreeSet<&str> = homes.iter().copied().collect();
        assert!(users.is_subset(&homes), "{library}: {users:?}");
    }
}

#[test]
fn pure_crates_know_no_runtime_and_no_database() {
    let manifests = manifests();
    for name in PURE {
        let found = dependencies(&manifests[*name], "dependencies");
        let impure: Vec<_> = IMPURE.iter().filter(|library| found.contains(**library)).collect();
        assert!(impure.is_empty(), "{name} -> {impure:?}");
        for (file, text) in sources(&root().join("crates").join(name).join("src")) {
            // A test may read and time what it measures.
            let is_test = file.ends_with("tests.rs") || file.parent().unwrap().ends_with("tests");
            let text = if is_test { "" } else { text.split("#[cfg(test)]\nmod tests {").next().unwrap() };
            for word in ["std::fs", "std::net", "SystemTime", "Instant::now"] {
                assert!(!text.contains(word), "{} names `{word}`", file.display());
            }
        }
    }
}

#[test]
fn every_crate_keeps_the_workspaces_lints_and_says_what_it_answers() {
    for (name, manifest) in manifests() {
        let lint =
            |group: &str, lint: &str| manifest["lints"].get(group).and_then(|group| group.get(lint)).cloned();
        if name == "tests" {
            // A test may panic; nothing else is different.
            assert_eq!(lint("rust", "unsafe_code"), Some("forbid".into()));
        } else {
            assert_eq!(manifest["lints"].get("workspace"), Some(&true.into()), "{name}");
        }
        for key in ["version", "edition", "rust-version", "license", "publish"] {
            let inherited = manifest["package"].get(key).and_then(|value| value.get("workspace"));
            assert_eq!(inherited.and_then(toml::Value::as_bool), Some(true), "{name}: {key}");
        }
        if name == "tests" || name == "lango" {
            continue;
        }
        let lib = fs::read_to_string(root().join("crates").join(&name).join("src/lib.rs")).unwrap();
        let asks = ["How", "May", "What", "Where", "Which", "Who"];
        let first = lib.strip_prefix("//! ").and_then(|lib| lib.split(' ').next());
        assert!(
            first.is_some_and(|word| asks.contains(&word)),
            "the first line of `{name}` says what it answers"
        );
        assert!(lib.contains("Architecture invariant:"), "`{name}` says what it must not know");
    }
}

/// All Rust files below a folder with their texts.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    files(folder, &mut |file| {
        if file.extension().is_some_and(|extension| extension == "rs") {
            found.push((file.to_owned(), fs::read_to_string(file).unwrap()));
        }
    });
    found
}

fn files(folder: &Path, each: &mut impl FnMut(&Path)) {
    // A folder that is not there holds no file.
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        // Not of the project: git's own, which may be a file, and what .gitignore names.
        if [".git", "target", "lango-demo"].contains(&name) {
            continue;
        }
        if path.is_dir() {
            files(&path, each);
        } else {
            each(&path);
        }
    }
}

/// The modules that a file declares without a body, each with the path in its attribute, if it has one.
fn declared(text: &str) -> Vec<(&str, Option<&str>)> {
    let mut found = Vec::new();
    let mut path = None;
    for line in text.lines().map(str::trim) {
        let public = line.strip_prefix("pub");
        let public = public.map(|rest| {
            rest.split_once(')').filter(|_| rest.starts_with('(')).map_or(rest, |(_, rest)| rest)
        });
        let item = public.unwrap_or(line).trim_start();
        match item.strip_prefix("mod ").and_then(|module| module.strip_suffix(';')) {
            Some(name) => found.push((name, path.take())),
            None if line.starts_with("#[path = ") => path = line.split('"').nth(1),
            None if line.starts_with("#[") => {}
            None => path = None,
        }
    }
    found
}

/// Marks a file and everything that it reaches.
fn reach(file: &Path, is_root: bool, reached: &mut BTreeSet<PathBuf>) {
    if !reached.insert(file.to_owned()) {
        return;
    }
    let text = fs::read_to_string(file).unwrap();
    let stem = file.file_stem().unwrap();
    let here = file.parent().unwrap();
    let below = if is_root || stem == "mod" { here.to_owned() } else { here.join(stem) };
    for (module, path) in declared(&text) {
        let candidates = match path {
            Some(path) => vec![here.join(path)],
            None => vec![below.join(format!("{module}.rs")), below.join(module).join("mod.rs")],
        };
        let found = candidates.iter().find(|file| file.is_file());
        let found = found.unwrap_or_else(|| panic!("{}: no file for `mod {module}`", file.display()));
        reach(&found.canonicalize().unwrap(), false, reached);
    }
}

#[test]
fn every_source_file_is_reached_by_a_mod() {
    let mut orphans = Vec::new();
    for folder in folders(&root().join("crates")).into_iter().chain([root().join("tests")]) {
        let mut reached = BTreeSet::new();
        let mut roots: Vec<PathBuf> =
            ["src/lib.rs", "src/main.rs", "build.rs"].iter().map(|file| folder.join(file)).collect();
        for targets in ["tests", "examples", "benches", "src/bin"] {
            let Ok(entries) = fs::read_dir(folder.join(targets)) else { continue };
            for path in entries.map(|entry| entry.unwrap().path()) {
                roots.push(if path.is_dir() { path.join("main.rs") } else { path });
            }
        }
        let roots =
            roots.into_iter().filter(|root| root.extension().is_some_and(|e| e == "rs") && root.is_file());
        roots.for_each(|root| reach(&root, true, &mut reached));
        orphans.extend(
            sources(&folder).into_iter().map(|(file, _)| file).filter(|file| !reached.contains(file)),
        );
    }
    assert_eq!(orphans, Vec::<PathBuf>::new());
}

#[test]
fn no_file_names_a_place_of_the_machine_it_was_made_on() {
    // Written so that this file does not name them.
    let places = ["/wo+rk/", "/ro+ot/", ".lib+rary"].map(|place| place.replace('+', ""));
    let mut found = Vec::new();
    files(&root(), &mut |file| {
        let Ok(text) = fs::read_to_string(file) else { return };
        for (number, line) in text.lines().enumerate() {
            if places.iter().any(|place| line.contains(place.as_str())) {
                found.push(format!("{}:{}: {}", file.display(), number + 1, line.trim()));
            }
        }
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn no_two_files_of_a_crate_need_each_other() {
    for folder in folders(&root().join("crates")) {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let source = folder.join("src");
        let texts = sources(&source)
            .into_iter()
            .map(|(file, text)| (file.strip_prefix(&source).unwrap().to_str().unwrap().to_owned(), text));
        let found = circles::circles(texts);
        assert!(found.is_empty(), "{name}: {found:#?}");
    }
}

#[test]
fn circles_are_found_through_imports_reexports_and_paths() {
    for (what, files, expected) in [
        (
            "one way",
            &[("lib.rs", "mod a; mod b;"), ("a.rs", "use crate::b::B;"), ("b.rs", "pub struct B;")][..],
            None,
        ),
        (
            "imports",
            &[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", "use crate::b::B;"),
                ("b.rs", "use crate::a::{self, A};"),
            ],
            Some("a <-> b"),
        ),
        (
            "a path in the text",
            &[("a.rs", "use super::b;"), ("b.rs", "fn f() { crate::a::g() }"), ("lib.rs", "")],
            Some("a <-> b"),
        ),
        (
            "through what the root hands on",
            &[("lib.rs", "pub use b::B;"), ("a.rs", "use crate::B;"), ("b.rs", "use crate::a::A;")],
            Some("a <-> b"),
        ),
        (
            "in a folder",
            &[
                ("lib.rs", ""),
                ("c.rs", ""),
                ("c/a.rs", "use super::{b::{x, y}, d};"),
                ("c/b.rs", "use super::a::z;"),
            ],
            Some("c::a <-> c::b"),
        ),
        // A module and what lies in it are one.
        (
            "parent and child",
            &[("lib.rs", ""), ("a.rs", "mod b; use b::B;"), ("a/b.rs", "use super::A;")],
            None,
        ),
        (
            "tests may refer back",
            &[
                ("lib.rs", ""),
                ("a.rs", "use crate::b::B;"),
                ("b.rs", "pub struct B;\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}"),
                ("b/tests.rs", "use crate::a::A;"),
            ],
            None,
        ),
        (
            "comments and texts are no code",
            &[
                ("lib.rs", ""),
                ("a.rs", "use crate::b::B;"),
                ("b.rs", "// crate::a::A\nconst S: &str = \"crate::a::A\";"),
            ],
            None,
        ),
    ] {
        let texts = files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned()));
        let found = circles::circles(texts);
        assert_eq!(found.first().map(String::as_str), expected, "{what}: {found:?}");
    }
}

#[test]
fn modules_are_read_as_rust_reads_them() {
    for (text, expected) in [
        ("mod a;", Some(("a", None))),
        ("pub mod a;", Some(("a", None))),
        ("    pub(crate) mod a;", Some(("a", None))),
        ("pub(in crate::b) mod a;", Some(("a", None))),
        ("#[cfg(test)]\nmod a;", Some(("a", None))),
        ("#[path = \"b/c.rs\"]\n#[cfg(test)]\nmod a;", Some(("a", Some("b/c.rs")))),
        ("#[path = \"b/c.rs\"]\nuse b;\nmod a;", Some(("a", None))),
        ("mod a {", None),
        ("// mod a;", None),
        ("let x = 1;", None),
    ] {
        assert_eq!(declared(text).first().copied(), expected, "{text}");
    }
}
