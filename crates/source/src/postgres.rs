//! PostgreSQL: the register on a server, in a session that can only read.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use lango_database::{Server, ServerError};
use lango_privacy::{Counted, Dataset, Exact, Plan};
use sqlx::{
    ConnectOptions, PgConnection, PgPool, Postgres as Pg, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{
    Bounding, Examination, FetchError, ReachedTable, Secret, Session, Settings, Source, SourceError,
    TableDescription,
    failure::{failed, unavailable, unfit},
    server::{self, within},
    settings::CONNECTION_WAIT,
    sql::{CatalogueTable, Origin},
};

use self::dialect::PostgresDialect;

mod catalogue;
mod describe;
pub(crate) mod dialect;
mod examine;
mod prepare;
mod read;
mod shards;
mod table;
#[cfg(test)]
mod tests;

/// Connections at once to each shard, whose catalogue is all that is read there.
const SHARD_CONNECTIONS: u32 = 2;

/// A register on a PostgreSQL server, or on one that speaks its protocol and keeps its catalogue.
#[derive(Clone)]
pub struct Postgres {
    pool: PgPool,
    /// The shards by the names of their foreign servers.
    shards: BTreeMap<String, PgPool>,
    prepared_schema: Option<String>,
    statement_timeout: Duration,
}

impl Postgres {
    /// The register on this server; connects when it is first needed.
    pub fn new(server: &Server, settings: Settings) -> Result<Self, ServerError> {
        let Settings { statement_timeout, connections, prepared_schema } = settings;
        let pool = pool(server.postgres()?, statement_timeout, connections);
        Ok(Self { pool, shards: BTreeMap::new(), prepared_schema, statement_timeout })
    }

    /// With the server behind the foreign server of this name: what its own catalogue vouches for counts.
    pub fn with_shard(
        mut self,
        name: &str,
        server: &Server,
        statement_timeout: Duration,
    ) -> Result<Self, ServerError> {
        let pool = pool(server.postgres()?, statement_timeout, SHARD_CONNECTIONS);
        self.shards.insert(name.to_owned(), pool);
        Ok(self)
    }

    /// How the server would carry a plan's statements out, line by line; reads no row.
    pub async fn explain(&self, plan: &Plan, secret: &Secret) -> Result<Vec<String>, SourceError> {
        let mut view = self.view().await?;
        let (table, _, prepared) = self.find(&mut view, &plan.dataset, secret).await?;
        let origin = Origin::of(&PostgresDialect, plan, &table, prepared, secret);
        read::explain(&mut view, origin.statements(&PostgresDialect, plan)).await
    }

    /// A dataset's table, how its rows are bounded, and the preparation where there is one that fits.
    async fn find(
        &self,
        view: &mut PgConnection,
        dataset: &Dataset,
        secret: &Secret,
    ) -> Result<(CatalogueTable, Bounding, Option<String>), SourceError> {
        let table = table::table(view, &self.shards, dataset).await?;
        let schema = self.prepared_schema.as_deref();
        let (bounding, prepared) = prepare::find(view, schema, dataset, &table, secret).await?;
        Ok((table, bounding, prepared))
    }

    /// One consistent view. It is of the moment of its first statement.
    async fn view(&self) -> Result<Transaction<'static, Pg>, SourceError> {
        let begun = self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        let begun = within(self.statement_timeout, begun).await;
        begun.map_err(|error| unavailable(&error))
    }
}

fn pool(options: PgConnectOptions, statement_timeout: Duration, connections: u32) -> PgPool {
    let milliseconds = statement_timeout.as_millis().max(1).to_string();
    // The server itself stops what takes too long: that a question is given up here stops nothing there.
    let session = [
        ("statement_timeout", milliseconds.as_str()),
        ("default_transaction_read_only", "on"),
        ("idle_in_transaction_session_timeout", "600000"),
        ("DateStyle", "ISO, YMD"),
    ];
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(CONNECTION_WAIT)
        .connect_lazy_with(options.options(session).disable_statement_logging())
}

#[async_trait]
impl Source for Postgres {
    async fn check(&self, dataset: &Dataset) -> Result<(), SourceError> {
        let mut view = self.view().await?;
        let table = table::table(&mut view, &self.shards, dataset).await?;
        server::check(&mut *view, dataset, &table).await
    }

    async fn identify(&self, table: &str) -> Result<ReachedTable, SourceError> {
        let of_server = "SELECT system_identifier::text FROM pg_control_system()";
        // A server that keeps its number to itself is known by its address.
        let of_address = "SELECT coalesce(host(inet_server_addr()), '') || ':' || current_setting('port')";
        let number = sqlx::query(of_server).fetch_one(&self.pool).await;
        let server = match number {
            Ok(row) => row,
            Err(_) => {
                sqlx::query(of_address).fetch_one(&self.pool).await.map_err(|error| unavailable(&error))?
            }
        };
        let of_table = "SELECT (SELECT oid::text FROM pg_database WHERE datname = current_database()) || ' ' || \
                        coalesce(to_regclass($1)::oid::text, $1)";
        let found = sqlx::query(of_table).bind(table).fetch_one(&self.pool).await;
        let found = found.map_err(|error| unavailable(&error))?;
        let text = |row: &sqlx::postgres::PgRow| {
            sqlx::Row::try_get::<String, _>(row, 0).map_err(|error| unavailable(&error))
        };
        Ok(ReachedTable::of_server(format!("postgres {} {}", text(&server)?, text(&found)?)))
    }

    async fn open(&self) -> Result<Box<dyn Session>, SourceError> {
        Ok(Box::new(Open { view: self.view().await?, source: self.clone() }))
    }

    async fn bounding(&self, dataset: &Dataset, secret: &Secret) -> Result<Bounding, SourceError> {
        Ok(self.find(&mut *self.view().await?, dataset, secret).await?.1)
    }

    async fn prepare(&self, dataset: &Dataset, secret: &Secret) -> Result<u64, SourceError> {
        let schema = self.prepared_schema.as_deref().ok_or(SourceError::NoPreparedSchema)?;
        prepare::prepare(&self.pool, &self.shards, schema, dataset, secret).await
    }

    async fn describe(&self) -> Result<Vec<TableDescription>, SourceError> {
        describe::tables(&mut *self.view().await?).await
    }

    async fn examine(&self, tables: &[&str]) -> Result<Examination, SourceError> {
        examine::examine(&self.pool, self.prepared_schema.as_deref(), tables).await
    }
}

struct Open {
    view: Transaction<'static, Pg>,
    source: Postgres,
}

#[async_trait]
impl Session for Open {
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
        let counted = server::fetch(view, &plan, &table, prepared, &secret, source.statement_timeout).await?;
        if !table.shards.is_empty() {
            // The shards' catalogues are not part of the view: what they vouched for must hold to the end.
            let again = table::table(view, &source.shards, &plan.dataset).await;
            if again.as_ref() != Ok(&table) {
                tracing::error!(rows_were_read = true, "a shard's table was changed while it was read");
                return Err(FetchError { rows_were_read: true });
            }
        }
        Ok(counted)
    }
}
