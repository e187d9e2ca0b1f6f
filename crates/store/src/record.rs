//! The access records: one for every request that was decided, refusals included.

use async_trait::async_trait;
use lango_privacy::Loss;

use crate::{
    Store, StoreError,
    engine::{Connection, Run, Statement, Value},
    rows,
    writer::Write,
};

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

/// Appends the record of a request that changes nothing else.
struct Append(Record);

#[async_trait]
impl Write for Append {
    type Outcome = ();

    async fn apply(&self, transaction: &mut Connection) -> Result<(), StoreError> {
        transaction.all(Statement { sql: INSERT, values: values(&self.0) }).await?;
        Ok(())
    }
}

impl Store {
    /// Appends the record of a request that changes nothing else.
    pub async fn append(&self, record: &Record) -> Result<(), StoreError> {
        self.write(Append(record.clone())).await
    }

    /// The records after a sequence number, oldest first, at most so many.
    pub async fn records(&self, after: i64, most: u32) -> Result<Vec<Entry>, StoreError> {
        let sql = "SELECT sequence, at, principal, decision, reason, rule, pure_nano, rho_nano, delta_e18 FROM access_record \
                   WHERE sequence > $1 ORDER BY sequence LIMIT $2";
        let rows = self.reader().all(Statement::new(sql).bind(after).bind(i64::from(most))).await?;
        rows.iter()
            .map(|row| {
                Ok(Entry {
                    sequence: row.get("sequence")?,
                    at: row.get("at")?,
                    principal: row.get("principal")?,
                    decision: row.get("decision")?,
                    reason: row.get("reason")?,
                    rule: row.get("rule")?,
                    charged: rows::loss(row)?,
                })
            })
            .collect()
    }
}

/// Takes the values of [`values`], the first fourteen of any list. Under the write lock nobody else takes the next number, and
/// what is undone gives it back: there are no gaps.
pub(crate) const INSERT: &str = "INSERT INTO access_record (sequence, at, principal, purpose, request_digest, query_digest, \
     dataset, decision, reason, rule, policy_digest, pure_nano, rho_nano, delta_e18, release_id) \
     VALUES ((SELECT coalesce(max(sequence), 0) + 1 FROM access_record), \
     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";

pub(crate) fn values(record: &Record) -> Vec<Value<'_>> {
    vec![
        record.at.into(),
        record.principal.as_str().into(),
        record.purpose.as_str().into(),
        record.request_digest.as_slice().into(),
        record.query_digest.as_ref().map(<[u8; 32]>::as_slice).into(),
        record.dataset.as_deref().into(),
        record.decision.word().into(),
        record.reason.as_str().into(),
        record.rule.as_deref().into(),
        record.policy_digest.as_slice().into(),
        record.charged.pure_nano.map(rows::signed).into(),
        rows::signed(record.charged.rho_nano).into(),
        rows::signed(record.charged.delta_e18).into(),
        record.release_id.as_ref().map(<[u8; 16]>::as_slice).into(),
    ]
}
