//! Transactions in which every setting is the gateway's own.
//!
//! Nothing is left to the connection: a pooler such as PgBouncer may carry out each transaction on another connection to
//! the server, which other clients have used and will use. So a transaction makes its own settings, and reads them back;
//! the statements in it have no names, for a name that one connection has given may be another's there; and nothing is set
//! that would outlast it.

use std::time::Duration;

use lango_database::{Server, ServerError};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool, Postgres as Pg, Row, Transaction,
    postgres::{PgArguments, PgConnectOptions, PgPoolOptions},
    query::Query,
};

use crate::{
    RowSecurity, SourceError,
    failure::unavailable,
    server::{self, within},
    settings::CONNECTION_WAIT,
};

/// The path of every transaction: nothing but the server's own is found there.
const PATH: &str = "pg_catalog";
/// How long a transaction may do nothing, in milliseconds, before the server ends it.
const IDLE_MS: u64 = 600_000;

/// What only a superuser may set, and so is only read back: by it the server takes a damaged page for an empty one, and leaves
/// its rows out.
const ZEROED_PAGES: (&str, &str) = ("zero_damaged_pages", "off");

/// The connections to one server, which are used in transactions alone.
#[derive(Clone)]
pub(super) struct Sessions {
    pool: PgPool,
    statement_timeout: Duration,
    row_security: RowSecurity,
}

/// What a transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TransactionKind {
    /// Read, all of it at one moment.
    Read,
    /// Write, for as long as it takes.
    Write,
}

impl Sessions {
    /// At most this number of connections at once; the first is made when it is needed.
    pub(super) fn new(
        server: &Server,
        statement_timeout: Duration,
        connections: u32,
        row_security: RowSecurity,
    ) -> Result<Self, ServerError> {
        // Parameters at a connection's start are what poolers refuse or forget. No statement has a name, so none is kept.
        let options = server.postgres()?.extra_float_digits(None).statement_cache_capacity(0);
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(CONNECTION_WAIT)
            .connect_lazy_with(options.disable_statement_logging());
        Ok(Self { pool, statement_timeout, row_security })
    }

    /// One consistent view. It is of the moment of its first statement that reads, for settings are made and read without one.
    pub(super) async fn read(&self) -> Result<Transaction<'static, Pg>, SourceError> {
        self.begin(TransactionKind::Read).await
    }

    /// Gives a view up, with all that it holds, and begins it anew.
    pub(super) async fn begin_anew(&self, view: &mut PgConnection) -> Result<(), SourceError> {
        let settings = self.settings(TransactionKind::Read);
        let sql = format!("ROLLBACK; {}", beginning(TransactionKind::Read, &settings));
        let begun =
            within(self.statement_timeout, sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *view)).await;
        begun.map_err(|error| unavailable(&error))?;
        read_back(view, self.statement_timeout, &settings).await
    }

    /// A transaction that writes and has no time limit.
    pub(super) async fn write(&self) -> Result<Transaction<'static, Pg>, SourceError> {
        self.begin(TransactionKind::Write).await
    }

    async fn begin(&self, kind: TransactionKind) -> Result<Transaction<'static, Pg>, SourceError> {
        let settings = self.settings(kind);
        let begun = self.pool.begin_with(AssertSqlSafe(beginning(kind, &settings)));
        let begun = within(self.statement_timeout, begun).await;
        let mut transaction = begun.map_err(|error| unavailable(&error))?;
        read_back(&mut transaction, self.statement_timeout, &settings).await?;
        Ok(transaction)
    }

    /// A connection beside the others, which would try again and again and not say why it fails.
    pub(super) async fn connect(&self) -> Result<PgConnection, SourceError> {
        server::connect::<PgConnectOptions>(self.pool.connect_options().as_ref()).await
    }

    /// A view on such a connection.
    pub(super) async fn read_on<'c>(
        &self,
        connection: &'c mut PgConnection,
    ) -> Result<Transaction<'c, Pg>, SourceError> {
        let settings = self.settings(TransactionKind::Read);
        let begun = connection.begin_with(AssertSqlSafe(beginning(TransactionKind::Read, &settings)));
        let begun = within(self.statement_timeout, begun).await;
        let mut transaction = begun.map_err(|error| unavailable(&error))?;
        read_back(&mut transaction, self.statement_timeout, &settings).await?;
        Ok(transaction)
    }

    /// Whether the office wants its rules to keep rows from the gateway.
    pub(super) fn row_security(&self) -> RowSecurity {
        self.row_security
    }

    /// Each with its value as the server shows it.
    fn settings(&self, kind: TransactionKind) -> Vec<(&'static str, String)> {
        let (isolation, read_only, timeout) = match kind {
            TransactionKind::Read => ("repeatable read", "on", self.statement_timeout),
            TransactionKind::Write => ("read committed", "off", Duration::ZERO),
        };
        // Rounded up, for 0 is none.
        let timeout = u64::try_from(timeout.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX);
        let row_security = match self.row_security {
            // The server then raises an error instead of leaving rows out.
            RowSecurity::Refused => "off",
            RowSecurity::Filters => "on",
        };
        [
            ("transaction_isolation", isolation),
            ("transaction_read_only", read_only),
            ("row_security", row_security),
            ("DateStyle", "ISO, YMD"),
            ("TimeZone", "UTC"),
            ("extra_float_digits", "1"),
            ("client_encoding", "UTF8"),
            ("standard_conforming_strings", "on"),
            ("transform_null_equals", "off"),
            // Functions and operators of other users in a schema of the usual path would else be taken for the server's own
            // (CVE-2018-1058): `catalogue::relation` alone finds the policy's table on that path.
            ("search_path", PATH),
            // What ranks rows has long expressions: to compile them takes more time than a million rows.
            ("jit", "off"),
            ZEROED_PAGES,
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into_iter()
        .chain([
            ("statement_timeout", shown(timeout)),
            ("idle_in_transaction_session_timeout", shown(IDLE_MS)),
        ])
        .collect()
    }
}

