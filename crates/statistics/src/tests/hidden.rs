//! Figures that an office does not show: which these are, and what becomes of sums, totals, margins and means without them.

use lango_privacy::Decimal;

use super::*;
use crate::{in_whole_numbers, quantile_from_histogram};

/// The least noise that a plan may have: figures are what they would be without any.
const QUIET: &str = "discrete-laplace scale 0.005";

fn tables(offices: &[Office], by_office: bool) -> Vec<Vec<String>> {
    combined(offices, by_office).unwrap().iter().map(shown).collect()
}

/// Who is missing in each cell: `place offices`.
fn missing(table: &CombinedTable) -> Vec<String> {
    table.hidden.iter().map(|(place, offices)| format!("{place} {}", offices.join(","))).collect()
}

#[test]
fn a_sum_lacks_what_an_office_hides_and_names_the_office() {
    let offices = || {
        [
            Office::by_sex("BEN", "F,M,_O,_U", 2.0, vec![100, 200, 19, 0]).shown_if("count 20"),
            Office::by_sex("GHA", "F,M,_O,_U", 2.0, vec![50, 19, 30, 0]).shown_if("count 20"),
            Office::by_sex("TGO", "F,M,_O,_U", 2.0, vec![1, 2, 90, 0]),
        ]
    };
    assert_eq!(offices()[1].cells, [50, 0, 30, 0], "what is hidden leaves no trace in the integers");
    let table = combined(&offices(), false).unwrap().remove(0);
    assert_eq!(shown(&table), ["F 151 A", "M 202 D", "_O 120 D", "_U 0 U"]);
    assert_eq!(missing(&table), ["1 GHA", "2 BEN", "3 BEN,GHA"]);
    // The interval is that of the noises which are in the sum.
    let noises = |many| NoiseSum::of(vec![laplace(2.0); many]).half_width(Level::USUAL).0 as f64;
    let halves: Vec<f64> = table.cells.iter().map(|cell| half_width(cell.figure.unwrap())).collect();
    assert_eq!(halves, [noises(3), noises(2), noises(2), noises(1)]);

    let table = combined(&offices(), true).unwrap().remove(0);
    assert_eq!(shown(&table)[..4], ["BEN,F 100 A", "BEN,M 200 A", "BEN,_O - Q", "BEN,_U - Q"]);
    assert_eq!(missing(&table), ["2 BEN", "3 BEN", "5 GHA", "7 GHA"]);
    let nobody = offices().map(|office| office.shown_if("count 1000"));
    assert_eq!(tables(&nobody, false)[0], ["F - Q", "M - Q", "_O - Q", "_U - Q"]);
}

#[test]
fn what_an_office_does_not_declare_is_not_what_it_hides() {
    let offices = [
        Office::by_sex("BEN", "F,M,X,_O,_U", 2.0, vec![100, 5, 5, 0, 0]).shown_if("count 20"),
        Office::by_sex("GHA", "F,M,_O,_U", 2.0, vec![50, 5, 0, 0]).shown_if("count 20"),
    ];
    let table = combined(&offices, true).unwrap().remove(0);
    let of_gha: Vec<String> = shown(&table).split_off(5);
    assert_eq!(of_gha, ["GHA,F 50 A", "GHA,M - Q", "GHA,X - L", "GHA,_O - Q", "GHA,_U - Q"]);
}

#[test]
fn an_error_is_a_share_of_the_figure_as_it_was_measured() {
    // A discrete Laplace of scale 10 has a standard error of 14.1.
    let counted = |cells| Office::by_sex("GHA", "F,M,_O,_U", 10.0, cells).shown_if("relative_error 0.5");
    let table = combined(&[counted(vec![29, 28, -29, 0])], false).unwrap().remove(0);
    assert_eq!(shown(&table), ["F 29 U", "M - Q", "_O - Q", "_U - Q"]);
    // A sum is judged by its error alone: by a count it cannot be, and is hidden.
    let sum = |rule| {
        let lines = "column income from 0 to 900 scale 2\nmargin sum(income) by: discrete-laplace scale 10";
        tables(&[Office::new("GHA", lines, vec![12_345]).shown_if(rule)], false).remove(0)
    };
    assert_eq!(sum("relative_error 0.01"), [" 123.45 A"]);
    assert_eq!(sum("relative_error 0.001"), [" - Q"]);
    assert_eq!(sum("count 1"), [" - Q"]);
}

