//! Memory, or another good that there is little of, which principals share: each takes its turn.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use crate::rounds::{Most, Rounds};

/// A part of a budget; it is free again when this is dropped.
#[derive(Debug)]
pub struct Room {
    rooms: Arc<Rooms>,
    principal: String,
    number: u64,
    units: usize,
}

/// A budget that principals share.
#[derive(Debug)]
pub struct Rooms(Mutex<Sharing>);

#[derive(Debug)]
struct Sharing {
    rounds: Rounds<String>,
    /// Who is let in is woken.
    waiting: HashMap<u64, oneshot::Sender<()>>,
    number: u64,
}

impl Rooms {
    /// One of this size, of which each principal holds this much at most.
    pub fn new(whole: usize, most: Most) -> Arc<Self> {
        let rounds = Rounds::new(whole, most);
        Arc::new(Self(Mutex::new(Sharing { rounds, waiting: HashMap::new(), number: 0 })))
    }

    /// Waits for its turn. Dropped before, it leaves its line.
    pub async fn room(self: &Arc<Self>, principal: &str, units: usize) -> Room {
        let (room, woken) = self.ask(principal, units);
        // It is woken once: the sender is kept until then.
        let _ = woken.await;
        room
    }

    /// A part of it at once, or none where it would have to wait.
    pub fn room_now(self: &Arc<Self>, principal: &str, units: usize) -> Option<Room> {
        let (room, mut woken) = self.ask(principal, units);
        woken.try_recv().is_ok().then_some(room)
    }

    /// Whether a principal could hold this much more if nobody else held anything.
    pub fn may_hold(&self, principal: &str, units: usize) -> bool {
        self.lock().rounds.may_hold(&principal.to_owned(), units, true)
    }

    /// A place in a principal's line, which is its room once it is woken.
    fn ask(self: &Arc<Self>, principal: &str, units: usize) -> (Room, oneshot::Receiver<()>) {
        let (wake, woken) = oneshot::channel();
        let principal = principal.to_owned();
        let mut sharing = self.lock();
        sharing.number += 1;
        let number = sharing.number;
        sharing.waiting.insert(number, wake);
        let units = sharing.rounds.ask(&principal, number, units);
        sharing.let_in();
        (Room { rooms: Arc::clone(self), principal, number, units }, woken)
    }

    fn lock(&self) -> MutexGuard<'_, Sharing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sharing {
    fn let_in(&mut self) {
        for number in self.rounds.let_in() {
            if let Some(wake) = self.waiting.remove(&number) {
                // Who is gone gives it back when its room is dropped.
                let _ = wake.send(());
            }
        }
    }
}

impl Room {
    /// Gives back all but this much of it.
    pub fn shrink(&mut self, units: usize) {
        let less = self.units.saturating_sub(units);
        self.units -= less;
        let mut sharing = self.rooms.lock();
        sharing.rounds.give_back(&self.principal, less);
        sharing.let_in();
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut sharing = self.rooms.lock();
        sharing.waiting.remove(&self.number);
        if !sharing.rounds.leave(&self.principal, self.number) {
            sharing.rounds.give_back(&self.principal, self.units);
        }
        sharing.let_in();
    }
}
