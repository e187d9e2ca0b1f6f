//! From the rows of a table to the integers of a plan, in one pass: ranks, conditions, cells.

use lango_privacy::{Column, Counted, Exact, Name, Plan, trimmed_bytes};

use crate::{
    field::{Field, fields},
    tally::Tally,
    value::{Raw, STORED_TEXT_BYTES_MOST},
};

/// What the catalogue vouches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Vouched {
    /// The one type of an identifier.
    pub(crate) unit_type: UnitType,
    /// No two rows are of one unit.
    pub(crate) one_row_per_unit: bool,
}

/// The one type of an identifier. A database may distinguish `7`, `'7'` and `x'37'`, so rows of another type are dropped, as
/// are those without an identifier: a unit in them would be counted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnitType {
    Integer,
    Text,
}

impl UnitType {
    /// Whether a value identifies a unit: one of this type, and of texts one that is neither blank nor too long to be read.
    pub(crate) fn identifies(self, unit: Raw<'_>) -> bool {
        match (self, unit) {
            (Self::Integer, Raw::Integer(_)) => true,
            (Self::Text, Raw::Text(text)) => {
                text.len() <= STORED_TEXT_BYTES_MOST && !trimmed_bytes(text).is_empty()
            }
            (Self::Integer | Self::Text, _) => false,
        }
    }
}

/// Counts a plan's integers.
pub(crate) struct Count<'a> {
    vouched: Vouched,
    rows_at_most: u64,
    columns: Vec<&'a Name>,
    fields: Vec<Field<'a>>,
    tallies: Vec<Tally<'a>>,
    /// The unit at hand, and how many rows of it there were.
    unit: Option<UnitId>,
    rank: u64,
}

#[derive(PartialEq, Eq)]
enum UnitId {
    Integer(i64),
    Text(Vec<u8>),
}

impl<'a> Count<'a> {
    /// Of a plan, before any row; `stored` says in which units a column's whole numbers are stored.
    pub(crate) fn new(plan: &'a Plan, vouched: Vouched, stored: impl Fn(&Name, &Column) -> u32) -> Self {
        let (columns, fields) = fields(plan, |_| true, stored);
        let field = |name: &Name| columns.iter().position(|column| *column == name);
        let tally = |margin| Tally::new(plan, margin, vouched.one_row_per_unit, field);
        let tallies = plan.margins.iter().map(tally).collect();
        let rows_at_most = plan.dataset.unit.rows_at_most.into();
        Self { vouched, rows_at_most, columns, fields, tallies, unit: None, rank: 0 }
    }

    /// The columns whose values it takes, in name order.
    pub(crate) fn columns(&self) -> &[&'a Name] {
        &self.columns
    }

    /// Adds a row. Unless the catalogue vouches for one row per unit, the rows of a unit must come together and in row order.
    pub(crate) fn add<'r>(&mut self, unit: Raw<'_>, value: impl Fn(usize) -> Raw<'r>) {
        if !self.vouched.unit_type.identifies(unit) {
            return;
        }
        self.rank_next(unit);
        if self.rank > self.rows_at_most {
            return;
        }
        // INVARIANT (bounding comes first): a row that does not pass has still taken its rank.
        let mut passes = true;
        for (position, field) in self.fields.iter_mut().enumerate() {
            passes &= field.read(value(position));
        }
        if passes {
            self.tallies.iter_mut().for_each(|tally| tally.add(&self.fields, self.rank));
        }
    }

    /// What was counted, margin by margin.
    pub(crate) fn finish(mut self) -> Exact<Vec<Counted>> {
        self.end_unit();
        Exact::new(self.tallies.into_iter().map(Tally::into_counted).collect())
    }

    fn rank_next(&mut self, unit: Raw<'_>) {
        let same = match (&self.unit, unit) {
            _ if self.vouched.one_row_per_unit => false,
            (Some(UnitId::Integer(before)), Raw::Integer(now)) => *before == now,
            (Some(UnitId::Text(before)), Raw::Text(now)) => before == now,
            _ => false,
        };
        if same {
            self.rank = self.rank.saturating_add(1);
            return;
        }
        self.end_unit();
        self.rank = 1;
        match (&mut self.unit, unit) {
            _ if self.vouched.one_row_per_unit => {}
            (Some(UnitId::Text(before)), Raw::Text(now)) => {
                before.clear();
                before.extend_from_slice(now);
            }
            (before, Raw::Text(now)) => *before = Some(UnitId::Text(now.to_vec())),
            (before, Raw::Integer(now)) => *before = Some(UnitId::Integer(now)),
            (before, _) => *before = None,
        }
    }

    fn end_unit(&mut self) {
        self.tallies.iter_mut().for_each(Tally::end_unit);
    }
}
