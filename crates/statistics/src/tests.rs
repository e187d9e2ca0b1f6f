//! Combined tables: which offices and noises are in a cell, what its interval is, and what is refused.

use lango_privacy::{Layout, Level, Mechanism, Name, Noise, NoiseSum, PlanText};

use crate::{
    CombineError, CombinedTable, Figure, Hidden, OfficeRelease, Status, combine, combine_over, hide,
};

mod hidden;
mod measures;
mod refusals;
mod simulated;

/// An office's release.
struct Office {
    name: &'static str,
    layout: Layout,
    plan: PlanText,
    cells: Vec<i64>,
    hidden: Option<Hidden>,
    earlier: Vec<Office>,
}

impl Office {
    /// From lines such as `codes sex F,M`, `column income from 0 to 9 scale 0`, `margin mean(income) by sex values
    /// above,below: discrete-laplace scale 2` and, where a unit has several rows, `unit 3 2`.
    fn new(name: &'static str, lines: &str, cells: Vec<i64>) -> Self {
        let (mut layout, mut plan, mut unit) = (String::new(), String::new(), "1 1");
        for line in lines.lines() {
            match line.split_once(' ').unwrap() {
                ("codes", _) => layout += &format!("{line}\n"),
                ("unit", bounds) => unit = bounds,
                ("margin", rest) => {
                    let (laid, mechanism) = rest.split_once(": ").unwrap();
                    let laid = laid.trim_end();
                    let of = laid.split_once(" values").map_or(laid, |(of, _)| of).trim_end();
                    let (mechanism, threshold) = mechanism
                        .split_once(" threshold ")
                        .map_or((mechanism, String::new()), |(of, least)| {
                            (of, format!(" threshold {least}"))
                        });
                    layout += &format!("margin {laid}\n");
                    plan += &format!("margin {of} mechanism {mechanism} sensitivity 1 price 1{threshold}\n");
                }
                _ => plan += &format!("{line}\n"),
            }
        }
        let (rows, cells_at_most) = unit.split_once(' ').unwrap();
        let bounds = format!("unit person rows_at_most {rows} cells_at_most {cells_at_most}");
        let plan = format!("lango-plan 1\n{bounds}\nterms {}\n{plan}", "07".repeat(32));
        Self {
            name,
            layout: layout.parse().expect(&layout),
            plan: plan.parse().expect(&plan),
            cells,
            hidden: None,
            earlier: Vec::new(),
        }
    }

    fn after(mut self, earlier: Office) -> Self {
        self.earlier.push(earlier);
        self
    }

    /// As the office shows it under a rule.
    fn shown_if(mut self, rule: &str) -> Self {
        let hidden = hide(&self.answer(), rule.parse().unwrap()).unwrap();
        hidden.cover(&mut self.cells);
        self.hidden = Some(hidden);
        self
    }

    fn by_sex(name: &'static str, codes: &str, scale: f64, cells: Vec<i64>) -> Self {
        let lines = format!("codes sex {codes}\nmargin persons by sex: discrete-laplace scale {scale}");
        Self::new(name, &lines, cells)
    }

    fn answer(&self) -> OfficeRelease<'_> {
        let earlier = self.earlier.iter().map(Office::answer).collect();
        OfficeRelease {
            office: self.name,
            layout: &self.layout,
            plan: &self.plan,
            cells: &self.cells,
            hidden: self.hidden.as_ref(),
            earlier,
        }
    }
}

fn counts(codes: &str, margins: &[&str], scale: f64) -> String {
    let margin = |by: &&str| format!("margin persons by {by}: discrete-laplace scale {scale}\n");
    format!("{codes}{}", margins.iter().map(margin).collect::<String>())
}

fn laplace(scale: f64) -> Noise {
    Noise { mechanism: Mechanism::DiscreteLaplace, scale }
}

fn half_width(figure: Figure) -> f64 {
    assert_eq!(figure.upper.unwrap() - figure.value, figure.value - figure.lower.unwrap());
    figure.upper.unwrap() - figure.value
}

fn combined(offices: &[Office], by_office: bool) -> Result<Vec<CombinedTable>, CombineError> {
    let answers: Vec<_> = offices.iter().map(Office::answer).collect();
    combine(&answers, by_office, Level::USUAL)
}

