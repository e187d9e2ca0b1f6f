//! What must be accepted before it is imported, what the register remembers of it, and runs that only examine.

use super::fixture::{HEADER, Office, dataset, found, lines};
use crate::{Finding, ImportError, UnitKey};

/// What the register remembers: table, column, the word of the fault, share.
fn remembered(office: &Office) -> Vec<(String, String, String, f64)> {
    let connection = office.open();
    let sql = "SELECT * FROM lango_accepted ORDER BY column_name";
    let mut select = connection.prepare(sql).unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    select.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn rows_without_identifier_and_codes_that_are_not_declared_stop_an_import_until_they_are_accepted() {
    let missing: String =
        lines(0..30).lines().map(|line| format!(",{}\n", line.split_once(',').unwrap().1)).collect();
    let content = format!("{HEADER}{missing}{}", lines(30..100).replacen(",F,", ",female,", 7));
    let office = Office::new();
    office.import(&office.write("old.csv", format!("{HEADER}{}", lines(7..9)))).unwrap();
    let before = (office.rows(), office.objects());
    let file = office.write("a.csv", &content);
    let error = office.import(&file).unwrap_err();
    let said = error.to_string();
    for part in [
        "`person_id`: 30 of 100 rows have no identifier, 30 % (lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ..): add it, or say \
         --accept person_id=0.3 to import it as it is; ",
        "`sex`: 7 of 100 values are unread or undeclared, 7 % (lines 32, 33, 34, 35, 36, 37, 38): correct the file or the \
         policy, or say --accept sex=0.07 to import it as it is",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let ImportError::Unfit { report, .. } = error else { panic!("{said}") };
    assert_eq!((report.rows, report.key), (100, None));
    assert_eq!((office.rows(), office.objects()), before);
    assert!(office.is_tidy());

    // Each of them must be accepted, and as much of it as there is.
    let office = office.accepting("person_id", 0.3);
    assert!(office.import(&file).unwrap_err().to_string().starts_with("`sex`: 7 of 100"));
    let office = office.accepting("sex", 0.06);
    assert!(office.import(&file).unwrap_err().to_string().starts_with("`sex`: 7 of 100"));
    let office = office.accepting("SEX", 0.07).accepting("age", 0.5);
    let report = office.import(&file).unwrap();
    assert_eq!(found(&report, "sex"), [(Finding::Undeclared, 7, (32..39).collect::<Vec<_>>())]);
    // What needed no acceptance is not remembered.
    let share = |column: &str, share| ("residents".to_owned(), column.to_owned(), String::new(), share);
    assert_eq!(remembered(&office), [share("person_id", 0.3), share("sex", 0.07)]);

    // It is of the table that is there, and of no other.
    office.open().execute("INSERT INTO lango_accepted VALUES ('visits', 'sex', 'alike', 0.5)", []).unwrap();
    office.import(&office.path("old.csv")).unwrap();
    assert_eq!(remembered(&office), [("visits".to_owned(), "sex".to_owned(), "alike".to_owned(), 0.5)]);
    office.open().execute("DELETE FROM lango_accepted", []).unwrap();
    office.import(&office.path("old.csv")).unwrap();
    assert!(office.is_tidy());
}

/// Whatever stands in place of an identifier, and wherever it stands: else it would be one more unit.
#[test]
fn identifiers_unlike_the_others_stop_an_import_until_they_are_accepted() {
    let first = lines(0..1);
    let odd = |identifier: &str| format!("{identifier},{}", first.split_once(',').unwrap().1);
    let rows = lines(0..60);
    for (content, expected) in [
        (format!("{}{rows}", odd("-----")), "1 of 61 identifiers are unlike the others"),
        (
            format!("{rows}{}{}", odd("Total"), odd("Note : of 2024")),
            "2 of 62 identifiers are unlike the others",
        ),
        (
            format!("{}{}{}", lines(0..30), odd("NULL"), lines(30..60)),
            "1 of 61 identifiers are unlike the others",
        ),
        (format!("{rows}{}", odd("Total (60 persons)")), "1 of 61 identifiers are unlike the others"),
        (format!("{rows}{}", odd("\u{feff}GHA99")), "1 of 61 identifiers hold a letter that cannot be seen"),
        (format!("{rows}{}", odd("GHA\u{200b}99")), "1 of 61 identifiers hold a letter that cannot be seen"),
        (format!("{rows}{}{}", odd("1001"), odd("1002.0")), "1 of 62 identifiers have `.0` behind a number"),
    ] {
        let office = Office::new();
        let file = office.write("a.csv", format!("{HEADER}{content}"));
        let said = office.import(&file).unwrap_err().to_string();
        assert!(said.starts_with("`person_id`: ") && said.contains(expected), "{said}");
        // What accepts other faults of the column accepts this one no more than its own word does others.
        let word = said.rsplit_once(" to import").and_then(|(said, _)| said.rsplit_once(':')).unwrap().1;
        let office = ["", ":zeros", ":alike"]
            .iter()
            .fold(office, |office, word| office.accepting(&format!("person_id{word}"), 1.0));
        assert_eq!(office.import(&file).unwrap_err().to_string(), said);
        assert!(office.accepting(&format!("person_id:{word}"), 0.05).import(&file).is_ok(), "{expected}");
    }
    // Nor of those that a program draws or digests, which have one length.
    let drawn: String = (0..60)
        .map(|n| {
            odd(&format!("{:08x}", u32::wrapping_mul(n, 2_654_435_761)))
                + &if n == 7 { odd("aebdcfea") } else { String::new() }
        })
        .collect();
    let office = Office::new();
    office.import(&office.write("a.csv", format!("{HEADER}{drawn}"))).unwrap();
    // Of words alone, or of floats alone, none is unlike the others.
    for content in [["Ama", "Kofi", "Esi"], ["1001.0", "1002.0", "1003.0"]] {
        let office = Office::new();
        let file = office.write("a.csv", format!("{HEADER}{}", content.map(odd).concat()));
        assert!(office.import(&file).is_ok(), "{content:?}");
    }
}

/// Rows with these identifiers.
fn persons(identifiers: &[&str]) -> String {
    let row = |identifier: &&str| format!("{identifier},F,1,1,2000-01-01,Tema\n");
    HEADER.to_owned() + &identifiers.iter().map(row).collect::<String>()
}

fn identifiers(office: &Office) -> Vec<rusqlite::types::Value> {
    office.rows().into_iter().map(|row| row[0].clone()).collect()
}

#[test]
fn identifiers_that_lost_their_zeros_are_another_one_s_and_stop_an_import_until_they_are_accepted() {
    let padded = ["0001001", "0001002", "0001003", "A7"];
    for (first, second, expected) in [
        (&padded[..], &["1001", "1004", "001002", "7"][..], "2 of 8 identifiers are another one"),
        (&["1001", "1002"], &["01001"], "1 of 3 identifiers are another one"),
        (&["0"], &["00"], "1 of 2 identifiers are another one"),
        (&["01", "02"], &["99", "100", "1000"], ""),
        (&["01", "02"], &["3", "10"], ""),
        (&["0A1"], &["A1"], ""),
        (&padded, &["0002001", "1001001", "0100100"], ""),
    ] {
        let mut office = Office::new();
        office.dataset = dataset(2);
        let files =
            [("one.csv", first), ("two.csv", second)].map(|(name, ids)| office.write(name, persons(ids)));
        let done = office.import_all(&files);
        let rows: Vec<_> = first.iter().chain(second).map(|text| super::fixture::text(text)).collect();
        if expected.is_empty() {
            done.unwrap();
            assert_eq!(identifiers(&office), rows);
            continue;
        }
        let said = done.unwrap_err().to_string();
        assert!(said.contains(expected) && office.is_tidy(), "{said}");
        let office = office.accepting("person_id:zeros", 0.5);
        office.import_all(&files).unwrap();
        assert_eq!((identifiers(&office), remembered(&office).len()), (rows, 1));
    }
    let mut office = Office::new();
    let files = [("one.csv", &padded[..]), ("two.csv", &["1001", "1004", "001002"])];
    let files = files.map(|(name, ids)| office.write(name, persons(ids)));
    let expected = "`person_id`: 2 of 7 identifiers are another one without its zeros in front, 28.58 % (two.csv line 2, two.csv \
                    line 4): a program took them for numbers, so one unit has two; write all of them with their zeros, or say \
                    --accept person_id=0.2858:zeros to import it as it is";
    assert_eq!(office.import_all(&files).unwrap_err().to_string(), expected);
    office.options.dry_run = true;
    assert_eq!(office.import_all(&files).unwrap_err().to_string(), expected);
}

#[test]
fn an_identifier_that_a_program_held_as_a_float_is_the_whole_number() {
    let office = Office::new();
    let report = office.import(&office.write("a.csv", persons(&["1001.0", " 1002.0", "03.0"]))).unwrap();
    let text = super::fixture::text;
    assert_eq!(identifiers(&office), ["1001", "1002", "03"].map(text));
    assert_eq!(found(&report, "person_id"), [(Finding::TailedIdentifier, 3, vec![2, 3, 4])]);
    // Among others it may be a number of its own, and only the caller can say.
    let mut office = Office::new();
    office.dataset = dataset(2);
    let file = office.write("a.csv", persons(&["1.0", "12", "13"]));
    let said = office.import(&file).unwrap_err().to_string();
    let expected =
        "or say --accept person_id=0.3334:tails to import them: `.0` is left out, and more zeros are kept";
    assert!(said.ends_with(expected), "{said}");
    let office = office.accepting("person_id:tails", 0.3334);
    office.import(&file).unwrap();
    assert_eq!(identifiers(&office), ["1", "12", "13"].map(text));
    // A household's number and a member's.
    let office = Office::new();
    office.import(&office.write("a.csv", persons(&["1.0", "1.1", "1.2"]))).unwrap();
    // More zeros than one may be thousands, and two identifiers that differ in their zeros stay two.
    let mut office = Office::new();
    office.dataset = dataset(2);
    let office = office.accepting("person_id:tails", 0.5);
    office.import(&office.write("a.csv", persons(&["1.000", "1", "12.00", "12"]))).unwrap();
    assert_eq!(identifiers(&office), ["1.000", "1", "12.00", "12"].map(text));
}

#[test]
fn identifiers_that_a_spreadsheet_rounded_stop_an_import() {
    let mut office = Office::new();
    office.dataset = dataset(3);
    let file = office.write("a.csv", persons(&["1.00123E+12", "1.00123E+12", "1001230000003"]));
    let said = office.import(&file).unwrap_err().to_string();
    assert!(said.contains("2 of 3 identifiers are numbers without their last digits"), "{said}");
    assert!(said.contains("export them again as texts"), "{said}");
}

#[test]
fn lost_zeros_are_found_whatever_other_columns_are_called() {
    let mut office = Office::new();
    let whole = || lango_privacy::Column::from(lango_privacy::Domain::integer(0, 9, 1).unwrap());
    for name in ["number", "width"] {
        office.dataset.columns.insert(name.parse().unwrap(), whole());
    }
    let rows = persons(&["01", "1", "7"]);
    let mut lines = rows.lines();
    let header = format!("{},number,width\n", lines.next().unwrap());
    let rows: String = lines.map(|line| format!("{line},1,2\n")).collect();
    let said = office.import(&office.write("a.csv", header + &rows)).unwrap_err().to_string();
    assert!(said.contains("1 of 3 identifiers are another one without its zeros in front"), "{said}");
}

#[test]
fn values_at_a_bound_and_days_outside_of_the_period_are_counted_and_imported() {
    let office = Office::new();
    let mut content = format!("{HEADER}{}", lines(0..3));
    content += "A1,F,999,-5,1850-01-01,Tema\nA2,F,999,9999999,2000-01-01,Tema\n";
    let report = office.import(&office.write("a.csv", content)).unwrap();
    assert_eq!(found(&report, "age"), [(Finding::Above, 2, vec![5, 6])]);
    assert_eq!(found(&report, "income"), [(Finding::Below, 1, vec![5]), (Finding::Above, 1, vec![6])]);
    assert_eq!(found(&report, "born"), [(Finding::OutsidePeriod, 1, vec![5])]);
}

#[test]
fn a_float_s_tail_behind_a_code_is_the_reason() {
    let mut office = Office::new().accepting("sex", 1.0);
    let codes = lango_privacy::Domain::codes(vec!["1".parse().unwrap(), "2".parse().unwrap()]).unwrap();
    office.dataset.columns.insert("sex".parse().unwrap(), codes.into());
    let content = format!("{HEADER}{}", lines(0..3)).replacen(",F,", ",1.0,", 1).replacen(",F,", ",2,", 1);
    let report = office.import(&office.write("a.csv", content)).unwrap();
    let expected = [(Finding::FloatTail, 1, vec![2]), (Finding::Undeclared, 1, vec![4])];
    assert_eq!(found(&report, "sex"), expected);
}

#[test]
fn other_data_under_the_same_version_are_refused_until_that_is_said() {
    let mut office = Office::new();
    office.options.same_version = false;
    let file = office.write("a.csv", format!("{HEADER}{}", lines(0..3)));
    let other = office.write("b.csv", format!("{HEADER}{}", lines(0..4)));
    let refused = |office: &Office, file: &std::path::Path| {
        let before = office.rows();
        let error = office.import(file).unwrap_err();
        assert!(matches!(error, ImportError::SameVersion { .. }), "{error}");
        assert!(
            error.to_string().contains("other data of `residents` under version 1, or the same read"),
            "{error}"
        );
        assert_eq!(office.rows(), before);
        assert!(office.is_tidy());
    };
    office.import(&file).unwrap();
    // The same file is no other data, by another name too, and whatever the policy declares of it now.
    office.import(&file).unwrap();
    office.import(&office.write("c.csv", std::fs::read(&file).unwrap())).unwrap();
    let village = office.dataset.columns.remove(&"village".parse().unwrap()).unwrap();
    office.import(&file).unwrap();
    office.dataset.columns.insert("village".parse().unwrap(), village);
    refused(&office, &other);
    // A dry run finds it as well.
    office.options.dry_run = true;
    refused(&office, &other);
    office.options.dry_run = false;
    // Read in another way, the same file may be other data.
    office.options.notation.thousands = Some(",".parse().unwrap());
    refused(&office, &file);
    office.options.notation.thousands = None;
    office.dataset.version = "2".parse().unwrap();
    office.import(&other).unwrap();
    office.options.same_version = true;
    office.import(&file).unwrap();
    office.options.same_version = false;
    office.import(&file).unwrap();
    // An import that failed does not count, and nor does a table that is gone.
    office.dataset.version = "3".parse().unwrap();
    office.import(&office.write("d.csv", format!("{HEADER}A,F\n"))).unwrap_err();
    office.import(&other).unwrap();
    office.open().execute_batch("DROP TABLE residents").unwrap();
    office.import(&file).unwrap();
}

#[test]
fn only_what_the_policy_declares_can_be_accepted() {
    let office = Office::new().accepting("gender", 0.5);
    let error = office.import(&office.write("a.csv", format!("{HEADER}{}", lines(0..3)))).unwrap_err();
    assert!(matches!(error, ImportError::NotDeclared { .. }), "{error}");
}

#[test]
fn a_dry_run_finds_what_an_import_would_and_writes_nothing() {
    let mut office = Office::new();
    office.options.dry_run = true;
    let right = format!("{HEADER}{}", lines(0..20_000));
    let report = office.import(&office.write("a.csv", &right)).unwrap();
    assert_eq!((report.rows, report.key), (20_000, Some(UnitKey::Unique)));
    let file_names = || -> Vec<_> {
        std::fs::read_dir(office.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    };
    assert_eq!(file_names(), ["a.csv"]);
    for (what, content, expected) in [
        ("a repeated unit", format!("{right}{}", lines(7..8)), "lines 9, 20002"),
        ("a total", format!("{right},,1,1,,\n"), "line 20002, the last row"),
        ("a code", right.replace(",F,", ",x,"), "`sex`: 20000 of 20000 values"),
        ("too few fields", format!("{right}A,F\n"), "line 20002: 2 fields"),
    ] {
        let error = office.import(&office.write("a.csv", content)).unwrap_err().to_string();
        assert!(error.contains(expected), "{what}: {error}");
        assert_eq!(file_names(), ["a.csv"], "{what}");
    }
    // Beside a register that is in use, and in the midst of another import.
    office.options.dry_run = false;
    office.tuning.transaction_rows = 1;
    office.dataset = dataset(2);
    let file = office.write("a.csv", &right);
    office.interrupt(&file, 10_000);
    let content = std::fs::read(office.register()).unwrap();
    office.options.dry_run = true;
    assert_eq!(office.import(&file).unwrap().rows, 20_000);
    assert_eq!(std::fs::read(office.register()).unwrap(), content);
    office.options.dry_run = false;
    assert_eq!(office.import(&file).unwrap().rows, 20_000);
    assert!(office.is_tidy());
}
