//! The accounts of a policy, and how they stand: what is used and left of each pool and grant.

use lango_ledger::{Account, Balance, Holder, Limit};
use lango_policy::{Budget, PolicySet};
use lango_privacy::{Accounting, LossError};
use lango_store::{StoreError, StoreReader};
use time::Date;

/// An account of a policy in a period: of a pool, or of a grant's share of it.
#[derive(Debug, Clone)]
pub struct PolicyAccount<'a> {
    /// Which.
    pub account: Account,
    /// The pool's budget.
    pub budget: &'a Budget,
    /// The most that it may be charged, in its currency.
    pub limit: Limit,
    /// The same as billionths of epsilon.
    pub epsilon_nano: u64,
}

/// How an account stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountStanding {
    /// The pool's name.
    pub pool: String,
    /// The grant's; none for the pool itself.
    pub grant: Option<String>,
    /// The calendar period, empty where the budget never renews.
    pub period: String,
    /// The currency.
    pub accounting: Accounting,
    /// The limit: billionths of the currency.
    pub limit_nano: u64,
    /// The limit: billionths of epsilon.
    pub epsilon_nano: u64,
    /// What was charged, reserved or spent.
    pub balance: Balance,
    /// The questions that were charged in the period.
    pub questions: u64,
}

/// Why accounts cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// A limit of the policy is none of its currency.
    #[error("a limit of the policy cannot be read: {0}")]
    Limit(#[from] LossError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The accounts of a policy in the period of a day: each pool, and then each grant of it.
///
/// # Errors
/// [`LossError`] where a limit is none of its account's currency.
pub fn policy_accounts(policy: &PolicySet, today: Date) -> Result<Vec<PolicyAccount<'_>>, LossError> {
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
            accounts.push(PolicyAccount { account, budget, limit, epsilon_nano });
        }
    }
    Ok(accounts)
}

/// How the accounts of a policy stand in the period of a day.
///
/// # Errors
/// [`AccountsError`].
pub async fn account_standings(
    ledger: &mut impl StoreReader,
    policy: &PolicySet,
    today: Date,
) -> Result<Vec<AccountStanding>, AccountsError> {
    let mut standings = Vec::new();
    for PolicyAccount { account, budget, limit, epsilon_nano } in policy_accounts(policy, today)? {
        let (balance, questions) = ledger.account(&account).await?;
        standings.push(AccountStanding {
            grant: match account.holder {
                Holder::Pool => None,
                Holder::Grant(id) => Some(id),
            },
            pool: account.pool,
            period: account.period,
            accounting: budget.account,
            limit_nano: limit.amount_nano,
            epsilon_nano,
            balance,
            questions,
        });
    }
    Ok(standings)
}

impl PolicyAccount<'_> {
    /// The grant's name; none for a pool.
    pub fn grant(&self) -> Option<&str> {
        match &self.account.holder {
            Holder::Pool => None,
            Holder::Grant(id) => Some(id),
        }
    }

    /// What is left of it at a balance, in its currency; nothing where what was charged has no guarantee in that.
    pub fn left_nano(&self, balance: &Balance) -> u64 {
        balance.amount(&self.budget.account).map_or(0, |spent| self.limit.amount_nano.saturating_sub(spent))
    }
}

impl AccountStanding {
    /// What is left of it, in its currency; nothing where what was charged has no guarantee in that.
    pub fn left_nano(&self) -> u64 {
        self.balance.amount(&self.accounting).map_or(0, |spent| self.limit_nano.saturating_sub(spent))
    }
}
