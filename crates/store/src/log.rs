//! The log of access records: appended to with what they record, and read in order.

use async_trait::async_trait;
use lango_ledger::{Balance, Claimed};

use crate::{
    Claiming, Entry, Record, Recorded, ReleaseKey, Store, StoreError,
    engine::{Connection, Run},
    purging::Purging,
    request, rows,
    statement::{BoundStatement, Together, statement},
    writer::Write,
};

statement! {
    /// Under the write lock nobody else takes the next number, and what is undone gives it back: there are no gaps.
    InsertRecord {
        at, principal, purpose, request_digest, query_digest, query, dataset, decision, reason, rule, agreement,
        policy_digest, pure_nano, rho_nano, delta_e18, release_id, left_out, leaf,
    } = "INSERT INTO access_record (sequence, at, principal, purpose, request_digest, query_digest, query, dataset, decision, \
         reason, rule, agreement, policy_digest, pure_nano, rho_nano, delta_e18, release_id, left_out, leaf) \
         VALUES ((SELECT coalesce(max(sequence), 0) + 1 FROM access_record), :at, :principal, :purpose, :request_digest, \
         :query_digest, :query, :dataset, :decision, :reason, :rule, :agreement, :policy_digest, :pure_nano, :rho_nano, \
         :delta_e18, :release_id, :left_out, :leaf)"
}

statement! {
    /// The records after a number.
    Records { after, most } =
        "SELECT sequence, at, principal, purpose, request_digest, query_digest, dataset, query, decision, reason, rule, \
         agreement, policy_digest, pure_nano, rho_nano, delta_e18, left_out FROM access_record \
         WHERE sequence > :after ORDER BY sequence LIMIT :most"
}

statement! {
    /// The number of the last record.
    LastSequence = "SELECT coalesce(max(sequence), 0) AS sequence FROM access_record"
}

statement! {
    /// The leaves after a number of entries.
    Leaves { after, most } =
        "SELECT leaf FROM access_record WHERE sequence > :after ORDER BY sequence LIMIT :most"
}

statement! {
    /// A full tile.
    TileHashes { level, number } = "SELECT hashes FROM log_tile WHERE level = :level AND number = :number"
}

statement! {
    /// The roots of the full tiles of a level from a number on.
    TileRoots { level, first, most } =
        "SELECT root FROM log_tile WHERE level = :level AND number >= :first ORDER BY number LIMIT :most"
}

statement! {
    /// How many tiles of a level are full.
    FullTiles { level } = "SELECT coalesce(max(number) + 1, 0) AS tiles FROM log_tile WHERE level = :level"
}

statement! {
    /// Keeps a full tile.
    InsertTile { level, number, hashes, root } =
        "INSERT INTO log_tile (level, number, hashes, root) VALUES (:level, :number, :hashes, :root) \
         ON CONFLICT (level, number) DO NOTHING"
}

statement! {
    /// A checkpoint.
    KeptCheckpoint { kind } = "SELECT size, note FROM log_checkpoint WHERE kind = :kind"
}

statement! {
    /// Keeps a checkpoint in place of one of its kind, unless that is of a larger tree.
    InsertCheckpoint { kind, size, note } =
        "INSERT INTO log_checkpoint (kind, size, note) VALUES (:kind, :size, :note) \
         ON CONFLICT (kind) DO UPDATE SET size = excluded.size, note = excluded.note \
         WHERE log_checkpoint.size <= excluded.size"
}

statement! {
    /// The record of a request's answer.
    AnsweredBy { principal, id } =
        "SELECT answered_by FROM request WHERE principal = :principal AND request_id = :id AND answered_by IS NOT NULL"
}

static APPEND: Together = Together::new();

/// Appends the record of a request that changes nothing else, and claims the request where that is not claimed yet.
struct Append {
    record: Record,
    claiming: Option<Claiming>,
    me: [u8; 16],
    purging: Purging,
}

#[async_trait]
impl Write for Append {
    const NAME: &'static str = "append";

    type Outcome = Recorded;

