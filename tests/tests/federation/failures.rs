//! Whatever fails in an office's database reaches the asker in the same words; what it costs depends on whether rows were
//! read, never on what stands in them.

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
};

use lango_testkit::{Engine, FailedCall, Mode, Office, Policy, Register, TestRegion, persons};

use crate::log::Log;

/// Enough rows for more than one page of the file.
const SIZE: usize = 500;

/// What is done to an office's database; it is undone by the other.
type Change = fn(&Office);
/// A failure: what fails, and how it is repaired; how the reservation and the record then stand.
type Failure = (&'static str, Change, Change, &'static [&'static str], &'static str);

const ON_EVERY_ENGINE: [Failure; 6] = [
    ("no database", |o| o.database.away(), |o| o.database.back(), &[], "refused"),
    (
        "no table",
        |o| rename(o, "RENAME TO gone"),
        |o| sql(o, "ALTER TABLE gone RENAME TO residents"),
        &["voided"],
        "failed",
    ),
    (
        "no column",
        |o| rename(o, "RENAME COLUMN age TO years"),
        |o| rename(o, "RENAME COLUMN years TO age"),
        &["voided"],
        "failed",
    ),
    (
        "no unit",
        |o| rename(o, "RENAME COLUMN person_id TO p"),
        |o| rename(o, "RENAME COLUMN p TO person_id"),
        &["voided"],
        "failed",
    ),
    (
        "before",
        |o| o.gate.set(Mode::Fail { rows_were_read: false }),
        |o| o.gate.set(Mode::Open),
        &["voided"],
        "failed",
    ),
    (
        "after",
        |o| o.gate.set(Mode::Fail { rows_were_read: true }),
        |o| o.gate.set(Mode::Open),
        &["spent"],
        "failed",
    ),
];
/// Files can be broken in ways of their own; what is written over is beside them.
const OF_FILES: [Failure; 2] = [
    (
        "no SQLite file",
        |o| keep(o, |o| std::fs::write(o.register(), "TGO").unwrap()),
        put_back,
        &[],
        "refused",
    ),
    ("a damaged page", |o| keep(o, damage), put_back, &["spent"], "failed"),
];

fn sql(office: &Office, text: &str) {
    office.database.run(text);
}

fn rename(office: &Office, change: &str) {
    sql(office, &format!("ALTER TABLE residents {change}"));
}

fn keep(office: &Office, change: Change) {
    std::fs::copy(office.register(), office.folder().join("kept")).unwrap();
    change(office);
}

fn put_back(office: &Office) {
    std::fs::rename(office.folder().join("kept"), office.register()).unwrap();
}

/// Overwrites the last page of the register: its first row is read before it is found out.
fn damage(office: &Office) {
    let mut file = File::options().write(true).open(office.register()).unwrap();
    file.seek(SeekFrom::End(-4_096)).unwrap();
    file.write_all(&[0xee; 4_096]).unwrap();
}

/// All that the asker sees, except the digest and the signature, whose lengths are constant.
fn words(failed: &FailedCall) -> (tonic::Code, String, Option<String>, usize) {
    let details = failed.status.details().len();
    (failed.code, failed.status.message().to_owned(), failed.reason.clone(), details)
}

#[tokio::test]
async fn every_failure_is_reported_in_the_same_words() {
    let world = TestRegion::new();
    let log = Log::new();
    // One office, for its certificates are of another length than another's.
    let office = Office::start(&world, &Policy::of("GHA"), &Register::sample(SIZE)).await;
    let of_files = if Engine::under_test() == Engine::Sqlite { OF_FILES.as_slice() } else { &[] };
    let (mut words_seen, mut left) = (Vec::new(), 10_000);
    for (number, failure) in ON_EVERY_ENGINE.iter().chain(of_files).enumerate() {
        let (what, fail, repair, reserved, decision) = *failure;
        let before = office.ledger();
        fail(&office);
        // A price of its own, in hundredths: 1.01, 1.11, ..
        let price = 101 + 10 * number;
        let epsilon = format!("{}.{:02}", price / 100, price % 100);
        let failed = world.analyst().ask(&office, &persons("by age", &epsilon)).await;
        let failed = failed.expect_err(what);
        repair(&office);

        assert_eq!(failed.refusal(), "unavailable", "{what}");
        words_seen.push((what, words(&failed)));
        let (ledger, records) = (office.ledger(), office.records());
        assert_eq!(
            (&ledger.reservations[before.reservations.len()..], ledger.releases),
            (&strings(reserved)[..], 0),
            "{what}"
        );
        if reserved == ["spent"] {
            left -= price as u64;
        }
        let record = records.last().unwrap();
        assert_eq!((record.decision.as_str(), record.reason.as_str()), (decision, "unavailable"), "{what}");
        let lines = log.take();
        assert!(lines.contains("ERROR"), "{what}: the office's log reports it\n{lines}");
        // The name of the temporary folder is drawn, and may hold any of them.
        let lines: Vec<&str> = lines.split('/').filter(|part| !part.starts_with(".tmp")).collect();
        let lines = lines.join("/");
        for value in ["p0", "p17", "TGO", "NGA", "primary", "34000"] {
            assert!(!lines.contains(value), "{what}: `{value}` stands in the log\n{lines}");
        }
    }
    for (what, words) in &words_seen {
        assert_eq!(words, &words_seen[0].1, "{what}");
    }
    // Of the pool of 100 those are charged that may have read a row.
    let queries_left =
        world.analyst().estimate(&office, &persons("by age", "0.01")).await.unwrap().queries_left;
    assert_eq!(queries_left, left);
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}
