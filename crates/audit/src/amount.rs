//! Sums of losses from which one may be taken back, and losses in the words of other rooms.

use lango_access_log::{Amount, LoggedLoss};
use lango_ledger::Balance;
use lango_privacy::Loss;

/// A sum of losses, wide enough that it never saturates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pure_nano: u128,
    /// How many losses without a pure guarantee are in it.
    impure: u64,
    rho_nano: u128,
    delta_e18: u128,
}

impl Sum {
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            pure_nano: self.pure_nano.saturating_add(other.pure_nano),
            impure: self.impure.saturating_add(other.impure),
            rho_nano: self.rho_nano.saturating_add(other.rho_nano),
            delta_e18: self.delta_e18.saturating_add(other.delta_e18),
        }
    }

    /// What is left without another sum; nothing where that is not in it.
    pub(crate) fn minus(self, other: Self) -> Option<Self> {
        Some(Self {
            pure_nano: self.pure_nano.checked_sub(other.pure_nano)?,
            impure: self.impure.checked_sub(other.impure)?,
            rho_nano: self.rho_nano.checked_sub(other.rho_nano)?,
            delta_e18: self.delta_e18.checked_sub(other.delta_e18)?,
        })
    }

    /// What an account with these losses holds: it saturates, and has no pure part once a loss has none.
    pub(crate) fn balance(self) -> LoggedLoss {
        let amount = |sum: u128| Amount(u64::try_from(sum).unwrap_or(u64::MAX));
        LoggedLoss {
            delta_e18: amount(self.delta_e18),
            pure_nano: (self.impure == 0).then(|| amount(self.pure_nano)),
            rho_nano: amount(self.rho_nano),
        }
    }

    /// What must have been charged before, so that an account holds this; nothing where it holds less than is known.
    pub(crate) fn opening(self, held: &LoggedLoss) -> Option<Self> {
        let mut held = Self::from(held);
        if held.impure > 0 {
            // A balance without a pure part does not say how many losses have none, nor what the others come to.
            (held.impure, held.pure_nano) = (self.impure.max(1), self.pure_nano);
        }
        held.minus(self)
    }
}

impl From<&LoggedLoss> for Sum {
    fn from(loss: &LoggedLoss) -> Self {
        Self {
            pure_nano: loss.pure_nano.map_or(0, |pure| pure.0.into()),
            impure: u64::from(loss.pure_nano.is_none()),
            rho_nano: loss.rho_nano.0.into(),
            delta_e18: loss.delta_e18.0.into(),
        }
    }
}

/// Whether nothing is lost.
pub(crate) fn is_free(loss: &LoggedLoss) -> bool {
    Sum::from(loss) == Sum::default()
}

/// A logged loss as the rooms of prices know it.
pub(crate) fn loss(logged: &LoggedLoss) -> Loss {
    let LoggedLoss { delta_e18, pure_nano, rho_nano } = *logged;
    Loss { pure_nano: pure_nano.map(|pure| pure.0), rho_nano: rho_nano.0, delta_e18: delta_e18.0 }
}

/// A loss as the log writes it.
pub(crate) fn logged(loss: &Loss) -> LoggedLoss {
    let Loss { pure_nano, rho_nano, delta_e18 } = *loss;
    LoggedLoss { delta_e18: Amount(delta_e18), pure_nano: pure_nano.map(Amount), rho_nano: Amount(rho_nano) }
}

/// A logged balance as the ledger knows it.
pub(crate) fn balance(logged: &LoggedLoss) -> Balance {
    let Loss { pure_nano, rho_nano, delta_e18 } = loss(logged);
    Balance { pure_nano, rho_nano, delta_e18 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pure_nano: Option<u64>, rho_nano: u64) -> LoggedLoss {
        LoggedLoss { delta_e18: Amount(0), pure_nano: pure_nano.map(Amount), rho_nano: Amount(rho_nano) }
    }

    #[test]
    fn what_was_added_can_be_taken_back_and_nothing_else() {
        let [one, two] = [of(Some(5), 2), of(None, 3)];
        let sum = Sum::from(&one).plus(Sum::from(&two));
        assert_eq!(sum.balance(), of(None, 5));
        assert_eq!(sum.minus(Sum::from(&two)).map(Sum::balance), Some(one));
        assert_eq!(Sum::from(&one).minus(Sum::from(&two)), None);
        let most = Sum::from(&of(Some(u64::MAX), u64::MAX));
        assert_eq!(most.plus(most).balance(), of(Some(u64::MAX), u64::MAX));
    }

    #[test]
    fn an_opening_is_what_is_held_beyond_what_is_known() {
        let known = Sum::from(&of(Some(5), 2));
        for (held, opening) in [
            (of(Some(7), 4), Some(of(Some(2), 2))),
            (of(Some(5), 2), Some(of(Some(0), 0))),
            (of(Some(4), 2), None),
            (of(None, 4), Some(of(None, 2))),
        ] {
            assert_eq!(known.opening(&held).map(Sum::balance), opening, "{held:?}");
        }
        let impure = known.plus(Sum::from(&of(None, 1)));
        assert_eq!(impure.opening(&of(Some(5), 3)), None);
        assert_eq!(
            impure.opening(&of(None, 9)).map(|opening| opening.plus(impure).balance()),
            Some(of(None, 9))
        );
    }
}
