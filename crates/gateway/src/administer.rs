//! What an administrator of the office asks and decides over the wire. Each signed act is done once and is on record with who
//! signed it.

use lango_identity::SpiffeId;
use lango_ledger::ReviewEvent;
use lango_store::{
    Decision, HistoryFilter, PolicySignature, Record, ReviewFilter, ReviewVerdict, Step, StoreError,
    StoredReview,
};
use lango_wire::{
    Act, Administration, AdministrationFault, OnWire, Refusal, envelope_bytes, kept,
    pb::{self, administration_service_administer_response::Found},
    review_range,
};

use crate::{
    Gateway,
    accounts::account_standings,
    authenticate::Request,
    lapse::{decided, lapsed},
    refuse::{Known, Refused},
    reviewed::reviews_found,
    shown::Travels,
};

/// What the records or reviews of a page have at most, in bytes, unless one alone has more.
const PAGE_BYTES_MOST: usize = 2 << 20;

impl Gateway {
    /// Does an act that an administrator of the office signed.
    pub(crate) async fn administer(
        &self,
        request: &Request<Administration>,
        signed: &Administration,
    ) -> Result<Found, Refused> {
        let known = Known::default();
        self.make_answer_room(request).await;
        let found = match &signed.act {
            Act::Ledger => self.ledger_shown(request, &known).await?,
            Act::Records { since, before, dataset, principal, most } => {
                let (dataset, principal) = (dataset.clone(), principal.clone());
                let filter =
                    HistoryFilter { since: *since, before: *before, dataset, principal, most: *most };
                self.records_shown(&filter, &known).await?
            }
            Act::Policy => self.policy_shown(&known).await?,
            Act::Reviews { all, most, after } => {
                let filter = ReviewFilter { all: *all, after: *after, most: *most };
                self.reviews_shown(&filter, &known).await?
            }
            Act::Review { name } => self.review_shown(request, name, &known).await?,
            Act::Decide { review, approve, why } => {
                let stands = self.decide(request, review, (*approve, why), &known).await?;
                return Ok(Found::Decided(stands.to_message()));
            }
            Act::Sign { policy } => {
                self.sign_policy(request, policy, &known).await?;
                return self.policy_shown(&known).await;
            }
        };
        let mut record = self.record(request, &known, Decision::Inspected);
        record.reason = signed.act.word().to_owned();
        record.request = request.step(self.done(request));
        self.append(request, &record, &known).await?;
        Ok(found)
    }

    /// What is kept of an act that is done: it is refused if it comes again, and nothing of what was shown is kept.
    fn done<T>(&self, request: &Request<T>) -> Step {
        let done = Refusal::Administration(AdministrationFault::Done);
        Step::Answered(kept::refusal(None, &self.signed_status(request, done)))
    }

    async fn ledger_shown(&self, request: &Request<Administration>, known: &Known) -> Result<Found, Refused> {
        let standings = account_standings(&mut self.store.clone(), &request.policy.set, self.today()).await;
        let standings =
            standings.map_err(|error| known.unavailable("the accounts cannot be read", &error))?;
        let accounts = standings.into_iter().map(Travels::to_message).collect();
        Ok(Found::Accounts(pb::LedgerAccounts { accounts }))
    }

    async fn records_shown(&self, filter: &HistoryFilter, known: &Known) -> Result<Found, Refused> {
        let records = self.store.history(filter).await;
        let records = records.map_err(|error| known.unavailable("the record cannot be read", &error))?;
        let (records, more) = page(records, filter.most);
        Ok(Found::Records(pb::RecordPage { records, more }))
    }

    async fn reviews_shown(&self, filter: &ReviewFilter, known: &Known) -> Result<Found, Refused> {
        let reviews = self.store.reviews(filter).await;
        let reviews = reviews.map_err(|error| known.unavailable("the reviews cannot be read", &error))?;
        let (reviews, more) = page(reviews, filter.most);
        Ok(Found::Reviews(pb::ReviewPage { reviews, more }))
    }

    async fn review_shown(
        &self,
        request: &Request<Administration>,
        name: &str,
        known: &Known,
    ) -> Result<Found, Refused> {
        let range = review_range(name).ok_or_else(|| refused(AdministrationFault::ReviewUnknown))?;
        let policy = &request.policy.set;
        let mut reviews = reviews_found(&mut self.store.clone(), policy, self.today(), range)
            .await
            .map_err(|error| known.unavailable("the reviews cannot be read", &error))?;
        if let [_, _, ..] = reviews.as_slice() {
            // Of several that are meant nothing but the names is of use.
            reviews.iter_mut().for_each(|found| found.tables.clear());
        }
        let reviews = reviews.into_iter().map(Travels::to_message).collect();
        Ok(Found::FoundReviews(pb::ReviewsFound { reviews }))
    }

