//! Places for connections: some for each address, some in all.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
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
    /// The places of each address by the order of coming.
    by_peer: HashMap<Peer, BTreeMap<u64, Seat>>,
}

#[derive(Debug)]
struct Seat {
    /// A sender that is dropped takes the place away.
    _keep: oneshot::Sender<()>,
    /// Whether nothing is under way at it.
    is_idle: Arc<AtomicBool>,
}

/// Where a newcomer can go.
enum Unused {
    /// There is a place.
    Free,
    /// This address's of this number, at which nothing is under way.
    Idle(Peer, u64),
}

/// A place, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    peer: Peer,
    number: u64,
    /// Nothing once it was lost.
    lost: Option<oneshot::Receiver<()>>,
    is_idle: Arc<AtomicBool>,
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

    /// A place, if there is one, or one at which nothing is under way: of the same address where that has all of its own, and
    /// else of an address that has more places than this one. So nobody keeps others out by coming and doing nothing.
    pub(crate) fn take_unused(&self, peer: Peer) -> Option<Place> {
        let mut taken = self.lock();
        match self.unused(&taken, peer)? {
            Unused::Free => {}
            Unused::Idle(whose, number) => taken.free(whose, number),
        }
        Some(self.seat(&mut taken, peer))
    }

    /// Whether there is such a place now.
    pub(crate) fn has_unused(&self, peer: Peer) -> bool {
        self.unused(&self.lock(), peer).is_some()
    }

    fn unused(&self, taken: &Taken, peer: Peer) -> Option<Unused> {
        let has_all = taken.of(peer) >= self.room.per_address;
        if !has_all && taken.in_all < self.room.in_all {
            return Some(Unused::Free);
        }
        taken.idle(peer, has_all).map(|(whose, number)| Unused::Idle(whose, number))
    }

    fn seat(&self, taken: &mut Taken, peer: Peer) -> Place {
        let (keep, lost) = oneshot::channel();
        let is_idle = Arc::new(AtomicBool::new(true));
        let number = taken.next;
        taken.next += 1;
        taken.in_all += 1;
        taken
            .by_peer
            .entry(peer)
            .or_default()
            .insert(number, Seat { _keep: keep, is_idle: Arc::clone(&is_idle) });
        Place { peer, number, lost: Some(lost), is_idle, taken: self.taken.clone() }
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

    /// The oldest idle place of this address, or of the one with the most places among those that have more than it and an idle
    /// one.
    fn idle(&self, peer: Peer, its_own: bool) -> Option<(Peer, u64)> {
        let oldest = |places: &BTreeMap<u64, Seat>| {
            places.iter().find(|(_, seat)| seat.is_idle.load(Ordering::Relaxed)).map(|(number, _)| *number)
        };
        let may_lose = |(whose, places): &(&Peer, &BTreeMap<u64, Seat>)| match its_own {
            true => **whose == peer,
            false => places.len() > self.of(peer) + 1,
        };
        let candidates = self.by_peer.iter().filter(may_lose);
        let idle = candidates.filter_map(|(whose, places)| Some((places.len(), *whose, oldest(places)?)));
        idle.max_by_key(|(held, _, _)| *held).map(|(_, whose, number)| (whose, number))
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
    /// Where it is said whether nothing is under way at it.
    pub(crate) fn is_idle(&self) -> &Arc<AtomicBool> {
        &self.is_idle
    }

    /// Done when the place was given to another.
    pub(crate) async fn lost(&mut self) {
        if let Some(lost) = &mut self.lost {
            // Nothing is ever sent: the end of the sender is the message.
            drop(lost.await);
            self.lost = None;
        }
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
        let busy = |peer| {
            let place = places.take_unused(peer)?;
            place.is_idle().store(false, Ordering::Relaxed);
            Some(place)
        };
        let first = busy(peer(1)).unwrap();
        assert!(busy(peer(1)).is_none() && !places.has_unused(peer(1)));
        let second = busy(peer(2)).unwrap();
        assert!(busy(peer(3)).is_none());
        drop(first);
        assert!(places.has_unused(peer(3)) && places.has_unused(peer(1)) && !places.has_unused(peer(2)));
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

    #[test]
    fn who_comes_and_does_nothing_keeps_nobody_out() {
        let places = Places::new(Room { per_address: 3, in_all: 4 });
        let mut held: Vec<Place> = [1, 1, 1, 2].map(|last| places.take_unused(peer(last)).unwrap()).into();
        held[0].is_idle().store(false, Ordering::Relaxed);
        // The oldest idle one of the address with the most goes, and at last none is left that has more than a newcomer would.
        let third = places.take_unused(peer(3)).unwrap();
        assert_eq!(held.iter_mut().map(is_lost).collect::<Vec<_>>(), [false, true, false, false]);
        let fourth = places.take_unused(peer(4)).unwrap();
        assert_eq!(held.iter_mut().map(is_lost).collect::<Vec<_>>(), [false, true, true, false]);
        assert!(places.take_unused(peer(5)).is_none(), "everybody has one");
        assert_eq!(places.lock().in_all, 4);
        drop((held, third, fourth));
        // An address with all of its own gives up one of its own.
        let mut own: Vec<Place> = [1, 1, 1, 1].map(|last| places.take_unused(peer(last)).unwrap()).into();
        assert_eq!(own.iter_mut().map(is_lost).collect::<Vec<_>>(), [true, false, false, false]);
    }
}
