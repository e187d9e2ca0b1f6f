//! What becomes of reviews where another policy decides.

use lango_identity::SpiffeId;
use lango_ledger::{ReviewEvent, ReviewState};
use lango_policy::{AccessRequest, PolicySet};
use lango_privacy::Query;
use lango_store::{Decision, Record, ReviewVerdict, Store, StoredReview};
use lango_wire::ReviewChoice;
use time::Date;

use crate::{in_force::PolicyInForce, release_key::live_key};

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
    if granted.grant.id != subject.grant {
        return Some("another grant allows its question");
    }
    let key = live_key(subject.key.query_digest, &query, granted.dataset, &granted.budget.account);
    if key != subject.key {
        return Some("its dataset has another version or other terms");
    }
    let is_still = match review.state {
        ReviewState::Held => granted.grant.review.hold,
        ReviewState::Waiting | ReviewState::Approved => granted.reviews_question(loss),
        ReviewState::Rejected | ReviewState::Shown | ReviewState::Withheld | ReviewState::Lapsed => true,
    };
    if is_still { None } else { Some("the policy does not have it reviewed any more") }
}

/// The record of a decision on a review that somebody made at a moment, in Unix seconds, under a policy of this digest.
pub fn decided(by: &SpiffeId, (at, policy_digest): (i64, [u8; 32])) -> Record {
    Record::of(by.to_string(), (at, policy_digest), Decision::Reviewed)
}

/// The step of a review that an office's choice is.
pub fn review_event(choice: ReviewChoice) -> ReviewEvent {
    match choice {
        ReviewChoice::ApproveQuestion => ReviewEvent::Approved,
        ReviewChoice::ApproveAnswer => ReviewEvent::AnswerApproved,
        ReviewChoice::Reject => ReviewEvent::Rejected,
    }
}

/// A review's name as people write it: the first four bytes.
pub fn review_name(id: &[u8; 16]) -> String {
    hex::encode(id.get(..4).unwrap_or_default())
}
