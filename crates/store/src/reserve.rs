//! Reserving: the ledger refuses or sets the loss aside, before anything is measured.

use lango_ledger::{Account, Balance, Holder, Limit, Refusal, State};
use lango_privacy::Loss;
use sqlx::{Row, Sqlite, SqliteConnection, Transaction};

use crate::{Record, ReleaseKey, Store, StoreError, record, rows};

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
    Refused(Refusal),
}

impl Store {
    /// Sets a loss aside for a release key, in one transaction with its access record. A reservation left by an earlier
    /// attempt is resumed at no charge; whether that attempt read rows is not known, so it counts as spent from here on.
    pub async fn reserve(&self, reserve: &Reserve, record: &Record) -> Result<Reserved, StoreError> {
        let mut tx = self.transact("reserve").await?;
        let sql = "SELECT reservation.*, release_id FROM reservation LEFT JOIN release ON reservation_id = reservation.id \
                   WHERE query_digest = ? AND dataset_version = ? AND terms_digest = ? AND state <> 'voided'";
        let query =
            sqlx::query(sql).bind(reserve.key.query_digest.as_slice()).bind(&reserve.key.dataset_version);
        let found = query.bind(reserve.key.terms_digest.as_slice()).fetch_optional(&mut *tx).await?;
        if let Some(row) = found {
            if row.try_get::<Option<Vec<u8>>, _>("release_id")?.is_some() {
                return Ok(Reserved::Stored);
            }
            let id: i64 = row.try_get("id")?;
            if rows::state(&row)? == State::Pending {
                sqlx::query("UPDATE reservation SET state = 'spent' WHERE id = ?")
                    .bind(id)
                    .execute(&mut *tx)
                    .await?;
            }
            tx.commit().await?;
            let free = Loss { pure_nano: Some(0), rho_nano: 0, delta_e18: 0 };
            return Ok(Reserved::Held(Held {
                id,
                plan: row.try_get("plan")?,
                loss: rows::loss(&row)?,
                charged: free,
            }));
        }
        for Charge { account, limit } in [&reserve.pool, &reserve.share] {
            let before = balance(&mut tx, account).await?;
            match before.charge(account, &reserve.loss, limit) {
                Ok(after) => write(&mut tx, account, &after).await?,
                // Dropping the transaction undoes a pool already charged.
                Err(refusal) => return Ok(Reserved::Refused(refusal)),
            }
        }
        let id = insert(&mut tx, reserve, record.at).await?;
        record::insert(&mut tx, record).await?;
        tx.commit().await?;
        let (plan, loss) = (reserve.plan.clone(), reserve.loss);
        Ok(Reserved::Held(Held { id, plan, loss, charged: loss }))
    }

    /// The balance of an account; empty where nothing has been charged.
    pub async fn balance(&self, account: &Account) -> Result<Balance, StoreError> {
        let mut reader = self.reader().acquire().await?;
        balance(&mut reader, account).await
    }
}

fn holder(account: &Account) -> &str {
    match &account.holder {
        Holder::Pool => "",
        Holder::Grant(id) => id,
    }
}

/// INVARIANT (an edit forgets nothing): a balance is the sum of the account's reservations since its period began, so a
/// policy that renews otherwise from today on finds all that was charged in what is now the period.
async fn balance(connection: &mut SqliteConnection, account: &Account) -> Result<Balance, StoreError> {
    let sql =
        "SELECT pure_nano, rho_nano, delta_e18 FROM account WHERE dataset = ? AND holder = ? AND period = ?";
    let kept = sqlx::query(sql).bind(&account.dataset).bind(holder(account)).bind(&account.period);
    if let Some(row) = kept.fetch_optional(&mut *connection).await? {
        return rows::balance(&row);
    }
    let sql = "SELECT CASE WHEN count(*) = count(pure_nano) THEN coalesce(sum(pure_nano), 0) END AS pure_nano, \
               coalesce(sum(rho_nano), 0) AS rho_nano, coalesce(sum(delta_e18), 0) AS delta_e18 FROM reservation \
               WHERE dataset = ? AND reserved_at >= ? AND state <> 'voided' AND (? = '' OR grant_id = ?)";
    let sums = sqlx::query(sql)
        .bind(&account.dataset)
        .bind(account.since)
        .bind(holder(account))
        .bind(holder(account));
    rows::balance(&sums.fetch_one(connection).await?)
}

async fn write(
    tx: &mut Transaction<'_, Sqlite>,
    account: &Account,
    balance: &Balance,
) -> Result<(), StoreError> {
    sqlx::query("INSERT OR REPLACE INTO account (dataset, holder, period, pure_nano, rho_nano, delta_e18) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(&account.dataset)
        .bind(holder(account))
        .bind(&account.period)
        .bind(balance.pure_nano.map(rows::signed))
        .bind(rows::signed(balance.rho_nano))
        .bind(rows::signed(balance.delta_e18))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

async fn insert(tx: &mut Transaction<'_, Sqlite>, reserve: &Reserve, at: i64) -> Result<i64, StoreError> {
    let sql = "INSERT INTO reservation (query_digest, dataset_version, terms_digest, query, dataset, grant_id, period, plan, \
               pure_nano, rho_nano, delta_e18, reserved_at, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending')";
    let done = sqlx::query(sql)
        .bind(reserve.key.query_digest.as_slice())
        .bind(&reserve.key.dataset_version)
        .bind(reserve.key.terms_digest.as_slice())
        .bind(&reserve.query)
        .bind(&reserve.share.account.dataset)
        .bind(holder(&reserve.share.account))
        .bind(&reserve.share.account.period)
        .bind(&reserve.plan)
        .bind(reserve.loss.pure_nano.map(rows::signed))
        .bind(rows::signed(reserve.loss.rho_nano))
        .bind(rows::signed(reserve.loss.delta_e18))
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(done.last_insert_rowid())
}

#[cfg(test)]
mod tests;
