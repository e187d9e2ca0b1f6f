//! `lango ledger history`: who asked what, and what came of it.

use clap::Args;
use lango_privacy::nano;
use lango_store::{Decision, Entry, HistoryFilter};
use serde::Serialize;
use time::Date;

use crate::{
    administrator::desk::{Desk, Reached},
    clock::day,
    commands::entries::{TextEntry, entries, in_region, minute, price, question_below, words_below},
    failure::Failure,
    output::{Format, foreign, report},
};

#[derive(Debug, Args)]
pub struct History {
    #[command(flatten)]
    desk: Desk,
    /// Of this dataset alone.
    #[arg(long, value_name = "NAME")]
    dataset: Option<String>,
    /// Of this principal alone, by its identity: spiffe://REGION/ROLE/NAME.
    #[arg(long, value_name = "IDENTITY")]
    principal: Option<String>,
    /// From this day on, such as 2026-07-01 (UTC).
    #[arg(long, value_name = "DAY", value_parser = day)]
    since: Option<Date>,
    /// The number of records at most, the newest.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    most: u32,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

/// A record as it is printed.
#[derive(Debug, Serialize)]
struct Line {
    sequence: i64,
    /// UTC.
    at: String,
    principal: String,
    purpose: String,
    dataset: Option<String>,
    decision: String,
    /// The refusal's code, the review's state, what was looked up, the digest of the policy that was signed, or who administers
    /// the office.
    reason: String,
    /// The grant that decided.
    rule: Option<String>,
    /// The agreement that it cites.
    agreement: Option<String>,
    /// The digest of the policy in force.
    policy: String,
    /// In epsilon; none where what was charged has no pure guarantee.
    epsilon: Option<String>,
    rho: String,
    /// The question's text.
    question: Option<String>,
    /// Refusals before this one that were not recorded, for there were too many.
    left_out: u64,
}

impl History {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let since = self.since.map_or(0, |day| day.midnight().assume_utc().unix_timestamp());
        let Self { desk, dataset, principal, most, format, .. } = self;
        let filter = HistoryFilter { since, before: None, dataset, principal, most };
        let found = match desk.open().await? {
            Reached::Files(config, file) => file.readable_store(config).await?.history(&filter).await?,
            Reached::Gateway(gateway) => gateway.records(filter).await?,
        };
        let lines = found.into_iter().map(line).collect::<Result<Vec<_>, Failure>>()?;
        report(format, &lines, shown)
    }
}

/// The records, each with its question below it.
fn shown(lines: &[Line]) -> String {
    let shown = |line: &Line| {
        let mut below = words_below(&why(line));
        below.extend(question_below(line.question.as_deref().unwrap_or_default()));
        if line.left_out > 0 {
            below.push(format!(
                "before it {} refusals were not recorded, for there were too many",
                line.left_out
            ));
        }
        TextEntry { head: head(line), below }
    };
    let shown: Vec<_> = lines.iter().map(shown).collect();
    if lines.is_empty() { "no record meets these conditions".to_owned() } else { entries(&shown) }
}

/// The reason of a refusal, and the agreement of a grant; empty where there is neither.
fn why(line: &Line) -> String {
    let is_digest = line.decision == Decision::Signed.word();
    let reason = Some(line.reason.as_str()).filter(|reason| !reason.is_empty() && !is_digest);
    let under = line.agreement.as_ref().map(|agreement| format!("under {agreement}"));
    let words: Vec<String> = reason.map(str::to_owned).into_iter().chain(under).collect();
    words.join(", ")
}

/// When, who, for what, what came of it, by which grant, and the price.
fn head(line: &Line) -> [String; 6] {
    let by = match &line.rule {
        Some(rule) => format!("by {rule}"),
        None if line.decision == Decision::Activated.word() => {
            format!("policy {}", line.policy.get(..16).unwrap_or_default())
        }
        // What was signed stands in the place of a reason.
        None if line.decision == Decision::Signed.word() => {
            format!("policy {}", line.reason.get(..16).unwrap_or_default())
        }
        None => String::new(),
    };
    let charged = match &line.epsilon {
        Some(epsilon) if epsilon == "0" && line.rho == "0" => String::new(),
        epsilon => price(epsilon.as_deref(), &line.rho),
    };
    let purpose = foreign(&line.purpose);
    [line.at.clone(), in_region(&line.principal), purpose, foreign(&line.decision), foreign(&by), charged]
}

fn line(entry: Entry) -> Result<Line, Failure> {
    let at = minute(entry.at)?;
    Ok(Line {
        sequence: entry.sequence,
        at,
        principal: entry.principal,
        purpose: entry.purpose,
        dataset: entry.dataset,
        decision: entry.decision,
        reason: entry.reason,
        rule: entry.rule,
        agreement: entry.agreement,
        policy: hex::encode(entry.policy_digest),
        epsilon: entry.charged.pure_nano.map(nano),
        rho: nano(entry.charged.rho_nano),
        question: entry.query,
        left_out: entry.left_out,
    })
}
