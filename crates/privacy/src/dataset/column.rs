//! A declared column, and the points of its range that answers speak of.

use std::sync::Arc;

use super::{DatasetError, Domain, KEYS_MOST, Reading};

/// One declared column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its values.
    pub domain: Domain,
    /// A usual value: what sums are centred on where they are divided by a released count.
    pub typical: Option<i64>,
    /// Where a histogram's bins begin.
    pub bins: Option<Grid>,
    /// What quantiles are chosen from.
    pub candidates: Option<Grid>,
    /// How its values are read.
    pub reading: Reading,
}

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

impl From<Domain> for Column {
    fn from(domain: Domain) -> Self {
        Self { domain, typical: None, bins: None, candidates: None, reading: Reading::default() }
    }
}

impl Column {
    /// With a usual value.
    pub fn with_typical(mut self, typical: i64) -> Result<Self, DatasetError> {
        let range = self.range().ok_or(DatasetError::NotNumbers("typical"))?;
        if !(range.low..=range.high).contains(&typical) {
            return Err(DatasetError::Outside("typical", typical));
        }
        self.typical = Some(typical);
        Ok(self)
    }

    /// With bins for histograms; a listed one begins at the lower bound.
    pub fn with_bins(mut self, bins: Grid) -> Result<Self, DatasetError> {
        let range = self.checked("bins", &bins)?;
        match &bins {
            Grid::Listed(points) if points.first() != Some(&range.low) => {
                return Err(DatasetError::FirstBin(range.low));
            }
            Grid::Listed(_) | Grid::Every(_) => self.bins = Some(bins),
        }
        Ok(self)
    }

    /// With candidates for quantiles.
    pub fn with_candidates(mut self, candidates: Grid) -> Result<Self, DatasetError> {
        self.checked("candidates", &candidates)?;
        self.candidates = Some(candidates);
        Ok(self)
    }

    /// The bounds, where the column holds numbers.
    pub fn range(&self) -> Option<Range> {
        match self.domain {
            Domain::Integer { low, high, .. } => Some(Range { low, high, scale: 0 }),
            Domain::Amount { low, high, scale, .. } => Some(Range { low, high, scale }),
            Domain::Codes(_) | Domain::Date { .. } | Domain::Open => None,
        }
    }

    /// What a sum is centred on where it is divided by a released count: the usual value, or the middle.
    pub fn centre(&self) -> Option<i64> {
        self.typical.or(self.range().map(|range| range.middle()))
    }

    /// The grid on which a histogram's bins begin: as declared, or the bands of whole numbers.
    pub fn bin_grid(&self) -> Option<Grid> {
        let bands = match &self.domain {
            Domain::Integer { bands, .. } => Some(bands.clone()),
            Domain::Codes(_) | Domain::Amount { .. } | Domain::Date { .. } | Domain::Open => None,
        };
        self.bins.clone().or(bands)
    }

    /// The grid that quantiles are chosen from: as declared, or every whole number that there is room for.
    pub fn candidate_grid(&self) -> Option<Grid> {
        let every = match self.domain {
            Domain::Integer { low, high, .. } if high.abs_diff(low) < KEYS_MOST as u64 => {
                Some(Grid::Every(1))
            }
            Domain::Integer { .. }
            | Domain::Codes(_)
            | Domain::Amount { .. }
            | Domain::Date { .. }
            | Domain::Open => None,
        };
        self.candidates.clone().or(every)
    }

    fn checked(&self, key: &'static str, grid: &Grid) -> Result<Range, DatasetError> {
        let range = self.range().ok_or(DatasetError::NotNumbers(key))?;
        match grid {
            Grid::Every(step) if *step < 1 => Err(DatasetError::Grid(key)),
            Grid::Every(step) if range.width() / step.unsigned_abs() >= KEYS_MOST as u64 => {
                Err(DatasetError::Points(key))
            }
            Grid::Listed(points) if points.is_empty() || !points.is_sorted_by(|a, b| a < b) => {
                Err(DatasetError::Grid(key))
            }
            Grid::Listed(points) if points.len() as i64 > KEYS_MOST => Err(DatasetError::Points(key)),
            Grid::Listed(points) => {
                let outside = points.iter().find(|point| !(range.low..=range.high).contains(*point));
                outside.map_or(Ok(range), |point| Err(DatasetError::Outside(key, *point)))
            }
            Grid::Every(_) => Ok(range),
        }
    }

    pub(super) fn describe(&self) -> String {
        let grid = |word: &str, grid: &Option<Grid>| match grid {
            None => String::new(),
            Some(Grid::Every(step)) => format!(" {word} every {step}"),
            Some(Grid::Listed(points)) => format!(" {word} {}", listed(points)),
        };
        let typical = self.typical.map(|typical| format!(" typical {typical}")).unwrap_or_default();
        let (bins, candidates) = (grid("bins", &self.bins), grid("candidates", &self.candidates));
        let (domain, reading) = (self.domain.describe(), self.reading.describe());
        format!("{domain}{typical}{bins}{candidates}{reading}")
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

#[cfg(test)]
mod tests {
    use super::*;

    fn amount() -> Column {
        Domain::amount(0, 1_000, 0, None).unwrap().into()
    }

    #[test]
    fn points_that_make_no_sense_are_refused() {
        let codes: Column = Domain::codes(vec!["F".parse().unwrap()]).unwrap().into();
        for (made, expected) in [
            (codes.clone().with_typical(1), DatasetError::NotNumbers("typical")),
            (codes.with_bins(Grid::Every(1)), DatasetError::NotNumbers("bins")),
            (amount().with_typical(1_001), DatasetError::Outside("typical", 1_001)),
            (amount().with_bins(Grid::Every(0)), DatasetError::Grid("bins")),
            (amount().with_bins(Grid::Listed([].into())), DatasetError::Grid("bins")),
            (amount().with_bins(Grid::Listed([0, 5, 5].into())), DatasetError::Grid("bins")),
            (amount().with_bins(Grid::Listed([5, 10].into())), DatasetError::FirstBin(0)),
            (
                amount().with_candidates(Grid::Listed([5, 2_000].into())),
                DatasetError::Outside("candidates", 2_000),
            ),
            (
                Column::from(Domain::amount(0, 1 << 40, 0, None).unwrap()).with_candidates(Grid::Every(1)),
                DatasetError::Points("candidates"),
            ),
        ] {
            assert_eq!(made, Err(expected));
        }
    }

    #[test]
    fn whole_numbers_have_bins_and_candidates_by_default() {
        let age: Column = Domain::integer(0, 12, 5).unwrap().into();
        let range = age.range().unwrap();
        assert_eq!(age.bin_grid().unwrap().points(&range), [0, 5, 10]);
        assert_eq!(age.candidate_grid().unwrap().points(&range).len(), 13);
        for step in [1, 2, 5, 12, 13, 100] {
            assert_eq!(Grid::Every(step).count(&range), Grid::Every(step).points(&range).len(), "{step}");
        }
        assert_eq!((amount().bin_grid(), amount().candidate_grid()), (None, None));
        assert_eq!((age.centre(), amount().with_typical(7).unwrap().centre()), (Some(6), Some(7)));
    }
}
