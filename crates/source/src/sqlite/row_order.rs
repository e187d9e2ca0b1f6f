//! The row order as a function of SQLite's, and what stands in a row for it.

use lango_privacy::Dataset;
use rusqlite::{Connection, functions::FunctionFlags, types::ValueRef};

use super::catalogue::FileTable;
use crate::{
    order::RowOrder,
    value::{Raw, Reader},
};

/// Defines `lango_row_order(secret, unit, every ordered column in name order)`, for the gateway's own statements only.
pub(super) fn define_row_order(
    connection: &Connection,
    dataset: &Dataset,
    file: &FileTable,
) -> rusqlite::Result<()> {
    let reader = |(name, column)| Reader::new(column, file.scale(name));
    let readers: Vec<Reader> = dataset.ordered_columns().map(reader).collect();
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("lango_row_order", -1, flags, move |arguments| {
        let secret = match arguments.get_raw(0) {
            ValueRef::Blob(secret) => secret,
            ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Text(_) => &[],
        };
        let mut order = RowOrder::new(secret, raw(arguments.get_raw(1)));
        for (position, reader) in readers.iter().enumerate() {
            order.add(&reader.read(raw(arguments.get_raw(position + 2))));
        }
        Ok(order.digest().to_vec())
    })
}

pub(super) fn raw(value: ValueRef<'_>) -> Raw<'_> {
    match value {
        ValueRef::Null => Raw::Null,
        ValueRef::Integer(value) => Raw::Integer(value),
        ValueRef::Text(text) => Raw::Text(text),
        ValueRef::Real(value) => Raw::Real(value),
        ValueRef::Blob(bytes) => Raw::Other(bytes),
    }
}
