//! What is wrong with one of several files is found, however many right values the others hold.

use super::fixture::{HEADER, Office, dataset};
use crate::{ImportError, RowError};

/// Rows of a district, each written by the function from its number.
fn district(mark: &str, rows: std::ops::Range<u32>, row: impl Fn(u32) -> String) -> String {
    HEADER.to_owned() + &rows.map(|n| format!("{mark}{n},{}\n", row(n))).collect::<String>()
}

fn usual(n: u32) -> String {
    format!("F,{},{}.25,2000-01-01,Tema", n % 90, n * 7 % 5_000)
}

#[test]
fn one_district_s_fault_is_no_smaller_for_the_right_values_of_the_others() {
    type Row = fn(u32) -> String;
    let cases: [(&str, Row, &str, &str); 7] = [
        (
            "cents",
            |n| format!("F,1,{},2000-01-01,Tema", 100_000 + n),
            "income:bounds",
            "30 of 30 numbers are outside",
        ),
        ("codes", |_| "female,1,1,2000-01-01,Tema".into(), "sex", "30 of 30 values are unread or undeclared"),
        (
            "commas",
            |n| format!("F,1,\"{n},5\",2000-01-01,Tema"),
            "income",
            "30 of 30 values are unread or undeclared",
        ),
        (
            "empty",
            |n| format!("F,,{n},2000-01-01,Tema"),
            "age:empty",
            "30 of 30 rows have no value, and those of the other",
        ),
        (
            "another century",
            |n| format!("F,1,{n},1800-01-01,Tema"),
            "born:period",
            "30 of 30 days are outside",
        ),
        (
            "thousands",
            |n| format!("F,1,{}.874,2000-01-01,Tema", n + 1),
            "income:thousands",
            "30 of 30 numbers have three",
        ),
        (
            "evenings",
            |n| format!("F,1,{n},2000-01-01T{}:00:00Z,Tema", 22 + n % 2),
            "born:hours",
            "30 of 30 moments are at midnight of another place",
        ),
    ];
    for (what, row, accepted, expected) in cases {
        let office = Office::new();
        let files = [
            office.write("a.csv", district("A", 0..900, usual)),
            office.write("b.csv", district("B", 0..30, row)),
            office.write("c.csv", district("C", 0..900, usual)),
            office.write("d.csv", district("D", 0..30, |n| row(n + 100))),
        ];
        let error = office.import_all(&files).unwrap_err();
        let said = error.to_string();
        let ImportError::Unfit { columns, .. } = error else { panic!("{what}: {said}") };
        let [column] = columns.as_slice() else { panic!("{what}: {said}") };
        assert_eq!(column.only_in, [files[1].clone(), files[3].clone()], "{what}: {said}");
        assert!(said.contains(&format!("b.csv (and in 1 more of the files) {expected}")), "{what}: {said}");
        // The share that is accepted is one of all files.
        assert!(column.share < 0.034, "{what}: {said}");
        let office = office.accepting(accepted, column.share);
        office.import_all(&files).unwrap();
        let word: Option<String> =
            office.open().query_row("SELECT fault FROM lango_accepted", [], |row| row.get(0)).unwrap();
        assert_eq!(
            word.filter(|word| !word.is_empty()).as_deref(),
            accepted.split_once(':').map(|(_, word)| word),
            "{what}"
        );
    }
}

#[test]
fn few_values_of_a_file_and_what_others_have_too_are_no_fault_of_that_file() {
    let office = Office::new();
    let files = [
        office.write("a.csv", district("A", 0..900, usual)),
        // Nine values say nothing, and three in five rows of all may lack one.
        office.write("b.csv", district("B", 0..9, |_| "female,1,100000,1800-01-01,Tema".into())),
    ];
    office.import_all(&files).unwrap();
    let rare = |n: u32| format!("F,{},1,2000-01-01,Tema", if n % 5 < 2 { "30" } else { "" });
    let files = [
        office.write("a.csv", district("A", 0..900, rare)),
        office.write("b.csv", district("B", 0..30, |_| "F,,1,2000-01-01,Tema".into())),
    ];
    office.import_all(&files).unwrap();
    // Numbers of three decimals that are so in the other files too.
    let decimals = |n: u32| format!("F,1,{}.{},2000-01-01,Tema", n % 9, 200 + n % 700);
    let files = [
        office.write("a.csv", district("A", 0..900, |n| if n == 7 { usual(n) } else { decimals(n) })),
        office.write("b.csv", district("B", 0..30, decimals)),
    ];
    office.import_all(&files).unwrap();
}