#[test]
fn a_mean_is_hidden_by_how_many_it_is_of_and_by_its_error() {
    let pair = |above, below, scale: f64, rule| {
        let noise = format!("discrete-laplace scale {scale}");
        let lines =
            format!("column age from 0 to 100 scale 0\nmargin mean(age) by values above,below: {noise}");
        let office = Office::new("GHA", &lines, vec![above, below]).shown_if(rule);
        assert!(office.cells == [above, below] || office.cells == [0, 0], "both integers or none");
        tables(&[office], false).remove(0)
    };
    // 20 persons of 30 years in the mean.
    assert_eq!(pair(600, 1_400, 0.005, "count 20"), [" 30 A"]);
    assert_eq!(pair(600, 1_400, 0.005, "count 21"), [" - Q"]);
    assert_eq!(pair(600, 1_400, 50.0, "relative_error 0.2"), [" 30 A"]);
    assert_eq!(pair(600, 1_400, 50.0, "relative_error 0.05"), [" - Q"]);
    assert_eq!(pair(0, 0, 50.0, "relative_error 0.9"), [" - Q"], "of nobody");

    let centred = |sum, rows: Office, rule| {
        let lines = format!(
            "column age from 0 to 100 scale 0 centre 50\nmargin mean(age) by values centred: {QUIET}"
        );
        tables(&[Office::new("GHA", &lines, vec![sum]).after(rows).shown_if(rule)], false).remove(0)
    };
    let rows = || Office::new("GHA", &format!("margin rows(age) by: {QUIET}"), vec![20]);
    assert_eq!(centred(-400, rows(), "count 20"), [" 30 A"]);
    assert_eq!(centred(-400, rows(), "count 21"), [" - Q"]);
    // No count to divide by is shown, so no mean is, whatever the rule.
    assert_eq!(centred(-400, rows().shown_if("count 21"), "relative_error 1"), [" - Q"]);
    assert_eq!(centred(-400, rows().shown_if("count 20"), "relative_error 1"), [" 30 A"]);
}

#[test]
fn the_shares_and_the_bins_of_a_cell_are_shown_together() {
    let by = format!("codes sex F,M\nmargin share(age) by sex values 0-17,18+: {QUIET}");
    let shares = Office::new("GHA", &by, vec![1, 19, 10, 9]).shown_if("count 20");
    assert_eq!(tables(&[shares], false)[0], ["F,0-17 0.05 A", "F,18+ 0.95 A", "M,0-17 - Q", "M,18+ - Q"]);
    let bins = |rule, cells| {
        let lines = format!(
            "codes sex F,M\ncolumn income from 0 to 9 scale 0\nmargin histogram(income) by sex values 0,5: {QUIET}"
        );
        Office::new("GHA", &lines, cells).shown_if(rule)
    };
    let office = [bins("count 20", vec![20, 0, 10, 9])];
    assert_eq!(tables(&office, false)[0], ["F,0-4 20 A", "F,5-9 0 A", "M,0-4 - Q", "M,5-9 - Q"]);
    let answers: Vec<_> = office.iter().map(Office::answer).collect();
    let half = [Decimal::minimal("0.5").unwrap()];
    let table = quantile_from_histogram(&answers, &half, false, Level::USUAL).unwrap().remove(0);
    let status: Vec<&str> = table.cells.iter().map(|cell| cell.status.code()).collect();
    assert_eq!((status.as_slice(), missing(&table)), (&["A", "Q"][..], vec!["1 GHA".to_owned()]));
}

