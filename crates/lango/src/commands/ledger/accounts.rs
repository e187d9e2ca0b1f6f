//! `lango ledger show`: what is used and left of each pool and grant.

use std::path::Path;

use clap::Args;
use lango_document::Document;
use lango_gateway::{AccountStanding, Activation, account_standings, declared_members, policy_digest};
use lango_policy::PolicySet;
use lango_privacy::{Accounting, nano};
use lango_store::{Examined, Moved};
use serde::Serialize;

use super::printed::bar;
use crate::{
    administrator::desk::{Desk, Reached},
    clock::today,
    config::GatewayFile,
    failure::Failure,
    output::{Format, report, say, table},
};

#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    desk: Desk,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

/// An account as it is printed.
#[derive(Debug, Serialize)]
struct Line {
    pool: String,
    /// Empty for the pool itself.
    grant: String,
    /// Empty where the budget never renews.
    period: String,
    currency: &'static str,
    limit: String,
    /// None where the account holds what its currency cannot express.
    spent: Option<String>,
    left: String,
    /// What keys that were searched for cost beside it.
    delta: String,
    /// The limit as an epsilon.
    epsilon_limit: String,
    /// The epsilon that what is spent guarantees; none where it guarantees none.
    epsilon_spent: Option<String>,
    /// The questions that were charged in the period.
    questions: u64,
    /// How many more of them there may be at their mean price; none where none was charged.
    questions_left: Option<u64>,
    #[serde(skip)]
    used: String,
}

const COLUMNS: [&str; 6] = ["account", "period", "used", "of", "left", "questions"];

impl Show {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let standings = match self.desk.open().await? {
            Reached::Files(config, file) => in_office(&file, config).await?,
            Reached::Gateway(gateway) => gateway.accounts().await?,
        };
        let lines: Vec<Line> = standings.into_iter().map(Line::of).collect();
        report(self.format, &lines, |lines| table(&COLUMNS, &[4, 5], lines.iter().map(cells)))
    }
}

/// How the accounts of the policy that decides stand.
async fn in_office(file: &GatewayFile, config: &Path) -> Result<Vec<AccountStanding>, Failure> {
    let mut store = file.readable_store(config).await?;
    let documents = file.deciding(config, &mut store).await?;
    let policy = PolicySet::read(&documents)?;
    say_if_another(file.administrators(config)?.activation, &store, &documents);
    let standings = account_standings(&mut store, &policy, today()?).await?;
    for Moved { from, to } in store.moves(&declared_members(&policy)).await? {
        say(&format!(
            "the charges of the pool {from} are not shown: they follow their dataset into {to} when the gateway starts"
        ));
    }
    Ok(standings)
}

/// Says so where the last record was decided by another policy than the folder's, whose limits are shown.
pub(super) fn say_if_another(activation: Activation, store: &Examined, documents: &[Document]) {
    if activation == Activation::One && store.last_policy.is_some_and(|last| last != policy_digest(documents))
    {
        say(
            "these are the limits of the policy in the folder, and the last request was decided by another one: `lango doctor` says more",
        );
    }
}

fn cells(line: &Line) -> Vec<String> {
    let of = match line.currency {
        "epsilon" => format!("epsilon {}", line.limit),
        currency => format!("{currency} {}, epsilon {}", shortened(&line.limit), line.epsilon_limit),
    };
    let left = match line.spent {
        Some(_) => shortened(&line.left),
        None => "not pure".to_owned(),
    };
    let questions = match (line.questions_left, line.questions) {
        (_, 0) => "none yet".to_owned(),
        (Some(left), _) => format!("{left} more"),
        (None, asked) => format!("{asked} asked"),
    };
    vec![named(&line.pool, &line.grant), line.period.clone(), line.used.clone(), of, left, questions]
}

/// A pool by its name, and a grant of it below, set in.
pub(super) fn named(pool: &str, grant: &str) -> String {
    if grant.is_empty() { pool.to_owned() } else { format!("  {grant}") }
}

/// An amount with its first three decimals: what is left is never shown as more than it is.
pub(super) fn shortened(amount: &str) -> String {
    match amount.split_once('.') {
        Some((whole, decimals)) => format!("{whole}.{}", decimals.get(..3).unwrap_or(decimals)),
        None => amount.to_owned(),
    }
}

impl Line {
    fn of(standing: AccountStanding) -> Self {
        let left = standing.left_nano();
        let AccountStanding { accounting, limit_nano, balance, questions, .. } = standing;
        let spent = balance.amount(&accounting);
        let mean = spent.and_then(|spent| spent.checked_div(questions)).filter(|mean| *mean > 0);
        Self {
            pool: standing.pool,
            grant: standing.grant.unwrap_or_default(),
            period: standing.period,
            currency: match accounting {
                Accounting::Pure => "epsilon",
                Accounting::Zcdp { .. } => "rho",
            },
            limit: nano(limit_nano),
            left: nano(left),
            used: bar(limit_nano.saturating_sub(left), limit_nano),
            spent: spent.map(nano),
            delta: match balance.delta_e18 {
                0 => "0".to_owned(),
                delta_e18 => format!("{:e}", delta_e18 as f64 / 1e18),
            },
            epsilon_limit: nano(standing.epsilon_nano),
            epsilon_spent: spent.and_then(|spent| accounting.epsilon_of(spent)).map(nano),
            questions,
            questions_left: mean.map(|mean| left / mean),
        }
    }
}
