//! `lango review list | show | approve | reject`: what waits for the office before it is answered, or before it leaves.

use clap::{Args, Subcommand};
use lango_gateway::{ReviewFound, reviews_found};
use lango_ledger::ReviewState;
use lango_policy::PolicySet;
use lango_wire::{REVIEW_LETTERS_LEAST, review_range};

use super::serving;
use crate::{
    administrator::desk::{Desk, Reached},
    clock::today,
    failure::Failure,
};

mod decide;
mod list;
mod show;

use decide::{Approve, Reject};
use list::List;
use show::ShowReview;

#[derive(Debug, Subcommand)]
pub enum ReviewCommand {
    /// Print the questions and answers that wait for the office, newest first.
    List(List),
    /// Print one review whole: the question, who asks it and for what, its price, and the noisy answer where that waits.
    Show(ShowReview),
    /// Let a question be answered, or an answer leave. Who asked gets it by asking again.
    Approve(Approve),
    /// Let a question not be answered, or an answer not leave. What an answer cost stays charged.
    Reject(Reject),
}

/// Which review, of which gateway.
#[derive(Debug, Args)]
pub struct OneReview {
    /// The review, by its name or the first letters of it: 3f9a21c4.
    #[arg(value_name = "REVIEW")]
    name: String,
    #[command(flatten)]
    desk: Desk,
}

impl ReviewCommand {
    pub fn run(self) -> Result<(), Failure> {
        let runtime = serving::runtime()?;
        match self {
            Self::List(list) => runtime.block_on(list.run()),
            Self::Show(show) => runtime.block_on(show.run()),
            Self::Approve(approve) => runtime.block_on(approve.run()),
            Self::Reject(reject) => runtime.block_on(reject.run()),
        }
    }
}

impl OneReview {
    /// The one review of that name.
    async fn find(&self, place: &Reached<'_>) -> Result<ReviewFound, Failure> {
        let fails = |what: String| Err(Failure::of(&self.name, what));
        let Some(range) = review_range(&self.name) else {
            return fails(format!(
                "is no name of a review: write its first letters, {REVIEW_LETTERS_LEAST} at least, as `lango review list` prints it"
            ));
        };
        let found = match place {
            Reached::Files(config, file) => {
                let mut store = file.readable_store(config).await?;
                let policy = PolicySet::read(&file.deciding(config, &mut store).await?)?;
                reviews_found(&mut store, &policy, today()?, range).await?
            }
            Reached::Gateway(gateway) => gateway.reviews_named(&self.name).await?,
        };
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (Some(review), None) => Ok(review),
            (None, _) => fails("is the name of no review: see `lango review list --all`".to_owned()),
            (Some(_), Some(_)) => {
                fails("is the beginning of several reviews' names: write more letters".to_owned())
            }
        }
    }
}

/// What a state means, as a clause.
fn meaning(state: ReviewState) -> &'static str {
    match state {
        ReviewState::Waiting => "the question waits for the office; nothing is charged",
        ReviewState::Approved => "the question is answered when it is asked again",
        ReviewState::Rejected => "the question is not answered",
        ReviewState::Held => "the answer is drawn and charged, and waits for the office",
        ReviewState::Shown => "the answer leaves when the question is asked again",
        ReviewState::Withheld => "the answer is drawn and charged, and does not leave",
        ReviewState::Lapsed => {
            "another policy decides otherwise: the question begins anew when it is asked again"
        }
    }
}