    async fn apply(&self, transaction: &mut Connection) -> Result<Recorded, StoreError> {
        let Self { record, claiming, me, purging } = self;
        let leaf = record.leaf()?;
        let standing = match (claiming, record.answer()) {
            (Some(claiming), Some(answer)) => {
                let Some(standing) = claiming.keep_answered(transaction, answer, me, purging).await? else {
                    transaction.all(record.insert(&leaf).into()).await?;
                    return Ok(Recorded::Now);
                };
                standing
            }
            (None | Some(_), _) => match request::is_answered(transaction, record).await? {
                true => Claimed::Answered,
                false => Claimed::Free,
            },
        };
        match standing {
            Claimed::Answered => return Ok(Recorded::Answered),
            Claimed::Reused => return Ok(Recorded::Reused),
            Claimed::Forgotten => return Ok(Recorded::Forgotten),
            // Where another gateway has begun meanwhile, the first answer is the answer.
            Claimed::Fresh | Claimed::Free | Claimed::UnderWay { .. } => {}
        }
        transaction.together(&APPEND, record.statements(&leaf, None)).await?;
        Ok(Recorded::Now)
    }
}

impl Record {
    /// What writes it, and its request's step before it. `key` is the one that the request is reserved for, where it is.
    pub(crate) fn statements<'a>(
        &'a self,
        leaf: &'a [u8],
        key: Option<&'a ReleaseKey>,
    ) -> Vec<BoundStatement<'a>> {
        vec![request::step(self, key), self.insert(leaf).into()]
    }

    pub(crate) fn insert<'a>(&'a self, leaf: &'a [u8]) -> InsertRecord<'a> {
        InsertRecord {
            at: self.at.into(),
            principal: (&self.principal).into(),
            purpose: (&self.purpose).into(),
            request_digest: (&self.request_digest).into(),
            query_digest: self.query_digest.as_ref().into(),
            query: self.kept_query().into(),
            dataset: self.dataset.as_deref().into(),
            decision: self.decision.word().into(),
            reason: (&self.reason).into(),
            rule: self.rule.as_deref().into(),
            agreement: self.agreement.as_deref().into(),
            policy_digest: (&self.policy_digest).into(),
            pure_nano: self.charged.pure_nano.map(rows::signed).into(),
            rho_nano: rows::signed(self.charged.rho_nano).into(),
            delta_e18: rows::signed(self.charged.delta_e18).into(),
            release_id: self.release_id.as_ref().into(),
            left_out: rows::signed(self.left_out).into(),
            leaf: leaf.into(),
        }
    }
}

statement! {
    /// The kept sums of accounts, and how many records there are.
    Balances =
        "SELECT (SELECT coalesce(max(sequence), 0) FROM access_record) AS size, account.pool, account.holder, account.period, \
         account.pure_nano, account.rho_nano, account.delta_e18 FROM (SELECT 1) AS always LEFT JOIN account ON 1 = 1 \
         ORDER BY account.pool, account.holder, account.period"
}

/// What the ledger holds at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptBalances {
    /// How many entries the log had then.
    pub size: u64,
    /// The accounts.
    pub balances: Vec<KeptBalance>,
}

/// An account of the ledger with its kept sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptBalance {
    /// The pool's name.
    pub pool: String,
    /// The grant; none for the pool itself.
    pub grant: Option<String>,
    /// The calendar period; empty where the budget never renews.
    pub period: String,
    /// All that is charged to it.
    pub charged: Balance,
}

/// A full tile of the log's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullTile {
    /// Its level, 0 for hashes of leaves.
    pub level: u8,
    /// Its place in the level.
    pub number: u64,
    /// Its 256 hashes.
    pub hashes: Vec<u8>,
    /// The root over them.
    pub root: [u8; 32],
}

/// Which checkpoint it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckpointKind {
    /// The last one of this log that its owner signed and kept.
    Kept,
    /// The last one of this log that a witness cosigned.
    Witnessed,
    /// The last one of another log, by its name, that the owner of this one cosigned.
    Of(String),
}

