//! What every account holds by the entries alone: the charges of its period that were not given back.

use std::collections::{BTreeMap, HashMap};

use lango_access_log::{LoggedAccount, LoggedCharge, LoggedLoss};

use crate::{
    amount::{Sum, is_free},
    fault::{AccountName, LogFault},
    period::MonthOf,
};

/// Every pool with its grants, as the entries so far have charged them. What it holds grows with accounts and months alone.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    pools: HashMap<String, Pool>,
    /// When the last record was charged that was made before the log: charges up to then are of no entry.
    earlier_until: Option<i64>,
    opened: u64,
}

#[derive(Debug, Default)]
struct Pool {
    own: Account,
    grants: HashMap<String, Account>,
}

#[derive(Debug, Default)]
struct Account {
    months: BTreeMap<MonthOf, Sum>,
    /// What was charged before the log from a period's beginning on, by the balance of the first charge in that period.
    opened: BTreeMap<i64, Sum>,
    /// The period of its last charge, of which the ledger keeps the balance; none where charges were given back or moved since,
    /// for then it forgets that until the next one.
    kept: Option<String>,
}

impl Account {
    fn charged(&self, from: MonthOf) -> Sum {
        self.months.range(from..).fold(Sum::default(), |sum, (_, month)| sum.plus(*month))
    }
}

/// What an account holds, as far as the entries say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AccountHeld {
    pub balance: LoggedLoss,
    /// Whether no earlier record can have charged it as well.
    pub is_known: bool,
}

impl Accounts {
    /// Takes a record from before the log.
    pub(crate) fn earlier(&mut self, at: i64, charged: &LoggedLoss) {
        if !is_free(charged) {
            self.earlier_until = Some(self.earlier_until.map_or(at, |until| until.max(at)));
        }
    }

    /// How many balances were taken from the first charge after the records from before the log.
    pub(crate) fn opened(&self) -> u64 {
        self.opened
    }

    /// Whether there are records from before the log that charged something.
    pub(crate) const fn has_earlier(&self) -> bool {
        self.earlier_until.is_some()
    }

    /// Whether anything is charged to a pool.
    pub(crate) fn is_charged(&self, pool: &str) -> bool {
        let sums = |pool: &Pool| {
            pool.own.months.values().chain(pool.own.opened.values()).any(|sum| *sum != Sum::default())
        };
        self.pools.get(pool).is_some_and(sums)
    }

    /// The accounts of which the ledger keeps a balance: pool, grant and period.
    pub(crate) fn kept(&self) -> impl Iterator<Item = (&str, Option<&str>, &str)> {
        self.pools.iter().flat_map(|(name, pool)| {
            let grants = pool.grants.iter().map(|(grant, account)| (Some(grant.as_str()), account));
            let all = [(None, &pool.own)].into_iter().chain(grants);
            all.filter_map(move |(grant, account)| Some((name.as_str(), grant, account.kept.as_deref()?)))
        })
    }

    /// What an account holds that began its period at a moment; nothing where no period begins then.
    pub(crate) fn held(&self, pool: &str, grant: Option<&str>, since: i64) -> Option<AccountHeld> {
        let from = MonthOf::beginning(since)?;
        let pool = self.pools.get(pool);
        let account = match grant {
            None => pool.map(|pool| &pool.own),
            Some(grant) => pool.and_then(|pool| pool.grants.get(grant)),
        };
        let opened = account.and_then(|account| account.opened.get(&since)).copied();
        let charged = account.map(|account| account.charged(from)).unwrap_or_default();
        let balance = charged.plus(opened.unwrap_or_default()).balance();
        let may_be_more = self.earlier_until.is_some_and(|until| until >= since);
        Some(AccountHeld { balance, is_known: opened.is_some() || !may_be_more })
    }

