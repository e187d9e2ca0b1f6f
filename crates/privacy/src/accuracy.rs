//! How far a release may lie from the truth: exact intervals of sums of independent declared noises.

use std::{collections::BTreeMap, f64::consts::PI, str::FromStr};

use crate::{Decimal, Mechanism, Noise};

mod histogram;
mod inversion;
mod law;
mod rank;
mod ratio;
#[cfg(test)]
mod trial;
mod weighted;

pub use histogram::{HistogramQuantile, QuantileNoise};
pub use rank::rank_bound;
pub use ratio::{Form, RatioFigure, RatioNoise, RatioTerm};
pub use weighted::{Term, WeightedSum};

/// A confidence, strictly between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Level(f64);

/// A confidence that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a confidence: a number above 0 and at most 0.999999")]
pub struct LevelError(String);

impl LevelError {
    /// The text.
    pub fn found(&self) -> &str {
        &self.0
    }
}

impl Level {
    /// 95 %.
    pub const USUAL: Self = Self(0.95);

    /// The confidence as a float.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for Level {
    type Err = LevelError;
    fn from_str(text: &str) -> Result<Self, LevelError> {
        let level = Decimal::unsigned(text).and_then(|decimal| decimal.as_str().parse::<f64>().ok());
        level
            .filter(|level| *level > 0.0 && *level <= 0.999_999)
            .map(Self)
            .ok_or_else(|| LevelError(text.to_owned()))
    }
}

/// The sum of independent noises, as declared in plans.
///
/// Its distribution is the convolution of theirs, computed through their characteristic functions on a grid so fine
/// that what it folds over has probability below 1e-12.
#[derive(Debug, Clone, Default)]
pub struct NoiseSum {
    /// Scales by their bits, with how often each occurs.
    noises: BTreeMap<(Mechanism, u64), u32>,
}

impl NoiseSum {
    /// The sum of these.
    pub fn of(noises: impl IntoIterator<Item = Noise>) -> Self {
        let mut sum = Self::default();
        for noise in noises {
            *sum.noises.entry((noise.mechanism, noise.scale.to_bits())).or_default() += 1;
        }
        sum
    }

    /// What distinguishes one sum from another: equal keys have equal distributions.
    pub fn key(&self) -> Vec<(Mechanism, u64, u32)> {
        self.noises.iter().map(|((mechanism, bits), times)| (*mechanism, *bits, *times)).collect()
    }

    /// The noise of the difference of two figures that carry these independently: the laws are symmetric.
    pub fn minus(mut self, other: &Self) -> Self {
        for (noise, times) in &other.noises {
            let sum = self.noises.entry(*noise).or_default();
            *sum = sum.saturating_add(*times);
        }
        self
    }

    fn each(&self) -> impl Iterator<Item = (Noise, f64)> {
        let noise = |mechanism, bits| Noise { mechanism, scale: f64::from_bits(bits) };
        self.noises
            .iter()
            .map(move |((mechanism, bits), times)| (noise(*mechanism, *bits), f64::from(*times)))
    }

    /// The variance: variances of independent noises add.
    pub fn variance(&self) -> f64 {
        self.each().map(|(noise, times)| times * noise.variance()).sum()
    }

    /// The standard error.
    pub fn std_err(&self) -> f64 {
        self.variance().sqrt()
    }

    /// The smallest whole `h` with `P(|sum| <= h)` at least the level, and that probability.
    pub fn half_width(&self, level: Level) -> (u64, f64) {
        if let Some(scale) = self.lone_laplace() {
            let least = least_laplace(scale, level.0);
            return (least, laplace_within(scale, least));
        }
        let spectrum = Spectrum::new(self);
        let (mut low, mut high) = (0, spectrum.reach);
        while low < high {
            let middle = low + (high - low) / 2;
            if spectrum.within(middle) >= level.0 { high = middle } else { low = middle + 1 }
        }
        (low, spectrum.within(low))
    }

    /// `P(|sum| <= h)`.
    pub fn within(&self, half_width: u64) -> f64 {
        if let Some(scale) = self.lone_laplace() {
            return laplace_within(scale, half_width);
        }
        let spectrum = Spectrum::new(self);
        if half_width >= spectrum.reach { 1.0 } else { spectrum.within(half_width) }
    }

    /// The scale, where the sum is of one Laplace noise: its tail has a closed form, and its characteristic function falls
    /// off too slowly to be summed at a large scale.
    fn lone_laplace(&self) -> Option<f64> {
        let mut noises = self.each();
        match (noises.next(), noises.next()) {
            (Some((Noise { mechanism: Mechanism::DiscreteLaplace, scale }, 1.0)), None) => Some(scale),
            _ => None,
        }
    }
}