#[test]
fn rows_that_stand_in_the_files_twice_stop_an_import() {
    let visits = |units: std::ops::Range<u32>| -> Vec<String> {
        let row = |unit: u32, n: u32| {
            format!("P{},F,{},{}.5,2000-01-01,Tema\n", unit * 7919 % 100_003, n * 9, unit % 50)
        };
        units.flat_map(|unit| (0..1 + unit % 3).map(move |n| row(unit, n))).collect()
    };
    let rows = visits(0..200);
    assert_ne!(rows.len() % 37, 0);
    let shuffled: Vec<String> = (0..rows.len()).map(|n| rows[n * 37 % rows.len()].clone()).collect();
    let doubled: Vec<String> = rows.iter().flat_map(|row| [row.clone(), row.clone()]).collect();
    let joined: Vec<String> =
        rows.iter().enumerate().flat_map(|(n, row)| vec![row.clone(); 1 + n % 2]).collect();
    let all = |parts: &[&[String]]| HEADER.to_owned() + &parts.concat().concat();
    let office = || {
        let mut office = Office::new();
        office.dataset = dataset(12);
        office
    };
    for (what, content, count) in [
        ("appended once more", all(&[&rows, &rows]), rows.len()),
        ("a part, appended once more", all(&[&rows, &rows[100..150]]), 50),
        ("in another order", all(&[&rows, &shuffled]), rows.len()),
        ("doubled by a join", all(&[&doubled]), rows.len()),
        ("some doubled by a join", all(&[&joined]), rows.len() / 2),
    ] {
        let office = office();
        let file = office.write("a.csv", content);
        let said = office.import(&file).unwrap_err().to_string();
        assert!(said.starts_with(&format!("`person_id`: {count} of ")), "{what}: {said}");
        assert!(said.contains("rows are in all declared columns like one before them"), "{what}: {said}");
        office.accepting("person_id:copies", 0.5).import(&file).unwrap();
    }
    // A file's rows in another order, and one of many files in which a join has doubled some.
    let many = visits(500..9_000);
    let copy = office();
    let files = [
        copy.write("a.csv", all(&[&rows])),
        copy.write("b.csv", all(&[&many])),
        copy.write("c.csv", all(&[&shuffled])),
        copy.write("d.csv", all(&[&visits(10_000..10_010)])),
    ];
    let said = copy.import_all(&files).unwrap_err().to_string();
    let expected = format!("`person_id`: in {} {} of {} rows", files[2].display(), rows.len(), rows.len());
    assert!(said.starts_with(&expected) && said.contains("c.csv line 2"), "{said}");
    // A few are alike by chance, as visits of one kind are, and reported.
    let few = office();
    let content = all(&[&rows, &rows[..15]]);
    let report = few.import(&few.write("a.csv", content)).unwrap();
    let counted = super::fixture::found(&report, "person_id");
    assert_eq!(counted[0].1, 15, "{counted:?}");
    assert_eq!(counted[0].0, crate::Finding::CopiedRow);
}

#[test]
fn rows_of_a_large_file_that_stand_there_twice_are_estimated() {
    let mut office = Office::new();
    office.dataset = dataset(12);
    let rows: Vec<String> = (0..150_000_u32)
        .map(|n| format!("P{},F,1,{}.5,2000-01-01,Tema\n", n * 7_919 % 200_003, n % 900))
        .collect();
    let content = HEADER.to_owned() + &rows.concat() + &rows[..50_000].concat();
    let error = office.import(&office.write("a.csv", content)).unwrap_err();
    let said = error.to_string();
    let ImportError::Unfit { columns, .. } = error else { panic!("{said}") };
    assert!((48_000..52_000).contains(&columns[0].count), "{said}");
}

