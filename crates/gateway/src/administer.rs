//! What an administrator of the office asks and decides over the wire. Each signed act is done once and is on record with who
//! signed it.

use lango_access_log::{Hex, LogEvent, PolicyApproval};
use lango_identity::SpiffeId;
use lango_store::{
    Decision, HistoryFilter, PolicySignature, Record, ReviewFilter, ReviewVerdict, Step, StoreError,
    StoredReview,
};
use lango_wire::{
    Act, Administration, AdministrationFault, OnWire, Refusal, ReviewChoice, envelope_bytes, kept,
    pb::{self, administration_service_administer_response::Found},
    review_range,
};

use crate::{
    Gateway,
    accounts::account_standings,
    authenticate::Request,
    change::PolicyChange,
    lapse::{decided, lapsed, review_event, review_name},
    refuse::{Known, Refused},
    reviewed::{ReviewFound, reviews_found},
    shown::Travels,
    standing::WaitingPolicy,
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
        let mut seen = Seen::default();
        self.make_answer_room(request).await;
        let found = match &signed.act {
            Act::Ledger => self.ledger_shown(request, &known).await?,
            Act::Records { since, before, dataset, principal, most } => {
                let (dataset, principal) = (dataset.clone(), principal.clone());
                let filter =
                    HistoryFilter { since: *since, before: *before, dataset, principal, most: *most };
                self.records_shown(&filter, &known).await?
            }
            Act::Policy => self.policy_shown(None, &known).await?,
            Act::Reviews { all, most, after } => {
                let filter = ReviewFilter { all: *all, after: *after, most: *most };
                self.reviews_shown(&filter, &known).await?
            }
            Act::Review { name } => self.review_shown(request, name, &mut seen).await?,
            Act::Decide { review, choice, why } => {
                let stands = self.decide(request, review, (*choice, why), &known).await?;
                return Ok(Found::Decided(stands.to_message()));
            }
            Act::Sign { policy } => {
                let signed = self.sign_policy(request, policy, &known).await?;
                return self.policy_shown(signed, &known).await;
            }
        };
        let mut record = self.record(request, &known, Decision::Inspected);
        record.reason = seen.words(signed.act.word());
        (record.query_digest, record.dataset) = (seen.query_digest, seen.dataset);
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
        seen: &mut Seen,
    ) -> Result<Found, Refused> {
        let known = Known::default();
        let range = review_range(name).ok_or_else(|| refused(AdministrationFault::ReviewUnknown))?;
        let policy = &request.policy.set;
        let mut reviews = reviews_found(&mut self.store.clone(), policy, self.today(), range)
            .await
            .map_err(|error| known.unavailable("the reviews cannot be read", &error))?;
        match reviews.as_mut_slice() {
            [] => {}
            [found] => {
                if is_asker(&request.principal, &found.review) {
                    found.tables.clear();
                }
                *seen = Seen::of(found);
            }
            // Of several that are meant nothing but the names is of use.
            several => several.iter_mut().for_each(|found| found.tables.clear()),
        }
        let reviews = reviews.into_iter().map(Travels::to_message).collect();
        Ok(Found::FoundReviews(pb::ReviewsFound { reviews }))
    }

    /// How the policy stands, and who signed the one that just came into force.
    async fn policy_shown(&self, activated: Option<WaitingPolicy>, known: &Known) -> Result<Found, Refused> {
        let standing = self.policy_standing().await;
        let mut standing =
            standing.map_err(|error| known.unavailable("it is not known who signed a policy", &error))?;
        standing.signed.extend(activated);
        Ok(Found::Policy(standing.to_message()))
    }

    /// Keeps the administrator's signature of the policy that waits, which comes into force if that was the last that it took:
    /// then who signed it. The folder holds the same from when it is known what waits until the signature is kept.
    async fn sign_policy(
        &self,
        request: &Request<Administration>,
        policy: &[u8; 32],
        known: &Known,
    ) -> Result<Option<WaitingPolicy>, Refused> {
        let _alone = self.changing.lock().await;
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
        record.event = Some(LogEvent::PolicySignature(PolicyApproval {
            digest: Hex(*policy),
            envelope: Hex(request.envelope_digest),
        }));
        record.request = request.step(self.done(request));
        let unkept = |error: StoreError| known.unavailable("a signature cannot be kept", &error);
        // One that does not count any more is in nobody's way.
        self.signing().forget_others(&self.store, Some(policy)).await.map_err(unkept)?;
        if !self.store.sign_policy(&signature, &record).await.map_err(unkept)? {
            return Err(refused(AdministrationFault::SignedAlready));
        }
        let signed = self.signing().signed_by(&self.store, policy).await.map_err(unkept)?;
        if signed.len() < self.administrators.activation.signatures_needed() {
            return Ok(None);
        }
        match self.take_policy(waiting.documents.to_vec()).await {
            Ok(PolicyChange::Activated { digest }) => Ok(Some(WaitingPolicy { digest, signed })),
            Ok(PolicyChange::Same | PolicyChange::Waits { .. }) => Ok(None),
            // The standing says so, and that both signatures stand.
            Err(error) => {
                tracing::error!(%error, "a policy that two administrators signed cannot come into force yet");
                Ok(None)
            }
        }
    }

    /// Decides on a review in the administrator's name.
    async fn decide(
        &self,
        request: &Request<Administration>,
        review: &[u8; 16],
        (choice, why): (ReviewChoice, &str),
        known: &Known,
    ) -> Result<StoredReview, Refused> {
        let unread = |error: &StoreError| known.unavailable("a review cannot be decided", error);
        let unknown = || refused(AdministrationFault::ReviewUnknown);
        let found = self.store.review(review).await.map_err(|error| unread(&error))?.ok_or_else(unknown)?;
        if is_asker(&request.principal, &found) {
            return Err(refused(AdministrationFault::OwnQuestion));
        }
        let event = review_event(choice);
        if choice != ReviewChoice::Reject
            && let Some(why) = lapsed(&request.policy.set, &found, self.today())
        {
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

/// What an administrator was shown of one question, for the record.
#[derive(Default)]
struct Seen {
    review: Option<String>,
    query_digest: Option<[u8; 32]>,
    dataset: Option<String>,
    with_answer: bool,
}

impl Seen {
    fn of(ReviewFound { review, tables, .. }: &ReviewFound) -> Self {
        let subject = &review.subject;
        Self {
            review: Some(review_name(&subject.id)),
            query_digest: Some(subject.key.query_digest),
            dataset: Some(subject.dataset.clone()),
            with_answer: !tables.is_empty(),
        }
    }

    /// `word`, and which review, where one was shown.
    fn words(&self, word: &str) -> String {
        let answer = if self.with_answer { " and its answer" } else { "" };
        self.review.as_ref().map_or_else(|| word.to_owned(), |review| format!("{word} {review}{answer}"))
    }
}

/// Whether an administrator has the name of the one who asked what is reviewed: the two may be one person, whatever capitals
/// their certificates are written with.
fn is_asker(administrator: &SpiffeId, review: &StoredReview) -> bool {
    let asker: Option<SpiffeId> = review.subject.principal.parse().ok();
    asker.is_some_and(|asker| asker.name().eq_ignore_ascii_case(administrator.name()))
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
