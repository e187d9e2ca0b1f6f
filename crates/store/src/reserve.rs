//! Reserving: the ledger refuses or sets the loss aside, before anything is measured.

use async_trait::async_trait;
use lango_ledger::{Account, Balance, ChargeRefusal, Holder, Limit, State};
use lango_privacy::Loss;

use crate::{
    Record, ReleaseKey, Store, StoreError,
    engine::{Connection, Row, Run, Statement, Value, Writes},
    record, rows,
    writer::Write,
};

/// What is to be set aside, and where.
#[derive(Debug, Clone)]
pub struct Reserve {
    /// The release key.
    pub key: ReleaseKey,
    /// The question's canonical text.
    pub query: String,
    /// The plan's text: the first plan made under a key is the one that every retry uses.
    pub plan: String,
    /// What is set aside.
    pub loss: Loss,
    /// The pool and the grant's share, both of which must bear it.
    pub pool: Charge,
    /// The grant's share.
    pub share: Charge,
}

/// An account with its limit under the policy in force.
#[derive(Debug, Clone)]
pub struct Charge {
    /// The account.
    pub account: Account,
    /// What it may bear.
    pub limit: Limit,
}

/// A reservation that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its identifier.
    pub id: i64,
    /// The plan to follow, which may be older than the one offered.
    pub plan: String,
    /// What was set aside.
    pub loss: Loss,
    /// What this request was charged: nothing where an earlier reservation is resumed.
    pub charged: Loss,
}

/// What became of an attempt to reserve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reserved {
    /// The loss is set aside; go on.
    Held(Held),
    /// The answer has been stored meanwhile.
    Stored,
    /// An account does not bear it; nothing has changed.
    Refused(ChargeRefusal),
}

impl Store {
    /// Sets a loss aside for a release key, in one transaction with its access record. A reservation left by an earlier
    /// attempt is resumed at no charge; whether that attempt read rows is not known, so it counts as spent from here on.
    pub async fn reserve(&self, reserve: &Reserve, record: &Record) -> Result<Reserved, StoreError> {
        self.write(SetAside { reserve: reserve.clone(), record: record.clone() }).await
    }

    /// The balance of an account; empty where nothing has been charged.
    pub async fn balance(&self, account: &Account) -> Result<Balance, StoreError> {
        let sql = "SELECT pure_nano, rho_nano, delta_e18 FROM account WHERE dataset = $1 AND holder = $2 AND period = $3";
        let kept = Statement::new(sql).bind(account.dataset.as_str());
        let kept = kept.bind(holder(account)).bind(account.period.as_str());
        match self.reader().optional(kept).await? {
            Some(row) => rows::balance(&row),
            None => summed(&mut self.reader(), account).await,
        }
    }
}

struct SetAside {
    reserve: Reserve,
    record: Record,
}

/// All that decides, in one row: the live reservation of the key, its release, and both accounts.
const STANDING: &str = "SELECT reservation.id, state, plan, reservation.pure_nano, reservation.rho_nano, reservation.delta_e18, \
     release_id, pool.pure_nano AS pool_pure, pool.rho_nano AS pool_rho, pool.delta_e18 AS pool_delta, \
     share.pure_nano AS share_pure, share.rho_nano AS share_rho, share.delta_e18 AS share_delta FROM (SELECT 1) AS always \
     LEFT JOIN reservation ON query_digest = $1 AND dataset_version = $2 AND terms_digest = $3 AND state <> 'voided' \
     LEFT JOIN release ON release.reservation_id = reservation.id \
     LEFT JOIN account AS pool ON pool.dataset = $4 AND pool.holder = $5 AND pool.period = $6 \
     LEFT JOIN account AS share ON share.dataset = $7 AND share.holder = $8 AND share.period = $9";

#[async_trait]
impl Write for SetAside {
    type Outcome = Reserved;

    async fn apply(&self, transaction: &mut Connection) -> Result<Reserved, StoreError> {
        let standing = transaction.one(self.standing()).await?;
        if let Some(id) = standing.get::<Option<i64>>("id")? {
            return resume(transaction, id, &standing).await;
        }
        let Reserve { pool, share, loss, .. } = &self.reserve;
        let mut after = [Balance::default(); 2];
        let columns = [["pool_pure", "pool_rho", "pool_delta"], ["share_pure", "share_rho", "share_delta"]];
        for ((after, columns), Charge { account, limit }) in after.iter_mut().zip(columns).zip([pool, share])
        {
            let before = match rows::kept(&standing, columns)? {
                Some(kept) => kept,
                None => summed(transaction, account).await?,
            };
            match before.charge(account, loss, limit) {
                Ok(charged) => *after = charged,
                Err(refusal) => return Ok(Reserved::Refused(refusal)),
            }
        }
        let id = self.charge(transaction, &after).await?;
        Ok(Reserved::Held(Held { id, plan: self.reserve.plan.clone(), loss: *loss, charged: *loss }))
    }
}

