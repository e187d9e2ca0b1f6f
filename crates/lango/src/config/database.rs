//! The tables of a gateway's configuration that name a database: `[store]`, and each `[source.NAME]`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use lango_database::{Password, Server, ServerError, Tls};
use lango_document::{DiagnosticCode, FromDocument, ValueForm, WrittenValue};
use lango_source::{MariaDb, Postgres, RowSecurity, Settings, Source, Sqlite};
use lango_store::Location;

use super::{beside, positive::Positive};
use crate::failure::Failure;

/// How long a statement may take at most.
const STATEMENT_TIMEOUT_MAX: Duration = Duration::from_secs(86_400);

/// A database, and how it is reached.
#[derive(Debug, Default)]
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
    shard: BTreeMap<String, DatabaseTable>,
}

#[derive(Debug, Clone, Copy)]
enum TlsWord {
    System,
    Off,
}

impl FromDocument for TlsWord {
    const FORM: ValueForm = ValueForm::Text;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        written.word(&[("system", Self::System), ("off", Self::Off)])
    }
}

#[derive(Debug, Clone, Copy)]
enum RowSecurityWord {
    Refused,
    Filters,
}

impl FromDocument for RowSecurityWord {
    const FORM: ValueForm = ValueForm::Text;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        written.word(&[("refused", Self::Refused), ("filters", Self::Filters)])
    }
}