/// `1 - 2 p^(h+1) / (1 + p)` with `p = exp(-1/scale)`.
fn laplace_within(scale: f64, half_width: u64) -> f64 {
    let power = |steps: f64| (-steps / scale).exp();
    1.0 - 2.0 * power(half_width as f64 + 1.0) / (1.0 + power(1.0))
}

/// The smallest whole `h` within which one Laplace noise lies at that confidence.
fn least_laplace(scale: f64, level: f64) -> u64 {
    let p = (-1.0 / scale).exp();
    // The least real h with tail(h) at most 1 - level; one step either way absorbs the rounding of logarithms.
    let h = -scale * ((1.0 - level) * (1.0 + p) / 2.0).ln() - 1.0;
    let start = (h.ceil().max(1.0) as u64).saturating_sub(1);
    (start..start + 3).find(|h| laplace_within(scale, *h) >= level).unwrap_or(start + 3)
}

impl Noise {
    /// The variance of the discrete noise.
    pub fn variance(&self) -> f64 {
        match self.mechanism {
            Mechanism::DiscreteLaplace => {
                // 2p / (1-p)^2 with p = exp(-1/scale), written so that nothing cancels at large scales.
                let half = (0.5 / self.scale).sinh();
                0.5 / (half * half)
            }
            // Beyond scale 3 the discrete variance is scale^2 to the last digit of a float.
            Mechanism::DiscreteGaussian if self.scale > 3.0 => self.scale * self.scale,
            Mechanism::DiscreteGaussian => {
                let weight = |k: f64| (-k * k / (2.0 * self.scale * self.scale)).exp();
                let ks = || (1..=40).map(f64::from);
                let total = 1.0 + 2.0 * ks().map(weight).sum::<f64>();
                2.0 * ks().map(|k| k * k * weight(k)).sum::<f64>() / total
            }
        }
    }

    /// The characteristic function at `t` in `[0, pi]`: real, because the law is symmetric, and falling.
    fn characteristic(&self, t: f64) -> f64 {
        match self.mechanism {
            Mechanism::DiscreteLaplace => {
                let ratio = (0.5 * t).sin() / (0.5 / self.scale).sinh();
                1.0 / (1.0 + ratio * ratio)
            }
            Mechanism::DiscreteGaussian if self.scale < 1.0 => {
                let weight = |k: f64| (-k * k / (2.0 * self.scale * self.scale)).exp();
                let ks = || (1..=40).map(f64::from);
                let at = |t: f64| 1.0 + 2.0 * ks().map(|k| weight(k) * (k * t).cos()).sum::<f64>();
                at(t) / at(0.0)
            }
            // Poisson summation: the same series, of which a few terms are enough at a large scale.
            Mechanism::DiscreteGaussian => {
                let bell = |x: f64| (-0.5 * (self.scale * x) * (self.scale * x)).exp();
                let at = |t: f64| (-3..=3).map(|m| bell(t + 2.0 * PI * f64::from(m))).sum::<f64>();
                at(t) / at(0.0)
            }
        }
    }
}

/// Terms beyond this many add less than 1e-8 to a probability: they matter only where one Laplace noise is far wider than
/// the rest, and then fall off as `j^-3` from `j = 20` on.
const TERMS_MOST: usize = 200_000;

/// The characteristic function of a sum on the grid `2 pi j / points`, where `points = 2 reach + 1`.
struct Spectrum {
    /// Beyond this lies less than 1e-12 of the probability.
    reach: u64,
    /// From `j = 1` on, as long as it matters.
    values: Vec<f64>,
}

impl Spectrum {
    fn new(sum: &NoiseSum) -> Self {
        let widest = sum.each().map(|(noise, _)| noise.scale).fold(0.0, f64::max);
        let reach = (12.0 * sum.std_err() + 40.0 * widest).ceil().min(1e15) as u64 + 8;
        let points = 2.0 * reach as f64 + 1.0;
        let at = |j: u64| {
            let t = 2.0 * PI * j as f64 / points;
            sum.each().map(|(noise, times)| noise.characteristic(t).powf(times)).product::<f64>()
        };
        // Two Laplace noises fall off slowest, as 1/t^4; a lone one has its closed form.
        let values = (1..=reach).map(at).take_while(|value| *value > 1e-17).take(TERMS_MOST).collect();
        Self { reach, values }
    }

    /// `P(|sum| <= h)`: the inverse transform summed over `-h..=h`, which is a Dirichlet kernel.
    fn within(&self, half_width: u64) -> f64 {
        let points = 2 * u128::from(self.reach) + 1;
        let width = 2 * u128::from(half_width) + 1;
        let angle = |k: u128| PI * (k % (2 * points)) as f64 / points as f64;
        let kernel = |j: u128| angle(j * width).sin() / angle(j).sin();
        let waves: f64 = (1u128..).zip(&self.values).map(|(j, value)| value * kernel(j)).sum();
        ((width as f64 + 2.0 * waves) / points as f64).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        trial::{convolve, gaussian, laplace, mass},
        *,
    };

