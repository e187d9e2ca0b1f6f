//! How answers are printed.

use lango_statistics::{Axis, Status};

use super::*;

fn table(measure: &str, dimension: &str, cells: &[(&str, Option<Figure>)]) -> CombinedTable {
    let codes = cells.iter().map(|(code, _)| (*code).to_owned()).collect();
    let cell = |(_, figure): &(&str, Option<Figure>)| Cell {
        figure: *figure,
        status: if figure.is_some() { Status::Normal } else { Status::NotCollected },
    };
    let axes = vec![Axis { dimension: dimension.to_owned(), codes }];
    CombinedTable {
        measure: measure.parse().unwrap(),
        axes,
        cells: cells.iter().map(cell).collect(),
        hidden: [].into(),
    }
}

fn figure(value: f64, std_err: f64, half_width: f64) -> Option<Figure> {
    let (lower, upper) = (Some(value - half_width), Some(value + half_width));
    Some(Figure { value, std_err: Some(std_err), lower, upper, rank_error: None })
}

fn chosen(value: f64, rank_error: u64) -> Option<Figure> {
    Some(Figure { value, std_err: None, lower: None, upper: None, rank_error: Some(rank_error) })
}

/// The rows of a printed table, without its lines, single-spaced.
fn rows(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.starts_with('─'));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn figures_are_shown_with_the_decimals_that_their_error_supports() {
    for (measure, cells, expected) in [
        (
            "persons",
            [("F", figure(12_345.0, 2.827, 6.0)), ("M", figure(-3.0, 2.827, 6.0)), ("X", None)],
            ["F 12,345 12,339 to 12,351 2.83 A", "M -3 -9 to 3 2.83 A", "X - L"],
        ),
        (
            "persons",
            [("F", figure(12_345.678, 2.827, 5.91)), ("M", figure(-0.04, 2.827, 5.91)), ("X", None)],
            ["F 12,345.7 12,339.8 to 12,351.6 2.83 A", "M 0.0 -6.0 to 5.9 2.83 A", "X - L"],
        ),
        (
            "share(sex)",
            [("F", figure(0.512_34, 0.001_2, 0.002_4)), ("M", figure(0.25, 0.02, 0.04)), ("X", None)],
            ["F 0.5123 0.5099 to 0.5147 0.00120 A", "M 0.2500 0.2100 to 0.2900 0.0200 A", "X - L"],
        ),
        (
            "mean(income)",
            [("F", figure(1_234_567.8, 4_321.0, 8_642.0)), ("M", figure(9.0, 5e6, 1e7)), ("X", None)],
            [
                "F 1,234,568 1,225,926 to 1,243,210 4,321 A",
                "M 9 -9,999,991 to 10,000,009 5,000,000 A",
                "X - L",
            ],
        ),
        (
            "quantile(income,0.25,0.5)",
            [("0.25", chosen(10.5, 7)), ("0.5", chosen(1_200.0, 31)), ("X", None)],
            ["0.25 10.5 7 rows A", "0.5 1,200.0 31 rows A", "X - L"],
        ),
    ] {
        let text = one_table(&table(measure, "sex", &cells), 0.95, 0, &CodeNames::new());
        assert_eq!(rows(&text)[1..], expected, "{text}");
    }
}

#[test]
fn a_long_table_shows_its_largest_cells_and_counts_the_others() {
    let cells = [
        ("F", figure(1.0, 1.0, 2.0)),
        ("M", None),
        ("X", figure(3.0, 1.0, 2.0)),
        ("_U", figure(2.0, 1.0, 2.0)),
    ];
    let text = one_table(&table("persons", "sex", &cells), 0.95, 2, &CodeNames::new());
    let rows = rows(&text);
    assert_eq!(rows[0], "sex persons 95 % interval std err status");
    assert_eq!(rows[1..3], ["X 3 1 to 5 1.00 A", "_U 2 0 to 4 1.00 A"]);
    assert!(rows[3].starts_with("the 2 largest cells; 2 more"), "{text}");
}

