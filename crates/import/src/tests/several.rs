//! Several files, and folders of parts, as one table.

use std::{ops::ControlFlow, path::PathBuf};

use super::{
    fixture::{HEADER, Office, found, gzip, like, lines},
    parquet::persons,
};
use crate::{FileFormat, Finding, ImportError, ImportEvent, ImportFile};

#[test]
fn several_files_are_one_table_and_places_name_their_file() {
    let mut office = Office::new().accepting("age", 1.0);
    let one = office.write("one.csv", format!("{HEADER}{}", lines(0..3)));
    let two = format!("{HEADER}{}", lines(3..6)).replace(",F,4,", ",F,x,");
    let two = office.write("two.csv.gz", gzip(two.as_bytes()));
    // Columns may stand in another order, and a part may have no row.
    let three =
        office.write("three.csv", "village,born,income,age,sex,person_id\nTema,2000-01-01,1,old,F,GHA6\n");
    let empty = office.write("empty.csv", HEADER);
    let report = office.import_all(&[one.clone(), two.clone(), empty.clone(), three.clone()]).unwrap();
    assert_eq!((report.rows, office.rows().len()), (7, 7));
    assert_eq!(report.without_rows().map(|file| &file.path).collect::<Vec<_>>(), [&empty]);
    assert_eq!(found(&report, "age"), [(Finding::Unreadable, 2, vec![3, 2])]);
    let age = report.columns.iter().find(|column| column.name == "age").unwrap();
    assert_eq!(report.places(age.findings.of(Finding::Unreadable)), "two.csv.gz line 3, three.csv line 2");
    let ids: Vec<_> = office.rows().into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(ids, (0..7).map(|n| super::fixture::text(&format!("GHA{n}"))).collect::<Vec<_>>());

    office.options.accepted.clear();
    let again = office.write("again.csv", format!("{HEADER}{}", lines(1..2)));
    let cut = office.write("cut.csv", format!("{HEADER}GHA9,F\n"));
    let total = office.write("total.csv", format!("{HEADER}{},,9,9,,\n", lines(20..22)));
    let other = office.write("other.csv", format!("x,{HEADER}").replace('\n', "\ny,") + &lines(30..31));
    let before = (office.rows(), office.objects());
    for (files, expected) in [
        (vec![&one, &again], "person_id` stands on more than one row (one.csv line 3, again.csv line 2)"),
        (vec![&one, &cut], "cut.csv: line 2: 2 fields where the header has 6"),
        (vec![&total, &one], "total.csv: line 4, the last row, has no identifier"),
        (vec![&one, &other], "other.csv and "),
        (vec![&one, &other], "one.csv do not have the same columns (`x` is in one only)"),
        (vec![&one, &one], "one.csv is named twice: its rows would count twice"),
        (vec![&empty], "empty.csv holds a header and no row"),
        (vec![&one, &office.path("missing.csv")], "missing.csv: No such file"),
    ] {
        let files: Vec<PathBuf> = files.into_iter().cloned().collect();
        let error = office.import_all(&files).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
        assert_eq!((office.rows(), office.objects()), before, "{expected}");
    }
}