    #[test]
    fn probabilities_and_variances_equal_brute_force_convolution() {
        let cases: &[&[Noise]] = &[
            &[laplace(2.0)],
            &[laplace(0.3)],
            &[gaussian(0.4)],
            &[gaussian(3.7)],
            &[laplace(2.0), laplace(2.0), laplace(5.0)],
            &[gaussian(1.0), laplace(1.5), gaussian(6.0)],
        ];
        for noises in cases {
            let sum = NoiseSum::of(noises.iter().copied());
            let exact = noises.iter().map(|noise| mass(*noise, 260)).reduce(|a, b| convolve(&a, &b)).unwrap();
            let middle = exact.len() / 2;
            let variance: f64 =
                exact.iter().enumerate().map(|(i, p)| (i as f64 - middle as f64).powi(2) * p).sum();
            assert!(
                (variance / sum.variance() - 1.0).abs() < 1e-9,
                "{noises:?} {variance} {}",
                sum.variance()
            );
            for h in [0usize, 1, 2, 5, 13, 40] {
                let expected: f64 = exact[middle - h..=middle + h].iter().sum();
                assert!(
                    (sum.within(h as u64) - expected).abs() < 1e-10,
                    "{noises:?} {h} {} {expected}",
                    sum.within(h as u64)
                );
            }
        }
    }

    #[test]
    fn the_half_width_is_the_smallest_that_covers() {
        for noises in
            [vec![laplace(2.0)], vec![laplace(2.0); 15], vec![gaussian(4.5); 3], vec![laplace(0.01)]]
        {
            for level in ["0.5", "0.95", "0.999"] {
                let level: Level = level.parse().unwrap();
                let sum = NoiseSum::of(noises.clone());
                let (h, covered) = sum.half_width(level);
                assert!(
                    covered >= level.get() && (h == 0 || sum.within(h - 1) < level.get()),
                    "{noises:?} {h}"
                );
            }
        }
        // Closed form: P(|X| > h) = 2 p^(h+1) / (1 + p).
        let p = (-0.5f64).exp();
        let (h, covered) = NoiseSum::of([laplace(2.0)]).half_width(Level::USUAL);
        assert_eq!(h, 6);
        assert!((covered - (1.0 - 2.0 * p.powi(7) / (1.0 + p))).abs() < 1e-12);
    }

    #[test]
    fn a_difference_carries_the_noises_of_both() {
        let pair = || [laplace(2.0), gaussian(3.0)];
        let difference = NoiseSum::of(pair()).minus(&NoiseSum::of([laplace(2.0), laplace(5.0)]));
        assert_eq!(
            difference.key(),
            NoiseSum::of(pair().into_iter().chain([laplace(2.0), laplace(5.0)])).key()
        );
        // The laws are symmetric, so that subtracting is adding.
        let noises = [laplace(2.0), gaussian(3.0), laplace(2.0), laplace(5.0)];
        let exact = noises.map(|noise| mass(noise, 260)).into_iter().reduce(|a, b| convolve(&a, &b)).unwrap();
        let middle = exact.len() / 2;
        for h in [0usize, 3, 9, 20] {
            let expected: f64 = exact[middle - h..=middle + h].iter().sum();
            assert!((difference.within(h as u64) - expected).abs() < 1e-10, "{h}");
        }
    }

    #[test]
    fn a_very_wide_noise_is_answered_too() {
        let (h, _) = NoiseSum::of([laplace(1e7), laplace(1e7)]).half_width(Level::USUAL);
        // Two Laplace noises of scale b: P(|S| > x) = (1 + x/2b) exp(-x/b), 5 % at x = 3.8884 b or so.
        let tail = |x: f64| (1.0 + x / 2.0) * (-x).exp();
        assert!((tail(h as f64 / 1e7) - 0.05).abs() < 1e-5, "{h}");
    }

    #[test]
    fn repro_one_very_narrow_noise_does_not_spoil_a_sum() {
        let many = || vec![laplace(2.0); 14].into_iter();
        let (without, with) = (NoiseSum::of(many()), NoiseSum::of(many().chain([laplace(1e-300)])));
        assert_eq!(without.half_width(Level::USUAL).0, with.half_width(Level::USUAL).0);
    }

    #[test]
    fn a_confidence_lies_between_none_and_all() {
        for (text, read) in [
            ("0.95", true),
            ("0.5", true),
            ("0", false),
            ("1", false),
            ("95", false),
            ("x", false),
            ("-0.5", false),
        ] {
            assert_eq!(text.parse::<Level>().is_ok(), read, "{text}");
        }
    }
}
