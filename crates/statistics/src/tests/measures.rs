//! Every measure over several offices: sums, means, shares, histograms, quantiles, keys.

use lango_privacy::{Decimal, Term, WeightedSum};

use super::*;
use crate::{Foreseen::*, Planned, foresee, quantile_from_histogram};

/// The least noise that a plan may have: figures are what they would be without any.
const QUIET: &str = "discrete-laplace scale 0.005";

fn first(offices: &[Office], by_office: bool) -> CombinedTable {
    combined(offices, by_office).unwrap().remove(0)
}

/// `key value status` with this number of decimals.
fn rounded(table: &CombinedTable, decimals: usize) -> Vec<String> {
    let value =
        |cell: &crate::Cell| cell.figure.map_or("-".into(), |figure| format!("{:.decimals$}", figure.value));
    let cells = table.keys().zip(&table.cells);
    cells.map(|(key, cell)| format!("{} {} {}", key.join(","), value(cell), cell.status.code())).collect()
}

#[test]
fn sums_add_up_in_the_unit_of_the_column_whatever_the_offices_scales() {
    let office = |name, scale: u32, sum| {
        let lines = format!(
            "column income from 0 to 900 scale {scale}\nmargin sum(income) by: discrete-laplace scale 7"
        );
        Office::new(name, &lines, vec![sum])
    };
    let alone = first(&[office("GHA", 2, 12_345)], false);
    assert_eq!(shown(&alone), [" 123.45 A"]);
    let half = NoiseSum::of([laplace(7.0)]).half_width(Level::USUAL).0 as f64;
    let figure = alone.cells[0].figure.unwrap();
    assert_eq!(
        (figure.lower, figure.upper),
        (Some((12_345.0 - half) / 100.0), Some((12_345.0 + half) / 100.0)),
        "the exact interval of whole numbers, in hundredths"
    );
    // Clamped to 9.00 at one and to 900 at the other, the two sums are of different things.
    let both = first(&[office("GHA", 2, 12_345), office("TGO", 0, 7)], false);
    assert_eq!(shown(&both), [" 130.45 D"]);
    let noise = [1.0, 100.0].map(|weight| Term { noise: laplace(7.0), weight, times: 1 });
    let expected = WeightedSum::of(noise).std_err() / 100.0;
    assert!((both.cells[0].figure.unwrap().std_err.unwrap() / expected - 1.0).abs() < 1e-9);
    assert_eq!(shown(&first(&[office("GHA", 2, 5), office("TGO", 2, 7)], false)), [" 0.12 A"]);
}

/// The pair of some values between bounds.
fn pair(values: &[i64], low: i64, high: i64) -> Vec<i64> {
    vec![values.iter().map(|x| x - low).sum(), values.iter().map(|x| high - x).sum()]
}

fn by_pair(name: &'static str, (low, high, scale): (i64, i64, u32), values: &[i64]) -> Office {
    let lines = format!(
        "column income from {low} to {high} scale {scale}\nmargin mean(income) by values above,below: {QUIET}"
    );
    Office::new(name, &lines, pair(values, low, high))
}

fn by_count(name: &'static str, centre: i64, values: &[i64]) -> Office {
    let lines = format!(
        "column income from 0 to 100 scale 0 centre {centre}\nmargin mean(income) by values centred: {QUIET}"
    );
    let rows = Office::new(name, &format!("margin rows(income) by: {QUIET}"), vec![values.len() as i64]);
    Office::new(name, &lines, vec![values.iter().map(|x| x - centre).sum()]).after(rows)
}

#[test]
fn the_mean_of_several_offices_is_the_mean_of_all_their_rows() {
    let gha = || by_pair("GHA", (0, 100, 0), &[10, 20, 60]);
    for (other, expected) in [
        (by_pair("TGO", (0, 100, 0), &[5, 45]), "28.000 A"),
        // Other bounds: the sums of the pair weigh a row by another width.
        (by_pair("TGO", (5, 55, 0), &[5, 45]), "28.000 D"),
        (by_pair("TGO", (-1_000, 1_000, 0), &[5, 45]), "28.000 D"),
        // 0.5 and 4.5: another scale, with bounds that are in truth the same and with others.
        (by_pair("TGO", (0, 1_000, 1), &[5, 45]), "19.000 A"),
        (by_pair("TGO", (0, 100, 1), &[5, 45]), "19.000 D"),
        (by_count("TGO", 50, &[5, 45]), "28.000 A"),
        (by_count("TGO", 0, &[5, 45]), "28.000 A"),
    ] {
        let table = first(&[gha(), other], false);
        assert_eq!(rounded(&table, 3), [format!(" {expected}")]);
        let Figure { value, std_err, lower, upper, .. } = table.cells[0].figure.unwrap();
        assert!(lower.unwrap() <= value && value <= upper.unwrap() && std_err.unwrap() < 1e-9);
    }
    let side_by_side = first(&[gha(), by_count("TGO", 50, &[5, 45])], true);
    assert_eq!(rounded(&side_by_side, 3), ["GHA 30.000 A", "TGO 25.000 A"]);
}

