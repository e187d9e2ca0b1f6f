//! From the groups that the database counted to the cells of a margin: the one mapping of values to keys.
//!
//! Every engine returns a group's values in their normal form, and this maps them: missing or blank to `_U`, present
//! but not declared to `_O`, everything else to its key.

use std::collections::HashMap;

use lango_privacy::{Dataset, Domain, Layout, Margin};

/// A value of a group, as the normal form of its column gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// NULL or blank.
    Missing,
    /// Text; bytes that are not UTF-8 are no declared code.
    Text(&'a [u8]),
    /// A whole number.
    Integer(i64),
    /// Anything else.
    Undeclared,
}

/// Adds up one margin.
pub(crate) struct Tally<'a> {
    axes: Vec<Axis<'a>>,
    cells: Vec<i64>,
}

struct Axis<'a> {
    keys: usize,
    domain: &'a Domain,
    positions: HashMap<&'a [u8], usize>,
}

impl<'a> Tally<'a> {
    /// An empty margin: a cell for every key.
    pub(crate) fn new(dataset: &'a Dataset, layout: &'a Layout, by: &'a Margin) -> Self {
        let axes = layout.axes(by).filter_map(|(name, keyset)| {
            let domain = &dataset.columns.get(name)?.domain;
            let positions = keyset
                .codes()
                .iter()
                .enumerate()
                .map(|(position, code)| (code.as_str().as_bytes(), position));
            // The last two keys are `_O` and `_U`: a value that happens to read so is undeclared all the same.
            Some(Axis {
                keys: keyset.len(),
                domain,
                positions: positions.take(keyset.len().saturating_sub(2)).collect(),
            })
        });
        Self { axes: axes.collect(), cells: vec![0; layout.cells_of(by)] }
    }

    /// Adds a group's count to its cell.
    pub(crate) fn add(&mut self, values: &[Value<'_>], count: i64) {
        let cell = self
            .axes
            .iter()
            .zip(values)
            .fold(0, |cell, (axis, value)| cell * axis.keys + axis.position(*value));
        if let Some(cell) = self.cells.get_mut(cell) {
            // A table has fewer than 2^63 rows; saturating keeps that a fact rather than a hope.
            *cell = cell.saturating_add(count);
        }
    }

    /// The counts, row-major.
    pub(crate) fn into_cells(self) -> Vec<i64> {
        self.cells
    }
}

impl Axis<'_> {
    fn position(&self, value: Value<'_>) -> usize {
        let (other, unknown) = (self.keys.saturating_sub(2), self.keys.saturating_sub(1));
        match (value, self.domain) {
            (Value::Missing, _) => unknown,
            (Value::Text(text), _) if text.iter().all(|c| *c == b' ') => unknown,
            (Value::Text(text), Domain::Codes(_)) => self.positions.get(text).copied().unwrap_or(other),
            (Value::Integer(value), domain) => domain.band_of(value).unwrap_or(other),
            _ => other,
        }
    }
}
