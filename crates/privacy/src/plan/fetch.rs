//! What the database counts for each cell of a margin, and by how much one privacy unit can change it.

use super::{CELLS_MOST, MeasuredColumn, PlanRefusal};
use crate::{Code, Column, Dataset, Decimal, Domain, Grid, Margin, Measure, Name, Range};

/// The most that a sum can grow to: a margin below 2^63 for what comes after.
const SUM_MOST: u128 = 1 << 62;
/// The most decimals of a quantile's share: its scores are whole numbers of the share's denominator.
const SHARE_DECIMALS: u32 = 6;

/// What the database counts for each cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetch {
    /// The distinct units.
    Units,
    /// The distinct units of each key of a column.
    UnitsBy(Name),
    /// The rows.
    Rows,
    /// The rows whose column is present: not missing, and a whole number where it holds numbers.
    RowsOf(Name),
    /// Over the rows whose column is present, the sum of its clamped value, less a centre where it will be divided by a
    /// released count.
    Sum {
        /// The column.
        column: Name,
        /// Its bounds.
        range: Range,
        /// What is taken off each value.
        centre: Option<i64>,
    },
    /// Over the same rows, two sums: of the clamped value less the lower bound, and of the upper bound less the value.
    Pair {
        /// The column.
        column: Name,
        /// Its bounds.
        range: Range,
    },
    /// Over the same rows, how many clamped values lie in each bin.
    Bins {
        /// The column.
        column: Name,
        /// Its bounds.
        range: Range,
        /// Where bins begin.
        grid: Grid,
    },
    /// Over the same rows, how many clamped values lie below the first candidate, at it, between it and the second, and
    /// so on: two integers for each candidate and one more.
    Ranks {
        /// The column.
        column: Name,
        /// Its bounds.
        range: Range,
        /// The candidates.
        grid: Grid,
    },
    /// The distinct units of each value that there is, as a map.
    Keys(Name),
}

/// By how much all rows of one unit can change the integers of a margin, in the four norms that mechanisms use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sensitivity {
    /// How many integers change.
    pub l0: u64,
    /// By how much in all.
    pub l1: u64,
    /// By how much in all, in squares.
    pub l2_squared: u128,
    /// By how much one of them.
    pub linf: u64,
}

impl Fetch {
    /// What a measure fetches; a mean is centred where it will be divided by a released count.
    pub(super) fn of(
        measure: &Measure,
        by: &Margin,
        dataset: &Dataset,
        centred: bool,
    ) -> Result<Self, PlanRefusal> {
        let column = |name: &Name| dataset.columns.get(name).ok_or_else(|| PlanRefusal::Column(name.clone()));
        let range = |name: &Name| column(name)?.range().ok_or_else(|| PlanRefusal::NotNumbers(name.clone()));
        let fetch = match measure {
            Measure::Units(plural) if *plural == dataset.unit.plural => Self::Units,
            Measure::Units(plural) => {
                return Err(PlanRefusal::UnitsNot {
                    asked: plural.clone(),
                    units: dataset.unit.plural.clone(),
                });
            }
            Measure::Rows => Self::Rows,
            Measure::RowsOf(name) => column(name).map(|_| Self::RowsOf(name.clone()))?,
            Measure::Sum(name) => Self::Sum { column: name.clone(), range: range(name)?, centre: None },
            Measure::Mean(name) => {
                let (range, centre) = (range(name)?, column(name)?.centre());
                match centre.filter(|_| centred) {
                    Some(centre) => Self::Sum { column: name.clone(), range, centre: Some(centre) },
                    None => Self::Pair { column: name.clone(), range },
                }
            }
            Measure::Share(name) => {
                column(name)?.domain.key_count().ok_or_else(|| PlanRefusal::NotADimension(name.clone()))?;
                if by.contains(name) {
                    return Err(PlanRefusal::ShareByItself(name.clone()));
                }
                Self::UnitsBy(name.clone())
            }
            Measure::Histogram(name) => {
                let range = range(name)?;
                let grid = column(name)?.bin_grid().ok_or_else(|| PlanRefusal::NoBins(name.clone()))?;
                Self::Bins { column: name.clone(), range, grid }
            }
            Measure::Quantile(name, shares) => {
                if fractions(shares).is_none() {
                    return Err(PlanRefusal::Quantile(name.clone()));
                }
                let range = range(name)?;
                let grid = column(name)?.candidate_grid();
                let grid = grid.ok_or_else(|| PlanRefusal::NoCandidates(name.clone()))?;
                Self::Ranks { column: name.clone(), range, grid }
            }
            Measure::Keys(name) => {
                if column(name)?.domain != Domain::Open || !by.is_empty() {
                    return Err(PlanRefusal::KeysOf(name.clone()));
                }
                Self::Keys(name.clone())
            }
        };
        fetch.fits(measure, dataset)
    }

