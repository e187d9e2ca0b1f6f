use super::*;
use crate::accuracy::trial::{Drawn, Draws, assert_covers, laplace};

const TERM: Term = Term {
    noise: crate::Noise { mechanism: crate::Mechanism::DiscreteLaplace, scale: 2.0 },
    weight: 1.0,
    times: 1,
};

/// Every bin's values, ascending in all.
fn counts(ends: &[i64], values: &[i64]) -> Vec<f64> {
    let last = ends.len() - 2;
    let bin = |value: &i64| ends.iter().rposition(|end| end <= value).unwrap().min(last);
    let mut counts = vec![0.0; last + 1];
    values.iter().for_each(|value| counts[bin(value)] += 1.0);
    counts
}

/// The least and the greatest value that is a quantile by the definition, among the ascending values and halves between.
fn quantiles(values: &[i64], q: f64) -> (f64, f64) {
    let rank = q * values.len() as f64;
    let is_quantile = |x: &f64| {
        let below = values.partition_point(|value| (*value as f64) < *x);
        let up_to = values.partition_point(|value| *value as f64 <= *x);
        below as f64 <= rank && rank <= up_to as f64
    };
    let candidates =
        || values.iter().flat_map(|value| [*value as f64, *value as f64 + 0.5]).filter(is_quantile);
    (candidates().fold(f64::INFINITY, f64::min), candidates().fold(f64::NEG_INFINITY, f64::max))
}

/// Heavy at the low end, with ties and a gap.
fn skewed(n: i64) -> Vec<i64> {
    let mut values: Vec<i64> = (0..n).map(|i| if i % 7 == 0 { 30 } else { (i * i * 90) / (n * n) }).collect();
    values.sort_unstable();
    values
}

#[test]
fn repro_bins_as_wide_as_all_whole_numbers_have_quantiles() {
    let prepared = QuantileNoise::new(2, &[TERM], 0.5, Level::USUAL);
    for ends in [[i64::MIN, 0, i64::MAX], [i64::MIN, i64::MAX, i64::MAX]] {
        let figure = prepared.figure(&ends, &[5_000.0, 5_000.0]).unwrap();
        assert!(figure.lower <= figure.value && figure.value <= figure.upper, "{figure:?}");
    }
}

#[test]
fn every_true_quantile_is_covered_in_a_simulation() {
    let ends = [0, 5, 10, 20, 30, 31, 50, 70, 90];
    let drawn = Drawn::of(TERM.noise);
    let mut draws = Draws::new(7);
    for q in [0.05, 0.5, 0.9] {
        for level in ["0.8", "0.95"] {
            let level: Level = level.parse().unwrap();
            // Three offices' bins added up.
            let prepared = QuantileNoise::new(8, &[Term { times: 3, ..TERM }], q, level);
            for n in [1, 10, 60, 400, 20_000] {
                let values = skewed(n);
                let (exact, (least, greatest)) = (counts(&ends, &values), quantiles(&values, q));
                let mut hits = [0, 0];
                for _ in 0..1_500 {
                    let mut noisy = |count: &f64| count + (0..3).map(|_| draws.draw(&drawn)).sum::<f64>();
                    let noisy: Vec<f64> = exact.iter().map(&mut noisy).collect();
                    let figure = prepared.figure(&ends, &noisy).unwrap();
                    assert!(figure.lower <= figure.value && figure.value <= figure.upper, "{figure:?}");
                    for (hits, truth) in hits.iter_mut().zip([least, greatest]) {
                        *hits += u32::from(figure.lower <= truth && truth <= figure.upper);
                    }
                }
                for hits in hits {
                    assert_covers(hits, 1_500, level.get(), &format!("{q} of {n}"));
                }
            }
        }
    }
}

#[test]
fn the_estimate_lies_around_the_quantile_of_the_bins_as_its_standard_error_says() {
    // Even within bins of ten: the line within the bin is the truth.
    let ends: Vec<i64> = (0..=10).map(|i| 10 * i).collect();
    let prepared = QuantileNoise::new(10, &[TERM], 0.35, Level::USUAL);
    let (drawn, mut draws) = (Drawn::of(TERM.noise), Draws::new(5));
    let (mut sum, mut squares, mut said) = (0.0, 0.0, 0.0);
    for _ in 0..4_000 {
        let noisy: Vec<f64> = (0..10).map(|_| 200.0 + draws.draw(&drawn)).collect();
        let figure = prepared.figure(&ends, &noisy).unwrap();
        let error = figure.value - 35.0;
        (sum, squares, said) = (sum + error, squares + error * error, said + figure.std_err.unwrap());
    }
    let (mean, spread, said) = (sum / 4e3, (squares / 4e3f64).sqrt(), said / 4e3);
    // Six standard errors.
    assert!(mean.abs() < 6.0 * said / 4e3f64.sqrt(), "{mean} {said}");
    assert!((spread / said - 1.0).abs() < 0.1, "{spread} {said}");
}

