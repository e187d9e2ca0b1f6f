//! Places for connections: some for each address, some in all.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::oneshot;

use crate::peer::Peer;

/// How many places there are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub per_address: usize,
    pub in_all: usize,
}

/// Who has a place in a room.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    room: Room,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    in_all: usize,
    /// The places of each address by the order of coming. A sender that is dropped takes the place away.
    by_peer: HashMap<Peer, BTreeMap<u64, oneshot::Sender<()>>>,
}

/// A place, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    peer: Peer,
    number: u64,
    lost: oneshot::Receiver<()>,
    taken: Arc<Mutex<Taken>>,
}

impl Places {
    pub(crate) fn new(room: Room) -> Self {
        Self { room, taken: Arc::default() }
    }

    /// A place, always: where the address has all of its own, its oldest loses one; where none is left in all, the oldest of the
    /// address that has the most does. So nobody shuts others out, and a newcomer from a crowded address is served as well.
    pub(crate) fn take(&self, peer: Peer) -> Place {
        let mut taken = self.lock();
        if taken.of(peer) >= self.room.per_address {
            taken.evict(peer);
        } else if taken.in_all >= self.room.in_all
            && let Some(greediest) = taken.greediest()
        {
            taken.evict(greediest);
        }
        self.seat(&mut taken, peer)
    }

    /// A place, if there is one.
    pub(crate) fn take_free(&self, peer: Peer) -> Option<Place> {
        let mut taken = self.lock();
        self.is_free(&taken, peer).then(|| self.seat(&mut taken, peer))
    }

    /// Whether there is a place now.
    pub(crate) fn has_free(&self, peer: Peer) -> bool {
        self.is_free(&self.lock(), peer)
    }

    fn is_free(&self, taken: &Taken, peer: Peer) -> bool {
        taken.of(peer) < self.room.per_address && taken.in_all < self.room.in_all
    }

    fn seat(&self, taken: &mut Taken, peer: Peer) -> Place {
        let (keep, lost) = oneshot::channel();
        let number = taken.next;
        taken.next += 1;
        taken.in_all += 1;
        taken.by_peer.entry(peer).or_default().insert(number, keep);
        Place { peer, number, lost, taken: self.taken.clone() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn of(&self, peer: Peer) -> usize {
        self.by_peer.get(&peer).map_or(0, BTreeMap::len)
    }

    fn greediest(&self) -> Option<Peer> {
        self.by_peer.iter().max_by_key(|(_, places)| places.len()).map(|(peer, _)| *peer)
    }

    fn evict(&mut self, peer: Peer) {
        let oldest = self.by_peer.get(&peer).and_then(|places| places.keys().next().copied());
        if let Some(oldest) = oldest {
            self.free(peer, oldest);
        }
    }

    fn free(&mut self, peer: Peer, number: u64) {
        let Some(places) = self.by_peer.get_mut(&peer) else { return };
        if places.remove(&number).is_some() {
            self.in_all -= 1;
        }
        if places.is_empty() {
            self.by_peer.remove(&peer);
        }
    }
}

impl Place {
    /// Done when the place was given to another.
    pub(crate) async fn lost(&mut self) {
        // Nothing is ever sent: the end of the sender is the message.
        drop((&mut self.lost).await);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).free(self.peer, self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::{future::Future, pin::pin, task::Context};

    use super::*;

    fn peer(last: u8) -> Peer {
        Peer::of([127, 0, 0, last].into())
    }

    fn is_lost(place: &mut Place) -> bool {
        pin!(place.lost()).poll(&mut Context::from_waker(std::task::Waker::noop())).is_ready()
    }

    /// Who keeps a place when these come one after another.
    fn kept(room: Room, coming: &[u8]) -> Vec<bool> {
        let places = Places::new(room);
        let mut all: Vec<Place> = coming.iter().map(|last| places.take(peer(*last))).collect();
        all.iter_mut().map(|place| !is_lost(place)).collect()
    }

    #[test]
    fn a_newcomer_takes_the_place_of_the_oldest_of_its_address_or_of_the_greediest() {
        let (yes, no) = (true, false);
        for (per_address, in_all, coming, expected) in [
            (2, 9, &[1, 1][..], &[yes, yes][..]),
            (2, 9, &[1, 1, 1], &[no, yes, yes]),
            (2, 9, &[1, 1, 2, 1, 1], &[no, no, yes, yes, yes]),
            // Full in all: the address with the most gives one up, whatever address the new one has.
            (3, 3, &[1, 1, 2, 3], &[no, yes, yes, yes]),
            (3, 3, &[2, 1, 1, 2], &[yes, no, yes, yes]),
            // An address at its own bound pays for itself even then.
            (2, 3, &[2, 1, 1, 1], &[yes, no, yes, yes]),
        ] {
            assert_eq!(
                kept(Room { per_address, in_all }, coming),
                expected,
                "{per_address} {in_all} {coming:?}"
            );
        }
    }

    #[test]
    fn places_that_are_given_back_can_be_taken_again() {
        let places = Places::new(Room { per_address: 1, in_all: 2 });
        let first = places.take_free(peer(1)).unwrap();
        assert!(places.take_free(peer(1)).is_none() && !places.has_free(peer(1)));
        let second = places.take_free(peer(2)).unwrap();
        assert!(places.take_free(peer(3)).is_none());
        drop(first);
        assert!(places.has_free(peer(3)) && places.has_free(peer(1)) && !places.has_free(peer(2)));
        drop(second);
        assert!(places.lock().by_peer.is_empty() && places.lock().in_all == 0);
    }

    #[test]
    fn a_place_that_was_lost_is_given_back_once() {
        let places = Places::new(Room { per_address: 1, in_all: 1 });
        let mut lost = places.take(peer(1));
        let kept = places.take(peer(1));
        assert!(is_lost(&mut lost));
        drop(lost);
        assert_eq!(places.lock().in_all, 1);
        drop(kept);
        assert_eq!(places.lock().in_all, 0);
    }
}
