//! Accounts: what has been charged to a pool or to a grant's share of it, and whether more may be.

use std::fmt;

use lango_privacy::{Accounting, Loss, LossError, nano};

/// Which sum of losses is meant: the pool's own, or a grant's share of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Account {
    /// The pool's name: its group's, or its only dataset's.
    pub pool: String,
    /// Whose.
    pub holder: Holder,
    /// The calendar period, empty where the budget never renews.
    pub period: String,
    /// When that period began, in Unix seconds; 0 where the budget never renews.
    pub since: i64,
}

/// Whose account it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Holder {
    /// What everyone together may learn.
    Pool,
    /// One grant's share of it.
    Grant(String),
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pool => f.write_str("pool"),
            Self::Grant(id) => write!(f, "grant {id}"),
        }
    }
}

/// All that has been charged to an account: spent and reserved alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// Billionths of epsilon; `None` once something without a pure guarantee has been charged.
    pub pure_nano: Option<u64>,
    /// Billionths of rho.
    pub rho_nano: u64,
    /// Delta in units of 1e-18.
    pub delta_e18: u64,
}

impl Default for Balance {
    fn default() -> Self {
        Self { pure_nano: Some(0), rho_nano: 0, delta_e18: 0 }
    }
}

/// The most that an account may be charged, by the policy in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The currency and, under zCDP, the delta.
    pub accounting: Accounting,
    /// In billionths of the currency.
    pub amount_nano: u64,
}

impl Limit {
    /// The limit of `epsilon_nano` billionths of epsilon.
    pub fn of_epsilon(accounting: Accounting, epsilon_nano: u64) -> Result<Self, LossError> {
        Ok(Self { accounting, amount_nano: accounting.amount_of(epsilon_nano)? })
    }

    /// The most delta, in units of 1e-18.
    fn delta_e18(&self) -> u64 {
        match self.accounting {
            Accounting::Pure => 0,
            Accounting::Zcdp { delta_e18 } => delta_e18,
        }
    }
}

/// Why a loss may not be charged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChargeRefusal {
    /// Too little is left.
    #[error(
        "the {holder} of `{pool}` has {left} left of {limit} in its currency and the question costs {price}"
    )]
    BudgetExceeded {
        /// The pool's name.
        pool: String,
        /// Whose account.
        holder: Holder,
        /// What is left, as a decimal.
        left: String,
        /// What there was, as a decimal.
        limit: String,
        /// What is asked, as a decimal.
        price: String,
    },
    /// The account's currency cannot express what has been or would be charged.
    #[error("the {holder} of `{pool}` counts pure epsilon and holds losses without a pure guarantee")]
    NotPure {
        /// The pool's name.
        pool: String,
        /// Whose account.
        holder: Holder,
    },
    /// More delta than the account declares.
    #[error("the {holder} of `{pool}` has no delta left")]
    DeltaExceeded {
        /// The pool's name.
        pool: String,
        /// Whose account.
        holder: Holder,
    },
}

impl ChargeRefusal {
    /// The stable word for it.
    pub fn code(&self) -> &'static str {
        "budget-exceeded"
    }
}

impl Balance {
    /// The balance with a loss added; saturates, so that an account can never wrap round to empty.
    pub fn plus(&self, loss: &Loss) -> Self {
        Self {
            pure_nano: self.pure_nano.zip(loss.pure_nano).map(|(balance, loss)| balance.saturating_add(loss)),
            rho_nano: self.rho_nano.saturating_add(loss.rho_nano),
            delta_e18: self.delta_e18.saturating_add(loss.delta_e18),
        }
    }

    /// The balance in a currency; `None` where it cannot be expressed.
    pub fn amount(&self, accounting: &Accounting) -> Option<u64> {
        let Self { pure_nano, rho_nano, delta_e18 } = *self;
        Loss { pure_nano, rho_nano, delta_e18 }.amount(accounting)
    }

    /// The balance after a loss, if the limit covers it.
    pub fn charge(&self, account: &Account, loss: &Loss, limit: &Limit) -> Result<Self, ChargeRefusal> {
        let (pool, holder) = (account.pool.clone(), account.holder.clone());
        let after = self.plus(loss);
        let currency = &limit.accounting;
        let (Some(before), Some(price), Some(total)) =
            (self.amount(currency), loss.amount(currency), after.amount(currency))
        else {
            return Err(ChargeRefusal::NotPure { pool, holder });
        };
        if total > limit.amount_nano {
            let left = nano(limit.amount_nano.saturating_sub(before));
            return Err(ChargeRefusal::BudgetExceeded {
                pool,
                holder,
                left,
                limit: nano(limit.amount_nano),
                price: nano(price),
            });
        }
        if after.delta_e18 > limit.delta_e18() {
            Err(ChargeRefusal::DeltaExceeded { pool, holder })
        } else {
            Ok(after)
        }
    }