/// `key value status`, a line for each cell.
fn shown(table: &CombinedTable) -> Vec<String> {
    let cells = table.keys().zip(&table.cells);
    let value = |cell: &crate::Cell| cell.figure.map_or("-".into(), |figure| figure.value.to_string());
    cells.map(|(key, cell)| format!("{} {} {}", key.join(","), value(cell), cell.status.code())).collect()
}

#[test]
fn offices_add_up_with_the_exact_interval_of_the_sum_of_their_noises() {
    let offices = [
        Office::by_sex("GHA", "F,M,_O,_U", 2.0, vec![10, 20, 0, -1]),
        Office::by_sex("TGO", "F,M,_O,_U", 2.0, vec![1, 2, 3, 4]),
        Office::by_sex("BEN", "F,M,_O,_U", 5.0, vec![100, 200, 0, 0]),
    ];
    let tables = combined(&offices, false).unwrap();
    assert_eq!(tables.len(), 1);
    assert_eq!(shown(&tables[0]), ["F 111 A", "M 222 A", "_O 3 U", "_U 3 U"]);
    let sum = NoiseSum::of([2.0, 2.0, 5.0].map(laplace));
    let half = sum.half_width(Level::USUAL).0 as f64;
    // Closed form of a discrete Laplace: 2p / (1 - p)^2.
    let variance = |scale: f64| 2.0 * (-1.0 / scale).exp() / (1.0 - (-1.0 / scale).exp()).powi(2);
    for cell in &tables[0].cells {
        let figure = cell.figure.unwrap();
        assert_eq!((figure.lower, figure.upper), (Some(figure.value - half), Some(figure.value + half)));
        assert!((figure.std_err.unwrap().powi(2) - (2.0 * variance(2.0) + variance(5.0))).abs() < 1e-9);
    }
}

#[test]
fn offices_stand_side_by_side_where_they_are_asked_for() {
    let offices = [
        Office::by_sex("TGO", "F,_O,_U", 2.0, vec![1, 2, 3]),
        Office::by_sex("BEN", "F,_O,_U", 4.0, vec![4, 5, 6]),
    ];
    let tables = combined(&offices, true).unwrap();
    assert_eq!(
        shown(&tables[0]),
        ["TGO,F 1 U", "TGO,_O 2 U", "TGO,_U 3 U", "BEN,F 4 U", "BEN,_O 5 U", "BEN,_U 6 U"]
    );
    assert_eq!(tables[0].axes[0].dimension, "office");
    let half = |cell: usize| tables[0].cells[cell].figure.map(half_width).unwrap();
    for (cell, scale) in [(0, 2.0), (5, 4.0)] {
        assert_eq!(half(cell) as u64, NoiseSum::of([laplace(scale)]).half_width(Level::USUAL).0);
    }
}

#[test]
fn differing_code_lists_are_combined_by_key() {
    let offices = [
        Office::by_sex("GHA", "M,F,_O,_U", 2.0, vec![1, 2, 3, 4]),
        Office::by_sex("TGO", "F,X,M,_O,_U", 2.0, vec![10, 20, 30, 40, 50]),
    ];
    // `_O` holds X at one office and not at the other.
    let summed = combined(&offices, false).unwrap();
    assert_eq!(shown(&summed[0]), ["M 31 A", "F 12 A", "X 20 D", "_O 43 D", "_U 54 A"]);
    let std_err = |cell: usize| summed[0].cells[cell].figure.unwrap().std_err.unwrap();
    assert!((std_err(0) / std_err(2) - 2f64.sqrt()).abs() < 1e-12);
    assert_eq!(
        shown(&combined(&offices, true).unwrap()[0]),
        [
            "GHA,M 1 U",
            "GHA,F 2 U",
            "GHA,X - L",
            "GHA,_O 3 U",
            "GHA,_U 4 U",
            "TGO,M 30 A",
            "TGO,F 10 A",
            "TGO,X 20 A",
            "TGO,_O 40 A",
            "TGO,_U 50 A"
        ]
    );
}

