//! What can be found out about a store without making or changing anything.

use std::{fs, path::Path};

use async_trait::async_trait;
use lango_ledger::{Account, Balance, DeclaredMember, follow};

use crate::{
    CheckpointKind, Entry, HistoryFilter, KeptBalances, KeptPolicy, Location, Moved, PolicySignature,
    ReleaseKey, ReviewFilter, StoreAbsence, StoreError, StorePosition, StoreReader, Stored, StoredReview,
    balance,
    engine::{Connection, Options, Run},
    guard::{self, LogState},
    location::undurable,
    log, policy, pools, reader, release, review, rows,
    secret::{data, known},
    statement::statement,
    version::{GUARDED, NAMES_DATA, SCHEMA, version},
};

/// What is written there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// No store.
    Absent(StoreAbsence),
    /// The schema of this version.
    Current,
    /// An earlier one, which a gateway would bring up to date.
    Earlier(i64),
    /// One that this version does not read.
    Unknown(i64),
}

impl Written {
    /// Whether a gateway may open it: it is there, and this version reads it.
    pub fn check(self, location: &Location) -> Result<(), StoreError> {
        match self {
            Self::Absent(absence) => Err(absence.at(location)),
            Self::Current | Self::Earlier(_) => Ok(()),
            Self::Unknown(found) => Err(StoreError::Schema { found, own: SCHEMA }),
        }
    }
}

impl StoreAbsence {
    pub(crate) fn at(self, location: &Location) -> StoreError {
        StoreError::Missing { place: location.to_string(), absence: self }
    }
}

