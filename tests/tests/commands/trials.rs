//! `lango policy test`: the tests that policies hold, and the rules that none of them tries.

use std::{fs, process::Stdio};

use serde_json::Value;

use crate::program::{command, lango, project, said};

fn test(policy: &str, words: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("p.toml"), policy).unwrap();
    let mut program = command(lango());
    program.args(["policy", "test", "p.toml"]).args(words).current_dir(folder.path());
    said(&program.stdin(Stdio::null()).output().unwrap())
}

#[test]
fn tests_of_a_policy_run_and_rules_without_one_are_named() {
    for policy in ["border-movements", "households", "residents-monthly-zcdp", "residents-yearly"] {
        let text = fs::read_to_string(project().join("policies").join(format!("{policy}.toml"))).unwrap();
        let (code, stdout, stderr) = test(&text, &["--deny-untested"]);
        assert_eq!(code, Some(0), "{policy}: {stdout}{stderr}");
        assert!(stdout.contains(" tests, all as expected; ") && !stdout.contains("no test that"), "{stdout}");
    }
    let text = fs::read_to_string(project().join("policies/residents-yearly.toml")).unwrap();
    let untested = text
        .replace("expect  = \"allow: education-study\"", "expect  = \"deny\"")
        .replace("purpose = \"law-enforcement\"\nexpect", "purpose = \"marketing\"\nexpect")
        .replace("on      = 2026-06-30", "on      = 2025-06-30");
    let (code, stdout, stderr) = test(&untested, &[]);
    assert_eq!(code, Some(1), "{stdout}{stderr}");
    for said in [
        "fails p.toml:67: persons by sex: deny: forbidden\n      found deny: purpose-not-granted\n",
        "no test that grant `education-study` allows (p.toml:44)",
        "no test that refusal `no-policing` refuses (p.toml:60)",
        "9 tests, 1 not as expected; 1 of 3 rules tested",
    ] {
        assert!(stdout.contains(said), "{said}: {stdout}");
    }
    let few = untested.replace("expect  = \"deny: forbidden\"", "expect  = \"deny\"");
    assert_eq!(test(&few, &[]).0, Some(0));
    let (code, _, stderr) = test(&few, &["--deny-untested"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("2 rules without a test, and --deny-untested"), "{stderr}");
    let (_, stdout, _) = test(&untested, &["--format", "json"]);
    let said: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(said["tests"][0]["is_as_expected"], false, "{said}");
    assert_eq!(said["untested"].as_array().unwrap().len(), 2);
}
