//! The cells of one margin, and what a row adds to them.

use std::{collections::HashMap, mem};

use lango_privacy::{Counted, Fetch, Name, Plan, PlannedMargin, Range};

use crate::field::{Field, measured};

/// What a server returns of a group of rows.
pub(crate) struct RowGroup<'a> {
    /// Its distinct units.
    pub(crate) units: i128,
    /// Its rows.
    pub(crate) rows: i128,
    /// The integer of the cell that they belong to.
    pub(crate) place: usize,
    /// Its rows where a column is present.
    pub(crate) present: &'a dyn Fn(&Name) -> i128,
    /// The sum of a column's values, clamped to a range.
    pub(crate) sum: &'a dyn Fn(&Name, &Range) -> i128,
}

/// Adds up one margin.
pub(crate) struct Tally<'a> {
    fetch: &'a Fetch,
    /// The fields of the margin's dimensions, and how many cells apart two keys of each are.
    by: Vec<(usize, usize)>,
    /// The field that is measured, where there is one.
    measured: Option<usize>,
    /// Where bins begin, or the candidates; ascending.
    points: Vec<i64>,
    /// How many integers a cell has.
    width: usize,
    counted: Vec<i64>,
    /// The places of the values that were found, for a search for keys.
    found: HashMap<String, usize>,
    /// Where units are counted, the places that the unit at hand has been seen in.
    seen: Vec<usize>,
    /// No unit is seen twice.
    once: bool,
    /// Rows of a unit beyond this rank are not read for this margin.
    ranks_at_most: u64,
}

impl<'a> Tally<'a> {
    /// An empty margin; `field` says where a column's values are.
    pub(crate) fn new(
        plan: &'a Plan,
        margin: &'a PlannedMargin,
        one_row_per_unit: bool,
        field: impl Fn(&Name) -> Option<usize>,
    ) -> Self {
        let PlannedMargin { text, fetch, .. } = margin;
        let axes: Vec<_> = plan.layout.axes(&text.by).collect();
        let mut by = Vec::with_capacity(axes.len());
        let mut apart = 1;
        for (name, keyset) in axes.iter().rev() {
            by.extend(field(name).map(|field| (field, apart)));
            apart *= keyset.len();
        }
        let points = fetch.placed_by().map(|(_, range, grid)| grid.points(range)).unwrap_or_default();
        let width = fetch.width(&plan.dataset);
        let searched = fetch.searches();
        let dataset = &plan.dataset;
        let ranks = if fetch.counts_units() { dataset.cells_at_most() } else { dataset.unit.rows_at_most };
        Self {
            fetch,
            by,
            measured: measured(fetch).and_then(field),
            points,
            width,
            counted: if searched { Vec::new() } else { vec![0; apart * width] },
            found: HashMap::new(),
            seen: Vec::new(),
            once: one_row_per_unit || ranks == 1,
            ranks_at_most: ranks.into(),
        }
    }

