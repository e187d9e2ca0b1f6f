//! The access records: one for every request that was decided, refusals included.

use async_trait::async_trait;
use lango_privacy::Loss;

use crate::{
    Store, StoreError,
    engine::{Connection, Run},
    request, rows,
    statement::{BoundStatement, Together, statement},
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
    /// How many refusals before this one were not recorded, because there were too many.
    pub left_out: u64,
    /// The request that it is of, where that is kept.
    pub request: Option<OfRequest>,
}

/// A request that a record is of, and how far it has come with it. Written in the record's transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfRequest {
    /// Its identifier, unique among those of its principal.
    pub id: [u8; 16],
    /// How far it has come.
    pub step: Step,
}

/// How far a request has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The work goes on.
    Working,
    /// This is its answer.
    Answered(Vec<u8>),
    /// It failed, and may be tried again.
    Freed,
}

/// What became of an attempt to record an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// It is recorded.
    Now,
    /// The request had been answered meanwhile, with these bytes; nothing has changed.
    Answered(Vec<u8>),
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
    /// A price was named.
    Estimated,
    /// The datasets were described.
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

statement! {
    /// Under the write lock nobody else takes the next number, and what is undone gives it back: there are no gaps.
    InsertRecord {
        at, principal, purpose, request_digest, query_digest, dataset, decision, reason, rule, policy_digest, pure_nano, rho_nano,
        delta_e18, release_id, left_out,
    } = "INSERT INTO access_record (sequence, at, principal, purpose, request_digest, query_digest, dataset, decision, reason, \
         rule, policy_digest, pure_nano, rho_nano, delta_e18, release_id, left_out) \
         VALUES ((SELECT coalesce(max(sequence), 0) + 1 FROM access_record), :at, :principal, :purpose, :request_digest, \
         :query_digest, :dataset, :decision, :reason, :rule, :policy_digest, :pure_nano, :rho_nano, :delta_e18, :release_id, \
         :left_out)"
}

statement! {
    /// The records after a number.
    Records { after, most } =
        "SELECT sequence, at, principal, decision, reason, rule, pure_nano, rho_nano, delta_e18 FROM access_record \
         WHERE sequence > :after ORDER BY sequence LIMIT :most"
}

statement! {
    /// The number of the last record.
    LastSequence = "SELECT coalesce(max(sequence), 0) AS sequence FROM access_record"
}

static APPEND: Together = Together::new();

/// Appends the record of a request that changes nothing else.
struct Append(Record);

#[async_trait]
impl Write for Append {
    const NAME: &'static str = "append";

    type Outcome = Recorded;

    async fn apply(&self, transaction: &mut Connection) -> Result<Recorded, StoreError> {
        if let Some(answer) = request::answered(transaction, &self.0).await? {
            return Ok(Recorded::Answered(answer));
        }
        transaction.together(&APPEND, self.0.statements(None)).await?;
        Ok(Recorded::Now)
    }
}

impl Record {
    /// What writes it, and its request's step. `version` is the one that the request is reserved for, where it is.
    pub(crate) fn statements<'a>(&'a self, version: Option<&'a str>) -> Vec<BoundStatement<'a>> {
        let insert = InsertRecord {
            at: self.at.into(),
            principal: (&self.principal).into(),
            purpose: (&self.purpose).into(),
            request_digest: (&self.request_digest).into(),
            query_digest: self.query_digest.as_ref().into(),
            dataset: self.dataset.as_deref().into(),
            decision: self.decision.word().into(),
            reason: (&self.reason).into(),
            rule: self.rule.as_deref().into(),
            policy_digest: (&self.policy_digest).into(),
            pure_nano: self.charged.pure_nano.map(rows::signed).into(),
            rho_nano: rows::signed(self.charged.rho_nano).into(),
            delta_e18: rows::signed(self.charged.delta_e18).into(),
            release_id: self.release_id.as_ref().into(),
            left_out: rows::signed(self.left_out).into(),
        };
        vec![insert.into(), request::step(self, version)]
    }
}

impl Store {
    /// Appends the record of a request that changes nothing else.
    pub async fn append(&self, record: &Record) -> Result<Recorded, StoreError> {
        self.write(Append(record.clone())).await
    }

    /// The records after a sequence number, oldest first, at most this many.
    pub async fn records(&self, after: i64, most: u32) -> Result<Vec<Entry>, StoreError> {
        let records = Records { after: after.into(), most: i64::from(most).into() };
        let rows = self.reader().all(records.into()).await?;
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

    /// The number of the last record, which counts them.
    pub async fn last_sequence(&self) -> Result<i64, StoreError> {
        Ok(self.reader().one(LastSequence.into()).await?.get("sequence")?)
    }
}
