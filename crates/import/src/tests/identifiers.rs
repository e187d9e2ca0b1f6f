//! One unit under two identifiers, two units under one, and files whose rows would count twice: with one row of each unit a key
//! finds the most of them, with several nothing else does.

use std::sync::atomic::{AtomicU32, Ordering};

use super::fixture::{HEADER, Office, dataset, gzip};
use crate::ImportError;

/// Rows with these identifiers, as many of each, no two alike.
fn visits(identifiers: impl IntoIterator<Item = String>, of_each: usize) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let row = |unit: String| {
        let cents = NEXT.fetch_add(1, Ordering::Relaxed);
        format!("{unit},F,1,{}.{:02},2000-01-01,Tema\n", cents / 100, cents % 100)
    };
    identifiers.into_iter().flat_map(|unit| vec![unit; of_each]).map(row).collect()
}

fn several(rows_at_most: u32) -> Office {
    let mut office = Office::new();
    office.dataset = dataset(rows_at_most);
    office
}

/// A case: the rows of one file, and what its refusal says of them; nothing if it is imported.
fn check(rows_at_most: u32, rows: &str, expected: &str) {
    let office = several(rows_at_most);
    let file = office.write("a.csv", format!("{HEADER}{rows}"));
    match (office.import(&file), expected) {
        (Ok(_), "") => {}
        (Err(error), _) if !expected.is_empty() => {
            let said = error.to_string();
            assert!(said.starts_with("`person_id`: ") && said.contains(expected), "{expected}: {said}");
            let word = said.rsplit_once(" to import").and_then(|(said, _)| said.rsplit_once(':')).unwrap().1;
            let office = several(rows_at_most).accepting(&format!("person_id:{word}"), 1.0);
            office.import(&office.write("a.csv", format!("{HEADER}{rows}"))).unwrap();
        }
        (done, _) => panic!("{expected}: {done:?}"),
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn one_unit_under_two_identifiers_stops_an_import() {
    for (identifiers, expected) in [
        (&["GHA-1", "gha-1", "GHA-2"][..], "2 of 3 identifiers are another one in the other case"),
        (
            &["GHA-1", "GHA\u{2010}1", "GHA-2"],
            "2 of 3 identifiers are another one in the other case, with other blanks or marks, or in \
            letters of the same shape, 66.67 % (lines 2, 3): write each unit's identifier in one way",
        ),
        (&["GHA-1", "GH\u{410}-1"], "2 of 2 identifiers"),
        (&["\u{c9}1", "E\u{301}1", "\u{c9}2"], "2 of 3 identifiers"),
        (&["107", "\u{661}\u{660}\u{667}"], "2 of 2 identifiers"),
        (&["GHA 1", "GHA\u{202f}1"], "2 of 2 identifiers"),
        (&["{a1-b2}", "a1-b2"], "2 of 2 identifiers"),
        (&["1001.", "+1002", "1003"], ""),
        (&["gha-1", "gha-2", "GHA-3"], ""),
        (&["\u{c9}1", "E1"], ""),
        (&["1O", "10", "IO", "lo"], ""),
        (&["0001", "'0002", "=\"0003\""], ""),
        (&["########", "########", "1001"], "2 of 3 identifiers are numbers without their last digits"),
    ] {
        check(2, &visits(names(identifiers), 1), expected);
    }
    // What a spreadsheet writes in front of a text is left out, and so two are one unit.
    let office = Office::new();
    let rows = visits(names(&["0001", "'0001", "0002"]), 1);
    let error = office.import(&office.write("a.csv", format!("{HEADER}{rows}"))).unwrap_err();
    assert!(matches!(error, ImportError::Repeated { units: 1, .. }), "{error}");
}

#[test]
fn two_units_under_one_identifier_stop_an_import() {
    let long = |n: usize| format!("85010112345{:04}00", (n * 7_919 % 10_000) | 1);
    let usual = |n: usize| format!("8501011234{:06}", n * 7);
    let persons = |count: usize| (1001..1001 + count).map(|n| format!("{}", n * 7919 % 100_003));
    for (rows_at_most, rows, expected) in [
        (3, visits((0..9).map(long), 1), "9 of 9 identifiers are numbers without their last digits"),
        (3, visits((0..200).map(usual), 1), ""),
        (
            2,
            visits(persons(300), 2) + &visits(names(&["9999999"]), 5),
            "5 of 605 rows have an identifier that stands on more",
        ),
        (2, visits(persons(300), 2) + &visits(names(&["0"]), 5), "5 of 605 rows"),
        (2, visits(persons(300), 2) + &visits(names(&["-1"]), 5), "5 of 605 rows"),
        (2, visits(persons(300), 2) + &visits(names(&["UNKNOWN1"]), 21), "21 of 621 rows"),
        (2, visits(persons(300), 2) + &visits(names(&["UNKNOWN1"]), 20), ""),
        (2, visits(persons(11_000), 2) + &visits(names(&["UNKNOWN1"]), 201), "201 of 22201 rows"),
        (2, visits(persons(300), 2) + &visits(names(&["0"]), 4), ""),
        // One unit may have more rows than are read of it; only in a hundred rows is it no unit.
        (2, visits(persons(3_000), 2) + &visits(names(&["P7"]), 60), ""),
    ] {
        check(rows_at_most, &rows, expected);
    }
}

#[test]
fn numbers_that_are_counted_from_the_beginning_again_stop_an_import() {
    let count = |from: usize, to: usize| (from..to).map(|n| format!("{n}"));
    let marked = |mark: &'static str, to: usize| (1..to).map(move |n| format!("{mark}-{n:04}"));
    for (rows, expected) in [
        (visits(count(1, 40), 1) + &visits(count(1, 30), 1), "1 of 68 rows begin to count identifiers anew"),
        (visits(count(1, 40), 2) + &visits(count(1, 30), 1), "1 of 107 rows"),
        (visits(marked("H", 40), 1) + &visits(marked("H", 30), 1), "1 of 68 rows"),
        (visits(marked("A", 40), 1) + &visits(marked("B", 30), 1), ""),
        // Of areas of few households each, with numbers left out.
        (visits((0..30).flat_map(|_| count(1, 11)), 1), "29 of 300 rows"),
        (visits(count(1, 40).filter(|n| n != "20"), 1) + &visits(count(2, 30), 1), "1 of 66 rows"),
        (visits(count(1, 15), 1) + &visits(count(1, 15), 1), ""),
        (visits(count(1, 40), 1) + &visits(count(60, 90), 1), ""),
        (visits((1..40).map(|n| format!("{}", n * 3)), 1) + &visits(count(1, 30), 1), ""),
    ] {
        check(3, &rows, expected);
    }
    let office = several(3);
    let part = |name: &str, to| office.write(name, format!("{HEADER}{}", visits(count(1, to), 1)));
    let error = office.import_all(&[part("north.csv", 40), part("south.csv", 30)]).unwrap_err().to_string();
    let expected = "`person_id`: 1 of 68 rows begin to count identifiers anew, 1.48 % (south.csv line 2): if these are other units, \
        put a mark of their file or district in front of their identifiers; if they are the same units in an older copy, leave \
        that out, or say --accept person_id=0.0148:counted-again";
    assert!(error.contains(expected), "{error}");
}

#[test]
fn the_same_rows_in_another_packing_are_a_copy() {
    let office = several(3);
    let rows = visits((1..60).map(|n| format!("P{}", n * 13 % 60)), 1);
    let plain = office.write("a.csv", format!("{HEADER}{rows}"));
    let packed = office.write("a.csv.gz", gzip(format!("{HEADER}{rows}").as_bytes()));
    let other = office.write("b.csv", format!("{HEADER}{}", rows.replace("P13,F", "P13,M")));
    let short = office.write("c.csv", format!("{HEADER}{}", rows.split_once('\n').unwrap().1));
    let copied =
        format!("x,{HEADER}").replace('\n', "\nx,") + rows.trim_end().replace('\n', "\nx,").as_str() + "\n";
    let wider = office.write("d.csv", &copied);
    let said = office.import_all(&[other.clone(), plain.clone(), packed]).unwrap_err().to_string();
    assert!(
        said.starts_with("`person_id`: 117 of 177 rows are in all declared columns like one before them"),
        "{said}"
    );
    assert!(office.is_tidy());
    // Two that differ in a column that is not declared.
    let widest = office.write("e.csv", copied.replace("\nx,", "\ny,"));
    let said = several(3).import_all(&[wider, widest]).unwrap_err().to_string();
    assert!(
        said.starts_with("`person_id`: 59 of 118 rows are in all declared columns like one before them"),
        "{said}"
    );
    let said = office.import_all(&[plain, other, short]).unwrap_err().to_string();
    assert!(said.contains("116 of 176 rows are in all declared columns like one before them"), "{said}");
}

/// What is read as a few units may have been thousands, and only the office can say.
#[test]
fn numbers_that_may_be_thousands_stop_an_import_until_it_is_said_what_they_are() {
    let rows = |incomes: &[&str]| {
        let row = |(n, income): (usize, &&str)| format!("P{n},F,1,\"{income}\",2000-01-01,Tema\n");
        HEADER.to_owned() + &incomes.iter().enumerate().map(row).collect::<String>()
    };
    for (incomes, comma, expected) in [
        (&["2.874", "12.500", "950"][..], false, "2 of 3 numbers have three decimals"),
        (&["287,400", "950"], true, "1 of 2 numbers have three decimals"),
        (&["2.874", "12.50"], false, ""),
        (&["2.874", "1250"], false, ""),
        (&["0.874"], false, ""),
        (&["2.8745"], false, ""),
        (&["950"], false, ""),
    ] {
        let mut office = Office::new();
        if comma {
            office.options.notation.decimal = crate::DecimalMark::Comma;
        }
        let file = office.write("a.csv", rows(incomes));
        match office.import(&file) {
            Ok(_) => assert_eq!(expected, "", "{incomes:?}"),
            Err(error) => {
                let said = error.to_string();
                assert!(!expected.is_empty() && said.contains(expected), "{incomes:?}: {said}");
                assert!(office.accepting("income:thousands", 1.0).import(&file).is_ok(), "{incomes:?}");
            }
        }
    }
}

#[test]
fn a_column_that_is_mostly_outside_of_its_bounds_stops_an_import() {
    let rows = |age: &str, born: &str| {
        let row = |n: u32| format!("P{n},F,{},1,{},Tema\n", if n < 6 { age } else { "30" }, born);
        HEADER.to_owned() + &(0..10).map(row).collect::<String>()
    };
    for (age, born, expected) in [
        (
            "1990",
            "2000-01-01",
            "`age`: 6 of 10 numbers are outside of the declared bounds, 60 % (lines 2, 3, 4, 5, 6, 7): correct",
        ),
        ("30", "1800-01-01", "`born`: 10 of 10 days are outside of the declared period"),
        ("110", "1900-01-01", ""),
    ] {
        let office = Office::new().accepting("born:origin", 1.0);
        match office.import(&office.write("a.csv", rows(age, born))) {
            Ok(_) => assert_eq!(expected, ""),
            Err(error) => {
                let said = error.to_string();
                assert!(!expected.is_empty() && said.contains(expected), "{said}");
            }
        }
    }
}

/// In the order of texts, and descending, as spreadsheets sort.
#[test]
fn counts_in_another_order_are_found_by_how_often_each_number_stands_there() {
    let sorted = |units: u32| {
        let mut numbers: Vec<String> = (1..=units).map(|n| n.to_string()).collect();
        numbers.sort();
        numbers
    };
    let descending = |units: u32| (1..=units).rev().map(|n| format!("H{n:05}")).collect::<Vec<_>>();
    let sizes = [120, 70, 95, 40, 60];
    let districts = |order: &dyn Fn(u32) -> Vec<String>| -> String {
        let row = |unit: String, size: u32| format!("{unit},F,1,{size},2000-01-01,Tema\n");
        sizes.iter().flat_map(|size| order(*size).into_iter().map(move |unit| row(unit, *size))).collect()
    };
    for rows in [districts(&sorted), districts(&descending)] {
        check(12, &rows, "4 of 385 rows begin to count identifiers anew");
    }
    // Each unit with as many rows as chance gives it, and a panel that some have left.
    let number = |n: u32| n * 37 % 120 + 1;
    let row = |unit: u32, n: u32| format!("{unit},F,1,{n},2000-01-01,Tema\n");
    let by_chance: String =
        (0..120).flat_map(|n| (0..=number(n) * 7 % 5).map(move |of| row(number(n), of))).collect();
    let panel: String = (0..12)
        .rev()
        .flat_map(|month| {
            (0..120).filter(move |n| month < 8 || n % 17 > 0).map(move |n| row(number(n), month))
        })
        .collect();
    for rows in [by_chance, panel] {
        check(12, &rows, "");
    }
}

/// An accepted row without identifier is none of a count, and numbers beyond those of counts are none.
#[test]
fn counts_are_found_beside_rows_of_nobody_and_among_large_numbers_none() {
    let count = |size: u32| (1..=size).map(|n| n.to_string()).chain([String::new()]);
    let rows = visits([50, 50, 50].into_iter().flat_map(count), 1);
    let office = several(12).accepting("person_id", 0.02).accepting("person_id:copies", 1.0);
    let said = office.import(&office.write("a.csv", format!("{HEADER}{rows}"))).unwrap_err().to_string();
    assert!(said.contains("2 of 150 rows begin to count identifiers anew"), "{said}");
    // From 100001 on in each of the districts, in no order.
    let far = |size: u32| (0..size).map(move |n| (100_001 + n * 7 % size).to_string());
    let rows: String = [40, 60, 95].into_iter().map(|size| visits(far(size), 1)).collect();
    check(12, &rows, "2 of 195 rows begin to count identifiers anew");
    let mut office = several(12);
    let numbers = lango_privacy::Domain::amount(0, i64::MAX / 2, 0, None).unwrap();
    office.dataset.columns.insert("person_id".parse().unwrap(), numbers.into());
    let large = (0..60).map(|n: i64| (i64::MAX / 2 - n * 7_919 % 1_000 * 1_000_000_007).to_string());
    let content = format!("{HEADER}{}", visits(large, 2));
    office.import(&office.write("a.csv", content)).unwrap();
}

/// A policy that declares the unit's column too, and a `missing` for it.
#[test]
fn of_identifiers_missing_says_nothing() {
    let mut office = several(3);
    let mut column = lango_privacy::Column::from(lango_privacy::Domain::Open);
    column.reading.missing = ["NA1".to_owned()].into();
    office.dataset.columns.insert("person_id".parse().unwrap(), column);
    let report = office
        .import(&office.write("a.csv", format!("{HEADER}{}", visits(names(&["NA1", "P2"]), 1))))
        .unwrap();
    assert_eq!(super::fixture::found(&report, "person_id"), []);
    assert_eq!(office.rows()[0][0], super::fixture::text("NA1"));
}

/// The same persons at another time, in growing panels and in serial order: their sex and birthday stay theirs.
#[test]
fn a_panel_s_serial_numbers_are_not_counted_again() {
    let person = |n: u32, wave: u32| {
        let (sex, born) = (if (n * 7).is_multiple_of(3) { "F" } else { "M" }, 1950 + n * 13 % 60);
        format!("{n},{sex},{},{wave},{born}-01-01,Tema\n", n % 70 + wave)
    };
    let waves: String = (0..4).flat_map(|wave| (1..=100 + wave * 20).map(move |n| person(n, wave))).collect();
    check(12, &waves, "");
    // Other persons under the same numbers, in each of four districts and on several days.
    let other = |district: u32| {
        let visits = move |n: u32| (0..1 + n * 11 % 3).map(move |day| (n, day));
        let row = move |(n, day): (u32, u32)| {
            let (sex, born) = (
                if (n * 31 + district * 17) % 5 < 2 { "F" } else { "M" },
                1950 + (n * 13 + district * 29) % 60,
            );
            format!("{n},{sex},{},{day},{born}-01-01,T{district}\n", (n * 7 + district * 23) % 70)
        };
        (1..=100 + district * 60).rev().flat_map(visits).map(row)
    };
    check(20, &(0..4).flat_map(other).collect::<String>(), "rows begin to count identifiers anew");
}

#[test]
fn one_unit_with_other_marks_in_its_identifier_stops_an_import() {
    let alike = "identifiers are another one in the other case, with other blanks or marks";
    for (identifiers, expected) in [
        (&["\"1,001\"", "1001", "1002"][..], alike),
        (&["\"1,000\"", "1000", "\"12,001\""], alike),
        (&["1.001.001", "1001001"], alike),
        (&["100-001", "100/001", "100-002"], alike),
        (&["100-001", "100_001", "100-002"], alike),
        (&["GHA-ACC-001", "GHA/ACC/001"], alike),
        (&["GHA-001", "GHA001"], alike),
        // A household and its members, and numbers that share their digits.
        (&["1-11", "11-1", "111", "1-12"], ""),
        (&["12", "12-1", "121", "12-2"], ""),
        (&["100/001", "100/002", "1001/002"], ""),
        (&["12.1", "12.10", "121", "12.2"], ""),
    ] {
        check(2, &visits(names(identifiers), 1), expected);
    }
    // In two files, of which each writes all in one way.
    let office = several(1);
    let file = |name: &str, mark: &str| {
        let identifiers = (0..50).map(|n| format!("{}{mark}{:03}", 100 + n, n * 7));
        office.write(name, format!("{HEADER}{}", visits(identifiers, 1)))
    };
    let files = [file("a.csv", "-"), file("b.csv", "/")];
    let said = office.import_all(&files).unwrap_err().to_string();
    assert!(said.starts_with(&format!("`person_id`: 100 of 100 {alike}")), "{said}");
    office.import(&files[0]).unwrap();
}

#[test]
fn identifiers_that_are_drawn_or_counted_in_letters_and_digits_are_like_one_another() {
    let digits = |n: u64, radix: u64, small: bool| {
        let (mut left, mut text) = (n, Vec::new());
        while left > 0 {
            let digit = char::from_digit((left % radix) as u32, 36).unwrap();
            text.push(if small { digit } else { digit.to_ascii_uppercase() });
            left /= radix;
        }
        text.iter().rev().collect::<String>()
    };
    let drawn = |n: u64, most: u64| n.wrapping_mul(6_364_136_223_846_793_005) % most;
    for radix in [16, 36] {
        for small in [true, false] {
            for most in [1 << 12, 1 << 20, 1 << 40] {
                let mut all: Vec<String> =
                    (1..1_500).map(|n| digits(drawn(n, most) + 1, radix, small)).collect();
                all.sort();
                all.dedup();
                all.retain(|text| {
                    !["na", "nil", "none", "nan", "null", "sum"].contains(&&*text.to_lowercase())
                });
                let some = all.iter().filter(|text| !text.bytes().any(|byte| byte.is_ascii_digit())).count();
                if radix == 36 || most < 1 << 40 {
                    assert!(some > 0, "{radix} {most}");
                }
                check(1, &visits(all.clone(), 1), "");
                // What is no identifier is found among them all the same, by its letters or as a word for all.
                for other in ["-----", "Total", "Source: census", "Moyenne", "G\u{e9}n\u{e9}ral"] {
                    let rows = visits(all.clone(), 1) + &visits(names(&[other]), 1);
                    check(2, &rows, "1 of ");
                }
            }
        }
    }
    // Letters stand at no place where the others have digits, or are none of theirs.
    for other in ["ANNA", "GHAAAA", "CELKEM"] {
        let rows = visits((0..300).map(|n| format!("GHA{n:03}")), 1) + &visits(names(&[other]), 1);
        check(2, &rows, "1 of 301 identifiers are unlike the others");
    }
}
