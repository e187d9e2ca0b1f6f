//! Intervals over simulated noise: they hold the truth as often as they say.

use super::*;
use crate::in_whole_numbers;

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

/// What is not estimable excludes nothing.
fn is_held(cell: &crate::Cell, truth: f64) -> bool {
    cell.figure.is_none_or(|figure| holds(&figure, truth))
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
    let held = table.cells.iter().filter(|cell| is_held(cell, truth)).count();
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
        let held = cells.filter(|cell| is_held(cell, truth)).count();
        // Below no share is possible, so an interval around none can only fail on one side.
        check_coverage(held, KEYS, if truth == 0.0 { 0.985 } else { 0.96 });
    }
}

/// Margins of two dimensions and one measure, with their noises; each margin's truth from one joint table.
fn cube(name: &'static str, draws: &mut Draws, scales: [f64; 3]) -> Office {
    let [total, ages, joint] = scales;
    let lines = format!(
        "codes age {}\ncodes sex F,M,_U\nmargin persons by: discrete-laplace scale {total}\n\
         margin persons by age: discrete-laplace scale {ages}\nmargin persons by age,sex: discrete-laplace scale {joint}",
        codes(AGES)
    );
    let truth = |age: usize, sex: usize| 10 * (age as i64 + 1) * [3, 2, 0][sex];
    let by_age = |age| (0..3).map(|sex| truth(age, sex)).sum::<i64>();
    let mut cells = vec![(0..AGES).map(by_age).sum::<i64>() + draws.laplace(total)];
    cells.extend((0..AGES).map(|age| by_age(age) + draws.laplace(ages)));
    cells.extend((0..AGES * 3).map(|cell| truth(cell / 3, cell % 3) + draws.laplace(joint)));
    Office::new(name, &lines, cells)
}

const AGES: usize = 8;

#[test]
fn margins_of_a_measure_add_up_and_their_intervals_hold_the_truth() {
    let mut draws = Draws(17);
    let (mut held, mut judged, mut squares) = ([0usize; 3], [0usize; 3], [0.0; 3]);
    for _ in 0..400 {
        let offices = [cube("GHA", &mut draws, [9.0, 6.0, 4.0]), cube("TGO", &mut draws, [5.0, 8.0, 3.0])];
        let tables = combined(&offices, false).unwrap();
        let values = |table: &CombinedTable| {
            table.cells.iter().map(|cell| cell.figure.unwrap().value).collect::<Vec<_>>()
        };
        let [total, ages, joint] = [0, 1, 2].map(|table: usize| values(&tables[table]));
        assert!((ages.iter().sum::<f64>() - total[0]).abs() < 1e-9 * total[0]);
        for (age, cells) in ages.iter().zip(joint.chunks(3)) {
            assert!((cells.iter().sum::<f64>() - age).abs() < 1e-6);
        }
        let truth = |age: usize| 2.0 * 50.0 * (age as f64 + 1.0);
        let truths = [
            vec![(0..AGES).map(truth).sum::<f64>()],
            (0..AGES).map(truth).collect(),
            (0..AGES).flat_map(|age| [3.0, 2.0, 0.0].map(|part| truth(age) * part / 5.0)).collect(),
        ];
        for (at, (table, truths)) in tables.iter().zip(&truths).enumerate() {
            for (cell, truth) in table.cells.iter().zip(truths) {
                let figure = cell.figure.unwrap();
                held[at] += usize::from(holds(&figure, *truth));
                judged[at] += 1;
                squares[at] += ((figure.value - truth) / figure.std_err.unwrap()).powi(2);
            }
        }
    }
    for at in 0..3 {
        // Cells of one table are correlated after least squares; within six standard errors as if they were not.
        let share = held[at] as f64 / judged[at] as f64;
        let error = (0.95 * 0.05 / judged[at] as f64).sqrt();
        assert!(share > 0.95 - 6.0 * error && share < 0.97 + 6.0 * error, "{at} {share}");
        let ratio = squares[at] / judged[at] as f64;
        assert!((ratio - 1.0).abs() < 6.0 * (5.0 / judged[at] as f64).sqrt(), "{at} {ratio}");
    }
}

#[test]
fn a_sum_over_fitted_cells_carries_what_least_squares_leave() {
    let mut draws = Draws(19);
    let sex: Name = "sex".parse().unwrap();
    let age: Name = "age".parse().unwrap();
    let (mut squares, mut judged) = (0.0, 0);
    for _ in 0..400 {
        let office = cube("GHA", &mut draws, [9.0, 6.0, 4.0]);
        let over = |over: &[Name]| combine_over(&[office.answer()], over, false, Level::USUAL).unwrap();
        // Summed over sex, the finest margin is the one by age, which was measured too.
        let tables = over(std::slice::from_ref(&sex));
        for (summed, own) in tables[2].cells.iter().zip(&tables[1].cells) {
            let (summed, own) = (summed.figure.unwrap(), own.figure.unwrap());
            assert!((summed.value - own.value).abs() < 1e-6);
            assert!((summed.std_err.unwrap() / own.std_err.unwrap() - 1.0).abs() < 1e-6);
        }
        // Summed over age it is one that was not.
        let tables = over(std::slice::from_ref(&age));
        for (cell, part) in tables[2].cells.iter().zip([3.0, 2.0, 0.0]) {
            let figure = cell.figure.unwrap();
            let truth = 360.0 * part;
            squares += ((figure.value - truth) / figure.std_err.unwrap()).powi(2);
            judged += 1;
        }
    }
    let ratio = squares / f64::from(judged);
    assert!((ratio - 1.0).abs() < 6.0 * (5.0 / f64::from(judged)).sqrt(), "{ratio}");
}

