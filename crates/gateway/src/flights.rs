//! One at a time: two requests of the same release key, or with the same identifier, never run side by side in one gateway. Where
//! several gateways share a store, the store decides whose answer is the one.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use lango_identity::SpiffeId;
use tokio::sync::OwnedMutexGuard;

/// A request's identifier, unique among those of its principal.
pub(crate) type RequestKey = (SpiffeId, [u8; 16]);

type Lock = Arc<tokio::sync::Mutex<()>>;

/// What keeps others of the same key waiting until it is dropped.
pub(crate) type Flight = OwnedMutexGuard<()>;

/// A place among those who have the same key.
pub(crate) struct Place {
    lock: Lock,
    /// Held from the beginning where nobody else had a place.
    held: Option<Flight>,
}

impl Place {
    /// Whether nobody else had one when it was taken: then none comes before it.
    pub(crate) fn is_first(&self) -> bool {
        self.held.is_some()
    }

    /// Waits for the others; the key is free again when the guard is dropped.
    pub(crate) async fn wait(self) -> Flight {
        match self.held {
            Some(held) => held,
            None => self.lock.lock_owned().await,
        }
    }
}

/// The keys that are being answered now.
pub(crate) struct Flights<K> {
    locks: Mutex<HashMap<K, Lock>>,
}

impl<K> Default for Flights<K> {
    fn default() -> Self {
        Self { locks: Mutex::default() }
    }
}

impl<K: Clone + Eq + Hash> Flights<K> {
    /// Waits until no other request of this key is under way; the key is free again when the guard is dropped.
    pub(crate) async fn take(&self, key: &K) -> Flight {
        self.place(key).wait().await
    }

    /// The same where no other request of this key is under way now.
    pub(crate) fn take_now(&self, key: &K) -> Option<Flight> {
        self.place(key).held
    }

    /// A place for a request of this key, without waiting.
    pub(crate) fn place(&self, key: &K) -> Place {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        // A lock that only this table holds is nobody's.
        locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        let lock = Lock::clone(locks.entry(key.clone()).or_default());
        Place { held: Lock::clone(&lock).try_lock_owned().ok(), lock }
    }
}
