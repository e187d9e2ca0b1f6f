//! All or nothing: interrupted, resumed, replaced, refused, and out of room.

use std::{ops::ControlFlow, time::SystemTime};

use super::fixture::{HEADER, Office, gzip, like, lines};
use crate::{FileFormat, ImportError, ImportEvent};

/// Enough for several batches.
const PERSONS: u32 = 50_000;

fn go_on(_: ImportEvent) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn content() -> String {
    // Some do not read, before and after any interruption.
    format!("{HEADER}{}", lines(0..PERSONS)).replace("999.25,", "lots,")
}

#[test]
fn an_interrupted_import_goes_on_and_comes_to_the_same() {
    let whole = Office::new();
    let expected = whole.import(&whole.write("a.csv", content())).unwrap();
    assert!(super::fixture::unfit(&expected) > 10);
    for (name, content) in [("a.csv", content().into_bytes()), ("a.csv.gz", gzip(content().as_bytes()))] {
        let mut office = Office::new();
        office.tuning.transaction_rows = 1;
        let file = office.write(name, content);
        office.interrupt(&file, 10_000);
        assert!(!office.objects().contains(&"residents".to_owned()));
        // Interrupted a second time, it goes on from there.
        let events = office.interrupt(&file, 30_000);
        let Some(ImportEvent::Resumed(first)) = events.first() else { panic!("{events:?}") };
        let mut events = Vec::new();
        let format = FileFormat::of(&file).unwrap();
        let report = office.import_as(&file, format, &mut |event| {
            events.push(event);
            ControlFlow::Continue(())
        });
        let Some(ImportEvent::Resumed(second)) = events.first() else { panic!("{events:?}") };
        assert!(0 < *first && first < second && *second >= 30_000, "{first} {second}");
        assert!(like(&report.unwrap(), &expected) && office.rows() == whole.rows());
        assert_eq!(office.objects(), whole.objects());
        assert!(office.is_tidy());
    }
}

#[test]
fn a_unit_on_several_rows_is_refused_where_the_policy_says_one_and_leaves_nothing() {
    let row = |unit: &str, village: &str| format!("{unit},F,1,1,2000-01-01,{village}\n");
    let pairs: String = (0..8).map(|n| row(&format!("P{n}"), "Tema").repeat(2)).collect();
    for (what, body, units, at) in [
        ("the last row", format!("{}{}", lines(0..3), lines(0..1)), 1, vec![2, 5]),
        (
            "three of one, two of another",
            format!("{}{}{}", lines(0..3), lines(1..4), lines(1..2)),
            2,
            vec![3, 4, 5, 6, 8],
        ),
        // A row that holds line breaks, and blank lines between rows.
        (
            "lines and rows differ",
            format!("{}\n\r\n{}{}", row("A", "\"New\nTown\""), row("B", "Tema"), row("A", "Ho")),
            1,
            vec![2, 7],
        ),
        (
            "missing units are no unit",
            format!("{}{}{}", row("", "a").repeat(3), row("A", "b"), row("A", "c")),
            1,
            vec![5, 6],
        ),
        ("more than are named", pairs, 8, (2..12).collect()),
    ] {
        let mut office = Office::new().accepting("person_id", 0.6);
        office.import(&office.write("old.csv", format!("{HEADER}{}", lines(7..9)))).unwrap();
        let before = (office.rows(), office.objects());
        for (name, content) in [
            ("a.csv", format!("{HEADER}{body}").into_bytes()),
            ("a.csv.gz", gzip(format!("{HEADER}{body}").as_bytes())),
        ] {
            let refused = office.import(&office.write(name, content)).unwrap_err();
            let ImportError::Repeated { units: count, places, .. } = &refused else {
                panic!("{what}: {refused}")
            };
            let lines: Vec<u64> = places.iter().map(|place| place.line).collect();
            assert_eq!((*count, &lines), (units, &at), "{what}");
            let said = refused.to_string();
            for part in ["`person_id`", "`rows_at_most = 1`: raise it", &format!("lines {}", at[0])] {
                assert!(said.contains(part), "{what}: {said}");
            }
            assert_eq!(said.contains(", .."), at.len() == 10, "{said}");
            assert!(
                ["GHA", "P1", "Tema"].iter().all(|value| !said.contains(value)),
                "a value stands in `{said}`"
            );
            assert_eq!((office.rows(), office.objects()), before, "{what}");
            assert!(office.is_tidy(), "{what}");
        }
        // What the sentence says to do is done.
        office.dataset.unit.rows_at_most = 3;
        office.dataset.unit.cells_at_most = 3;
        assert_eq!(
            office.import(&office.path("a.csv")).unwrap().key,
            Some(crate::UnitKey::NotWanted),
            "{what}"
        );
    }
}

