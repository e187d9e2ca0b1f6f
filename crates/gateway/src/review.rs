//! What the office reviews: a question before it is answered, and a noisy answer before it leaves.

use lango_identity::{PayloadType, SpiffeId, digest};
use lango_ledger::{ReviewEvent, ReviewState};
use lango_policy::{AccessRequest, Granted, PolicySet};
use lango_privacy::{Loss, Query};
use lango_store::{
    Decision, REVIEWS_OPEN_MOST, Record, ReleaseKey, ReviewAsked, ReviewStep, ReviewSubject, ReviewVerdict,
    Store, StoreError, StoredReview,
};
use lango_wire::{FREE, Question, Refusal, ReviewFault};
use time::Date;

use crate::{Gateway, authenticate::Request, authorize::Allowed, in_force::PolicyInForce, refuse::Refused};

impl Gateway {
    /// Lets a question pass that costs this, or says that the office reviews it first. Nothing is charged before it has passed.
    pub(crate) async fn review_question(
        &self,
        request: &Request<Question>,
        allowed: &Allowed<'_>,
        loss: &Loss,
    ) -> Result<(), Refused> {
        if is_of_question(&allowed.granted, loss) {
            let review = self.ask_review(request, allowed, ReviewAsked::Question(*loss)).await?;
            if !review.state.lets_question_pass() {
                return Err(Refused::new(Refusal::Review(fault(review)), &allowed.known));
            }
        }
        Ok(())
    }

    /// Lets a noisy answer leave that cost this, or says that the office reviews it first.
    pub(crate) async fn review_answer(
        &self,
        request: &Request<Question>,
        allowed: &Allowed<'_>,
        loss: &Loss,
    ) -> Result<(), Refused> {
        if allowed.granted.grant.review.hold {
            let review = self.ask_review(request, allowed, ReviewAsked::Answer(*loss)).await?;
            if !review.state.lets_answer_leave() {
                return Err(Refused::new(Refusal::Review(fault(review)), &allowed.known));
            }
        }
        Ok(())
    }

    async fn ask_review(
        &self,
        request: &Request<Question>,
        allowed: &Allowed<'_>,
        event: ReviewAsked,
    ) -> Result<StoredReview, Refused> {
        let Allowed { query, granted, key, known } = allowed;
        let principal = request.principal.to_string();
        let (grant, purpose) = (granted.grant.id.clone(), known.purpose.clone());
        let subject = ReviewSubject {
            id: review_id(key, &grant, &principal, &purpose),
            key: key.clone(),
            query: query.to_string(),
            dataset: query.dataset.to_string(),
            grant,
            principal,
            purpose,
        };
        // Its records are not of the request, which has its own.
        let record = self.record(request, known, Decision::Reviewed);
        let step = self.store.ask_review(&subject, event, &record).await;
        match step.map_err(|error| known.unavailable("a review cannot be kept", &error))? {
            ReviewStep::Stands(review) => Ok(*review),
            ReviewStep::Full => {
                let full = ReviewFault::Full { most: REVIEWS_OPEN_MOST };
                Err(Refused::new(Refusal::Review(full), known))
            }
        }
    }

    /// Whether a stored release may be shown to the principal under a grant, as far as the office reviews it: for every purpose
    /// where none is named. Asks for no review.
    pub(crate) async fn is_reviewed<T>(
        &self,
        request: &Request<T>,
        granted: &Granted<'_>,
        key: &ReleaseKey,
        (purpose, loss): (&str, &Loss),
    ) -> Result<bool, StoreError> {
        let (of_question, hold) = (is_of_question(granted, loss), granted.grant.review.hold);
        if !of_question && !hold {
            return Ok(true);
        }
        let reviews = self.store.reviews_of(key, &request.principal.to_string()).await?;
        let mut reviews = reviews.into_iter().filter(|StoredReview { subject, .. }| {
            subject.grant == granted.grant.id && (purpose.is_empty() || subject.purpose == purpose)
        });
        Ok(reviews.any(|StoredReview { state, .. }| {
            (!of_question || state.lets_question_pass()) && (!hold || state.lets_answer_leave())
        }))
    }
}

