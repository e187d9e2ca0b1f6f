//! What the ledger held when a log was fetched, for comparison.

use std::collections::HashSet;

use lango_access_log::LoggedLoss;
use serde::{Deserialize, Serialize};

use crate::{
    accounts::Accounts,
    claim::ProvenClaim,
    fault::{AccountName, LogFault},
    period::period_since,
};

/// What the ledger held of each account at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerBalances {
    /// How many entries the log had then.
    pub size: u64,
    /// The accounts.
    pub balances: Vec<LedgerBalance>,
}

/// An account of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerBalance {
    /// The pool.
    pub pool: String,
    /// The grant; none for the pool itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// The calendar period; empty where the budget never renews.
    pub period: String,
    /// All that is charged to it.
    pub charged: LoggedLoss,
}

impl LedgerBalances {
    /// Compares each with what the entries come to, and asks that there is one of each that they charged last. Returns how many
    /// hold charges from before the log, of which no entry is.
    pub(crate) fn compare(&self, accounts: &Accounts, claim: &mut ProvenClaim) -> u64 {
        let mut open = 0;
        for kept in &self.balances {
            match kept.compare(accounts) {
                Ok(is_known) => {
                    claim.take(None, Ok(()));
                    open += u64::from(!is_known);
                }
                Err(fault) => claim.take(None, Err(fault)),
            }
        }
        let row = |of: &LedgerBalance| (of.pool.clone(), of.grant.clone(), of.period.clone());
        let held: HashSet<_> = self.balances.iter().map(row).collect();
        for (pool, grant, period) in accounts.kept() {
            if !held.contains(&(pool.to_owned(), grant.map(str::to_owned), period.to_owned())) {
                let account = AccountName::of(pool, grant);
                claim.take(None, Err(LogFault::LedgerLacks { account, period: period.to_owned() }));
            }
        }
        open
    }
}

impl LedgerBalance {
    /// Whether all of it is known, where it is what the entries come to.
    fn compare(&self, accounts: &Accounts) -> Result<bool, LogFault> {
        let Self { pool, grant, period, charged } = self;
        let since = period_since(period).ok_or_else(|| LogFault::PeriodName { period: period.clone() })?;
        let held = accounts.held(pool, grant.as_deref(), since).ok_or(LogFault::Period { since })?;
        if held.is_known && held.balance != *charged {
            let account = AccountName::of(pool, grant.as_deref());
            return Err(LogFault::Ledger { account, expected: held.balance, kept: *charged });
        }
        Ok(held.is_known)
    }
}
