//! Charges: to the accounts that a policy says, and within their limits.

use lango_access_log::LoggedCharge;
use lango_ledger::{Account, Holder, Limit};
use lango_policy::{Granted, PolicySet};
use lango_privacy::{Loss, Name};
use time::OffsetDateTime;

use crate::{
    accounts::Accounts,
    amount::{balance, loss},
    fault::{AccountName, LogFault},
};

/// What a charge hangs on beside its amount.
pub(crate) struct Charged<'a> {
    pub policy: &'a PolicySet,
    pub dataset: &'a Name,
    /// When, in Unix seconds.
    pub at: i64,
}

impl<'a> Charged<'a> {
    /// What a rule of the policy grants.
    pub(crate) fn by(&self, rule: &str) -> Option<Granted<'a>> {
        let grant = self.policy.grants.iter().find(|grant| grant.id == rule)?;
        let dataset = self.policy.datasets.get(self.dataset)?;
        let (pool, budget) = (self.policy.pool(&grant.dataset)?, self.policy.budget(&grant.dataset)?);
        Some(Granted { grant, dataset, pool, budget })
    }

    /// The two accounts that a grant charges then, with their limits.
    fn accounts(&self, granted: &Granted<'_>) -> Option<[(Account, Limit); 2]> {
        let day = OffsetDateTime::from_unix_timestamp(self.at).ok()?.date();
        let renews = granted.budget.renews;
        let of = |holder: Holder, epsilon_nano: u64| {
            let pool = granted.pool.name.to_string();
            let account = Account { pool, holder, period: renews.period(day), since: renews.since(day) };
            Some((account, Limit::of_epsilon(granted.budget.account, epsilon_nano).ok()?))
        };
        let grant = granted.grant;
        Some([
            of(Holder::Pool, granted.budget.epsilon_nano)?,
            of(Holder::Grant(grant.id.clone()), grant.epsilon_total_nano)?,
        ])
    }

    /// Whether both accounts cover a price by the entries so far: the account that does not. Nothing where records from before
    /// the log may have charged them.
    pub(crate) fn covers(
        &self,
        granted: &Granted<'_>,
        price: &Loss,
        accounts: &Accounts,
    ) -> Result<Option<Result<(), AccountName>>, LogFault> {
        let mut is_known = true;
        for (account, limit) in self.accounts(granted).ok_or(LogFault::OtherAccounts)? {
            let Account { pool, holder, since, .. } = &account;
            let grant = match holder {
                Holder::Pool => None,
                Holder::Grant(grant) => Some(grant.as_str()),
            };
            let held = accounts.held(pool, grant, *since).ok_or(LogFault::Period { since: *since })?;
            // What is charged beyond what is known covers no more.
            if balance(&held.balance).charge(&account, price, &limit).is_err() {
                return Ok(Some(Err(AccountName::of(pool, grant))));
            }
            is_known &= held.is_known;
        }
        Ok(is_known.then_some(Ok(())))
    }

    /// Whether a charge was to the accounts that the policy says, and within their limits.
    pub(crate) fn check(
        &self,
        rule: &str,
        charge: &LoggedCharge,
        accounts: &Accounts,
    ) -> Result<(), LogFault> {
        let granted = self.by(rule).ok_or(LogFault::OtherAccounts)?;
        let of = self.accounts(&granted).ok_or(LogFault::OtherAccounts)?;
        for ((account, _), logged) in of.iter().zip([&charge.pool, &charge.grant]) {
            let name = match &account.holder {
                Holder::Pool => &account.pool,
                Holder::Grant(grant) => grant,
            };
            if (name, &account.period, account.since) != (&logged.name, &logged.period, logged.since) {
                return Err(LogFault::OtherAccounts);
            }
        }
        match self.covers(&granted, &loss(&charge.loss), accounts)? {
            Some(Err(account)) => Err(LogFault::BeyondLimit { account }),
            Some(Ok(())) | None => Ok(()),
        }
    }
}