    /// Refuses a sum that might not fit.
    fn fits(self, measure: &Measure, dataset: &Dataset) -> Result<Self, PlanRefusal> {
        let (rows_below, magnitude) = (dataset.rows_below(), self.magnitude());
        if u128::from(rows_below) * u128::from(magnitude) > SUM_MOST {
            return Err(PlanRefusal::Overflow { measure: measure.clone(), rows_below, magnitude });
        }
        Ok(self)
    }

    /// The column that is measured, and what is said of it in the plan.
    pub(super) fn measured(&self) -> Option<(&Name, MeasuredColumn)> {
        match self {
            Self::Sum { column, range, centre } => {
                Some((column, MeasuredColumn { centre: *centre, ..MeasuredColumn::of(*range) }))
            }
            Self::Ranks { column, range, .. } => {
                let candidates = Some(self.candidate_count() as u64);
                Some((column, MeasuredColumn { candidates, ..MeasuredColumn::of(*range) }))
            }
            Self::Pair { column, range } | Self::Bins { column, range, .. } => {
                Some((column, MeasuredColumn::of(*range)))
            }
            Self::Units | Self::UnitsBy(_) | Self::Rows | Self::RowsOf(_) | Self::Keys(_) => None,
        }
    }

    /// The largest magnitude that a row adds to an integer.
    fn magnitude(&self) -> u64 {
        match self {
            Self::Sum { range, centre, .. } => {
                let centre = centre.unwrap_or(0);
                range.high.abs_diff(centre).max(range.low.abs_diff(centre))
            }
            Self::Pair { range, .. } => range.width(),
            // Counts: of units, and of rows.
            Self::Units | Self::UnitsBy(_) | Self::Keys(_) => 1,
            Self::Rows | Self::RowsOf(_) | Self::Bins { .. } | Self::Ranks { .. } => 1,
        }
    }

    /// How many integers the database counts for each cell; those of a search for keys are not foreseen, but for one.
    pub fn width(&self, dataset: &Dataset) -> usize {
        match self {
            Self::UnitsBy(column) => key_count(dataset, column),
            Self::Pair { .. } => 2,
            Self::Bins { range, grid, .. } => grid.count(range),
            Self::Ranks { .. } => self.candidate_count().saturating_mul(2).saturating_add(1),
            Self::Units | Self::Rows | Self::RowsOf(_) | Self::Sum { .. } | Self::Keys(_) => 1,
        }
    }

    /// How many integers a cell of the release has.
    pub(super) fn figures(&self, measure: &Measure, dataset: &Dataset) -> usize {
        match self {
            Self::Ranks { .. } | Self::Keys(_) => self.named(measure, dataset),
            Self::Units | Self::UnitsBy(_) | Self::Rows | Self::RowsOf(_) => self.width(dataset),
            Self::Sum { .. } | Self::Pair { .. } | Self::Bins { .. } => self.width(dataset),
        }
    }

