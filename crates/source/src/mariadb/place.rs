//! Which tables those of a server are, by whatever names and connections they are reached.

use sqlx::MySqlConnection;

use super::catalogue::text;
use crate::ReachedTable;

/// A table by its database and its name there.
pub(super) type QualifiedName = (String, String);

/// A server, as a connection to one of its databases sees it.
pub(super) struct Place {
    server: String,
    database: String,
    /// Names in either case are one table's.
    folds: bool,
}

impl Place {
    /// That of a connection.
    pub(super) async fn of(connection: &mut MySqlConnection) -> sqlx::Result<Self> {
        let sql = "SELECT CAST(concat(@@hostname, ' ', @@port, ' ', @@datadir) AS CHAR), coalesce(CAST(DATABASE() AS CHAR), ''), \
             CAST(@@lower_case_table_names AS CHAR)";
        let row = sqlx::query(sql).fetch_one(connection).await?;
        Ok(Self { server: text(&row, 0)?, database: text(&row, 1)?, folds: text(&row, 2)? != "0" })
    }

    /// A table as a policy names it: in the connection's database, if the policy names none.
    pub(super) fn qualified(&self, table: &str) -> QualifiedName {
        let (database, table) = table.split_once('.').unwrap_or((&self.database, table));
        (database.to_owned(), table.to_owned())
    }

    /// Which table that is.
    pub(super) fn reached(&self, (database, table): &QualifiedName) -> ReachedTable {
        let name = format!("{database} {table}");
        let name = if self.folds { name.to_lowercase() } else { name };
        ReachedTable::of_server(format!("mariadb {} {name}", self.server))
    }
}
