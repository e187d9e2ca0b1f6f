//! Stored releases: a noisy answer once measured, repeatable for free.

use async_trait::async_trait;
use lango_ledger::{Account, ReservationEvent, ReservationState};
use lango_privacy::Loss;

use crate::{
    Record, ReleaseKey, Store, StoreError,
    balance::balance,
    engine::{Connection, Row, Run},
    leaf::{Charges, logged_charge},
    request,
    rows::{self, SetState},
    statement::{Together, statement},
    writer::Write,
};

/// The most releases that may hold counts, and the longest texts that they may have: 6 MB in all.
const COUNTS_MOST: i64 = 250;
const QUERY_BYTES_MOST: i64 = 8 << 10;
const PLAN_BYTES_MOST: i64 = 16 << 10;

/// A release as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The same for every answer with these values.
    pub release_id: [u8; 16],
    /// The dataset's version.
    pub dataset_version: String,
    /// The question's canonical text.
    pub query: String,
    /// The plan's text.
    pub plan: String,
    /// The layout's text.
    pub layout: String,
    /// The noisy integers.
    pub cells: Vec<i64>,
    /// What the release cost when it was made.
    pub loss: Loss,
}

/// How a stored release was made: neither its figures nor where they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The same for every answer with these values.
    pub release_id: [u8; 16],
    /// The question's canonical text.
    pub query: String,
    /// The plan's text.
    pub plan: String,
    /// What it cost.
    pub loss: Loss,
}

/// What became of an attempt to settle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// The release is stored and may leave.
    Stored,
    /// Another gateway has answered the same question first: its release is the one, this one is forgotten.
    Earlier,
    /// Another gateway has answered the same request first: this release is forgotten.
    Answered,
}

macro_rules! stored {
    ($condition:literal) => {
        concat!(
            "SELECT release_id, dataset_version, query, plan, layout, cells, pure_nano, rho_nano, delta_e18 ",
            "FROM release JOIN reservation ON reservation.id = release.reservation_id WHERE ",
            $condition
        )
    };
}

statement! {
    /// The release of a key.
    OfKey { query_digest, version, terms_digest } = stored!(
        "query_digest = :query_digest AND dataset_version = :version AND terms_digest = :terms_digest AND state <> 'voided'"
    )
}

statement! {
    /// The release of an identifier.
    OfId { release_id } = stored!("release_id = :release_id")
}

statement! {
    /// How the newest releases were made that may hold counts, the newest first.
    OfVersion { dataset, version, most, query_bytes, plan_bytes, counts } =
        "SELECT release_id, query, plan, pure_nano, rho_nano, delta_e18 FROM \
         (SELECT reservation.id AS place, release_id, query, plan, pure_nano, rho_nano, delta_e18 FROM release \
         JOIN reservation ON reservation.id = reservation_id \
         WHERE dataset = :dataset AND dataset_version = :version AND state <> 'voided' \
         ORDER BY reservation.id DESC LIMIT :most) AS newest \
         WHERE length(query) <= :query_bytes AND length(plan) <= :plan_bytes AND query LIKE '%measure rows(%' \
         ORDER BY place DESC LIMIT :counts"
}

statement! {
    /// How a reservation stands, its loss and its release.
    Reserved { id } =
        "SELECT state, pool, grant_id, pure_nano, rho_nano, delta_e18, release_id FROM reservation LEFT JOIN release ON reservation_id = id WHERE id = :id"
}

statement! {
    /// Stores a release.
    InsertRelease { release_id, id, layout, cells, at } =
        "INSERT INTO release (release_id, reservation_id, layout, cells, released_at) VALUES (:release_id, :id, :layout, :cells, :at)"
}

statement! {
    /// Forgets the sums that hold a reservation's loss; they are made anew from the reservations when they are next asked for.
    ForgetShares { pool, grant } = "DELETE FROM account WHERE pool = :pool AND holder IN ('', :grant)"
}

impl Store {
    /// The release of a key, if it is stored.
    pub async fn find(&self, key: &ReleaseKey) -> Result<Option<Stored>, StoreError> {
        of_key(&mut self.reader(), key).await
    }

    /// The release of an identifier, if it is stored.
    pub async fn release(&self, release_id: &[u8; 16]) -> Result<Option<Stored>, StoreError> {
        of_id(&mut self.reader(), release_id).await
    }

    /// How those among the newest releases of a dataset's version were made that may hold counts of rows with a value; at most
    /// 250, and none whose texts are longer than such a release's are.
    pub async fn releases_of(
        &self,
        dataset: &str,
        version: &str,
        most: u32,
    ) -> Result<Vec<Made>, StoreError> {
        let of_version = OfVersion {
            dataset: dataset.into(),
            version: version.into(),
            most: i64::from(most).into(),
            query_bytes: QUERY_BYTES_MOST.into(),
            plan_bytes: PLAN_BYTES_MOST.into(),
            counts: COUNTS_MOST.into(),
        };
        let rows = self.reader().all(of_version.into()).await?;
        rows.iter()
            .map(|row| {
                Ok(Made {
                    release_id: release_id(row)?,
                    query: row.get("query")?,
                    plan: row.get("plan")?,
                    loss: rows::loss(row)?,
                })
            })
            .collect()
    }

