//! The log of access records: appended to with what they record, and read in order.

use async_trait::async_trait;
use lango_ledger::Claimed;

use crate::{
    Claiming, Entry, Record, Recorded, ReleaseKey, Store, StoreError,
    engine::{Connection, Run},
    purging::Purging,
    request, rows,
    statement::{BoundStatement, Together, statement},
    writer::Write,
};

statement! {
    /// Under the write lock nobody else takes the next number, and what is undone gives it back: there are no gaps.
    InsertRecord {
        at, principal, purpose, request_digest, query_digest, query, dataset, decision, reason, rule, agreement,
        policy_digest, pure_nano, rho_nano, delta_e18, release_id, left_out,
    } = "INSERT INTO access_record (sequence, at, principal, purpose, request_digest, query_digest, query, dataset, decision, \
         reason, rule, agreement, policy_digest, pure_nano, rho_nano, delta_e18, release_id, left_out) \
         VALUES ((SELECT coalesce(max(sequence), 0) + 1 FROM access_record), :at, :principal, :purpose, :request_digest, \
         :query_digest, :query, :dataset, :decision, :reason, :rule, :agreement, :policy_digest, :pure_nano, :rho_nano, \
         :delta_e18, :release_id, :left_out)"
}

statement! {
    /// The records after a number.
    Records { after, most } =
        "SELECT sequence, at, principal, purpose, request_digest, query_digest, dataset, query, decision, reason, rule, \
         agreement, policy_digest, pure_nano, rho_nano, delta_e18, left_out FROM access_record \
         WHERE sequence > :after ORDER BY sequence LIMIT :most"
}

statement! {
    /// The number of the last record.
    LastSequence = "SELECT coalesce(max(sequence), 0) AS sequence FROM access_record"
}

static APPEND: Together = Together::new();

/// Appends the record of a request that changes nothing else, and claims the request where that is not claimed yet.
struct Append {
    record: Record,
    claiming: Option<Claiming>,
    me: [u8; 16],
    purging: Purging,
}

#[async_trait]
impl Write for Append {
    const NAME: &'static str = "append";

    type Outcome = Recorded;

    async fn apply(&self, transaction: &mut Connection) -> Result<Recorded, StoreError> {
        let Self { record, claiming, me, purging } = self;
        let standing = match (claiming, record.answer()) {
            (Some(claiming), Some(answer)) => {
                let Some(standing) = claiming.keep_answered(transaction, answer, me, purging).await? else {
                    transaction.all(record.insert().into()).await?;
                    return Ok(Recorded::Now);
                };
                standing
            }
            (None | Some(_), _) => match request::is_answered(transaction, record).await? {
                true => Claimed::Answered,
                false => Claimed::Free,
            },
        };
        match standing {
            Claimed::Answered => return Ok(Recorded::Answered),
            Claimed::Reused => return Ok(Recorded::Reused),
            Claimed::Forgotten => return Ok(Recorded::Forgotten),
            // Where another gateway has begun meanwhile, the first answer is the answer.
            Claimed::Fresh | Claimed::Free | Claimed::UnderWay { .. } => {}
        }
        transaction.together(&APPEND, record.statements(None)).await?;
        Ok(Recorded::Now)
    }
}

impl Record {
    /// What writes it, and its request's step. `key` is the one that the request is reserved for, where it is.
    pub(crate) fn statements<'a>(&'a self, key: Option<&'a ReleaseKey>) -> Vec<BoundStatement<'a>> {
        vec![self.insert().into(), request::step(self, key)]
    }

    pub(crate) fn insert(&self) -> InsertRecord<'_> {
        InsertRecord {
            at: self.at.into(),
            principal: (&self.principal).into(),
            purpose: (&self.purpose).into(),
            request_digest: (&self.request_digest).into(),
            query_digest: self.query_digest.as_ref().into(),
            query: self.kept_query().into(),
            dataset: self.dataset.as_deref().into(),
            decision: self.decision.word().into(),
            reason: (&self.reason).into(),
            rule: self.rule.as_deref().into(),
            agreement: self.agreement.as_deref().into(),
            policy_digest: (&self.policy_digest).into(),
            pure_nano: self.charged.pure_nano.map(rows::signed).into(),
            rho_nano: rows::signed(self.charged.rho_nano).into(),
            delta_e18: rows::signed(self.charged.delta_e18).into(),
            release_id: self.release_id.as_ref().into(),
            left_out: rows::signed(self.left_out).into(),
        }
    }
}

impl Store {
    /// Appends the record of a request that changes nothing else. `claiming` claims its request, where that is not claimed yet,
    /// in the same transaction.
    pub async fn append(&self, record: &Record, claiming: Option<&Claiming>) -> Result<Recorded, StoreError> {
        let (me, purging) = (self.opened_by(), self.purging());
        self.write(Append { record: record.clone(), claiming: claiming.cloned(), me, purging }).await
    }

    /// The records after a sequence number, oldest first, at most this many.
    pub async fn records(&self, after: i64, most: u32) -> Result<Vec<Entry>, StoreError> {
        let records = Records { after: after.into(), most: i64::from(most).into() };
        let rows = self.reader().all(records.into()).await?;
        rows.iter().map(rows::entry).collect()
    }

    /// The number of the last record, which counts them.
    pub async fn last_sequence(&self) -> Result<i64, StoreError> {
        Ok(self.reader().one(LastSequence.into()).await?.get("sequence")?)
    }
}