    /// How many codes [`Fetch::values`] makes.
    pub(super) fn named(&self, measure: &Measure, dataset: &Dataset) -> usize {
        match (self, measure) {
            (Self::Ranks { .. }, Measure::Quantile(_, shares)) => shares.len(),
            (Self::Ranks { .. }, _) => 0,
            (Self::Sum { .. }, Measure::Mean(_)) => 1,
            (Self::Pair { .. } | Self::UnitsBy(_) | Self::Bins { .. }, _) => self.width(dataset),
            (Self::Units | Self::Rows | Self::RowsOf(_) | Self::Sum { .. } | Self::Keys(_), _) => 0,
        }
    }

    /// Whether candidates are chosen from.
    pub(super) fn chooses(&self) -> bool {
        self.candidate_count() > 0
    }

    /// How many candidates there are to choose from.
    pub(super) fn candidate_count(&self) -> usize {
        match self {
            Self::Ranks { range, grid, .. } => grid.count(range),
            Self::Units | Self::UnitsBy(_) | Self::Keys(_) | Self::Rows | Self::RowsOf(_) => 0,
            Self::Sum { .. } | Self::Pair { .. } | Self::Bins { .. } => 0,
        }
    }

    /// What quantiles are chosen from, ascending; empty where nothing is chosen.
    pub fn candidates(&self) -> Vec<i64> {
        match self {
            Self::Ranks { range, grid, .. } => grid.points(range),
            Self::Units | Self::UnitsBy(_) | Self::Keys(_) | Self::Rows | Self::RowsOf(_) => Vec::new(),
            Self::Sum { .. } | Self::Pair { .. } | Self::Bins { .. } => Vec::new(),
        }
    }

    /// Whether distinct units are counted, over a unit's first `cells_at_most` rows, and not its first `rows_at_most` rows.
    pub fn counts_units(&self) -> bool {
        match self {
            Self::Units | Self::UnitsBy(_) | Self::Keys(_) => true,
            Self::Rows | Self::RowsOf(_) | Self::Sum { .. } => false,
            Self::Pair { .. } | Self::Bins { .. } | Self::Ranks { .. } => false,
        }
    }

    /// The column, bounds and points by which clamped values are placed, where they are: bins and candidates.
    pub fn placed_by(&self) -> Option<(&Name, &Range, &Grid)> {
        match self {
            Self::Bins { column, range, grid } | Self::Ranks { column, range, grid } => {
                Some((column, range, grid))
            }
            Self::Units | Self::UnitsBy(_) | Self::Rows | Self::RowsOf(_) => None,
            Self::Sum { .. } | Self::Pair { .. } | Self::Keys(_) => None,
        }
    }

    /// Whether values are searched for in the data.
    pub fn searches(&self) -> bool {
        match self {
            Self::Keys(_) => true,
            Self::Units | Self::UnitsBy(_) | Self::Rows | Self::RowsOf(_) | Self::Sum { .. } => false,
            Self::Pair { .. } | Self::Bins { .. } | Self::Ranks { .. } => false,
        }
    }

    /// What a release calls the integers of a cell, for a measure; `None` where the cell is its one figure.
    pub(super) fn values(&self, measure: &Measure, dataset: &Dataset) -> Option<Vec<Code>> {
        match (self, measure) {
            (Self::Sum { .. }, Measure::Mean(_)) => Some(vec![Code::fixed("centred")]),
            (Self::Pair { .. }, _) => Some(vec![Code::fixed("above"), Code::fixed("below")]),
            (Self::UnitsBy(column), _) => Some(keys(dataset, column)),
            (Self::Bins { range, grid, .. }, _) => {
                Some(grid.points(range).into_iter().map(Code::of_integer).collect())
            }
            (Self::Ranks { .. }, Measure::Quantile(_, shares)) => {
                Some(shares.iter().filter_map(|share| share.as_str().parse().ok()).collect())
            }
            (Self::Keys(_), _) => Some(Vec::new()),
            (Self::Ranks { .. } | Self::Sum { .. }, _) => None,
            (Self::Units | Self::Rows | Self::RowsOf(_), _) => None,
        }
    }