    /// Settles a reservation: spent, its release stored and the access recorded, in one transaction. Only after it
    /// returns may the values leave, and only if they are the ones that are stored.
    pub async fn settle(
        &self,
        reservation_id: i64,
        release: &Stored,
        record: &Record,
    ) -> Result<Settled, StoreError> {
        self.write(Settle {
            reservation_id,
            release_id: release.release_id,
            layout: release.layout.clone(),
            words: rows::words(&release.cells),
            record: record.clone(),
        })
        .await
    }

    /// Records that a reserved question failed. The loss is given back only if no statement that reads rows was sent; the
    /// accounts are the pool and the grant's share that it was charged to.
    pub async fn fail(
        &self,
        reservation_id: i64,
        accounts: &[Account; 2],
        rows_were_read: bool,
        record: &Record,
    ) -> Result<(), StoreError> {
        let (accounts, record) = (accounts.clone(), record.clone());
        self.write(Fail { reservation_id, accounts, rows_were_read, record }).await
    }
}

pub(crate) async fn of_key(run: &mut impl Run, key: &ReleaseKey) -> Result<Option<Stored>, StoreError> {
    let of_key = OfKey {
        query_digest: (&key.query_digest).into(),
        version: (&key.dataset_version).into(),
        terms_digest: (&key.terms_digest).into(),
    };
    run.optional(of_key.into()).await?.as_ref().map(stored).transpose()
}

pub(crate) async fn of_id(run: &mut impl Run, release_id: &[u8; 16]) -> Result<Option<Stored>, StoreError> {
    let of_id = OfId { release_id: release_id.into() };
    run.optional(of_id.into()).await?.as_ref().map(stored).transpose()
}

static SETTLE: Together = Together::new();

struct Settle {
    reservation_id: i64,
    release_id: [u8; 16],
    layout: String,
    words: Vec<u8>,
    record: Record,
}

#[async_trait]
impl Write for Settle {
    const NAME: &'static str = "settle";

    type Outcome = Settled;

    /// INVARIANT (one draw of noise): a reservation has one release, that of the gateway that settles first.
    async fn apply(&self, transaction: &mut Connection) -> Result<Settled, StoreError> {
        let Self { reservation_id, release_id, layout, words, record } = self;
        let row = transaction.one(Reserved { id: (*reservation_id).into() }.into()).await?;
        if request::is_answered(transaction, record).await? {
            return Ok(Settled::Answered);
        }
        if row.get::<Option<Vec<u8>>>("release_id")?.is_some() {
            return Ok(Settled::Earlier);
        }
        let state = rows::state(&row)?.after(ReservationEvent::Released)?;
        let set_state = SetState { state: state.word().into(), id: (*reservation_id).into() };
        let insert = InsertRelease {
            release_id: release_id.into(),
            id: (*reservation_id).into(),
            layout: layout.into(),
            cells: words.as_slice().into(),
            at: record.at.into(),
        };
        let leaf = record.leaf()?;
        let mut statements = record.statements(&leaf, None);
        statements.extend([set_state.into(), insert.into()]);
        transaction.together(&SETTLE, statements).await?;
        Ok(Settled::Stored)
    }
}

static FAIL: Together = Together::new();

struct Fail {
    reservation_id: i64,
    accounts: [Account; 2],
    rows_were_read: bool,
    record: Record,
}

#[async_trait]
impl Write for Fail {
    const NAME: &'static str = "fail";

    type Outcome = ();

    async fn apply(&self, transaction: &mut Connection) -> Result<(), StoreError> {
        let event = if self.rows_were_read {
            ReservationEvent::FailedAfterReading
        } else {
            ReservationEvent::FailedBeforeReading
        };
        let row = transaction.one(Reserved { id: self.reservation_id.into() }.into()).await?;
        let after = rows::state(&row)?.after(event)?;
        let set_state = SetState { state: after.word().into(), id: self.reservation_id.into() };
        let mut charges = Charges::default();
        if after == ReservationState::Voided {
            let [pool, share] = &self.accounts;
            let (pool_before, share_before) =
                (balance(transaction, pool).await?, balance(transaction, share).await?);
            let (of_pool, of_grant): (String, String) = (row.get("pool")?, row.get("grant_id")?);
            let forget = ForgetShares { pool: (&of_pool).into(), grant: (&of_grant).into() };
            transaction.all(forget.into()).await?;
            transaction.all(set_state.into()).await?;
            let (pool_after, share_after) =
                (balance(transaction, pool).await?, balance(transaction, share).await?);
            let accounts = [(pool, pool_before, pool_after), (share, share_before, share_after)];
            charges.given_back = Some(logged_charge(&rows::loss(&row)?, accounts));
        } else {
            transaction.all(set_state.into()).await?;
        }
        let leaf = self.record.leaf_with(charges)?;
        transaction.together(&FAIL, self.record.statements(&leaf, None)).await?;
        Ok(())
    }
}

fn release_id(row: &Row) -> Result<[u8; 16], StoreError> {
    row.get::<Vec<u8>>("release_id")?.try_into().map_err(|_| StoreError::Damaged("release"))
}

fn stored(row: &Row) -> Result<Stored, StoreError> {
    Ok(Stored {
        release_id: release_id(row)?,
        dataset_version: row.get("dataset_version")?,
        query: row.get("query")?,
        plan: row.get("plan")?,
        layout: row.get("layout")?,
        cells: rows::cells(&row.get::<Vec<u8>>("cells")?)?,
        loss: rows::loss(row)?,
    })
}
