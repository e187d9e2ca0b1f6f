//! Reviews: questions and noisy answers that wait for the office, and what it decided.

use async_trait::async_trait;
use lango_access_log::{Hex, LogEvent, LoggedReview};
use lango_ledger::{ReviewEvent, ReviewState};
use lango_privacy::Loss;

use crate::{
    Record, ReleaseKey, Store, StoreError,
    engine::{Connection, Row, Run},
    rows,
    statement::{Together, statement},
    writer::Write,
};

/// The most reviews of one principal that may wait for the office.
pub const REVIEWS_OPEN_MOST: u32 = 100;
/// The most bytes of an office's reason.
pub const WHY_BYTES_MOST: usize = 200;

/// What is reviewed: one question, as one principal asks it for one purpose under one grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewSubject {
    /// Stands for all of the rest.
    pub id: [u8; 16],
    /// The key of the question's release.
    pub key: ReleaseKey,
    /// The question's canonical text.
    pub query: String,
    /// Its dataset.
    pub dataset: String,
    /// The grant that allows it.
    pub grant: String,
    /// Who asks, as a SPIFFE URI.
    pub principal: String,
    /// For what.
    pub purpose: String,
}

/// A review as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReview {
    /// What is reviewed.
    pub subject: ReviewSubject,
    /// When it was first asked, in Unix seconds.
    pub asked_at: i64,
    /// How it stands.
    pub state: ReviewState,
    /// What the question costs.
    pub loss: Loss,
    /// When the office decided, and who did; none where it has not.
    pub decided: Option<(i64, String)>,
    /// Why, in the office's words; empty where it gave no reason.
    pub why: String,
}

/// Which reviews are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReviewFilter {
    /// Those that were decided too.
    pub all: bool,
    /// Those after this one alone, in the order in which they are read.
    pub after: Option<[u8; 16]>,
    /// This number at most.
    pub most: u32,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReviewStep {
    /// The review stands like this.
    Stands(Box<StoredReview>),
    /// The principal has [`REVIEWS_OPEN_MOST`] that wait already; nothing has changed.
    Full,
}

macro_rules! reviews {
    ($condition:literal) => {
        concat!(
            "SELECT review_id, query_digest, dataset_version, terms_digest, query, dataset, grant_id, principal, purpose, ",
            "asked_at, state, pure_nano, rho_nano, delta_e18, decided_at, decided_by, why FROM review WHERE ",
            $condition
        )
    };
}

statement! {
    /// One review.
    OfId { id } = reviews!("review_id = :id")
}

statement! {
    /// Those of a release, as a principal asked for it.
    OfRelease { query_digest, version, terms_digest, principal } = reviews!(
        "query_digest = :query_digest AND dataset_version = :version AND terms_digest = :terms_digest AND principal = :principal"
    )
}

statement! {
    /// The last ones, the newest first; those alone that wait for the office, or all.
    Newest { all, most } = reviews!("state IN ('waiting', 'held') OR :all = 1 ORDER BY asked_at DESC, review_id LIMIT :most")
}

statement! {
    /// The same after one of them, in that order.
    NewestAfter { all, after, most } = reviews!(
        "(state IN ('waiting', 'held') OR :all = 1) AND (asked_at < (SELECT asked_at FROM review WHERE review_id = :after) \
         OR asked_at = (SELECT asked_at FROM review WHERE review_id = :after) AND review_id > :after) \
         ORDER BY asked_at DESC, review_id LIMIT :most"
    )
}

statement! {
    /// Two at most of those whose names lie between two.
    Between { low, high } = reviews!("review_id >= :low AND review_id <= :high ORDER BY review_id LIMIT 2")
}

statement! {
    /// Those of which another policy may decide otherwise.
    Pending = reviews!("state IN ('waiting', 'approved', 'held') ORDER BY asked_at, review_id")
}

statement! {
    /// How many of a principal wait for the office.
    CountOpen { principal } =
        "SELECT count(*) AS open FROM review WHERE state IN ('waiting', 'held') AND principal = :principal"
}

statement! {
    /// A new review, or another state of one that is there. Who decided is forgotten where the office has to decide anew.
    Put {
        id, query_digest, version, terms_digest, query, dataset, grant, principal, purpose, at, state, pure_nano, rho_nano,
        delta_e18, decided_at, decided_by, why,
    } = "INSERT INTO review (review_id, query_digest, dataset_version, terms_digest, query, dataset, grant_id, principal, purpose, \
         asked_at, state, pure_nano, rho_nano, delta_e18, decided_at, decided_by, why) \
         VALUES (:id, :query_digest, :version, :terms_digest, :query, :dataset, :grant, :principal, :purpose, :at, :state, \
         :pure_nano, :rho_nano, :delta_e18, :decided_at, :decided_by, :why) \
         ON CONFLICT (review_id) DO UPDATE SET state = excluded.state, pure_nano = excluded.pure_nano, \
         rho_nano = excluded.rho_nano, delta_e18 = excluded.delta_e18, decided_at = excluded.decided_at, \
         decided_by = excluded.decided_by, why = excluded.why"
}

