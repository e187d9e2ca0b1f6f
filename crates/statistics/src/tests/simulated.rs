//! Intervals over simulated noise: they hold the truth as often as they say.

use super::*;

fn holds(figure: &Figure, truth: f64) -> bool {
    figure.lower.unwrap() <= truth && truth <= figure.upper.unwrap()
}

/// Codes `c0,c1,..`.
fn codes(keys: usize) -> String {
    (0..keys).map(|key| format!("c{key}")).collect::<Vec<_>>().join(",")
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
    let keys: usize = 4_000;
    let codes = format!("codes country {}\n", codes(keys));
    let mut draws = Draws(7);
    // The truth is 0 everywhere: only the noise matters.
    let offices = NAMES.map(|name| {
        let cells = (0..keys).map(|_| draws.laplace(2.0)).collect();
        Office::new(name, &counts(&codes, &["country"], 2.0), cells)
    });
    let sum = NoiseSum::of([laplace(2.0); 15]);
    let (_, covers) = sum.half_width(Level::USUAL);
    let table = combined(&offices, false).unwrap().remove(0);
    let figures: Vec<_> = table.cells.iter().map(|cell| cell.figure.unwrap()).collect();
    let held = figures.iter().filter(|figure| holds(figure, 0.0)).count();
    let share = held as f64 / keys as f64;
    let error = (covers * (1.0 - covers) / keys as f64).sqrt();
    assert!(covers >= 0.95 && (share - covers).abs() < 4.0 * error, "{share} {covers}");
    let square: f64 = figures.iter().map(|figure| figure.value.powi(2)).sum();
    assert!((square / keys as f64 / sum.variance() - 1.0).abs() < 0.1);
}

/// The share of figures that hold the truth is what the level promises, or a little more: within four standard errors.
fn check_coverage(held: usize, of: usize, at_most: f64) {
    let share = held as f64 / of as f64;
    let error = (0.95 * 0.05 / of as f64).sqrt();
    assert!(share > 0.95 - 4.0 * error && share < at_most + 4.0 * error, "{held} of {of}");
}

#[test]
fn the_interval_of_a_mean_over_offices_with_different_bounds_holds_it() {
    const KEYS: usize = 3_000;
    let mut draws = Draws(11);
    let mut office = |name, (low, high, scale): (i64, i64, f64), values: &[i64]| {
        let lines = format!(
            "codes country {}\ncolumn income from {low} to {high} scale 0\n\
             margin mean(income) by country values above,below: discrete-laplace scale {scale}",
            codes(KEYS)
        );
        let [above, below] =
            [values.iter().map(|x| x - low).sum::<i64>(), values.iter().map(|x| high - x).sum::<i64>()];
        let cells = (0..KEYS).flat_map(|_| [above + draws.laplace(scale), below + draws.laplace(scale)]);
        Office::new(name, &lines, cells.collect())
    };
    // Few rows, so that the denominator is uncertain: 8 and 5 of them, with a noise of half the width and of all of it.
    let gha = office("GHA", (0, 100, 50.0), &[0, 10, 20, 30, 40, 50, 60, 70]);
    let tgo = office("TGO", (-50, 150, 200.0), &[90, 90, 95, 100, 150]);
    let truth = (280.0 + 525.0) / 13.0;
    let table = combined(&[gha, tgo], false).unwrap().remove(0);
    let held = table.cells.iter().filter(|cell| holds(&cell.figure.unwrap(), truth)).count();
    check_coverage(held, KEYS, 0.97);
}

#[test]
fn the_interval_of_a_share_holds_it() {
    const KEYS: usize = 3_000;
    let mut draws = Draws(13);
    let mut office = |name, scale: f64, truth: [i64; 3]| {
        let lines = format!(
            "codes country {}\nmargin share(sex) by country values F,M,_U: discrete-laplace scale {scale}",
            codes(KEYS)
        );
        let cells = (0..KEYS).flat_map(|_| truth.map(|count| count + draws.laplace(scale)));
        Office::new(name, &lines, cells.collect())
    };
    let offices = [office("GHA", 2.0, [20, 10, 0]), office("TGO", 4.0, [5, 15, 0])];
    let table = combined(&offices, false).unwrap().remove(0);
    for (key, truth) in [25.0 / 50.0, 25.0 / 50.0, 0.0].into_iter().enumerate() {
        let cells = table.cells.iter().skip(key).step_by(3);
        let held = cells.filter(|cell| holds(&cell.figure.unwrap(), truth)).count();
        // Below no share is possible, so an interval around none can only fail on one side.
        check_coverage(held, KEYS, if truth == 0.0 { 0.985 } else { 0.96 });
    }
}
