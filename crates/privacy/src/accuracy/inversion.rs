//! Half-widths of weighted sums of noises, which lie on no common lattice: never too narrow, whatever the law.
//!
//! The indicator of `[-h, h]` is bounded from below and from above by Selberg's functions, whose Fourier transforms
//! vanish beyond a frequency `U` and whose integrals differ from `2h` by `2 pi / U` (J. D. Vaaler, Some extremal
//! functions in Fourier analysis, Bull. AMS 12, 1985; for distribution functions H. Prawitz, Skand. Aktuarietidskr.,
//! 1972). Their expectations are finite sums over the characteristic function, and bound `P(|sum| <= h)` on both sides
//! without any assumption about how fast that function falls or whether it comes back.

use std::f64::consts::{PI, TAU};

use super::law::{Law, Wave};

/// The most by which a half-width is above the smallest one, relative to it or to an eighth of Chernoff's bound; where the
/// law jumps, at a confidence as much higher as the tail is shared below.
const TOLERANCE: f64 = 0.01;
/// The share of the tail that may be lost to what the grid folds over.
const FOLDED: f64 = 1e-4;
/// The first `U h / 2 pi`: a half-width of a smooth law comes out `1 / 2 RESOLUTION` too wide.
const RESOLUTION: f64 = 192.0;
/// How often the resolution may be doubled, where a law jumps.
const DOUBLINGS: u32 = 5;

impl Law {
    /// An `h` with `P(|sum| <= h)` at least `level`, within the tolerance of the smallest.
    pub(super) fn half_width(&self, level: f64) -> f64 {
        let variance = self.variance();
        if !variance.is_finite() {
            f64::INFINITY
        } else if let Some((weight, scale)) = self.lone_laplace() {
            weight * super::least_laplace(scale, level) as f64
        } else if variance == 0.0 || self.all_zero() >= level {
            0.0
        } else {
            self.inverted(level)
        }
    }

    fn inverted(&self, level: f64) -> f64 {
        let tail = 1.0 - level;
        let [bound, reach] = self.chernoff([tail, FOLDED * tail]);
        let (period, wanted) = (bound + reach, level + FOLDED * tail);
        // The lower function falls off as 1 / x^2, so that the bulk of the law is felt in the far tail.
        let resolution = RESOLUTION.max(1.6 / tail.sqrt());
        let mut best = bound;
        for doubled in 0..=DOUBLINGS {
            let grades = (resolution * f64::from(1 << doubled) * period * 2.0 / bound).ceil();
            let bounds = Bounds::new(self, period, grades as u32);
            best = bounds.least(wanted, bound).min(best);
            if bounds.at(best - TOLERANCE * best.max(bound / 8.0)).1 < level {
                break;
            }
        }
        best
    }
}

/// Selberg's two functions of one law, as trigonometric sums in `h`: a bound from below and one from above.
struct Bounds {
    /// `2 pi` over the period, beyond which the law is folded over.
    step: f64,
    /// `U` in steps.
    grades: f64,
    /// The coefficients of `sin` and of `cos` at each step from 1 on, four by four.
    waves: Vec<[(f64, f64); 4]>,
}

impl Bounds {
    fn new(law: &Law, period: f64, grades: u32) -> Self {
        let (step, most) = (TAU / period, f64::from(grades));
        let (mut value, mut part) = (law.characteristic(step), Wave::of(PI / most));
        let mut wave = |j: u32| {
            let value = if j < grades { value(j) } else { 0.0 };
            if value == 0.0 {
                return (0.0, 0.0);
            }
            let ((sin, cos), left) = (part.at(j), 1.0 - f64::from(j) / most);
            (value * (left * cos / sin + 1.0 / PI), value * left)
        };
        let blocks = (0..grades.div_ceil(4)).map(|block| [1, 2, 3, 4].map(|j| wave(4 * block + j)));
        let mut waves: Vec<_> = blocks.collect();
        let last = waves.iter().rposition(|block| block.iter().any(|(_, value)| *value > 0.0));
        waves.truncate(last.map_or(0, |last| last + 1));
        Self { step, grades: most, waves }
    }

    /// Bounds of `P(|sum| <= h)` from below (but for what is folded over) and from above.
    fn at(&self, h: f64) -> (f64, f64) {
        let angle = self.step * h;
        let turn = (4.0 * angle).sin_cos();
        let [mut a, mut b, mut c, mut d] = [1.0, 2.0, 3.0, 4.0].map(|j| Sum::from(j * angle));
        for [p, q, r, s] in &self.waves {
            a.add(p, turn);
            b.add(q, turn);
            c.add(r, turn);
            d.add(s, turn);
        }
        let sum = |of: fn(&Sum) -> f64| [a, b, c, d].iter().map(of).sum::<f64>();
        let middle = angle / PI + 2.0 / self.grades * sum(|sum| sum.sines);
        let spread = (1.0 + 2.0 * sum(|sum| sum.cosines)) / self.grades;
        (middle - spread, middle + spread)
    }

    /// An `h` up to `most` at which the lower bound reaches what is wanted, or `most`.
    fn least(&self, wanted: f64, most: f64) -> f64 {
        // Tails are nearly exponential: their logarithm is nearly straight.
        let excess = |h: f64| ((1.0 - self.at(h).0).max(1e-18) / (1.0 - wanted)).ln();
        let (mut low, mut high) = ((0.0, -(1.0 - wanted).ln()), (most, excess(most)));
        if high.1 > 0.0 {
            return most;
        }
        for _ in 0..60 {
            if high.0 - low.0 <= 2e-4 * high.0.max(most / 8.0) {
                break;
            }
            let width = high.0 - low.0;
            let straight = high.0 + width * high.1 / (low.1 - high.1);
            let next = straight.clamp(low.0 + 1e-3 * width, high.0 - 1e-3 * width);
            let at = excess(next);
            // The Illinois rule: the end that stays counts half.
            if at > 0.0 {
                (low, high.1) = ((next, at), 0.5 * high.1);
            } else {
                (high, low.1) = ((next, at), 0.5 * low.1);
            }
        }
        high.0
    }
}

/// Sums of every fourth sine and cosine with their coefficients. Four side by side do not wait for each other.
#[derive(Debug, Clone, Copy)]
struct Sum {
    sin: f64,
    cos: f64,
    sines: f64,
    cosines: f64,
}

impl Sum {
    fn from(angle: f64) -> Self {
        let (sin, cos) = angle.sin_cos();
        Self { sin, cos, sines: 0.0, cosines: 0.0 }
    }

    #[inline(always)]
    fn add(&mut self, (a, b): &(f64, f64), (turn_sin, turn_cos): (f64, f64)) {
        let Self { sin, cos, .. } = *self;
        self.sines += a * sin;
        self.cosines += b * cos;
        self.sin = sin * turn_cos + cos * turn_sin;
        self.cos = cos * turn_cos - sin * turn_sin;
    }
}