impl Store {
    /// A review.
    pub async fn review(&self, id: &[u8; 16]) -> Result<Option<StoredReview>, StoreError> {
        let of_id = OfId { id: id.into() };
        self.reader().optional(of_id.into()).await?.as_ref().map(review).transpose()
    }

    /// The reviews of a release, as a principal asked for it: one for each grant and purpose.
    pub async fn reviews_of(
        &self,
        key: &ReleaseKey,
        principal: &str,
    ) -> Result<Vec<StoredReview>, StoreError> {
        let of_release = OfRelease {
            query_digest: (&key.query_digest).into(),
            version: (&key.dataset_version).into(),
            terms_digest: (&key.terms_digest).into(),
            principal: principal.into(),
        };
        self.reader().all(of_release.into()).await?.iter().map(review).collect()
    }

    /// The reviews of which another policy may decide otherwise, the oldest first.
    pub async fn pending_reviews(&self) -> Result<Vec<StoredReview>, StoreError> {
        self.reader().all(Pending.into()).await?.iter().map(review).collect()
    }

    /// Takes a review's step for a question that is asked at a loss, and records it where the review then stands otherwise. One
    /// that is not there begins.
    pub async fn ask_review(
        &self,
        subject: &ReviewSubject,
        event: ReviewAsked,
        record: &Record,
    ) -> Result<ReviewStep, StoreError> {
        if let Some(found) = self.review(&subject.id).await?
            && found.state.after(event.of(Some(&found)))? == found.state
        {
            return Ok(ReviewStep::Stands(Box::new(found)));
        }
        self.write(Ask { subject: subject.clone(), event, record: record.clone() }).await
    }

    /// Takes the step that somebody decided on: the office, or another policy. Records it where the review then stands otherwise,
    /// and takes the record's request the step that the record says.
    pub async fn decide_review(
        &self,
        id: &[u8; 16],
        verdict: &ReviewVerdict,
        record: &Record,
    ) -> Result<StoredReview, StoreError> {
        self.write(Decide { id: *id, verdict: verdict.clone(), record: record.clone() }).await
    }
}

/// The last reviews, the newest first.
pub(crate) async fn newest(
    run: &mut impl Run,
    filter: &ReviewFilter,
) -> Result<Vec<StoredReview>, StoreError> {
    let ReviewFilter { all, after, most } = filter;
    let (all, most) = (i64::from(*all).into(), i64::from(*most).into());
    let found = match after {
        None => run.all(Newest { all, most }.into()).await?,
        Some(after) => run.all(NewestAfter { all, after: after.into(), most }.into()).await?,
    };
    found.iter().map(review).collect()
}

/// Two at most of the reviews whose names lie between two, both included.
pub(crate) async fn between(
    run: &mut impl Run,
    low: &[u8; 16],
    high: &[u8; 16],
) -> Result<Vec<StoredReview>, StoreError> {
    run.all(Between { low: low.into(), high: high.into() }.into()).await?.iter().map(review).collect()
}

/// What the one who asks brings about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewAsked {
    /// The question is to be reviewed; it costs this.
    Question(Loss),
    /// Its noisy answer is stored and to be reviewed; it cost this.
    Answer(Loss),
}

impl ReviewAsked {
    fn loss(self) -> Loss {
        match self {
            Self::Question(loss) | Self::Answer(loss) => loss,
        }
    }

    fn of(self, found: Option<&StoredReview>) -> ReviewEvent {
        match self {
            Self::Question(loss) => {
                ReviewEvent::Asked { is_dearer: found.is_some_and(|found| loss.is_dearer_than(&found.loss)) }
            }
            Self::Answer(_) => ReviewEvent::Answered,
        }
    }
}

/// What somebody decided of a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewVerdict {
    /// Approved, rejected, or decided otherwise by another policy.
    pub event: ReviewEvent,
    /// Who decided, as a SPIFFE URI.
    pub by: String,
    /// Why.
    pub why: String,
}

struct Ask {
    subject: ReviewSubject,
    event: ReviewAsked,
    record: Record,
}

#[async_trait]
impl Write for Ask {
    const NAME: &'static str = "ask-review";

    type Outcome = ReviewStep;

    async fn apply(&self, transaction: &mut Connection) -> Result<ReviewStep, StoreError> {
        let Self { subject, event, record } = self;
        let found = read(transaction, &subject.id).await?;
        let (event, loss) = (event.of(found.as_ref()), event.loss());
        let state = match &found {
            Some(found) => found.state.after(event)?,
            None => ReviewState::first(event).ok_or(StoreError::Damaged("review"))?,
        };
        if let Some(found) = found.as_ref().filter(|found| found.state == state) {
            return Ok(ReviewStep::Stands(Box::new(found.clone())));
        }
        if state == ReviewState::Waiting {
            let counted =
                transaction.one(CountOpen { principal: (&subject.principal).into() }.into()).await?;
            if counted.get::<i64>("open")? >= i64::from(REVIEWS_OPEN_MOST) {
                return Ok(ReviewStep::Full);
            }
        }
        let (asked_at, why) = (found.map_or(record.at, |found| found.asked_at), String::new());
        let stands = StoredReview { subject: subject.clone(), asked_at, state, loss, decided: None, why };
        put(transaction, &stands, record).await?;
        Ok(ReviewStep::Stands(Box::new(stands)))
    }
}

