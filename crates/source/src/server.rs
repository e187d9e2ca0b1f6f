//! What is done on every server in the same way: above all, reading a plan's integers. The server groups, the groups stream by.

use std::{collections::BTreeMap, io::ErrorKind, time::Duration};

use lango_privacy::{Counted, Dataset, Exact, Plan};
use lango_trace::TraceContext;
use sqlx::ConnectOptions;

use crate::{
    FetchError, Secret, SourceError,
    failure::{failed, unavailable},
    grouped::{Grouped, ServerValue},
    sql::{
        CatalogueTable, ColumnType, Dialect, GroupSelect, Origin, Rendered, alike, all, clocks, everything,
        units, values,
    },
    survey::{Survey, tallies},
    value::Raw,
};

/// How long a server may take to answer an examination.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
/// What a server has beyond its own limit on a statement, to say that it was reached.
const GRACE: Duration = Duration::from_secs(30);

/// A connection beside the pool, which would try again and again and not say why it fails.
pub(crate) async fn connect<O>(options: &O) -> Result<O::Connection, SourceError>
where
    O: ConnectOptions,
    O::Connection: Sized,
{
    let connecting = tokio::time::timeout(CONNECT_TIME_MAX, options.connect()).await;
    let too_slow = |_| SourceError::Unavailable("the server does not answer".to_owned());
    connecting.map_err(too_slow)?.map_err(|error| unavailable(&error))
}

/// Waits for a server no longer than its own limit and [`GRACE`]: one that is gone without a word never answers.
pub(crate) async fn within<T>(
    statement_timeout: Duration,
    answer: impl Future<Output = sqlx::Result<T>>,
) -> sqlx::Result<T> {
    let gone = |_| sqlx::Error::Io(std::io::Error::new(ErrorKind::TimedOut, "the server does not answer"));
    tokio::time::timeout(statement_timeout.saturating_add(GRACE), answer).await.map_err(gone)?
}

/// A connection with a view of the data.
pub(crate) trait View: Send {
    /// What it speaks.
    const DIALECT: &'static dyn Dialect;

    /// Has the server prepare a statement; reads no row.
    fn prepare(&mut self, sql: &Rendered) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// Hands over the rows of a statement as they come.
    fn each(
        &mut self,
        statement: &GroupSelect,
        add: impl FnMut(&[ServerValue]) + Send,
    ) -> impl Future<Output = sqlx::Result<()>> + Send;
}

/// Fetches the integers of a plan, by statements that carry the trace; `prepared` is the table of a preparation that fits.
pub(crate) async fn fetch<V: View>(
    view: &mut V,
    (plan, trace): (&Plan, Option<TraceContext>),
    table: &CatalogueTable,
    prepared: Option<String>,
    secret: &Secret,
    statement_timeout: Duration,
) -> Result<Exact<Vec<Counted>>, FetchError> {
    let origin = Origin::of(V::DIALECT, plan, table, prepared, secret);
    let mut statements = origin.statements(V::DIALECT, plan);
    if let Some(trace) = trace {
        let mark = |statement: &mut GroupSelect| statement.sql.text.insert_str(0, &trace.sql_comment());
        statements.iter_mut().for_each(mark);
    }
    // Preparing reads no row: what the server does not take is found before any is read.
    for GroupSelect { sql, .. } in &statements {
        within(statement_timeout, view.prepare(sql)).await.map_err(|error| failed(&error, false))?;
    }
    let mut grouped = Grouped::new(plan, origin.access());
    for statement in &statements {
        let mut reader = grouped.reader(statement);
        let read = within(statement_timeout, view.each(statement, |values| reader.add(values))).await;
        read.map_err(|error| failed(&error, true))?;
    }
    Ok(grouped.finish())
}

/// Counts what stands in a table.
pub(crate) async fn survey<V: View>(
    view: &mut V,
    dataset: &Dataset,
    table: &CatalogueTable,
    statement_timeout: Duration,
) -> Result<Survey, SourceError> {
    let mut columns = BTreeMap::new();
    for (name, mut tally) in tallies(dataset, |_| 0) {
        let statement = values(V::DIALECT, table, name);
        let add = |row: &[ServerValue]| {
            if let [value, rows] = row {
                let raw = match value {
                    ServerValue::Null => Raw::Null,
                    ServerValue::Number(number) => Raw::Integer(*number),
                    ServerValue::Text(text) => Raw::Text(text),
                };
                tally.add(raw, count(rows));
            }
        };
        let read = within(statement_timeout, view.each(&statement, add)).await;
        read.map_err(|error| unavailable(&error))?;
        if table.kind(name) == ColumnType::Moment {
            // The values are days alone.
            let add = |row: &[ServerValue]| {
                if let [ServerValue::Text(clock), rows] = row {
                    tally.add_clock(clock, count(rows));
                }
            };
            let read = within(statement_timeout, view.each(&clocks(V::DIALECT, table, name), add)).await;
            read.map_err(|error| unavailable(&error))?;
        }
        columns.insert(name.clone(), tally.finish());
    }
    let mut survey = Survey { rows: 0, units: BTreeMap::new(), alike: 0, columns };
    let add = |row: &[ServerValue]| {
        if let [rows, units] = row {
            survey.units.insert(count(rows), count(units));
        }
    };
    let read = within(statement_timeout, view.each(&units(V::DIALECT, table), add)).await;
    read.map_err(|error| unavailable(&error))?;
    survey.rows = one(view, &all(V::DIALECT, table), statement_timeout).await?;
    survey.alike = identifiers_alike(view, table, statement_timeout).await?.unwrap_or(0);
    Ok(survey)
}

/// Counts the identifiers that differ from another one in the case of letters or in blanks alone; `None` where they are numbers.
pub(crate) async fn identifiers_alike<V: View>(
    view: &mut V,
    table: &CatalogueTable,
    statement_timeout: Duration,
) -> Result<Option<u64>, SourceError> {
    match alike(V::DIALECT, table) {
        Some(statement) => one(view, &statement, statement_timeout).await.map(Some),
        None => Ok(None),
    }
}

/// The one number that a statement counts.
async fn one<V: View>(
    view: &mut V,
    statement: &GroupSelect,
    statement_timeout: Duration,
) -> Result<u64, SourceError> {
    let mut counted = 0;
    let add = |row: &[ServerValue]| counted = row.first().map_or(0, count);
    let read = within(statement_timeout, view.each(statement, add)).await;
    read.map_err(|error| unavailable(&error))?;
    Ok(counted)
}

fn count(value: &ServerValue) -> u64 {
    match value {
        ServerValue::Number(number) => number.unsigned_abs(),
        ServerValue::Null | ServerValue::Text(_) => 0,
    }
}

/// Prepares the statement that reads all that is declared, as a test that it can be.
pub(crate) async fn check<V: View>(
    view: &mut V,
    dataset: &Dataset,
    table: &CatalogueTable,
    statement_timeout: Duration,
) -> Result<(), SourceError> {
    let everything = everything(V::DIALECT, dataset, table)?;
    within(statement_timeout, view.prepare(&everything)).await.map_err(|error| unavailable(&error))
}