    /// How many more such losses the limit covers.
    pub fn queries_left(&self, loss: &Loss, limit: &Limit) -> u64 {
        let (Some(balance), Some(price)) = (self.amount(&limit.accounting), loss.amount(&limit.accounting))
        else {
            return 0;
        };
        let by_amount = limit.amount_nano.saturating_sub(balance).checked_div(price).unwrap_or(0);
        // What spends no delta is not bounded by it.
        let by_delta = limit.delta_e18().saturating_sub(self.delta_e18).checked_div(loss.delta_e18);
        by_delta.map_or(by_amount, |by_delta| by_amount.min(by_delta))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> Account {
        Account {
            pool: "residents".into(),
            holder: Holder::Pool,
            period: "2026".into(),
            since: 1_767_225_600,
        }
    }

    fn balance(pure_nano: Option<u64>, rho_nano: u64) -> Balance {
        Balance { pure_nano, rho_nano, delta_e18: 0 }
    }

    #[test]
    fn a_loss_is_charged_up_to_the_limit_and_not_a_billionth_beyond() {
        let pure = |nano| Limit { accounting: Accounting::Pure, amount_nano: nano };
        let zcdp =
            |nano| Limit { accounting: Accounting::Zcdp { delta_e18: 1_000_000_000_000 }, amount_nano: nano };
        let threshold = Loss { pure_nano: None, rho_nano: 1, delta_e18: 2_000_000_000_000 };
        for (before, loss, limit, expected) in [
            (balance(Some(0), 0), Loss::pure(5), pure(5), Ok(5)),
            (balance(Some(3), 0), Loss::pure(2), pure(5), Ok(5)),
            (balance(Some(3), 0), Loss::pure(3), pure(5), Err("exceeded")),
            (balance(Some(9), 0), Loss::pure(1), pure(5), Err("exceeded")),
            (balance(Some(u64::MAX), 0), Loss::pure(1), pure(5), Err("exceeded")),
            (balance(Some(1), 1), Loss::rho(1), pure(5), Err("not pure")),
            (balance(None, 1), Loss::pure(1), pure(5), Err("not pure")),
            (balance(None, 3), Loss::rho(2), zcdp(5), Ok(5)),
            (balance(Some(3), 3), Loss::rho(3), zcdp(5), Err("exceeded")),
            (balance(Some(3), 3), Loss::pure(1), zcdp(5), Ok(4)),
            (balance(Some(0), 0), threshold, zcdp(5), Err("delta")),
        ] {
            let found = before.charge(&pool(), &loss, &limit);
            let found =
                found.map(|after| after.amount(&limit.accounting).unwrap()).map_err(
                    |refusal| match refusal {
                        ChargeRefusal::BudgetExceeded { .. } => "exceeded",
                        ChargeRefusal::NotPure { .. } => "not pure",
                        ChargeRefusal::DeltaExceeded { .. } => "delta",
                    },
                );
            assert_eq!(found, expected, "{before:?} {loss:?} {limit:?}");
        }
    }

    #[test]
    fn repro_queries_left_are_no_more_than_the_delta_left_covers() {
        let limit =
            Limit { accounting: Accounting::Zcdp { delta_e18: 1_000_000_000_000 }, amount_nano: 1_000 };
        let keys = Loss { pure_nano: None, rho_nano: 10, delta_e18: 100_000_000_000 };
        assert_eq!(Balance::default().queries_left(&keys, &limit), 10);
        assert_eq!(Balance::default().plus(&keys).queries_left(&keys, &limit), 9);
        assert_eq!(Balance::default().plus(&keys).queries_left(&Loss::rho(10), &limit), 99);
    }

    #[test]
    fn queries_left_are_counted_in_the_currency() {
        let limit = Limit { accounting: Accounting::Pure, amount_nano: 4_000_000_000 };
        let half = Loss::pure(500_000_000);
        assert_eq!(Balance::default().queries_left(&half, &limit), 8);
        assert_eq!(Balance::default().plus(&half).queries_left(&half, &limit), 7);
        assert_eq!(balance(None, 0).queries_left(&half, &limit), 0);
        assert_eq!(balance(Some(9_000_000_000), 0).queries_left(&half, &limit), 0);
    }
}