/// A store that was examined.
pub struct Examined {
    /// What is written there.
    pub written: Written,
    /// When the last request was recorded, as Unix time.
    pub last_record_at: Option<i64>,
    /// The digest of the policy that the last request was decided by, or that came into force since.
    pub last_policy: Option<[u8; 32]>,
    /// Which store it is and how far it has come, where its schema says so.
    pub position: Option<StorePosition>,
    /// Whether the main file lacks what the log beside it held, which is gone or holds nothing.
    pub log: LogState,
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
            Location::Postgres { .. } => {
                let (options, _) = location.options()?;
                let mut connection = options.connect().await?;
                connection.check(&options).await?;
                connection
            }
        };
        let written = written(&mut connection).await?;
        let mut examined = Self {
            written,
            last_record_at: None,
            last_policy: None,
            position: None,
            log: LogState::Whole,
            is_writable: is_writable(&mut connection, location).await?,
            undurable: undurable(&mut connection).await?,
            connection,
        };
        let schema = match written {
            Written::Current => SCHEMA,
            Written::Earlier(found) => found,
            Written::Absent(_) | Written::Unknown(_) => return Ok(Some(examined)),
        };
        let last = examined.connection.optional(LastRecord.into()).await?;
        examined.last_record_at = last.as_ref().map(|row| row.get("at")).transpose()?;
        examined.last_policy = last.as_ref().map(rows::policy_digest).transpose()?;
        if schema >= GUARDED {
            let identity: Vec<u8> = examined.connection.one(Identity.into()).await?.get("identity")?;
            let identity = identity.try_into().map_err(|_| StoreError::Damaged("identity"))?;
            let sequence = last.map(|row| row.get("sequence")).transpose()?.unwrap_or(0);
            examined.position = Some(StorePosition { identity, sequence });
            if let Location::File(path) = location {
                examined.log = guard::log_state(path).await?;
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
            Written::Absent(_) | Written::Unknown(_) => Ok(None),
        }
    }

    /// The fingerprint of the data that the answers of a dataset's version are made from, where it was known.
    pub async fn answered_data(
        &mut self,
        dataset: &str,
        version: &str,
    ) -> Result<Option<String>, StoreError> {
        match self.written {
            Written::Current => data(&mut self.connection, dataset, version).await,
            Written::Earlier(found) if found >= NAMES_DATA => {
                data(&mut self.connection, dataset, version).await
            }
            Written::Earlier(_) | Written::Absent(_) | Written::Unknown(_) => Ok(None),
        }
    }

    /// Examines a store that can be read as it is.
    pub async fn readable(location: &Location) -> Result<Self, StoreError> {
        let examined = Self::open(location).await?.ok_or_else(|| StoreAbsence::Nothing.at(location))?;
        if let Written::Earlier(found) = examined.written {
            return Err(StoreError::Earlier { found });
        }
        examined.written.check(location)?;
        examined.log.check(location)?;
        Ok(examined)
    }

    /// The balance of an account of a store that is readable; empty where nothing has been charged.
    pub async fn balance(&mut self, account: &Account) -> Result<Balance, StoreError> {
        balance::balance(&mut self.connection, account).await
    }

    /// What was charged to an account since a moment, in Unix seconds, and by how many questions.
    pub async fn charged_since(
        &mut self,
        account: &Account,
        since: i64,
    ) -> Result<(Balance, u64), StoreError> {
        reader::charged_since(&mut self.connection, account, since).await
    }

    /// The last access records that meet a filter, newest first, of a store that is readable.
    pub async fn history(&mut self, filter: &HistoryFilter) -> Result<Vec<Entry>, StoreError> {
        reader::history(&mut self.connection, filter).await
    }

    /// The last reviews of a store that is readable, newest first.
    pub async fn reviews(&mut self, filter: &ReviewFilter) -> Result<Vec<StoredReview>, StoreError> {
        review::newest(&mut self.connection, filter).await
    }

    /// Two at most of the reviews whose names lie between two, both included, of a store that is readable.
    pub async fn reviews_between(
        &mut self,
        low: &[u8; 16],
        high: &[u8; 16],
    ) -> Result<Vec<StoredReview>, StoreError> {
        review::between(&mut self.connection, low, high).await
    }

    /// The release of a key of a store that is readable, if it is stored.
    pub async fn find(&mut self, key: &ReleaseKey) -> Result<Option<Stored>, StoreError> {
        release::of_key(&mut self.connection, key).await
    }

    /// The release of an identifier of a store that is readable, if it is stored.
    pub async fn release(&mut self, release_id: &[u8; 16]) -> Result<Option<Stored>, StoreError> {
        release::of_id(&mut self.connection, release_id).await
    }

    /// The policy that was activated last, of a store that is readable; none where none was kept yet.
    pub async fn kept_policy(&mut self) -> Result<Option<KeptPolicy>, StoreError> {
        policy::kept(&mut self.connection).await
    }

    /// The files of a policy that came into force at some time, of a store that is readable.
    pub async fn policy_text(&mut self, digest: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        policy::text(&mut self.connection, digest).await
    }

    /// The leaves of the log behind this number of entries, this number at most, of a store that is readable.
    pub async fn leaves(&mut self, after: u64, most: u32) -> Result<Vec<Vec<u8>>, StoreError> {
        log::leaves(&mut self.connection, after, most).await
    }

    /// A full tile of the log's tree, if it is kept, of a store that is readable.
    pub async fn log_tile(&mut self, level: u8, number: u64) -> Result<Option<Vec<u8>>, StoreError> {
        log::log_tile(&mut self.connection, level, number).await
    }

    /// The checkpoint of the largest tree that is kept, with its size, of a store that is readable.
    pub async fn checkpoint(&mut self, kind: CheckpointKind) -> Result<Option<(u64, String)>, StoreError> {
        log::checkpoint(&mut self.connection, kind).await
    }

    /// What the ledger holds of each account at one moment, of a store that is readable.
    pub async fn kept_balances(&mut self) -> Result<KeptBalances, StoreError> {
        log::kept_balances(&mut self.connection).await
    }

    /// The signatures of policies that are kept, oldest first, of a store that is readable.
    pub async fn policy_signatures(&mut self) -> Result<Vec<PolicySignature>, StoreError> {
        policy::signatures(&mut self.connection).await
    }

    /// The last records of questions before a sequence number, newest first, of a store that is readable. A request has several
    /// where its price was set aside first.
    pub async fn questions(&mut self, before: i64, most: u32) -> Result<Vec<Entry>, StoreError> {
        let questions = Questions { before: before.into(), most: i64::from(most).into() };
        self.connection.all(questions.into()).await?.iter().map(rows::entry).collect()
    }

    /// How many refusals before the records from a sequence number on were not recorded.
    pub async fn left_out(&mut self, from: i64) -> Result<u64, StoreError> {
        let left_out: i64 =
            self.connection.one(LeftOut { from: from.into() }.into()).await?.get("left_out")?;
        Ok(left_out.unsigned_abs())
    }

    /// Which charges would follow their rows into other pools if a gateway started with a policy that declares these datasets.
    /// One that would give budget back is refused, as at the start.
    pub async fn moves(&mut self, declared: &[DeclaredMember]) -> Result<Vec<Moved>, StoreError> {
        let known = match self.written {
            Written::Current => pools::known(&mut self.connection).await?,
            Written::Earlier(_) => pools::known_earlier(&mut self.connection).await?,
            Written::Absent(_) | Written::Unknown(_) => return Ok(Vec::new()),
        };
        Ok(pools::moved(follow(&known, declared)?.moves))
    }
}

