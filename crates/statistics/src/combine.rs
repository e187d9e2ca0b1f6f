//! The sum over offices of each cell, with the exact interval of the sum of their independent noises.

use lango_privacy::{LayoutMargin, Level, Name, OTHER};

use crate::{
    Answer, Axis, Cell, OFFICE, Status, Table,
    intervals::{Carried, Intervals},
    table::union,
};

/// The most cells of all tables together: 54 offices side by side with 100,000 cells each, and some room.
const CELLS_MOST: usize = 8_000_000;

/// Why answers cannot be combined. Each names the office whose answer is at fault, if it is one's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CombineError {
    /// Two answers of one office.
    #[error("{office} answers twice")]
    OfficeTwice {
        /// The office.
        office: String,
    },
    /// Layout and plan, or one answer and the others, speak of different margins.
    #[error("{office} answers other margins than its plan or the other offices")]
    Margins {
        /// The office.
        office: String,
    },
    /// The layout has another number of cells than there are.
    #[error("{office} lays out {expected} cells and sends {found}")]
    Cells {
        /// The office.
        office: String,
        /// As laid out.
        expected: usize,
        /// As sent.
        found: usize,
    },
    /// A key stands twice, or is the total.
    #[error("{office} declares a key of `{dimension}` twice, or a total as a key")]
    Keys {
        /// The office.
        office: String,
        /// The dimension.
        dimension: String,
    },
    /// The scale of a noise is beyond what an interval can be computed for.
    #[error("{office} declares a noise of absurd scale")]
    Noise {
        /// The office.
        office: String,
    },
    /// The tables would be too large.
    #[error("the combined tables would have more than {CELLS_MOST} cells")]
    TooManyCells,
}

/// One table for each measure and margin: offices added up key by key, or side by side.
///
/// Where offices' code lists differ, a table has every key that some office declares; [`Status`] tells what a cell is
/// then worth, and its interval counts only the noises that are in it. No answers give no tables.
pub fn combine(answers: &[Answer<'_>], by_office: bool, level: Level) -> Result<Vec<Table>, CombineError> {
    combine_over(answers, &[], by_office, level)
}

/// As [`combine`], with these dimensions summed over to `_T`, all keys with `_O` and `_U`.
///
/// Such a total is complete at every office, whatever keys it declares.
pub fn combine_over(
    answers: &[Answer<'_>],
    over: &[Name],
    by_office: bool,
    level: Level,
) -> Result<Vec<Table>, CombineError> {
    let margins = shared_margins(answers)?;
    let over: Vec<&str> = over.iter().map(Name::as_str).collect();
    let layouts: Vec<_> = answers.iter().map(|answer| answer.layout).collect();
    let axes: Vec<Vec<Axis>> = margins.iter().map(|margin| union(&layouts, margin, &over)).collect();
    let offices = if by_office { answers.len() } else { 1 };
    axes.iter()
        .try_fold(0usize, |cells, axes| cells.checked_add(size(axes)?.checked_mul(offices)?))
        .filter(|cells| *cells <= CELLS_MOST)
        .ok_or(CombineError::TooManyCells)?;

    let mut intervals = Intervals::new(level);
    let mut starts = vec![0; answers.len()];
    let mut tables = Vec::new();
    for (index, (margin, axes)) in margins.iter().zip(axes).enumerate() {
        let cells = size(&axes).unwrap_or_default();
        let mut sums = vec![Sum::default(); cells * offices];
        for (office, (answer, start)) in answers.iter().zip(&mut starts).enumerate() {
            let len = answer.layout.cells_of(&margin.by);
            let values = answer.cells.get(*start..*start + len).unwrap_or_default();
            *start += len;
            let Some(planned) = answer.plan.margins.get(index) else { continue };
            let noise = intervals.noise(planned.noise);
            let first = if by_office { office * cells } else { 0 };
            let offsets = offsets(answer, margin, &axes);
            for (cell, value) in values.iter().enumerate() {
                let Some(sum) = sums.get_mut(first + target(cell, &offsets)) else { continue };
                sum.add(office, *value);
                sum.carried = intervals.with(sum.carried, noise);
            }
        }
        tables.push(table(answers, margin, axes, &sums, by_office, &mut intervals));
    }
    Ok(tables)
}

/// The margins that all answers have.
fn shared_margins<'a>(answers: &[Answer<'a>]) -> Result<&'a [LayoutMargin], CombineError> {
    let mut offices = std::collections::HashSet::new();
    let margins = answers.first().map(|answer| answer.layout.margins()).unwrap_or_default();
    for answer in answers {
        answer.check()?;
        let office = answer.office.to_owned();
        if !offices.insert(answer.office) {
            return Err(CombineError::OfficeTwice { office });
        }
        if answer.layout.margins() != margins {
            return Err(CombineError::Margins { office });
        }
    }
    Ok(margins)
}

