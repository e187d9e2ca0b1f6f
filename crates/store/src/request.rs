//! Requests: each identifier of a principal stands for one payload, and is answered once. Kept until the request could not be
//! admitted any more, whatever gateway it reaches.

use async_trait::async_trait;
use lango_ledger::{Claim, Claimed, RequestMemory, claim};

use crate::{
    Record, ReleaseKey, Step, Store, StoreError,
    engine::{Connection, Row, Run},
    purging::{PURGED, Purging},
    statement::{BoundStatement, Together, statement},
    writer::Write,
};

/// A request that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claiming {
    /// Who signed it.
    pub principal: String,
    /// Its identifier, unique among those of its principal.
    pub id: [u8; 16],
    /// Digest of its signed payload.
    pub digest: [u8; 32],
    /// When it expires, in Unix seconds, as signed.
    pub expires_at: i64,
    /// Requests that expired before this moment, in Unix seconds, are forgotten a few at a time.
    pub forget_before: i64,
}

/// A gateway seen at work on a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Which.
    pub holder: [u8; 16],
    /// Its last sign of life.
    pub beat: i64,
}

/// What is kept of a principal's free answers whose requests expire in one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptAnswers {
    /// The minute, counted from the Unix epoch.
    pub expiry_minute: i64,
    /// How many bytes their answers have.
    pub bytes: u64,
}

statement! {
    /// What is kept of a request, where it is, and how far the memory of requests reaches.
    KeptRequest { principal, id } =
        "SELECT request_digest, holder, beat, CAST(CASE WHEN answer IS NULL THEN 0 ELSE 1 END AS BIGINT) AS is_answered, \
         forgotten_to FROM request_horizon \
         LEFT JOIN request ON principal = :principal AND request_id = :id"
}

statement! {
    /// The first answer of a request.
    FirstAnswer { principal, id } =
        "SELECT answer FROM request WHERE principal = :principal AND request_id = :id AND answer IS NOT NULL"
}

statement! {
    /// Keeps one that has not come before.
    InsertRequest { principal, id, digest, expires_at, holder } =
        "INSERT INTO request (principal, request_id, request_digest, expires_at, holder, beat) \
         VALUES (:principal, :id, :digest, :expires_at, :holder, 0)"
}

statement! {
    /// Keeps one that has not come before, and its answer with it; a row if it did.
    InsertAnswered { principal, id, digest, expires_at, answer } =
        "INSERT INTO request (principal, request_id, request_digest, expires_at, beat, answer, answered_by) \
         SELECT :principal, :id, :digest, :expires_at, 0, :answer, (SELECT coalesce(max(sequence), 0) + 1 FROM access_record) \
         FROM request_horizon WHERE forgotten_to < :expires_at \
         ON CONFLICT (principal, request_id) DO NOTHING RETURNING beat"
}

statement! {
    /// Forgets a few that have expired.
    Purge { before, most } =
        "DELETE FROM request WHERE (principal, request_id) IN \
         (SELECT principal, request_id FROM request WHERE expires_at < :before ORDER BY expires_at LIMIT :most)"
}

statement! {
    /// Notes how late they expired. INVARIANT (never back): the mark outlives every purge, so what was purged is never fresh
    /// again.
    Forget { before, most } =
        "UPDATE request_horizon SET forgotten_to = last FROM (SELECT max(expires_at) AS last FROM \
         (SELECT expires_at FROM request WHERE expires_at < :before ORDER BY expires_at LIMIT :most) AS few) AS purged \
         WHERE forgotten_to < last"
}

statement! {
    /// Takes a request on.
    Hold { principal, id, holder } =
        "UPDATE request SET holder = :holder, beat = beat + 1 WHERE principal = :principal AND request_id = :id"
}

statement! {
    /// A sign of life.
    Beat { principal, id, holder } =
        "UPDATE request SET beat = beat + 1 WHERE principal = :principal AND request_id = :id AND holder = :holder"
}

statement! {
    /// How far a request has come, before the record of it is written. Where there is no identifier there is no such row.
    StepRequest { principal, id, answer, is_over, query_digest, version, terms_digest } =
        "UPDATE request SET answered_by = CASE WHEN answer IS NULL AND :answer IS NOT NULL \
         THEN (SELECT coalesce(max(sequence), 0) + 1 FROM access_record) ELSE answered_by END, \
         answer = coalesce(answer, :answer), dataset_version = coalesce(dataset_version, :version), \
         query_digest = coalesce(query_digest, :query_digest), terms_digest = coalesce(terms_digest, :terms_digest), \
         holder = CASE WHEN :is_over = 1 THEN NULL ELSE holder END WHERE principal = :principal AND request_id = :id"
}