/// Begins a transaction with its settings. What other clients of a pooler may have set for longer than a transaction is put
/// back to what the server gives: the role, the wait for a lock.
fn beginning(kind: TransactionKind, settings: &[(&'static str, String)]) -> String {
    let mut sql = match kind {
        TransactionKind::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned(),
        TransactionKind::Write => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE".to_owned(),
    };
    for name in ["role", "lock_timeout"] {
        sql += &format!("; SET LOCAL {name} TO DEFAULT");
    }
    let is_set = |name: &str| !name.starts_with("transaction_") && name != ZEROED_PAGES.0;
    for (name, value) in settings.iter().filter(|(name, _)| is_set(name)) {
        sql += &format!("; SET LOCAL {name} = '{value}'");
    }
    sql
}

/// Statements that are carried out on the usual path of the gateway's user, on which its tables are found. They name what is the
/// server's own with its schema, and use no operator.
pub(super) fn on_usual_path(statements: &str) -> String {
    format!("SET LOCAL search_path TO DEFAULT; {statements}; SET LOCAL search_path = '{PATH}'")
}

/// Asks what holds, without reading a row, a catalogue or a moment.
async fn read_back(
    transaction: &mut PgConnection,
    statement_timeout: Duration,
    settings: &[(&'static str, String)],
) -> Result<(), SourceError> {
    let asked: Vec<String> = settings.iter().map(|(name, _)| format!("SHOW {name}")).collect();
    let asking = sqlx::raw_sql(AssertSqlSafe(asked.join("; "))).fetch_all(transaction);
    let rows = within(statement_timeout, asking).await.map_err(|error| unavailable(&error))?;
    for (place, (setting, asked)) in settings.iter().enumerate() {
        let found: String = match rows.get(place) {
            Some(row) => row.try_get_unchecked(0).map_err(|error| unavailable(&error))?,
            None => String::new(),
        };
        if found != *asked {
            return Err(SourceError::Setting { setting, asked: asked.clone(), found });
        }
    }
    Ok(())
}

/// Milliseconds as PostgreSQL shows them: in the largest unit that has a whole number of them.
fn shown(milliseconds: u64) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms")];
    match units.iter().find(|(unit, _)| milliseconds > 0 && milliseconds.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{}{name}", milliseconds / unit),
        None => "0".to_owned(),
    }
}

/// A statement without a name.
pub(super) fn unnamed(sql: impl sqlx::SqlSafeStr) -> Query<'static, Pg, PgArguments> {
    sqlx::query(sql).persistent(false)
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn times_are_written_as_the_server_shows_them() {
        for (milliseconds, expected) in [
            (0, "0"),
            (1, "1ms"),
            (1_500, "1500ms"),
            (5_000, "5s"),
            (90_000, "90s"),
            (600_000, "10min"),
            (86_400_000, "1d"),
        ] {
            assert_eq!(shown(milliseconds), expected);
        }
    }
}
