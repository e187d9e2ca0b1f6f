//! Coverage is summed over all values of two noises, so that nothing here fails by chance but the one simulation.

use super::*;
use crate::accuracy::trial::{Drawn, Draws, assert_covers, atoms, gaussian, laplace};

/// Two parts of a ratio with their forms and noises: what is true of each, and the atoms of what is released.
struct Case {
    name: &'static str,
    forms: [Form; 2],
    noises: [(Noise, u64); 2],
    range: (f64, f64),
}

impl Case {
    fn prepared(&self, level: Level) -> RatioNoise {
        let terms = self.forms.iter().zip(self.noises).map(|(form, (noise, times))| form.term(noise, times));
        RatioNoise::new(terms, self.range.0, self.range.1, level)
    }

    /// The probability that the interval holds the true ratio of these parts.
    fn coverage(&self, prepared: &RatioNoise, parts: [f64; 2]) -> f64 {
        let [x, y] = self.forms;
        let ratio =
            |a: f64, b: f64| (x.numerator * a + y.numerator * b, x.denominator * a + y.denominator * b);
        let (numerator, denominator) = ratio(parts[0], parts[1]);
        let truth = numerator / denominator;
        assert!((self.range.0..=self.range.1).contains(&truth), "{} {truth}", self.name);
        let [first, second] = self.noises.map(|(noise, times)| atoms(noise, times));
        let mut covered = 0.0;
        for (a, p) in &first {
            for (b, q) in second.iter().filter(|(_, q)| p * q > 1e-9) {
                let (numerator, denominator) = ratio(parts[0] + a, parts[1] + b);
                let figure = prepared.figure(numerator, denominator);
                if figure.lower <= truth && truth <= figure.upper {
                    covered += p * q;
                }
                assert!(figure.lower <= figure.value && figure.value <= figure.upper, "{figure:?}");
                assert!(self.range.0 <= figure.lower && figure.upper <= self.range.1, "{figure:?}");
                assert!((0.0..=self.range.1 - self.range.0).contains(&figure.std_err), "{figure:?}");
            }
        }
        covered
    }
}

fn share(name: &'static str, noise: Noise, others: u64) -> Case {
    Case { name, forms: Form::SHARE, noises: [(noise, 1), (noise, others)], range: (0.0, 1.0) }
}

/// What the enumeration leaves out.
const LEFT: f64 = 2e-5;

#[test]
fn shares_are_covered_whatever_they_are_and_however_small_the_whole() {
    for case in [
        share("usual", laplace(2.0), 4),
        share("one other", laplace(2.0), 1),
        share("narrow", laplace(0.4), 6),
        share("bell", gaussian(2.5), 3),
        share("narrow bell", gaussian(0.5), 3),
    ] {
        for level in ["0.8", "0.95"] {
            let level: Level = level.parse().unwrap();
            let prepared = case.prepared(level);
            // Rational shares, at which the noise lies on a lattice, between others.
            for whole in [4.0, 12.0, 60.0, 100_000.0] {
                for share in [0.0, 1.0, 0.5, 1.0 / 3.0, 2.0 / 3.0, 0.25, 1.0 / 12.0, 0.01, 0.123] {
                    let cell: f64 = f64::round(share * whole);
                    let covered = case.coverage(&prepared, [cell, whole - cell]);
                    assert!(covered >= level.get() - LEFT, "{} {share} of {whole}: {covered}", case.name);
                }
            }
        }
    }
}

#[test]
fn a_clear_share_is_not_covered_much_oftener_than_asked() {
    // With noises whose steps do not show.
    let case = share("wide", laplace(6.0), 1);
    let prepared = case.prepared(Level::USUAL);
    for cell in [10_000.0, 37_000.0, 50_500.0, 90_000.0] {
        let covered = case.coverage(&prepared, [cell, 100_000.0 - cell]);
        assert!((Level::USUAL.get() - LEFT..0.9535).contains(&covered), "{cell} {covered}");
    }
}