statement! {
    /// What is kept of a principal's answers that were never reserved for, by the minute of their requests' expiry.
    KeptOf { principal } =
        "SELECT expires_at / 60 AS expiry_minute, sum(length(answer)) AS bytes FROM request \
         WHERE principal = :principal AND answer IS NOT NULL AND query_digest IS NULL GROUP BY expires_at / 60"
}

static PURGES: Together = Together::new();

struct Take {
    claiming: Claiming,
    me: [u8; 16],
    dead: Option<Seen>,
    purging: Purging,
}

#[async_trait]
impl Write for Take {
    const NAME: &'static str = "claim";

    type Outcome = Claimed;

    async fn apply(&self, transaction: &mut Connection) -> Result<Claimed, StoreError> {
        let Claiming { principal, id, .. } = &self.claiming;
        let claimed = self.claiming.decided(transaction, &self.me, self.dead).await?;
        match claimed {
            Claimed::Fresh => self.claiming.keep(transaction, &self.me, &self.purging).await?,
            Claimed::Free => {
                let hold = Hold { principal: principal.into(), id: id.into(), holder: (&self.me).into() };
                transaction.all(hold.into()).await?;
            }
            Claimed::Answered | Claimed::UnderWay { .. } | Claimed::Reused | Claimed::Forgotten => {}
        }
        Ok(claimed)
    }
}

impl Claiming {
    async fn decided(
        &self,
        run: &mut impl Run,
        me: &[u8; 16],
        dead: Option<Seen>,
    ) -> Result<Claimed, StoreError> {
        let Self { principal, id, digest, expires_at, .. } = self;
        let kept = run.one(KeptRequest { principal: principal.into(), id: id.into() }.into()).await?;
        let dead = dead.map(|seen| (seen.holder, seen.beat));
        Ok(claim(memory_of(&kept)?, digest, *expires_at, me, dead))
    }

    /// Keeps a request that has not come before.
    async fn keep(
        &self,
        transaction: &mut Connection,
        me: &[u8; 16],
        purging: &Purging,
    ) -> Result<(), StoreError> {
        let insert = InsertRequest {
            principal: (&self.principal).into(),
            id: (&self.id).into(),
            digest: (&self.digest).into(),
            expires_at: self.expires_at.into(),
            holder: me.into(),
        };
        transaction.all(insert.into()).await?;
        self.purge(transaction, purging).await
    }

    /// Keeps a request that has not come before and its answer, and returns nothing; else what stands against that.
    pub(crate) async fn keep_answered(
        &self,
        transaction: &mut Connection,
        answer: &[u8],
        me: &[u8; 16],
        purging: &Purging,
    ) -> Result<Option<Claimed>, StoreError> {
        let insert = InsertAnswered {
            principal: (&self.principal).into(),
            id: (&self.id).into(),
            digest: (&self.digest).into(),
            expires_at: self.expires_at.into(),
            answer: answer.into(),
        };
        if transaction.optional(insert.into()).await?.is_none() {
            return self.decided(transaction, me, None).await.map(Some);
        }
        self.purge(transaction, purging).await.map(|()| None)
    }

    /// Forgets a few that have expired, now and then.
    async fn purge(&self, transaction: &mut Connection, purging: &Purging) -> Result<(), StoreError> {
        if purging.is_due() {
            let forget = Forget { before: self.forget_before.into(), most: PURGED.into() };
            let purge = Purge { before: self.forget_before.into(), most: PURGED.into() };
            // In SQLite one after the other: the mark is made from what is still there.
            transaction.together(&PURGES, vec![forget.into(), purge.into()]).await?;
        }
        Ok(())
    }
}

struct Live {
    principal: String,
    id: [u8; 16],
    me: [u8; 16],
}

#[async_trait]
impl Write for Live {
    const NAME: &'static str = "beat";

    type Outcome = ();

    async fn apply(&self, transaction: &mut Connection) -> Result<(), StoreError> {
        let Self { principal, id, me } = self;
        transaction
            .all(Beat { principal: principal.into(), id: id.into(), holder: me.into() }.into())
            .await?;
        Ok(())
    }
}

