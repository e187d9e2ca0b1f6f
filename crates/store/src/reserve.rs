//! Reserving: the ledger refuses or sets the loss aside, before anything is measured.

use async_trait::async_trait;
use lango_access_log::LoggedCharge;
use lango_ledger::{Account, Balance, ChargeRefusal, Limit, PoolMember, ReservationEvent, may_charge};
use lango_privacy::Loss;

use crate::{
    Record, ReleaseKey, Store, StoreError,
    balance::{balance, holder, summed},
    engine::{Connection, Row, Run},
    leaf::{Charges, logged_charge},
    request,
    rows::{self, SetState},
    statement::{Together, statement},
    writer::Write,
};

/// What is to be set aside, and where.
#[derive(Debug, Clone)]
pub struct Reserve {
    /// The release key.
    pub key: ReleaseKey,
    /// The dataset in its pool, over its rows: as declared.
    pub member: PoolMember,
    /// The question's canonical text.
    pub query: String,
    /// The plan's text: the first plan made under a key is the one that every retry uses.
    pub plan: String,
    /// What is set aside.
    pub loss: Loss,
    /// The pool and the grant's share, both of which must cover it.
    pub pool: Charge,
    /// The grant's share.
    pub share: Charge,
}

/// An account with its limit under the policy in force.
#[derive(Debug, Clone)]
pub struct Charge {
    /// The account.
    pub account: Account,
    /// What may be charged to it.
    pub limit: Limit,
}

/// A reservation that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldCharge {
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
    Held(HeldCharge),
    /// The answer has been stored meanwhile.
    Stored,
    /// An account does not cover it; nothing has changed.
    Refused(ChargeRefusal),
    /// The request has been reserved before for another release key, of this version of the dataset; nothing has changed.
    OtherKey(String),
    /// A gateway with another policy has moved the pool's charges; nothing has changed.
    Moved,
}

impl Store {
    /// Sets a loss aside for a release key, in one transaction with its access record. A reservation left by an earlier
    /// attempt is resumed at no charge; whether that attempt read rows is not known, so it counts as spent from here on.
    pub async fn reserve(&self, reserve: &Reserve, record: &Record) -> Result<Reserved, StoreError> {
        self.write(SetAside { reserve: reserve.clone(), record: record.clone() }).await
    }

    /// The balance of an account; empty where nothing has been charged.
    pub async fn balance(&self, account: &Account) -> Result<Balance, StoreError> {
        balance(&mut self.reader(), account).await
    }
}

statement! {
    /// All that decides, in one row: the live reservation of the key, its release, both accounts, the pool's member and the
    /// request.
    Standing {
        query_digest, version, terms_digest, pool, pool_period, grant, grant_period, dataset, rows_from, principal, request_id,
    } = "SELECT reservation.id, state, plan, reservation.pure_nano, reservation.rho_nano, reservation.delta_e18, \
         release_id, pool.pure_nano AS pool_pure, pool.rho_nano AS pool_rho, pool.delta_e18 AS pool_delta, \
         share.pure_nano AS share_pure, share.rho_nano AS share_rho, share.delta_e18 AS share_delta, \
         member.pool AS member_of, request.dataset_version AS reserved_version, \
         request.query_digest AS reserved_query, request.terms_digest AS reserved_terms FROM (SELECT 1) AS always \
         LEFT JOIN reservation ON reservation.query_digest = :query_digest AND reservation.dataset_version = :version \
         AND reservation.terms_digest = :terms_digest AND state <> 'voided' \
         LEFT JOIN release ON release.reservation_id = reservation.id \
         LEFT JOIN account AS pool ON pool.pool = :pool AND pool.holder = '' AND pool.period = :pool_period \
         LEFT JOIN account AS share ON share.pool = :pool AND share.holder = :grant AND share.period = :grant_period \
         LEFT JOIN pool_member AS member ON member.pool = :pool AND member.dataset = :dataset AND member.rows_from = :rows_from \
         LEFT JOIN request ON request.principal = :principal AND request.request_id = :request_id"
}