#[test]
fn empty_bins_do_not_draw_the_estimate_to_them() {
    // Forty empty bins above the data: clamping noisy counts to 0 would add half their noise to the tail.
    let ends: Vec<i64> = (0..=50).collect();
    let prepared = QuantileNoise::new(50, &[Term { times: 10, ..TERM }], 0.5, Level::USUAL);
    let (drawn, mut draws) = (Drawn::of(TERM.noise), Draws::new(6));
    let values: Vec<f64> = (0..2_000)
        .map(|_| {
            let count = |bin: i32| if bin < 10 { 100.0 } else { 0.0 };
            let noise: Vec<f64> = (0..50).map(|_| (0..10).map(|_| draws.draw(&drawn)).sum()).collect();
            let noisy: Vec<f64> = (0..50).zip(noise).map(|(bin, noise)| count(bin) + noise).collect();
            prepared.figure(&ends, &noisy).unwrap().value
        })
        .collect();
    let mean = values.iter().sum::<f64>() / 2e3;
    let spread = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 2e3).sqrt();
    assert!((mean - 5.0).abs() < 0.05 + 6.0 * spread / 2e3f64.sqrt(), "{mean} {spread}");
}

#[test]
fn without_noise_the_quantile_is_that_of_the_bins() {
    let prepared = QuantileNoise::new(4, &[], 0.5, Level::USUAL);
    for (counts, value, lower, upper) in [
        // The ranks 0..10 fall on the ends 0, 10, 20, 40, 80.
        ([2.0, 4.0, 2.0, 2.0], 17.5, 10.0, 20.0),
        ([0.0, 0.0, 0.0, 7.0], 60.0, 40.0, 80.0),
        ([7.0, 0.0, 0.0, 0.0], 5.0, 0.0, 10.0),
        // A whole bin of medians: everything between and the bins that end there.
        ([3.0, 0.0, 3.0, 0.0], 20.0, 0.0, 40.0),
    ] {
        let figure = prepared.figure(&[0, 10, 20, 40, 80], &counts).unwrap();
        assert_eq!((figure.value, figure.lower, figure.upper), (value, lower, upper), "{counts:?}");
    }
}

#[test]
fn what_noise_drowns_is_anywhere() {
    let prepared = QuantileNoise::new(4, &[Term { noise: laplace(50.0), ..TERM }], 0.5, Level::USUAL);
    let figure = prepared.figure(&[0, 10, 20, 40, 80], &[20.0, -9.0, 31.0, 2.0]).unwrap();
    assert_eq!((figure.value, figure.lower, figure.upper, figure.std_err), (40.0, 0.0, 80.0, None));
    // Enough in all, turned over by noise: still an answer.
    let figure = prepared.figure(&[0, 10, 20, 40, 80], &[900.0, -300.0, -100.0, 400.0]).unwrap();
    assert!((figure.lower..=figure.upper).contains(&figure.value), "{figure:?}");
}

#[test]
fn a_histogram_of_another_shape_is_refused() {
    let prepared = QuantileNoise::new(3, &[TERM], 0.5, Level::USUAL);
    for (ends, counts) in [(3, 3), (4, 2), (4, 4), (5, 4), (0, 0)] {
        let ends: Vec<i64> = (0..ends).collect();
        assert_eq!(prepared.figure(&ends, &vec![100.0; counts]), None);
    }
    assert_eq!(QuantileNoise::new(0, &[TERM], 0.5, Level::USUAL).figure(&[1], &[]), None);
    assert!(prepared.figure(&[0, 1, 2, 3], &[100.0; 3]).is_some());
}

#[test]
fn descending_neighbours_are_pooled() {
    for (values, expected) in [
        (vec![1.0, 2.0, 3.0], vec![1.0, 2.0, 3.0]),
        (vec![3.0, 1.0], vec![2.0, 2.0]),
        (vec![1.0, 4.0, 2.0, 0.0, 9.0], vec![1.0, 2.0, 2.0, 2.0, 9.0]),
        (vec![5.0, 3.0, 1.0], vec![3.0, 3.0, 3.0]),
        (vec![], vec![]),
    ] {
        assert_eq!(isotonic(&values), expected);
    }
}
