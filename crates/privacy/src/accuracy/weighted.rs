//! Sums of independent noises with real weights: cells after least squares, centred sums, sums over offices.

use std::collections::BTreeMap;

use super::{Level, NoiseSum, law::Law};
use crate::{Mechanism, Noise};

/// A noise, with how it is weighted and how many independent ones there are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// The law of each.
    pub noise: Noise,
    /// What each is multiplied by; finite.
    pub weight: f64,
    /// How many.
    pub times: u64,
}

/// A linear form in independent noises.
///
/// Equal sums have equal distributions, so that an interval is computed once for each: the sign of a weight does not
/// matter, nor what lies beyond its 12th digit, where least squares leaves its rounding.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WeightedSum {
    /// Mechanism, bits of the scale, bits of the weight, with how often each occurs.
    noises: BTreeMap<(Mechanism, u64, u64), u64>,
}

impl WeightedSum {
    /// The sum of these. Noises in several terms must be independent of each other: what enters a figure twice must be
    /// added up in one weight first.
    pub fn of(terms: impl IntoIterator<Item = Term>) -> Self {
        let mut sum = Self::default();
        for Term { noise, weight, times } in terms {
            let weight = rounded(weight.abs());
            if weight != 0.0 && times > 0 {
                let occurs =
                    sum.noises.entry((noise.mechanism, noise.scale.to_bits(), weight.to_bits())).or_default();
                *occurs = occurs.saturating_add(times);
            }
        }
        sum
    }

    /// The terms, with weights above 0.
    pub fn terms(&self) -> impl Iterator<Item = Term> {
        self.noises.iter().map(|((mechanism, scale, weight), times)| Term {
            noise: Noise { mechanism: *mechanism, scale: f64::from_bits(*scale) },
            weight: f64::from_bits(*weight),
            times: *times,
        })
    }

    /// The noise of the difference of two figures that carry these independently.
    pub fn minus(&self, other: &Self) -> Self {
        Self::of(self.terms().chain(other.terms()))
    }

    /// The noise of a figure multiplied by a factor.
    pub fn scaled(&self, factor: f64) -> Self {
        Self::of(self.terms().map(|term| Term { weight: factor * term.weight, ..term }))
    }

    /// The variance.
    pub fn variance(&self) -> f64 {
        self.terms().map(|term| term.times as f64 * term.weight * term.weight * term.noise.variance()).sum()
    }

    /// The standard error.
    pub fn std_err(&self) -> f64 {
        self.variance().sqrt()
    }

    /// An `h` with `P(|sum| <= h)` at least the level: the smallest where all weights are equal, and else at most about 1 %
    /// above it, unless the level falls between two steps of a law of very narrow noises.
    pub fn half_width(&self, level: Level) -> f64 {
        match self.on_lattice() {
            Some((weight, sum)) => weight * sum.half_width(level).0 as f64,
            None => self.law().half_width(level.0),
        }
    }

    fn law(&self) -> Law {
        Law::of(self.terms().map(|term| (term.noise, term.weight, term.times)))
    }

    /// The one weight and the sum without it, where there is one.
    fn on_lattice(&self) -> Option<(f64, NoiseSum)> {
        let weight = self.terms().next()?.weight;
        let mut sum = NoiseSum::default();
        for ((mechanism, scale, bits), times) in &self.noises {
            if *bits != weight.to_bits() || !weight.is_finite() {
                return None;
            }
            sum.noises.insert((*mechanism, *scale), u32::try_from(*times).ok()?);
        }
        Some((weight, sum))
    }
}

impl From<&NoiseSum> for WeightedSum {
    fn from(sum: &NoiseSum) -> Self {
        Self::of(sum.each().map(|(noise, times)| Term { noise, weight: 1.0, times: times as u64 }))
    }
}

/// The nearest float with 40 binary digits; infinite, where the number is none.
fn rounded(weight: f64) -> f64 {
    const DROPPED: u64 = (1 << 12) - 1;
    let near = f64::from_bits((weight.to_bits() + DROPPED / 2 + 1) & !DROPPED);
    if weight.is_finite() { near } else { f64::INFINITY }
}

#[cfg(test)]
mod tests {
    use super::{
        super::trial::{Drawn, Draws, assert_covers, atoms, gaussian, laplace},
        *,
    };

    fn term(noise: Noise, weight: f64, times: u64) -> Term {
        Term { noise, weight, times }
    }

    fn level(text: &str) -> Level {
        text.parse().unwrap()
    }