statement! {
    /// Both accounts after a charge.
    SetAccounts {
        pool, pool_period, pool_pure, pool_rho, pool_delta, grant, grant_period, grant_pure, grant_rho, grant_delta,
    } = "INSERT INTO account (pool, holder, period, pure_nano, rho_nano, delta_e18) \
         VALUES (:pool, '', :pool_period, :pool_pure, :pool_rho, :pool_delta), \
         (:pool, :grant, :grant_period, :grant_pure, :grant_rho, :grant_delta) \
         ON CONFLICT (pool, holder) DO UPDATE SET period = excluded.period, \
         pure_nano = excluded.pure_nano, rho_nano = excluded.rho_nano, delta_e18 = excluded.delta_e18"
}

statement! {
    /// A reservation, and its identifier.
    InsertReservation {
        query_digest, version, terms_digest, query, dataset, pool, rows_from, grant, period, plan, pure_nano, rho_nano, delta_e18, at,
    } = "INSERT INTO reservation (query_digest, dataset_version, terms_digest, query, dataset, pool, rows_from, grant_id, period, \
         plan, pure_nano, rho_nano, delta_e18, reserved_at, state) \
         VALUES (:query_digest, :version, :terms_digest, :query, :dataset, :pool, :rows_from, :grant, :period, :plan, :pure_nano, \
         :rho_nano, :delta_e18, :at, 'pending') RETURNING id"
}

static CHARGE: Together = Together::new();

struct SetAside {
    reserve: Reserve,
    record: Record,
}

#[async_trait]
impl Write for SetAside {
    const NAME: &'static str = "reserve";

    type Outcome = Reserved;

    async fn apply(&self, transaction: &mut Connection) -> Result<Reserved, StoreError> {
        let standing = transaction.one(self.standing().into()).await?;
        let Reserve { key, pool, share, loss, .. } = &self.reserve;
        if let Some(first) = reserved_for(&standing)?.filter(|first| !may_charge(Some(first), key)) {
            return Ok(Reserved::OtherKey(first.dataset_version));
        }
        if standing.get::<Option<String>>("member_of")?.is_none() {
            return Ok(Reserved::Moved);
        }
        if let Some(id) = standing.get::<Option<i64>>("id")? {
            return self.resume(transaction, id, &standing).await;
        }
        let (mut before, mut after) = ([Balance::default(); 2], [Balance::default(); 2]);
        let columns = [["pool_pure", "pool_rho", "pool_delta"], ["share_pure", "share_rho", "share_delta"]];
        for (((before, after), columns), Charge { account, limit }) in
            before.iter_mut().zip(&mut after).zip(columns).zip([pool, share])
        {
            *before = match rows::kept(&standing, columns)? {
                Some(kept) => kept,
                None => summed(transaction, account).await?,
            };
            match before.charge(account, loss, limit) {
                Ok(charged) => *after = charged,
                Err(refusal) => return Ok(Reserved::Refused(refusal)),
            }
        }
        let [pool_after, share_after] = after;
        let [pool_before, share_before] = before;
        let charge = logged_charge(
            loss,
            [(&pool.account, pool_before, pool_after), (&share.account, share_before, share_after)],
        );
        let id = self.charge(transaction, &after, charge).await?;
        Ok(Reserved::Held(HeldCharge { id, plan: self.reserve.plan.clone(), loss: *loss, charged: *loss }))
    }
}

