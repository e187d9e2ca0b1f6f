//! Which coordinators' logs are forked, as far as this office has seen: each is recorded once.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use lango_identity::SpiffeId;

/// The coordinators whose logs did not go on where this office had cosigned them last.
#[derive(Debug, Default)]
pub(crate) struct Forked(Mutex<BTreeSet<SpiffeId>>);

impl Forked {
    /// Notes how the log of a coordinator was found; whether that it is forked is new.
    pub(crate) fn is_new(&self, coordinator: &SpiffeId, is_forked: bool) -> bool {
        let mut forked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match is_forked {
            true => forked.insert(coordinator.clone()),
            false => {
                forked.remove(coordinator);
                false
            }
        }
    }
}