    /// Adds the row at hand, which is the `rank`th of its unit.
    pub(crate) fn add(&mut self, fields: &[Field<'_>], rank: u64) {
        if rank > self.ranks_at_most {
            return;
        }
        let cell = self.cell(fields);
        let measured = self.measured.and_then(|field| fields.get(field));
        let number = measured.and_then(|field| field.number);
        match self.fetch {
            Fetch::Units => self.see(cell),
            Fetch::UnitsBy(_) => self.see(cell + measured.map_or(0, |field| field.position)),
            Fetch::Keys(_) => {
                if let Some(found) = measured.and_then(|field| field.found.as_ref()) {
                    let place = self.place(found);
                    self.see(place);
                }
            }
            Fetch::Rows => self.count(cell, 1),
            Fetch::RowsOf(_) => self.count(cell, measured.is_some_and(|field| field.present).into()),
            Fetch::Sum { range, centre, .. } => {
                let clamped = number.map(|number| number.clamp(range.low, range.high));
                self.count(cell, clamped.map_or(0, |value| value.saturating_sub(centre.unwrap_or(0))));
            }
            Fetch::Pair { range, .. } => {
                if let Some(value) = number.map(|number| number.clamp(range.low, range.high)) {
                    self.count(cell, value.saturating_sub(range.low));
                    self.count(cell + 1, range.high.saturating_sub(value));
                }
            }
            Fetch::Bins { range, .. } => {
                if let Some(value) = number.map(|number| number.clamp(range.low, range.high)) {
                    // The first bin begins at the lower bound.
                    let begun = self.points.partition_point(|point| *point <= value);
                    self.count(cell + begun.saturating_sub(1), 1);
                }
            }
            Fetch::Ranks { range, .. } => {
                if let Some(value) = number.map(|number| number.clamp(range.low, range.high)) {
                    let below = self.points.partition_point(|point| *point < value);
                    let at = usize::from(self.points.get(below) == Some(&value));
                    self.count(cell + 2 * below + at, 1);
                }
            }
        }
    }

    /// Adds the group at hand, all of whose rows are to be counted.
    pub(crate) fn add_group(&mut self, fields: &[Field<'_>], group: &RowGroup<'_>) {
        let cell = self.cell(fields);
        let measured = self.measured.and_then(|field| fields.get(field));
        match self.fetch {
            Fetch::Units => self.count_many(cell, group.units),
            Fetch::UnitsBy(_) => {
                self.count_many(cell + measured.map_or(0, |field| field.position), group.units);
            }
            Fetch::Keys(_) => {
                if let Some(found) = measured.and_then(|field| field.found.as_ref()) {
                    let place = self.place(found);
                    self.count_many(place, group.units);
                }
            }
            Fetch::Rows => self.count_many(cell, group.rows),
            Fetch::RowsOf(column) => self.count_many(cell, (group.present)(column)),
            Fetch::Sum { column, range, centre } => {
                let centre = i128::from(centre.unwrap_or(0));
                self.count_many(cell, (group.sum)(column, range) - centre * (group.present)(column));
            }
            Fetch::Pair { column, range } => {
                let (sum, rows) = ((group.sum)(column, range), (group.present)(column));
                self.count_many(cell, sum - i128::from(range.low) * rows);
                self.count_many(cell + 1, i128::from(range.high) * rows - sum);
            }
            Fetch::Bins { .. } | Fetch::Ranks { .. } => self.count_many(cell + group.place, group.rows),
        }
    }

    /// The first integer of the cell that what is at hand belongs to.
    fn cell(&self, fields: &[Field<'_>]) -> usize {
        let position =
            |(field, apart): &(usize, usize)| fields.get(*field).map_or(0, |at| at.position * apart);
        self.by.iter().map(position).sum::<usize>() * self.width
    }

    /// The unit at hand has no more rows.
    pub(crate) fn end_unit(&mut self) {
        if self.seen.is_empty() {
            return;
        }
        let mut seen = mem::take(&mut self.seen);
        seen.sort_unstable();
        seen.dedup();
        for place in seen.drain(..) {
            self.count(place, 1);
        }
        self.seen = seen;
    }

    /// What was counted.
    pub(crate) fn into_counted(self) -> Counted {
        let Self { fetch, counted, found, .. } = self;
        if !fetch.searches() {
            return Counted::Cells(counted);
        }
        let units = |(key, place): (String, usize)| Some((key, *counted.get(place)?));
        Counted::Keys(found.into_iter().filter_map(units).collect())
    }

    /// The unit at hand is in this place; it counts once there, however many of its rows are.
    fn see(&mut self, place: usize) {
        if self.once { self.count(place, 1) } else { self.seen.push(place) }
    }

    fn count_many(&mut self, place: usize, by: i128) {
        let bound = |by: i128| by.clamp(i64::MIN.into(), i64::MAX.into());
        self.count(place, i64::try_from(bound(by)).unwrap_or(i64::MAX));
    }

    fn place(&mut self, found: &str) -> usize {
        if let Some(place) = self.found.get(found) {
            return *place;
        }
        let place = self.counted.len();
        self.counted.push(0);
        self.found.insert(found.to_owned(), place);
        place
    }

    /// INVARIANT (a unit's part is bounded whatever the table holds): additions saturate, and the same rows come in the same
    /// order, so without one unit no integer differs by more than the sum of what its rows add, even past `rows_below`.
    fn count(&mut self, place: usize, by: i64) {
        if let Some(integer) = self.counted.get_mut(place) {
            *integer = integer.saturating_add(by);
        }
    }
}
