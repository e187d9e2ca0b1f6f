//! `lango ledger forecast`: when an account runs dry at the present pace.

use std::path::PathBuf;

use clap::Args;
use lango_gateway::{policy_accounts, system_clock};
use lango_policy::PolicySet;
use lango_privacy::nano;
use serde::Serialize;
use time::{Date, Duration};

use super::{
    accounts::{named, say_if_another, shortened},
    printed::bar,
};
use crate::{
    clock::today,
    config::{GatewayFile, read_toml},
    failure::Failure,
    output::{Format, report, table},
};

const DAY_S: i64 = 86_400;

#[derive(Debug, Args)]
pub struct Forecast {
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The last days, today among them, whose questions are the pace.
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=3_660))]
    days: u16,
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
    left: String,
    /// The questions of the days of the pace.
    questions: u64,
    /// What they cost each day.
    a_day: String,
    /// The day on which nothing is left, if questions go on at that pace and the account does not renew before; none if it lasts.
    dry_on: Option<String>,
    #[serde(skip)]
    used: String,
}

const COLUMNS: [&str; 6] = ["account", "used", "left", "asked", "a day", "runs dry"];

impl Forecast {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let file: GatewayFile = read_toml(&self.config)?;
        let mut store = file.readable_store(&self.config).await?;
        let documents = file.deciding(&self.config, &mut store).await?;
        let policy = PolicySet::read(&documents)?;
        say_if_another(file.administrators(&self.config)?.activation, &store, &documents);
        let today = today()?;
        let since = (system_clock()() / DAY_S + 1 - i64::from(self.days)) * DAY_S;
        let mut lines = Vec::new();
        for one in policy_accounts(&policy, today)? {
            let balance = store.balance(&one.account).await?;
            let (recent, questions) = store.charged_since(&one.account, since).await?;
            let (left, limit) = (one.left_nano(&balance), one.limit.amount_nano);
            let recent = recent.amount(&one.budget.account).unwrap_or(0);
            let dry_on = dry_on(today, left, recent, self.days)
                .filter(|day| one.budget.renews.period(*day) == one.account.period);
            lines.push(Line {
                grant: one.grant().unwrap_or_default().to_owned(),
                pool: one.account.pool,
                period: one.account.period,
                left: nano(left),
                questions,
                a_day: nano(recent / u64::from(self.days)),
                dry_on: dry_on.map(|day| day.to_string()),
                used: bar(limit - left, limit),
            });
        }
        report(self.format, &lines, |lines| table(&COLUMNS, &[2, 3, 4], lines.iter().map(cells)))
    }
}

fn cells(line: &Line) -> Vec<String> {
    let lasts = if line.questions == 0 { "nobody asks" } else { "not at this pace" };
    vec![
        named(&line.pool, &line.grant),
        line.used.clone(),
        shortened(&line.left),
        line.questions.to_string(),
        shortened(&line.a_day),
        line.dry_on.clone().unwrap_or_else(|| lasts.to_owned()),
    ]
}

/// The day on which what is left is used up, at the pace of the last days; `None` if none was used, or it is too far away.
fn dry_on(today: Date, left: u64, recent: u64, days: u16) -> Option<Date> {
    let lasts = (u128::from(left) * u128::from(days)).checked_div(u128::from(recent))?;
    today.checked_add(Duration::days(i64::try_from(lasts).ok()?.min(10_000_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_lasts_as_long_as_the_pace_allows() {
        let today = Date::from_calendar_date(2026, time::Month::March, 1).unwrap();
        for (left, recent, days, expected) in [
            (10, 10, 30, Some("2026-03-31")),
            (0, 10, 30, Some("2026-03-01")),
            (10, 20, 30, Some("2026-03-16")),
            (10, 0, 30, None),
            (u64::MAX, 1, 30, None),
        ] {
            let found = dry_on(today, left, recent, days).map(|day| day.to_string());
            assert_eq!(found.as_deref(), expected, "{left} {recent}");
        }
    }
}
