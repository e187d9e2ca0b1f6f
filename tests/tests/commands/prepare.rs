//! `lango dataset prepare` and `lango dataset describe` as an administrator runs them, on the engine under test.

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use lango_testkit::{Engine, Office, Person, Policy, Register, TestRegion, persons, table, unsigned};
use serde_json::{Value, json};

use crate::program::{self, said};

/// An office whose persons have two rows each and no key, of which one row counts; and its configuration.
pub fn office(world: &TestRegion) -> (Office, PathBuf) {
    let mut register = Register::sample(2);
    register.unit = "TEXT";
    let office = Office::prepare(world, "GHA", &Policy::of("GHA"), &register);
    office.database.insert("residents", register.rows());
    let config = office.write_config(world);
    (office, config)
}

pub fn lango(words: &[&str], config: &Path, more: &[&str]) -> Output {
    let mut command = program::command(program::lango());
    command.args(words).arg("--config").arg(config).args(more).stdin(Stdio::null()).output().unwrap()
}

fn prepare(config: &Path) -> (Option<i32>, String, String) {
    said(&lango(&["dataset", "prepare"], config, &["--dataset", "residents"]))
}

/// How the office's rows are bounded now, as `lango doctor` shows the office: nobody else sees it.
fn bounded(config: &Path) -> String {
    let (_, stdout, stderr) = said(&lango(&["doctor"], config, &["--format", "json"]));
    let report: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"));
    let checks = report["checks"].as_array().unwrap();
    let rows = checks.iter().find(|check| check["check"] == "dataset residents, rows");
    rows.unwrap_or_else(|| panic!("{report}"))["found"].as_str().unwrap().to_owned()
}

const UNPREPARED: &str = "no primary or unique key";
const PREPARED: &str = "prepared: ";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dataset_is_prepared_beside_its_gateway_and_estimates_stay_as_they_are() {
    let world = TestRegion::new();
    let (mut office, config) = office(&world);
    office.up().await.unwrap();
    let analyst = world.analyst();
    let before = analyst.estimate(&office, &persons("by sex", "20")).await.unwrap();
    assert!(bounded(&config).starts_with(UNPREPARED), "{}", bounded(&config));

    let (code, stdout, stderr) = prepare(&config);
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    let units = Register::sample(2).count(|_| true);
    let rows = office.database.integer("SELECT count(*) FROM residents");
    for said in ["residents", "2024-07-01", &format!("rows kept {units} of {rows}"), "the office's promise"] {
        let aligned = stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(aligned.contains(&said.split_whitespace().collect::<Vec<_>>().join(" ")), "{said}: {stdout}");
    }
    let after = analyst.estimate(&office, &persons("by sex", "20")).await.unwrap();
    assert_eq!(unsigned(after), unsigned(before));
    assert!(bounded(&config).starts_with(PREPARED), "{}", bounded(&config));
    let answer = analyst.ask(&office, &persons("by sex", "30")).await.unwrap();
    assert_eq!(table(&answer).values().sum::<i64>(), units);
}

/// The number of prepared tables, found or not.
fn prepared_tables(office: &Office) -> i64 {
    let database = &office.database;
    database.integer(&match database.engine() {
        Engine::Sqlite => "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'lango_prepared%'".to_owned(),
        _ => format!(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = '{}' AND table_name LIKE 'lango_prepared%'",
            database.prepared_schema()
        ),
    })
}

