//! Ratios of figures that carry the same noises: shares and means, with Fieller's intervals.

use std::collections::BTreeMap;

use super::{Level, law::Law};
use crate::{Mechanism, Noise};

/// What a released integer adds to the numerator and to the denominator of a ratio, as multiples of itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Form {
    /// To the numerator.
    pub numerator: f64,
    /// To the denominator.
    pub denominator: f64,
}

impl Form {
    /// The share of one cell in a sum of cells: the cell, and each other one.
    pub const SHARE: [Self; 2] = [Self::new(1.0, 1.0), Self::new(0.0, 1.0)];

    const fn new(numerator: f64, denominator: f64) -> Self {
        Self { numerator, denominator }
    }

    /// The mean by the pair: the sum of `x - low`, and the sum of `high - x`.
    ///
    /// With `A` and `B` these sums over `n` values, `high A + low B` is `(high - low)` times the sum of `x`, and `A + B` is
    /// `(high - low) n`.
    pub fn mean_of_pair(low: f64, high: f64) -> [Self; 2] {
        [Self::new(high, 1.0), Self::new(low, 1.0)]
    }

    /// The mean by a sum of `x - centre` and a count: the sum, and the count.
    pub fn mean_about(centre: f64) -> [Self; 2] {
        [Self::new(1.0, 0.0), Self::new(centre, 1.0)]
    }

    /// The noises of this part of a ratio, which carries `times` independent ones.
    pub fn term(self, noise: Noise, times: u64) -> RatioTerm {
        RatioTerm { noise, numerator: self.numerator, denominator: self.denominator, times }
    }
}

/// A noise of a ratio: how it enters the numerator and the denominator, and how many independent ones do so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioTerm {
    /// The law of each.
    pub noise: Noise,
    /// What it is multiplied by in the numerator; finite.
    pub numerator: f64,
    /// And in the denominator; finite.
    pub denominator: f64,
    /// How many.
    pub times: u64,
}

/// A ratio with its error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioFigure {
    /// The estimate, inside the interval.
    pub value: f64,
    /// The standard error by the delta method, at most the width of what is possible.
    pub std_err: f64,
    /// The lower end of the interval.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
    /// Whether the interval leaves anything out of what is possible: else the value says nothing.
    pub is_estimable: bool,
}

/// The noise of a ratio, prepared for the many cells that carry it alike.
///
/// Where `m` is the true ratio, `numerator - m denominator` is noise alone; the interval holds every `m` at which it is
/// within that noise's half-width (E. C. Fieller, Some problems in interval estimation, JRSS B 16, 1954). No normal
/// approximation enters, and the denominator may be as small as it likes: the interval then covers all that is possible.
///
/// Half-widths are computed at some ratios `k` only. In between, `|X - m Y|` is at most `|X - k Y| + |m - k| |Y|`, so that
/// the half-width at `k`, at a confidence higher by a thousandth of the tail, and `|m - k|` times what `|Y|` exceeds with
/// just that probability, are together wide enough at `m`.
#[derive(Debug, Clone)]
pub struct RatioNoise {
    /// Inside, ratios are counted from here, lest digits be lost where all that is possible lies far from 0.
    lowest: f64,
    /// How much further the highest is.
    width: f64,
    /// Ratios, ascending from the lowest to the highest, and half-widths there: straight lines between them are wide enough
    /// everywhere.
    knots: Vec<(f64, f64)>,
    moments: Moments,
}

/// The share of the tail that is spent on the distance from a knot.
const BETWEEN: f64 = 1e-3;
/// The distance of knots as a share of the standard error there over the denominator's, and how many there are at most.
const STEP: f64 = 0.01;
const KNOTS_MOST: f64 = 1000.0;

impl RatioNoise {
    /// Prepares for ratios that lie in `[lowest, highest]`.
    pub fn new(terms: impl IntoIterator<Item = RatioTerm>, lowest: f64, highest: f64, level: Level) -> Self {
        let terms = merged(terms, lowest);
        let (moments, width) = (Moments::of(&terms), highest - lowest);
        let tail = 1.0 - level.0;
        let at = |m: f64| {
            law(&terms, |term| term.numerator - m * term.denominator).half_width(level.0 + BETWEEN * tail)
        };
        let slope = law(&terms, |term| term.denominator).half_width(1.0 - BETWEEN * tail);
        let known: Vec<(f64, f64)> = moments.ratios(width).into_iter().map(|m| (m, at(m))).collect();
        Self { lowest, width, knots: tents(&known, slope), moments }
    }

    /// The ratio of two figures that carry this noise.
    pub fn figure(&self, numerator: f64, denominator: f64) -> RatioFigure {
        // Figures were rounded before they came here.
        let rounding = 1e-14 * (numerator.abs() + (self.lowest.abs() + self.width) * denominator.abs());
        let above = numerator - self.lowest * denominator;
        let ratio = above / denominator;
        let (lower, upper) = self.interval(above, denominator, rounding);
        let known = denominator > 0.0 && ratio.is_finite();
        let value = if known { ratio.clamp(lower, upper) } else { 0.5 * (lower + upper) };
        let std_err = if known { self.moments.std_err(value) / denominator } else { self.width };
        let is_estimable = lower > 0.0 || upper < self.width;
        let [value, lower, upper] = [value, lower, upper].map(|ratio| self.lowest + ratio);
        RatioFigure { value, std_err: std_err.min(self.width), lower, upper, is_estimable }
    }

