//! The private servers, as `tests/servers` names them.

use std::{
    collections::HashMap,
    env,
    path::PathBuf,
    sync::{Mutex, OnceLock},
};

use lango_database::{Password, Server, Tls};
use sqlx::{AssertSqlSafe, MySqlPool, PgPool, Row, mysql::MySqlPoolOptions, postgres::PgPoolOptions};

use crate::{Engine, background::runtime};

/// Connections of one pool: tests run on few threads.
const CONNECTIONS: u32 = 4;

/// One of the private servers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Host {
    engine: Engine,
    /// Of its superuser.
    address: String,
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| {
        panic!(
            "{name} is not set: this test needs a database server; run it through tests/servers, as in \
                `tests/servers cargo test ..` (with --shards for the shards), or run tests/run"
        )
    })
}

impl Host {
    /// The PostgreSQL server.
    pub fn postgres() -> Self {
        Self { engine: Engine::Postgres, address: variable("LANGO_TEST_POSTGRES") }
    }

    /// The MariaDB server.
    pub fn mariadb() -> Self {
        Self { engine: Engine::MariaDb, address: variable("LANGO_TEST_MARIADB") }
    }

    /// The three PostgreSQL servers beside the first, of `tests/servers --shards`.
    pub fn shards() -> [Self; 3] {
        [1, 2, 3].map(|number| Self {
            engine: Engine::Postgres,
            address: variable(&format!("LANGO_TEST_SHARD_{number}")),
        })
    }

    /// Its engine.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        let authority = self.address.rsplit('/').nth(1).and_then(|place| place.rsplit(':').next());
        authority.and_then(|port| port.parse().ok()).expect("the address has a port")
    }

    /// Who may do everything there.
    pub(crate) fn superuser(&self) -> &str {
        let authority = self.address.split_once("://").and_then(|(_, rest)| rest.split_once('@'));
        authority.expect("an address names a user").0
    }

    /// The superuser's password, which every other user of a test has as well.
    pub fn password(&self) -> String {
        variable(self.password_variable())
    }

    fn password_variable(&self) -> &'static str {
        match self.engine {
            Engine::MariaDb => "LANGO_TEST_MARIADB_PASSWORD",
            _ => "LANGO_TEST_POSTGRES_PASSWORD",
        }
    }

    /// How a user reaches a database on it: with TLS, as everybody should; the superuser without a name.
    pub fn server(&self, user: Option<&str>, database: Option<&str>) -> Server {
        let (scheme, _) = self.address.split_once("://").expect("an address has a scheme");
        let (_, place) = self.address.split_once('@').expect("an address names a user");
        let (place, first) = place.split_once('/').expect("an address names a database");
        let (user, database) = (user.unwrap_or(self.superuser()), database.unwrap_or(first));
        Server {
            address: format!("{scheme}://{user}@{place}/{database}"),
            password: Some(Password::Environment(self.password_variable().to_owned())),
            tls: Tls::Authority(PathBuf::from(variable("LANGO_TEST_AUTHORITY"))),
        }
    }

    /// The superuser's connections to the database that is always there.
    pub(super) fn everywhere(&self) -> Connections {
        static ALL: OnceLock<Mutex<HashMap<Host, Connections>>> = OnceLock::new();
        let mut all = ALL.get_or_init(Mutex::default).lock().unwrap();
        all.entry(self.clone()).or_insert_with(|| self.connections(None)).clone()
    }

    /// The superuser's connections to a database, made when they are needed.
    pub(super) fn connections(&self, database: Option<&str>) -> Connections {
        // What a test prepares does not leave the machine either way; its gateways are the ones to use TLS.
        let server = Server { tls: Tls::Off, ..self.server(None, database) };
        let _runtime = runtime().enter();
        match self.engine {
            Engine::MariaDb => {
                let options = MySqlPoolOptions::new().max_connections(CONNECTIONS);
                Connections::MariaDb(options.connect_lazy_with(server.mariadb().unwrap()))
            }
            _ => {
                let options = PgPoolOptions::new().max_connections(CONNECTIONS);
                Connections::Postgres(options.connect_lazy_with(server.postgres().unwrap()))
            }
        }
    }
}

/// Some connections of one user to one database.
#[derive(Debug, Clone)]
pub(super) enum Connections {
    Postgres(PgPool),
    MariaDb(MySqlPool),
}

impl Connections {
    /// Carries out statements, one after another where there are several.
    pub(super) async fn run(&self, sql: &str) -> Result<(), sqlx::Error> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        match self {
            Self::Postgres(pool) => sql.execute(pool).await.map(drop),
            Self::MariaDb(pool) => sql.execute(pool).await.map(drop),
        }
    }

    /// What a statement returns, as text: both protocols send text where nothing is prepared.
    pub(super) async fn rows(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, sqlx::Error> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        match self {
            Self::Postgres(pool) => {
                let rows = sql.fetch_all(pool).await?;
                rows.iter().map(|row| (0..row.len()).map(|at| row.try_get_unchecked(at)).collect()).collect()
            }
            Self::MariaDb(pool) => {
                let rows = sql.fetch_all(pool).await?;
                rows.iter().map(|row| (0..row.len()).map(|at| row.try_get_unchecked(at)).collect()).collect()
            }
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Postgres(pool) => pool.close().await,
            Self::MariaDb(pool) => pool.close().await,
        }
    }
}
