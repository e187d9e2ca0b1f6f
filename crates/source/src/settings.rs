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
}

impl Default for Settings {
    fn default() -> Self {
        Self { statement_timeout: Duration::from_secs(60), connections: 8, prepared_schema: None }
    }
}
