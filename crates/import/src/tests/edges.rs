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
