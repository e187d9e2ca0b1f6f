//! `lango policy diff`: a review sees what becomes possible, what stops and what is charged otherwise.
//!
//! What it prints stands in `tests/testdata/diff`; `LANGO_RENEW=1` writes the files anew.

use std::{fs, path::Path, process::Stdio};

use serde_json::Value;

use crate::program::{command, is_kept, lango, project, said};

/// What the command printed. It runs where the policies are, so that the names of files are the same on every machine.
fn diff(folder: &Path, words: &[&str]) -> (Option<i32>, String, String) {
    let mut program = command(lango());
    program.args(["policy", "diff", "old.toml", "new.toml"]).args(words).current_dir(folder);
    said(&program.stdin(Stdio::null()).output().unwrap())
}

#[test]
fn a_review_sees_each_thing_that_changes_with_a_question() {
    for (name, policy, edits, code, comparison) in [
        ("the-same", "residents-yearly", &[("title   = \"", "title   = \"The ")][..], 0, "equivalent"),
        (
            "answered-anew",
            "residents-yearly",
            &[("version = \"2024-07-01\"", "version = \"2025-07-01\"")],
            1,
            "equivalent",
        ),
        (
            "more",
            "residents-yearly",
            &[
                (
                    "by         = [\"country_of_birth\", \"sex\", \"age\"]",
                    "by         = [\"country_of_birth\", \"sex\", \"age\", \"education\"]",
                ),
                ("epsilon_per_query = 1.0", "epsilon_per_query = 2.0"),
            ],
            1,
            "more-permissive",
        ),
        ("less", "households", &[("\"households\", \"rows\", ", "\"households\", ")], 1, "less-permissive"),
        (
            "forbidden",
            "border-movements",
            &[(
                "[[test]]",
                "[[refusal]]\nid = \"no-fees-by-purpose\"\ncolumns = [\"fee\", \"purpose\"]\n\n[[test]]",
            )],
            1,
            "less-permissive",
        ),
        (
            "incomparable",
            "residents-yearly",
            &[("analyst/*\"]", "analyst/kofi\"]"), ("until = 2026-12-31", "until = 2027-06-30")],
            1,
            "incomparable",
        ),
        (
            "reviewed",
            "residents-yearly",
            &[("epsilon_per_query = 1.0", "epsilon_per_query = 1.0\nreview_above = 0.5\nhold = true")],
            1,
            "equivalent",
        ),
        (
            "charged",
            "residents-monthly-zcdp",
            &[
                ("epsilon    = 3.0", "epsilon    = 2.0"),
                ("epsilon_total     = 3.0", "epsilon_total     = 1.5"),
            ],
            1,
            "equivalent",
        ),
    ] {
        let old = fs::read_to_string(project().join("policies").join(format!("{policy}.toml"))).unwrap();
        let mut text = old.clone();
        for (written, instead) in edits {
            assert!(text.contains(written), "{written}");
            text = text.replacen(written, instead, 1);
        }
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("old.toml"), old).unwrap();
        fs::write(folder.path().join("new.toml"), text).unwrap();
        let (found, stdout, stderr) = diff(folder.path(), &[]);
        assert_eq!(found, Some(code), "{name}: {stdout}{stderr}");
        // The day of the examples is that of the test.
        let stdout: String = stdout
            .lines()
            .map(|line| match line.split_once(" on ").filter(|_| line.trim_start().starts_with("such as")) {
                Some((begin, _)) => format!("{begin} on DAY:\n"),
                None => format!("{line}\n"),
            })
            .collect();
        is_kept(&format!("diff/{name}.txt"), &stdout);
        let (_, stdout, _) = diff(folder.path(), &["--format", "json"]);
        let said: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(said["comparison"], comparison, "{name}: {said}");
        assert_eq!(said["differences"].as_array().unwrap().is_empty(), code == 0, "{name}");
    }
}

#[test]
fn policies_that_cannot_be_read_are_not_compared() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(project().join("policies/residents-yearly.toml"), folder.path().join("old.toml")).unwrap();
    let (code, _, stderr) = diff(folder.path(), &[]);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("new.toml cannot be used"), "{stderr}");
}
