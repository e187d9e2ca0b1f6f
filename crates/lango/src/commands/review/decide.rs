//! `lango review approve | reject`: the office decides.

use clap::Args;
use lango_gateway::{decided, lapsed, policy_digest, review_name, system_clock};
use lango_identity::{Role, SpiffeId};
use lango_ledger::ReviewEvent;
use lango_policy::PolicySet;
use lango_store::{ReviewVerdict, StoreError, WHY_BYTES_MOST};

use super::{OneReview, meaning};
use crate::{
    clock::today,
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

/// Decides on a review for the office, whose store the one who decides can write to, under the policy as it is in its folder now.
async fn decide(one: &OneReview, event: ReviewEvent, why: String) -> Result<(), Failure> {
    let file = one.file()?;
    let documents = file.policies(&one.config)?;
    let policy = PolicySet::read(&documents)?;
    let mut examined = file.readable_store(&one.config).await?;
    let found = one.find(&mut examined).await?;
    drop(examined);
    let lapses = lapsed(&policy, &found, today()?).filter(|_| event == ReviewEvent::Approved);
    if let Some(lapses) = lapses {
        return Err(Failure::of(&one.name, format!("cannot be approved: {lapses}")));
    }
    let office = office(&file, &policy)?;
    let record = decided(&office, (system_clock()(), policy_digest(&documents)));
    let verdict = ReviewVerdict { event, by: office.to_string(), why };
    let store = file.store(&one.config).await?;
    let stands = store.decide_review(&found.subject.id, &verdict, &record).await;
    store.close().await;
    let stands = stands.map_err(|error| match error {
        StoreError::Review(step) => Failure::of(&one.name, step.to_string()),
        error => error.into(),
    })?;
    say(&format!(
        "review {} of {} is {}: {}",
        review_name(&stands.subject.id),
        foreign(&stands.subject.principal),
        stands.state.word(),
        meaning(stands.state)
    ));
    Ok(())
}

/// The office in whose name is decided: who can write to its store decides for it.
fn office(file: &GatewayFile, policy: &PolicySet) -> Result<SpiffeId, Failure> {
    let office = SpiffeId::new(file.region_name(), Role::Office, &policy.office);
    office.map_err(|error| Failure::of(&policy.office, error.to_string()))
}
