//! Combined tables: which offices and noises are in a cell, what its interval is, and what is refused.

use lango_privacy::{Layout, Level, Mechanism, Name, Noise, NoiseSum, PlanText};

use crate::{Answer, CombineError, Status, Table, combine, combine_over};

/// An office's release: `codes` lines, then its margins, all with one noise.
struct Office {
    name: &'static str,
    layout: Layout,
    plan: PlanText,
    cells: Vec<i64>,
}

impl Office {
    fn new(name: &'static str, codes: &str, margins: &[&str], scale: f64, cells: Vec<i64>) -> Self {
        let lines = |prefix: &str, suffix: &str| -> String {
            margins.iter().map(|by| format!("{}{suffix}\n", format!("{prefix} {by}").trim_end())).collect()
        };
        let layout = format!("{codes}{}", lines("margin persons by", ""));
        let noise = " mechanism discrete-laplace scale 2 sensitivity 1";
        let plan = format!(
            "lango-plan 1\nunit person rows_at_most 1 cells_at_most 1\nterms {}\n{}",
            "07".repeat(32),
            lines("margin persons by", noise)
        );
        let mut plan: PlanText = plan.parse().unwrap();
        // Set here, because no text with a scale out of range is read.
        plan.margins.iter_mut().for_each(|margin| margin.noise.scale = scale);
        Self { name, layout: layout.parse().unwrap(), plan, cells }
    }

    fn by_sex(name: &'static str, codes: &str, scale: f64, cells: Vec<i64>) -> Self {
        Self::new(name, &format!("codes sex {codes}\n"), &["sex"], scale, cells)
    }

    fn answer(&self) -> Answer<'_> {
        Answer { office: self.name, layout: &self.layout, plan: &self.plan, cells: &self.cells }
    }
}

fn laplace(scale: f64) -> Noise {
    Noise { mechanism: Mechanism::DiscreteLaplace, scale }
}

fn combined(offices: &[Office], by_office: bool) -> Result<Vec<Table>, CombineError> {
    let answers: Vec<_> = offices.iter().map(Office::answer).collect();
    combine(&answers, by_office, Level::USUAL)
}