#[test]
fn a_wide_table_fits_a_terminal_of_a_hundred_columns() {
    let mut wide =
        table("quantile(income,0.25,0.5,0.75)", "quantile", &[("0.25", chosen(12_345_678.0, 123_456))]);
    for (dimension, code) in [("country_of_birth", "CIV"), ("arrival_year", "1990-1994"), ("office", "GHA")] {
        wide.axes.insert(0, Axis { dimension: dimension.to_owned(), codes: vec![code.to_owned()] });
    }
    let mut counts = table("persons", "sex", &[("F", figure(234_567.8, 123.4, 250.1))]);
    counts.axes.splice(0..0, wide.axes[..3].iter().cloned());
    let header = rows(&one_table(&wide, 0.95, 0, &CodeNames::new())).remove(0);
    assert_eq!(
        header,
        "office arrival_year country_of_birth quantile quantile(income) 95 % rank error status"
    );
    for table in [wide, counts] {
        let text = one_table(&table, 0.95, 0, &CodeNames::new());
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= 100, "{widest}\n{text}");
    }
}

#[test]
fn programs_get_whole_numbers_whole_and_nothing_where_there_is_nothing() {
    let cells = [("F", figure(12_345.0, 2.5, 6.0)), ("M", figure(0.25, 0.5, 1.0)), ("X", None)];
    let counts = table("persons", "sex", &cells);
    let quantiles = table("quantile(age,0.5)", "quantile", &[("0.5", chosen(31.5, 7)), ("0.7", None)]);
    assert_eq!(
        data::csv(&[counts.clone(), quantiles.clone()]),
        "measure,sex,value,std_err,lower,upper,status\n\
         persons,F,12345,2.5,12339,12351,A\n\
         persons,M,0.25,0.5,-0.75,1.25,A\n\
         persons,X,,,,,L\n\
         measure,quantile,value,std_err,lower,upper,status,rank_error\n\
         \"quantile(age,0.5)\",0.5,31.5,,,,A,7\n\
         \"quantile(age,0.5)\",0.7,,,,,L,\n"
    );
    let cells: Vec<String> =
        data::cells(&counts).chain(data::cells(&quantiles)).map(|cell| cell.to_string()).collect();
    assert_eq!(
        cells,
        [
            r#"{"measure":"persons","key":{"sex":"F"},"value":12345,"std_err":2.5,"lower":12339,"upper":12351,"status":"A"}"#,
            r#"{"measure":"persons","key":{"sex":"M"},"value":0.25,"std_err":0.5,"lower":-0.75,"upper":1.25,"status":"A"}"#,
            r#"{"measure":"persons","key":{"sex":"X"},"value":null,"std_err":null,"lower":null,"upper":null,"status":"L"}"#,
            r#"{"measure":"quantile(age,0.5)","key":{"quantile":"0.5"},"value":31.5,"std_err":null,"lower":null,"upper":null,"status":"A","rank_error":7}"#,
            r#"{"measure":"quantile(age,0.5)","key":{"quantile":"0.7"},"value":null,"std_err":null,"lower":null,"upper":null,"status":"L"}"#,
        ]
    );
}

#[test]
fn found_keys_are_shown_as_they_stand_in_the_registers() {
    let cells = [("Cape%20Coast", figure(9.0, 1.0, 2.0)), ("50%", figure(8.0, 1.0, 2.0)), ("%C3%A9", None)];
    for (measure, expected) in
        [("keys(village)", ["Cape Coast", "50%", "é"]), ("share(village)", ["Cape%20Coast", "50%", "%C3%A9"])]
    {
        let mut table = table(measure, "village", &cells);
        found_keys_in_words(&mut table);
        assert_eq!(table.axes[0].codes, expected);
    }
}

#[test]
fn labels_stand_beside_codes_where_there_is_room() {
    let cells = [("F", figure(1_200.0, 2.0, 4.0)), ("M", None)];
    let called = |label: &str| -> CodeNames {
        [("sex".to_owned(), [("F".to_owned(), label.to_owned())].into())].into()
    };
    let printed = |label: &str| one_table(&table("persons", "sex", &cells), 0.95, 0, &called(label));
    let text = printed("Women");
    assert!(text.contains("F Women ") && !text.contains("M Women"), "{text}");
    for label in ["x".repeat(100), "\u{1b}[2J".to_owned()] {
        let text = printed(&label);
        assert!(!text.contains("xx") && !text.contains('\u{1b}'), "{text}");
    }
}
