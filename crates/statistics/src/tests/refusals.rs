//! Answers that cannot be combined: each is refused with its office, so that the others can be combined without it.

use lango_privacy::Measurement;

use super::*;
use crate::combine_within;

fn tgo(lines: &str, cells: Vec<i64>) -> Office {
    Office::new("TGO", lines, cells)
}

fn sexes(codes: &str, cells: Vec<i64>) -> Office {
    Office::by_sex("TGO", codes, 2.0, cells)
}

#[test]
fn answers_that_cannot_be_combined_are_refused_with_the_office() {
    let good = || Office::by_sex("GHA", "F,_U", 2.0, vec![1, 2]);
    let office = || "TGO".to_owned();
    let with_scale = |scale| {
        let mut office = sexes("F,_U", vec![1, 2]);
        // Set here, because no text with a scale out of range is read.
        office.plan.margins[0].measurement = Measurement::Noise(laplace(scale));
        office
    };
    let mut unplanned = sexes("F,_U", vec![1, 2]);
    unplanned.plan.margins.clear();
    let margins = || CombineError::Margins { office: office() };
    let keys = || CombineError::Keys { office: office(), dimension: "sex".into() };
    let noise = || CombineError::Noise { office: office() };
    for (second, expected) in [
        (good(), CombineError::OfficeTwice { office: "GHA".into() }),
        (tgo(&counts("codes sex F,_U\n", &[""], 2.0), vec![1]), margins()),
        (tgo(&counts("codes sex F,_U\n", &["sex", "sex"], 2.0), vec![1, 2, 3, 4]), margins()),
        (unplanned, margins()),
        (sexes("F,_U", vec![1]), CombineError::Cells { office: office(), expected: 2, found: 1 }),
        (sexes("F,F", vec![1, 2]), keys()),
        (sexes("F,_T", vec![1, 2]), keys()),
        (with_scale(1e14), noise()),
        (with_scale(0.0), noise()),
        (with_scale(f64::NAN), noise()),
        (with_scale(f64::INFINITY), noise()),
    ] {
        assert_eq!(combined(&[good(), second], false), Err(expected));
    }
    assert_eq!(combined(&[], true), Ok(vec![]));
}

#[test]
fn cells_that_are_not_what_their_measure_says_are_refused() {
    const LAPLACE: &str = "discrete-laplace scale 2";
    const CHOICE: &str = "permute-and-flip scale 2";
    const COLUMN: &str = "column age from 0 to 9 scale 0 centre 4 candidates 10\n";
    let margin = |text: &str| format!("codes sex F,M\n{COLUMN}margin {text}");
    let flat = |text: &str| margin(text).replace("to 9", "to 0");
    for (lines, cells, refused) in [
        (margin(&format!("persons by: {LAPLACE}")), 1, false),
        (margin(&format!("persons by: {CHOICE}")), 1, true),
        (margin(&format!("persons by values a,b: {LAPLACE}")), 2, true),
        (margin(&format!("sum(age) by: {LAPLACE}")), 1, false),
        (margin(&format!("sum(height) by: {LAPLACE}")), 1, true),
        (margin(&format!("mean(age) by values above,below: {LAPLACE}")), 2, false),
        (margin(&format!("mean(age) by values below,above: {LAPLACE}")), 2, true),
        (margin(&format!("mean(age) by: {LAPLACE}")), 1, true),
        (flat(&format!("mean(age) by values above,below: {LAPLACE}")), 2, true),
        (margin(&format!("share(sex) by values F,M: {LAPLACE}")), 2, false),
        (margin(&format!("share(sex) by values F,F: {LAPLACE}")), 2, true),
        (margin(&format!("share(sex) by values F,_T: {LAPLACE}")), 2, true),
        (margin(&format!("share(sex) by values: {LAPLACE}")), 0, true),
        (margin(&format!("share(sex) by sex values F,M: {LAPLACE}")), 4, true),
        (margin(&format!("histogram(age) by values 0,5: {LAPLACE}")), 2, false),
        (margin(&format!("histogram(age) by values 1,5: {LAPLACE}")), 2, true),
        (margin(&format!("histogram(age) by values 0,5,5: {LAPLACE}")), 3, true),
        (margin(&format!("histogram(age) by values 0,10: {LAPLACE}")), 2, true),
        (margin(&format!("histogram(age) by values 0,x: {LAPLACE}")), 2, true),
        (margin(&format!("quantile(age,0.5) by values 0.5: {CHOICE}")), 1, false),
        (margin(&format!("quantile(age,0.5) by values 0.5: {LAPLACE}")), 1, true),
        (margin(&format!("quantile(age,0.5) by values 0.4: {CHOICE}")), 1, true),
        (margin(&format!("quantile(age,1.5) by values 1.5: {CHOICE}")), 1, true),
        (margin(&format!("quantile(age) by values: {CHOICE}")), 0, true),
        (
            margin(&format!("quantile(age,0.5) by values 0.5: {CHOICE}")).replace(" candidates 10", ""),
            1,
            true,
        ),
        (
            margin(&format!("quantile(age,0.5) by values 0.5: {CHOICE}")).replace("dates 10", "dates 0"),
            1,
            true,
        ),
        (margin("keys(age) by values a,b: discrete-gaussian scale 2 threshold 9"), 2, false),
        (margin("keys(age) by values a,a: discrete-gaussian scale 2 threshold 9"), 2, true),
        (margin(&format!("keys(age) by values a,b: {LAPLACE}")), 2, true),
        (margin("keys(age) by sex values a: discrete-gaussian scale 2 threshold 9"), 2, true),
        (
            margin(&format!(
                "histogram(age) by values 0,5: {LAPLACE}\nmargin histogram(age) by sex values 0,6: {LAPLACE}"
            )),
            6,
            true,
        ),
    ] {
        let office = tgo(&lines, vec![1; cells]);
        assert_eq!(office.answer().check().is_err(), refused, "{lines}");
        assert_eq!(combined(&[office], false).is_err(), refused, "{lines}");
    }
}

