//! How a gateway uses a database server.

use std::time::Duration;

/// How long a question waits for a connection.
pub(crate) const CONNECTION_WAIT: Duration = Duration::from_secs(30);

/// How a gateway uses a database server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// A statement is stopped, by the server itself, when it takes longer.
    pub statement_timeout: Duration,
    /// Connections at once, and so questions at once.
    pub connections: u32,
    /// Where preparations are kept: a schema, or a database of MariaDB, that the gateway may make tables in.
    pub prepared_schema: Option<String>,
    /// What becomes of a table of which row-level security shows the gateway's user a part. Only PostgreSQL has it.
    pub row_security: RowSecurity,
}

/// What becomes of a table of which row-level security shows the gateway's user a part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RowSecurity {
    /// It is not read.
    #[default]
    Refused,
    /// The office wants its answers to be about that part.
    Filters,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            statement_timeout: Duration::from_secs(60),
            connections: 8,
            prepared_schema: None,
            row_security: RowSecurity::default(),
        }
    }
}
