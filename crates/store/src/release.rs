//! Stored releases: a noisy answer once measured, repeatable for free.

use lango_ledger::{Event, State};
use lango_privacy::Loss;
use sqlx::{Row, sqlite::SqliteRow};

use crate::{Record, Store, StoreError, record, rows};

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

const STORED: &str = "SELECT release_id, dataset_version, query, plan, layout, cells, pure_nano, rho_nano, delta_e18 \
                      FROM release JOIN reservation ON reservation.id = release.reservation_id ";

impl Store {
    /// The release of a key, if it is stored.
    pub async fn find(&self, key: &ReleaseKey) -> Result<Option<Stored>, StoreError> {
        let sql = format!(
            "{STORED}{}",
            "WHERE query_digest = ? AND dataset_version = ? AND terms_digest = ? AND state <> 'voided'"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(key.query_digest.as_slice())
            .bind(&key.dataset_version);
        let row = query.bind(key.terms_digest.as_slice()).fetch_optional(self.reader()).await?;
        row.as_ref().map(stored).transpose()
    }

    /// The release of an identifier, if it is stored.
    pub async fn release(&self, release_id: &[u8; 16]) -> Result<Option<Stored>, StoreError> {
        let sql = format!("{STORED}{}", "WHERE release_id = ?");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(release_id.as_slice())
            .fetch_optional(self.reader())
            .await?;
        row.as_ref().map(stored).transpose()
    }

    /// How the releases of a dataset's version were made, the newest first, at most so many.
    pub async fn releases_of(
        &self,
        dataset: &str,
        version: &str,
        most: u32,
    ) -> Result<Vec<Made>, StoreError> {
        let sql = "SELECT release_id, query, plan, pure_nano, rho_nano, delta_e18 FROM release JOIN reservation ON reservation.id = reservation_id \
                   WHERE dataset = ? AND dataset_version = ? AND state <> 'voided' ORDER BY reservation.id DESC LIMIT ?";
        let rows = sqlx::query(sql).bind(dataset).bind(version).bind(most).fetch_all(self.reader()).await?;
        rows.iter()
            .map(|row| {
                let id: Vec<u8> = row.try_get("release_id")?;
                Ok(Made {
                    release_id: id.try_into().map_err(|_| StoreError::Damaged("release"))?,
                    query: row.try_get("query")?,
                    plan: row.try_get("plan")?,
                    loss: rows::loss(row)?,
                })
            })
            .collect()
    }

    /// Settles a reservation: spent, its release stored and the access recorded, in one transaction. Only after it
    /// returns may the values leave.
    pub async fn settle(
        &self,
        reservation_id: i64,
        release: &Stored,
        record: &Record,
    ) -> Result<(), StoreError> {
        let mut tx = self.transact("settle").await?;
        step(&mut tx, reservation_id, Event::Released).await?;
        sqlx::query("INSERT INTO release (release_id, reservation_id, layout, cells, released_at) VALUES (?, ?, ?, ?, ?)")
            .bind(release.release_id.as_slice())
            .bind(reservation_id)
            .bind(&release.layout)
            .bind(rows::words(&release.cells))
            .bind(record.at)
            .execute(&mut *tx)
            .await?;
        record::insert(&mut tx, record).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Records that a reserved question failed. The loss is given back only if no statement that reads rows was sent.
    pub async fn fail(
        &self,
        reservation_id: i64,
        rows_were_read: bool,
        record: &Record,
    ) -> Result<(), StoreError> {
        let mut tx = self.transact("fail").await?;
        let event = if rows_were_read { Event::FailedAfterReading } else { Event::FailedBeforeReading };
        let (before, after, row) = step(&mut tx, reservation_id, event).await?;
        if before != State::Voided && after == State::Voided {
            // The sums that held it are forgotten, and made anew from the reservations when they are next asked for.
            sqlx::query("DELETE FROM account WHERE dataset = ? AND holder IN ('', ?)")
                .bind(row.try_get::<String, _>("dataset")?)
                .bind(row.try_get::<String, _>("grant_id")?)
                .execute(&mut *tx)
                .await?;
        }
        record::insert(&mut tx, record).await?;
        tx.commit().await?;
        Ok(())
    }
}

async fn step(
    tx: &mut sqlx::Transaction<'_, sqlx::Sqlite>,
    id: i64,
    event: Event,
) -> Result<(State, State, SqliteRow), StoreError> {
    let row = sqlx::query("SELECT * FROM reservation WHERE id = ?").bind(id).fetch_one(&mut **tx).await?;
    let before = rows::state(&row)?;
    let after = before.after(event)?;
    sqlx::query("UPDATE reservation SET state = ? WHERE id = ?")
        .bind(after.word())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    Ok((before, after, row))
}

fn stored(row: &SqliteRow) -> Result<Stored, StoreError> {
    let id: Vec<u8> = row.try_get("release_id")?;
    Ok(Stored {
        release_id: id.try_into().map_err(|_| StoreError::Damaged("release"))?,
        dataset_version: row.try_get("dataset_version")?,
        query: row.try_get("query")?,
        plan: row.try_get("plan")?,
        layout: row.try_get("layout")?,
        cells: rows::cells(row.try_get("cells")?)?,
        loss: rows::loss(row)?,
    })
}