/// Whether rows of a preparation are being written.
fn is_writing(office: &Office) -> bool {
    let sql = match office.database.engine() {
        Engine::Sqlite => return office.database.file().with_extension("sqlite-journal").exists(),
        Engine::Postgres => {
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'CREATE TABLE%lango_prepared%'"
        }
        Engine::MariaDb => {
            "SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'INSERT INTO%lango_prepared%'"
        }
    };
    office.database.integer(sql) > 0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preparation_that_is_killed_is_never_found_half_made_and_leaves_nothing_for_good() {
    const PERSONS: usize = 60_000;
    let world = TestRegion::new();
    let mut register = Register::default().with(PERSONS, Person { sex: Some("F"), ..Person::default() });
    register.unit = "TEXT";
    let mut office = Office::prepare(&world, "GHA", &Policy::of("GHA"), &register);
    office.database.insert("residents", register.rows());
    let config = office.write_config(&world);
    office.up().await.unwrap();
    let analyst = world.analyst();
    let question = persons("by sex", "30");
    let mut struck = 0;
    for after in [0, 20, 100] {
        let mut preparing = program::command(program::lango())
            .args(["dataset", "prepare", "--dataset", "residents", "--config"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while preparing.try_wait().unwrap().is_none() && !is_writing(&office) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        tokio::time::sleep(Duration::from_millis(after)).await;
        preparing.kill().unwrap();
        preparing.wait().unwrap();
        let found = bounded(&config);
        if found.starts_with(UNPREPARED) {
            struck += 1;
        } else {
            assert!(found.starts_with(PREPARED), "after {after} ms: {found}");
            break;
        }
    }
    assert!(struck > 0, "each was done before it could be killed");
    let (code, stdout, stderr) = prepare(&config);
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    assert_eq!(prepared_tables(&office), 1);
    let answer = analyst.ask(&office, &question).await.unwrap();
    assert_eq!(table(&answer).values().sum::<i64>(), i64::try_from(PERSONS).unwrap());
}

#[test]
fn nothing_to_prepare_is_good_news() {
    let world = TestRegion::new();
    let office = Office::prepare(&world, "GHA", &Policy::of("GHA"), &Register::sample(1));
    let (code, stdout, stderr) = prepare(&office.write_config(&world));
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    assert!(
        stdout.contains("vouches for one row per unit in table `residents`: there is nothing to prepare")
    );
}

#[test]
fn a_preparation_that_cannot_be_is_refused_with_what_to_do() {
    let world = TestRegion::new();
    let (office, config) = office(&world);
    let (code, _, stderr) = said(&lango(&["dataset", "prepare"], &config, &["--dataset", "citizens"]));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("no dataset `citizens`: there is residents"), "{stderr}");
    if office.database.engine() != Engine::Sqlite {
        let text = std::fs::read_to_string(&config).unwrap();
        let without: String = text
            .lines()
            .filter(|line| !line.starts_with("prepared_schema"))
            .map(|line| format!("{line}\n"))
            .collect();
        std::fs::write(&config, without).unwrap();
        let (code, stdout, stderr) = prepare(&config);
        assert_eq!((code, stdout.as_str()), (Some(1), ""));
        assert!(stderr.contains("no `prepared_schema`: name a schema"), "{stderr}");
    }
    office.database.run("DROP TABLE residents");
    let (code, stdout, stderr) = prepare(&config);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.contains("no table `residents`"), "{stderr}");
}

#[test]
fn a_source_is_described_from_its_catalogue() {
    let world = TestRegion::new();
    let office = Office::prepare(&world, "GHA", &Policy::of("GHA"), &Register::sample(1));
    let config = office.write_config(&world);
    let describe = |more: &[&str]| {
        said(&lango(&["dataset", "describe"], &config, &[&["--source", "register"], more].concat()))
    };

    let (code, stdout, stderr) = describe(&["--format", "json"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let described: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        (&described["source"], &described["tables"][0]["name"]),
        (&json!("register"), &json!("residents"))
    );
    let columns: Vec<(&str, bool, &str)> = described["tables"][0]["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| {
            (
                column["name"].as_str().unwrap(),
                column["unique"].as_bool().unwrap(),
                column["declare"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        columns,
        [
            ("person_id", true, "codes"),
            ("country_of_birth", false, "codes"),
            ("sex", false, "codes"),
            ("age", false, "integer"),
            ("education", false, "codes"),
            ("arrival_year", false, "integer"),
            ("income", false, "integer"),
        ]
    );

    let (code, stdout, _) = describe(&["--format", "csv"]);
    assert_eq!((code, stdout.lines().count()), (Some(0), 8), "{stdout}");
    let (code, stdout, _) = describe(&[]);
    assert!(code == Some(0) && stdout.contains("person_id") && stdout.contains("unique"), "{stdout}");

    let (code, skeleton, stderr) = describe(&["--table", "residents", "--policy"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    for said in [
        "office = \"GHA\"",
        "#? unit = { column = \"person_id\", noun = \"<NOUN>\", rows_at_most = 1 }",
        "#? age = ",
    ] {
        assert!(skeleton.contains(said), "{said}\n{skeleton}");
    }
    for value in ["TGO", "FRA", "primary"] {
        assert!(!skeleton.contains(value), "no value of a row: {skeleton}");
    }

    let (code, _, stderr) = describe(&["--table", "citizens"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("no table `citizens` that the gateway may read: there is residents"), "{stderr}");
    let (code, _, _) = describe(&["--policy"]);
    assert_eq!(code, Some(2), "--policy is of one table");
    let (code, _, stderr) = said(&lango(&["dataset", "describe"], &config, &["--source", "registr"]));
    assert!(code == Some(1) && stderr.contains("no source `registr`: there is register"), "{stderr}");
}