    async fn policy_shown(&self, known: &Known) -> Result<Found, Refused> {
        let standing = self.policy_standing().await;
        let standing =
            standing.map_err(|error| known.unavailable("it is not known who signed a policy", &error))?;
        Ok(Found::Policy(standing.to_message()))
    }

    /// Keeps the administrator's signature of the policy that waits, which comes into force if that was the last that it took.
    async fn sign_policy(
        &self,
        request: &Request<Administration>,
        policy: &[u8; 32],
        known: &Known,
    ) -> Result<(), Refused> {
        let (waiting, envelope) = match (self.waiting(), &request.envelope) {
            (Some(waiting), Some(envelope)) if waiting.digest == *policy => (waiting, envelope.clone()),
            (waiting, _) => {
                let waiting = waiting.map(|waiting| hex::encode(waiting.digest));
                return Err(refused(AdministrationFault::PolicyNotWaiting { waiting }));
            }
        };
        self.begin_work(request, known).await?;
        let signature = PolicySignature {
            policy_digest: *policy,
            administrator: request.principal.to_string(),
            signed_at: request.came_at,
            envelope: envelope_bytes(envelope),
        };
        let mut record = self.record(request, known, Decision::Signed);
        record.reason = hex::encode(policy);
        record.request = request.step(self.done(request));
        let unkept = |error: StoreError| known.unavailable("a signature cannot be kept", &error);
        if !self.store.sign_policy(&signature, &record).await.map_err(unkept)? {
            return Err(refused(AdministrationFault::SignedAlready));
        }
        if self.signing().may_activate(&self.store, policy).await.map_err(unkept)?
            && let Err(error) = self.change_policy(waiting.documents.to_vec()).await
        {
            tracing::error!(%error, "a policy that two administrators signed cannot come into force yet");
        }
        Ok(())
    }

    /// Decides on a review in the administrator's name.
    async fn decide(
        &self,
        request: &Request<Administration>,
        review: &[u8; 16],
        (approve, why): (bool, &str),
        known: &Known,
    ) -> Result<StoredReview, Refused> {
        let unread = |error: &StoreError| known.unavailable("a review cannot be decided", error);
        let unknown = || refused(AdministrationFault::ReviewUnknown);
        let found = self.store.review(review).await.map_err(|error| unread(&error))?.ok_or_else(unknown)?;
        let asker: Option<SpiffeId> = found.subject.principal.parse().ok();
        if asker.is_some_and(|asker| asker.name() == request.principal.name()) {
            return Err(refused(AdministrationFault::OwnQuestion));
        }
        let event = if approve { ReviewEvent::Approved } else { ReviewEvent::Rejected };
        if approve && let Some(why) = lapsed(&request.policy.set, &found, self.today()) {
            return Err(refused(AdministrationFault::ReviewLapses { why }));
        }
        self.begin_work(request, known).await?;
        let verdict = ReviewVerdict { event, by: request.principal.to_string(), why: why.to_owned() };
        let record = Record {
            request_digest: request.digest,
            request: request.step(self.done(request)),
            ..decided(&request.principal, (request.came_at, request.policy.digest))
        };
        let stands = self.store.decide_review(review, &verdict, &record).await;
        stands.map_err(|error| {
            if let StoreError::Review(step) = error {
                return refused(AdministrationFault::ReviewStep { from: step.from, step: step.step });
            }
            if let StoreError::NoReview = error { unknown() } else { unread(&error) }
        })
    }
}

fn refused(fault: AdministrationFault) -> Refused {
    Refusal::Administration(fault).into()
}

/// As many of what was found as a page holds, and whether there may be more.
fn page<T: Travels<Message: OnWire>>(found: Vec<T>, most: u32) -> (Vec<T::Message>, bool) {
    let count = found.len();
    let (mut messages, mut bytes) = (Vec::with_capacity(count), 0_usize);
    for message in found.into_iter().map(Travels::to_message) {
        bytes = bytes.saturating_add(message.wire_bytes());
        if bytes > PAGE_BYTES_MOST && !messages.is_empty() {
            break;
        }
        messages.push(message);
    }
    let more = messages.len() < count || u32::try_from(count).is_ok_and(|count| count >= most);
    (messages, more)
}