#[test]
fn a_centred_mean_without_the_counts_to_divide_it_by_is_refused() {
    let mean = |centre: i64| {
        let lines = format!(
            "codes sex F,M\ncolumn age from 0 to 9 scale 0 centre {centre}\n\
             margin mean(age) by sex values centred: discrete-laplace scale 2"
        );
        tgo(&lines, vec![1, 2])
    };
    let counts = |of: &str, codes: &str| {
        tgo(&format!("codes sex {codes}\nmargin {of} by sex: discrete-laplace scale 2"), vec![9, 9])
    };
    let broken = || Office { cells: vec![9], ..counts("rows(age)", "F,M") };
    for (office, refused) in [
        (mean(4).after(counts("rows(age)", "F,M")), false),
        (mean(4).after(counts("persons", "F,M")).after(counts("rows(age)", "F,M")), false),
        (mean(4), true),
        (mean(4).after(counts("rows(height)", "F,M")), true),
        (mean(4).after(counts("rows", "F,M")), true),
        (mean(4).after(counts("rows(age)", "M,F")), true),
        (mean(4).after(broken()), true),
        (mean(40).after(counts("rows(age)", "F,M")), true),
    ] {
        assert_eq!(office.answer().check().is_err(), refused);
    }
}

#[test]
fn lists_made_to_blow_up_the_table_are_refused() {
    let many = |prefix: &str| (0..3_000).map(|i| format!("{prefix}{i}")).collect::<Vec<_>>().join(",");
    let lines =
        |age: &str, sex: &str| counts(&format!("codes age {age}\ncodes sex {sex}\n"), &["age,sex"], 2.0);
    let offices = [
        Office::new("GHA", &lines(&many("a"), "F"), vec![0; 3_000]),
        Office::new("TGO", &lines("0", &many("s")), vec![0; 3_000]),
    ];
    assert_eq!(combined(&offices, false), Err(CombineError::TooManyCells));
}

#[test]
fn the_largest_answers_are_left_out_of_tables_that_hold_no_more() {
    let codes = |count: usize| (0..count).map(|i| format!("a{i}")).collect::<Vec<_>>().join(",");
    let office = |name: &'static str, count: usize| {
        Office::new(name, &counts(&format!("codes age {}\n", codes(count)), &["age"], 2.0), vec![1; count])
    };
    let offices = [office("GHA", 3), office("NGA", 900), office("SEN", 1_000), office("TGO", 4)];
    let answers: Vec<_> = offices.iter().map(Office::answer).collect();
    for (by_office, most, left_out) in [
        (false, 1_000, vec![]),
        (false, 999, vec!["SEN"]),
        (false, 4, vec!["SEN", "NGA"]),
        (true, 4_000, vec![]),
        (true, 16, vec!["SEN", "NGA"]),
    ] {
        let (tables, left) = combine_within(&answers, by_office, Level::USUAL, most).unwrap();
        assert_eq!(left, left_out, "{by_office} {most}");
        assert!(tables[0].cells.len() <= most);
    }
    // One answer that fits by itself in no table.
    let alone = combine_within(&answers[1..2], false, Level::USUAL, 899);
    assert_eq!(alone.unwrap_err(), CombineError::TooManyCells);
}
