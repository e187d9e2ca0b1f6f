//! `lango policy replay`: a proposed policy decides the questions on a gateway's record again.
//!
//! What it prints stands in `tests/testdata/replay`; `LANGO_RENEW=1` writes the file anew.

use std::{fs, path::Path, process::Stdio};

use lango_testkit::{Engine, Office, Policy, Register, TestDatabase, TestGrant, TestRegion, persons};
use serde_json::{Value, json};

use crate::program::{command, is_kept, lango, said};

/// Runs the command in the office's folder, so that the names of files are the same on every machine.
fn replay(folder: &Path, words: &[&str]) -> (Option<i32>, String, String) {
    let mut program = command(lango());
    program
        .args(["policy", "replay", "proposed", "--config", "gateway.toml"])
        .args(words)
        .current_dir(folder);
    said(&program.stdin(Stdio::null()).output().unwrap())
}

fn grant(by: &str) -> TestGrant {
    TestGrant { by: by.to_owned(), filters: "[]".to_owned(), ..TestGrant::of("2", "4") }
}

/// What is printed, without the days and minutes on which it happened.
fn timeless(text: &str) -> String {
    let is_day = |word: &str| {
        let digits = word.split('-').map(|part| part.bytes().filter(u8::is_ascii_digit).count());
        digits.eq([4, 2, 2])
    };
    let word = |word: &str| {
        let bare = word.trim_end_matches([',', ':']);
        let rest = &word[bare.len()..];
        let is_time =
            bare.split(':').count() == 2 && bare.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
        match (is_day(bare), is_time) {
            (true, _) => format!("DAY{rest}"),
            (_, true) => format!("TIME{rest}"),
            _ => word.to_owned(),
        }
    };
    text.lines().map(|line| line.split(' ').map(word).collect::<Vec<_>>().join(" ") + "\n").collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proposed_policy_decides_the_questions_on_record_again() {
    tokio::task::spawn_blocking(lango).await.unwrap();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = TestRegion::new();
        let policy = Policy::of("GHA").grants([grant("[\"sex\", \"age\"]")]);
        let mut office = Office::prepare(&world, "GHA", &policy, &Register::sample(3));
        let database = (engine == Engine::Postgres).then(|| TestDatabase::fresh(Engine::Postgres));
        if let Some(database) = &database {
            office.keep_in(&database.owner());
        }
        office.write_config(&world);
        let proposed = office.folder().join("proposed");
        fs::create_dir(&proposed).unwrap();
        let propose = |policy: &Policy| fs::write(proposed.join("policy.toml"), policy.text()).unwrap();
        propose(&policy);
        office.up().await.unwrap();
        let (code, stdout, stderr) = replay(office.folder(), &[]);
        assert_eq!(code, Some(0), "{stderr}");
        assert!(stdout.starts_with("0 questions, decided again "), "{stdout}");

        // Two records of one question, one that is free, a price, three refusals, and one too long to be kept whole.
        let (awa, kofi) = (world.analyst(), world.caller(lango_identity::Role::Analyst, "kofi"));
        awa.ask(&office, &persons("by age", "0.5")).await.unwrap();
        kofi.ask(&office, &persons("by age", "0.5")).await.unwrap();
        awa.estimate(&office, &persons("by sex", "0.25")).await.unwrap();
        awa.ask(&office, &persons("by education", "0.5")).await.unwrap_err();
        awa.ask(&office, &persons("by sex", "0.5").replace("residents", "visits")).await.unwrap_err();
        awa.ask(&office, "lango-query 1\nby sex\n").await.unwrap_err();
        let codes: Vec<String> = (0..4_000).map(|code| format!("{code:05}")).collect();
        let long = persons(&format!("by sex\nwhere country_of_birth in {}", codes.join(",")), "0.5");
        awa.ask(&office, &long).await.unwrap_err();

        let (code, stdout, stderr) = replay(office.folder(), &[]);
        assert_eq!(code, Some(0), "{stdout}{stderr}");
        propose(&Policy::of("GHA").grants([grant("[\"sex\", \"education\"]")]));
        let (code, stdout, stderr) = replay(office.folder(), &[]);
        assert_eq!(code, Some(1), "{stdout}{stderr}");
        assert!(stderr.contains("questions are decided otherwise: 2 refused, 1 allowed"), "{stderr}");
        is_kept("replay/refused-and-allowed.txt", &timeless(&stdout));
        let (_, stdout, _) = replay(office.folder(), &["--format", "json"]);
        let said: Value = serde_json::from_str(&stdout).unwrap();
        let counts = json!({
            "refused": 2, "allowed": 1, "dearer": 0, "cheaper": 0, "charged-elsewhere": 0, "answered-anew": 0,
        });
        assert_eq!(
            (&said["counts"], &said["questions"], &said["as_before"]),
            (&counts, &7.into(), &2.into())
        );
        assert_eq!(said["datasets_gone"], json!({ "visits": 1 }));
        assert_eq!(said["not_decided"][0]["reason"], "too-long");
        assert_eq!(said["not_decided"][1]["reason"], "unread");
        let first = &said["changes"][0];
        let fields = ["change", "recorded", "recorded_reason"].map(|field| first[field].clone());
        assert_eq!(fields, ["allowed", "refused", "dimension-not-granted"]);
        let sides =
            ["before", "now"].map(|side| (first[side]["code"].clone(), first[side]["epsilon"].clone()));
        assert_eq!(sides, [(json!("dimension-not-granted"), Value::Null), (Value::Null, json!("0.5"))]);
        assert_eq!(said["changes"][1]["recorded"], "repeated");

        let (_, csv, stderr) = replay(office.folder(), &["--format", "csv"]);
        assert!(csv.starts_with("change,sequence,at,") && csv.lines().count() > 3, "{csv}");
        assert!(stderr.contains("not decided again: 1 question, too long"), "{stderr}");
        let (_, stdout, _) = replay(office.folder(), &["--last", "3", "--format", "json"]);
        let said: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!((&said["questions"], &said["counts"]["refused"]), (&3.into(), &0.into()));
        // A day on which the grants are over.
        let mut over = grant("[\"sex\", \"age\"]");
        over.more = "valid = { from = 2026-01-01, until = 2030-12-31 }".to_owned();
        propose(&Policy::of("GHA").grants([over]));
        let (_, _, stderr) = replay(office.folder(), &["--on", "2031-01-01"]);
        assert!(stderr.contains("otherwise: 3 refused"), "{stderr}");

        // The folder's policy is not in force where the gateway has not taken it.
        office.down().await;
        fs::write(office.folder().join("policies/policy.toml"), policy.clone().more("# edited").text())
            .unwrap();
        let (_, stdout, _) = replay(office.folder(), &[]);
        let words = stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("the last request was decided by another one"), "{stdout}");
        fs::write(proposed.join("policy.toml"), "policy = 3\n").unwrap();
        let (code, _, stderr) = replay(office.folder(), &[]);
        assert!(code == Some(2) && stderr.contains("proposed cannot be used"), "{stderr}");
    }
}
