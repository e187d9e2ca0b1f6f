//! Reading a plan's integers: the server groups, the groups stream by.

use lango_privacy::{Counted, Dataset, Exact, Plan};
use sqlx::{
    AssertSqlSafe, Executor, PgConnection, Row, SqlSafeStr, Statement as _,
    postgres::{PgArguments, PgRow, PgTypeInfo},
    query::Query,
};
use tokio_stream::StreamExt;

use super::dialect::PostgresDialect;
use crate::{
    FetchError, Secret, SourceError,
    failure::{failed, unavailable},
    grouped::{Cell, Grouped, used},
    sql::{Bind, Binds, Dialect, Rendered, Road, Statement, Table, bounded, statements},
};

/// What one statement may be given: a limit of PostgreSQL's protocol.
const PARAMETERS_MOST: usize = 65_535;

/// Fetches the integers of a plan; `prepared` is the table of a preparation that fits.
pub(super) async fn fetch(
    view: &mut PgConnection,
    plan: &Plan,
    table: &Table,
    prepared: Option<String>,
    secret: &Secret,
) -> Result<Exact<Vec<Counted>>, FetchError> {
    let from = from(plan, table, prepared, secret);
    let statements = statements(&PostgresDialect, plan, from.road(table), &from.binds);
    // Preparing reads no row: what the server does not take is found before any is read.
    for Statement { sql, .. } in &statements {
        prepare(view, sql).await.map_err(|error| failed(&error, false))?;
    }
    let mut grouped = Grouped::new(plan, from.road(table));
    for statement in &statements {
        let mut reader = grouped.reader(statement);
        let mut rows = query(&statement.sql).fetch(&mut *view);
        let mut cells = Vec::new();
        while let Some(row) = rows.next().await {
            let row = row.map_err(|error| failed(&error, true))?;
            read(&row, statement, &mut cells).map_err(|error| failed(&error, true))?;
            reader.add(&cells);
        }
    }
    Ok(grouped.finish())
}

/// How the server would carry out what [`fetch`] sends.
pub(super) async fn explain(
    view: &mut PgConnection,
    plan: &Plan,
    table: &Table,
    prepared: Option<String>,
    secret: &Secret,
) -> Result<Vec<String>, SourceError> {
    let from = from(plan, table, prepared, secret);
    let mut told = Vec::new();
    for Statement { sql, .. } in statements(&PostgresDialect, plan, from.road(table), &from.binds) {
        let text = format!("EXPLAIN (VERBOSE, COSTS OFF) {}", sql.text);
        let rows = query(&Rendered { text, ..sql }).persistent(false).fetch_all(&mut *view).await;
        for row in rows.map_err(|error| unavailable(&error))? {
            told.push(row.try_get(0).map_err(|error| unavailable(&error))?);
        }
    }
    Ok(told)
}

/// Where rows that are not vouched for are read: in a `FROM`, with its parameters.
struct From {
    bounded: String,
    binds: Binds,
}

impl From {
    fn road<'a>(&'a self, table: &'a Table) -> Road<'a> {
        if table.one_row_per_unit { Road::Direct(table) } else { Road::Bounded { from: &self.bounded } }
    }
}

fn from(plan: &Plan, table: &Table, prepared: Option<String>, secret: &Secret) -> From {
    let mut binds = Binds::default();
    let bounded = match prepared {
        _ if table.one_row_per_unit => String::new(),
        Some(prepared) => prepared,
        None => {
            let rows = bounded(&PostgresDialect, &plan.dataset, table, &used(plan), secret, &mut binds);
            format!("({rows}) AS bounded")
        }
    };
    From { bounded, binds }
}

/// Prepares the statement that reads all that is declared, as a test that it can be.
pub(super) async fn prepare_all(
    view: &mut PgConnection,
    dataset: &Dataset,
    table: &Table,
) -> Result<(), SourceError> {
    let names: Vec<_> = dataset.columns.keys().collect();
    let mut binds = Binds::default();
    let text = bounded(&PostgresDialect, dataset, table, &names, &Secret::new([0; 32]), &mut binds);
    let rendered = PostgresDialect.render(&text, binds);
    let codes = rendered.binds.len();
    if codes > PARAMETERS_MOST {
        return Err(SourceError::Codes { dataset: dataset.name.to_string(), codes, most: PARAMETERS_MOST });
    }
    prepare(view, &rendered).await.map_err(|error| unavailable(&error))
}

async fn prepare(view: &mut PgConnection, sql: &Rendered) -> sqlx::Result<()> {
    let types: Vec<PgTypeInfo> = sql.binds.iter().map(type_of).collect();
    let statement = view.prepare_with(AssertSqlSafe(sql.text.clone()).into_sql_str(), &types).await?;
    // Names and types of what it tells; no row.
    statement.columns();
    Ok(())
}

fn type_of(bind: &Bind) -> PgTypeInfo {
    match bind {
        Bind::Text(_) => PgTypeInfo::with_name("TEXT"),
        Bind::Numbers(_) => PgTypeInfo::with_name("INT8[]"),
        Bind::Secret(_) => PgTypeInfo::with_name("BYTEA"),
    }
}

/// A statement with its parameters.
pub(super) fn query(sql: &Rendered) -> Query<'static, sqlx::Postgres, PgArguments> {
    let query = sqlx::query(AssertSqlSafe(sql.text.clone()));
    sql.binds.iter().fold(query, |query, bind| match bind {
        Bind::Text(text) => query.bind(text.clone()),
        Bind::Numbers(numbers) => query.bind(numbers.to_vec()),
        Bind::Secret(secret) => query.bind(secret.bytes().to_vec()),
    })
}

fn read(row: &PgRow, statement: &Statement, cells: &mut Vec<Cell>) -> sqlx::Result<()> {
    cells.clear();
    for (position, is_text) in statement.texts().enumerate() {
        cells.push(match is_text {
            true => row
                .try_get_unchecked::<Option<String>, _>(position)?
                .map_or(Cell::Null, |text| Cell::Text(text.into())),
            false => row.try_get_unchecked::<Option<i64>, _>(position)?.map_or(Cell::Null, Cell::Number),
        });
    }
    Ok(())
}
