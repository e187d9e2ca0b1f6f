//! `lango policy check`: everything that is wrong with a policy, in one pass, whatever is put before it.

use std::{
    fs,
    path::Path,
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
};

use lango_document::DiagnosticCode;
use serde_json::Value;
use tempfile::TempDir;

use crate::program::{command, files, lango, project};

const GOOD: &str = r#"policy = 2
office = "GHA"

[dataset.residents]
title   = "Residents"
kind    = "stock"
source  = "register"
table   = "residents"
version = "2024-07-01"
unit    = { column = "person_id", noun = "person", rows_at_most = 1 }

[dataset.residents.column]
sex = { codes = ["F", "M"] }
age = { integer = [0, 110], bands = 5 }

[budget.residents]
accounting = "pure"
epsilon = 8.0
renews  = "yearly"

[[grant]]
id        = "regional-analysts"
to        = ["spiffe://ecowas.example/analyst/*"]
purpose   = ["official-statistics"]
dataset   = "residents"
measures  = ["persons"]
by        = ["sex", "age"]
by_at_most = 2
epsilon_per_query = 1.0
epsilon_total     = 4.0
publish   = "office"
"#;

/// What the command printed.
struct Checked {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Checked {
    /// Each diagnostic: its code and where it stands.
    fn found(&self) -> Vec<String> {
        let printed: Value = serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("{}", self.stderr));
        let one = |found: &Value| {
            let file = Path::new(found["file"].as_str().unwrap()).file_name().unwrap_or_default();
            let place = match found["line"].as_u64() {
                Some(line) => format!("{}:{line}:{}", file.display(), found["column"]),
                None => file.display().to_string(),
            };
            format!("{} {place}", found["code"].as_str().unwrap())
        };
        printed["diagnostics"].as_array().unwrap().iter().map(one).collect()
    }
}

fn check(words: &[&str], folder: &Path) -> Checked {
    let done =
        command(lango()).args(["policy", "check"]).args(words).arg(folder).stdin(Stdio::null()).output();
    let done = done.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Checked { code: done.status.code(), stdout: text(&done.stdout), stderr: text(&done.stderr) }
}

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn utf_16(text: &str) -> Vec<u8> {
    [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[test]
fn what_is_no_policy_is_refused_with_its_place_and_its_reason() {
    let good = |written: &str, instead: &str| {
        assert!(GOOD.contains(written), "{written}");
        GOOD.replacen(written, instead, 1).into_bytes()
    };
    let long = format!("{GOOD}# {}\n", "x".repeat(10 << 20)).into_bytes();
    let sex = "codes = [\"F\", \"M\"]";
    for (what, bytes, expected) in [
        ("nothing", Vec::new(), vec!["missing-key p.toml:1:1", "missing-key p.toml:1:1"]),
        ("YAML", b"# a policy\npolicy: 2\noffice: GHA\n".to_vec(), vec!["not-toml p.toml:1:1"]),
        ("JSON", b"{\"policy\": 2}\n".to_vec(), vec!["not-toml p.toml:1:1"]),
        ("XML", b"<policy/>\n".to_vec(), vec!["not-toml p.toml:1:1"]),
        ("UTF-16", utf_16(GOOD), vec!["not-utf-8 p.toml"]),
        ("another encoding", [GOOD.as_bytes(), b"# \xe9t\xe9\n"].concat(), vec!["not-utf-8 p.toml:32:3"]),
        ("a mark", [b"\xef\xbb\xbf", GOOD.as_bytes()].concat(), vec!["byte-order-mark p.toml:1:1"]),
        ("10 MB", long, vec!["too-large p.toml"]),
        ("a key twice", good("kind ", "title = \"x\"\nkind "), vec!["duplicate-key p.toml:6:1"]),
        (
            "a table twice",
            good("[[grant]]", "[budget.residents]\n[[grant]]"),
            vec!["duplicate-key p.toml:21:9"],
        ),
        (
            "no such day",
            good("publish ", "valid = { from = 2026-02-30, until = 2026-12-31 }\npublish "),
            vec!["no-such-day p.toml:31:18"],
        ),
        ("a letter drawn alike", good("\"sex\"", "\"s\u{435}x\""), vec!["not-declared p.toml:27:14"]),
        ("a key of such letters", good("kind ", "\"k\u{456}nd\" "), vec!["unknown-key p.toml:6:1"]),
        ("a curly quote", good("\"stock\"", "“stock”"), vec!["syntax p.toml:6:11"]),
        ("a decimal comma", good("4.0", "4,0"), vec!["syntax p.toml:30:22"]),
        (
            "a list in another folder",
            good(sex, &format!("{sex}, recode = \"../sex.csv\"")),
            vec!["no-such-file p.toml:13:38"],
        ),
        (
            "a list by a whole path",
            good(sex, &format!("{sex}, recode = \"/etc/passwd\"")),
            vec!["no-such-file p.toml:13:38"],
        ),
        (
            "a list with an end in it",
            good(sex, &format!("{sex}, recode = \"a\\u0000.csv\"")),
            vec!["no-such-file p.toml:13:38"],
        ),
    ] {
        let folder = folder(&[("p.toml", &bytes)]);
        let found = check(&["--format", "json"], folder.path());
        assert_eq!(
            (found.code, found.found()),
            (Some(1), expected.iter().map(ToString::to_string).collect()),
            "{what}"
        );
        let shown = check(&[], folder.path());
        assert!(shown.stdout.len() < 4_000, "{what}: {}", shown.stdout);
        assert!(shown.stdout.lines().all(|line| line.chars().count() <= 100), "{what}: {}", shown.stdout);
        assert!(
            shown.stderr.starts_with("lango: ") && shown.stderr.contains("error"),
            "{what}: {}",
            shown.stderr
        );
    }
}

#[test]
fn what_is_no_file_is_refused_and_never_waited_for() {
    let sex = "codes = [\"F\", \"M\"]";
    let listed = GOOD.replacen(sex, &format!("{sex}, recode = \"sex.csv\""), 1);
    for (pipe, beside) in [("p.toml", None), ("sex.csv", Some(("p.toml", listed.as_bytes())))] {
        let folder = folder(beside.as_slice());
        let made = std::process::Command::new("mkfifo").arg(folder.path().join(pipe)).status();
        assert!(made.unwrap().success());
        let found = check(&["--format", "json"], folder.path());
        assert_eq!(found.code, Some(1));
        assert!(found.found().contains(&format!("not-readable {pipe}")), "{:?}", found.found());
        let shown = check(&[], folder.path()).stdout;
        assert!(shown.contains("is not a file: a folder, a pipe or a device is not read"), "{shown}");
    }
}

#[test]
fn nothing_that_a_terminal_obeys_and_no_secret_is_shown() {
    let folder = folder(&[
        ("p.toml", b"policy = 2\noffice = \"G\\u001B[31mA\xe2\x80\xae\"\n\"\xe2\x80\xaekey\x1b\" = 1\n"),
        (
            "gateway.toml",
            b"lisden = 1\n[store]\npostgres = \"postgres://u:hunter2@h/d\"\npasword = 'hunter2'\n",
        ),
    ]);
    let config = folder.path().join("gateway.toml");
    let policy = folder.path().join("p.toml");
    let shown = check(&["--config", config.to_str().unwrap()], &policy);
    assert!(!shown.stdout.contains(['\u{1b}', '\u{202e}']), "{:?}", shown.stdout);
    assert!(!shown.stdout.contains("hunter2") && shown.stdout.contains("***"), "{}", shown.stdout);
    for said in [
        "has no key `lisden`",
        "needs `identity`, `policies`, `region`, `source`",
        "has no key `pasword`",
        "office `G",
    ] {
        assert!(shown.stdout.contains(said), "{said}: {}", shown.stdout);
    }
}

#[test]
fn a_folder_that_changes_while_it_is_read_is_refused_or_of_one_moment() {
    let folder = folder(&[("a.toml", GOOD.as_bytes())]);
    let others: String = (0..400).map(|at| format!("# {at} {}\n", "x".repeat(1_000))).collect();
    fs::write(folder.path().join("b.toml"), format!("policy = 2\noffice = \"GHA\"\n{others}")).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut turn = 0;
            while !stop.load(Ordering::Relaxed) {
                turn += 1;
                // Another length each time, so that no clock's grain hides it.
                let text = format!("{GOOD}# {}\n", "y".repeat(turn % 977));
                fs::write(folder.path().join("a.toml"), text).unwrap();
            }
        });
        let mut changed = 0;
        for _ in 0..40 {
            let found = check(&["--format", "json"], folder.path());
            let codes = found.found();
            changed += usize::from(codes.iter().any(|code| code.starts_with("changed-while-read")));
            assert!(changed > 0 || found.code.is_some(), "{codes:?}");
        }
        stop.store(true, Ordering::Relaxed);
        assert!(changed > 0, "a file was written all the time");
    });
}

