//! MariaDB: the register on a server, in a session that can only read.

use std::time::Duration;

use async_trait::async_trait;
use lango_database::{Server, ServerError};
use lango_privacy::{Counted, Dataset, Exact, Plan};
use lango_trace::TraceContext;
use sqlx::{
    ConnectOptions, Executor, MySql, MySqlConnection, MySqlPool, Transaction,
    mysql::{MySqlConnectOptions, MySqlPoolOptions},
};

use crate::{
    Bounding, Examination, FetchError, PreparedRows, ReachedTable, Secret, Session, Settings, Source,
    SourceError, Survey, TableDescription,
    failure::{failed, unavailable, unfit},
    server::{self, within},
    settings::CONNECTION_WAIT,
    sql::CatalogueTable,
};

use self::place::Place;

mod behind;
mod catalogue;
mod describe;
pub(crate) mod dialect;
mod examine;
mod place;
mod prepare;
mod read;
mod session;
#[cfg(test)]
mod tests;

/// Statements that a gateway's connections keep prepared, all together. Giving one up sends a message that has no answer, and
/// what is sent after it waits until the server's delayed acknowledgement of that, 40 ms. This number makes that rare, and is
/// small enough that several gateways do not use up a server's 16,382 for all its clients (`max_prepared_stmt_count`).
const STATEMENTS_KEPT: usize = 2_000;

/// A register on a MariaDB server.
#[derive(Clone)]
pub struct MariaDb {
    pool: MySqlPool,
    prepared_schema: Option<String>,
    statement_timeout: Duration,
}

impl MariaDb {
    /// The register on this server; connects when it is first needed.
    pub fn new(server: &Server, settings: Settings) -> Result<Self, ServerError> {
        let Settings { statement_timeout, connections, prepared_schema, row_security: _ } = settings;
        let pool = pool(server.mariadb()?, statement_timeout, connections);
        Ok(Self { pool, prepared_schema, statement_timeout })
    }

    /// One consistent view. It is of the moment when the first row is read: later than the catalogue's word on a table, which
    /// no session can change once it is held, so that the rows are those that it speaks of.
    async fn view(&self) -> Result<Transaction<'static, MySql>, SourceError> {
        let begun = within(self.statement_timeout, self.pool.begin_with("START TRANSACTION READ ONLY")).await;
        let mut view = begun.map_err(|error| unavailable(&error))?;
        session::read_back(&mut view, self.statement_timeout).await?;
        Ok(view)
    }

    /// A dataset's table, how its rows are bounded, and the preparation where there is one that fits.
    async fn find(
        &self,
        view: &mut MySqlConnection,
        dataset: &Dataset,
        secret: &Secret,
    ) -> Result<(CatalogueTable, Bounding, Option<String>), SourceError> {
        let table = catalogue::table(view, dataset).await?;
        let schema = self.prepared_schema.as_deref();
        let (bounding, prepared) = prepare::find(view, schema, dataset, &table, secret).await?;
        Ok((table, bounding, prepared))
    }
}

fn pool(options: MySqlConnectOptions, statement_timeout: Duration, connections: u32) -> MySqlPool {
    // The server itself stops what takes too long: that a question is given up here stops nothing there. What a question reads
    // is compared as binary strings, so the connection's own collation does not matter. Without the modes of strictness, which
    // are about writing, and with backslashes as they stand.
    let session = session::settings(statement_timeout);
    let kept = STATEMENTS_KEPT.checked_div(connections as usize).unwrap_or(STATEMENTS_KEPT).max(1);
    MySqlPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(CONNECTION_WAIT)
        .after_connect(move |connection, _| {
            let session = session.clone();
            Box::pin(async move {
                connection
                    .execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                    .await?;
                connection.execute(sqlx::AssertSqlSafe(session)).await.map(drop)
            })
        })
        .connect_lazy_with(options.statement_cache_capacity(kept).disable_statement_logging())
}

#[async_trait]
impl Source for MariaDb {
    async fn check(&self, dataset: &Dataset) -> Result<(), SourceError> {
        let mut view = self.view().await?;
        let table = catalogue::table(&mut view, dataset).await?;
        server::check(&mut *view, dataset, &table, self.statement_timeout).await
    }

    async fn identify(&self, table: &str) -> Result<ReachedTable, SourceError> {
        let mut connection = self.pool.acquire().await.map_err(|error| unavailable(&error))?;
        let place = Place::of(&mut connection).await.map_err(|error| unavailable(&error))?;
        Ok(place.reached(&place.qualified(table)))
    }

    async fn open(&self) -> Result<Box<dyn Session>, SourceError> {
        Ok(Box::new(Open { view: self.view().await?, source: self.clone(), trace: None }))
    }

    async fn bounding(&self, dataset: &Dataset, secret: &Secret) -> Result<Bounding, SourceError> {
        Ok(self.find(&mut *self.view().await?, dataset, secret).await?.1)
    }

    async fn prepare(&self, dataset: &Dataset, secret: &Secret) -> Result<PreparedRows, SourceError> {
        let schema = self.prepared_schema.as_deref().ok_or(SourceError::NoPreparedSchema)?;
        prepare::prepare(&self.pool, schema, dataset, secret).await
    }

    async fn data(&self, _: &str) -> Result<Option<String>, SourceError> {
        Ok(None)
    }

    fn filters_rows(&self) -> bool {
        // It has no row-level security.
        false
    }

    async fn survey(&self, dataset: &Dataset) -> Result<Survey, SourceError> {
        let mut view = self.view().await?;
        let table = catalogue::table(&mut view, dataset).await?;
        server::survey(&mut *view, dataset, &table, self.statement_timeout).await
    }

    async fn alike(&self, dataset: &Dataset) -> Result<Option<u64>, SourceError> {
        let mut view = self.view().await?;
        let table = catalogue::table(&mut view, dataset).await?;
        server::identifiers_alike(&mut *view, &table, self.statement_timeout).await
    }

    async fn describe(&self) -> Result<Vec<TableDescription>, SourceError> {
        describe::tables(&mut *self.view().await?).await.map_err(|error| unavailable(&error))
    }

    async fn examine(&self, tables: &[&str]) -> Result<Examination, SourceError> {
        examine::examine(&self.pool, self.prepared_schema.as_deref(), tables).await
    }
}

struct Open {
    view: Transaction<'static, MySql>,
    source: MariaDb,
    trace: Option<TraceContext>,
}

#[async_trait]
impl Session for Open {
    fn carry(&mut self, trace: TraceContext) {
        self.trace = Some(trace);
    }

    async fn fetch(
        mut self: Box<Self>,
        plan: Plan,
        secret: Secret,
    ) -> Result<Exact<Vec<Counted>>, FetchError> {
        let (view, source) = (&mut *self.view, &self.source);
        // The catalogue, in as long as one statement may take.
        let found = async { Ok(source.find(view, &plan.dataset, &secret).await) };
        let found = within(source.statement_timeout, found).await.map_err(|error| failed(&error, false))?;
        let (table, _, prepared) = found.map_err(|error| unfit(&error))?;
        let of = (&plan, self.trace);
        server::fetch(view, of, &table, prepared, &secret, source.statement_timeout).await
    }
}
