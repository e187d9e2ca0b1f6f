//! What a view reads: SQLite names each table that it would read to an authorizer, through however many views, while it prepares
//! a statement.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::{
    Connection,
    hooks::{AuthAction, AuthContext, Authorization},
};

use super::{statement::quoted, unavailable};
use crate::SourceError;

/// The tables and views that a view reads. One that cannot be read, which a check of the dataset says, reads nothing.
pub(super) fn read(connection: &Connection, view: &str) -> Result<Vec<String>, SourceError> {
    let named = Arc::new(Mutex::new(BTreeSet::new()));
    let names = Arc::clone(&named);
    let note = move |context: AuthContext<'_>| {
        if let AuthAction::Read { table_name, .. } = context.action {
            names.lock().unwrap_or_else(PoisonError::into_inner).insert(table_name.to_owned());
        }
        Authorization::Allow
    };
    connection.authorizer(Some(note)).map_err(|error| unavailable(&error))?;
    let prepared = connection.prepare(&format!("SELECT * FROM {}", quoted(view)));
    drop(prepared);
    let none = None::<fn(AuthContext<'_>) -> Authorization>;
    connection.authorizer(none).map_err(|error| unavailable(&error))?;
    let named = named.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(named.iter().filter(|name| !name.eq_ignore_ascii_case(view)).cloned().collect())
}