#[async_trait]
impl StoreReader for Examined {
    async fn account(&mut self, account: &Account) -> Result<(Balance, u64), StoreError> {
        Ok((self.balance(account).await?, self.charged_since(account, account.since).await?.1))
    }

    async fn named(&mut self, low: &[u8; 16], high: &[u8; 16]) -> Result<Vec<StoredReview>, StoreError> {
        self.reviews_between(low, high).await
    }

    async fn of_key(&mut self, key: &ReleaseKey) -> Result<Option<Stored>, StoreError> {
        self.find(key).await
    }

    async fn of_id(&mut self, release_id: &[u8; 16]) -> Result<Option<Stored>, StoreError> {
        self.release(release_id).await
    }
}

statement! {
    /// The last records of questions before a number, newest first.
    Questions { before, most } =
        "SELECT sequence, at, principal, purpose, request_digest, query_digest, dataset, query, decision, reason, rule, \
         agreement, policy_digest, pure_nano, rho_nano, delta_e18, left_out FROM access_record \
         WHERE sequence < :before AND query_digest IS NOT NULL AND decision NOT IN ('reviewed', 'inspected') ORDER BY sequence DESC LIMIT :most"
}

statement! {
    /// How many refusals were not recorded before the records from a number on.
    LeftOut { from } =
        "SELECT CAST(coalesce(sum(left_out), 0) AS BIGINT) AS left_out FROM access_record WHERE sequence >= :from"
}

statement! {
    /// What an SQLite file holds, and whether that is a store's.
    Contents = "SELECT count(*) AS entries, count(CASE WHEN type = 'table' AND name IN ('schema_version', 'access_record') \
        THEN 1 END) AS own FROM sqlite_schema"
}

statement! {
    /// The last record.
    LastRecord = "SELECT at, sequence, policy_digest FROM access_record ORDER BY sequence DESC LIMIT 1"
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

/// What is written in a file, which is left as it is.
pub(crate) async fn written_in(path: &Path) -> Result<Written, StoreError> {
    if !path.exists() {
        return Ok(Written::Absent(StoreAbsence::Nothing));
    }
    let mut connection = Options::Sqlite(Box::new(guard::unchanged(path))).connect().await?;
    let found = written(&mut connection).await;
    connection.close().await?;
    found
}

/// Whether a file that is there may become a store: it holds nothing.
pub(crate) async fn check_blank(path: &Path) -> Result<(), StoreError> {
    let place = path.display().to_string();
    match written_in(path).await {
        Ok(Written::Absent(StoreAbsence::Nothing | StoreAbsence::Empty)) => Ok(()),
        Ok(Written::Current | Written::Earlier(_) | Written::Unknown(_)) => Err(StoreError::Exists { place }),
        Ok(Written::Absent(StoreAbsence::Another)) | Err(_) => Err(StoreError::Occupied { place }),
    }
}

async fn written(connection: &mut Connection) -> Result<Written, StoreError> {
    if let Connection::Sqlite(_) = connection {
        let contents = connection.one(Contents.into()).await?;
        match (contents.get::<i64>("entries")?, contents.get::<i64>("own")?) {
            (0, _) => return Ok(Written::Absent(StoreAbsence::Empty)),
            (_, 2) => {}
            _ => return Ok(Written::Absent(StoreAbsence::Another)),
        }
    }
    Ok(match version(connection).await? {
        None => Written::Absent(StoreAbsence::Empty),
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

#[cfg(test)]
mod tests;