#[test]
fn an_import_that_was_stopped_before_its_key_goes_on_without_reading() {
    let office = Office::new();
    let file = office.write("a.csv", content());
    let stopped = office.import_as(&file, FileFormat::of(&file).unwrap(), &mut |event| match event {
        ImportEvent::Keying => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    assert!(matches!(stopped, Err(ImportError::Stopped)));
    let mut events = Vec::new();
    let report = office.import_as(&file, FileFormat::of(&file).unwrap(), &mut |event| {
        events.push(event);
        ControlFlow::Continue(())
    });
    assert_eq!(events, [ImportEvent::Resumed(PERSONS.into()), ImportEvent::Comparing, ImportEvent::Keying]);
    assert_eq!(report.unwrap().rows, u64::from(PERSONS));
    assert!(office.is_tidy());
}

#[test]
fn an_interrupted_import_starts_afresh_where_anything_is_another() {
    type Change = fn(&mut Office, &std::path::Path);
    let changes: [(&str, Change, &str); 5] = [
        ("nothing", |_, _| (), ""),
        (
            "a row more",
            |office, _| drop(office.write("a.csv", content() + &lines(PERSONS..PERSONS + 1))),
            "the file",
        ),
        (
            "the same size and time",
            |office, file| {
                let time = std::fs::metadata(file).unwrap().modified().unwrap();
                office.write("a.csv", content().replacen("GHA0,F", "GHA0,M", 1));
                std::fs::File::options().write(true).open(file).unwrap().set_modified(time).unwrap();
            },
            "the file",
        ),
        (
            "the time alone",
            |_, file| {
                let file = std::fs::File::options().write(true).open(file).unwrap();
                file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
            },
            "the file",
        ),
        (
            "the declaration",
            |office, _| {
                office.dataset.columns.remove(&"village".parse().unwrap());
            },
            "how the file is read, or what the policy declares of the dataset",
        ),
    ];
    for (what, change, expected) in changes {
        let mut office = Office::new();
        office.tuning.transaction_rows = 1;
        let file = office.write("a.csv", content());
        office.interrupt(&file, 10_000);
        change(&mut office, &file);
        let mut events = Vec::new();
        let report = office.import_as(&file, FileFormat::of(&file).unwrap(), &mut |event| {
            events.push(event);
            ControlFlow::Continue(())
        });
        match events.first() {
            Some(ImportEvent::Resumed(_)) => assert_eq!(expected, "", "{what}"),
            Some(ImportEvent::Afresh(cause)) => assert_eq!(*cause, expected, "{what}"),
            other => panic!("{what}: {other:?}"),
        }
        let mut other = Office::new();
        other.dataset = office.dataset.clone();
        let same = other.import(&other.write("a.csv", std::fs::read(&file).unwrap())).unwrap();
        assert!(like(&report.unwrap(), &same) && office.rows() == other.rows(), "{what}");
        assert!(office.is_tidy(), "{what}");
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_is_not_imported() {
    let office = Office::new();
    let file = office.write("a.csv", content());
    let error = office.import_as(&file, FileFormat::of(&file).unwrap(), &mut |_| {
        std::fs::File::options()
            .write(true)
            .open(&file)
            .unwrap()
            .set_modified(SystemTime::UNIX_EPOCH)
            .unwrap();
        ControlFlow::Continue(())
    });
    assert!(matches!(error, Err(ImportError::Changed(_))), "{error:?}");
    assert!(office.is_tidy() && office.objects().is_empty());
}

#[test]
fn the_old_table_is_read_whole_until_the_new_one_is() {
    let mut office = Office::new();
    office.tuning.transaction_rows = 1;
    office.import(&office.write("old.csv", format!("{HEADER}{}", lines(0..5)))).unwrap();
    let reader = office.open();
    let count =
        || reader.query_row("SELECT count(*) FROM residents", [], |row| row.get::<_, i64>(0)).unwrap();
    let file = office.write("a.csv", content());
    let mut seen = Vec::new();
    let format = FileFormat::of(&file).unwrap();
    office
        .import_as(&file, format, &mut |_| {
            seen.push(count());
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(seen.len() > 5 && seen.iter().all(|rows| *rows == 5), "{seen:?}");
    assert_eq!(count(), i64::from(PERSONS));
}

#[test]
fn a_second_import_into_a_register_is_refused() {
    let office = Office::new();
    let file = office.write("a.csv", content());
    let mut refused = 0;
    office
        .import_as(&file, FileFormat::of(&file).unwrap(), &mut |_| {
            let second = office.import_as(&file, FileFormat::of(&file).unwrap(), &mut go_on);
            assert!(matches!(second, Err(ImportError::UnderWay(_))), "{second:?}");
            refused += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(refused > 1);
    assert_eq!(office.import(&file).unwrap().rows, u64::from(PERSONS));
}

#[test]
fn a_full_disk_leaves_the_old_table_and_the_import_goes_on_when_there_is_room() {
    let mut office = Office::new();
    office.import(&office.write("old.csv", format!("{HEADER}{}", lines(0..5)))).unwrap();
    let before = office.rows();
    let file = office.write("a.csv", content());
    office.tuning.transaction_rows = 1;
    // Room for a part of the rows, and for all rows but not for the key.
    let mut with_rows = 0;
    let other = Office::new();
    other
        .import_as(&file, FileFormat::of(&file).unwrap(), &mut |event| {
            if event == ImportEvent::Keying {
                with_rows =
                    other.open().query_row("PRAGMA page_count", [], |row| row.get::<_, u32>(0)).unwrap();
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    let mut resumed = Vec::new();
    for pages in [with_rows / 3, with_rows * 2 / 3, with_rows + 20, with_rows + 30] {
        office.tuning.pages_most = Some(pages);
        let full = office.import_as(&file, FileFormat::of(&file).unwrap(), &mut |event| {
            if let ImportEvent::Resumed(rows) = event {
                resumed.push(rows);
            }
            ControlFlow::Continue(())
        });
        assert!(matches!(full, Err(ImportError::Full(_))), "{pages}: {full:?}");
        assert_eq!(office.rows(), before, "{pages}");
    }
    assert!(
        resumed.is_sorted() && resumed.first() > Some(&0) && resumed.last() == Some(&PERSONS.into()),
        "{resumed:?}"
    );
    office.tuning.pages_most = None;
    assert_eq!(office.import(&file).unwrap().rows, u64::from(PERSONS));
    assert!(office.is_tidy());
}

#[test]
fn a_register_grows_to_two_tables_and_no_further() {
    let office = Office::new();
    let file = office.write("a.csv", content());
    let pages = |_: u32| -> i64 {
        office.import(&file).unwrap();
        office.open().query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap()
    };
    let sizes: Vec<i64> = (0..5).map(pages).collect();
    assert!(sizes[1] <= 2 * sizes[0] + 2 && sizes[2..].iter().all(|size| *size <= sizes[1] + 2), "{sizes:?}");
}

#[test]
fn what_else_the_register_holds_is_left_alone() {
    let office = Office::new();
    office
        .open()
        .execute_batch(
            "CREATE TABLE residents (person_id TEXT PRIMARY KEY, note TEXT);
             CREATE TABLE visits (person_id TEXT REFERENCES residents (person_id) ON DELETE CASCADE);
             CREATE VIEW notes AS SELECT note FROM residents;
             INSERT INTO residents VALUES ('GHA0', 'x');
             INSERT INTO visits VALUES ('GHA0'), ('GHA0');",
        )
        .unwrap();
    office.import(&office.write("a.csv", content())).unwrap();
    assert_eq!(office.rows().len(), PERSONS as usize);
    let visits: i64 = office.open().query_row("SELECT count(*) FROM visits", [], |row| row.get(0)).unwrap();
    assert_eq!(visits, 2);
    assert_eq!(office.objects(), ["notes", "residents", "residents_unit", "visits"]);
}
