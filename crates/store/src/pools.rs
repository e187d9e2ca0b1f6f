//! What comes into force with a policy: the pools that it declares, the charges that follow, and its record.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use lango_access_log::{ActivatedPolicy, Hex, LogEvent, MovedCharges};
use lango_ledger::{DeclaredMember, KnownMember, PoolMember, Pools, follow};

use crate::{
    KeptPolicy, Record, Store, StoreError,
    engine::{Connection, Row, Run},
    policy,
    statement::statement,
    writer::Write,
};

/// Charges that have followed their dataset into another pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The pool that they were charged to.
    pub from: String,
    /// The one that counts them now.
    pub to: String,
}

statement! {
    /// Every member that was declared, and whether its pool has charges.
    KnownMembers =
        "SELECT pool, dataset, rows_from, CAST(EXISTS (SELECT 1 FROM reservation WHERE reservation.pool = pool_member.pool \
         AND state <> 'voided') AS INTEGER) AS is_charged FROM pool_member"
}

statement! {
    /// Every member of a schema that knew no pools.
    EarlierMembers =
        "SELECT dataset AS pool, dataset, '' AS rows_from, CAST(max(CASE WHEN state <> 'voided' THEN 1 ELSE 0 END) AS INTEGER) \
         AS is_charged FROM reservation GROUP BY dataset"
}

statement! {
    /// Forgets the members.
    ForgetMembers = "DELETE FROM pool_member"
}

statement! {
    /// Remembers one.
    InsertMember { pool, dataset, rows_from } =
        "INSERT INTO pool_member (pool, dataset, rows_from) VALUES (:pool, :dataset, :rows_from)"
}

statement! {
    /// Moves a pool's charges.
    MoveCharges { from, to } = "UPDATE reservation SET pool = :to WHERE pool = :from"
}

statement! {
    /// Forgets the sums of two pools, which are made anew from the reservations.
    ForgetSums { from, to } = "DELETE FROM account WHERE pool IN (:from, :to)"
}

struct Declare {
    declared: Vec<DeclaredMember>,
    record: Option<Record>,
    kept: Option<KeptPolicy>,
}

#[async_trait]
impl Write for Declare {
    const NAME: &'static str = "declare";

    type Outcome = Vec<Moved>;

    async fn apply(&self, transaction: &mut Connection) -> Result<Vec<Moved>, StoreError> {
        let known = known(transaction).await?;
        let Pools { moves, members } = follow(&known, &self.declared)?;
        let before = policy::kept(transaction).await?.map(|kept| kept.digest);
        for (from, to) in &moves {
            transaction.all(MoveCharges { from: from.into(), to: to.into() }.into()).await?;
            transaction.all(ForgetSums { from: from.into(), to: to.into() }.into()).await?;
        }
        if members != known.into_iter().map(|known| known.member).collect::<BTreeSet<_>>() {
            transaction.all(ForgetMembers.into()).await?;
            for PoolMember { pool, dataset, rows_from } in &members {
                let insert =
                    InsertMember { pool: pool.into(), dataset: dataset.into(), rows_from: rows_from.into() };
                transaction.all(insert.into()).await?;
            }
        }
        // Gateways of one office on one store take the same policy one after the other, and it came into force once.
        if let Some(record) = self.record.as_ref().filter(|record| before != Some(record.policy_digest)) {
            let record = Record { event: activated(record, before, &moves), ..record.clone() };
            transaction.all(record.insert(&record.leaf()?).into()).await?;
        }
        if let Some(kept) = &self.kept {
            policy::keep(transaction, kept).await?;
        }
        Ok(moved(moves))
    }
}

/// What the log says of a record of a policy that came into force, with the one before and the charges that followed their rows.
fn activated(
    record: &Record,
    before: Option<[u8; 32]>,
    moves: &BTreeMap<String, String>,
) -> Option<LogEvent> {
    let Some(LogEvent::Policy(policy)) = &record.event else { return record.event.clone() };
    let moved = moves.iter().map(|(from, to)| MovedCharges { from: from.clone(), to: to.clone() });
    Some(LogEvent::Policy(ActivatedPolicy {
        before: before.map(Hex),
        moved: moved.collect(),
        ..policy.clone()
    }))
}

/// Every member that was declared.
pub(crate) async fn known(connection: &mut Connection) -> Result<Vec<KnownMember>, StoreError> {
    members(&connection.all(KnownMembers.into()).await?)
}

/// The members of a store whose schema knew no pools: each dataset was one.
pub(crate) async fn known_earlier(connection: &mut Connection) -> Result<Vec<KnownMember>, StoreError> {
    members(&connection.all(EarlierMembers.into()).await?)
}

fn members(rows: &[Row]) -> Result<Vec<KnownMember>, StoreError> {
    let member = |row: &Row| {
        let (pool, dataset, rows_from) = (row.get("pool")?, row.get("dataset")?, row.get("rows_from")?);
        let is_charged = row.get::<i32>("is_charged")? == 1;
        Ok(KnownMember { member: PoolMember { pool, dataset, rows_from }, is_charged })
    };
    rows.iter().map(member).collect()
}

pub(crate) fn moved(moves: BTreeMap<String, String>) -> Vec<Moved> {
    moves.into_iter().map(|(from, to)| Moved { from, to }).collect()
}

impl Store {
    /// Declares the datasets of the policy that comes into force, with their pools, in one transaction with the record of it,
    /// which is left out if the policy that is kept is the same. Charges whose pool is no longer declared follow their rows; a
    /// policy that would give budget back is refused. `kept` is the policy whole, which is kept in place of the one before.
    pub async fn declare(
        &self,
        declared: &[DeclaredMember],
        record: Option<&Record>,
        kept: Option<&KeptPolicy>,
    ) -> Result<Vec<Moved>, StoreError> {
        let (declared, record, kept) = (declared.to_vec(), record.cloned(), kept.cloned());
        self.write(Declare { declared, record, kept }).await
    }
}

#[cfg(test)]
mod tests;