impl FromDocument for DatabaseTable {
    const FORM: ValueForm = ValueForm::Table;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        let mut keys = written.keys("a database")?;
        let sqlite = keys.optional("sqlite");
        let postgres = keys.optional("postgres");
        let mariadb = keys.optional("mariadb");
        let password_file = keys.optional("password_file");
        let password_env = keys.optional("password_env");
        let tls = keys.optional("tls");
        let tls_authority = keys.optional("tls_authority");
        let connections = keys.optional("connections");
        let statement_timeout_s = keys.optional("statement_timeout_s");
        let prepared_schema = keys.optional("prepared_schema");
        let row_security = keys.optional("row_security");
        let shard = keys.or_default("shard");
        keys.end().then_some(())?;
        let table = Self {
            sqlite: sqlite?,
            postgres: postgres?,
            mariadb: mariadb?,
            password_file: password_file?,
            password_env: password_env?,
            tls: tls?,
            tls_authority: tls_authority?,
            connections: connections?,
            statement_timeout_s: statement_timeout_s?,
            prepared_schema: prepared_schema?,
            row_security: row_security?,
            shard: shard?,
        };
        match table.check() {
            Ok(()) => Some(table),
            Err(why) => written.refuse(DiagnosticCode::Contradiction, why),
        }
    }
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
    /// Why keys of the table do not go together.
    fn check(&self) -> Result<(), String> {
        let database = self.database(Path::new(""))?;
        if self.statement_timeout() > STATEMENT_TIMEOUT_MAX {
            return Err("`statement_timeout_s` is at most 86400, one day".to_owned());
        }
        let is_postgres = matches!(database, Database::Postgres(_));
        if !self.shard.is_empty() && !is_postgres {
            return Err("only a PostgreSQL server has shards".to_owned());
        }
        if self.row_security.is_some() && !is_postgres {
            return Err("only a PostgreSQL server has `row_security`".to_owned());
        }
        for (shard, table) in &self.shard {
            if table.row_security.is_some() {
                return Err(format!(
                    "`row_security` is said once, for the source: take it out of the shard `{shard}`"
                ));
            }
            if !matches!(table.database(Path::new(""))?, Database::Postgres(_)) {
                return Err(format!("a shard is a PostgreSQL server, and `{shard}` is none"));
            }
        }
        Ok(())
    }

    /// The database; `file` holds the table.
    fn database(&self, file: &Path) -> Result<Database, String> {
        match (&self.sqlite, &self.postgres, &self.mariadb) {
            (Some(path), None, None) if self.is_of_a_file() => Ok(Database::Sqlite(beside(file, path))),
            (Some(_), None, None) => Err("a file has neither password, TLS nor connections".to_owned()),
            (None, Some(address), None) => Ok(Database::Postgres(self.server(file, address)?)),
            (None, None, Some(address)) => Ok(Database::Mariadb(self.server(file, address)?)),
            _ => Err("name one of `sqlite`, `postgres` and `mariadb`".to_owned()),
        }
    }

    /// The server at an address, with the password and the TLS that the table names.
    fn server(&self, file: &Path, address: &str) -> Result<Server, String> {
        let password = match (&self.password_file, &self.password_env) {
            (Some(path), None) => Some(Password::File(beside(file, path))),
            (None, Some(variable)) => Some(Password::Environment(variable.clone())),
            (None, None) => None,
            _ => {
                return Err("`password_file` and `password_env` name two passwords: leave one out".to_owned());
            }
        };
        let tls = match (self.tls, &self.tls_authority) {
            (None | Some(TlsWord::System), None) => Tls::System,
            (None, Some(path)) => Tls::Authority(beside(file, path)),
            (Some(TlsWord::Off), None) => Tls::Off,
            _ => return Err("`tls` and `tls_authority` say two things: leave one out".to_owned()),
        };
        Ok(Server { address: address.to_owned(), password, tls })
    }

    fn statement_timeout(&self) -> Duration {
        self.statement_timeout_s.map_or(Settings::default().statement_timeout, Positive::seconds)
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
        let statement_timeout = self.statement_timeout();
        let settings = Settings {
            statement_timeout,
            connections: self.connections(),
            prepared_schema: self.prepared_schema.clone(),
            row_security: match self.row_security {
                None | Some(RowSecurityWord::Refused) => RowSecurity::Refused,
                Some(RowSecurityWord::Filters) => RowSecurity::Filters,
            },
        };
        let database = self.database(file).map_err(|why| wrong(file, name, &why))?;
        Ok(match database {
            Database::Sqlite(path) => Arc::new(Sqlite::new(path, statement_timeout)),
            Database::Mariadb(server) => Arc::new(MariaDb::new(&server, settings).map_err(failed)?),
            Database::Postgres(server) => {
                let mut source = Postgres::new(&server, settings).map_err(failed)?;
                for (shard, table) in &self.shard {
                    let name = format!("{name}.shard.{shard}");
                    let database = table.database(file).map_err(|why| wrong(file, &name, &why))?;
                    let Database::Postgres(server) = database else {
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
        self.place(file).map_err(|why| wrong(file, "store", &why))
    }

    fn place(&self, file: &Path) -> Result<Location, String> {
        let StoreValue(table) = self;
        let is_of_a_source = table.statement_timeout_s.is_some()
            || table.prepared_schema.is_some()
            || table.row_security.is_some()
            || !table.shard.is_empty();
        if is_of_a_source {
            let why = "`statement_timeout_s`, `prepared_schema`, `row_security` and `shard` are for sources";
            return Err(why.to_owned());
        }
        match table.database(file)? {
            Database::Sqlite(path) => Ok(Location::File(path)),
            Database::Postgres(server) => Ok(Location::Postgres { server, connections: table.connections() }),
            Database::Mariadb(_) => Err("it is kept in SQLite or in PostgreSQL".to_owned()),
        }
    }
}

impl FromDocument for StoreValue {
    const FORM: ValueForm = ValueForm::Either("the path of a file, or a table with `postgres`");

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        let store = match written.text() {
            Some(path) => Self(DatabaseTable { sqlite: Some(path.into()), ..DatabaseTable::default() }),
            None if written.is_table() => Self(DatabaseTable::read(written)?),
            None => return written.wrong(Self::FORM),
        };
        match store.place(Path::new("")) {
            Ok(_) => Some(store),
            Err(why) => written.refuse(DiagnosticCode::Contradiction, why),
        }
    }
}

#[cfg(test)]
mod tests {
    use lango_document::{Diagnostics, Document};

    use super::*;

    #[derive(Debug)]
    struct File {
        store: StoreValue,
    }

    lango_document::table!(File => "the file" { required store "store" });

    /// Each mistake on a line of its own.
    fn lines(wrong: &Diagnostics) -> String {
        wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    fn location(text: &str) -> Result<Location, String> {
        let file: File = Document::new("gateway.toml", text).read().map_err(|wrong| lines(&wrong))?;
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
            let refused = lines(&Document::new("gateway.toml", text).read::<DatabaseTable>().unwrap_err());
            assert!(refused.contains(expected), "{text}: {refused}");
        }
    }

    #[test]
    fn keys_that_do_not_go_together_are_refused() {
        let at = "[store]\npostgres = \"postgresql://lango@db.example/lango\"\n";
        for (text, expected) in [
            (format!("{at}pasword_file = \"p\""), "gateway.toml:3:1: a database has no key `pasword_file`"),
            (format!("{at}pasword_file = \"p\""), "did you mean `password_file`?"),
            (format!("{at}tls = \"of\""), "gateway.toml:3:7: `tls` is `system` or `off`"),
            (format!("{at}connections = 0"), "gateway.toml:3:15: "),
            (
                format!("{at}password_file = \"p\"\npassword_env = \"P\""),
                "gateway.toml:1:1: `password_file` and",
            ),
            (
                format!("{at}tls = \"off\"\ntls_authority = \"ca.pem\""),
                "gateway.toml:1:1: `tls` and `tls_authority`",
            ),
            (format!("{at}sqlite = \"l\""), ": name one of"),
            (format!("{at}statement_timeout_s = 1"), "are for sources"),
            (format!("{at}row_security = \"filters\""), "are for sources"),
            (
                format!("{at}row_security = \"on\""),
                "gateway.toml:3:16: `row_security` is `refused` or `filters`",
            ),
            ("store = { sqlite = \"l\", tls = \"off\" }".to_owned(), ": a file has neither"),
            ("store = { mariadb = \"mysql://l@h/l\" }".to_owned(), "SQLite or in PostgreSQL"),
            ("store = {}".to_owned(), ": name one of"),
            ("store = 1".to_owned(), "the path of a file, or a table"),
        ] {
            let error = location(&text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
