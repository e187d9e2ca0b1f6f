//! Which tables those of a server are, by whatever names and connections they are reached.

use sqlx::{PgConnection, Row};

use super::session::unnamed;
use crate::ReachedTable;

/// A database on a server.
pub(super) struct Place {
    server: String,
    database: String,
}

impl Place {
    /// That of a connection.
    pub(super) async fn of(view: &mut PgConnection) -> sqlx::Result<Self> {
        // A server that keeps its number to itself is known by its address.
        let is_open = "SELECT CASE WHEN has_function_privilege(to_regprocedure('pg_control_system()')::oid, 'EXECUTE') \
                       THEN 'open' ELSE '' END";
        let of_server = match text(view, is_open).await?.as_str() {
            "open" => "SELECT system_identifier::text FROM pg_control_system()",
            _ => "SELECT coalesce(host(inet_server_addr()), '') || ':' || current_setting('port')",
        };
        let of_database = "SELECT oid::text FROM pg_database WHERE datname = current_database()";
        Ok(Self { server: text(view, of_server).await?, database: text(view, of_database).await? })
    }

    /// A table of it, by its number there, or by its name where there is none of that name.
    pub(super) fn reached(&self, table: &str) -> ReachedTable {
        ReachedTable::of_server(format!("postgres {} {} {table}", self.server, self.database))
    }
}

async fn text(view: &mut PgConnection, sql: &'static str) -> sqlx::Result<String> {
    unnamed(sql).fetch_one(view).await?.try_get(0)
}