#[test]
fn margins_of_which_something_is_hidden_are_left_as_they_were_measured() {
    let lines = counts("codes age 0,1\ncodes sex F,M\n", &["age", "sex"], 2.0);
    let office = |rule: Option<&str>| {
        let office = Office::new("GHA", &lines, vec![60, 40, 70, 50]);
        rule.map_or(Office::new("GHA", &lines, vec![60, 40, 70, 50]), |rule| office.shown_if(rule))
    };
    // 100 by age and 120 by sex: least squares make 110 of both.
    let all = combined(&[office(None)], false).unwrap();
    assert_eq!([shown(&all[0]), shown(&all[1])], [["0 65 A", "1 45 A"], ["F 65 A", "M 45 A"]]);
    // A rule that hides nothing changes nothing.
    assert_eq!(combined(&[office(Some("count 40"))], false).unwrap(), all);
    let some = combined(&[office(Some("count 41"))], false).unwrap();
    assert_eq!([shown(&some[0]), shown(&some[1])], [["0 60 A", "1 - Q"], ["F 70 A", "M 50 A"]]);
    let alone = NoiseSum::of([laplace(2.0)]).half_width(Level::USUAL).0 as f64;
    assert_eq!(half_width(some[1].cells[0].figure.unwrap()), alone);
    // Nor is what is left made to add up when it is rounded.
    let office = [office(Some("count 41"))];
    let answers: Vec<_> = office.iter().map(Office::answer).collect();
    let whole = in_whole_numbers(&some, &answers).unwrap();
    assert_eq!([shown(&whole[0]), shown(&whole[1])], [["0 60 A", "1 - Q"], ["F 70 A", "M 50 A"]]);
}

#[test]
fn a_total_over_keys_of_which_one_is_hidden_is_not_shown() {
    let offices = [
        Office::by_sex("BEN", "F,M", 2.0, vec![100, 19]).shown_if("count 20"),
        Office::by_sex("GHA", "F,M", 2.0, vec![50, 60]).shown_if("count 20"),
    ];
    let answers: Vec<_> = offices.iter().map(Office::answer).collect();
    let sex: Name = "sex".parse().unwrap();
    let table = combine_over(&answers, std::slice::from_ref(&sex), false, Level::USUAL).unwrap().remove(0);
    assert_eq!((shown(&table), missing(&table)), (vec!["_T 110 D".into()], vec!["0 BEN".to_owned()]));
    let table = combine_over(&answers, &[sex], true, Level::USUAL).unwrap().remove(0);
    assert_eq!(shown(&table), ["BEN,_T - Q", "GHA,_T 110 A"]);
}

#[test]
fn an_answer_that_sends_what_it_says_it_hides_stands_in_no_table() {
    let mut office = Office::by_sex("GHA", "F,M", 2.0, vec![100, 19]).shown_if("count 20");
    assert_eq!(office.answer().check(), Ok(()));
    office.cells[1] = 1;
    assert_eq!(office.answer().check(), Err(CombineError::Hidden { office: "GHA".into() }));
    office.cells[1] = 0;
    office.hidden = Hidden::read(&[2, 0], 9);
    assert_eq!(
        office.answer().check(),
        Err(CombineError::Hidden { office: "GHA".into() }),
        "of another number"
    );
}

#[test]
fn bits_are_read_of_their_number_of_integers_alone() {
    for (bits, integers, expected) in [
        (&[][..], 0, Some(vec![])),
        (&[0b101], 3, Some(vec![0, 2])),
        (&[0b101], 8, Some(vec![0, 2])),
        (&[0, 1], 9, Some(vec![8])),
        (&[0b101], 2, None),
        (&[0b101], 9, None),
        (&[0, 2], 9, None),
        (&[0], 0, None),
    ] {
        let read = Hidden::read(bits, integers);
        let places =
            |hidden: &Hidden| (0..integers).filter(|place| hidden.contains(*place)).collect::<Vec<_>>();
        assert_eq!(read.as_ref().map(places), expected, "{bits:?} of {integers}");
        assert!(read.is_none_or(|read| read.bits() == bits && read.count() == expected.unwrap().len()));
    }
}
