//! Stored releases: a noisy answer once measured, repeatable for free.

use async_trait::async_trait;
use lango_ledger::{Event, State};
use lango_privacy::Loss;

use crate::{
    Record, Store, StoreError,
    engine::{Connection, Row, Run, Statement, Value, Writes},
    record, rows,
    writer::Write,
};

/// The most releases that may hold counts, and the longest texts that they may have: 6 MB in all.
const COUNTS_MOST: i64 = 250;
const QUERY_BYTES_MOST: i64 = 8 << 10;
const PLAN_BYTES_MOST: i64 = 16 << 10;

/// What makes two questions the same: one draw of noise serves all that share it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReleaseKey {
    /// Digest of the canonical text.
    pub query_digest: [u8; 32],
    /// The dataset's version.
    pub dataset_version: String,
    /// Digest of the terms.
    pub terms_digest: [u8; 32],
}

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The release is stored and may leave.
    Stored,
    /// Another gateway has answered the same question first: its release is the one, this one is forgotten.
    Earlier,
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

impl Store {
    /// The release of a key, if it is stored.
    pub async fn find(&self, key: &ReleaseKey) -> Result<Option<Stored>, StoreError> {
        let sql =
            stored!("query_digest = $1 AND dataset_version = $2 AND terms_digest = $3 AND state <> 'voided'");
        let statement =
            Statement::new(sql).bind(key.query_digest.as_slice()).bind(key.dataset_version.as_str());
        let row = self.reader().optional(statement.bind(key.terms_digest.as_slice())).await?;
        row.as_ref().map(stored).transpose()
    }

    /// The release of an identifier, if it is stored.
    pub async fn release(&self, release_id: &[u8; 16]) -> Result<Option<Stored>, StoreError> {
        let statement = Statement::new(stored!("release_id = $1")).bind(release_id.as_slice());
        self.reader().optional(statement).await?.as_ref().map(stored).transpose()
    }

    /// How those among the newest releases of a dataset's version were made that may hold counts of rows with a value; at most
    /// 250, and none whose texts are longer than such a release's are.
    pub async fn releases_of(
        &self,
        dataset: &str,
        version: &str,
        most: u32,
    ) -> Result<Vec<Made>, StoreError> {
        let sql = "SELECT release_id, query, plan, pure_nano, rho_nano, delta_e18 FROM \
                   (SELECT reservation.id AS place, release_id, query, plan, pure_nano, rho_nano, delta_e18 FROM release \
                   JOIN reservation ON reservation.id = reservation_id \
                   WHERE dataset = $1 AND dataset_version = $2 AND state <> 'voided' \
                   ORDER BY reservation.id DESC LIMIT $3) AS newest \
                   WHERE length(query) <= $4 AND length(plan) <= $5 AND query LIKE '%measure rows(%' \
                   ORDER BY place DESC LIMIT $6";
        let statement = Statement::new(sql).bind(dataset).bind(version).bind(i64::from(most));
        let statement = statement.bind(QUERY_BYTES_MOST).bind(PLAN_BYTES_MOST).bind(COUNTS_MOST);
        let rows = self.reader().all(statement).await?;
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

    /// Records that a reserved question failed. The loss is given back only if no statement that reads rows was sent.
    pub async fn fail(
        &self,
        reservation_id: i64,
        rows_were_read: bool,
        record: &Record,
    ) -> Result<(), StoreError> {
        self.write(Fail { reservation_id, rows_were_read, record: record.clone() }).await
    }
}

static SETTLE: Writes = Writes::new(&[
    record::INSERT,
    "UPDATE reservation SET state = $15 WHERE id = $16",
    "INSERT INTO release (release_id, reservation_id, layout, cells, released_at) VALUES ($17, $16, $18, $19, $1)",
]);

struct Settle {
    reservation_id: i64,
    release_id: [u8; 16],
    layout: String,
    words: Vec<u8>,
    record: Record,
}

#[async_trait]
impl Write for Settle {
    type Outcome = Settled;

    /// INVARIANT (one draw of noise): a reservation has one release, that of whoever settles first.
    async fn apply(&self, transaction: &mut Connection) -> Result<Settled, StoreError> {
        let sql = "SELECT state, release_id FROM reservation LEFT JOIN release ON reservation_id = id WHERE id = $1";
        let row = transaction.one(Statement::new(sql).bind(self.reservation_id)).await?;
        if row.get::<Option<Vec<u8>>>("release_id")?.is_some() {
            return Ok(Settled::Earlier);
        }
        let state = rows::state(&row)?.after(Event::Released)?;
        let mut values = record::values(&self.record);
        let more: [Value<'_>; 5] = [
            state.word().into(),
            self.reservation_id.into(),
            self.release_id.as_slice().into(),
            self.layout.as_str().into(),
            self.words.as_slice().into(),
        ];
        values.extend(more);
        transaction.together(&SETTLE, &values).await?;
        Ok(Settled::Stored)
    }
}

static FAIL: Writes = Writes::new(&[record::INSERT, "UPDATE reservation SET state = $15 WHERE id = $16"]);

struct Fail {
    reservation_id: i64,
    rows_were_read: bool,
    record: Record,
}

#[async_trait]
impl Write for Fail {
    type Outcome = ();

    async fn apply(&self, transaction: &mut Connection) -> Result<(), StoreError> {
        let event = if self.rows_were_read { Event::FailedAfterReading } else { Event::FailedBeforeReading };
        let sql = "SELECT state, dataset, grant_id FROM reservation WHERE id = $1";
        let row = transaction.one(Statement::new(sql).bind(self.reservation_id)).await?;
        let before = rows::state(&row)?;
        let after = before.after(event)?;
        if after == State::Voided {
            // The sums that held it are forgotten, and made anew from the reservations when they are next asked for.
            let (dataset, grant): (String, String) = (row.get("dataset")?, row.get("grant_id")?);
            let sql = "DELETE FROM account WHERE dataset = $1 AND holder IN ('', $2)";
            transaction.all(Statement::new(sql).bind(dataset.as_str()).bind(grant.as_str())).await?;
        }
        let mut values = record::values(&self.record);
        let more: [Value<'_>; 2] = [after.word().into(), self.reservation_id.into()];
        values.extend(more);
        transaction.together(&FAIL, &values).await?;
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
