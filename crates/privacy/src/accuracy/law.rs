//! The law of a weighted sum of independent noises: its characteristic function and Chernoff's bound of its tails.

use std::f64::consts::TAU;

use crate::{Mechanism, Noise};

/// A product of characteristic functions is 0 from here on.
const NOTHING: f64 = 1e-18;

/// Independent noises with one weight.
#[derive(Debug, Clone)]
struct Class {
    /// Above 0: the laws are symmetric.
    weight: f64,
    times: u64,
    noise: Noise,
    /// Of all of them.
    variance: f64,
    curve: Curve,
}

/// What of a characteristic function does not depend on its argument.
#[derive(Debug, Clone)]
enum Curve {
    /// `1 / (1 + steepness sin^2(t/2))`, with `steepness = 1 / sinh^2(1 / 2 scale)`.
    Laplace { steepness: f64 },
    /// `exp(-half_variance t^2)` on `[-pi, pi]`: beyond scale 3 its neighbours' tails are below 1e-18.
    Bell { half_variance: f64 },
    /// The sum of `p_k cos(k t)`, with what is left out below 1e-18: `p_0` and `2 P(k)` for `k` from 1 on.
    Series(Vec<f64>),
}

impl Curve {
    fn of(noise: Noise) -> Self {
        match noise.mechanism {
            Mechanism::DiscreteLaplace => Self::Laplace { steepness: 2.0 * noise.variance() },
            Mechanism::DiscreteGaussian if noise.scale > 3.0 => {
                Self::Bell { half_variance: 0.5 * noise.scale * noise.scale }
            }
            Mechanism::DiscreteGaussian => {
                let weight = |k: u32| (-0.5 * (f64::from(k) / noise.scale).powi(2)).exp();
                let weights = (1..=(9.2 * noise.scale) as u32 + 1).map(|k| 2.0 * weight(k));
                let total = 1.0 + weights.clone().sum::<f64>();
                Self::Series(std::iter::once(1.0).chain(weights).map(|weight| weight / total).collect())
            }
        }
    }
}

impl Class {
    fn new(noise: Noise, weight: f64, times: u64) -> Self {
        let variance = times as f64 * weight * weight * noise.variance();
        Self { weight: weight.abs(), times, noise, variance, curve: Curve::of(noise) }
    }

    /// The logarithm of the moment generating function, or more: a discrete Gaussian's is at most that of the normal law of
    /// its scale (C. Canonne, G. Kamath and T. Steinke, The discrete Gaussian for differential privacy, 2020).
    fn log_moment(&self, s: f64) -> f64 {
        let s = s * self.weight;
        self.times as f64
            * match self.curve {
                Curve::Laplace { steepness } => {
                    let sinh = (0.5 * s).sinh();
                    -(-(steepness * sinh * sinh).min(1.0)).ln_1p()
                }
                Curve::Bell { .. } | Curve::Series(_) => 0.5 * (self.noise.scale * s).powi(2),
            }
    }

    /// The probability that all of them are 0.
    fn all_zero(&self) -> f64 {
        let one = match &self.curve {
            Curve::Laplace { .. } => (0.5 / self.noise.scale).tanh(),
            Curve::Series(weights) => weights.first().copied().unwrap_or(0.0),
            Curve::Bell { .. } => 1.0 / (TAU.sqrt() * self.noise.scale),
        };
        one.powf(self.times as f64)
    }
}

/// The law of a weighted sum of independent noises.
#[derive(Debug, Clone)]
pub(super) struct Law {
    /// Those whose characteristic functions fall soonest come first.
    classes: Vec<Class>,
}

impl Law {
    /// The law of the sum of these noises, each with its weight and how often it occurs.
    pub(super) fn of(noises: impl IntoIterator<Item = (Noise, f64, u64)>) -> Self {
        // P(noise != 0) is at most the variance, by Markov: noises that are practically always 0 do not matter.
        let matters = |(noise, weight, times): &(Noise, f64, u64)| {
            *weight != 0.0 && *times as f64 * noise.variance() > NOTHING
        };
        let class = |(noise, weight, times)| Class::new(noise, weight, times);
        let mut classes: Vec<Class> = noises.into_iter().filter(matters).map(class).collect();
        classes.sort_by(|a, b| b.variance.total_cmp(&a.variance));
        Self { classes }
    }

    pub(super) fn variance(&self) -> f64 {
        self.classes.iter().map(|class| class.variance).sum()
    }