    const LEVELS: [&str; 7] = ["0.2", "0.5", "0.9", "0.95", "0.99", "0.999", "0.999999"];

    /// The sum's absolute values with how much probability lies up to each.
    fn exact(terms: &[Term]) -> Vec<(f64, f64)> {
        let mut law = vec![(0.0, 1.0)];
        for term in terms {
            let each = atoms(term.noise, term.times);
            let add = |(sum, p): (f64, f64)| {
                let sums = each.iter().map(move |(value, q)| (sum + term.weight * value, p * q));
                sums.filter(|(_, p)| *p > 1e-14)
            };
            law = law.into_iter().flat_map(add).collect();
        }
        law.sort_by(|a, b| a.0.abs().total_cmp(&b.0.abs()));
        let mut within = 0.0;
        law.iter()
            .map(|(sum, p)| {
                (sum.abs(), {
                    within += p;
                    within
                })
            })
            .collect()
    }

    /// The smallest half-width of that probability.
    fn smallest(law: &[(f64, f64)], level: f64) -> f64 {
        law[law.partition_point(|(_, within)| *within < level).min(law.len() - 1)].0
    }

    #[test]
    fn half_widths_are_never_below_the_smallest_and_hardly_above_by_brute_force() {
        let root = std::f64::consts::SQRT_2;
        let cases: &[&[Term]] = &[
            // Two on no common lattice.
            &[term(laplace(2.0), 1.0, 1), term(laplace(2.0), root, 1)],
            &[term(laplace(2.0), 0.9375, 1), term(laplace(2.0), -0.0625, 15)],
            &[term(gaussian(4.5), 0.7, 2), term(gaussian(3.5), 0.31, 3)],
            &[term(gaussian(2.0), 0.7, 2), term(laplace(1.5), 0.31, 3)],
            // One that is far wider than small others.
            &[term(laplace(20.0), 0.93, 1), term(laplace(2.0), 0.013, 3)],
            &[term(laplace(1.0), 1e6, 1), term(laplace(2.0), 1.0, 1)],
            // Steps that are seen.
            &[term(laplace(0.3), 1.0, 1), term(laplace(0.3), root, 1)],
            &[term(laplace(0.3), 0.9375, 1), term(laplace(0.3), -0.0625, 15)],
            &[term(laplace(0.1), 1.0, 20), term(laplace(0.25), root, 2)],
            &[term(gaussian(0.4), 0.25, 3), term(gaussian(0.6), 0.33, 5)],
            &[term(gaussian(0.9), 0.5, 1), term(laplace(0.5), 0.75, 2)],
            &[term(laplace(0.7), 1.0, 1), term(laplace(0.7), 0.5, 1), term(laplace(0.7), 0.25, 1)],
        ];
        for terms in cases {
            let (sum, law) = (WeightedSum::of(terms.iter().copied()), exact(terms));
            for text in LEVELS {
                let (level, h) = (level(text), sum.half_width(level(text)));
                let least = smallest(&law, level.get() - 1e-10);
                assert!(h >= least * (1.0 - 1e-9), "{terms:?} {text}: {h} < {least}");
                // Where the law jumps, one per cent of the tail may lie between one step and the next.
                let most = smallest(&law, level.get() + 0.01 * (1.0 - level.get()));
                let slack = 0.012 * most.max(0.2 * sum.std_err());
                assert!(h <= most + slack, "{terms:?} {text}: {h} > {most}");
            }
        }
    }

    #[test]
    fn wide_noises_have_the_half_widths_of_their_continuous_laws() {
        for text in LEVELS {
            let level = level(text);
            // Laplace of a and b: P(|S| > x) = (a^2 exp(-x/a) - b^2 exp(-x/b)) / (a^2 - b^2).
            let sum = WeightedSum::of([term(laplace(1e6), 2.0, 1), term(laplace(2e5), 5.0, 1)]);
            let tail = |x: f64| (4.0 * (-x / 2.0).exp() - (-x).exp()) / 3.0;
            let covered = |h: f64| 1.0 - tail(h / 1e6);
            let h = sum.half_width(level);
            assert!(covered(h * (1.0 + 1e-4)) >= level.get(), "{text} {h}");
            assert!(covered(h * 0.99) < level.get(), "{text} {h}");
        }
        // Normal quantiles.
        for (text, z) in
            [("0.5", 0.674_489_8), ("0.95", 1.959_964), ("0.999", 3.290_527), ("0.999999", 4.891_638)]
        {
            let many = (1..=200u32)
                .map(|i| term(gaussian(40.0 + f64::from(i)), 1.0 / f64::from(i), 1_000_000 / u64::from(i)));
            let sum = WeightedSum::of(many);
            let ratio = sum.half_width(level(text)) / sum.std_err() / z;
            assert!((0.9999..1.01).contains(&ratio), "{text} {ratio}");
        }
    }