#[test]
fn a_mean_of_hardly_anybody_is_not_estimable() {
    let lines = "column income from 0 to 50000000 scale 0\n\
                 margin mean(income) by values above,below: discrete-laplace scale 50000000";
    let of = |above, below| rounded(&first(&[Office::new("GHA", lines, vec![above, below])], false), 0);
    // Of nobody, of a few, and of many.
    assert_eq!(of(0, 0), [" - U"]);
    assert_eq!(of(30_000_000, 20_000_000), [" - U"]);
    assert_eq!(of(3_000_000_000_000, 2_000_000_000_000), [" 30000000 A"]);
}

#[test]
fn a_mean_far_from_zero_loses_no_digits() {
    let (low, high) = (1_000_000_000_000, 1_000_000_000_100);
    let office = by_pair("GHA", (low, high, 0), &[low + 1, low + 2]);
    let figure = first(&[office], false).cells[0].figure.unwrap();
    assert_eq!(figure.value, 1_000_000_000_001.5);
}

#[test]
fn a_centred_mean_is_divided_by_the_least_noisy_released_count() {
    let lines = "column income from 0 to 100 scale 0 centre 50\nmargin mean(income) by values centred: discrete-laplace scale 0.005";
    let rows = |scale: &str, rows| {
        let lines = format!(
            "codes sex F,M\nmargin rows(income) by: discrete-laplace scale {scale}\nmargin rows(sex) by sex: {QUIET}"
        );
        Office::new("GHA", &lines, vec![rows, 1, 2])
    };
    let office = Office::new("GHA", lines, vec![-5_000])
        .after(rows("9", 100))
        .after(rows("2", 500))
        .after(rows("5", 300));
    assert_eq!(rounded(&first(&[office], false), 3), [" 40.000 A"]);
}

#[test]
fn shares_are_of_the_sum_over_all_keys_at_the_offices_that_have_the_margin() {
    let office = |name, ages: &str, sexes: &str, cells| {
        let lines = format!("codes age {ages}\nmargin share(sex) by age values {sexes}: {QUIET}");
        Office::new(name, &lines, cells)
    };
    let offices = [
        office("GHA", "0,1", "F,M,_O,_U", vec![30, 10, 0, 0, 1, 1, 1, 1]),
        office("TGO", "0,2", "F,X,_O,_U", vec![10, 40, 10, 0, 0, 5, 0, 5]),
    ];
    let table = first(&offices, false);
    assert_eq!(table.axes.iter().map(|axis| axis.dimension.as_str()).collect::<Vec<_>>(), ["age", "sex"]);
    assert_eq!(
        rounded(&table, 2),
        [
            "0,F 0.40 A",
            "0,M 0.10 D",
            "0,X 0.40 D",
            "0,_O 0.10 D",
            "0,_U 0.00 A", // of 100
            "1,F 0.25 D",
            "1,M 0.25 D",
            "1,X - L",
            "1,_O 0.25 D",
            "1,_U 0.25 D", // of 4, at one office
            "2,F 0.00 D",
            "2,M - L",
            "2,X 0.50 D",
            "2,_O 0.00 D",
            "2,_U 0.50 D",
        ]
    );
    let side_by_side = first(&offices, true);
    assert_eq!(rounded(&side_by_side, 2)[..3], ["GHA,0,F 0.75 A", "GHA,0,M 0.25 A", "GHA,0,X - L"]);
    for cell in table.cells.iter().filter_map(|cell| cell.figure) {
        assert!(cell.lower.unwrap() >= 0.0 && cell.upper.unwrap() <= 1.0);
    }
}

fn histogram(name: &'static str, high: i64, starts: &str, cells: Vec<i64>) -> Office {
    let lines = format!(
        "column income from 0 to {high} scale 0\nmargin histogram(income) by values {starts}: {QUIET}"
    );
    Office::new(name, &lines, cells)
}

#[test]
fn a_histogram_has_an_axis_of_bins_ascending() {
    let offices = [
        histogram("GHA", 2_000, "0,1000,2000", vec![1, 2, 3]),
        histogram("TGO", 2_500, "0,500,1000,2000", vec![10, 20, 30, 40]),
    ];
    let table = first(&offices, false);
    assert_eq!(table.axes[0].dimension, "income");
    assert_eq!(
        shown(&table),
        ["0-499 10 D", "0-999 1 D", "500-999 20 D", "1000-1999 32 A", "2000 3 D", "2000-2500 40 D"]
    );
}

