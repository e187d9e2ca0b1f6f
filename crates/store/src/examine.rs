//! What can be found out about a store without making or changing anything.

use std::fs;

use crate::{
    Location, StoreError, StorePosition,
    engine::{Connection, Options, Run},
    guard,
    location::undurable,
    schema::{GUARDED, SCHEMA, version},
    secret::known,
    statement::statement,
};

/// What is written there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Nothing: there is no store.
    Nothing,
    /// The schema of this version.
    Current,
    /// An earlier one, which a gateway would bring up to date.
    Earlier(i64),
    /// One that this version does not read.
    Unknown(i64),
}

/// A store that was examined.
pub struct Examined {
    /// What is written there.
    pub written: Written,
    /// When the last request was recorded, as Unix time.
    pub last_record_at: Option<i64>,
    /// Which store it is and how far it has come, where its schema says so.
    pub position: Option<StorePosition>,
    /// Whether the main file lacks what the log beside it held, which is gone or holds nothing.
    pub log_is_lost: bool,
    /// Whether it may be written to, as far as can be found out without writing.
    pub is_writable: bool,
    /// Settings of the server, switched off, without which a power cut may undo charges.
    pub undurable: Vec<String>,
    connection: Connection,
}

impl Examined {
    /// Examines a store; `None` where there is no file.
    pub async fn open(location: &Location) -> Result<Option<Self>, StoreError> {
        let mut connection = match location {
            Location::File(path) => {
                if !path.exists() {
                    return Ok(None);
                }
                Options::Sqlite(Box::new(guard::unchanged(path))).connect().await?
            }
            Location::Postgres { .. } => location.options()?.0.connect().await?,
        };
        let written = written(&mut connection).await?;
        let mut examined = Self {
            written,
            last_record_at: None,
            position: None,
            log_is_lost: false,
            is_writable: is_writable(&mut connection, location).await?,
            undurable: undurable(&mut connection).await?,
            connection,
        };
        let schema = match written {
            Written::Current => SCHEMA,
            Written::Earlier(found) => found,
            Written::Nothing | Written::Unknown(_) => return Ok(Some(examined)),
        };
        let last = examined.connection.optional(LastRecord.into()).await?;
        examined.last_record_at = last.as_ref().map(|row| row.get("at")).transpose()?;
        if schema >= GUARDED {
            let identity: Vec<u8> = examined.connection.one(Identity.into()).await?.get("identity")?;
            let identity = identity.try_into().map_err(|_| StoreError::Damaged("identity"))?;
            let sequence = last.map(|row| row.get("sequence")).transpose()?.unwrap_or(0);
            examined.position = Some(StorePosition { identity, sequence });
            if let Location::File(path) = location {
                examined.log_is_lost = guard::log_is_lost(path).await?;
            }
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

statement! {
    /// The last record.
    LastRecord = "SELECT at, sequence FROM access_record ORDER BY sequence DESC LIMIT 1"
}

statement! {
    /// Which store this is.
    Identity = "SELECT identity FROM store_identity"
}

statement! {
    /// Whether PostgreSQL lets the user write.
    Writable = "SELECT (NOT pg_is_in_recovery() AND current_setting('default_transaction_read_only') = 'off' AND \
        CASE WHEN to_regclass('access_record') IS NULL THEN has_schema_privilege(current_schema(), 'CREATE') \
        ELSE has_table_privilege('access_record', 'INSERT') END)::int::bigint AS writable"
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
    let writable: i64 = connection.one(Writable.into()).await?.get("writable")?;
    Ok(writable == 1)
}
