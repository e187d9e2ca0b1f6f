//! PostgreSQL: the register on a server, in a session that can only read.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use lango_database::{Server, ServerError};
use lango_privacy::{Counted, Dataset, Exact, Plan};
use lango_trace::TraceContext;
use sqlx::{PgConnection, Postgres as Pg, Transaction};

use crate::{
    Bounding, Examination, FetchError, PreparedRows, ReachedTable, RowSecurity, Secret, Session, Settings,
    Source, SourceError, Survey, TableDescription,
    failure::{failed, unavailable, unfit},
    server::{self, within},
    sql::{CatalogueTable, Origin, everything},
};

use self::{dialect::PostgresDialect, place::Place, session::Sessions};

mod behind;
mod catalogue;
mod collation;
mod describe;
pub(crate) mod dialect;
mod examine;
mod place;
mod prepare;
mod read;
mod rights;
mod session;
mod shards;
mod table;
#[cfg(test)]
mod tests;

/// Connections at once to each shard, whose catalogue is all that is read there.
const SHARD_CONNECTIONS: u32 = 2;

/// A register on a PostgreSQL server, or on one that speaks its protocol and keeps its catalogue.
#[derive(Clone)]
pub struct Postgres {
    sessions: Sessions,
    /// The shards by the names of their foreign servers.
    shards: BTreeMap<String, Sessions>,
    prepared_schema: Option<String>,
    statement_timeout: Duration,
}

impl Postgres {
    /// The register on this server; connects when it is first needed.
    pub fn new(server: &Server, settings: Settings) -> Result<Self, ServerError> {
        let Settings { statement_timeout, connections, prepared_schema, row_security } = settings;
        let sessions = Sessions::new(server, statement_timeout, connections, row_security)?;
        Ok(Self { sessions, shards: BTreeMap::new(), prepared_schema, statement_timeout })
    }

    /// With the server behind the foreign server of this name: what its own catalogue vouches for counts.
    pub fn with_shard(
        mut self,
        name: &str,
        server: &Server,
        statement_timeout: Duration,
    ) -> Result<Self, ServerError> {
        let row_security = self.sessions.row_security();
        let sessions = Sessions::new(server, statement_timeout, SHARD_CONNECTIONS, row_security)?;
        self.shards.insert(name.to_owned(), sessions);
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
        let table = self.table(view, dataset).await?;
        let schema = self.prepared_schema.as_deref();
        let (bounding, prepared) = prepare::find(view, schema, dataset, &table, secret).await?;
        Ok((table, bounding, prepared))
    }

    async fn table(&self, view: &mut PgConnection, dataset: &Dataset) -> Result<CatalogueTable, SourceError> {
        table::table(view, &self.sessions, &self.shards, dataset).await
    }

    /// One consistent view.
    async fn view(&self) -> Result<Transaction<'static, Pg>, SourceError> {
        self.sessions.read().await
    }
}

#[async_trait]
impl Source for Postgres {
    async fn check(&self, dataset: &Dataset) -> Result<(), SourceError> {
        let mut view = self.view().await?;
        let table = self.table(&mut view, dataset).await?;
        server::check(&mut *view, dataset, &table, self.statement_timeout).await?;
        // What only the planned statement shows, such as rights behind a view.
        read::plan(&mut view, everything(&PostgresDialect, dataset, &table)?).await
    }

    async fn identify(&self, table: &str) -> Result<ReachedTable, SourceError> {
        let mut view = self.view().await?;
        let place = Place::of(&mut view).await.map_err(|error| unavailable(&error))?;
        // By the same rule as where it is read, or one table would have two identities, and the persons in it two pools.
        let found = match catalogue::relation(&mut view, &self.sessions, table).await {
            Ok(relation) => relation.oid.to_string(),
            Err(SourceError::NoTable(_)) => table.to_owned(),
            Err(error) => return Err(error),
        };
        Ok(place.reached(&found))
    }

    async fn open(&self) -> Result<Box<dyn Session>, SourceError> {
        Ok(Box::new(Open { view: self.view().await?, source: self.clone(), trace: None }))
    }

    async fn bounding(&self, dataset: &Dataset, secret: &Secret) -> Result<Bounding, SourceError> {
        Ok(self.find(&mut *self.view().await?, dataset, secret).await?.1)
    }

    async fn prepare(&self, dataset: &Dataset, secret: &Secret) -> Result<PreparedRows, SourceError> {
        let schema = self.prepared_schema.as_deref().ok_or(SourceError::NoPreparedSchema)?;
        prepare::prepare(&self.sessions, &self.shards, schema, dataset, secret).await
    }

    async fn data(&self, _: &str) -> Result<Option<String>, SourceError> {
        Ok(None)
    }

    fn filters_rows(&self) -> bool {
        self.sessions.row_security() == RowSecurity::Filters
    }

    async fn survey(&self, dataset: &Dataset) -> Result<Survey, SourceError> {
        let mut view = self.view().await?;
        let table = self.table(&mut view, dataset).await?;
        server::survey(&mut *view, dataset, &table, self.statement_timeout).await
    }

    async fn alike(&self, dataset: &Dataset) -> Result<Option<u64>, SourceError> {
        let mut view = self.view().await?;
        let table = self.table(&mut view, dataset).await?;
        server::identifiers_alike(&mut *view, &table, self.statement_timeout).await
    }

    async fn describe(&self) -> Result<Vec<TableDescription>, SourceError> {
        describe::tables(&mut *self.view().await?).await
    }

    async fn examine(&self, tables: &[&str]) -> Result<Examination, SourceError> {
        examine::examine(&self.sessions, self.prepared_schema.as_deref(), tables).await
    }
}

struct Open {
    view: Transaction<'static, Pg>,
    source: Postgres,
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
        let (view, source, trace) = (&mut *self.view, &self.source, self.trace);
        // The catalogue, in as long as one statement may take.
        let found = async { Ok(source.find(view, &plan.dataset, &secret).await) };
        let found = within(source.statement_timeout, found).await.map_err(|error| failed(&error, false))?;
        let (table, _, prepared) = found.map_err(|error| unfit(&error))?;
        let of = (&plan, trace);
        let counted = server::fetch(view, of, &table, prepared, &secret, source.statement_timeout).await?;
        if !table.shards.is_empty() {
            // The shards' catalogues are not part of the view: what they vouched for must hold to the end.
            let again = source.table(view, &plan.dataset).await;
            if again.as_ref() != Ok(&table) {
                tracing::error!(rows_were_read = true, "a shard's table was changed while it was read");
                return Err(FetchError { rows_were_read: true });
            }
        }
        Ok(counted)
    }
}
