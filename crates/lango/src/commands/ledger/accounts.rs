//! `lango ledger show`: what is used and left of each pool and grant.

use std::path::PathBuf;

use clap::Args;
use lango_document::Document;
use lango_gateway::{declared_members, policy_digest};
use lango_ledger::{Account, Balance, Holder, Limit};
use lango_policy::{Budget, PolicySet};
use lango_privacy::{Accounting, nano};
use lango_store::{Examined, Moved};
use serde::Serialize;
use time::Date;

use super::printed::bar;
use crate::{
    clock::today,
    config::{GatewayFile, read_toml},
    failure::Failure,
    output::{Format, report, say, table},
};

#[derive(Debug, Args)]
pub struct Show {
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

/// An account of the policy: of a pool, or of a grant's share of it.
pub(super) struct NamedAccount<'a> {
    pub(super) account: Account,
    pub(super) budget: &'a Budget,
    pub(super) limit: Limit,
    epsilon_nano: u64,
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
        let file: GatewayFile = read_toml(&self.config)?;
        let documents = file.policies(&self.config)?;
        let policy = PolicySet::read(&documents)?;
        let mut store = file.readable_store(&self.config).await?;
        say_if_another(&store, &documents);
        let mut lines = Vec::new();
        for named in accounts(&policy, today()?)? {
            lines.push(line(&mut store, named).await?);
        }
        for Moved { from, to } in store.moves(&declared_members(&policy)).await? {
            say(&format!(
                "the charges of the pool {from} are not shown: they follow their dataset into {to} when the gateway starts"
            ));
        }
        report(self.format, &lines, |lines| table(&COLUMNS, &[4, 5], lines.iter().map(cells)))
    }
}

/// Says so where the last record was decided by another policy than the folder's, whose limits are shown.
pub(super) fn say_if_another(store: &Examined, documents: &[Document]) {
    if store.last_policy.is_some_and(|last| last != policy_digest(documents)) {
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

/// The accounts of a policy in the period of a day: each pool, and then each grant of it.
pub(super) fn accounts(policy: &PolicySet, today: Date) -> Result<Vec<NamedAccount<'_>>, Failure> {
    let mut accounts = Vec::new();
    for (pool, budget) in &policy.budgets {
        let (period, since) = (budget.renews.period(today), budget.renews.since(today));
        let grants = policy
            .grants
            .iter()
            .filter(|grant| policy.pool(&grant.dataset).is_some_and(|of| of.name == *pool));
        let shares = grants.map(|grant| (Holder::Grant(grant.id.clone()), grant.epsilon_total_nano));
        for (holder, epsilon_nano) in [(Holder::Pool, budget.epsilon_nano)].into_iter().chain(shares) {
            let limit = Limit::of_epsilon(budget.account, epsilon_nano)?;
            let account = Account { pool: pool.to_string(), holder, period: period.clone(), since };
            accounts.push(NamedAccount { account, budget, limit, epsilon_nano });
        }
    }
    Ok(accounts)
}

impl NamedAccount<'_> {
    /// The grant's name, or nothing for a pool.
    pub(super) fn grant(&self) -> String {
        match &self.account.holder {
            Holder::Pool => String::new(),
            Holder::Grant(id) => id.clone(),
        }
    }

    /// What is left of it; nothing where what was charged has no guarantee in its currency.
    pub(super) fn left(&self, balance: &Balance) -> u64 {
        balance.amount(&self.budget.account).map_or(0, |spent| self.limit.amount_nano.saturating_sub(spent))
    }
}

async fn line(store: &mut Examined, named: NamedAccount<'_>) -> Result<Line, Failure> {
    let balance = store.balance(&named.account).await?;
    let (_, questions) = store.charged_since(&named.account, named.account.since).await?;
    let (accounting, limit, left) = (&named.budget.account, named.limit.amount_nano, named.left(&balance));
    let spent = balance.amount(accounting);
    let mean = spent.and_then(|spent| spent.checked_div(questions)).filter(|mean| *mean > 0);
    Ok(Line {
        grant: named.grant(),
        pool: named.account.pool,
        period: named.account.period,
        currency: match accounting {
            Accounting::Pure => "epsilon",
            Accounting::Zcdp { .. } => "rho",
        },
        limit: nano(limit),
        left: nano(left),
        used: bar(limit - left, limit),
        spent: spent.map(nano),
        delta: match balance.delta_e18 {
            0 => "0".to_owned(),
            delta_e18 => format!("{:e}", delta_e18 as f64 / 1e18),
        },
        epsilon_limit: nano(named.epsilon_nano),
        epsilon_spent: spent.and_then(|spent| accounting.epsilon_of(spent)).map(nano),
        questions,
        questions_left: mean.map(|mean| left / mean),
    })
}
