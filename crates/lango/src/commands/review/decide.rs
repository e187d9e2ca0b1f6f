//! `lango review approve | reject`: the office decides.

use std::path::Path;

use clap::Args;
use lango_gateway::{ReviewFound, decided, policy_digest, review_event, review_name, system_clock};
use lango_identity::{Role, SpiffeId};
use lango_ledger::{ReviewEvent, ReviewState};
use lango_policy::PolicySet;
use lango_store::{ReviewVerdict, StoredReview, WHY_BYTES_MOST};
use lango_wire::ReviewChoice;

use super::{OneReview, meaning};
use crate::{
    administrator::desk::Reached,
    config::GatewayFile,
    failure::Failure,
    output::{foreign, say},
};

#[derive(Debug, Args)]
pub struct Approve {
    #[command(flatten)]
    review: OneReview,
    /// Approve the noisy answer, which you have seen with `lango review show`, and not the question.
    #[arg(long)]
    answer: bool,
    /// Why, for the record; at most 200 bytes.
    #[arg(long, value_name = "TEXT", default_value = "", value_parser = why)]
    why: String,
}

#[derive(Debug, Args)]
pub struct Reject {
    #[command(flatten)]
    review: OneReview,
    /// Why, in words that the asker gets; at most 200 bytes. Say nothing in them of what stands in the register.
    #[arg(long, value_name = "TEXT", value_parser = why)]
    why: String,
}

fn why(text: &str) -> Result<String, String> {
    match (text.len(), text.chars().any(char::is_control)) {
        (..=WHY_BYTES_MOST, false) => Ok(text.to_owned()),
        (..=WHY_BYTES_MOST, true) => Err("one line, without control characters".to_owned()),
        (bytes, _) => Err(format!("{bytes} bytes, more than {WHY_BYTES_MOST}")),
    }
}

impl Approve {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let choice = if self.answer { ReviewChoice::ApproveAnswer } else { ReviewChoice::ApproveQuestion };
        decide(&self.review, choice, self.why).await
    }
}

impl Reject {
    pub(super) async fn run(self) -> Result<(), Failure> {
        decide(&self.review, ReviewChoice::Reject, self.why).await
    }
}

/// Decides on a review: at the gateway in the administrator's name, or in the office's, whose store the one who decides can write
/// to, under the policy that decides now.
async fn decide(one: &OneReview, choice: ReviewChoice, why: String) -> Result<(), Failure> {
    let place = one.desk.open().await?;
    let ReviewFound { review, lapses, .. } = one.find(&place).await?;
    if let Some(lapses) = lapses.filter(|_| choice != ReviewChoice::Reject) {
        return Err(Failure::of(&one.name, format!("cannot be approved: {}", foreign(&lapses))));
    }
    unmeant(choice, review.state).map_or(Ok(()), |why| Err(Failure::of(&one.name, why)))?;
    let stands = match &place {
        Reached::Files(config, file) => {
            decide_in_office(file, config, &review.subject.id, (review_event(choice), why)).await?
        }
        Reached::Gateway(gateway) => gateway.decide(review.subject.id, choice, why).await?,
    };
    say(&format!(
        "review {} of {} is {}: {}",
        review_name(&stands.subject.id),
        foreign(&stands.subject.principal),
        stands.state.word(),
        meaning(stands.state)
    ));
    Ok(())
}

/// What to say to somebody who approves something else than what waits.
fn unmeant(choice: ReviewChoice, state: ReviewState) -> Option<&'static str> {
    let has_answer = matches!(state, ReviewState::Held | ReviewState::Withheld);
    let waits = matches!(state, ReviewState::Waiting | ReviewState::Approved | ReviewState::Rejected);
    match choice {
        ReviewChoice::ApproveQuestion if has_answer => Some(
            "there is a noisy answer: see it with `lango review show`, and let it leave with `lango review approve --answer`",
        ),
        ReviewChoice::ApproveAnswer if waits => {
            Some("there is no answer yet: the question is approved without `--answer`")
        }
        ReviewChoice::ApproveQuestion | ReviewChoice::ApproveAnswer | ReviewChoice::Reject => None,
    }
}

/// Decides in the office's name: who can write to its store decides for it.
async fn decide_in_office(
    file: &GatewayFile,
    config: &Path,
    review: &[u8; 16],
    (event, why): (ReviewEvent, String),
) -> Result<StoredReview, Failure> {
    let documents = file.deciding(config, &mut file.readable_store(config).await?).await?;
    let policy = PolicySet::read(&documents)?;
    let office = SpiffeId::new(file.region_name(), Role::Office, &policy.office);
    let office = office.map_err(|error| Failure::of(&policy.office, error))?;
    let record = decided(&office, (system_clock()(), policy_digest(&documents)));
    let verdict = ReviewVerdict { event, by: office.to_string(), why };
    let store = file.store(config).await?;
    let stands = store.decide_review(review, &verdict, &record).await;
    store.close().await;
    Ok(stands?)
}