    /// By how much one unit can change the integers of a margin of `cells` cells.
    ///
    /// With R = `rows_at_most` and C = min(`cells_at_most`, R): distinct units change at most c = min(C, integers) of them
    /// by one each; rows change by R in all, and all in one cell at worst; a sum by R times the largest magnitude of a row;
    /// the pair by R times the width in all, for what a row adds to both is the width.
    pub(super) fn sensitivity(&self, dataset: &Dataset, cells: u64) -> Sensitivity {
        let rows = u64::from(dataset.unit.rows_at_most);
        let units = u64::from(dataset.cells_at_most());
        let integers = cells.saturating_mul(self.width(dataset) as u64);
        let of_units =
            |changed: u64| Sensitivity { l0: changed, l1: changed, l2_squared: changed.into(), linf: 1 };
        let of_rows = |changed: u64| {
            let most = rows.saturating_mul(self.magnitude());
            Sensitivity { l0: changed, l1: most, l2_squared: u128::from(most) * u128::from(most), linf: most }
        };
        match self {
            Self::Units | Self::UnitsBy(_) => of_units(units.min(integers)),
            Self::Keys(_) => of_units(units),
            Self::Rows | Self::RowsOf(_) | Self::Sum { .. } => of_rows(rows.min(integers)),
            Self::Bins { .. } | Self::Ranks { .. } => of_rows(rows.min(integers)),
            Self::Pair { .. } => of_rows(rows.saturating_mul(2).min(integers)),
        }
    }
}

fn key_count(dataset: &Dataset, column: &Name) -> usize {
    dataset.columns.get(column).and_then(|column| column.domain.key_count()).unwrap_or_default()
}

fn keys(dataset: &Dataset, column: &Name) -> Vec<Code> {
    let keyset = dataset.columns.get(column).and_then(|column: &Column| column.domain.keyset());
    keyset.map(|keyset| keyset.codes().to_vec()).unwrap_or_default()
}

/// The shares of a quantile as fractions of one denominator, the least that serves them all: their scores are then on one scale,
/// and one selection serves them. `None` where a share is not between 0 and 1 or too fine, or there is none.
pub fn fractions(shares: &[Decimal]) -> Option<Vec<(u64, u64)>> {
    let whole = 10u64.pow(SHARE_DECIMALS);
    let parts =
        |share: &Decimal| u64::try_from(share.scaled(SHARE_DECIMALS)?).ok().filter(|parts| *parts <= whole);
    let parts = shares.iter().map(parts).collect::<Option<Vec<u64>>>().filter(|parts| !parts.is_empty())?;
    let divisor = parts.iter().copied().fold(whole, gcd);
    Some(parts.iter().map(|parts| (parts / divisor, whole / divisor)).collect())
}

/// The most by which one row changes a score of these shares: `max(p, d - p)` over all of them.
pub(super) fn score_change(shares: &[Decimal]) -> Option<u64> {
    fractions(shares)?.into_iter().map(|(p, d)| p.max(d - p)).max()
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl Dataset {
    /// Whether a measure can be planned of this dataset at all, by the total; a grant of another would promise nothing.
    pub fn admits(&self, measure: &Measure) -> Result<(), PlanRefusal> {
        let mut measure = measure.clone();
        if let Measure::Quantile(_, shares) = &mut measure
            && shares.is_empty()
        {
            // A grant may leave the shares open.
            shares.extend(Decimal::minimal("0.5"));
        }
        let fetch = Fetch::of(&measure, &Margin::default(), self, false)?;
        let width = fetch.width(self);
        if width > CELLS_MOST { Err(PlanRefusal::Integers(width)) } else { Ok(()) }
    }
}
