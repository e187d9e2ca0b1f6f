//! A claim: how much of what is said is proven, and the first that is not.

use crate::fault::{FaultAt, LogFault};

/// How many of how many hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProvenClaim {
    /// How many hold.
    pub proven: u64,
    /// How many there are.
    pub of: u64,
    /// The first that does not hold.
    pub first: Option<FaultAt>,
}

impl ProvenClaim {
    /// Whether all hold.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.proven == self.of
    }

    /// Takes one more, of an entry with its number and time where it is of one.
    pub(crate) fn take(&mut self, place: Option<(u64, i64)>, held: Result<(), LogFault>) {
        self.of += 1;
        match held {
            Ok(()) => self.proven += 1,
            Err(fault) => {
                let (entry, at) = place.unzip();
                self.first.get_or_insert(FaultAt { entry, at, fault });
            }
        }
    }
}
