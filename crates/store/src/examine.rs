//! A look at a store that neither makes nor changes anything, for whoever wants to know whether it will do.

use std::{fs, path::Path};

use sqlx::sqlite::SqliteConnectOptions;

use crate::{
    Location, StoreError,
    engine::{Connection, Options, Run, Statement},
    location::undurable,
    schema::{SCHEMA, version},
    secret::known,
};

/// What is written there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Nothing yet: a gateway would make its tables.
    Nothing,
    /// The schema of this version.
    Current,
    /// An earlier one, which a gateway would bring up to date.
    Earlier(i64),
    /// One that this version does not read.
    Unknown(i64),
}

/// A store that was looked at.
pub struct Examined {
    /// What is written there.
    pub written: Written,
    /// When the last request was recorded, as Unix time.
    pub last_record_at: Option<i64>,
    /// Whether it may be written to, as far as can be told without writing.
    pub is_writable: bool,
    /// Settings of the server, switched off, without which a power cut may undo charges.
    pub undurable: Vec<String>,
    connection: Connection,
}

impl Examined {
    /// Looks at a store; `None` where there is no file.
    pub async fn look(location: &Location) -> Result<Option<Self>, StoreError> {
        let mut connection = match location {
            Location::File(path) => {
                if !path.exists() {
                    return Ok(None);
                }
                Options::Sqlite(Box::new(unchanged(path))).connect().await?
            }
            Location::Postgres { .. } => location.options()?.0.connect().await?,
        };
        let written = written(&mut connection).await?;
        let mut examined = Self {
            written,
            last_record_at: None,
            is_writable: is_writable(&mut connection, location).await?,
            undurable: undurable(&mut connection).await?,
            connection,
        };
        if matches!(written, Written::Current | Written::Earlier(_)) {
            let sql = "SELECT at FROM access_record ORDER BY sequence DESC LIMIT 1";
            let last = examined.connection.optional(Statement::new(sql)).await?;
            examined.last_record_at = last.map(|row| row.get("at")).transpose()?;
        }
        Ok(Some(examined))
    }

    /// The secret of a dataset's version, where there is one.
    pub async fn bounding_secret(
        &mut self,
        dataset: &str,
        version: &str,
    ) -> Result<Option<[u8; 32]>, StoreError> {
        match self.written {
            Written::Current | Written::Earlier(_) => known(&mut self.connection, dataset, version).await,
            Written::Nothing | Written::Unknown(_) => Ok(None),
        }
    }
}

/// A file that nobody else uses is read without the files that SQLite would make beside it.
fn unchanged(path: &Path) -> SqliteConnectOptions {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let is_in_use = Path::new(&log).exists();
    SqliteConnectOptions::new().filename(path).read_only(true).immutable(!is_in_use)
}

async fn written(connection: &mut Connection) -> Result<Written, StoreError> {
    Ok(match version(connection).await? {
        None => Written::Nothing,
        Some(SCHEMA) => Written::Current,
        Some(found @ 1..SCHEMA) => Written::Earlier(found),
        Some(found) => Written::Unknown(found),
    })
}

async fn is_writable(connection: &mut Connection, location: &Location) -> Result<bool, StoreError> {
    if let Location::File(path) = location {
        return Ok(fs::OpenOptions::new().write(true).open(path).is_ok());
    }
    let sql = "SELECT (NOT pg_is_in_recovery() AND current_setting('default_transaction_read_only') = 'off' AND \
               CASE WHEN to_regclass('access_record') IS NULL THEN has_schema_privilege(current_schema(), 'CREATE') \
               ELSE has_table_privilege('access_record', 'INSERT') END)::int::bigint AS writable";
    let writable: i64 = connection.one(Statement::new(sql)).await?.get("writable")?;
    Ok(writable == 1)
}