fn size(axes: &[Axis]) -> Option<usize> {
    axes.iter().try_fold(1usize, |cells, axis| cells.checked_mul(axis.codes.len()))
}

/// What is added up in a cell.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    value: i128,
    carried: Carried,
    /// How many offices are in it.
    offices: u32,
    /// The one that was added last, counting from 1.
    last: u32,
}

impl Sum {
    fn add(&mut self, office: usize, value: i64) {
        // At most 2^64 summands of at most 2^63 each.
        self.value = self.value.saturating_add(i128::from(value));
        let office = u32::try_from(office + 1).unwrap_or(u32::MAX);
        if self.last != office {
            (self.last, self.offices) = (office, self.offices.saturating_add(1));
        }
    }
}

/// For each dimension of an answer's margin, how far each of its keys lies from the first cell of the table.
fn offsets(answer: &Answer<'_>, margin: &LayoutMargin, axes: &[Axis]) -> Vec<Vec<usize>> {
    let mut stride = 1;
    let mut offsets = Vec::new();
    let keysets: Vec<_> = answer.layout.axes(&margin.by).map(|(_, keyset)| keyset).collect();
    for (axis, keyset) in axes.iter().zip(keysets).rev() {
        let at: std::collections::HashMap<&str, usize> =
            axis.codes.iter().enumerate().map(|(at, code)| (code.as_str(), at * stride)).collect();
        // A dimension that is summed over has one place for every key.
        offsets.push(
            keyset.codes().iter().map(|code| at.get(code.as_str()).copied().unwrap_or_default()).collect(),
        );
        stride *= axis.codes.len();
    }
    offsets
}

/// The place in the table of an answer's cell, by offsets of its dimensions, the last dimension first.
fn target(cell: usize, offsets: &[Vec<usize>]) -> usize {
    let mut rest = cell;
    let mut place = 0;
    for offsets in offsets {
        place += offsets.get(rest % offsets.len()).copied().unwrap_or_default();
        rest /= offsets.len();
    }
    place
}

fn table(
    answers: &[Answer<'_>],
    margin: &LayoutMargin,
    mut axes: Vec<Axis>,
    sums: &[Sum],
    by_office: bool,
    intervals: &mut Intervals,
) -> Table {
    let complete = if by_office { 1 } else { answers.len() };
    let mixed = if by_office { Vec::new() } else { mixed_others(answers, margin, &axes) };
    let cell = |(place, sum): (usize, &Sum)| {
        let figure = i64::try_from(sum.value).ok().filter(|_| sum.offices > 0);
        let figure = figure.map(|value| intervals.figure(value, sum.carried));
        let status = match figure {
            None if sum.offices == 0 => Status::NotCollected,
            None => Status::Missing,
            Some(_) if (sum.offices as usize) < complete => Status::DefinitionDiffers,
            Some(_) if mixed.iter().any(|other| other.holds(place)) => Status::DefinitionDiffers,
            Some(_) => Status::Normal,
        };
        Cell { figure, status }
    };
    let cells = sums.iter().enumerate().map(cell).collect();
    if by_office {
        let codes = answers.iter().map(|answer| answer.office.to_owned()).collect();
        axes.insert(0, Axis { dimension: OFFICE.to_owned(), codes });
    }
    Table { measure: margin.measure.to_string(), axes, cells }
}

/// The places of one axis's `_O`, where the offices' lists of that axis differ.
struct MixedOther {
    stride: usize,
    keys: usize,
    at: usize,
}

impl MixedOther {
    fn holds(&self, place: usize) -> bool {
        place / self.stride % self.keys == self.at
    }
}

fn mixed_others(answers: &[Answer<'_>], margin: &LayoutMargin, axes: &[Axis]) -> Vec<MixedOther> {
    let mut stride = 1;
    let mut mixed = Vec::new();
    let dimensions: Vec<_> = margin.by.dimensions().collect();
    for (axis, dimension) in axes.iter().zip(dimensions).rev() {
        let keys = axis.codes.len();
        let mut keysets = answers.iter().filter_map(|answer| answer.layout.keyset(dimension));
        let differ = keysets.any(|keyset| keyset.len() != keys);
        let at = axis.codes.iter().position(|code| code == OTHER);
        mixed.extend(at.filter(|_| differ).map(|at| MixedOther { stride, keys, at }));
        stride *= keys;
    }
    mixed
}
