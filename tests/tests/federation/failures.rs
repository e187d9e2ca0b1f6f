//! Whatever fails in an office's database reaches the asker in the same words; what it costs depends on whether rows were
//! read, never on what stands in them.

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
};

use lango_testkit::{Mode, Office, Policy, Register, Told, World, persons};
use rusqlite::Connection;

use crate::log::Log;

/// Enough rows for more than one page of the file.
const SIZE: usize = 500;

fn sql(office: &Office, text: &str) {
    Connection::open(office.register()).unwrap().execute_batch(text).unwrap();
}

/// Overwrites the last page of the register: its first row is read before it is found out.
fn damage(office: &Office) {
    let mut file = File::options().write(true).open(office.register()).unwrap();
    file.seek(SeekFrom::End(-4_096)).unwrap();
    file.write_all(&[0xee; 4_096]).unwrap();
}

/// All that the asker is told, but for the digest and the signature, which are as long whatever they say.
fn words(told: &Told) -> (tonic::Code, String, Option<String>, usize) {
    let details = told.status.details().len();
    (told.code, told.status.message().to_owned(), told.reason.clone(), details)
}

#[tokio::test]
async fn every_failure_is_told_in_the_same_words() {
    let world = World::new();
    let log = Log::new();
    // One office, for its certificates are of another length than another's.
    let office = Office::start(&world, &Policy::of("GHA"), &Register::sample(SIZE)).await;
    let whole = std::fs::read(office.register()).unwrap();
    let mut words_told = Vec::new();
    type Break = fn(&Office);
    let cases: [(&str, Break, &[&str], &str); 8] = [
        ("no file", |o| std::fs::remove_file(o.register()).unwrap(), &[], "refused"),
        ("no database", |o| std::fs::write(o.register(), "TGO").unwrap(), &[], "refused"),
        ("no table", |o| sql(o, "DROP TABLE residents"), &["voided"], "failed"),
        ("no column", |o| sql(o, "ALTER TABLE residents DROP COLUMN age"), &["voided"], "failed"),
        ("no unit", |o| sql(o, "ALTER TABLE residents RENAME person_id TO p"), &["voided"], "failed"),
        ("a damaged page", damage, &["spent"], "failed"),
        ("before", |o| o.gate.set(Mode::Fail { rows_were_read: false }), &["voided"], "failed"),
        ("after", |o| o.gate.set(Mode::Fail { rows_were_read: true }), &["spent"], "failed"),
    ];
    for (number, (what, fail, reserved, decision)) in cases.into_iter().enumerate() {
        let before = office.ledger();
        fail(&office);
        let told = world.analyst().ask(&office, &persons("by age", &format!("1.{number}1"))).await;
        let told = told.expect_err(what);
        std::fs::write(office.register(), &whole).unwrap();
        office.gate.set(Mode::Open);

        assert_eq!(told.refusal(), "unavailable", "{what}");
        words_told.push((what, words(&told)));
        let (ledger, records) = (office.ledger(), office.records());
        assert_eq!(
            (&ledger.reservations[before.reservations.len()..], ledger.releases),
            (&strings(reserved)[..], 0),
            "{what}"
        );
        let record = records.last().unwrap();
        assert_eq!((record.decision.as_str(), record.reason.as_str()), (decision, "unavailable"), "{what}");
        let lines = log.take();
        assert!(lines.contains("ERROR"), "{what}: the office is told\n{lines}");
        for value in ["p0", "p17", "TGO", "NGA", "primary", "34000"] {
            assert!(!lines.contains(value), "{what}: `{value}` stands in the log\n{lines}");
        }
    }
    for (what, words) in &words_told {
        assert_eq!(words, &words_told[0].1, "{what}");
    }
    // Of the pool of 100 the two are charged that may have read a row: 1.51 and 1.71.
    let left = world.analyst().estimate(&office, &persons("by age", "0.01")).await.unwrap().queries_left;
    assert_eq!(left, 9_678);
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn no_value_makes_a_question_fail() {
    let world = World::new();
    let mut register = Register::sample(5);
    register.unit = "TEXT";
    let mut office = Office::prepare(&world, "GHA", &Policy::of("GHA"), &register);
    // Every type that SQLite stores, at its ends, in every column: what cannot be read as declared is no error.
    let odd = [
        "NULL",
        "''",
        "' '",
        "x''",
        "x'ff00fe'",
        "CAST(x'ff41c328' AS TEXT)",
        "CAST(x'4100' AS TEXT)",
        "9223372036854775807",
        "-9223372036854775808",
        "1e308",
        "-1e308",
        "9e999",
        "-9e999",
        "0.1",
        "'9223372036854775808'",
        "'1e999'",
        "'0x10'",
        "zeroblob(100000)",
        "printf('%.*c', 100000, 'x')",
        "char(0x10FFFF)",
        "'_O'",
        "'_T'",
    ];
    for value in odd {
        sql(&office, &format!("INSERT INTO residents VALUES ({})", [value; 7].join(", ")));
        sql(&office, &format!("INSERT INTO residents VALUES ('odd', {})", [value; 6].join(", ")));
    }
    office.up().await.unwrap();
    let analyst = world.analyst();
    for measure in [
        "persons",
        "rows",
        "rows(income)",
        "sum(income)",
        "mean(income)",
        "quantile(income,0.5)",
        "histogram(income)",
    ] {
        for body in
            ["by", "by age,country_of_birth", "by sex\nwhere age from 0 to 110\nwhere arrival_year = 2024"]
        {
            let text = persons(body, "0.1").replace("measure persons", &format!("measure {measure}"));
            let answer = analyst.ask(&office, &text).await;
            assert!(answer.is_ok(), "{text}: {answer:?}");
        }
    }
}
