//! Whether two samples may be of one law.

/// The largest distance of two empirical distribution functions (Smirnov, 1939).
pub fn distance(a: &[f64], b: &[f64]) -> f64 {
    let (mut a, mut b) = (a.to_vec(), b.to_vec());
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    let share =
        |sample: &[f64], at: f64| sample.partition_point(|value| *value <= at) as f64 / sample.len() as f64;
    a.iter().chain(&b).map(|at| (share(&a, *at) - share(&b, *at)).abs()).fold(0.0, f64::max)
}

/// What the distance of two samples of n each exceeds with probability at most alpha if they are of one law, whatever the law
/// is: P(D >= d) <= 2 exp(-n d^2) from n = 458 on (Wei and Dudley, Statistics and Probability Letters 82, 2012, theorem 1).
pub fn distance_most(n: usize, alpha: f64) -> f64 {
    assert!(n >= 458, "the bound is not proved for fewer");
    (-(alpha / 2.0).ln() / n as f64).sqrt()
}

#[test]
fn a_distance_is_that_of_the_distribution_functions() {
    for (a, b, expected) in [
        (&[1.0, 2.0, 3.0][..], &[1.0, 2.0, 3.0][..], 0.0),
        (&[3.0, 1.0, 2.0], &[4.0, 6.0, 5.0], 1.0),
        (&[1.0, 2.0, 3.0, 4.0], &[3.0, 4.0, 5.0, 6.0], 0.5),
        // Equal values step at once.
        (&[1.0, 1.0, 1.0, 2.0], &[1.0, 2.0, 2.0, 2.0], 0.5),
    ] {
        assert_eq!(distance(a, b), expected);
        assert_eq!(distance(b, a), expected);
    }
    // Kolmogorov's limit at 1 in 1,000 is 1.9495 (Smirnov, Annals of Mathematical Statistics 19, 1948).
    assert!((distance_most(2_000, 1e-3) - 1.9495 * (2.0f64 / 2_000.0).sqrt()).abs() < 1e-5);
}
