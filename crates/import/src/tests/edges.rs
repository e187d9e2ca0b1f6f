//! Rows that are no unit's, wherever they stand in a file: types and labels below its header, and totals.

use std::ops::ControlFlow;

use super::fixture::{HEADER, Office, dataset, lines};
use crate::{FileFormat, ImportError};

/// Two files, of which the second has these rows below its header, as one table, and alone.
fn imported_below_header(head: &str) -> [Result<crate::ImportReport, ImportError>; 2] {
    let office = Office::new();
    let first = office.write("a.csv", format!("{HEADER}{}", lines(0..60)));
    let second = office.write("b.csv", format!("{HEADER}{head}{}", lines(60..120)));
    [office.import_all(&[first, second.clone()]), office.import(&second)]
}

#[test]
fn types_units_and_labels_below_a_header_stop_an_import_in_every_file() {
    for (head, count) in [
        ("VARCHAR2(10),CHAR,NUMBER,NUMBER,DATE,TEXT\n", 1),
        ("------,---,---,-----,----------,----\n", 1),
        ("Q1_id,Q2_sex,Q3_age,Q4_income,Q5_born,Q6_village\n", 1),
        ("#person1,#sex,#age,#value,#date,#adm3\n", 1),
        ("No. 1,-,years,GHS,-,-\n", 1),
        ("P1,,years,GHS,,\n", 1),
        ("F1,F2,F3,F4\u{b2},F5,F6\n", 1),
        ("Numéro,Sexe,Age,Revenu,Naissance,Village\nA10,A1,N3,N9.2,D10,A20\n", 2),
    ] {
        let [both, alone] = imported_below_header(head).map(|done| done.unwrap_err().to_string());
        let rows = 60 + count;
        assert!(
            alone.contains(&format!("`person_id`: {count} of {rows} rows are among a file's first")),
            "{alone}"
        );
        assert!(both.contains(&format!(" of {} rows are among a file's first", rows + 60)), "{both}");
        assert!(alone.contains("(line 2") && both.contains("(b.csv line 2"), "{both}");
    }
    for numbers in ["C1,C2,C3,C4,C5,C6", "[1],[2],[3],[4],[5],[6]", "0,1,2,3,4,5", "(1),(2),(3),(4),(5),(6)"]
    {
        for (head, at) in [(format!("{numbers}\n"), 2), (format!("T1,T2,T3,T4,T5,T7\n{numbers}\n"), 3)] {
            let [both, alone] = imported_below_header(&head).map(|done| done.unwrap_err().to_string());
            assert!(alone.contains(&format!("line {at} numbers the columns")), "{alone}");
            assert!(both.contains(&format!("b.csv: line {at} numbers the columns")), "{both}");
        }
    }
}

#[test]
fn first_rows_that_others_are_like_and_those_with_a_declared_value_are_units() {
    for head in [
        "GHA999,x,31,1,2000-01-01,Tema\n",
        "GHA999,x,,,2000-01-01,\n",
        "GHA999,F,years,GHS,-,\n",
        "GHA999,,31,,x,\n",
    ] {
        for done in imported_below_header(head) {
            done.unwrap();
        }
    }
    // Of a file in which one row in fifty has no declared value, the first may be such a row.
    let rows = lines(0..200);
    let rows = rows.lines().enumerate().map(|(n, line)| match n % 50 {
        0 => format!("GHA{n},x,,,y,Tema\n"),
        _ => format!("{line}\n"),
    });
    let office = Office::new();
    office.import(&office.write("a.csv", HEADER.to_owned() + &rows.collect::<String>())).unwrap();
    // Three columns are numbered by chance, unless a code is none of the declared.
    let mut office = Office::new();
    office.dataset.columns.retain(|name, _| ["sex", "age"].contains(&name.as_str()));
    let content = |first: &str| {
        format!("person_id,sex,age\n{first}\n")
            + &(10..60).map(|n| format!("{n},F,{n}\n")).collect::<String>()
    };
    let said = office.import(&office.write("a.csv", content("1,2,3"))).unwrap_err().to_string();
    assert!(said.contains("rows are among a file's first"), "{said}");
    let codes = ["F", "2"].map(|code| code.parse().unwrap()).to_vec();
    office
        .dataset
        .columns
        .insert("sex".parse().unwrap(), lango_privacy::Domain::codes(codes).unwrap().into());
    office.import(&office.write("a.csv", content("1,2,3"))).unwrap();
}

#[test]
fn of_a_few_rows_one_is_refused_for_its_values() {
    let office = Office::new();
    let odd = "GHA9,f,31,1 GHS,1/2/2000,Tema\n";
    for (persons, expected) in
        [(4, "`sex`: 1 of 5 values are unread or undeclared"), (60, "among a file's first")]
    {
        let content = format!("{HEADER}{odd}{}", lines(100..100 + persons)).replace(",31,", ",,");
        let said = office.import(&office.write("a.csv", content)).unwrap_err().to_string();
        assert!(said.contains(expected) && (persons > 4) == said.contains("a file's first"), "{said}");
    }
}

