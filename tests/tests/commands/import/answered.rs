//! What was imported is answered from, and what is refused changes no answer.

use std::{collections::BTreeMap, process::Command};

use lango_testkit::{TestRegion, persons, table, unsigned};

use super::{command, import, line, office, register, said};
use crate::program;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_register_is_imported_and_a_granted_query_answers_from_it() {
    let world = TestRegion::new();
    let (mut office, config) = office(&world);
    let (file, text) = register();
    let (code, stdout, stderr) = said(&import(&config, &file));
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    let rows = text.lines().count() - 1;
    assert_eq!(line(&stdout, "rows").replace(',', ""), rows.to_string());
    assert_eq!(line(&stdout, "did not read"), "nothing");
    assert_eq!(line(&stdout, "left out"), "country, citizenship, admin1, education, reason, weight");
    assert_eq!(line(&stdout, "unit"), "person_id is a unique key: one row for each unit");

    let mut expected: BTreeMap<String, i64> = BTreeMap::new();
    for line in text.lines().skip(1) {
        *expected.entry(line.split(',').nth(4).unwrap().to_owned()).or_default() += 1;
    }
    office.up().await.unwrap();
    let analyst = world.analyst();
    let answer = analyst.ask(&office, &persons("by sex", "50")).await.unwrap();
    let mut counted = table(&answer);
    counted.retain(|_, count| *count != 0);
    assert_eq!(counted, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_with_a_person_on_two_rows_changes_nothing_that_an_asker_sees() {
    let world = TestRegion::new();
    let (mut office, config) = office(&world);
    let line = |unit: &str| format!("{unit},BEN,male,30,1994-01-01,\n");
    let header = "person_id,country_of_birth,sex,age,date_of_birth,arrival_year\n";
    let without = header.to_owned() + &(0..20).map(|n| line(&format!("p{n}"))).collect::<String>();
    let (before, after) = (office.folder().join("before.csv"), office.folder().join("after.csv"));
    std::fs::write(&before, &without).unwrap();
    std::fs::write(&after, without + &line("victim") + &line("victim")).unwrap();
    assert_eq!(import(&config, &before).status.code(), Some(0));
    office.up().await.unwrap();
    let analyst = world.analyst();
    let question = persons("by sex", "50");
    let price = unsigned(analyst.estimate(&office, &question).await.unwrap());

    let (code, _, stderr) = said(&import(&config, &after));
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("other data of `residents` under version 2024-07-01"), "{stderr}");
    let again = ["--dataset", "residents", "--same-version"];
    let (code, stdout, stderr) = said(&command(&config, &again).arg(&after).output().unwrap());
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
    for said in [
        "1 identifier in `person_id` stands on more than one row (lines 22, 23)",
        "`rows_at_most = 1`: raise it in the policy",
        "`residents` is as it was",
    ] {
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
    assert!(!stderr.contains("victim"), "{stderr}");
    assert_eq!(unsigned(analyst.estimate(&office, &question).await.unwrap()), price);
    let answer = analyst.ask(&office, &question).await.unwrap();
    assert_eq!(table(&answer).values().sum::<i64>(), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_compares_the_register_with_the_data_that_answers_were_made_from() {
    let world = TestRegion::new();
    let (mut office, config) = office(&world);
    let header = "person_id,country_of_birth,sex,age,date_of_birth,arrival_year\n";
    let file = |name: &str, persons: u32| {
        let lines = (0..persons).map(|n| format!("p{n},BEN,male,30,1994-01-01,\n")).collect::<String>();
        let path = office.folder().join(name);
        std::fs::write(&path, header.to_owned() + &lines).unwrap();
        path
    };
    let (first, other) = (file("first.csv", 20), file("other.csv", 30));
    let compared = || {
        let doctor = Command::new(program::lango())
            .args(["doctor", "--format", "json", "--config"])
            .arg(&config)
            .output();
        let report: serde_json::Value = serde_json::from_slice(&doctor.unwrap().stdout).unwrap();
        let check = report["checks"]
            .as_array()
            .unwrap()
            .iter()
            .find(|check| check["check"] == "dataset residents, data");
        check.map(|check| {
            (check["status"].as_str().unwrap().to_owned(), check["found"].as_str().unwrap().to_owned())
        })
    };
    assert_eq!(import(&config, &first).status.code(), Some(0));
    office.up().await.unwrap();
    assert_eq!(compared(), None, "nothing was answered yet");
    world.analyst().ask(&office, &persons("by sex", "50")).await.unwrap();
    assert_eq!(compared().unwrap().0, "ok");
    let again = ["--dataset", "residents", "--same-version"];
    assert_eq!(command(&config, &again).arg(&other).status().unwrap().code(), Some(0));
    let (status, found) = compared().unwrap();
    assert_eq!(status, "warning");
    assert!(found.contains("answers of version `2024-07-01` were first made from other data"), "{found}");
    assert_eq!(command(&config, &again).arg(&first).status().unwrap().code(), Some(0));
    assert_eq!(compared().unwrap().0, "ok");
}
