//! The row order as a function of SQLite's, and what stands in a row for it.

use lango_privacy::{Dataset, Domain};
use rusqlite::{Connection, functions::FunctionFlags, types::ValueRef};

use crate::{
    order::RowOrder,
    value::{Raw, Value},
};

/// Defines `lango_row_order(secret, unit, every declared column in name order)`, for the gateway's own statements only.
pub(super) fn define_row_order(connection: &Connection, dataset: &Dataset) -> rusqlite::Result<()> {
    let domains: Vec<Domain> = dataset.columns.values().map(|column| column.domain.clone()).collect();
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("lango_row_order", -1, flags, move |arguments| {
        let secret = match arguments.get_raw(0) {
            ValueRef::Blob(secret) => secret,
            ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Text(_) => &[],
        };
        let mut order = RowOrder::new(secret, raw(arguments.get_raw(1)));
        for (position, domain) in domains.iter().enumerate() {
            order.add(&Value::of(raw(arguments.get_raw(position + 2)), domain));
        }
        Ok(order.digest().to_vec())
    })
}

pub(super) fn raw(value: ValueRef<'_>) -> Raw<'_> {
    match value {
        ValueRef::Null => Raw::Null,
        ValueRef::Integer(value) => Raw::Integer(value),
        ValueRef::Text(text) => Raw::Text(text),
        ValueRef::Real(_) | ValueRef::Blob(_) => Raw::Other,
    }
}