    /// Its only noise and that one's weight, where it is one Laplace noise.
    pub(super) fn lone_laplace(&self) -> Option<(f64, f64)> {
        match self.classes.as_slice() {
            [Class { weight, times: 1, noise, curve: Curve::Laplace { .. }, .. }] => {
                Some((*weight, noise.scale))
            }
            _ => None,
        }
    }

    /// The probability that every noise is 0.
    pub(super) fn all_zero(&self) -> f64 {
        self.classes.iter().map(Class::all_zero).product()
    }

    /// For each probability an `x` with `P(|sum| > x)` at most it, by Chernoff's inequality.
    pub(super) fn chernoff(&self, tails: [f64; 2]) -> [f64; 2] {
        let log = tails.map(|tail| (2.0 / tail).ln());
        let pole = |class: &Class| match class.curve {
            Curve::Laplace { .. } => 1.0 / (class.noise.scale * class.weight),
            Curve::Bell { .. } | Curve::Series(_) => f64::INFINITY,
        };
        let pole = self.classes.iter().map(pole).fold(f64::INFINITY, f64::min);
        let [_, widest] = log;
        let most = pole.min(2.0 * (2.0 * widest / self.variance()).sqrt());
        (1..16).map(|part| most * f64::from(part) / 16.0).fold([f64::INFINITY; 2], |least, s| {
            let moment: f64 = self.classes.iter().map(|class| class.log_moment(s)).sum();
            let [[a, b], [c, d]] = [least, log.map(|log| (log + moment) / s)];
            [a.min(c), b.min(d)]
        })
    }

    /// The characteristic function, real and never negative, at `step`, `2 step` and so on.
    pub(super) fn characteristic(&self, step: f64) -> impl FnMut(u32) -> f64 {
        let angle = |class: &Class| match class.curve {
            Curve::Laplace { .. } => 0.5 * class.weight * step,
            Curve::Bell { .. } | Curve::Series(_) => class.weight * step,
        };
        let mut factors: Vec<(&Class, Wave)> =
            self.classes.iter().map(|class| (class, Wave::of(angle(class)))).collect();
        move |j| {
            let mut value = 1.0;
            for (class, wave) in &mut factors {
                value *= power(class.curve.at(wave, j), class.times);
                if value < NOTHING {
                    return 0.0;
                }
            }
            value
        }
    }
}

impl Curve {
    /// The characteristic function of one noise at the `j`th multiple of the wave's angle; of twice that, for Laplace.
    fn at(&self, wave: &mut Wave, j: u32) -> f64 {
        match self {
            Self::Laplace { steepness } => {
                let (sin, _) = wave.at(j);
                1.0 / (1.0 + steepness * sin * sin)
            }
            Self::Bell { half_variance } => {
                let turns = f64::from(j) * (wave.angle / TAU);
                // The nearest whole number of turns, which are not negative.
                let left = TAU * (turns - (turns + 0.5) as u64 as f64);
                (-half_variance * left * left).exp()
            }
            // Clenshaw's recurrence.
            Self::Series(weights) => {
                let (_, cos) = wave.at(j);
                let (mut last, mut before) = (0.0, 0.0);
                for weight in weights.iter().skip(1).rev() {
                    (last, before) = (2.0 * cos * last - before + weight, last);
                }
                (cos * last - before + weights.first().unwrap_or(&0.0)).max(0.0)
            }
        }
    }
}

fn power(mut base: f64, mut times: u64) -> f64 {
    let mut power = 1.0;
    while times > 1 {
        if times & 1 == 1 {
            power *= base;
        }
        base *= base;
        times >>= 1;
    }
    if times == 1 { power * base } else { 1.0 }
}

/// Sines and cosines of an angle's multiples, each turned on from the one before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wave {
    angle: f64,
    turn: (f64, f64),
    j: u32,
    now: (f64, f64),
}

impl Wave {
    pub(super) fn of(angle: f64) -> Self {
        Self { angle, turn: angle.sin_cos(), j: 0, now: (0.0, 1.0) }
    }

    /// Sine and cosine of `j` times the angle.
    pub(super) fn at(&mut self, j: u32) -> (f64, f64) {
        // Anew from time to time, lest roundings add up.
        self.now = if j == self.j + 1 && !j.is_multiple_of(256) {
            let ((sin, cos), (turn_sin, turn_cos)) = (self.now, self.turn);
            (sin * turn_cos + cos * turn_sin, cos * turn_cos - sin * turn_sin)
        } else {
            (f64::from(j) * self.angle).sin_cos()
        };
        self.j = j;
        self.now
    }
}
