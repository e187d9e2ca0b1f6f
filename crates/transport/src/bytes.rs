//! Bytes of requests that are not answered yet: bounded for a connection, for an address and in all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{ServerLimits, peer::Peer};

/// What all connections share.
#[derive(Debug)]
pub(crate) struct RequestBytes {
    per_connection: usize,
    per_address: usize,
    in_all: Arc<Semaphore>,
    by_peer: Mutex<HashMap<Peer, Weak<Semaphore>>>,
}

/// What one connection may hold.
#[derive(Debug, Clone)]
pub(crate) struct Purse([Arc<Semaphore>; 3]);

/// What one request holds, until it is dropped.
#[derive(Debug, Default)]
pub(crate) struct HeldBytes([Option<OwnedSemaphorePermit>; 3]);

impl RequestBytes {
    pub(crate) fn new(limits: &ServerLimits) -> Self {
        Self {
            per_connection: limits.request_bytes_per_connection,
            per_address: limits.request_bytes_per_address,
            in_all: semaphore(limits.request_bytes),
            by_peer: Mutex::default(),
        }
    }

    /// The purse of a new connection from there.
    pub(crate) fn purse(&self, peer: Peer) -> Purse {
        let mut by_peer = self.by_peer.lock().unwrap_or_else(PoisonError::into_inner);
        // Those whose last connection is gone. There are as many others as connections at most.
        by_peer.retain(|_, address| address.strong_count() > 0);
        let address = by_peer.get(&peer).and_then(Weak::upgrade).unwrap_or_else(|| {
            let address = semaphore(self.per_address);
            by_peer.insert(peer, Arc::downgrade(&address));
            address
        });
        Purse([semaphore(self.per_connection), address, self.in_all.clone()])
    }
}

impl Purse {
    /// Holds some bytes more, or none of them where there is no room.
    pub(crate) fn hold(&self, bytes: usize, held: &mut HeldBytes) -> bool {
        let Ok(count) = u32::try_from(bytes) else { return false };
        let Self([connection, address, all]) = self;
        let take = |from: &Arc<Semaphore>| from.clone().try_acquire_many_owned(count).ok();
        let Some(taken) = take(connection).zip(take(address)).zip(take(all)) else { return false };
        let ((connection, address), all) = taken;
        for (place, taken) in held.0.iter_mut().zip([connection, address, all]) {
            match place {
                Some(before) => before.merge(taken),
                None => *place = Some(taken),
            }
        }
        true
    }
}

fn semaphore(permits: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_bounded_for_a_connection_an_address_and_in_all() {
        let limits = ServerLimits {
            request_bytes_per_connection: 10,
            request_bytes_per_address: 15,
            request_bytes: 20,
            ..ServerLimits::default()
        };
        let bytes = RequestBytes::new(&limits);
        let peer = |last: u8| Peer::of([127, 0, 0, last].into());
        let purses = [bytes.purse(peer(1)), bytes.purse(peer(1)), bytes.purse(peer(2))];
        let mut held: [HeldBytes; 3] = Default::default();
        for (connection, count, fits) in [
            (0, 6, true),
            (0, 5, false),
            (0, 4, true),
            (0, 1, false),
            (1, 6, false),
            (1, 5, true),
            (2, 6, false),
            (2, 5, true),
            (2, 1, false),
        ] {
            let is_held = purses[connection].hold(count, &mut held[connection]);
            assert_eq!(is_held, fits, "connection {connection}: {count}");
        }
        held[0] = HeldBytes::default();
        assert!(purses[1].hold(5, &mut held[1]) && !purses[1].hold(1, &mut held[1]));
        assert!(purses[2].hold(5, &mut held[2]));
        drop((purses, held));
        assert!(bytes.purse(peer(3)).hold(10, &mut HeldBytes::default()));
        assert_eq!(bytes.by_peer.lock().unwrap().len(), 1, "addresses that have left are forgotten");
    }
}