#[test]
fn margins_and_dimensions_are_matched_key_by_key() {
    // Units that may be in two cells do not add up: their margins stay as measured.
    let codes = |sex: &str| format!("unit 2 2\ncodes age 0,1,_O,_U\ncodes sex {sex}\n");
    let offices = [
        Office::new("GHA", &counts(&codes("F,_O,_U"), &["", "age,sex"], 1.0), (0..13).collect()),
        Office::new("TGO", &counts(&codes("M,_O,_U"), &["", "age,sex"], 1.0), (100..113).collect()),
    ];
    let tables = combined(&offices, false).unwrap();
    assert_eq!(shown(&tables[0]), [" 100 A"]);
    let cells = shown(&tables[1]);
    assert_eq!(cells.len(), 4 * 4);
    // GHA's cells are 1 + 3 age + sex over F, _O, _U; TGO's the same plus 100 over M, _O, _U.
    assert_eq!(cells[0..4], ["0,F 1 U", "0,M 101 D", "0,_O 104 D", "0,_U 106 A"]);
    assert_eq!(cells[8..12], ["_O,F 7 D", "_O,M 107 D", "_O,_O 116 D", "_O,_U 118 A"]);
}

#[test]
fn a_dimension_summed_over_is_complete_whatever_the_lists() {
    let offices = [
        Office::new("GHA", &counts("codes age 0,_O\ncodes sex F,_O\n", &["age,sex"], 2.0), vec![1, 2, 3, 4]),
        Office::new(
            "TGO",
            &counts("codes age 0,_O\ncodes sex F,M,_O\n", &["age,sex"], 3.0),
            (1..7).collect(),
        ),
    ];
    let answers: Vec<_> = offices.iter().map(Office::answer).collect();
    let sex: Name = "sex".parse().unwrap();
    let tables = combine_over(&answers, std::slice::from_ref(&sex), false, Level::USUAL).unwrap();
    assert_eq!(shown(&tables[0]), ["0,_T 9 U", "_O,_T 22 U"]);
    let sum = NoiseSum::of([2.0, 2.0, 3.0, 3.0, 3.0].map(laplace));
    let figure = tables[0].cells[0].figure.unwrap();
    assert_eq!(half_width(figure) as u64, sum.half_width(Level::USUAL).0);
    let tables = combine_over(&answers, &[sex], true, Level::USUAL).unwrap();
    assert_eq!(shown(&tables[0]), ["GHA,0,_T 3 U", "GHA,_O,_T 7 U", "TGO,0,_T 6 U", "TGO,_O,_T 15 U"]);
}

#[test]
fn a_figure_that_the_noise_may_have_made_is_unreliable() {
    // A noise of scale 10 has a standard error of 14.1: the least reliable count is 43. None is below 0.
    let of = |scale, cells| combined(&[Office::by_sex("GHA", "F,M,_O,_U", scale, cells)], false).unwrap();
    assert_eq!(shown(&of(10.0, vec![43, 42, -42, -43])[0]), ["F 43 A", "M 42 U", "_O -42 U", "_U -43 U"]);
    let differences = |cells| {
        let lines = "codes sex F,M\ncolumn net from -9 to 9 scale 0\nmargin sum(net) by sex: discrete-laplace scale 10";
        combined(&[Office::new("GHA", lines, cells)], false).unwrap()
    };
    assert_eq!(shown(&differences(vec![-42, -43])[0]), ["F -42 U", "M -43 A"], "a sum may be below 0");
    // An error of one at most matters to nobody, however small the count is.
    assert_eq!(shown(&of(0.5, vec![1, 0, -1, 2])[0]), ["F 1 A", "M 0 A", "_O -1 A", "_U 2 A"]);
}

#[test]
fn a_sum_beyond_64_bits_is_no_figure() {
    let offices = [
        Office::by_sex("GHA", "F,M,N,_U", 2.0, vec![i64::MAX, i64::MIN, i64::MAX, i64::MIN]),
        Office::by_sex("TGO", "F,M,N,_U", 2.0, vec![1, -1, 0, i64::MAX]),
    ];
    let table = combined(&offices, false).unwrap().remove(0);
    assert_eq!(shown(&table), ["F - O", "M - O", "N 9223372036854776000 A", "_U -1 U"]);
    assert_eq!(table.cells[0].status, Status::Missing);
}