#[test]
fn quantiles_of_one_histogram_or_of_offices_with_equal_bins() {
    let shares =
        |texts: &[&str]| texts.iter().map(|text| Decimal::minimal(text).unwrap()).collect::<Vec<_>>();
    let quantiles = |offices: &[Office], by_office| {
        let answers: Vec<_> = offices.iter().map(Office::answer).collect();
        quantile_from_histogram(&answers, &shares(&["0.25", "0.5"]), by_office, Level::USUAL)
    };
    let gha = || histogram("GHA", 40, "0,10,20,30", vec![10, 10, 10, 10]);
    let tgo = || histogram("TGO", 40, "0,10,20,30", vec![0, 0, 0, 40]);
    let table = quantiles(&[gha(), tgo()], false).unwrap().remove(0);
    assert_eq!(table.measure.to_string(), "quantile(income,0.25,0.5)");
    // 80 rows: the 20th lies at the end of the second bin, the 40th a fifth into the last.
    assert_eq!(rounded(&table, 1), ["0.25 20.0 A", "0.5 32.0 A"]);
    let figure = table.cells[1].figure.unwrap();
    assert_eq!((figure.lower, figure.upper), (Some(30.0), Some(40.0)));
    let other = || histogram("TGO", 40, "0,20", vec![0, 40]);
    assert_eq!(
        quantiles(&[gha(), other()], false),
        Err(CombineError::Bins { measure: "histogram(income)".into() })
    );
    let table = quantiles(&[gha(), other()], true).unwrap().remove(0);
    assert_eq!(
        rounded(&table, 1),
        ["GHA,0.25 10.0 A", "GHA,0.5 20.0 A", "TGO,0.25 25.0 A", "TGO,0.5 30.0 A"]
    );
    assert_eq!(quantiles(&[Office::by_sex("GHA", "F", 1.0, vec![1])], false), Ok(vec![]));
}

#[test]
fn chosen_quantiles_stand_office_by_office_with_a_bound_on_their_ranks() {
    let office = |name, candidates: u64, cells| {
        let lines = format!(
            "codes sex F,M\ncolumn age from 0 to 1100 scale 1 candidates {candidates}\n\
             margin quantile(age,0.1,0.5) by sex values 0.1,0.5: permute-and-flip scale 8"
        );
        Office::new(name, &lines, cells)
    };
    let offices = [office("GHA", 111, vec![101, 300, 120, 315]), office("TGO", 1, vec![0, 1_100, 0, 0])];
    let table = first(&offices, true);
    assert_eq!(table.axes[2].dimension, "quantile");
    assert_eq!(
        shown(&table)[..6],
        [
            "GHA,F,0.1 10.1 A",
            "GHA,F,0.5 30 A",
            "GHA,M,0.1 12 A",
            "GHA,M,0.5 31.5 A",
            "TGO,F,0.1 0 A",
            "TGO,F,0.5 110 A"
        ]
    );
    // In tenths a row off is 10 scores off, for a tenth as for a half: 110 exp(-10 r / 8) is below 0.05.
    let bounds: Vec<_> = table.cells.iter().map(|cell| cell.figure.unwrap().rank_error.unwrap()).collect();
    assert_eq!(bounds, [7, 7, 7, 7, 0, 0, 0, 0]);
    assert!(table.cells.iter().all(|cell| cell.figure.unwrap().std_err.is_none()));
    assert_eq!(first(&offices[..1], false).cells.len(), 4, "one office needs no axis of offices");
    let measure = "quantile(age,0.1,0.5)".to_owned();
    assert_eq!(combined(&offices, false), Err(CombineError::NotAddedUp { measure }));
}

#[test]
fn found_keys_are_those_that_any_office_found() {
    let office = |name, keys: &str, cells| {
        let line = format!("margin keys(village) by values {keys}: discrete-gaussian scale 3 threshold 20");
        Office::new(name, &line, cells)
    };
    let offices = || [office("GHA", "Accra,Ho", vec![100, 50]), office("TGO", "Ho,Lome", vec![25, 90])];
    let table = first(&offices(), false);
    assert_eq!(table.axes[0].dimension, "village");
    assert_eq!(shown(&table), ["Accra 100 D", "Ho 75 A", "Lome 90 D"]);
    assert_eq!(
        shown(&first(&offices(), true)),
        ["GHA,Accra 100 A", "GHA,Ho 50 A", "GHA,Lome - Q", "TGO,Accra - Q", "TGO,Ho 25 A", "TGO,Lome 90 A"]
    );
    let none = [office("GHA", "", vec![]), office("TGO", "", vec![])];
    assert_eq!(first(&none, false).cells, []);
}

