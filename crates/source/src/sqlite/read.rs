//! Reading a table: one statement, one pass, every margin counted as the rows go by.
//!
//! SQLite groups by sorting, at six times the cost of reading; `docs/decisions/0011-counting-in-one-pass.md`.

use std::time::{Duration, Instant};

use lango_privacy::{Counted, Dataset, Exact, Plan};
use lango_trace::TraceContext;
use rusqlite::Connection;

use super::{
    catalogue::{self, FileTable},
    prepare,
    row_order::{define_row_order, raw},
    statement::{FileAccess, rows},
};
use crate::{FetchError, Secret, count::Count, failure::unfit, value::Raw};

/// Virtual machine steps between two checks of the clock.
const STEPS_BETWEEN_CHECKS: i32 = 100_000;

/// Fetches the integers of a plan, by a statement that carries the trace.
pub(super) fn fetch(
    connection: &Connection,
    timeout: Duration,
    (plan, trace): (&Plan, Option<TraceContext>),
    secret: &Secret,
) -> Result<Exact<Vec<Counted>>, FetchError> {
    // Preparing reads the schema only: a table that is gone is found before any row is read.
    let unread = FetchError { rows_were_read: false };
    let file = catalogue::check(connection, &plan.dataset).map_err(|error| unfit(&error))?;
    catalogue::check_version(connection, &plan.dataset).map_err(|error| unfit(&error))?;
    let (_, access) = prepare::find(connection, &plan.dataset, file.vouched, secret).map_err(|_| unread)?;
    define_row_order(connection, &plan.dataset, &file).map_err(|_| unread)?;
    let mut count = Count::new(plan, file.vouched, |name, _| file.scale(name));
    let mut text = rows(&plan.dataset, &file, count.columns(), &access);
    if let Some(trace) = trace {
        text.insert_str(0, &trace.sql_comment());
    }
    let mut statement = connection.prepare(&text).map_err(|_| unread)?;
    let deadline = Instant::now() + timeout;
    let stop = move || Instant::now() >= deadline;
    connection.progress_handler(STEPS_BETWEEN_CHECKS, Some(stop)).map_err(|_| unread)?;
    let read = FetchError { rows_were_read: true };
    let secret = (access == FileAccess::Ranked).then(|| secret.bytes());
    let mut rows = statement.query(rusqlite::params_from_iter(secret)).map_err(|_| read)?;
    while let Some(row) = rows.next().map_err(|_| read)? {
        // Every column that is asked for has been selected.
        let value = |column| row.get_ref(column).map_or(Raw::Null, raw);
        count.add(value(0), |position| value(position + 1));
    }
    Ok(count.finish())
}

/// Prepares the statement that reads all that is declared, as a test that it can be: for example, that there are not more
/// columns than a function may have arguments.
pub(super) fn prepare_all(
    connection: &Connection,
    dataset: &Dataset,
    file: &FileTable,
) -> rusqlite::Result<()> {
    define_row_order(connection, dataset, file)?;
    let columns: Vec<_> = dataset.columns.keys().collect();
    connection.prepare(&rows(dataset, file, &columns, &FileAccess::Ranked)).map(drop)
}
