//! `lango ledger create | show | anchor`: the store of a gateway's ledger.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use lango_gateway::{declared_members, system_clock};
use lango_ledger::{Account, Holder, Limit};
use lango_policy::{Budget, PolicySet};
use lango_privacy::nano;
use lango_store::{Examined, Location, Moved, Store};
use serde::Serialize;
use time::OffsetDateTime;

use super::serving;
use crate::{
    config::{GatewayFile, read_toml},
    failure::Failure,
    output::{Format, csv_field, print, print_json, say, table},
};

#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Make the store, once, before a gateway's first start. Refused where there is one.
    Create(Place),
    /// Print what has been spent and what is left of each pool and grant, in the period of today.
    Show(Show),
    /// Write the anchor anew from the store as it is now: only if you are sure that the store is the latest.
    Anchor(Place),
}

#[derive(Debug, Args)]
pub struct Place {
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

#[derive(Debug, Args)]
pub struct Show {
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

impl LedgerCommand {
    pub fn run(self) -> Result<(), Failure> {
        let runtime = serving::runtime()?;
        match self {
            Self::Create(place) => runtime.block_on(create(&place.config)),
            Self::Show(show) => runtime.block_on(show.run()),
            Self::Anchor(place) => runtime.block_on(anchor(&place.config)),
        }
    }
}

async fn create(config: &Path) -> Result<(), Failure> {
    let file: GatewayFile = read_toml(config)?;
    let (location, anchor) = (file.store_location(config)?, file.anchor(config)?);
    // Where the store is there already, that is what is wrong, whatever its anchor says.
    let is_there = matches!(&location, Location::File(path) if path.exists());
    if let (Some(anchor), false) = (&anchor, is_there) {
        anchor.check_new()?;
    }
    Store::create(&location).await?;
    let store = Store::open(&location).await?;
    let position = store.position().await?;
    store.close().await;
    if let Some(anchor) = anchor {
        anchor.write(position)?;
    }
    say(&format!("made the store {location}, number {}", hex::encode(position.identity)));
    Ok(())
}

async fn anchor(config: &Path) -> Result<(), Failure> {
    let file: GatewayFile = read_toml(config)?;
    let anchor = file.anchor(config)?.ok_or_else(|| {
        Failure::of(config.display(), "names no anchor: add `anchor = PATH`, outside the store's folder")
    })?;
    let store = file.store(config).await?;
    let position = store.position().await?;
    store.close().await;
    anchor.write(position)?;
    say(&format!("anchored the store {} at {} records", hex::encode(position.identity), position.sequence));
    Ok(())
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
}

const COLUMNS: [&str; 8] = ["pool", "grant", "period", "currency", "limit", "spent", "left", "delta"];

impl Show {
    async fn run(self) -> Result<(), Failure> {
        let file: GatewayFile = read_toml(&self.config)?;
        let policy = PolicySet::read(&file.policies(&self.config)?)?;
        let mut store = file.readable_store(&self.config).await?;
        let lines = lines(&policy, &mut store).await?;
        for Moved { from, to } in store.moves(&declared_members(&policy)).await? {
            say(&format!(
                "the charges of the pool {from} are not shown: they follow their dataset into {to} when the gateway starts"
            ));
        }
        let cells = |line: &Line| {
            let Line { pool, grant, period, currency, limit, spent, left, delta } = line;
            let spent = spent.clone().unwrap_or_else(|| "without a pure guarantee".to_owned());
            vec![
                pool.clone(),
                grant.clone(),
                period.clone(),
                (*currency).to_owned(),
                limit.clone(),
                spent,
                left.clone(),
                delta.clone(),
            ]
        };
        print(&match self.format {
            Format::Table => table(&COLUMNS, &[4, 5, 6, 7], lines.iter().map(cells)),
            Format::Json => return print_json(&serde_json::to_value(&lines)?),
            Format::Csv => {
                let row = |cells: Vec<String>| {
                    cells.iter().map(|cell| csv_field(cell)).collect::<Vec<_>>().join(",")
                };
                let header = COLUMNS.join(",");
                [header]
                    .into_iter()
                    .chain(lines.iter().map(|line| row(cells(line))))
                    .collect::<Vec<_>>()
                    .join("\n")
            }
        })
    }
}

async fn lines(policy: &PolicySet, store: &mut Examined) -> Result<Vec<Line>, Failure> {
    let today = OffsetDateTime::from_unix_timestamp(system_clock()())?.date();
    let mut lines = Vec::new();
    for (pool, budget) in &policy.budgets {
        let (period, since) = (budget.renews.period(today), budget.renews.since(today));
        let grants = policy
            .grants
            .iter()
            .filter(|grant| policy.pool(&grant.dataset).is_some_and(|of| of.name == *pool));
        let shares = grants.map(|grant| (Holder::Grant(grant.id.clone()), grant.epsilon_total_nano));
        for (holder, epsilon_nano) in [(Holder::Pool, budget.epsilon_nano)].into_iter().chain(shares) {
            let account = Account { pool: pool.to_string(), holder, period: period.clone(), since };
            lines.push(line(store, account, budget, epsilon_nano).await?);
        }
    }
    Ok(lines)
}

async fn line(
    store: &mut Examined,
    account: Account,
    budget: &Budget,
    epsilon_nano: u64,
) -> Result<Line, Failure> {
    let limit = Limit::of_epsilon(budget.account, epsilon_nano)?;
    let balance = store.balance(&account).await?;
    let spent = balance.amount(&budget.account);
    let Account { pool, holder, period, .. } = account;
    let currency = match budget.account {
        lango_privacy::Accounting::Pure => "epsilon",
        lango_privacy::Accounting::Zcdp { .. } => "rho",
    };
    Ok(Line {
        pool,
        grant: match holder {
            Holder::Pool => String::new(),
            Holder::Grant(id) => id,
        },
        period,
        currency,
        limit: nano(limit.amount_nano),
        left: nano(spent.map_or(0, |spent| limit.amount_nano.saturating_sub(spent))),
        spent: spent.map(nano),
        delta: match balance.delta_e18 {
            0 => "0".to_owned(),
            delta_e18 => format!("{:e}", delta_e18 as f64 / 1e18),
        },
    })
}
