//! Why a store, its database or its anchor cannot serve.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Why the store cannot serve. No message holds a count or an identifier of a person.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused to read, or the store cannot be opened.
    #[error("the store's database failed: {0}")]
    Database(#[from] DatabaseError),
    /// The database refused a transaction.
    #[error("the store's database failed in `{transaction}`: {error}")]
    Transaction {
        /// The transaction's name.
        transaction: &'static str,
        /// What the database says.
        error: DatabaseError,
    },
    /// There is no store.
    #[error(
        "the store {place} {absence}: see that its disk is mounted and that `store` names the right place. If there never was one, make \
         it with `lango ledger create --config FILE`; if there was, its charges are missing: docs/LEDGER.md"
    )]
    Missing {
        /// Where it should be.
        place: String,
        /// What is there instead.
        absence: StoreAbsence,
    },
    /// There is no store, and there was one.
    #[error(
        "the store {place} {absence}, and the anchor {anchor} says that there was one: see that its disk is mounted and that `store` \
         names the right place. Its charges are forgotten otherwise: docs/LEDGER.md"
    )]
    Gone {
        /// Where it should be.
        place: String,
        /// What is there instead.
        absence: StoreAbsence,
        /// What was written when there was one.
        anchor: PathBuf,
    },
    /// There is a store already, or what is left of one.
    #[error("{place} is there already: a ledger is never made in the place of another")]
    Exists {
        /// What is there.
        place: String,
    },
    /// Something else is where the store shall be made.
    #[error(
        "{place} is there already and holds something else: give the ledger a file of its own with `store`"
    )]
    Occupied {
        /// What is there.
        place: String,
    },
    /// An earlier version wrote it, and what only reads cannot bring it up to date.
    #[error("the store has schema {found}: a gateway brings it up to date when it starts")]
    Earlier {
        /// As found.
        found: i64,
    },
    /// The main file lacks what its log held.
    #[error(
        "the store {place} lacks its log: {place}-wal, which held its last charges, is missing or holds nothing: put both back together, or restore the store as \
             docs/LEDGER.md says"
    )]
    LogLost {
        /// The main file.
        place: String,
    },
    /// The main file and the log beside it are of two copies of the store.
    #[error(
        "the store {place} and the log beside it, {place}-wal, do not belong together: an older copy was put back beside a newer \
         log, or one of them is damaged. Both are left as they are: put the files of one moment together, or restore the store as \
         docs/LEDGER.md says"
    )]
    LogOfAnother {
        /// The main file.
        place: String,
    },
    /// The anchor does not hold.
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    /// The policy would give budget back.
    #[error("{0}")]
    Pools(#[from] lango_ledger::PoolsError),
    /// A file cannot be made, read or written.
    #[error("{path}: {error}")]
    Files {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The server cannot be reached as it is configured.
    #[error("the store's server cannot be used: {0}")]
    Server(#[from] lango_database::ServerError),
    /// The database was written by another version.
    #[error(
        "the store has schema {found}, this version reads {own}: run the version that wrote it, or restore its backup"
    )]
    Schema {
        /// As found.
        found: i64,
        /// The one that this version reads.
        own: i64,
    },
    /// A row that this version would not have written.
    #[error("the store holds a damaged {0}: restore it from a backup")]
    Damaged(&'static str),
    /// What is to be recorded cannot be an entry of the log, so nothing is done.
    #[error("the log cannot take the record: {0}")]
    Entry(#[from] lango_access_log::EntryError),
    /// A record of what no request is about says nothing for the log, so nothing is done.
    #[error("a record of `{0}` has no event for the log")]
    Eventless(&'static str),
    /// A reservation was asked to do what reservations never do.
    #[error(transparent)]
    Transition(#[from] lango_ledger::TransitionError),
    /// A review was asked to do what reviews never do.
    #[error(transparent)]
    Review(#[from] lango_ledger::ReviewStepError),
    /// There is no review of that name.
    #[error("there is no such review")]
    NoReview,
    /// The store was closed meanwhile.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// The same, and where there is no store and an anchor, that there was one.
    pub fn with_anchor(self, anchor: Option<&Path>) -> Self {
        match (self, anchor) {
            (Self::Missing { place, absence }, Some(anchor)) if anchor.exists() => {
                Self::Gone { place, absence, anchor: anchor.to_owned() }
            }
            (error, _) => error,
        }
    }
}

/// What is in the place of a store that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreAbsence {
    /// Nothing.
    Nothing,
    /// A file or a database without a table.
    Empty,
    /// A database of something else.
    Another,
}

impl fmt::Display for StoreAbsence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "does not exist",
            Self::Empty => "is empty",
            Self::Another => "is a database but not a store",
        })
    }
}

