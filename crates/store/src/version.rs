//! The number of a store's schema.

use crate::{
    DatabaseError,
    engine::{Connection, Run},
    statement::statement,
};

/// The schema that this version reads and writes.
pub(crate) const SCHEMA: i64 = 10;

/// The first one with a guard.
pub(crate) const GUARDED: i64 = 3;

/// The first one that names the data of answers.
pub(crate) const NAMES_DATA: i64 = 4;

/// The first one whose records are entries of the log.
pub(crate) const LOGGED: i64 = 10;

statement! {
    /// A row if there is a schema, in SQLite.
    SqliteSchema = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'"
}

statement! {
    /// A row if there is a schema, in PostgreSQL.
    PostgresSchema = "SELECT 'schema_version' AS name WHERE to_regclass('schema_version') IS NOT NULL"
}

statement! {
    /// The schema's number.
    SchemaVersion = "SELECT version FROM schema_version"
}

statement! {
    /// Another number for it.
    SetSchemaVersion { version } = "UPDATE schema_version SET version = :version"
}

/// The number of the schema that is there; `None` where there is none.
pub(crate) async fn version(connection: &mut Connection) -> Result<Option<i64>, DatabaseError> {
    let schema = match connection {
        Connection::Sqlite(_) => connection.optional(SqliteSchema.into()).await?,
        Connection::Postgres(_) => connection.optional(PostgresSchema.into()).await?,
    };
    if schema.is_none() {
        return Ok(None);
    }
    connection.one(SchemaVersion.into()).await?.get("version").map(Some)
}
