//! `lango review list`: what waits.

use clap::Args;
use lango_gateway::review_name;
use lango_privacy::nano;
use lango_store::{ReviewFilter, StoredReview};
use serde::Serialize;

use crate::{
    administrator::desk::{Desk, Reached},
    commands::entries::{TextEntry, entries, in_region, minute, price, question_below},
    failure::Failure,
    output::{Format, foreign, report},
};

#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    desk: Desk,
    /// Those that were decided too.
    #[arg(long)]
    all: bool,
    /// The number of reviews at most, the newest.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    most: u32,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

/// A review as it is printed.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    name: String,
    state: &'static str,
    /// UTC.
    asked_at: String,
    pub principal: String,
    pub purpose: String,
    dataset: String,
    pub grant: String,
    /// In epsilon; none where the price has no pure guarantee.
    epsilon: Option<String>,
    rho: String,
    /// The question's text.
    pub question: String,
    /// UTC.
    decided_at: Option<String>,
    decided_by: Option<String>,
    why: String,
}

impl List {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let Self { all, most, .. } = self;
        let found = match self.desk.open().await? {
            Reached::Files(config, file) => {
                let mut store = file.readable_store(config).await?;
                store.reviews(&ReviewFilter { all, after: None, most }).await?
            }
            Reached::Gateway(gateway) => gateway.reviews(all, most).await?,
        };
        let lines = found.into_iter().map(Line::of).collect::<Result<Vec<_>, _>>()?;
        let none = if self.all { "nothing was reviewed" } else { "nothing waits for the office" };
        report(self.format, &lines, |lines| shown(lines, none))
    }
}

impl Line {
    pub fn of(review: StoredReview) -> Result<Self, Failure> {
        let StoredReview { subject, asked_at, state, loss, decided, why } = review;
        let (decided_at, decided_by) = decided.unzip();
        Ok(Self {
            name: review_name(&subject.id),
            state: state.word(),
            asked_at: minute(asked_at)?,
            principal: subject.principal,
            purpose: subject.purpose,
            dataset: subject.dataset,
            grant: subject.grant,
            epsilon: loss.pure_nano.map(nano),
            rho: nano(loss.rho_nano),
            question: subject.query,
            decided_at: decided_at.map(minute).transpose()?,
            decided_by,
            why,
        })
    }

    pub fn price(&self) -> String {
        price(self.epsilon.as_deref(), &self.rho)
    }

    /// When the office decided, who did, and why.
    pub fn decision(&self) -> Option<String> {
        let (at, by) = self.decided_at.as_ref().zip(self.decided_by.as_ref())?;
        let why = if self.why.is_empty() { String::new() } else { format!(": {}", foreign(&self.why)) };
        Some(format!("{at} by {}{why}", foreign(by)))
    }
}

/// The reviews, each with its question below it.
fn shown(lines: &[Line], none: &str) -> String {
    let shown = |line: &Line| {
        let mut below = question_below(&line.question);
        if !line.why.is_empty() {
            below.push(format!("why: {}", foreign(&line.why)));
        }
        TextEntry { head: head(line), below }
    };
    let shown: Vec<_> = lines.iter().map(shown).collect();
    if lines.is_empty() { none.to_owned() } else { entries(&shown) }
}

/// Which, how it stands, when and who asked, and the price.
fn head(line: &Line) -> [String; 5] {
    let who = format!("{} for {}", in_region(&line.principal), foreign(&line.purpose));
    [line.name.clone(), line.state.to_owned(), line.asked_at.clone(), who, line.price()]
}