#[test]
fn whole_numbers_are_not_negative_and_add_up() {
    let mut draws = Draws(23);
    for by_office in [false, true] {
        let offices =
            [cube("GHA", &mut draws, [9.0, 60.0, 40.0]), cube("TGO", &mut draws, [5.0, 80.0, 30.0])];
        let answers: Vec<_> = offices.iter().map(Office::answer).collect();
        let tables = combine(&answers, by_office, Level::USUAL).unwrap();
        assert!(
            tables[2].cells.iter().any(|cell| cell.figure.unwrap().value < 0.0),
            "no cell is below zero, so nothing is corrected"
        );
        let whole = in_whole_numbers(&tables, &answers).unwrap();
        for (table, before) in whole.iter().zip(&tables) {
            for (cell, before) in table.cells.iter().zip(&before.cells) {
                let (figure, before) = (cell.figure.unwrap(), before.figure.unwrap());
                assert!(figure.value >= 0.0 && figure.value.fract() == 0.0 && figure.lower.unwrap() >= 0.0);
                // Below zero, as far above it as the estimate's own interval reaches above that.
                let upper = before.upper.map(|end| end - before.value.min(0.0));
                assert_eq!((figure.std_err, figure.upper), (before.std_err, upper));
            }
        }
        let sum = |cells: &[crate::Cell]| cells.iter().map(|cell| cell.figure.unwrap().value).sum::<f64>();
        let [total, ages, joint] = [0, 1, 2].map(|table: usize| &whole[table].cells);
        for (office, total) in total.iter().enumerate() {
            assert_eq!(sum(&ages[office * AGES..(office + 1) * AGES]), total.figure.unwrap().value);
        }
        for (cells, age) in joint.chunks(3).zip(ages) {
            assert_eq!(sum(cells), age.figure.unwrap().value);
        }
    }
}

#[test]
fn the_interval_of_a_count_below_zero_is_that_of_zero_and_holds_what_is_plausible() {
    let (keys, truths) = (40_000, 0..8_i64);
    let most = truths.end as usize;
    let truth = |key: usize| (key % most) as f64;
    let mut draws = Draws(11);
    let cells = (0..keys).map(|key| draws.laplace(2.0) + truth(key) as i64).collect();
    let office =
        Office::new("GHA", &counts(&format!("codes country {}\n", codes(keys)), &["country"], 2.0), cells);
    let answers = [office.answer()];
    let tables = combine(&answers, false, Level::USUAL).unwrap();
    let whole = in_whole_numbers(&tables, &answers).unwrap();
    let half = NoiseSum::of([laplace(2.0)]).half_width(Level::USUAL).0 as f64;
    let (mut below, mut held, mut held_below) = (0, 0, 0);
    for (key, (cell, before)) in whole[0].cells.iter().zip(&tables[0].cells).enumerate() {
        let (figure, before) = (cell.figure.unwrap(), before.figure.unwrap());
        let held_here = usize::from(holds(&figure, truth(key)));
        held += held_here;
        if before.value < 0.0 {
            assert_eq!((figure.value, figure.lower, figure.upper), (0.0, Some(0.0), Some(half)));
            below += 1;
            held_below += held_here;
        }
    }
    // What was cut off before held none of those beyond half a width below zero.
    let level = Level::USUAL.get();
    assert!(below > keys / 20, "{below}");
    for (held, all) in [(held, keys), (held_below, below)] {
        let share = held as f64 / all as f64;
        assert!(share > level - 0.01, "{share} of {all}");
    }
}

#[test]
fn whole_numbers_of_offices_with_different_lists_leave_what_was_not_collected() {
    let offices = [
        Office::by_sex("GHA", "F,M,_O,_U", 2.0, vec![10, -3, 0, 1]),
        Office::by_sex("TGO", "F,X,_O,_U", 2.0, vec![7, 2, -1, 0]),
    ];
    let answers: Vec<_> = offices.iter().map(Office::answer).collect();
    let tables = combine(&answers, true, Level::USUAL).unwrap();
    let whole = in_whole_numbers(&tables, &answers).unwrap();
    let shown = shown(&whole[0]);
    assert_eq!((shown[2].as_str(), shown[6].as_str()), ("GHA,X - L", "TGO,M - L"));
    let of = |office: usize| {
        whole[0].cells[office * 5..][..5].iter().filter_map(|cell| cell.figure).map(|figure| figure.value)
    };
    assert_eq!((of(0).sum::<f64>(), of(1).sum::<f64>()), (8.0, 8.0));
    assert!(of(0).chain(of(1)).all(|value| value >= 0.0));
}
