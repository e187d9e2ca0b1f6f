//! Making a store and opening it: its schema, and which connections write and read.

use crate::{
    Location, StoreAbsence, StoreError,
    engine::{Connection, Pool, Run},
    examine::{check_blank, written_in},
    guard,
    location::{harden, make_file, warn},
    log_earlier::log_earlier,
    purging::Purging,
    statement::statement,
    version::{LOGGED, SCHEMA, SetSchemaVersion, version},
    writer::{Write, Writer},
};

/// The one that an empty store begins with.
const FIRST: i64 = 1;

/// The first schema, and the steps from each to the next, taken in the transaction that makes or opens the store.
struct Steps {
    first: &'static str,
    next: [(i64, &'static str); 9],
}

static SQLITE: Steps = Steps {
    first: concat!(include_str!("../migrations/sqlite/1.sql"), "INSERT INTO schema_version VALUES (1);"),
    next: [
        (1, include_str!("../migrations/sqlite/2.sql")),
        (2, include_str!("../migrations/sqlite/3.sql")),
        (3, include_str!("../migrations/sqlite/4.sql")),
        (4, include_str!("../migrations/sqlite/5.sql")),
        (5, include_str!("../migrations/sqlite/6.sql")),
        (6, include_str!("../migrations/sqlite/7.sql")),
        (7, include_str!("../migrations/sqlite/8.sql")),
        (8, include_str!("../migrations/sqlite/9.sql")),
        (9, include_str!("../migrations/sqlite/10.sql")),
    ],
};

static POSTGRES: Steps = Steps {
    first: concat!(include_str!("../migrations/postgres/1.sql"), "INSERT INTO schema_version VALUES (1);"),
    next: [
        (1, include_str!("../migrations/postgres/2.sql")),
        (2, include_str!("../migrations/postgres/3.sql")),
        (3, include_str!("../migrations/postgres/4.sql")),
        (4, include_str!("../migrations/postgres/5.sql")),
        (5, include_str!("../migrations/postgres/6.sql")),
        (6, include_str!("../migrations/postgres/7.sql")),
        (7, include_str!("../migrations/postgres/8.sql")),
        (8, include_str!("../migrations/postgres/9.sql")),
        (9, include_str!("../migrations/postgres/10.sql")),
    ],
};

statement! {
    /// Which store this is, and a name for one that opens it now.
    SqliteIdentity = "SELECT identity, randomblob(16) AS opened_by FROM store_identity"
}

statement! {
    /// Which store this is, and a name for one that opens it now.
    PostgresIdentity = "SELECT identity, decode(replace(gen_random_uuid()::text, '-', ''), 'hex') AS opened_by FROM store_identity"
}

/// The gateway's durable memory. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    writer: Writer,
    pool: Pool,
    identity: [u8; 16],
    /// Which of the gateways that share the store this is: new at every start.
    opened_by: [u8; 16],
    purging: Purging,
}

impl Store {
    /// Makes a store where there is none.
    pub async fn create(location: &Location) -> Result<(), StoreError> {
        if let Location::File(path) = location {
            make_file(path)?;
            check_blank(path).await?;
        }
        let mut connection = location.options()?.0.connect().await?;
        harden(&mut connection).await?;
        connection.begin().await?;
        if version(&mut connection).await?.is_some() {
            return Err(StoreError::Exists { place: location.to_string() });
        }
        connection.raw(steps(&connection).first).await?;
        migrate(&mut connection, FIRST).await?;
        connection.raw("COMMIT").await?;
        Ok(connection.close().await?)
    }

    /// Opens the store, and brings its tables up to date. Never makes one.
    pub async fn open(location: &Location) -> Result<Self, StoreError> {
        // What is no store of this version is left as it is, down to its journal's mode.
        if let Location::File(path) = location {
            written_in(path).await?.check(location)?;
            guard::log_state(path).await?.check(location)?;
        }
        let (options, readers) = location.options()?;
        let mut connection = options.connect().await?;
        connection.check(&options).await?;
        harden(&mut connection).await?;
        warn(&mut connection).await?;
        connection.begin().await?;
        let found = version(&mut connection).await?.ok_or_else(|| StoreAbsence::Empty.at(location))?;
        migrate(&mut connection, found).await?;
        connection.raw("COMMIT").await?;
        guard::checkpoint(&mut connection).await?;
        let row = match &connection {
            Connection::Sqlite(_) => connection.one(SqliteIdentity.into()).await?,
            Connection::Postgres(_) => connection.one(PostgresIdentity.into()).await?,
        };
        let bytes =
            |column| row.get::<Vec<u8>>(column)?.try_into().map_err(|_| StoreError::Damaged("identity"));
        let (identity, opened_by) = (bytes("identity")?, bytes("opened_by")?);
        let pool = options.pool(readers);
        Ok(Self {
            writer: Writer::start(options, connection),
            pool,
            identity,
            opened_by,
            purging: Purging::default(),
        })
    }

    /// Which store this is.
    pub fn identity(&self) -> [u8; 16] {
        self.identity
    }

    pub(crate) fn purging(&self) -> Purging {
        self.purging.clone()
    }

    /// Which of the gateways that share the store this is: new at every opening.
    pub fn opened_by(&self) -> [u8; 16] {
        self.opened_by
    }

    /// Changes the store, and returns when the change is durable.
    pub(crate) async fn write<W: Write>(&self, write: W) -> Result<W::Outcome, StoreError> {
        self.writer.write(write).await
    }

    /// How many transactions failed since it was opened.
    pub fn failed_transactions(&self) -> u64 {
        self.writer.failed()
    }

    /// Sees what was durable when it is asked.
    pub(crate) fn reader(&self) -> Pool {
        self.pool.clone()
    }

    /// Closes the store: waits for what is under way, and leaves one file.
    pub async fn close(&self) {
        self.writer.close().await;
        self.pool.close().await;
    }
}

fn steps(connection: &Connection) -> &'static Steps {
    match connection {
        Connection::Sqlite(_) => &SQLITE,
        Connection::Postgres(_) => &POSTGRES,
    }
}

/// Takes the steps that are missing, or none: a connection that fails on the way undoes them when it is dropped.
async fn migrate(connection: &mut Connection, mut found: i64) -> Result<(), StoreError> {
    for (from, sql) in steps(connection).next {
        if found == from {
            connection.raw(sql).await?;
            found = from + 1;
            connection.all(SetSchemaVersion { version: found.into() }.into()).await?;
            if found == LOGGED {
                log_earlier(connection).await?;
            }
        }
    }
    if found == SCHEMA { Ok(()) } else { Err(StoreError::Schema { found, own: SCHEMA }) }
}

#[cfg(test)]
mod tests;