#[test]
fn identifiers_that_a_float_of_32_bits_has_rounded_stop_an_import() {
    let rows = |id: &dyn Fn(u32) -> u64| {
        HEADER.to_owned() + &(0..60).map(|n| format!("{},{}\n", id(n), usual(n))).collect::<String>()
    };
    let single = |n: u32| u64::from(((n * 977_771) as f32 + 123_456_789.0) as u32);
    let office = Office::new();
    let said = office.import(&office.write("a.csv", rows(&single))).unwrap_err().to_string();
    assert!(
        said.starts_with("`person_id`: 60 of 60 identifiers are numbers without their last digits"),
        "{said}"
    );
    for usual in
        [&(|n: u32| 100_000_000 + u64::from(n) * 10) as &dyn Fn(u32) -> u64, &|n| u64::from(n) + 16_000_000]
    {
        office.import(&office.write("a.csv", rows(usual))).unwrap();
    }
}

#[test]
fn what_all_values_have_in_common_is_found_in_one_file_too() {
    let office = Office::new();
    let evening = |n: u32| format!("F,1,{n},2000-01-01 23:00:00,Tema");
    let said = office.import(&office.write("a.csv", district("A", 0..30, evening))).unwrap_err().to_string();
    let expected = "`born`: 30 of 30 moments are at midnight of another place, 100 % (lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ..): their \
        day may be the one before the one that is meant: export days; or, if they say how far their clock is from UTC (`Z`, `+00:00`), \
        declare the `time_zone` in which they are midnight, or none if they are days";
    assert!(said.starts_with(expected), "{said}");
    // Summer time, half hours, and both.
    for other in ["2000-01-01 00:00:00", "2000-01-01T21:15:00Z", "2000-01-01T18:30:00.000Z"] {
        let office = Office::new();
        let row = |n: u32| {
            format!("F,1,1,{},Tema", if n.is_multiple_of(3) { other } else { "2000-01-01T23:00:00Z" })
        };
        let said = office.import(&office.write("a.csv", district("A", 0..30, row))).unwrap_err().to_string();
        assert!(said.contains("moments are at midnight of another place"), "{other}: {said}");
    }
    // One moment in ten may be another, and days say nothing.
    for (other, odd, is_found) in [
        ("2000-01-01 12:00:00", 3, true),
        ("2000-01-01 12:00:00", 4, false),
        ("2000-01-01 23:00:01", 4, false),
        ("2000-01-01 17:00:00", 4, false),
        ("2000-01-01", 20, true),
        ("2000-01-01", 21, false),
    ] {
        let office = Office::new();
        let row = |n: u32| format!("F,1,1,{},Tema", if n < odd { other } else { "2000-01-01 23:00:00" });
        let imported = office.import(&office.write("a.csv", district("A", 0..30, row)));
        assert_eq!(imported.is_err(), is_found, "{odd} {other}");
    }
    // At its place, the moment is on the day that is meant.
    let mut office = Office::new();
    let born = office.dataset.columns.get_mut(&"born".parse().unwrap()).unwrap();
    born.reading.time_zone = Some("Africa/Lagos".into());
    let evening = |n: u32| format!("F,1,{n},2000-01-01T23:00:00Z,Tema");
    office.import(&office.write("a.csv", district("A", 0..30, evening))).unwrap();
    // West of it, midnight of UTC is the day before: these are days.
    let born = office.dataset.columns.get_mut(&"born".parse().unwrap()).unwrap();
    born.reading.time_zone = Some("Atlantic/Cape_Verde".into());
    let days = |n: u32| format!("F,1,{n},2000-01-{:02}T00:00:00Z,Tema", n % 28 + 1);
    let said = office.import(&office.write("a.csv", district("A", 0..30, days))).unwrap_err().to_string();
    assert!(said.contains("30 of 30 moments are at midnight of another place"), "{said}");
    let mut office = Office::new();
    office.options.notation.days = Some("%m/%d/%Y".parse().unwrap());
    let evening = |n: u32| format!("F,1,{n},1/{}/2000 11:00:00 PM,Tema", n % 28 + 1);
    let said = office.import(&office.write("a.csv", district("A", 0..30, evening))).unwrap_err().to_string();
    assert!(said.contains("30 of 30 moments are at midnight of another place"), "{said}");
}