    /// The smallest interval that holds every ratio that the figures do not exclude: everything, where they exclude all.
    fn interval(&self, numerator: f64, denominator: f64, rounding: f64) -> (f64, f64) {
        let room = |(m, q): (f64, f64)| q + rounding - (numerator - m * denominator).abs();
        let (ratio, knots) = (numerator / denominator, self.knots.iter().copied());
        let lower = first_with_room(knots.clone(), ratio, room);
        let upper = first_with_room(knots.rev(), ratio, room);
        match (lower, upper) {
            (Some(lower), Some(upper)) if lower <= upper => (lower, upper),
            _ => (0.0, self.width),
        }
    }
}

/// Where, on the way along the knots, there first is room. Room is straight between two knots but for its peak at the
/// ratio of the figures, where there always is some.
fn first_with_room(
    knots: impl Iterator<Item = (f64, f64)>,
    ratio: f64,
    room: impl Fn((f64, f64)) -> f64,
) -> Option<f64> {
    let mut before: Option<((f64, f64), f64)> = None;
    for knot in knots {
        let here = room(knot);
        let Some((last, short)) = before.replace((knot, here)) else {
            if here >= 0.0 {
                return Some(knot.0);
            }
            continue;
        };
        let passed = (ratio - last.0) * (ratio - knot.0) < 0.0;
        let (to, free) = if passed {
            let share = (ratio - last.0) / (knot.0 - last.0);
            (ratio, room((ratio, last.1 + share * (knot.1 - last.1))))
        } else {
            (knot.0, here)
        };
        if free >= 0.0 {
            return Some(last.0 + (to - last.0) * (short / (short - free)));
        }
    }
    None
}

/// What is wide enough between the known half-widths, which may grow by `slope` per unit to either side: up from one knot,
/// down to the next.
fn tents(known: &[(f64, f64)], slope: f64) -> Vec<(f64, f64)> {
    let mut knots = Vec::with_capacity(2 * known.len());
    for pair in known.windows(2) {
        if let [(m, q), (n, r)] = *pair {
            knots.push((m, q));
            let peak = 0.5 * (m + n) + 0.5 * (r - q) / slope;
            if m < peak && peak < n {
                knots.push((peak, q + (peak - m) * slope));
            }
        }
    }
    knots.extend(known.last());
    knots
}

/// Equal terms in one, of the ratio as it is counted from the lowest.
fn merged(terms: impl IntoIterator<Item = RatioTerm>, lowest: f64) -> Vec<RatioTerm> {
    let mut times = BTreeMap::<(Mechanism, u64, u64, u64), u64>::new();
    for RatioTerm { noise, numerator, denominator, times: more } in terms {
        let numerator = numerator - lowest * denominator;
        let like = (noise.mechanism, noise.scale.to_bits(), numerator.to_bits(), denominator.to_bits());
        let occurs = times.entry(like).or_default();
        *occurs = occurs.saturating_add(more);
    }
    let term = |((mechanism, scale, numerator, denominator), times)| RatioTerm {
        noise: Noise { mechanism, scale: f64::from_bits(scale) },
        numerator: f64::from_bits(numerator),
        denominator: f64::from_bits(denominator),
        times,
    };
    times.into_iter().map(term).collect()
}

fn law(terms: &[RatioTerm], weight: impl Fn(&RatioTerm) -> f64) -> Law {
    Law::of(terms.iter().map(|term| (term.noise, weight(term), term.times)))
}

/// The variances of numerator and denominator, and their covariance.
#[derive(Debug, Clone, Copy)]
struct Moments {
    numerator: f64,
    both: f64,
    denominator: f64,
}

impl Moments {
    fn of(terms: &[RatioTerm]) -> Self {
        let sum = |product: fn(&RatioTerm) -> f64| -> f64 {
            terms.iter().map(|term| product(term) * term.times as f64 * term.noise.variance()).sum()
        };
        Self {
            numerator: sum(|term| term.numerator * term.numerator),
            both: sum(|term| term.numerator * term.denominator),
            denominator: sum(|term| term.denominator * term.denominator),
        }
    }

    /// The standard error of `numerator - m denominator`.
    fn std_err(&self, m: f64) -> f64 {
        (self.numerator - m * (2.0 * self.both - m * self.denominator)).max(0.0).sqrt()
    }

    /// Ratios from 0 to `width` whose distances are in proportion to the standard error there: with `rho` where it is least
    /// and `s` what it is there over the denominator's, even steps of `asinh((m - rho) / s)`.
    fn ratios(&self, width: f64) -> Vec<f64> {
        if !(width > 0.0 && width.is_finite() && self.denominator > 0.0) {
            return vec![0.0, width];
        }
        let rho = self.both / self.denominator;
        let least = (self.std_err(rho) / self.denominator.sqrt()).max(1e-6 * width);
        let (from, to) = ((-rho / least).asinh(), ((width - rho) / least).asinh());
        let steps = ((to - from) / STEP).clamp(1.0, KNOTS_MOST).ceil();
        let at = |step: u32| rho + least * (from + (to - from) * f64::from(step) / steps).sinh();
        let inner = (1..steps as u32).map(at).filter(|m| 0.0 < *m && *m < width);
        std::iter::once(0.0).chain(inner).chain([width]).collect()
    }
}

#[cfg(test)]
mod tests;
