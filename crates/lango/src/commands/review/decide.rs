//! `lango review approve | reject`: the office decides.

use std::path::Path;

use clap::Args;
use lango_gateway::{ReviewFound, decided, policy_digest, review_name, system_clock};
use lango_identity::{Role, SpiffeId};
use lango_ledger::ReviewEvent;
use lango_policy::PolicySet;
use lango_store::{ReviewVerdict, StoredReview, WHY_BYTES_MOST};

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
        decide(&self.review, ReviewEvent::Approved, self.why).await
    }
}

impl Reject {
    pub(super) async fn run(self) -> Result<(), Failure> {
        decide(&self.review, ReviewEvent::Rejected, self.why).await
    }
}

/// Decides on a review: at the gateway in the administrator's name, or in the office's, whose store the one who decides can write
/// to, under the policy that decides now.
async fn decide(one: &OneReview, event: ReviewEvent, why: String) -> Result<(), Failure> {
    let place = one.desk.open().await?;
    let ReviewFound { review, lapses, .. } = one.find(&place).await?;
    if let Some(lapses) = lapses.filter(|_| event == ReviewEvent::Approved) {
        return Err(Failure::of(&one.name, format!("cannot be approved: {}", foreign(&lapses))));
    }
    let stands = match &place {
        Reached::Files(config, file) => {
            decide_in_office(file, config, &review.subject.id, (event, why)).await?
        }
        Reached::Gateway(gateway) => {
            gateway.decide(review.subject.id, event == ReviewEvent::Approved, why).await?
        }
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