impl Store {
    /// Keeps a request before any work, durably. `dead` is a gateway at work on it that has given no sign of life for as long as
    /// a claim lasts: its work is taken over.
    pub async fn claim(&self, claiming: &Claiming, dead: Option<Seen>) -> Result<Claimed, StoreError> {
        let purging = self.purging();
        self.write(Take { claiming: claiming.clone(), me: self.opened_by(), dead, purging }).await
    }

    /// Reads what has become of a request; changes nothing.
    pub async fn claimed(&self, claiming: &Claiming) -> Result<Claimed, StoreError> {
        claiming.decided(&mut self.reader(), &self.opened_by(), None).await
    }

    /// Reads the first answer of a request, which may be large; `None` where there is none.
    pub async fn first_answer(&self, claiming: &Claiming) -> Result<Option<Vec<u8>>, StoreError> {
        let Claiming { principal, id, .. } = claiming;
        let first = FirstAnswer { principal: principal.into(), id: id.into() };
        let row = self.reader().optional(first.into()).await?;
        row.map(|row| Ok(row.get("answer")?)).transpose()
    }

    /// What is kept of a principal's answers that were never reserved for.
    pub async fn kept_answers(&self, principal: &str) -> Result<Vec<KeptAnswers>, StoreError> {
        let rows = self.reader().all(KeptOf { principal: principal.into() }.into()).await?;
        let kept = |row: &Row| {
            let bytes =
                u64::try_from(row.get::<i64>("bytes")?).map_err(|_| StoreError::Damaged("request"))?;
            Ok(KeptAnswers { expiry_minute: row.get("expiry_minute")?, bytes })
        };
        rows.iter().map(kept).collect()
    }

    /// Shows the other gateways that this one is still at work on a request.
    pub async fn beat(&self, principal: &str, id: [u8; 16]) -> Result<(), StoreError> {
        self.write(Live { principal: principal.to_owned(), id, me: self.opened_by() }).await
    }
}

fn memory_of(row: &Row) -> Result<RequestMemory, StoreError> {
    let damaged = |_| StoreError::Damaged("request");
    let forgotten_to = row.get("forgotten_to")?;
    let Some(request_digest) = row.get::<Option<Vec<u8>>>("request_digest")? else {
        return Ok(RequestMemory { kept: None, forgotten_to });
    };
    let claim = Claim {
        request_digest: request_digest.try_into().map_err(damaged)?,
        holder: row.get::<Option<Vec<u8>>>("holder")?.map(TryInto::try_into).transpose().map_err(damaged)?,
        beat: row.get("beat")?,
        is_answered: row.get::<i64>("is_answered")? != 0,
    };
    Ok(RequestMemory { kept: Some(claim), forgotten_to })
}

/// Whether a record's request has an answer already, where the record would give it one.
pub(crate) async fn is_answered(transaction: &mut Connection, record: &Record) -> Result<bool, StoreError> {
    let Some(request) = record.request.as_ref().filter(|_| record.answer().is_some()) else {
        return Ok(false);
    };
    let kept = KeptRequest { principal: (&record.principal).into(), id: (&request.id).into() };
    Ok(transaction.one(kept.into()).await?.get::<i64>("is_answered")? != 0)
}

/// Takes a record's request the step that the record says. `key` is the one that the request is reserved for, where it is.
pub(crate) fn step<'a>(record: &'a Record, key: Option<&'a ReleaseKey>) -> BoundStatement<'a> {
    let step = record.request.as_ref().map(|request| &request.step);
    let answer = match step {
        Some(Step::Answered(answer)) => Some(answer.as_slice()),
        Some(Step::Working | Step::Freed) | None => None,
    };
    let is_over = !matches!(step, Some(Step::Working) | None);
    let id = record.request.as_ref().map(|request| &request.id);
    StepRequest {
        principal: (&record.principal).into(),
        id: id.into(),
        answer: answer.into(),
        is_over: i64::from(is_over).into(),
        query_digest: key.map(|key| &key.query_digest).into(),
        version: key.map(|key| key.dataset_version.as_str()).into(),
        terms_digest: key.map(|key| &key.terms_digest).into(),
    }
    .into()
}

#[cfg(test)]
mod tests;
