//! A margin's table in the making: its axes, and where each office's cells go.

use std::collections::HashMap;

use lango_privacy::{LayoutMargin, Name, OTHER, TOTAL};

use crate::{
    Axis, CombineError, OfficeRelease,
    content::{CellContent, bins},
    table::union,
};

/// The axis of quantiles' shares.
pub(crate) const QUANTILE: &str = "quantile";

/// A margin of several answers.
#[derive(Debug)]
pub(crate) struct Sheet<'a> {
    /// The margin's place among those asked.
    pub place: usize,
    /// What is computed by what, as the first answer lays it out.
    pub margin: &'a LayoutMargin,
    /// What the integers of each answer are.
    pub contents: Vec<CellContent<'a>>,
    /// The dimensions, and the axis of a cell's several figures, where there are any; without offices.
    pub axes: Vec<Axis>,
    /// How many figures stand at each key of the dimensions.
    pub inner: usize,
}

impl<'a> Sheet<'a> {
    /// The sheet of the margin at a place; the answers were checked.
    pub fn new(answers: &[OfficeRelease<'a>], place: usize, over: &[Name]) -> Result<Self, CombineError> {
        let margins = answers.first().map(|answer| answer.layout.margins()).unwrap_or_default();
        let margin = margins.get(place).ok_or(CombineError::TooManyCells)?;
        let contents = answers.iter().map(|answer| answer.content(place)).collect::<Result<Vec<_>, _>>()?;
        let mut axes: Vec<Axis> =
            margin.by.dimensions().map(|dimension| axis(answers, dimension, over)).collect();
        let inner = inner_axis(answers, place, margin, &contents);
        let len = inner.as_ref().map_or(1, |axis| axis.codes.len());
        axes.extend(inner);
        Ok(Self { place, margin, contents, axes, inner: len })
    }

    /// How many figures there are; `None` where they cannot be counted.
    pub fn size(&self) -> Option<usize> {
        self.axes.iter().try_fold(1usize, |cells, axis| cells.checked_mul(axis.codes.len()))
    }

    /// For each dimension of an answer's margin, the last first, how far each of its keys lies from the first cell.
    pub fn offsets(&self, answer: &OfficeRelease<'_>) -> Vec<Vec<usize>> {
        let mut stride = self.inner;
        let mut offsets = Vec::new();
        let keysets: Vec<_> = answer.layout.axes(&self.margin.by).map(|(_, keyset)| keyset).collect();
        for (axis, keyset) in self.axes.iter().zip(keysets).rev() {
            let at = places(axis);
            // A dimension that is summed over has one place for every key.
            let place = |code: &str| at.get(code).map_or(0, |at| at * stride);
            offsets.push(keyset.codes().iter().map(|code| place(code.as_str())).collect());
            stride *= axis.codes.len();
        }
        offsets
    }

    /// The places on the innermost axis of the figures of an answer's cell.
    pub fn inner_places(&self, answer: &OfficeRelease<'_>, content: &CellContent<'_>) -> Vec<usize> {
        let laid = answer.layout.margins().get(self.place);
        let codes = laid.and_then(|laid| content.inner(laid));
        match (codes, self.axes.last()) {
            (Some(codes), Some(axis)) => {
                let at = places(axis);
                codes.iter().filter_map(|code| at.get(code.as_str()).copied()).collect()
            }
            _ => vec![0],
        }
    }

    /// The places of `_O` on those axes on which the offices' lists differ, as (stride, keys, place).
    pub fn mixed_others(&self, answers: &[OfficeRelease<'_>]) -> Vec<(usize, usize, usize)> {
        let mut stride = 1;
        let mut mixed = Vec::new();
        for (position, axis) in self.axes.iter().enumerate().rev() {
            let keys = axis.codes.len();
            let dimension = self.margin.by.dimensions().nth(position);
            let mut lens = answers.iter().zip(&self.contents).filter_map(|(answer, content)| {
                let declared =
                    dimension.map(|dimension| answer.layout.keyset(dimension).map(|keys| keys.len()));
                declared.unwrap_or_else(|| content.keys_of_shares().map(<[_]>::len))
            });
            let differ = lens.any(|len| len != keys);
            let at = axis.codes.iter().position(|code| code == OTHER);
            mixed.extend(at.filter(|_| differ).map(|at| (stride, keys, at)));
            stride *= keys;
        }
        mixed
    }
}

fn places(axis: &Axis) -> HashMap<&str, usize> {
    axis.codes.iter().enumerate().map(|(at, code)| (code.as_str(), at)).collect()
}

/// A dimension's axis: every key that some office declares, or the lone total.
fn axis(answers: &[OfficeRelease<'_>], dimension: &Name, over: &[Name]) -> Axis {
    let codes = if over.contains(dimension) {
        vec![TOTAL.to_owned()]
    } else {
        let keysets = answers.iter().filter_map(|answer| answer.layout.keyset(dimension));
        union(keysets.flat_map(|keyset| keyset.codes()).map(|code| code.as_str()))
    };
    Axis { dimension: dimension.to_string(), codes }
}

/// The axis of the figures of a cell, where there are several. It has the name of its column, or of the measure where the
/// margin has that name already.
fn inner_axis(
    answers: &[OfficeRelease<'_>],
    place: usize,
    margin: &LayoutMargin,
    contents: &[CellContent<'_>],
) -> Option<Axis> {
    let column = margin.measure.column().map(Name::as_str).unwrap_or_default();
    let lists = || {
        let laid = answers.iter().filter_map(|answer| answer.layout.margins().get(place));
        contents.iter().zip(laid).filter_map(|(content, laid)| content.inner(laid))
    };
    let (name, codes) = match contents.first()? {
        CellContent::Shares(_) | CellContent::Chosen(..) => {
            let lists: Vec<Vec<String>> = lists().collect();
            let name = if matches!(contents.first()?, CellContent::Shares(_)) { column } else { QUANTILE };
            (name, union(lists.iter().flatten().map(String::as_str)))
        }
        CellContent::Found(_) => {
            (column, lists().flatten().collect::<std::collections::BTreeSet<_>>().into_iter().collect())
        }
        CellContent::Bins(..) => (column, ascending(contents, lists())),
        CellContent::Count | CellContent::Sum(_) | CellContent::Pair(_) | CellContent::Centred(..) => {
            return None;
        }
    };
    let taken = margin.by.dimensions().any(|dimension| dimension.as_str() == name);
    Some(Axis { dimension: if taken { margin.measure.to_string() } else { name.to_owned() }, codes })
}

/// The bins of all offices, ascending.
fn ascending(contents: &[CellContent<'_>], labels: impl Iterator<Item = Vec<String>>) -> Vec<String> {
    let mut all = std::collections::BTreeSet::new();
    for (content, labels) in contents.iter().zip(labels) {
        let CellContent::Bins(range, starts) = content else { continue };
        // In units of 1e-18, the finest scale that a plan may have.
        let finest = |value: i64| i128::from(value) * 10i128.pow(18u32.saturating_sub(range.scale));
        all.extend(
            bins(range, starts).zip(labels).map(|((low, high), label)| (finest(low), finest(high), label)),
        );
    }
    let mut seen = std::collections::HashSet::new();
    all.into_iter().map(|(_, _, label)| label).filter(|label| seen.insert(label.clone())).collect()
}
