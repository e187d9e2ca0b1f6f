//! A database of its own on a private server, and a user who may read it.

use std::time::Duration;

use lango_database::Server;
use lango_source::{MariaDb, Postgres, Settings, Source};

use super::host::{Connections, Host};
use crate::{
    Engine,
    background::{runtime, wait},
};

/// Made with everything in it, and dropped.
pub(super) struct Private {
    host: Host,
    /// Of the database, and of the user who may read it.
    name: String,
    connections: Connections,
}

impl Private {
    pub fn make(host: &Host) -> Self {
        let mut random = [0; 8];
        getrandom::fill(&mut random).unwrap();
        // Letters and digits: an underscore would match any letter in MariaDB's GRANT.
        let name = format!("t{:016x}", u64::from_le_bytes(random));
        let (everywhere, password) = (host.everywhere(), host.password());
        let prepared = prepared_schema(host.engine(), &name);
        let statements = match host.engine() {
            Engine::MariaDb => vec![
                format!("CREATE DATABASE {name}"),
                format!("CREATE USER {name}@'127.0.0.1' IDENTIFIED BY '{password}'"),
                format!("GRANT SELECT ON {name}.* TO {name}@'127.0.0.1'"),
                format!("CREATE DATABASE {prepared}"),
                format!("GRANT ALL ON {prepared}.* TO {name}@'127.0.0.1'"),
            ],
            _ => vec![
                format!("CREATE DATABASE {name}"),
                format!("CREATE ROLE {name} LOGIN PASSWORD '{password}'"),
            ],
        };
        let connections = host.connections(Some(&name));
        let made = Self { host: host.clone(), name: name.clone(), connections: connections.clone() };
        wait(async move {
            for sql in statements {
                everywhere.run(&sql).await.unwrap();
            }
            if let Connections::Postgres(_) = connections {
                let sql = format!("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {name}");
                connections.run(&sql).await.unwrap();
                let sql = format!("CREATE SCHEMA {prepared} AUTHORIZATION {name}");
                connections.run(&sql).await.unwrap();
            }
        });
        made
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn run(&self, sql: &str) -> impl Future<Output = ()> + Send + use<> {
        let (connections, sql) = (self.connections.clone(), sql.to_owned());
        async move { connections.run(&sql).await.unwrap_or_else(|error| panic!("{error}: {sql}")) }
    }

    pub fn rows(&self, sql: &str) -> impl Future<Output = Vec<Vec<Option<String>>>> + Send + use<> {
        let (connections, sql) = (self.connections.clone(), sql.to_owned());
        async move { connections.rows(&sql).await.unwrap_or_else(|error| panic!("{error}: {sql}")) }
    }

    pub fn server(&self) -> Server {
        self.host.server(Some(&self.name), Some(&self.name))
    }

    pub fn owner(&self) -> Server {
        self.host.server(None, Some(&self.name))
    }

    pub fn shut_out(&self) {
        let name = &self.name;
        wait(self.administer(match self.host.engine() {
            Engine::MariaDb => {
                vec![format!("ALTER USER {name}@'127.0.0.1' ACCOUNT LOCK"), format!("KILL USER {name}")]
            }
            _ => vec![
                format!("ALTER ROLE {name} NOLOGIN"),
                format!(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = '{name}'"
                ),
            ],
        }));
    }

    pub fn let_in(&self) {
        let name = &self.name;
        wait(self.administer(match self.host.engine() {
            Engine::MariaDb => vec![format!("ALTER USER {name}@'127.0.0.1' ACCOUNT UNLOCK")],
            _ => vec![format!("ALTER ROLE {name} LOGIN")],
        }));
    }

    /// Carries out statements as the server's superuser, outside the database.
    pub fn administer(&self, statements: Vec<String>) -> impl Future<Output = ()> + Send + use<> {
        let everywhere = self.host.everywhere();
        async move {
            for sql in statements {
                everywhere.run(&sql).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
            }
        }
    }

    /// Where the gateway's user may make tables: a schema, or a database of MariaDB.
    pub fn prepared_schema(&self) -> String {
        prepared_schema(self.host.engine(), &self.name)
    }

    pub fn source(&self, statement_timeout: Duration) -> Box<dyn Source> {
        let prepared_schema = Some(self.prepared_schema());
        let settings = Settings { statement_timeout, prepared_schema, ..Settings::default() };
        // What keeps its connections outlives the runtime of the test that asks first.
        let _runtime = runtime().enter();
        match self.host.engine() {
            Engine::MariaDb => Box::new(MariaDb::new(&self.server(), settings).unwrap()),
            _ => Box::new(Postgres::new(&self.server(), settings).unwrap()),
        }
    }
}

fn prepared_schema(engine: Engine, name: &str) -> String {
    if engine == Engine::MariaDb { format!("{name}p") } else { "prepared".to_owned() }
}

/// Does not wait: what is left over goes with the server.
impl Drop for Private {
    fn drop(&mut self) {
        let (name, connections, everywhere) =
            (self.name.clone(), self.connections.clone(), self.host.everywhere());
        let statements = match self.host.engine() {
            // A gateway that still reads would keep its tables.
            Engine::MariaDb => vec![
                format!("KILL USER {name}"),
                format!("DROP USER {name}@'127.0.0.1'"),
                format!("DROP DATABASE {name}"),
                format!("DROP DATABASE {}", self.prepared_schema()),
            ],
            _ => vec![format!("DROP DATABASE {name} WITH (FORCE)"), format!("DROP ROLE {name}")],
        };
        runtime().spawn(async move {
            connections.close().await;
            for sql in statements {
                drop(everywhere.run(&sql).await);
            }
        });
    }
}