/// `key value status`, a line for each cell.
fn shown(table: &Table) -> Vec<String> {
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
    assert_eq!(shown(&tables[0]), ["F 111 A", "M 222 A", "_O 3 A", "_U 3 A"]);
    let sum = NoiseSum::of([2.0, 2.0, 5.0].map(laplace));
    let half = i64::try_from(sum.half_width(Level::USUAL).0).unwrap();
    // Closed form of a discrete Laplace: 2p / (1 - p)^2.
    let variance = |scale: f64| 2.0 * (-1.0 / scale).exp() / (1.0 - (-1.0 / scale).exp()).powi(2);
    for cell in &tables[0].cells {
        let figure = cell.figure.unwrap();
        assert_eq!((figure.lower, figure.upper), (figure.value - half, figure.value + half));
        assert!((figure.std_err.powi(2) - (2.0 * variance(2.0) + variance(5.0))).abs() < 1e-9);
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
        ["TGO,F 1 A", "TGO,_O 2 A", "TGO,_U 3 A", "BEN,F 4 A", "BEN,_O 5 A", "BEN,_U 6 A"]
    );
    assert_eq!(tables[0].axes[0].dimension, "office");
    let half = |cell: usize| tables[0].cells[cell].figure.map(|f| f.upper - f.value).unwrap();
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
    let std_err = |cell: usize| summed[0].cells[cell].figure.unwrap().std_err;
    assert!((std_err(0) / std_err(2) - 2f64.sqrt()).abs() < 1e-12);
    assert_eq!(
        shown(&combined(&offices, true).unwrap()[0]),
        [
            "GHA,M 1 A",
            "GHA,F 2 A",
            "GHA,X - L",
            "GHA,_O 3 A",
            "GHA,_U 4 A",
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
    let codes = |sex: &str| format!("codes age 0,1,_O,_U\ncodes sex {sex}\n");
    let offices = [
        Office::new("GHA", &codes("F,_O,_U"), &["", "age,sex"], 1.0, (0..13).collect()),
        Office::new("TGO", &codes("M,_O,_U"), &["", "age,sex"], 1.0, (100..113).collect()),
    ];
    let tables = combined(&offices, false).unwrap();
    assert_eq!(shown(&tables[0]), [" 100 A"]);
    let cells = shown(&tables[1]);
    assert_eq!(cells.len(), 4 * 4);
    // GHA's cells are 1 + 3 age + sex over F, _O, _U; TGO's the same plus 100 over M, _O, _U.
    assert_eq!(cells[0..4], ["0,F 1 D", "0,M 101 D", "0,_O 104 D", "0,_U 106 A"]);
    assert_eq!(cells[8..12], ["_O,F 7 D", "_O,M 107 D", "_O,_O 116 D", "_O,_U 118 A"]);
}

#[test]
fn a_dimension_summed_over_is_complete_whatever_the_lists() {
    let offices = [
        Office::new("GHA", "codes age 0,_O\ncodes sex F,_O\n", &["age,sex"], 2.0, vec![1, 2, 3, 4]),
        Office::new("TGO", "codes age 0,_O\ncodes sex F,M,_O\n", &["age,sex"], 3.0, (1..7).collect()),
    ];
    let answers: Vec<_> = offices.iter().map(Office::answer).collect();
    let sex: Name = "sex".parse().unwrap();
    let tables = combine_over(&answers, std::slice::from_ref(&sex), false, Level::USUAL).unwrap();
    assert_eq!(shown(&tables[0]), ["0,_T 9 A", "_O,_T 22 A"]);
    let sum = NoiseSum::of([2.0, 2.0, 3.0, 3.0, 3.0].map(laplace));
    let figure = tables[0].cells[0].figure.unwrap();
    assert_eq!((figure.upper - figure.value) as u64, sum.half_width(Level::USUAL).0);
    let tables = combine_over(&answers, &[sex], true, Level::USUAL).unwrap();
    assert_eq!(shown(&tables[0]), ["GHA,0,_T 3 A", "GHA,_O,_T 7 A", "TGO,0,_T 6 A", "TGO,_O,_T 15 A"]);
}

#[test]
fn a_sum_beyond_64_bits_is_no_figure_and_an_interval_ends_at_the_bounds() {
    let offices = [
        Office::by_sex("GHA", "F,M,N,_U", 2.0, vec![i64::MAX, i64::MIN, i64::MAX, i64::MIN]),
        Office::by_sex("TGO", "F,M,N,_U", 2.0, vec![1, -1, 0, i64::MAX]),
    ];
    let table = combined(&offices, false).unwrap().remove(0);
    assert_eq!(shown(&table), ["F - O", "M - O", "N 9223372036854775807 A", "_U -1 A"]);
    assert_eq!(table.cells[0].status, Status::Missing);
    let figure = table.cells[2].figure.unwrap();
    assert!(figure.upper == i64::MAX && figure.lower < i64::MAX);
}

#[test]
fn answers_that_cannot_be_combined_are_refused_with_the_office() {
    let good = || Office::by_sex("GHA", "F,_U", 2.0, vec![1, 2]);
    let office = || "TGO".to_owned();
    let other = Office::new("TGO", "codes sex F,_U\n", &[""], 2.0, vec![1]);
    let twice = Office::new("TGO", "codes sex F,_U\n", &["sex", "sex"], 2.0, vec![1, 2, 3, 4]);
    let wide = Office::by_sex("TGO", "F,_U", 1e13, vec![1, 2]);
    let keys = || CombineError::Keys { office: office(), dimension: "sex".into() };
    let mut unplanned = Office::by_sex("TGO", "F,_U", 2.0, vec![1, 2]);
    unplanned.plan.margins.clear();
    for (second, expected) in [
        (good(), CombineError::OfficeTwice { office: "GHA".into() }),
        (other, CombineError::Margins { office: office() }),
        (twice, CombineError::Margins { office: office() }),
        (unplanned, CombineError::Margins { office: office() }),
        (
            Office::by_sex("TGO", "F,_U", 2.0, vec![1]),
            CombineError::Cells { office: office(), expected: 2, found: 1 },
        ),
        (Office::by_sex("TGO", "F,F", 2.0, vec![1, 2]), keys()),
        (Office::by_sex("TGO", "F,_T", 2.0, vec![1, 2]), keys()),
        (wide, CombineError::Noise { office: office() }),
    ] {
        assert_eq!(combined(&[good(), second], false), Err(expected));
    }
    assert_eq!(combined(&[], true), Ok(vec![]));
}

#[test]
fn lists_made_to_blow_up_the_table_are_refused() {
    let many = |prefix: &str| (0..3_000).map(|i| format!("{prefix}{i}")).collect::<Vec<_>>().join(",");
    let codes = |age: &str, sex: &str| format!("codes age {age}\ncodes sex {sex}\n");
    let offices = [
        Office::new("GHA", &codes(&many("a"), "F"), &["age,sex"], 2.0, vec![0; 3_000]),
        Office::new("TGO", &codes("0", &many("s")), &["age,sex"], 2.0, vec![0; 3_000]),
    ];
    assert_eq!(combined(&offices, false), Err(CombineError::TooManyCells));
}

/// A discrete Laplace noise as the difference of two geometric ones, from a linear congruential generator.
struct Draws(u64);

impl Draws {
    fn geometric(&mut self, scale: f64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let uniform = ((self.0 >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
        (uniform.ln() * -scale).floor() as i64
    }

    fn laplace(&mut self, scale: f64) -> i64 {
        self.geometric(scale) - self.geometric(scale)
    }
}

#[test]
fn the_interval_of_a_sum_of_fifteen_holds_the_truth_as_often_as_it_says() {
    const NAMES: [&str; 15] = [
        "BEN", "BFA", "CPV", "CIV", "GMB", "GHA", "GIN", "GNB", "LBR", "MLI", "NER", "NGA", "SEN", "SLE",
        "TGO",
    ];
    let keys = 4_000;
    let codes: Vec<_> = (0..keys).map(|key| format!("c{key}")).collect();
    let codes = format!("codes country {}\n", codes.join(","));
    let mut draws = Draws(7);
    // The truth is 0 everywhere: only the noise matters.
    let offices = NAMES.map(|name| {
        let cells = (0..keys).map(|_| draws.laplace(2.0)).collect();
        Office::new(name, &codes, &["country"], 2.0, cells)
    });
    let sum = NoiseSum::of([laplace(2.0); 15]);
    let (_, covers) = sum.half_width(Level::USUAL);
    let table = combined(&offices, false).unwrap().remove(0);
    let figures: Vec<_> = table.cells.iter().map(|cell| cell.figure.unwrap()).collect();
    let held = figures.iter().filter(|figure| figure.lower <= 0 && 0 <= figure.upper).count();
    let share = held as f64 / f64::from(keys);
    let error = (covers * (1.0 - covers) / f64::from(keys)).sqrt();
    assert!(covers >= 0.95 && (share - covers).abs() < 4.0 * error, "{share} {covers}");
    let square: f64 = figures.iter().map(|figure| (figure.value as f64).powi(2)).sum();
    assert!((square / f64::from(keys) / sum.variance() - 1.0).abs() < 0.1);
}