#[test]
fn means_are_covered_by_both_estimators() {
    let (low, high) = (-3.0, 17.0);
    let pair = Case {
        name: "pair",
        forms: Form::mean_of_pair(low, high),
        noises: [(laplace(40.0), 1), (laplace(40.0), 1)],
        range: (low, high),
    };
    let about = |name, noises| Case { name, forms: Form::mean_about(7.0), noises, range: (low, high) };
    let centred = about("centred", [(laplace(20.0), 1), (laplace(2.0), 1)]);
    let bells = about("bells", [(gaussian(25.0), 1), (gaussian(1.5), 2)]);
    let prepared = [&pair, &centred, &bells].map(|case| case.prepared(Level::USUAL));
    for values in
        [vec![-3.0; 9], vec![5.0, 6.0, 17.0], vec![7.0; 40], [vec![17.0; 90], vec![0.0; 10]].concat()]
    {
        let sum = |of: &dyn Fn(f64) -> f64| values.iter().map(|x| of(*x)).sum::<f64>();
        let parts = [
            [sum(&|x| x - low), sum(&|x| high - x)],
            [sum(&|x| x - 7.0), sum(&|_| 1.0)],
            [sum(&|x| x - 7.0), sum(&|_| 1.0)],
        ];
        let mean = sum(&|x| x) / values.len() as f64;
        for ((case, prepared), parts) in [&pair, &centred, &bells].into_iter().zip(&prepared).zip(parts) {
            let [x, y] = case.forms;
            let (numerator, denominator) = (
                x.numerator * parts[0] + y.numerator * parts[1],
                x.denominator * parts[0] + y.denominator * parts[1],
            );
            assert!((numerator / denominator - mean).abs() < 1e-12, "{}", case.name);
            let covered = case.coverage(prepared, parts);
            assert!(covered >= Level::USUAL.get() - LEFT, "{} {mean}: {covered}", case.name);
        }
    }
}

#[test]
fn what_is_known_between_knots_is_wide_enough_and_hardly_wider() {
    for case in
        [share("usual", laplace(2.0), 4), share("narrow", laplace(0.3), 3), share("bell", gaussian(3.0), 2)]
    {
        let prepared = case.prepared(Level::USUAL);
        let [own, others] = case.noises.map(|(noise, times)| atoms(noise, times));
        for at in (0..=600).map(|i| f64::from(i) / 600.0) {
            let mut law: Vec<(f64, f64)> = Vec::new();
            for (a, p) in &own {
                let each = others.iter().filter(|(_, q)| p * q > 1e-9);
                law.extend(each.map(|(b, q)| ((a - at * (a + b)).abs(), p * q)));
            }
            law.sort_by(|a, b| a.0.total_cmp(&b.0));
            let smallest = |level: f64| {
                let mut within = LEFT;
                law.iter()
                    .find(|(_, p)| {
                        within += p;
                        within >= level
                    })
                    .unwrap()
                    .0
            };
            let knots = prepared.knots.windows(2).find(|pair| pair[0].0 <= at && at <= pair[1].0).unwrap();
            let ((m, q), (n, r)) = (knots[0], knots[1]);
            let known = q + (r - q) * (at - m) / (n - m);
            assert!(known >= smallest(0.95) - 1e-9, "{} {at} {known} {}", case.name, smallest(0.95));
            assert!(
                known <= 1.03 * smallest(0.9503) + 1e-9,
                "{} {at} {known} {}",
                case.name,
                smallest(0.9503)
            );
        }
    }
}

#[test]
fn the_interval_is_the_hull_of_what_is_not_excluded() {
    let prepared = share("usual", laplace(2.0), 9).prepared(Level::USUAL);
    let known = |m: f64| {
        let pair = prepared.knots.windows(2).find(|pair| pair[0].0 <= m && m <= pair[1].0).unwrap();
        pair[0].1 + (pair[1].1 - pair[0].1) * (m - pair[0].0) / (pair[1].0 - pair[0].0)
    };
    let mut draws = Draws::new(3);
    let (wide, wider) = (Drawn::of(laplace(15.0)), Drawn::of(laplace(60.0)));
    let mut kinds = [0; 3];
    for _ in 0..300 {
        let (numerator, denominator) = (draws.draw(&wide), draws.draw(&wider));
        let figure = prepared.figure(numerator, denominator);
        // What is open is widest at a knot or at the ratio itself.
        let ratio = numerator / denominator;
        let mut grid: Vec<f64> = (0..=1000).map(|i| f64::from(i) / 1000.0).collect();
        grid.extend(
            prepared.knots.iter().map(|(m, _)| *m).chain((0.0..=1.0).contains(&ratio).then_some(ratio)),
        );
        grid.sort_by(f64::total_cmp);
        let open = |m: &f64| (numerator - m * denominator).abs() <= known(*m) + 1e-9;
        match (grid.iter().position(open), grid.iter().rposition(open)) {
            (Some(first), Some(last)) => {
                let (before, after) = (grid[first.saturating_sub(1)], grid[(last + 1).min(grid.len() - 1)]);
                assert!(
                    (before..=grid[first]).contains(&figure.lower),
                    "{numerator} {denominator} {figure:?}"
                );
                assert!((grid[last]..=after).contains(&figure.upper), "{numerator} {denominator} {figure:?}");
                kinds[usize::from(!(open(&0.0) && open(&1.0)))] += 1;
            }
            // Everything is excluded: nothing is known.
            _ => {
                assert_eq!((figure.lower, figure.upper), (0.0, 1.0), "{numerator} {denominator}");
                kinds[2] += 1;
            }
        }
    }
    assert!(kinds.iter().all(|kind| *kind > 10), "{kinds:?}");
}