impl CheckpointKind {
    fn word(&self) -> String {
        match self {
            Self::Kept => "kept".to_owned(),
            Self::Witnessed => "witnessed".to_owned(),
            Self::Of(origin) => format!("of {origin}"),
        }
    }
}

/// Keeps what follows from the leaves, and checkpoints.
struct Keep {
    tiles: Vec<FullTile>,
    checkpoint: Option<(CheckpointKind, u64, String)>,
}

#[async_trait]
impl Write for Keep {
    const NAME: &'static str = "keep-log";

    type Outcome = ();

    async fn apply(&self, transaction: &mut Connection) -> Result<(), StoreError> {
        for FullTile { level, number, hashes, root } in &self.tiles {
            let insert = InsertTile {
                level: i64::from(*level).into(),
                number: rows::signed(*number).into(),
                hashes: hashes.as_slice().into(),
                root: root.into(),
            };
            transaction.all(insert.into()).await?;
        }
        if let Some((kind, size, note)) = &self.checkpoint {
            let word = kind.word();
            let (kind, size) = ((&word).into(), rows::signed(*size).into());
            transaction.all(InsertCheckpoint { kind, size, note: note.into() }.into()).await?;
        }
        Ok(())
    }
}

/// Keeps a checkpoint in the place of the one that is thought to be kept.
struct Follow {
    kind: CheckpointKind,
    before: Option<String>,
    size: u64,
    note: String,
}

#[async_trait]
impl Write for Follow {
    const NAME: &'static str = "follow-log";

    type Outcome = bool;

    async fn apply(&self, transaction: &mut Connection) -> Result<bool, StoreError> {
        let Self { kind, before, size, note } = self;
        let word = kind.word();
        let kept = transaction.optional(KeptCheckpoint { kind: (&word).into() }.into()).await?;
        let kept: Option<String> = kept.map(|row| row.get("note")).transpose()?;
        if kept != *before {
            return Ok(false);
        }
        let insert =
            InsertCheckpoint { kind: (&word).into(), size: rows::signed(*size).into(), note: note.into() };
        transaction.all(insert.into()).await?;
        Ok(true)
    }
}

pub(crate) async fn kept_balances(run: &mut impl Run) -> Result<KeptBalances, StoreError> {
    let rows = run.all(Balances.into()).await?;
    let mut found = KeptBalances { size: 0, balances: Vec::new() };
    for row in &rows {
        found.size = row.get::<i64>("size")?.unsigned_abs();
        let Some(pool) = row.get::<Option<String>>("pool")? else { continue };
        let grant = Some(row.get::<String>("holder")?).filter(|grant| !grant.is_empty());
        let (period, charged) = (row.get("period")?, rows::balance(row)?);
        found.balances.push(KeptBalance { pool, grant, period, charged });
    }
    Ok(found)
}

pub(crate) async fn leaves(run: &mut impl Run, after: u64, most: u32) -> Result<Vec<Vec<u8>>, StoreError> {
    let leaves = Leaves { after: rows::signed(after).into(), most: i64::from(most).into() };
    let rows = run.all(leaves.into()).await?;
    rows.iter().map(|row| Ok(row.get("leaf")?)).collect()
}

pub(crate) async fn log_tile(
    run: &mut impl Run,
    level: u8,
    number: u64,
) -> Result<Option<Vec<u8>>, StoreError> {
    let tile = TileHashes { level: i64::from(level).into(), number: rows::signed(number).into() };
    let row = run.optional(tile.into()).await?;
    row.map(|row| Ok(row.get("hashes")?)).transpose()
}

pub(crate) async fn checkpoint(
    run: &mut impl Run,
    kind: CheckpointKind,
) -> Result<Option<(u64, String)>, StoreError> {
    let row = run.optional(KeptCheckpoint { kind: (&kind.word()).into() }.into()).await?;
    row.map(|row| Ok((row.get::<i64>("size")?.unsigned_abs(), row.get("note")?))).transpose()
}

impl Store {
    /// What the ledger holds of each account, and how many entries the log has, at one moment.
    pub async fn kept_balances(&self) -> Result<KeptBalances, StoreError> {
        kept_balances(&mut self.reader()).await
    }

