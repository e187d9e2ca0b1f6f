//! The tables of a gateway's configuration that name a database: `[store]`, and each `[source.NAME]`.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use lango_database::{Password, Server, ServerError, Tls};
use lango_source::{MariaDb, Postgres, RowSecurity, Settings, Source, Sqlite};
use lango_store::Location;
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::{beside, positive::Positive};
use crate::failure::Failure;

/// How long a statement may take at most.
const STATEMENT_TIMEOUT_MAX: Duration = Duration::from_secs(86_400);

/// A database, and how it is reached. Which keys go together is checked when it is used.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseTable {
    sqlite: Option<PathBuf>,
    postgres: Option<String>,
    mariadb: Option<String>,
    password_file: Option<PathBuf>,
    password_env: Option<String>,
    tls: Option<TlsWord>,
    tls_authority: Option<PathBuf>,
    connections: Option<Positive>,
    statement_timeout_s: Option<Positive>,
    prepared_schema: Option<String>,
    row_security: Option<RowSecurityWord>,
    /// The servers behind the foreign servers of these names.
    #[serde(default)]
    shard: BTreeMap<String, DatabaseTable>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TlsWord {
    System,
    Off,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RowSecurityWord {
    Refused,
    Filters,
}

/// Which database a table names.
#[derive(Debug, PartialEq, Eq)]
pub enum Database {
    /// A file.
    Sqlite(PathBuf),
    /// A PostgreSQL server.
    Postgres(Server),
    /// A MariaDB server.
    Mariadb(Server),
}

impl DatabaseTable {
    /// The database; `file` holds the table and `name` is what the table is called there.
    pub fn database(&self, file: &Path, name: &str) -> Result<Database, Failure> {
        match (&self.sqlite, &self.postgres, &self.mariadb) {
            (Some(path), None, None) if self.is_of_a_file() => Ok(Database::Sqlite(beside(file, path))),
            (Some(_), None, None) => {
                Err(wrong(file, name, "a file has neither password, TLS nor connections"))
            }
            (None, Some(address), None) => Ok(Database::Postgres(self.server(file, name, address)?)),
            (None, None, Some(address)) => Ok(Database::Mariadb(self.server(file, name, address)?)),
            _ => Err(wrong(file, name, "name one of `sqlite`, `postgres` and `mariadb`")),
        }
    }

    /// The server at an address, with the password and the TLS that the table names.
    fn server(&self, file: &Path, name: &str, address: &str) -> Result<Server, Failure> {
        let password = match (&self.password_file, &self.password_env) {
            (Some(path), None) => Some(Password::File(beside(file, path))),
            (None, Some(variable)) => Some(Password::Environment(variable.clone())),
            (None, None) => None,
            _ => return Err(wrong(file, name, "`password_file` and `password_env` name two passwords")),
        };
        let tls = match (self.tls, &self.tls_authority) {
            (None | Some(TlsWord::System), None) => Tls::System,
            (None, Some(path)) => Tls::Authority(beside(file, path)),
            (Some(TlsWord::Off), None) => Tls::Off,
            _ => return Err(wrong(file, name, "`tls` and `tls_authority` say two things: leave one out")),
        };
        Ok(Server { address: address.to_owned(), password, tls })
    }

    /// How many connections there may be at once.
    pub fn connections(&self) -> u32 {
        self.connections.map_or(Settings::default().connections, Positive::get)
    }

    fn is_of_a_file(&self) -> bool {
        self.password_file.is_none()
            && self.password_env.is_none()
            && self.tls.is_none()
            && self.tls_authority.is_none()
            && self.connections.is_none()
            && self.prepared_schema.is_none()
            && self.row_security.is_none()
            && self.shard.is_empty()
    }

    /// The source that a table is, in a gateway's configuration.
    pub fn source(&self, file: &Path, name: &str) -> Result<Arc<dyn Source>, Failure> {
        let failed = |error: ServerError| wrong(file, name, &error.to_string());
        let statement_timeout =
            self.statement_timeout_s.map_or(Settings::default().statement_timeout, Positive::seconds);
        if statement_timeout > STATEMENT_TIMEOUT_MAX {
            return Err(wrong(file, name, "`statement_timeout_s` is at most 86400, one day"));
        }
        let settings = Settings {
            statement_timeout,
            connections: self.connections(),
            prepared_schema: self.prepared_schema.clone(),
            row_security: match self.row_security {
                None | Some(RowSecurityWord::Refused) => RowSecurity::Refused,
                Some(RowSecurityWord::Filters) => RowSecurity::Filters,
            },
        };
        let database = self.database(file, name)?;
        if !self.shard.is_empty() && !matches!(database, Database::Postgres(_)) {
            return Err(wrong(file, name, "only a PostgreSQL server has shards"));
        }
        let of_shard = self.shard.iter().find(|(_, table)| table.row_security.is_some());
        if let Some((shard, _)) = of_shard {
            let name = format!("{name}.shard.{shard}");
            return Err(wrong(file, &name, "`row_security` is said once, for the source"));
        }
        if self.row_security.is_some() && !matches!(database, Database::Postgres(_)) {
            return Err(wrong(file, name, "only a PostgreSQL server has `row_security`"));
        }
        Ok(match database {
            Database::Sqlite(path) => Arc::new(Sqlite::new(path, statement_timeout)),
            Database::Mariadb(server) => Arc::new(MariaDb::new(&server, settings).map_err(failed)?),
            Database::Postgres(server) => {
                let mut source = Postgres::new(&server, settings).map_err(failed)?;
                for (shard, table) in &self.shard {
                    let name = format!("{name}.shard.{shard}");
                    let Database::Postgres(server) = table.database(file, &name)? else {
                        return Err(wrong(file, &name, "a shard is a PostgreSQL server"));
                    };
                    source = source.with_shard(shard, &server, statement_timeout).map_err(failed)?;
                }
                Arc::new(source)
            }
        })
    }

    /// Where its preparations are kept.
    pub fn prepared_place(&self, file: &Path) -> String {
        match (self.file(file), &self.prepared_schema) {
            (Some(path), _) => format!("beside the table, in {}", path.display()),
            (None, Some(schema)) => format!("in `{schema}` on the source's server"),
            (None, None) => "nowhere: the source has no `prepared_schema`".to_owned(),
        }
    }

    /// Whether it has a place for preparations.
    pub fn can_prepare(&self) -> bool {
        self.sqlite.is_some() || self.prepared_schema.is_some()
    }

    /// The file, where it is one.
    pub fn file(&self, file: &Path) -> Option<PathBuf> {
        self.sqlite.as_ref().map(|path| beside(file, path))
    }
}

fn wrong(file: &Path, name: &str, why: &str) -> Failure {
    Failure::of(format!("{}: {name}", file.display()), why)
}

/// Where the ledger is kept: the path of a file, or a table.
#[derive(Debug)]
pub struct StoreValue(DatabaseTable);

impl StoreValue {
    /// The place; `file` holds the value.
    pub fn location(&self, file: &Path) -> Result<Location, Failure> {
        let StoreValue(table) = self;
        let is_of_a_source = table.statement_timeout_s.is_some()
            || table.prepared_schema.is_some()
            || table.row_security.is_some()
            || !table.shard.is_empty();
        if is_of_a_source {
            let why = "`statement_timeout_s`, `prepared_schema`, `row_security` and `shard` are for sources";
            return Err(wrong(file, "store", why));
        }
        match self.0.database(file, "store")? {
            Database::Sqlite(path) => Ok(Location::File(path)),
            Database::Postgres(server) => {
                Ok(Location::Postgres { server, connections: self.0.connections() })
            }
            Database::Mariadb(_) => Err(wrong(file, "store", "it is kept in SQLite or in PostgreSQL")),
        }
    }
}

impl<'de> Deserialize<'de> for StoreValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = StoreValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the path of a file or a table with `postgres`")
            }

            fn visit_str<E: Error>(self, path: &str) -> Result<StoreValue, E> {
                Ok(StoreValue(DatabaseTable { sqlite: Some(path.into()), ..DatabaseTable::default() }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<StoreValue, A::Error> {
                DatabaseTable::deserialize(MapAccessDeserializer::new(map)).map(StoreValue)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use lango_document::Document;

    use super::*;

    #[derive(Deserialize)]
    struct File {
        store: StoreValue,
    }

    fn location(text: &str) -> Result<Location, String> {
        let file: File = Document::new("gateway.toml", text).read().map_err(|error| error.to_string())?;
        file.store.location(Path::new("/etc/lango/gateway.toml")).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_store_is_a_file_or_a_server_whose_paths_are_beside_the_configuration() {
        let server = |password, tls| Server {
            address: "postgresql://lango@db.example/lango".to_owned(),
            password,
            tls,
        };
        let postgres = |server, connections| Location::Postgres { server, connections };
        let at = "[store]\npostgres = \"postgresql://lango@db.example/lango\"\n";
        for (text, expected) in [
            ("store = \"ledger.sqlite\"".to_owned(), Location::File("/etc/lango/ledger.sqlite".into())),
            ("store = { sqlite = \"/srv/l\" }".to_owned(), Location::File("/srv/l".into())),
            (at.to_owned(), postgres(server(None, Tls::System), 8)),
            (
                format!("{at}password_file = \"p\"\ntls_authority = \"ca.pem\"\nconnections = 3"),
                postgres(
                    server(
                        Some(Password::File("/etc/lango/p".into())),
                        Tls::Authority("/etc/lango/ca.pem".into()),
                    ),
                    3,
                ),
            ),
            (
                format!("{at}password_env = \"P\"\ntls = \"off\""),
                postgres(server(Some(Password::Environment("P".into())), Tls::Off), 8),
            ),
        ] {
            assert_eq!(location(&text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn row_security_is_for_a_source_on_postgresql() {
        for (text, expected) in [
            ("mariadb = \"mysql://l@h/l\"\nrow_security = \"filters\"", "only a PostgreSQL server"),
            ("sqlite = \"r.sqlite\"\nrow_security = \"filters\"", "a file has neither"),
            (
                "postgres = \"postgresql://l@h/l\"\n[shard.north]\npostgres = \"postgresql://l@h/l\"\nrow_security = \"filters\"",
                "`row_security` is said once",
            ),
        ] {
            let table: DatabaseTable = Document::new("gateway.toml", text).read().unwrap();
            let refused =
                table.source(Path::new("gateway.toml"), "source.register").err().unwrap().to_string();
            assert!(refused.contains(expected), "{text}: {refused}");
        }
    }

    #[test]
    fn keys_that_do_not_go_together_are_refused() {
        let at = "[store]\npostgres = \"postgresql://lango@db.example/lango\"\n";
        for (text, expected) in [
            (format!("{at}pasword_file = \"p\""), "gateway.toml:3:1: unknown field `pasword_file`"),
            (format!("{at}pasword_file = \"p\""), "did you mean `password_file`?"),
            (format!("{at}tls = \"of\""), "gateway.toml:3:7: unknown variant `of`"),
            (format!("{at}connections = 0"), "gateway.toml:3:15: "),
            (format!("{at}password_file = \"p\"\npassword_env = \"P\""), "store: `password_file` and"),
            (format!("{at}tls = \"off\"\ntls_authority = \"ca.pem\""), "store: `tls` and `tls_authority`"),
            (format!("{at}sqlite = \"l\""), "store: name one of"),
            (format!("{at}statement_timeout_s = 1"), "are for sources"),
            (format!("{at}row_security = \"filters\""), "are for sources"),
            (format!("{at}row_security = \"on\""), "gateway.toml:3:16: unknown variant `on`"),
            ("store = { sqlite = \"l\", tls = \"off\" }".to_owned(), "store: a file has neither"),
            ("store = { mariadb = \"mysql://l@h/l\" }".to_owned(), "SQLite or in PostgreSQL"),
            ("store = {}".to_owned(), "store: name one of"),
            ("store = 1".to_owned(), "the path of a file or a table"),
        ] {
            let error = location(&text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
