//! What was charged to an account: the sum that is kept of it, or the sum of its reservations.

use lango_ledger::{Account, Balance, Holder};

use crate::{StoreError, engine::Run, rows, statement::statement};

statement! {
    /// The kept sum of an account.
    Kept { pool, holder, period } =
        "SELECT pure_nano, rho_nano, delta_e18 FROM account WHERE pool = :pool AND holder = :holder AND period = :period"
}

statement! {
    /// INVARIANT (an edit forgets nothing): a balance is the sum of the account's reservations since its period began, so a
    /// policy that renews otherwise from today on finds all that was charged in what is now the period.
    Sum { pool, since, grant } =
        "SELECT CASE WHEN count(*) = count(pure_nano) THEN CAST(coalesce(sum(pure_nano), 0) AS BIGINT) END AS pure_nano, \
         CAST(coalesce(sum(rho_nano), 0) AS BIGINT) AS rho_nano, \
         CAST(coalesce(sum(delta_e18), 0) AS BIGINT) AS delta_e18 FROM reservation \
         WHERE pool = :pool AND reserved_at >= :since AND state <> 'voided' AND (:grant = '' OR grant_id = :grant)"
}

/// How the holder of an account is named in the store.
pub(crate) fn holder(account: &Account) -> &str {
    match &account.holder {
        Holder::Pool => "",
        Holder::Grant(id) => id,
    }
}

/// The balance of an account; empty where nothing has been charged.
pub(crate) async fn balance(run: &mut impl Run, account: &Account) -> Result<Balance, StoreError> {
    let Account { pool, period, since, .. } = account;
    let holder = holder(account);
    let kept = Kept { pool: pool.into(), holder: holder.into(), period: period.into() };
    let sum = Sum { pool: pool.into(), since: (*since).into(), grant: holder.into() };
    match run.optional(kept.into()).await? {
        Some(row) => rows::balance(&row),
        None => rows::balance(&run.one(sum.into()).await?),
    }
}

pub(crate) async fn summed(run: &mut impl Run, account: &Account) -> Result<Balance, StoreError> {
    let Account { pool, since, .. } = account;
    rows::balance(
        &run.one(Sum { pool: pool.into(), since: (*since).into(), grant: holder(account).into() }.into())
            .await?,
    )
}