/// Lets every review lapse of which a policy that comes into force at a moment, in Unix seconds, decides otherwise. A failure is
/// logged: who asks again is decided by the policy in force, whatever is kept here.
pub(crate) async fn lapse_reviews(
    store: &Store,
    policy: &PolicyInForce,
    (office, now, today): (&SpiffeId, i64, Date),
) {
    let pending = match store.pending_reviews().await {
        Ok(pending) => pending,
        Err(error) => return tracing::error!(%error, "the reviews cannot be read"),
    };
    for review in pending {
        let Some(why) = lapsed(&policy.set, &review, today) else { continue };
        let (by, name) = (office.to_string(), review_name(&review.subject.id));
        let verdict = ReviewVerdict { event: ReviewEvent::PolicyChanged, by, why: why.to_owned() };
        let record = decided(office, (now, policy.digest));
        match store.decide_review(&review.subject.id, &verdict, &record).await {
            Ok(_) => tracing::info!(review = name, why, "a review lapsed"),
            Err(error) => tracing::error!(%error, review = name, "a review could not lapse"),
        }
    }
}

/// The record of a decision on a review that somebody made at a moment, in Unix seconds, under a policy of this digest.
pub fn decided(by: &SpiffeId, (at, policy_digest): (i64, [u8; 32])) -> Record {
    Record {
        at,
        principal: by.to_string(),
        purpose: String::new(),
        request_digest: policy_digest,
        query_digest: None,
        query: None,
        dataset: None,
        decision: Decision::Reviewed,
        reason: String::new(),
        rule: None,
        agreement: None,
        policy_digest,
        charged: FREE,
        release_id: None,
        left_out: 0,
        request: None,
    }
}

/// Why a policy decides otherwise of what a review is about; nothing where it does not.
pub fn lapsed(policy: &PolicySet, review: &StoredReview, today: Date) -> Option<&'static str> {
    let StoredReview { subject, loss, .. } = review;
    let asked = subject.query.parse::<Query>().ok().zip(subject.principal.parse::<SpiffeId>().ok());
    let Some((query, principal)) = asked else { return Some("its question cannot be read") };
    let budget = policy.budget(&query.dataset).map(|budget| budget.account);
    let epsilon_nano = budget.and_then(|account| account.epsilon_of(loss.amount(&account)?));
    let asked = AccessRequest {
        principal: &principal,
        purpose: Some(&subject.purpose),
        on: Some(today),
        epsilon_nano: Some(epsilon_nano.unwrap_or(u64::MAX)),
    };
    let Ok(granted) = policy.authorize(&asked, &query) else {
        return Some("the policy does not allow its question any more");
    };
    let terms = granted.dataset.terms(query.columns(), &granted.budget.account);
    if granted.grant.id != subject.grant {
        return Some("another grant allows its question");
    }
    if granted.dataset.version.to_string() != subject.key.dataset_version
        || digest(PayloadType::Terms, terms.as_bytes()) != subject.key.terms_digest
    {
        return Some("its dataset has another version or other terms");
    }
    let is_still = match review.state {
        ReviewState::Held => granted.grant.review.hold,
        ReviewState::Waiting | ReviewState::Approved => is_of_question(&granted, loss),
        ReviewState::Rejected | ReviewState::Shown | ReviewState::Withheld | ReviewState::Lapsed => true,
    };
    if is_still { None } else { Some("the policy does not have it reviewed any more") }
}

/// Whether a grant has a question reviewed that costs this; one whose price the account cannot express costs more than any bound.
pub(crate) fn is_of_question(granted: &Granted<'_>, loss: &Loss) -> bool {
    granted.grant.review.is_of_question(granted.epsilon_nano(loss).unwrap_or(u64::MAX))
}

/// The name of a review: it counts nothing, so that it shows nobody how much others ask.
fn review_id(key: &ReleaseKey, grant: &str, principal: &str, purpose: &str) -> [u8; 16] {
    let ReleaseKey { query_digest, dataset_version, terms_digest } = key;
    let digests = [query_digest, terms_digest].map(hex::encode);
    let [query, terms] = &digests;
    let parts = [query.as_str(), dataset_version, terms, grant, principal, purpose];
    let text: String = parts.iter().map(|part| format!("{}:{part}\n", part.len())).collect();
    let digest = digest(PayloadType::Review, text.as_bytes());
    std::array::from_fn(|at| digest.get(at).copied().unwrap_or_default())
}

/// What the one who asks is answered. A review's name is shown by its first bytes.
fn fault(StoredReview { subject, state, why, .. }: StoredReview) -> ReviewFault {
    let review = review_name(&subject.id);
    match state {
        ReviewState::Rejected => ReviewFault::Rejected { review, why },
        ReviewState::Held => ReviewFault::Held { review },
        ReviewState::Withheld => ReviewFault::Withheld { review, why },
        // One that is asked for anew waits.
        ReviewState::Waiting | ReviewState::Approved | ReviewState::Shown | ReviewState::Lapsed => {
            ReviewFault::Waiting { review }
        }
    }
}

/// A review's name as people write it: the first four bytes.
pub fn review_name(id: &[u8; 16]) -> String {
    hex::encode(id.get(..4).unwrap_or_default())
}
