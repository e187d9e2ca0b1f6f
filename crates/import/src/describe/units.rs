//! For how many units a value stands: rows of one unit are one.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    ops::ControlFlow,
    sync::{Arc, atomic::AtomicU64},
};

use super::{FileDescription, OpenFile, ROWS_BETWEEN, ROWS_SHOWN_LEAST, places, prints, tally::present};
use crate::{
    ImportError, ImportEvent, ImportFile,
    files::{changed, size, within},
    visit::FieldVisitor,
};

/// Units of a value, as long as they are fewer than it must stand for.
type FewUnits = Vec<u64>;

impl FileDescription {
    /// Reads the files once more, and shows from then on those values alone that stand for [`ROWS_SHOWN_LEAST`] units or more,
    /// which are named by the values of a column. Where a unit has several rows, a value on as many rows may be one unit's alone.
    /// It calls `report` with each [`ImportEvent::Read`], which may stop it.
    pub fn count_units(
        &mut self,
        files: &[ImportFile],
        unit: &str,
        report: &mut dyn FnMut(ImportEvent) -> ControlFlow<()>,
    ) -> Result<(), ImportError> {
        let Some(unit_at) = self.columns.iter().position(|column| column.name == unit) else { return Ok(()) };
        let before = prints(files)?;
        let names: Vec<String> = self.columns.iter().map(|column| column.name.clone()).collect();
        let of_values = self.columns.iter().map(|column| {
            let shown = column.values.shown().into_iter().map(|(text, _)| text.to_owned());
            let missing = column.missing.iter().map(|(text, _)| text.clone());
            shown.chain(missing).map(|text| (text.into_bytes().into(), FewUnits::new())).collect()
        });
        let mut units = Units {
            of_values: of_values.collect(),
            unit_at,
            hasher: RandomState::new(),
            places: Vec::new(),
            unit: None,
            row: Vec::new(),
            rows: 0,
            bytes: 0,
            of: files.iter().map(|file| size(&file.path)).sum(),
            report,
        };
        for (at, file) in files.iter().enumerate() {
            let read = OpenFile::open(file, &Arc::new(AtomicU64::new(0))).and_then(|open| {
                units.places = places(&names, open.names());
                open.visit(&mut units)
            });
            read.map_err(|error| within(files, at, error))?;
            units.bytes += size(&file.path);
        }
        let of_values = units.of_values;
        if prints(files)? != before {
            return Err(changed(files));
        }
        for (column, units) in self.columns.iter_mut().zip(of_values) {
            let is_shared = |text: &str| {
                units.get(text.as_bytes()).is_some_and(|units| units.len() as u64 >= ROWS_SHOWN_LEAST)
            };
            column.values.keep_shown(is_shared);
            column.missing.retain(|(text, _)| is_shared(text));
        }
        self.counted_by = Some(unit.to_owned());
        Ok(())
    }
}

/// The units of each shown value, while rows go by.
struct Units<'a> {
    /// For each column.
    of_values: Vec<HashMap<Box<[u8]>, FewUnits>>,
    unit_at: usize,
    hasher: RandomState,
    /// For each column of the file at hand, which column it is.
    places: Vec<usize>,
    /// The unit of the row at hand, and its shown values with their columns.
    unit: Option<u64>,
    row: Vec<(usize, Box<[u8]>)>,
    rows: u64,
    bytes: u64,
    of: u64,
    report: &'a mut dyn FnMut(ImportEvent) -> ControlFlow<()>,
}

impl FieldVisitor for Units<'_> {
    fn field(&mut self, position: usize, text: &[u8], _: bool) {
        let Some(place) = self.places.get(position).copied() else { return };
        let Some(value) = present(text) else { return };
        if place == self.unit_at {
            self.unit = Some(self.hasher.hash_one(value));
        }
        let units = self.of_values.get(place).and_then(|values| values.get(value));
        if units.is_some_and(|units| (units.len() as u64) < ROWS_SHOWN_LEAST) {
            self.row.push((place, value.into()));
        }
    }

    fn end_row(&mut self, _: u64) -> Result<ControlFlow<()>, ImportError> {
        let unit = self.unit.take();
        for (place, value) in self.row.drain(..) {
            let units = self.of_values.get_mut(place).and_then(|values| values.get_mut(&value));
            if let (Some(units), Some(unit)) = (units, unit)
                && !units.contains(&unit)
            {
                units.push(unit);
            }
        }
        self.rows += 1;
        if self.rows.is_multiple_of(ROWS_BETWEEN) {
            let event = ImportEvent::Read { bytes: self.bytes, of: self.of, rows: self.rows };
            if (self.report)(event).is_break() {
                return Err(ImportError::Stopped);
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}