struct Decide {
    id: [u8; 16],
    verdict: ReviewVerdict,
    record: Record,
}

#[async_trait]
impl Write for Decide {
    const NAME: &'static str = "decide-review";

    type Outcome = StoredReview;

    async fn apply(&self, transaction: &mut Connection) -> Result<StoredReview, StoreError> {
        let Self { id, verdict: ReviewVerdict { event, by, why }, record } = self;
        let found = read(transaction, id).await?.ok_or(StoreError::NoReview)?;
        let state = found.state.after(*event)?;
        if state == found.state {
            return Ok(found);
        }
        let (decided, why) = (Some((record.at, by.clone())), why.clone());
        let stands = StoredReview { state, decided, why, ..found };
        put(transaction, &stands, record).await?;
        Ok(stands)
    }
}

static PUT: Together = Together::new();

/// Writes how a review stands, and the record of it.
async fn put(transaction: &mut Connection, stands: &StoredReview, record: &Record) -> Result<(), StoreError> {
    let StoredReview { subject, asked_at, state, loss, decided, why } = stands;
    let event = LogEvent::Review(LoggedReview {
        dataset: Some(subject.dataset.clone()),
        purpose: subject.purpose.clone(),
        question: Some(Hex(subject.key.query_digest)),
        request: Hex(record.request_digest),
        review: Hex(subject.id),
        rule: Some(subject.grant.clone()),
        standing: state.word().to_owned(),
        why: why.clone(),
    });
    let record = Record {
        event: Some(event),
        purpose: subject.purpose.clone(),
        query_digest: Some(subject.key.query_digest),
        query: Some(subject.query.clone()),
        dataset: Some(subject.dataset.clone()),
        decision: crate::Decision::Reviewed,
        reason: state.word().to_owned(),
        rule: Some(subject.grant.clone()),
        charged: Loss::FREE,
        release_id: None,
        left_out: 0,
        ..record.clone()
    };
    let put = Put {
        id: (&subject.id).into(),
        query_digest: (&subject.key.query_digest).into(),
        version: (&subject.key.dataset_version).into(),
        terms_digest: (&subject.key.terms_digest).into(),
        query: (&subject.query).into(),
        dataset: (&subject.dataset).into(),
        grant: (&subject.grant).into(),
        principal: (&subject.principal).into(),
        purpose: (&subject.purpose).into(),
        at: (*asked_at).into(),
        state: state.word().into(),
        pure_nano: loss.pure_nano.map(rows::signed).into(),
        rho_nano: rows::signed(loss.rho_nano).into(),
        delta_e18: rows::signed(loss.delta_e18).into(),
        decided_at: decided.as_ref().map(|(at, _)| *at).into(),
        decided_by: decided.as_ref().map(|(_, by)| by.as_str()).into(),
        why: why.into(),
    };
    let leaf = record.leaf()?;
    let mut statements = record.statements(&leaf, None);
    statements.push(put.into());
    transaction.together(&PUT, statements).await?;
    Ok(())
}

async fn read(transaction: &mut Connection, id: &[u8; 16]) -> Result<Option<StoredReview>, StoreError> {
    transaction.optional(OfId { id: id.into() }.into()).await?.as_ref().map(review).transpose()
}

fn review(row: &Row) -> Result<StoredReview, StoreError> {
    let damaged = || StoreError::Damaged("review");
    let digest = |column| row.get::<Vec<u8>>(column)?.try_into().map_err(|_| damaged());
    let key = ReleaseKey {
        query_digest: digest("query_digest")?,
        dataset_version: row.get("dataset_version")?,
        terms_digest: digest("terms_digest")?,
    };
    let subject = ReviewSubject {
        id: row.get::<Vec<u8>>("review_id")?.try_into().map_err(|_| damaged())?,
        key,
        query: row.get("query")?,
        dataset: row.get("dataset")?,
        grant: row.get("grant_id")?,
        principal: row.get("principal")?,
        purpose: row.get("purpose")?,
    };
    Ok(StoredReview {
        subject,
        asked_at: row.get("asked_at")?,
        state: ReviewState::of_word(&row.get::<String>("state")?).ok_or_else(damaged)?,
        loss: rows::loss(row)?,
        decided: row.get::<Option<i64>>("decided_at")?.zip(row.get::<Option<String>>("decided_by")?),
        why: row.get("why")?,
    })
}

#[cfg(test)]
mod tests;
