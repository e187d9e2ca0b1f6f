//! What is looked up of a store, whether a gateway has it open or it is examined.

use async_trait::async_trait;
use lango_ledger::{Account, Balance};

use crate::{
    Entry, ReleaseKey, ReviewFilter, Store, StoreError, Stored, StoredReview,
    balance::{Sum, balance, holder},
    engine::Run,
    review, rows,
    statement::statement,
};

/// Which access records are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// From this moment on, in Unix seconds.
    pub since: i64,
    /// Those before this sequence number alone.
    pub before: Option<i64>,
    /// Of this dataset alone.
    pub dataset: Option<String>,
    /// Of this principal alone, by its SPIFFE URI.
    pub principal: Option<String>,
    /// This number at most.
    pub most: u32,
}

statement! {
    /// How many questions were charged to an account since a moment.
    Asked { pool, since, grant } =
        "SELECT count(*) AS asked FROM reservation WHERE pool = :pool AND reserved_at >= :since AND state <> 'voided' \
         AND (:grant = '' OR grant_id = :grant)"
}

statement! {
    /// The last records before a number, newest first; of every dataset or principal where none is named.
    History { since, before, dataset, principal, most } =
        "SELECT sequence, at, principal, purpose, request_digest, query_digest, dataset, query, decision, reason, rule, \
         agreement, policy_digest, pure_nano, rho_nano, delta_e18, left_out FROM access_record \
         WHERE at >= :since AND sequence < :before AND (:dataset = '' OR dataset = :dataset) \
         AND (:principal = '' OR principal = :principal) ORDER BY sequence DESC LIMIT :most"
}

/// What accounts and reviews are shown from. Reads, and changes nothing.
#[async_trait]
pub trait StoreReader: Send {
    /// The balance of an account, and how many questions were charged to it in its period.
    async fn account(&mut self, account: &Account) -> Result<(Balance, u64), StoreError>;
    /// Two at most of the reviews whose names lie between two, both included.
    async fn named(&mut self, low: &[u8; 16], high: &[u8; 16]) -> Result<Vec<StoredReview>, StoreError>;
    /// The release of a key, if it is stored.
    async fn of_key(&mut self, key: &ReleaseKey) -> Result<Option<Stored>, StoreError>;
    /// The release of an identifier, if it is stored.
    async fn of_id(&mut self, release_id: &[u8; 16]) -> Result<Option<Stored>, StoreError>;
}

#[async_trait]
impl StoreReader for Store {
    async fn account(&mut self, account: &Account) -> Result<(Balance, u64), StoreError> {
        let balance = balance(&mut self.reader(), account).await?;
        Ok((balance, charged_since(&mut self.reader(), account, account.since).await?.1))
    }

    async fn named(&mut self, low: &[u8; 16], high: &[u8; 16]) -> Result<Vec<StoredReview>, StoreError> {
        review::between(&mut self.reader(), low, high).await
    }

    async fn of_key(&mut self, key: &ReleaseKey) -> Result<Option<Stored>, StoreError> {
        self.find(key).await
    }

    async fn of_id(&mut self, release_id: &[u8; 16]) -> Result<Option<Stored>, StoreError> {
        self.release(release_id).await
    }
}

impl Store {
    /// The last access records that meet a filter, newest first.
    pub async fn history(&self, filter: &HistoryFilter) -> Result<Vec<Entry>, StoreError> {
        history(&mut self.reader(), filter).await
    }

    /// The last reviews, newest first.
    pub async fn reviews(&self, filter: &ReviewFilter) -> Result<Vec<StoredReview>, StoreError> {
        review::newest(&mut self.reader(), filter).await
    }
}

/// What was charged to an account since a moment, in Unix seconds, and by how many questions.
pub(crate) async fn charged_since(
    run: &mut impl Run,
    account: &Account,
    since: i64,
) -> Result<(Balance, u64), StoreError> {
    let holder = holder(account);
    let sum = Sum { pool: (&account.pool).into(), since: since.into(), grant: holder.into() };
    let asked = Asked { pool: (&account.pool).into(), since: since.into(), grant: holder.into() };
    let balance = rows::balance(&run.one(sum.into()).await?)?;
    let asked: i64 = run.one(asked.into()).await?.get("asked")?;
    Ok((balance, asked.unsigned_abs()))
}

pub(crate) async fn history(run: &mut impl Run, filter: &HistoryFilter) -> Result<Vec<Entry>, StoreError> {
    let HistoryFilter { since, before, dataset, principal, most } = filter;
    let history = History {
        since: (*since).into(),
        before: before.unwrap_or(i64::MAX).into(),
        dataset: dataset.as_deref().unwrap_or_default().into(),
        principal: principal.as_deref().unwrap_or_default().into(),
        most: i64::from(*most).into(),
    };
    run.all(history.into()).await?.iter().map(rows::entry).collect()
}