/// How the database failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DatabaseError {
    /// It said so, or the connection to it did.
    #[error("{}", words(.0))]
    Failed(Arc<sqlx::Error>),
    /// A pooler stands between, and nothing could rest on what is written.
    #[error(
        "a pooler or proxy such as PgBouncer stands in front of the store's server ({0}): a ledger needs connections of its own. Name \
         the server's own address in `[store]`"
    )]
    Pooler(PoolerSign),
    /// It said nothing for too long.
    #[error("it does not answer")]
    TimedOut,
}

impl DatabaseError {
    /// Whether a statement failed, and the connection is good.
    pub(crate) fn is_of_a_statement(&self) -> bool {
        matches!(self, Self::Failed(error) if matches!(**error, sqlx::Error::Database(_) | sqlx::Error::RowNotFound))
    }
}

impl From<sqlx::Error> for DatabaseError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(Arc::new(error))
    }
}

/// How a pooler shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolerSign {
    /// It refuses a connection's settings.
    Startup,
    /// This setting was lost.
    Setting(&'static str),
    /// Transactions are carried out on several connections to the server.
    Connection,
    /// The lock of the one who writes is not held.
    Lock,
}

impl fmt::Display for PoolerSign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Startup => f.write_str("it refuses the settings that a connection begins with"),
            Self::Setting(name) => write!(f, "the connection's `{name}` was lost"),
            Self::Connection => f.write_str("transactions of one connection reach the server on several"),
            Self::Lock => f.write_str("the lock of the one who writes is not held"),
        }
    }
}

fn words(error: &sqlx::Error) -> String {
    match lango_database::protection_fault(error) {
        Some(why) => format!("the connection could not be protected: {why}"),
        None => error.to_string(),
    }
}

/// Why an anchor does not hold.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// It lies where the store does, and would be lost or put back with it.
    #[error(
        "the anchor {path} lies in the store's folder, or below it: choose a place on another disk, which no backup of the store puts back"
    )]
    BesideStore {
        /// The anchor.
        path: PathBuf,
    },
    /// There is none, and the store is not new.
    #[error(
        "the anchor {path} does not exist, and the store has {sequence} records: put it back, or make it with `lango ledger anchor \
         --config FILE` if you are sure that the store is the latest"
    )]
    Missing {
        /// The anchor.
        path: PathBuf,
        /// The store's.
        sequence: i64,
    },
    /// Its folder is not there, or nothing can be made in it.
    #[error(
        "the anchor {path} cannot be made: {error}. Make or mount its folder, and let the gateway's user write there"
    )]
    NoPlace {
        /// The anchor.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// There is one already, so there was a store.
    #[error(
        "the anchor {path} is of a store that was made before: find that store, or move the anchor away if it is gone for good"
    )]
    Exists {
        /// The anchor.
        path: PathBuf,
    },
    /// It is not an anchor's text.
    #[error(
        "the anchor {path} cannot be read as an anchor: put it back, or make it with `lango ledger anchor --config FILE`"
    )]
    Unreadable {
        /// The anchor.
        path: PathBuf,
    },
    /// The store is another one.
    #[error(
        "the store is not the one that the anchor {path} names: see that its disk is mounted and `store` names the right one. Its \
         charges are forgotten otherwise: docs/LEDGER.md"
    )]
    Another {
        /// The anchor.
        path: PathBuf,
    },
    /// The store is older.
    #[error(
        "the store is older than the anchor {path}: it has {found} records and had {sequence}. What was charged between them would be \
         forgotten: docs/LEDGER.md says how to put an older copy back"
    )]
    Older {
        /// The anchor.
        path: PathBuf,
        /// As the store says.
        found: i64,
        /// As the anchor says.
        sequence: i64,
    },
}
