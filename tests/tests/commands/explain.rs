//! `lango policy explain`: what the shipped policies permit, in plain sentences, and why a question is refused.
//!
//! What it prints stands in `tests/testdata/explain`; `LANGO_RENEW=1` writes the files anew.

use std::{fs, process::Stdio};

use serde_json::Value;

use crate::program::{command, is_kept, lango, project, said};

/// What the command printed.
struct Explained {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs the command where the project is, so that the names of files are the same on every machine.
fn explain(policy: &str, words: &[&str], question: Option<&str>) -> Explained {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("query.toml");
    let mut program = command(lango());
    program.args(["policy", "explain", policy, "--on", "2026-06-30"]).args(words).current_dir(project());
    if let Some(question) = question {
        fs::write(&file, question).unwrap();
        program.arg("--query").arg(&file);
    }
    let (code, stdout, stderr) = said(&program.stdin(Stdio::null()).output().unwrap());
    Explained { code, stdout, stderr }
}

fn query(dataset: &str, measure: &str, by: &str, more: &str) -> String {
    format!("dataset = \"{dataset}\"\n{more}\n[[measure]]\nname = \"{measure}\"\nby = [[{by}]]\n")
}

#[test]
fn shipped_policies_say_what_they_permit() {
    for policy in ["border-movements", "households", "residents-monthly-zcdp", "residents-yearly"] {
        let path = format!("policies/{policy}.toml");
        let done = explain(&path, &["--principal", "spiffe://ecowas.example/analyst/awa"], None);
        assert_eq!(done.code, Some(0), "{policy}: {}", done.stderr);
        assert!(done.stdout.lines().all(|line| line.chars().count() <= 110), "{}", done.stdout);
        is_kept(&format!("explain/{policy}.txt"), &done.stdout);
    }
    let stranger = "spiffe://sadc.example/analyst/awa";
    let done = explain("policies/residents-yearly.toml", &["--principal", stranger], None);
    let said = format!("No grant of office GHA is to {stranger}: it may ask nothing.\n");
    assert_eq!((done.code, done.stdout), (Some(0), said));
}

#[test]
fn what_refusals_forbid_is_not_said_to_be_open() {
    let policy = fs::read_to_string(project().join("policies/residents-yearly.toml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.toml");
    for (refusal, expected, hidden) in [
        (
            "purpose = [\"official-statistics\", \"education-study-2026\"]",
            "it may ask nothing.",
            "A question costs",
        ),
        ("columns = [\"age\"]", "By country_of_birth or sex,", "\"age\""),
        ("codes = { sex = [\"F\", \"M\", \"_O\", \"_U\"] }", "By country_of_birth or age,", "\"sex\""),
    ] {
        fs::write(&file, format!("{policy}\n[[refusal]]\nid = \"never\"\n{refusal}\n")).unwrap();
        let path = file.to_str().unwrap();
        let words = ["--principal", "spiffe://ecowas.example/analyst/awa"];
        let Explained { code, stdout, stderr } = explain(path, &words, None);
        assert_eq!(code, Some(0), "{refusal}: {stderr}");
        let granted = stdout.split("Refused, whatever is granted:").next().unwrap();
        let granted = granted.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_hidden =
            granted.split_whitespace().all(|word| format!("{:?}", word.trim_matches(',')) != hidden);
        assert!(granted.contains(expected) && !granted.contains(hidden) && is_hidden, "{refusal}: {stdout}");
        let json = explain(path, &[&words[..], &["--format", "json"]].concat(), None).stdout;
        let said: Value = serde_json::from_str(&json).unwrap();
        let grant = &said["datasets"][0]["grants"][0];
        assert_eq!(grant["open"], !refusal.starts_with("purpose"), "{refusal}: {grant}");
        assert!(!grant["by"].to_string().contains(hidden), "{refusal}: {grant}");
    }
}

#[test]
fn a_question_is_permitted_refused_or_forbidden_by_lines_that_are_quoted() {
    let epsilon = "epsilon = 0.5";
    for (name, policy, principal, question, decision, code) in [
        (
            "permitted",
            "residents-yearly",
            "analyst/kofi",
            query("residents", "persons", "\"sex\"", "epsilon = 0.5\nwhere = [\"age from 15 to 24\"]"),
            "permitted",
            0,
        ),
        (
            "permitted-by-precision",
            "residents-monthly-zcdp",
            "analyst/kofi",
            query("residents", "persons", "\"sex\"", "precision = \"40 at 95 %\""),
            "permitted",
            0,
        ),
        (
            "not-granted-price-of-a-precision",
            "residents-monthly-zcdp",
            "analyst/kofi",
            query("residents", "persons", "\"sex\"", "precision = \"1 at 95 %\""),
            "not-granted",
            1,
        ),
        (
            "not-granted",
            "residents-yearly",
            "analyst/awa",
            query("residents", "persons", "\"sex\", \"education\"", "epsilon = 2.0"),
            "not-granted",
            1,
        ),
        (
            "not-granted-to-others",
            "households",
            "analyst/kofi",
            query("living_conditions", "persons", "\"area\"", epsilon),
            "not-granted",
            1,
        ),
        (
            "not-granted-no-dataset",
            "households",
            "analyst/kofi",
            query("living_condition", "persons", "", epsilon),
            "not-granted",
            1,
        ),
        (
            "forbidden",
            "residents-yearly",
            "analyst/awa",
            query("residents", "persons", "\"sex\"", "epsilon = 0.5\npurpose = \"law-enforcement\""),
            "forbidden",
            1,
        ),
        (
            "forbidden-together",
            "residents-monthly-zcdp",
            "analyst/awa",
            query("residents", "persons", "\"citizenship\"", "epsilon = 0.5\nwhere = [\"age from 0 to 17\"]"),
            "forbidden",
            1,
        ),
        (
            "not-answerable",
            "residents-yearly",
            "analyst/awa",
            query("residents", "persons", "\"sex\"", "epsilon = 0.5\nversion = \"1999\""),
            "not-answerable",
            1,
        ),
    ] {
        let (path, principal) =
            (format!("policies/{policy}.toml"), format!("spiffe://ecowas.example/{principal}"));
        let words = ["--principal", principal.as_str()];
        let done = explain(&path, &words, Some(&question));
        assert_eq!(done.code, Some(code), "{name}: {}{}", done.stdout, done.stderr);
        is_kept(&format!("explain/{name}.txt"), &done.stdout);
        let done = explain(&path, &[&words[..], &["--format", "json"]].concat(), Some(&question));
        let said: Value = serde_json::from_str(&done.stdout).unwrap();
        assert_eq!(said["decision"], decision, "{name}: {said}");
    }
}

#[test]
fn what_cannot_be_decided_is_no_refusal() {
    let awa = ["--principal", "spiffe://ecowas.example/analyst/awa"];
    for (policy, words, question, said) in [
        ("policies", &awa[..], None, "an earlier one of"),
        ("policies/households.toml", &["--principal", "awa"], None, "`awa` is not of the form"),
        ("policies/households.toml", &awa, Some("dataset = 1\n"), "`dataset` is a text"),
        ("policies/nowhere.toml", &awa, None, "No such file"),
    ] {
        let done = explain(policy, words, question);
        assert_eq!(done.code, Some(2), "{policy}: {}{}", done.stdout, done.stderr);
        assert!(done.stderr.contains(said), "{said}: {}", done.stderr);
    }
}
