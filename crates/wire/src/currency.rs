//! Losses and accounts as they travel.

use lango_privacy::{Accounting, Loss};

use crate::{
    pb,
    question::{FieldFault, Malformed},
};

/// What nothing costs.
pub const FREE: Loss = Loss::FREE;
/// A policy may declare a delta of a thousandth at most.
const ACCOUNT_DELTA_E18_MOST: u64 = 1_000_000_000_000_000;

impl From<Loss> for pb::Loss {
    fn from(loss: Loss) -> Self {
        let Loss { pure_nano, rho_nano, delta_e18 } = loss;
        Self { pure_nano, rho_nano, delta_e18 }
    }
}

impl From<pb::Loss> for Loss {
    fn from(loss: pb::Loss) -> Self {
        let pb::Loss { pure_nano, rho_nano, delta_e18 } = loss;
        Self { pure_nano, rho_nano, delta_e18 }
    }
}

impl From<Accounting> for pb::Account {
    fn from(account: Accounting) -> Self {
        let (accounting, delta_e18) = account_fields(&account);
        Self { accounting: accounting.into(), delta_e18 }
    }
}

impl TryFrom<pb::Account> for Accounting {
    type Error = Malformed;
    fn try_from(account: pb::Account) -> Result<Self, Malformed> {
        read_account(account.accounting(), account.delta_e18)
    }
}

/// An account as signed payloads write it.
pub(crate) fn account_fields(account: &Accounting) -> (pb::Accounting, u64) {
    match account {
        Accounting::Pure => (pb::Accounting::Pure, 0),
        Accounting::Zcdp { delta_e18 } => (pb::Accounting::Zcdp, *delta_e18),
    }
}

/// An account that an office may have.
pub(crate) fn read_account(accounting: pb::Accounting, delta_e18: u64) -> Result<Accounting, Malformed> {
    match (accounting, delta_e18) {
        (pb::Accounting::Pure, 0) => Ok(Accounting::Pure),
        (pb::Accounting::Zcdp, 1..=ACCOUNT_DELTA_E18_MOST) => Ok(Accounting::Zcdp { delta_e18 }),
        (pb::Accounting::Pure | pb::Accounting::Zcdp | pb::Accounting::Unspecified, _) => {
            Err(Malformed { field: "account", fault: FieldFault::Account })
        }
    }
}

/// What a release costs, as signed payloads write it: no pure guarantee is a pure loss of 0.
pub(crate) fn read_loss(pure_nano: u64, rho_nano: u64, delta_e18: u64) -> Loss {
    Loss { pure_nano: (pure_nano != 0).then_some(pure_nano), rho_nano, delta_e18 }
}

/// What was charged, as signed payloads write it: where all three are 0 it is nothing.
pub(crate) fn read_charge(pure_nano: u64, rho_nano: u64, delta_e18: u64) -> Loss {
    if (pure_nano, rho_nano, delta_e18) == (0, 0, 0) {
        FREE
    } else {
        read_loss(pure_nano, rho_nano, delta_e18)
    }
}