#[test]
fn shipped_policies_are_clean_and_a_folder_of_several_offices_is_not() {
    let shipped: Vec<_> = files(&project().join("policies"), ".toml");
    let policies = shipped.iter().filter(|path| !path.to_string_lossy().contains("/queries/"));
    let mut count = 0;
    for policy in policies {
        let found = check(&["--region", "ecowas.example", "--deny-warnings"], policy);
        assert_eq!(found.code, Some(0), "{}: {}", policy.display(), found.stdout);
        assert!(found.stdout.contains("nothing is wrong"), "{}", found.stdout);
        count += 1;
    }
    assert!(count >= 4, "{count}");
    let found = check(&["--format", "json"], &project().join("policies")).found();
    assert!(found.len() == 3 && found.iter().all(|found| found.starts_with("office ")), "{found:?}");
}

#[test]
fn warnings_fail_only_where_they_are_denied_and_misuse_is_another_code() {
    let unwise = GOOD.replace("epsilon_per_query = 1.0", "epsilon_per_query = 4.5");
    let folder = folder(&[("p.toml", unwise.as_bytes())]);
    for (words, code) in [
        (&[][..], Some(0)),
        (&["--deny-warnings"][..], Some(1)),
        (&["--region", "sadc.example", "--deny-warnings"][..], Some(1)),
        (&["--loud"][..], Some(2)),
    ] {
        let found = check(words, folder.path());
        assert_eq!(found.code, code, "{words:?}: {}", found.stderr);
        assert!(code == Some(2) || found.stdout.contains("warning[above-total]"), "{}", found.stdout);
    }
    let csv = check(&["--format", "csv"], folder.path()).stdout;
    let row = csv.lines().nth(1).unwrap_or_default();
    assert!(row.starts_with("warning,above-total,") && row.contains(",29,21,"), "{csv}");
    let gone = check(&["--format", "json"], &folder.path().join("nowhere"));
    assert_eq!((gone.code, gone.found()), (Some(1), vec!["not-readable nowhere".to_owned()]));
}

#[test]
fn the_manual_has_a_section_for_each_code_and_for_nothing_else() {
    let manual = fs::read_to_string(project().join("docs/DIAGNOSTICS.md")).unwrap();
    let sections: Vec<&str> = manual.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let codes: Vec<&str> = DiagnosticCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(sections, codes, "in the order of the list");
}
