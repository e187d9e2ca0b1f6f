//! One at a time: two requests of the same release key never run side by side in one gateway. Where several gateways share
//! a store, the store decides whose answer is the one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use lango_store::ReleaseKey;
use tokio::sync::OwnedMutexGuard;

type Lock = Arc<tokio::sync::Mutex<()>>;

/// The keys that are being answered now.
#[derive(Default)]
pub(crate) struct Flights {
    locks: Mutex<HashMap<ReleaseKey, Lock>>,
}

impl Flights {
    /// Waits until no other request of this key is under way; the key is free again when the guard is dropped.
    pub(crate) async fn take(&self, key: &ReleaseKey) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            // A lock that only this table holds is nobody's.
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            locks.entry(key.clone()).or_default().clone()
        };
        lock.lock_owned().await
    }
}