#[test]
fn an_interrupted_import_of_several_files_goes_on_and_comes_to_the_same() {
    let mut office = Office::new().accepting("income:bounds", 1.0);
    office.tuning.transaction_rows = 1;
    let parts = |office: &Office| {
        let text = office.write("a.csv", format!("{HEADER}{}", lines(0..20_000)));
        let parquet = office.path("b.parquet");
        persons(&parquet, 20_000..45_000);
        [
            text,
            parquet,
            office.write("c.csv.gz", gzip(format!("{HEADER}{}", lines(45_000..60_000)).as_bytes())),
        ]
    };
    let files = parts(&office).map(|path| ImportFile { format: FileFormat::of(&path).unwrap(), path });
    let mut resumed = Vec::new();
    // Within each file in turn, each time further on.
    for rows_at_least in [8_000, 30_000, 50_000] {
        let mut of_all = 0;
        let stopped = office.import_files(&files, &mut |event| match event {
            ImportEvent::Resumed(rows) => {
                resumed.push(rows);
                ControlFlow::Continue(())
            }
            ImportEvent::Read { bytes, of, rows } => {
                assert!(bytes <= of && bytes >= of_all, "{bytes} of {of} after {of_all}");
                of_all = bytes;
                if rows >= rows_at_least { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }
            ImportEvent::Afresh(_) | ImportEvent::Comparing | ImportEvent::Keying => {
                ControlFlow::Continue(())
            }
        });
        assert!(matches!(stopped, Err(ImportError::Stopped)), "{stopped:?}");
    }
    let report = office.import_files(&files, &mut |_| ControlFlow::Continue(())).unwrap();
    assert!(resumed.len() == 2 && resumed[0] >= 8_000 && resumed[1] >= 30_000, "{resumed:?}");
    let whole = Office::new().accepting("income:bounds", 1.0);
    let expected = whole.import_all(&parts(&whole)).unwrap();
    assert!(like(&report, &expected) && office.rows() == whole.rows());
    assert_eq!(report.rows, 60_000);
    assert!(office.is_tidy());
    // Another file in its place is another import.
    office.interrupt(&files[0].path, 8_000);
    let mut events = Vec::new();
    office
        .import_files(&files[..2], &mut |event| {
            events.push(event);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(events.first(), Some(&ImportEvent::Afresh("the file")));
}

#[test]
fn a_folder_is_its_parquet_parts() {
    let office = Office::new();
    let folder = office.path("residents.parquet");
    std::fs::create_dir(&folder).unwrap();
    let in_folder = |name: &str| folder.join(name);
    let error = crate::parts(&folder).unwrap_err().to_string();
    assert!(error.contains("holds no .parquet file"), "{error}");
    std::fs::write(in_folder("_SUCCESS"), "").unwrap();
    std::fs::write(in_folder(".part-0.parquet.crc"), "x").unwrap();
    std::fs::write(in_folder("_metadata.parquet"), "x").unwrap();
    persons(&in_folder("part-1.snappy.parquet"), 3..5);
    persons(&in_folder("part-0.snappy.parquet"), 0..3);
    persons(&in_folder("part-2.PARQUET"), 5..5);
    let parts = crate::parts(&folder).unwrap();
    let names = ["part-0.snappy.parquet", "part-1.snappy.parquet", "part-2.PARQUET"];
    assert_eq!(parts, names.map(in_folder));
    assert_eq!(office.import_all(&parts).unwrap().rows, 5);
    assert_eq!(crate::parts(&parts[0]).unwrap(), [parts[0].clone()]);
    for missed in ["part-3", "part-3.parquet.tmp", "part-3.csv"] {
        std::fs::write(in_folder(missed), "x").unwrap();
        let error = crate::parts(&folder).unwrap_err().to_string();
        let expected = format!("holds `{missed}`, whose name does not end in .parquet");
        assert!(error.contains(&expected), "{error}");
        std::fs::remove_file(in_folder(missed)).unwrap();
    }
    std::fs::create_dir(in_folder("year=2024")).unwrap();
    let error = crate::parts(&folder).unwrap_err().to_string();
    assert!(error.contains("holds the folder `year=2024`"), "{error}");
    std::fs::remove_dir(in_folder("year=2024")).unwrap();
    // What a program keeps for itself may hold anything but rows.
    std::fs::create_dir_all(in_folder(".program/state")).unwrap();
    std::fs::write(in_folder(".program/._part-1.parquet"), "x").unwrap();
    assert_eq!(crate::parts(&folder).unwrap(), parts);
    std::fs::create_dir_all(in_folder("_temporary/0")).unwrap();
    let unfinished = |within: &str| {
        let error = crate::parts(&folder).unwrap_err().to_string();
        let expected = format!("holds {}, which a job that has not ended", in_folder(within).display());
        assert!(error.contains(&expected), "{error}");
    };
    unfinished("_temporary");
    std::fs::remove_dir_all(in_folder("_temporary")).unwrap();
    persons(&in_folder(".program/state/part-3.parquet"), 5..9);
    unfinished(".program/state/part-3.parquet");
    std::fs::remove_dir_all(in_folder(".program")).unwrap();
    std::fs::create_dir(in_folder("_delta_log")).unwrap();
    let error = crate::parts(&folder).unwrap_err().to_string();
    assert!(
        error.contains("holds `_delta_log`: some of its parts may be of rows that were replaced"),
        "{error}"
    );
}

#[test]
fn a_copy_of_a_file_is_not_imported_beside_it() {
    let mut office = Office::new();
    office.dataset = super::fixture::dataset(2);
    let rows = format!("{HEADER}{}", lines(0..50));
    let files = ["a.csv", "a (1).csv"].map(|name| office.write(name, rows.clone()));
    let said = office.import_all(&files).unwrap_err().to_string();
    let expected = "`person_id`: 50 of 100 rows are in all declared columns like one before them, 50 % (a (1).csv line 2, ";
    assert!(said.starts_with(expected), "{said}");
    // With one row of each unit, it is what keeps the unit from being a key.
    office.dataset = super::fixture::dataset(1);
    let said = office.import_all(&files).unwrap_err().to_string();
    assert!(said.contains("stand on more than one row (a.csv line 2, "), "{said}");
    office.dataset = super::fixture::dataset(2);
    // Empty ones are all alike.
    let empty = ["b.csv", "c.csv"].map(|name| office.write(name, HEADER));
    let files = [&files[..1], &empty[..]].concat();
    assert_eq!(office.import_all(&files).unwrap().rows, 50);
}