#[test]
fn a_first_row_that_is_a_total_is_refused_with_its_line() {
    let sum: u32 = (60..120).map(|n| n * 100 + 25).sum();
    let sum = format!("{}.{:02}", sum / 100, sum % 100);
    for (head, expected) in [
        (",,450,12345.5,,\n".to_owned(), "1 of 61 rows have no identifier"),
        (
            "Celkem,,450,12345.5,,\n".to_owned(),
            "line 2, the first row, has an identifier without a digit and fields",
        ),
        (format!("GHA0200,F,1,{sum},2000-01-01,Tema\n"), "1 of 61 rows are among a file's first"),
        ("GHA0200,,450,12345.5,,\n".to_owned(), "1 of 61 rows are among a file's first"),
    ] {
        let [both, alone] = imported_below_header(&head).map(|done| done.unwrap_err().to_string());
        assert!(alone.contains(expected), "{alone}");
        assert!(both.contains("b.csv") && both.contains("line 2"), "{both}");
    }
    // A person of whom nothing else is known may be the first.
    let office = Office::new().accepting("person_id:first", 0.02);
    let file = office.write("a.csv", format!("{HEADER}GHA0200,,450,1,,\n{}", lines(60..120)));
    office.import(&file).unwrap();
}

#[test]
fn first_rows_are_found_by_an_import_that_was_interrupted_too() {
    let mut office = Office::new();
    office.dataset = dataset(1);
    office.tuning.transaction_rows = 1;
    let file = office.write("a.csv", format!("{HEADER}T1,T2,T3,T4,T5,T6b\n{}", lines(0..50_000)));
    office.interrupt(&file, 10_000);
    let mut resumed = false;
    let done = office.import_as(&file, FileFormat::of(&file).unwrap(), &mut |event| {
        resumed |= matches!(event, crate::ImportEvent::Resumed(_));
        ControlFlow::Continue(())
    });
    let said = done.unwrap_err().to_string();
    assert!(resumed && said.contains("1 of 50001 rows are among a file's first"), "{said}");
    assert!(said.contains("(line 2)"), "{said}");
}

/// Rows of a district with the sum of their numbers: their identifiers, sexes and the total's fields.
fn part(persons: std::ops::Range<u32>, total: impl Fn(u32, &str) -> String) -> String {
    let sum: u32 = persons.clone().map(|n| n * 100 + 25).sum();
    let ages = persons.clone().map(|n| n % 100).sum();
    lines(persons) + &total(ages, &format!("{}.{:02}", sum / 100, sum % 100)) + "\n"
}

#[test]
fn totals_among_the_rows_stop_an_import_whatever_they_are_called() {
    type Total = fn(u32, &str) -> String;
    let sums = "rows hold the sum of the numbers above them";
    let odd = "identifiers are unlike the others";
    for (what, of_each, total, expected) in [
        ("a district's name", 4, (|ages, sum| format!("Accra{ages},,{ages},{sum},,")) as Total, ""),
        ("a word", 60, |_, sum| format!("Sous-total 1,,,{sum},,"), odd),
        ("a word, many times", 8, |_, sum| format!("Total,,,{sum},,"), odd),
        ("names, many times", 8, |_, _| "Greater Accra,,40,1,,".into(), odd),
        ("names in one word", 8, |_, _| "Accra,,40,1,,".into(), odd),
        ("a district's number", 60, |ages, sum| format!("D{ages},,{ages},{sum},,"), sums),
        ("with a code and a day", 60, |ages, sum| format!("D{ages},F,{ages},{sum},2000-01-01,Tema"), sums),
        ("of one column", 60, |ages, sum| format!("D{ages},F,30,{sum},2000-01-01,Tema"), sums),
    ] {
        let mut office = Office::new();
        office.dataset = dataset(30);
        let parts = (0..5).map(|at| part(at * of_each..(at + 1) * of_each, total));
        let content = HEADER.to_owned() + &parts.collect::<String>() + &lines(900..904);
        let file = office.write("a.csv", content);
        if expected.is_empty() {
            // Four rows make no sum that is no chance, and the identifiers are like others.
            office.import(&file).unwrap();
            continue;
        }
        let said = office.import(&file).unwrap_err().to_string();
        assert!(
            said.contains(&format!("`person_id`: 5 of {} {expected}", of_each * 5 + 9)),
            "{what}: {said}"
        );
        let first = of_each + 2;
        assert!(said.contains(&format!("(lines {first}, ")), "{what}: {said}");
        // In the second of two files.
        let other = office.write("b.csv", format!("{HEADER}{}", lines(2_000..2_400)));
        let said = office.import_all(&[other, file]).unwrap_err().to_string();
        assert!(said.contains(expected) && said.contains(&format!("a.csv line {first}")), "{what}: {said}");
    }
}

#[test]
fn one_row_that_holds_a_sum_by_chance_is_a_person_s() {
    // In the midst, with all that a person has, and without a code.
    let content = |row: &str| format!("{HEADER}{}{row}\n{}", lines(0..6), lines(10..90));
    let office = Office::new();
    office.import(&office.write("a.csv", content("GHA6,F,15,1,2000-01-01,Tema"))).unwrap();
    let file = office.write("a.csv", content("GHA6,,15,1,2000-01-01,Tema"));
    let said = office.import(&file).unwrap_err().to_string();
    assert!(said.contains("1 of 87 rows hold the sum of the numbers above them"), "{said}");
    assert!(
        said.contains("(line 8): remove them if they are totals of the rows above, or say --accept"),
        "{said}"
    );
    office.accepting("person_id:totals", 0.02).import(&file).unwrap();
    // Letters and digits of one register, of which many have no digit and lack no more than others do.
    let names = ["Ama", "B1", "Kofi", "D2", "Esi", "F3"];
    let rows: String =
        (0..60).map(|n| format!("{}{},,30,1,2000-01-01,Tema\n", names[n % 6], "x".repeat(n / 6))).collect();
    let office = Office::new();
    office.import(&office.write("a.csv", HEADER.to_owned() + &rows)).unwrap();
}