    /// Takes a charge at a moment: what each account held before it follows from the entries.
    pub(crate) fn charge(&mut self, at: i64, charge: &LoggedCharge) -> Result<(), LogFault> {
        let follows = self.follow(charge);
        let month = MonthOf::at(at).ok_or(LogFault::Moment)?;
        let sum = Sum::from(&charge.loss);
        let pool = self.pools.entry(charge.pool.name.clone()).or_default();
        let grant = pool.grants.entry(charge.grant.name.clone()).or_default();
        for (account, logged) in [(&mut pool.own, &charge.pool), (grant, &charge.grant)] {
            let charged = account.months.entry(month).or_default();
            *charged = charged.plus(sum);
            account.kept = Some(logged.period.clone());
        }
        follows
    }

    /// Takes a charge back that was made at a moment, or before the log.
    pub(crate) fn give_back(
        &mut self,
        charged_at: Option<i64>,
        charge: &LoggedCharge,
    ) -> Result<(), LogFault> {
        let follows = self.follow(charge);
        let sum = Sum::from(&charge.loss);
        let pool = self.pools.entry(charge.pool.name.clone()).or_default();
        for account in [&mut pool.own, pool.grants.entry(charge.grant.name.clone()).or_default()] {
            account.kept = None;
            match charged_at {
                Some(at) => {
                    let month = MonthOf::at(at).ok_or(LogFault::Moment)?;
                    let charged = account.months.get_mut(&month).ok_or(LogFault::GivenBackTwice)?;
                    *charged = charged.minus(sum).ok_or(LogFault::GivenBackTwice)?;
                }
                None => {
                    for opened in account.opened.values_mut() {
                        *opened = opened.minus(sum).unwrap_or_default();
                    }
                }
            }
        }
        follows
    }

    /// Whether both accounts held before what the entries say.
    fn follow(&mut self, charge: &LoggedCharge) -> Result<(), LogFault> {
        self.follow_one(&charge.pool.name, None, &charge.pool)?;
        self.follow_one(&charge.pool.name, Some(&charge.grant.name), &charge.grant)
    }

    fn follow_one(
        &mut self,
        pool: &str,
        grant: Option<&str>,
        logged: &LoggedAccount,
    ) -> Result<(), LogFault> {
        let since = logged.since;
        let held = self.held(pool, grant, since).ok_or(LogFault::Period { since })?;
        if held.is_known {
            return if held.balance == logged.before {
                Ok(())
            } else {
                let account = AccountName::of(pool, grant);
                Err(LogFault::Balance { account, expected: held.balance, found: logged.before })
            };
        }
        let account = AccountName::of(pool, grant);
        let pool = self.pools.entry(pool.to_owned()).or_default();
        let of = match grant {
            None => &mut pool.own,
            Some(grant) => pool.grants.entry(grant.to_owned()).or_default(),
        };
        let known = of.charged(MonthOf::beginning(since).ok_or(LogFault::Period { since })?);
        let less = LogFault::Balance { account, expected: known.balance(), found: logged.before };
        of.opened.insert(since, known.opening(&logged.before).ok_or(less)?);
        self.opened = self.opened.saturating_add(1);
        Ok(())
    }

    /// Takes that a pool's charges are another's from now on. What was opened is opened anew: of both together.
    pub(crate) fn moved(&mut self, from: &str, to: &str) {
        // Where no entry charged it, records from before the log may have.
        let Pool { own, grants } = self.pools.remove(from).unwrap_or_default();
        let into = self.pools.entry(to.to_owned()).or_default();
        let moved = grants.into_iter().map(|(grant, account)| (Some(grant), account)).chain([(None, own)]);
        for (grant, account) in moved {
            let target = match grant {
                None => &mut into.own,
                Some(grant) => into.grants.entry(grant).or_default(),
            };
            for (month, sum) in account.months {
                let charged = target.months.entry(month).or_default();
                *charged = charged.plus(sum);
            }
        }
        for account in into.grants.values_mut().chain([&mut into.own]) {
            account.opened.clear();
            account.kept = None;
        }
    }
}