    /// The leaves of the log behind this number of entries, this number at most.
    pub async fn leaves(&self, after: u64, most: u32) -> Result<Vec<Vec<u8>>, StoreError> {
        leaves(&mut self.reader(), after, most).await
    }

    /// A full tile of the log's tree, if it is kept.
    pub async fn log_tile(&self, level: u8, number: u64) -> Result<Option<Vec<u8>>, StoreError> {
        log_tile(&mut self.reader(), level, number).await
    }

    /// How many tiles of a level are full, as far as they are kept.
    pub async fn full_tiles(&self, level: u8) -> Result<u64, StoreError> {
        let tiles: i64 =
            self.reader().one(FullTiles { level: i64::from(level).into() }.into()).await?.get("tiles")?;
        Ok(tiles.unsigned_abs())
    }

    /// The roots of the full tiles of a level from a number on, at most this many, one behind the other.
    pub async fn tile_roots(&self, level: u8, first: u64, most: u32) -> Result<Vec<u8>, StoreError> {
        let roots = TileRoots {
            level: i64::from(level).into(),
            first: rows::signed(first).into(),
            most: i64::from(most).into(),
        };
        let mut bytes = Vec::new();
        for row in self.reader().all(roots.into()).await? {
            bytes.extend(row.get::<Vec<u8>>("root")?);
        }
        Ok(bytes)
    }

    /// Keeps full tiles of the log's tree.
    pub async fn keep_tiles(&self, tiles: Vec<FullTile>) -> Result<(), StoreError> {
        self.write(Keep { tiles, checkpoint: None }).await
    }

    /// Keeps a checkpoint of a tree of this size in place of one of its kind, unless that is of a larger tree.
    pub async fn keep_checkpoint(
        &self,
        kind: CheckpointKind,
        size: u64,
        note: String,
    ) -> Result<(), StoreError> {
        self.write(Keep { tiles: Vec::new(), checkpoint: Some((kind, size, note)) }).await
    }

    /// Keeps a checkpoint of a tree of this size in place of `before`, which is what was kept when it was examined. False where
    /// another is kept meanwhile: then nothing has changed.
    pub async fn follow(
        &self,
        kind: CheckpointKind,
        before: Option<String>,
        (size, note): (u64, String),
    ) -> Result<bool, StoreError> {
        self.write(Follow { kind, before, size, note }).await
    }

    /// A checkpoint that is kept, with the size of its tree.
    pub async fn checkpoint(&self, kind: CheckpointKind) -> Result<Option<(u64, String)>, StoreError> {
        checkpoint(&mut self.reader(), kind).await
    }

    /// The number of the record of a request's answer, from 1.
    pub async fn answered_by(&self, principal: &str, id: &[u8; 16]) -> Result<Option<i64>, StoreError> {
        let answered = AnsweredBy { principal: principal.into(), id: id.into() };
        let row = self.reader().optional(answered.into()).await?;
        row.map(|row| Ok(row.get("answered_by")?)).transpose()
    }

    /// Appends the record of a request that changes nothing else. `claiming` claims its request, where that is not claimed yet,
    /// in the same transaction.
    pub async fn append(&self, record: &Record, claiming: Option<&Claiming>) -> Result<Recorded, StoreError> {
        let (me, purging) = (self.opened_by(), self.purging());
        self.write(Append { record: record.clone(), claiming: claiming.cloned(), me, purging }).await
    }

    /// The records after a sequence number, oldest first, at most this many.
    pub async fn records(&self, after: i64, most: u32) -> Result<Vec<Entry>, StoreError> {
        let records = Records { after: after.into(), most: i64::from(most).into() };
        let rows = self.reader().all(records.into()).await?;
        rows.iter().map(rows::entry).collect()
    }

    /// The number of the last record, which counts them.
    pub async fn last_sequence(&self) -> Result<i64, StoreError> {
        Ok(self.reader().one(LastSequence.into()).await?.get("sequence")?)
    }
}

#[cfg(test)]
mod tests;
