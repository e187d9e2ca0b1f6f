//! Days that begin months, read with day and month exchanged: all are in one month.

use super::fixture::{HEADER, Office};
use crate::ImportError;

const FAULT: &str = "days are on the first twelve of one month";

/// A file of as many rows, of which each has the day that a function writes.
fn file(rows: std::ops::Range<u32>, day: impl Fn(u32) -> String) -> String {
    let row = |n: u32| format!("P{n},F,{},{n}.25,{},Tema\n", n % 90, day(n));
    HEADER.to_owned() + &rows.map(row).collect::<String>()
}

fn import(files: &[String], days: Option<&str>, office: Office) -> Result<u64, ImportError> {
    let mut office = office;
    office.options.notation.days = days.map(|days| days.parse().unwrap());
    let files = files.iter().enumerate().map(|(n, content)| office.write(&format!("{n}.csv"), content));
    let files: Vec<_> = files.collect();
    office.import_all(&files).map(|report| report.rows)
}

fn first_of_month(n: u32) -> String {
    format!("01/{:02}/{}", n * 7 % 12 + 1, 1990 + n % 30)
}

fn any_day(n: u32) -> String {
    format!("{:02}/{:02}/{}", n * 11 % 28 + 1, n * 7 % 12 + 1, 1990 + n % 30)
}

#[test]
fn days_that_are_all_in_one_month_in_the_order_that_is_said_stop_an_import() {
    let firsts = [file(0..60, first_of_month)];
    let said = import(&firsts, Some("%m/%d/%Y"), Office::new()).unwrap_err().to_string();
    assert!(said.starts_with(&format!("`born`: 60 of 60 {FAULT}")), "{said}");
    assert!(said.contains("say --dates") && said.contains("--accept born=1:month"), "{said}");
    assert_eq!(import(&firsts, Some("%d/%m/%Y"), Office::new()).unwrap(), 60);
    assert_eq!(import(&firsts, Some("%m/%d/%Y"), Office::new().accepting("born:month", 1.0)).unwrap(), 60);
    // What a program exchanged before it wrote the file.
    let exchanged = [file(0..60, |n| format!("{}-01-{:02}", 1990 + n % 30, n * 7 % 12 + 1))];
    let said = import(&exchanged, None, Office::new()).unwrap_err().to_string();
    assert!(said.contains(FAULT), "{said}");
}

#[test]
fn one_file_s_days_are_exchanged_however_right_those_of_the_others_are() {
    let any_day = |n: u32| any_day(n).split('/').map(str::to_owned).collect::<Vec<_>>();
    let right = |n: u32| format!("{}/{}/{}", any_day(n)[1], any_day(n)[0], any_day(n)[2]);
    let files = [file(0..200, right), file(200..240, first_of_month)];
    let said = import(&files, Some("%m/%d/%Y"), Office::new()).unwrap_err().to_string();
    assert!(said.starts_with(&format!("`born`: 40 of 240 {FAULT}")), "{said}");
    assert!(said.contains("1.csv line 2"), "{said}");
}

#[test]
fn days_of_one_month_and_days_that_are_one_day_stand_for_themselves() {
    for day in [
        |n: u32| format!("{:02}/07/2024", n % 31 + 1),
        |_: u32| "05/07/2024".to_owned(),
        |n: u32| format!("01/01/{}", 1950 + n % 60),
        |n: u32| format!("{:02}/07/{}", n % 2 + 1, 1990 + n % 30),
        any_day,
    ] {
        assert_eq!(import(&[file(0..60, day)], Some("%d/%m/%Y"), Office::new()).unwrap(), 60);
    }
}