#[test]
fn a_ratio_of_nothing_known_is_anywhere_and_one_without_noise_is_a_point() {
    let prepared = share("usual", laplace(2.0), 9).prepared(Level::USUAL);
    for (numerator, denominator) in [(0.0, 0.0), (5.0, 0.0), (3.0, -8.0)] {
        let figure = prepared.figure(numerator, denominator);
        assert_eq!((figure.lower, figure.value, figure.upper, figure.std_err), (0.0, 0.5, 1.0, 1.0));
    }
    let exact = RatioNoise::new([], 0.0, 1.0, Level::USUAL).figure(3.0, 12.0);
    assert_eq!((exact.value, exact.std_err), (0.25, 0.0));
    assert!((exact.lower - 0.25).abs() < 1e-12 && (exact.upper - 0.25).abs() < 1e-12, "{exact:?}");
    // Noise in the numerator alone: the half-width over the denominator.
    let term = RatioTerm { noise: laplace(2.0), numerator: 1.0, denominator: 0.0, times: 1 };
    let mean = RatioNoise::new([term], 0.0, 100.0, Level::USUAL).figure(400.0, 10.0);
    assert!((mean.lower - 39.4).abs() < 1e-9 && (mean.upper - 40.6).abs() < 1e-9, "{mean:?}");
    assert!((mean.std_err - laplace(2.0).variance().sqrt() / 10.0).abs() < 1e-12);
    let one = RatioNoise::new([term], 7.0, 7.0, Level::USUAL).figure(400.0, 10.0);
    assert_eq!((one.lower, one.value, one.upper, one.std_err), (7.0, 7.0, 7.0, 0.0));
}

#[test]
fn a_mean_far_from_nothing_has_the_error_of_the_same_mean_near_it() {
    let mean = |low: f64| {
        let forms = Form::mean_of_pair(low, low + 10.0);
        let noise =
            RatioNoise::new(forms.map(|form| form.term(laplace(20.0), 1)), low, low + 10.0, Level::USUAL);
        let (above, below) = (700.0, 300.0);
        let [a, b] = forms.map(|form| (form.numerator, form.denominator));
        let figure = noise.figure(a.0 * above + b.0 * below, a.1 * above + b.1 * below);
        [figure.value - low, figure.std_err, figure.lower - low, figure.upper - low]
    };
    for (near, far) in mean(0.0).into_iter().zip(mean(2e9)) {
        assert!((near - far).abs() < 1e-4, "{near} {far}");
    }
    assert_eq!(mean(0.0)[0], 7.0);
}

#[test]
fn a_share_over_many_offices_is_covered_in_a_simulation() {
    let offices: Vec<(Noise, Drawn)> =
        (0..54).map(|i| laplace(1.0 + 0.1 * f64::from(i))).map(|noise| (noise, Drawn::of(noise))).collect();
    let terms = offices
        .iter()
        .flat_map(|(noise, _)| [Form::SHARE[0].term(*noise, 1), Form::SHARE[1].term(*noise, 3)]);
    let prepared = RatioNoise::new(terms, 0.0, 1.0, Level::USUAL);
    let mut draws = Draws::new(54);
    for (cell, whole) in [(0.0, 200.0), (30.0, 200.0), (1_000.0, 3_000.0), (90_000.0, 100_000.0)] {
        let (mut covered, mut errors) = (0, Vec::new());
        for _ in 0..3_000 {
            let mut noise = |times: usize| -> f64 {
                offices.iter().map(|(_, drawn)| (0..times).map(|_| draws.draw(drawn)).sum::<f64>()).sum()
            };
            let (own, others) = (noise(1), noise(3));
            let figure = prepared.figure(cell + own, whole + own + others);
            covered += u32::from(figure.lower <= cell / whole && cell / whole <= figure.upper);
            errors.push(((figure.value - cell / whole) / figure.std_err).powi(2));
        }
        assert_covers(covered, 3_000, Level::USUAL.get(), &format!("{cell} of {whole}"));
        if whole == 100_000.0 {
            // Six standard errors of a mean of squares of normal figures.
            let mean = errors.iter().sum::<f64>() / 3_000.0;
            assert!((mean - 1.0).abs() < 6.0 * (2.0f64 / 3_000.0).sqrt(), "{mean}");
        }
    }
}
