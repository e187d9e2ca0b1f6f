//! A range of whole numbers, and the points of it that answers speak of.

use std::sync::Arc;

/// Points of a column's range, in units of its scale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grid {
    /// The lower bound, and so on in steps of this width.
    Every(i64),
    /// These, ascending.
    Listed(Arc<[i64]>),
}

/// The declared bounds of a column of numbers, in units of `10^-scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The least.
    pub low: i64,
    /// The greatest.
    pub high: i64,
    /// Decimals kept.
    pub scale: u32,
}

impl Range {
    /// How far the bounds are apart.
    pub fn width(&self) -> u64 {
        self.high.abs_diff(self.low)
    }

    /// The whole number in the middle, rounded down.
    pub fn middle(&self) -> i64 {
        self.low.midpoint(self.high)
    }
}

/// Whole numbers with commas between them.
pub(super) fn listed(points: &[i64]) -> String {
    points.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
}

impl Grid {
    /// How many points there are between two bounds, without making them.
    pub fn count(&self, range: &Range) -> usize {
        match self {
            Self::Every(step) => {
                let steps = range.width() / step.unsigned_abs().max(1);
                usize::try_from(steps).map_or(usize::MAX, |steps| steps.saturating_add(1))
            }
            Self::Listed(points) => points.len(),
        }
    }

    /// The points between two bounds, both included, ascending.
    pub fn points(&self, range: &Range) -> Vec<i64> {
        match self {
            Self::Every(step) => {
                let step = usize::try_from(*step).unwrap_or(1).max(1);
                (range.low..=range.high).step_by(step).collect()
            }
            Self::Listed(points) => points.to_vec(),
        }
    }
}
