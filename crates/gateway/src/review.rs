//! What the office reviews: a question before it is answered, and a noisy answer before it leaves.

use lango_identity::{PayloadType, digest};
use lango_ledger::ReviewState;
use lango_policy::Granted;
use lango_privacy::Loss;
use lango_store::{
    Decision, REVIEWS_OPEN_MOST, Record, ReleaseKey, ReviewAsked, ReviewStep, ReviewSubject, StoredReview,
};
use lango_wire::{Question, Refusal, ReviewFault};

use crate::{
    Gateway,
    authenticate::Request,
    authorize::Allowed,
    lapse::review_name,
    refuse::{Known, Refused},
};

impl Gateway {
    /// Lets a question pass that costs this, or says that the office reviews it first. Nothing is charged before it has passed.
    pub(crate) async fn review_question(
        &self,
        request: &Request<Question>,
        allowed: &Allowed<'_>,
        loss: &Loss,
    ) -> Result<(), Refused> {
        if allowed.granted.reviews_question(loss) {
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
        let record = Record { request: None, ..self.record(request, known, Decision::Reviewed) };
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
        (key, loss): (&ReleaseKey, &Loss),
        known: &Known,
    ) -> Result<bool, Refused> {
        let (of_question, hold) = (granted.reviews_question(loss), granted.grant.review.hold);
        if !of_question && !hold {
            return Ok(true);
        }
        let reviews = self.store.reviews_of(key, &request.principal.to_string()).await;
        let reviews = reviews.map_err(|error| known.unavailable("the reviews cannot be read", &error))?;
        let purpose = &known.purpose;
        let mut reviews = reviews.into_iter().filter(|StoredReview { subject, .. }| {
            subject.grant == granted.grant.id && (purpose.is_empty() || subject.purpose == *purpose)
        });
        Ok(reviews.any(|StoredReview { state, .. }| {
            (!of_question || state.lets_question_pass()) && (!hold || state.lets_answer_leave())
        }))
    }
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
