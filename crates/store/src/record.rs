//! The access records: one for every request that was decided, refusals included.

use lango_privacy::Loss;
use sqlx::{Row, Sqlite, Transaction};

use crate::{Store, StoreError, rows};

/// What was asked, by whom, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Unix seconds.
    pub at: i64,
    /// The asker's SPIFFE URI.
    pub principal: String,
    /// For what, in the asker's words.
    pub purpose: String,
    /// Digest of the request.
    pub request_digest: [u8; 32],
    /// Digest of the question's text.
    pub query_digest: Option<[u8; 32]>,
    /// The dataset asked for.
    pub dataset: Option<String>,
    /// What was decided.
    pub decision: Decision,
    /// The refusal's code, empty where there is none.
    pub reason: String,
    /// The grant that decided.
    pub rule: Option<String>,
    /// Digest of the policy in force.
    pub policy_digest: [u8; 32],
    /// What was charged; nothing where it was free.
    pub charged: Loss,
    /// What was handed out.
    pub release_id: Option<[u8; 16]>,
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The loss is set aside; an answer or a failure follows.
    Reserved,
    /// A new answer.
    Released,
    /// A stored answer, free.
    Repeated,
    /// A price was told.
    Estimated,
    /// The datasets were told.
    Described,
    /// Refused.
    Refused,
    /// Failed after the decision.
    Failed,
}

impl Decision {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Released => "released",
            Self::Repeated => "repeated",
            Self::Estimated => "estimated",
            Self::Described => "described",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// A record with its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Counts from 1, without gaps.
    pub sequence: i64,
    /// Unix seconds.
    pub at: i64,
    /// The asker's SPIFFE URI.
    pub principal: String,
    /// What was decided.
    pub decision: String,
    /// The refusal's code.
    pub reason: String,
    /// The grant that decided.
    pub rule: Option<String>,
    /// What was charged.
    pub charged: Loss,
}

impl Store {
    /// Appends the record of a request that changes nothing else.
    pub async fn append(&self, record: &Record) -> Result<(), StoreError> {
        let mut tx = self.transact("append").await?;
        insert(&mut tx, record).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The records after a sequence number, oldest first, at most so many.
    pub async fn records(&self, after: i64, most: u32) -> Result<Vec<Entry>, StoreError> {
        let sql = "SELECT * FROM access_record WHERE sequence > ? ORDER BY sequence LIMIT ?";
        let rows = sqlx::query(sql).bind(after).bind(most).fetch_all(self.reader()).await?;
        rows.iter()
            .map(|row| {
                Ok(Entry {
                    sequence: row.try_get("sequence")?,
                    at: row.try_get("at")?,
                    principal: row.try_get("principal")?,
                    decision: row.try_get("decision")?,
                    reason: row.try_get("reason")?,
                    rule: row.try_get("rule")?,
                    charged: rows::loss(row)?,
                })
            })
            .collect()
    }
}

pub(crate) async fn insert(tx: &mut Transaction<'_, Sqlite>, record: &Record) -> Result<(), StoreError> {
    let sql = "INSERT INTO access_record (at, principal, purpose, request_digest, query_digest, dataset, decision, reason, \
               rule, policy_digest, pure_nano, rho_nano, delta_e18, release_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    sqlx::query(sql)
        .bind(record.at)
        .bind(&record.principal)
        .bind(&record.purpose)
        .bind(record.request_digest.as_slice())
        .bind(record.query_digest.as_ref().map(<[u8; 32]>::as_slice))
        .bind(&record.dataset)
        .bind(record.decision.word())
        .bind(&record.reason)
        .bind(&record.rule)
        .bind(record.policy_digest.as_slice())
        .bind(record.charged.pure_nano.map(rows::signed))
        .bind(rows::signed(record.charged.rho_nano))
        .bind(rows::signed(record.charged.delta_e18))
        .bind(record.release_id.as_ref().map(<[u8; 16]>::as_slice))
        .execute(&mut **tx)
        .await?;
    Ok(())
}
