//! `lango ledger` as an administrator runs it.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use lango_testkit::{Office, Policy, Register, TestGrant, TestRegion, persons};
use serde_json::Value;

use crate::{prepare::lango, program::said};

pub fn ledger(word: &str, config: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    said(&lango(&["ledger", word], config, more))
}

/// An office without a store, anchored in another folder.
fn bare(world: &TestRegion, elsewhere: &Path) -> (Office, std::path::PathBuf) {
    let policy = Policy::of("GHA").grants([TestGrant::of("1", "4")]);
    let mut office = Office::prepare(world, "GHA", &policy, &Register::sample(3));
    office.anchor_at(elsewhere.join("anchor"));
    let config = office.write_config(world);
    fs::remove_file(office.store()).unwrap();
    (office, config)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_is_made_once_and_shows_what_is_left() {
    let (world, elsewhere) = (TestRegion::new(), tempfile::tempdir().unwrap());
    let (mut office, config) = bare(&world, elsewhere.path());
    let anchor = elsewhere.path().join("anchor");
    for word in ["show", "anchor"] {
        let (code, _, stderr) = ledger(word, &config, &[]);
        assert!(
            code == Some(1) && stderr.contains("does not exist: see that its disk is mounted"),
            "{stderr}"
        );
    }
    // Nothing is made where the anchor cannot be.
    let written = fs::read_to_string(&config).unwrap();
    let nowhere = elsewhere.path().join("nowhere/anchor").display().to_string();
    fs::write(&config, written.replace(&anchor.display().to_string(), &nowhere)).unwrap();
    let (code, _, stderr) = ledger("create", &config, &[]);
    assert!(code == Some(1) && stderr.contains("Make or mount its folder"), "{stderr}");
    assert!(!office.store().exists());
    fs::write(&config, written).unwrap();
    let (code, stdout, stderr) = ledger("create", &config, &[]);
    assert_eq!((code, stdout.as_str()), (Some(0), ""), "{stderr}");
    assert!(stderr.contains("made the store "), "{stderr}");
    assert!(fs::read_dir(elsewhere.path()).unwrap().count() == 1, "no draft is left");
    for path in [office.store(), anchor.clone()] {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
    let identity = fs::read_to_string(&anchor).unwrap();
    assert!(
        stderr.contains(identity.lines().nth(1).unwrap().trim_start_matches("store ")),
        "{identity} {stderr}"
    );

    // Neither in the place of the store, whatever its anchor says, nor while its anchor says that there was one.
    let moved = elsewhere.path().join("moved");
    let (code, _, stderr) = ledger("create", &config, &[]);
    assert!(code == Some(1) && stderr.contains("is there already"), "{stderr}");
    fs::rename(office.store(), &moved).unwrap();
    let (code, _, stderr) = ledger("create", &config, &[]);
    assert!(code == Some(1) && stderr.contains("is of a store that was made before"), "{stderr}");
    fs::rename(&moved, office.store()).unwrap();
    fs::remove_file(&anchor).unwrap();
    let (code, _, stderr) = ledger("create", &config, &[]);
    assert!(code == Some(1) && stderr.contains("is there already"), "{stderr}");

    office.up().await.unwrap();
    let analyst = world.analyst();
    analyst.ask(&office, &persons("by sex", "0.75")).await.unwrap();
    let (code, stdout, stderr) = ledger("show", &config, &["--format", "json"]);
    assert_eq!(code, Some(0), "{stderr}");
    let shown: Value = serde_json::from_str(&stdout).unwrap();
    let text = |line: usize, name: &str| shown[line][name].as_str().unwrap().to_owned();
    for (line, grant, limit, left) in [(0, "", "100", "99.25"), (1, "regional-analysts", "4", "3.25")] {
        assert_eq!((text(line, "pool"), text(line, "grant")), ("residents".into(), grant.into()));
        assert_eq!(
            (text(line, "limit"), text(line, "spent"), text(line, "left")),
            (limit.into(), "0.75".into(), left.into())
        );
        assert_eq!(text(line, "currency"), "epsilon");
    }
    let (_, stdout, _) = ledger("show", &config, &["--format", "csv"]);
    assert!(
        stdout.starts_with("pool,grant,period,currency,limit,spent,left,delta,epsilon_limit,"),
        "{stdout}"
    );
    let (_, stdout, _) = ledger("show", &config, &[]);
    assert!(stdout.contains("regional-analysts") && stdout.contains("99.25"), "{stdout}");
    assert!(stdout.contains("█░░░░░░░░░   1 %") && stdout.contains("██░░░░░░░░  19 %"), "{stdout}");
    assert_eq!((&shown[0]["questions"], &shown[0]["questions_left"]), (&1.into(), &132.into()));

    // A question that is refused is kept with its text, its reason and no price.
    analyst.ask(&office, &persons("by age", "3")).await.unwrap_err();
    let (code, stdout, stderr) = ledger("history", &config, &["--format", "json"]);
    assert_eq!(code, Some(0), "{stderr}");
    let kept: Value = serde_json::from_str(&stdout).unwrap();
    let fields = ["decision", "reason", "rule", "epsilon", "question"];
    let kept: Vec<_> =
        kept.as_array().unwrap().iter().map(|record| fields.map(|field| record[field].clone())).collect();
    let by_sex = persons("by sex", "0.75");
    assert_eq!(kept.len(), 5, "{stdout}");
    assert_eq!(kept[0][..1], ["refused"]);
    assert_eq!(kept[0][3..], ["0".to_owned(), persons("by age", "3")]);
    assert_eq!(kept[1], ["released", "", "regional-analysts", "0.75", &by_sex]);
    assert_eq!(kept[2], ["reserved", "", "regional-analysts", "0.75", &by_sex]);
    assert_eq!((&kept[3][0], &kept[4][0]), (&"activated".into(), &"started".into()));
    let (_, stdout, _) = ledger("history", &config, &[]);
    assert!(
        stdout.contains("      dataset residents; measure persons; by sex; price epsilon 0.75"),
        "{stdout}"
    );
    let refused = "analyst/awa  official-statistics  refused    by regional-analysts\n      epsilon-per-query-exceeded\n";
    assert!(stdout.contains(refused) && stdout.lines().all(|line| line.chars().count() <= 100), "{stdout}");
    // A question is one field of one line.
    let (_, stdout, _) = ledger("history", &config, &["--format", "csv"]);
    let question = format!(",{},0", by_sex.trim_end().replace('\n', "; "));
    assert_eq!(stdout.lines().count(), 6, "{stdout}");
    assert!(!stdout.contains('\u{fffd}') && stdout.matches(&question).count() == 2, "{stdout}");
    for (condition, expected) in [
        (["--dataset", "visits"], "no record meets these conditions"),
        (["--since", "2999-01-01"], "no record meets these conditions"),
        (["--most", "1"], "by age"),
    ] {
        assert!(ledger("history", &config, &condition).1.contains(expected), "{condition:?}");
    }
    let (code, _, stderr) = ledger("history", &config, &["--since", "yesterday"]);
    assert!(code == Some(2) && stderr.contains("a day as year-month-day"), "{stderr}");
    let (code, stdout, stderr) = ledger("forecast", &config, &["--format", "json"]);
    assert_eq!(code, Some(0), "{stderr}");
    let forecast: Value = serde_json::from_str(&stdout).unwrap();
    let expected = [("left", "3.25"), ("a_day", "0.025")];
    assert!(expected.iter().all(|(name, value)| forecast[1][name] == *value), "{stdout}");
    assert_eq!(forecast[1]["questions"], 1);
    office.down().await;
    assert!(fs::read_to_string(&anchor).unwrap().ends_with("sequence 6\n"));

    // A store whose anchor is gone is anchored on purpose only.
    fs::remove_file(&anchor).unwrap();
    let error = office.up().await.err().unwrap().to_string();
    assert!(error.contains("lango ledger anchor --config FILE"), "{error}");
    let (code, _, stderr) = ledger("anchor", &config, &[]);
    assert_eq!(code, Some(0), "{stderr}");
    office.up().await.unwrap();
    office.down().await;
}