/// The record, both accounts and the reservation, whose identifier it returns.
static CHARGE: Writes = Writes::new(&[
    record::INSERT,
    "INSERT INTO account (dataset, holder, period, pure_nano, rho_nano, delta_e18) \
     VALUES ($15, $16, $17, $18, $19, $20), ($21, $22, $23, $24, $25, $26) \
     ON CONFLICT (dataset, holder) DO UPDATE SET period = excluded.period, \
     pure_nano = excluded.pure_nano, rho_nano = excluded.rho_nano, delta_e18 = excluded.delta_e18",
    "INSERT INTO reservation (query_digest, dataset_version, terms_digest, query, dataset, grant_id, period, \
     plan, pure_nano, rho_nano, delta_e18, reserved_at, state) \
     VALUES ($27, $28, $29, $30, $21, $22, $23, $31, $32, $33, $34, $1, 'pending') RETURNING id",
]);

impl SetAside {
    fn standing(&self) -> Statement<'_> {
        let Reserve { key, pool, share, .. } = &self.reserve;
        let statement = Statement::new(STANDING)
            .bind(key.query_digest.as_slice())
            .bind(key.dataset_version.as_str())
            .bind(key.terms_digest.as_slice());
        [&pool.account, &share.account].into_iter().fold(statement, |statement, account| {
            statement.bind(account.dataset.as_str()).bind(holder(account)).bind(account.period.as_str())
        })
    }

    /// Writes the reservation and what both accounts are after it.
    async fn charge(&self, transaction: &mut Connection, after: &[Balance; 2]) -> Result<i64, StoreError> {
        let Reserve { key, query, plan, loss, pool, share } = &self.reserve;
        let mut values = record::values(&self.record);
        for (account, balance) in [&pool.account, &share.account].into_iter().zip(after) {
            let more: [Value<'_>; 6] = [
                account.dataset.as_str().into(),
                holder(account).into(),
                account.period.as_str().into(),
                balance.pure_nano.map(rows::signed).into(),
                rows::signed(balance.rho_nano).into(),
                rows::signed(balance.delta_e18).into(),
            ];
            values.extend(more);
        }
        let more: [Value<'_>; 8] = [
            key.query_digest.as_slice().into(),
            key.dataset_version.as_str().into(),
            key.terms_digest.as_slice().into(),
            query.as_str().into(),
            plan.as_str().into(),
            loss.pure_nano.map(rows::signed).into(),
            rows::signed(loss.rho_nano).into(),
            rows::signed(loss.delta_e18).into(),
        ];
        values.extend(more);
        let rows = transaction.together(&CHARGE, &values).await?;
        rows.last().ok_or(StoreError::Damaged("reservation"))?.get("id").map_err(StoreError::from)
    }
}

/// Goes on with a reservation that an earlier attempt left, or that another gateway is at work on.
async fn resume(transaction: &mut Connection, id: i64, standing: &Row) -> Result<Reserved, StoreError> {
    if standing.get::<Option<Vec<u8>>>("release_id")?.is_some() {
        return Ok(Reserved::Stored);
    }
    let (plan, loss) = (standing.get("plan")?, rows::loss(standing)?);
    if rows::state(standing)? == State::Pending {
        let spend = Statement::new("UPDATE reservation SET state = 'spent' WHERE id = $1").bind(id);
        transaction.all(spend).await?;
    }
    let free = Loss { pure_nano: Some(0), rho_nano: 0, delta_e18: 0 };
    Ok(Reserved::Held(Held { id, plan, loss, charged: free }))
}

fn holder(account: &Account) -> &str {
    match &account.holder {
        Holder::Pool => "",
        Holder::Grant(id) => id,
    }
}

/// INVARIANT (an edit forgets nothing): a balance is the sum of the account's reservations since its period began, so a
/// policy that renews otherwise from today on finds all that was charged in what is now the period.
async fn summed(run: &mut impl Run, account: &Account) -> Result<Balance, StoreError> {
    let sql = "SELECT CASE WHEN count(*) = count(pure_nano) THEN CAST(coalesce(sum(pure_nano), 0) AS BIGINT) END AS pure_nano, \
               CAST(coalesce(sum(rho_nano), 0) AS BIGINT) AS rho_nano, \
               CAST(coalesce(sum(delta_e18), 0) AS BIGINT) AS delta_e18 FROM reservation \
               WHERE dataset = $1 AND reserved_at >= $2 AND state <> 'voided' AND ($3 = '' OR grant_id = $3)";
    let statement = Statement::new(sql).bind(account.dataset.as_str()).bind(account.since);
    rows::balance(&run.one(statement.bind(holder(account))).await?)
}

#[cfg(test)]
mod tests;