#[test]
fn a_last_row_with_the_sum_of_the_others_is_a_total_whatever_stands_beside_it() {
    let rows = district("A", 1..40, usual);
    let sum: u32 = (1..40).map(|n| (n * 7 % 5_000) * 100 + 25).sum();
    let total = |sum: u32| format!("{rows}Z2024,F,1,{}.{:02},2000-01-01,Tema\n", sum / 100, sum % 100);
    let office = Office::new();
    let file = office.write("a.csv", total(sum));
    let said = office.import(&file).unwrap_err().to_string();
    assert!(
        said.contains("1 of 40 rows are a file's last, and have neither a code nor a day, or the sum"),
        "{said}"
    );
    // With neither code nor day beside it, in a small file too.
    let small = district("A", 1..15, usual);
    let sum: u32 = (1..15).map(|n| (n * 7 % 5_000) * 100 + 25).sum();
    let content = format!("{small}T1,,,{}.{:02},,\n", sum / 100, sum % 100);
    let said = office.import(&office.write("small.csv", content)).unwrap_err().to_string();
    assert!(said.contains("(line 16): remove them if they are totals"), "{said}");
    let office = office.accepting("person_id:last", 0.1);
    office.import(&file).unwrap();
    let office = Office::new();
    office.import(&office.write("a.csv", total(sum + 1))).unwrap();
    // Few numbers make a sum by chance.
    let few = district("A", 1..9, |n| format!("F,{},1,2000-01-01,Tema", if n < 6 { 0 } else { n }));
    let content = few + "A9,F,21,1,2000-01-01,Tema\n";
    office.import(&office.write("a.csv", content)).unwrap();
}

#[test]
fn a_row_that_numbers_the_columns_is_no_unit_s() {
    let office = Office::new();
    for numbers in ["1,2,3,4,5,6", "(1),(2),(3),(4),(5),(6)"] {
        let content = district("A", 0..3, usual).replacen('\n', &format!("\n{numbers}\n"), 1);
        let error = office.import(&office.write("a.csv", content)).unwrap_err();
        assert!(matches!(error, ImportError::Row(RowError::Numbered { line: 2 })), "{error}");
    }
    let content = district("", 1..4, |n| format!("F,{n},4,2000-01-01,6"));
    office.import(&office.write("a.csv", content)).unwrap();
}

#[test]
fn text_in_utf_8_that_is_said_to_be_in_another_encoding_is_refused() {
    let rows = |word: &str| district("A", 0..3_000, usual).replacen("Tema", word, 1);
    let office = Office::new();
    for name in ["C\u{f4}te d'Ivoire", "\u{20ac}", "\u{1f600}"] {
        let file = office.write("a.csv", rows(name));
        let said = office.import_in(&file, "latin-1").unwrap_err().to_string();
        assert!(said.contains("is text in UTF-8: leave --encoding out"), "{said}");
        assert!(office.is_tidy());
        office.import(&file).unwrap();
    }
    office.import_in(&office.write("a.csv", rows("Tema")), "latin-1").unwrap();
    let latin: Vec<u8> =
        rows("C\u{f4}te \u{c3}\u{a9}").chars().map(|letter| u32::from(letter) as u8).collect();
    office.import_in(&office.write("a.csv", latin), "latin-1").unwrap();
}

/// One fault is said once: days in another order are no undeclared values beside it.
#[test]
fn a_district_s_days_in_another_order_are_one_fault() {
    let office = Office::new();
    let other = |n: u32| format!("F,1,{n},{:02}/01/2000,Tema", n % 28 + 1);
    let files = [
        office.write("a.csv", district("A", 0..900, usual)),
        office.write("b.csv", district("B", 0..30, other)),
    ];
    let error = office.import_all(&files).unwrap_err();
    let said = error.to_string();
    let ImportError::Unfit { columns, .. } = error else { panic!("{said}") };
    assert_eq!(columns.len(), 1, "{said}");
    assert!(said.starts_with("`born`: 30 of 930 days are written in another way"), "{said}");
    office.accepting("born:notations", 0.04).import_all(&files).unwrap();
}