#[test]
fn an_axis_that_a_margin_has_already_is_named_by_its_measure() {
    let lines = format!(
        "codes age 0-4,5-9\ncolumn age from 0 to 9 scale 0\nmargin histogram(age) by age values 0,5: {QUIET}"
    );
    let table = first(&[Office::new("GHA", &lines, vec![1, 0, 0, 2])], false);
    let names: Vec<_> = table.axes.iter().map(|axis| axis.dimension.as_str()).collect();
    assert_eq!(names, ["age", "histogram(age)"]);
}

#[test]
fn what_is_summed_over_is_a_ratio_of_sums_and_not_a_sum_of_ratios() {
    let lines = format!(
        "codes sex F,M\ncolumn age from 0 to 100 scale 0\nmargin mean(age) by sex values above,below: {QUIET}"
    );
    let cells = [pair(&[10, 20, 30], 0, 100), pair(&[80], 0, 100)].concat();
    let office = Office::new("GHA", &lines, cells);
    let sex: Name = "sex".parse().unwrap();
    let over =
        |office: &Office| combine_over(&[office.answer()], std::slice::from_ref(&sex), false, Level::USUAL);
    assert_eq!(rounded(&over(&office).unwrap()[0], 3), ["_T 35.000 A"]);
    let lines = "unit 2 2\ncodes sex F,M\nmargin persons by sex: discrete-laplace scale 1";
    let twice = Office::new("GHA", lines, vec![1, 2]);
    assert_eq!(
        over(&twice),
        Err(CombineError::NotAddedUp { measure: "persons".into() }),
        "some persons are in both"
    );
}

#[test]
fn errors_are_foreseen_before_there_is_an_answer() {
    let lines = |scale: u32| {
        format!(
            "codes sex F,M\ncolumn income from 0 to 900 scale {scale} centre 300 candidates 111\n\
             margin histogram(income) by values 0,500: discrete-laplace scale 7\n\
             margin keys(village) by values: discrete-gaussian scale 3 threshold 20\n\
             margin mean(income) by values above,below: discrete-laplace scale 300\n\
             margin persons by sex: discrete-laplace scale 7\n\
             margin quantile(income,0.1,0.5) by values 0.1,0.5: permute-and-flip scale 8\n\
             margin share(sex) by values F,M: discrete-laplace scale 7\n\
             margin sum(income) by: discrete-laplace scale 300"
        )
    };
    let offices = [Office::new("GHA", &lines(2), vec![]), Office::new("TGO", &lines(2), vec![])];
    let planned: Vec<_> =
        offices.iter().map(|office| Planned { plan: &office.plan, layout: &office.layout }).collect();
    let alone = foresee(&planned[..1], Level::USUAL);
    let [
        Some(Plain(bin)),
        Some(Found(key, 20)),
        Some(Mean(mean)),
        Some(Plain(persons)),
        Some(Chosen(ranks)),
        Some(Share(half)),
        Some(Plain(sum)),
    ] = alone.as_slice()
    else {
        panic!("{alone:?}")
    };
    let noise = |scale| NoiseSum::of([laplace(scale)]);
    assert_eq!(persons.half_width, noise(7.0).half_width(Level::USUAL).0 as f64);
    assert_eq!(bin, persons, "a bin counts rows, whatever the scale of its column");
    assert_eq!(sum.half_width, noise(300.0).half_width(Level::USUAL).0 as f64 / 100.0);
    assert!((key.std_err - 3.0).abs() < 0.01);
    // Two thirds of the pair's variance, and two counts' noise at a weight of a half, of 1,000.
    assert!(
        (mean.std_err / (noise(300.0).std_err() * (2.0f64 / 3.0).sqrt() / 100.0 / 1_000.0) - 1.0).abs()
            < 1e-9
    );
    assert!((half.std_err / (noise(7.0).std_err() * 0.5f64.sqrt() / 1_000.0) - 1.0).abs() < 1e-9);
    assert_eq!(ranks, &[7, 7]);
    let both = foresee(&planned, Level::USUAL);
    let [Some(Plain(_)), None, Some(Mean(means)), Some(Plain(_)), None, Some(Share(_)), Some(Plain(sums))] =
        both.as_slice()
    else {
        panic!("{both:?}")
    };
    assert!((sums.std_err / sum.std_err - 2f64.sqrt()).abs() < 1e-9);
    assert!((means.std_err / mean.std_err - 2f64.sqrt()).abs() < 1e-9);
    let unsaid = Office::new("GHA", "margin sum(income) by: discrete-laplace scale 300", vec![]);
    assert_eq!(foresee(&[Planned { plan: &unsaid.plan, layout: &unsaid.layout }], Level::USUAL), [None]);
    assert_eq!(foresee(&[], Level::USUAL), []);
}