impl SetAside {
    fn standing(&self) -> Standing<'_> {
        let Reserve { key, member, pool, share, .. } = &self.reserve;
        Standing {
            query_digest: (&key.query_digest).into(),
            version: (&key.dataset_version).into(),
            terms_digest: (&key.terms_digest).into(),
            pool: (&member.pool).into(),
            pool_period: (&pool.account.period).into(),
            grant: holder(&share.account).into(),
            grant_period: (&share.account.period).into(),
            dataset: (&member.dataset).into(),
            rows_from: (&member.rows_from).into(),
            principal: (&self.record.principal).into(),
            request_id: self.record.request.as_ref().map(|request| &request.id).into(),
        }
    }

    /// Writes the reservation and what both accounts are after it.
    async fn charge(
        &self,
        transaction: &mut Connection,
        after: &[Balance; 2],
        logged: LoggedCharge,
    ) -> Result<i64, StoreError> {
        let Reserve { key, member, query, plan, loss, pool, share } = &self.reserve;
        let [pool_after, share_after] = after;
        let accounts = SetAccounts {
            pool: (&member.pool).into(),
            pool_period: (&pool.account.period).into(),
            pool_pure: pool_after.pure_nano.map(rows::signed).into(),
            pool_rho: rows::signed(pool_after.rho_nano).into(),
            pool_delta: rows::signed(pool_after.delta_e18).into(),
            grant: holder(&share.account).into(),
            grant_period: (&share.account.period).into(),
            grant_pure: share_after.pure_nano.map(rows::signed).into(),
            grant_rho: rows::signed(share_after.rho_nano).into(),
            grant_delta: rows::signed(share_after.delta_e18).into(),
        };
        let reservation = InsertReservation {
            query_digest: (&key.query_digest).into(),
            version: (&key.dataset_version).into(),
            terms_digest: (&key.terms_digest).into(),
            query: query.into(),
            dataset: (&member.dataset).into(),
            pool: (&member.pool).into(),
            rows_from: (&member.rows_from).into(),
            grant: holder(&share.account).into(),
            period: (&share.account.period).into(),
            plan: plan.into(),
            pure_nano: loss.pure_nano.map(rows::signed).into(),
            rho_nano: rows::signed(loss.rho_nano).into(),
            delta_e18: rows::signed(loss.delta_e18).into(),
            at: self.record.at.into(),
        };
        let leaf = self.record.leaf_with(Charges { charged: Some(logged), given_back: None })?;
        let mut statements = self.record.statements(&leaf, Some(key));
        statements.extend([accounts.into(), reservation.into()]);
        let rows = transaction.together(&CHARGE, statements).await?;
        rows.last().ok_or(StoreError::Damaged("reservation"))?.get("id").map_err(StoreError::from)
    }

    /// Goes on with a reservation that an earlier attempt left, or that another gateway is at work on.
    async fn resume(
        &self,
        transaction: &mut Connection,
        id: i64,
        standing: &Row,
    ) -> Result<Reserved, StoreError> {
        if standing.get::<Option<Vec<u8>>>("release_id")?.is_some() {
            return Ok(Reserved::Stored);
        }
        let (plan, loss) = (standing.get("plan")?, rows::loss(standing)?);
        let before = rows::state(standing)?;
        let after = before.after(ReservationEvent::Resumed)?;
        if after != before {
            transaction.all(SetState { state: after.word().into(), id: id.into() }.into()).await?;
        }
        transaction.all(request::step(&self.record, Some(&self.reserve.key))).await?;
        Ok(Reserved::Held(HeldCharge { id, plan, loss, charged: Loss::FREE }))
    }
}

/// The release key that the request was reserved for, where it was.
fn reserved_for(standing: &Row) -> Result<Option<ReleaseKey>, StoreError> {
    let Some(dataset_version) = standing.get("reserved_version")? else { return Ok(None) };
    let digest = |column| {
        let bytes: Vec<u8> = standing.get(column)?;
        bytes.try_into().map_err(|_| StoreError::Damaged("request"))
    };
    let (query_digest, terms_digest) = (digest("reserved_query")?, digest("reserved_terms")?);
    Ok(Some(ReleaseKey { query_digest, dataset_version, terms_digest }))
}

#[cfg(test)]
mod tests;
