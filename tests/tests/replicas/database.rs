//! A database for one test, on the server that `LANGO_TEST_POSTGRES` names (see `tests/servers`).

use lango_database::{Password, Server, Tls};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use tempfile::TempDir;

/// Dropped, with all that is in it, with this value.
pub(crate) struct Database {
    pub(crate) server: Server,
    name: String,
    _folder: TempDir,
}

/// What a ledger holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ledger {
    pub(crate) pool: i64,
    /// The sum over all reservations that are not voided, from which the pool must not differ.
    pub(crate) reserved: i64,
    pub(crate) states: Vec<String>,
    pub(crate) releases: i64,
    pub(crate) decisions: Vec<String>,
}

async fn run(server: &Server, sql: &str) {
    let mut connection = PgConnection::connect_with(&server.postgres().unwrap()).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
}

fn at(address: &str, database: &str, password: Option<Password>) -> Server {
    let (host, _) = address.rsplit_once('/').expect("LANGO_TEST_POSTGRES names a database");
    Server { address: format!("{host}/{database}"), password, tls: Tls::Off }
}

impl Database {
    pub(crate) async fn fresh() -> Self {
        let address = std::env::var("LANGO_TEST_POSTGRES")
            .expect("LANGO_TEST_POSTGRES names no server: run the tests under tests/servers");
        let folder = tempfile::tempdir().unwrap();
        let password = std::env::var("LANGO_TEST_POSTGRES_PASSWORD").ok().map(|password| {
            let file = folder.path().join("ledger.password");
            std::fs::write(&file, password).unwrap();
            Password::File(file)
        });
        let random = folder.path().file_name().unwrap().to_string_lossy().replace('.', "").to_lowercase();
        let name = format!("lango_replicas_{}_{random}", std::process::id());
        run(&at(&address, "postgres", password.clone()), &format!("CREATE DATABASE \"{name}\"")).await;
        Self { server: at(&address, &name, password), name, _folder: folder }
    }

    fn administration(&self) -> Server {
        at(&self.server.address, "postgres", self.server.password.clone())
    }

    /// Ends every connection to it.
    pub(crate) async fn interrupt(&self) {
        let name = &self.name;
        let sql = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        run(&self.administration(), &sql).await;
    }

    /// Lets nobody in, or somebody again.
    pub(crate) async fn admit(&self, admit: bool) {
        let sql = format!("ALTER DATABASE \"{}\" ALLOW_CONNECTIONS {admit}", self.name);
        run(&self.administration(), &sql).await;
    }

    pub(crate) async fn ledger(&self) -> Ledger {
        let mut connection = PgConnection::connect_with(&self.server.postgres().unwrap()).await.unwrap();
        let mut integers = Vec::new();
        for sql in [
            "SELECT CAST(coalesce(sum(pure_nano), 0) AS BIGINT) FROM account WHERE holder = ''",
            "SELECT CAST(coalesce(sum(pure_nano), 0) AS BIGINT) FROM reservation WHERE state <> 'voided'",
            "SELECT count(*) FROM release",
            "SELECT count(*) - coalesce(max(sequence), 0) FROM access_record",
        ] {
            integers.push(sqlx::query(sql).fetch_one(&mut connection).await.unwrap().get::<i64, _>(0));
        }
        let mut words = Vec::new();
        for sql in [
            "SELECT state FROM reservation ORDER BY id",
            "SELECT decision FROM access_record ORDER BY sequence",
        ] {
            let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
            words.push(rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>());
        }
        assert_eq!(integers[3], 0, "the records have a gap");
        let decisions = words.pop().unwrap();
        let states = words.pop().unwrap();
        Ledger { pool: integers[0], reserved: integers[1], states, releases: integers[2], decisions }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, sql) = (self.administration(), format!("DROP DATABASE \"{}\" WITH (FORCE)", self.name));
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(run(&server, &sql));
        });
        dropping.join().unwrap();
    }
}