    #[test]
    fn equal_weights_have_the_exact_half_width_on_the_lattice() {
        for (weight, text) in [(1.0, "0.95"), (-0.25, "0.999"), (1.0 / 3.0, "0.5")] {
            let sum = WeightedSum::of([term(laplace(2.0), weight, 14), term(gaussian(0.6), -weight, 40)]);
            let noises =
                || std::iter::repeat_n(laplace(2.0), 14).chain(std::iter::repeat_n(gaussian(0.6), 40));
            let whole = NoiseSum::of(noises());
            let expected = weight.abs() * whole.half_width(level(text)).0 as f64;
            assert!((sum.half_width(level(text)) / expected - 1.0).abs() < 1e-11, "{weight}");
            assert_eq!(WeightedSum::from(&whole).scaled(weight), sum);
            // Without the lattice it is hardly more.
            let inverted = sum.law().half_width(level(text).get());
            assert!(
                expected <= inverted && inverted <= expected + 0.012 * expected,
                "{weight} {inverted} {expected}"
            );
        }
    }

    #[test]
    fn nothing_is_exact_and_what_is_not_finite_is_anywhere() {
        assert_eq!(WeightedSum::default().half_width(Level::USUAL), 0.0);
        assert_eq!(
            WeightedSum::of([term(laplace(2.0), 0.0, 5), term(laplace(2.0), 1.0, 0)]),
            WeightedSum::default()
        );
        let rarely = [term(laplace(0.05), 1.0, 3), term(gaussian(0.1), 0.3, 3)];
        assert_eq!(WeightedSum::of(rarely).half_width(Level::USUAL), 0.0);
        for weight in [f64::NAN, f64::INFINITY] {
            let sum = WeightedSum::of([term(laplace(2.0), 1.0, 1), term(laplace(2.0), weight, 1)]);
            assert_eq!(sum.half_width(Level::USUAL), f64::INFINITY);
        }
    }

    #[test]
    fn equal_sums_are_equal_whatever_their_signs_order_and_last_digits() {
        let sum = WeightedSum::of([term(laplace(2.0), 0.3, 2), term(gaussian(4.0), 1.0, 1)]);
        let other =
            [term(gaussian(4.0), -1.0, 1), term(laplace(2.0), 0.1 + 0.2, 1), term(laplace(2.0), -0.3, 1)];
        assert_eq!(sum, WeightedSum::of(other));
        assert_ne!(sum, WeightedSum::of([term(laplace(2.0), 0.3, 2), term(gaussian(4.0), 1.000_001, 1)]));
    }

    #[test]
    fn differences_of_weighted_figures_are_covered() {
        // Two cells after least squares, of one office each: fifty classes of noise, drawn.
        let cell = |first: u32| {
            let each = move |i: u32| {
                term(laplace(1.0 + 0.2 * f64::from(i)), 1.0 / f64::from(first + i), 1 + u64::from(i % 3))
            };
            WeightedSum::of((0..25).map(each))
        };
        let difference = cell(1).minus(&cell(3));
        let expected = (cell(1).variance() + cell(3).variance()) / difference.variance();
        assert!((expected - 1.0).abs() < 1e-12);
        let terms: Vec<(Term, Drawn)> =
            difference.terms().map(|term| (term, Drawn::of(term.noise))).collect();
        let mut draws = Draws::new(11);
        let sums: Vec<f64> = (0..20_000)
            .map(|_| {
                let each = |(term, drawn): &(Term, Drawn)| {
                    term.weight * (0..term.times).map(|_| draws.draw(drawn)).sum::<f64>()
                };
                terms.iter().map(each).sum::<f64>().abs()
            })
            .collect();
        for text in ["0.5", "0.95", "0.999"] {
            let h = difference.half_width(level(text));
            let within = |h: f64| sums.iter().filter(|sum| **sum <= h).count() as u32;
            assert_covers(within(h), 20_000, level(text).get(), text);
            // And no more than at 99 % of it would be: six standard errors of the complement.
            assert_covers(20_000 - within(0.99 * h), 20_000, 1.0 - level(text).get(), text);
        }
    }
}
