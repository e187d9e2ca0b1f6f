//! `lango ledger history`: who asked what, and what came of it.

use std::path::PathBuf;

use clap::Args;
use lango_privacy::nano;
use lango_store::{Decision, Entry, HistoryFilter};
use serde::Serialize;
use time::{Date, OffsetDateTime, macros::format_description};

use crate::{
    config::{GatewayFile, read_toml},
    failure::Failure,
    output::{Format, foreign, report, wrapped},
};

#[derive(Debug, Args)]
pub struct History {
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
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

fn day(text: &str) -> Result<Date, String> {
    Date::parse(text, format_description!("[year]-[month]-[day]"))
        .map_err(|_| "a day as year-month-day, such as 2026-07-01".to_owned())
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
    /// The refusal's code.
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
        let file: GatewayFile = read_toml(&self.config)?;
        let mut store = file.readable_store(&self.config).await?;
        let since = self.since.map_or(0, |day| day.midnight().assume_utc().unix_timestamp());
        let Self { dataset, principal, most, .. } = self;
        let found = store.history(&HistoryFilter { since, dataset, principal, most }).await?;
        let lines = found.into_iter().map(line).collect::<Result<Vec<_>, Failure>>()?;
        report(self.format, &lines, shown)
    }
}

/// The letters of a line of a question, which stands below its record.
const WIDTH: usize = 94;

/// The records, each with its question below it.
fn shown(lines: &[Line]) -> String {
    let heads: Vec<[String; 5]> = lines.iter().map(head).collect();
    let width = |column: usize| {
        heads.iter().filter_map(|head| head.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..5).filter_map(width).collect();
    let mut text = Vec::new();
    for (line, head) in lines.iter().zip(&heads) {
        let cells = head.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        text.push(cells.collect::<Vec<_>>().join("  ").trim_end().to_owned());
        let question = line.question.as_deref().unwrap_or_default();
        let question = question.lines().filter(|line| !line.starts_with("lango-query ")).collect::<Vec<_>>();
        let question = wrapped(&foreign(&question.join("; ")), WIDTH);
        text.extend(question.iter().filter(|line| !line.is_empty()).map(|line| format!("      {line}")));
        if line.left_out > 0 {
            text.push(format!(
                "      before it {} refusals were not recorded, for there were too many",
                line.left_out
            ));
        }
    }
    if lines.is_empty() { "no record meets these conditions".to_owned() } else { text.join("\n") }
}

/// When, who, what came of it, by which grant or for which reason, and the price.
fn head(line: &Line) -> [String; 5] {
    // The region is that of all.
    let who = line.principal.splitn(4, '/').nth(3).unwrap_or(&line.principal);
    let by = match (line.reason.as_str(), &line.rule) {
        ("", Some(rule)) => format!("by {rule}"),
        ("", None) if line.decision == Decision::Activated.word() => {
            format!("policy {}", line.policy.get(..16).unwrap_or_default())
        }
        ("", None) => String::new(),
        (reason, Some(rule)) => format!("{reason}, by {rule}"),
        (reason, None) => reason.to_owned(),
    };
    let by = match &line.agreement {
        Some(agreement) => format!("{by} under {agreement}"),
        None => by,
    };
    let price = match &line.epsilon {
        Some(epsilon) if epsilon == "0" && line.rho == "0" => String::new(),
        Some(epsilon) => format!("epsilon {epsilon}"),
        None => format!("rho {}", line.rho),
    };
    [line.at.clone(), foreign(who), line.decision.clone(), foreign(&by), price]
}

fn line(entry: Entry) -> Result<Line, Failure> {
    let at = OffsetDateTime::from_unix_timestamp(entry.at)?;
    let at = at.format(format_description!("[year]-[month]-[day] [hour]:[minute]"))?;
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
