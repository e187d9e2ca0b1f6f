//! The memory of an answer, from before it is read or made until it has left: what a principal does not take keeps out what that
//! principal asks next, and nobody else's.

use lango_privacy::{Cost, FOUND_KEYS_MOST, WORD_BYTES_MOST};
use lango_transport::UnderWay;
use lango_wire::limits::{ENVELOPE_BYTES_MAX, INTEGER_BYTES_MAX};

use crate::{Gateway, authenticate::Request};

impl Gateway {
    /// Waits until there is memory for the answer to a request, whatever its size, in place of what the request had.
    pub(crate) async fn make_answer_room<T>(&self, request: &Request<T>) {
        self.make_room(request, request.principal.to_string()).await;
    }

    /// The same for an answer that was kept. Anyone who holds the request can have it sent, so what is not taken keeps out what
    /// comes from the same address, and nothing else.
    pub(crate) async fn make_kept_answer_room<T>(&self, request: &Request<T>) {
        self.make_room(request, format!("kept answers to {}", request.peer)).await;
    }

    async fn make_room<T>(&self, request: &Request<T>, whose: String) {
        request.leave_answer_room();
        let room = self.capacity.answer_room(&whose).await;
        *request.room() = Some(room);
    }

    /// Takes the memory for the answer to a request if it is there now; whether it is.
    pub(crate) fn make_answer_room_now<T>(&self, request: &Request<T>) -> bool {
        let room = self.capacity.answer_room_now(&request.principal.to_string());
        let is_there = room.is_some();
        *request.room() = room;
        is_there
    }
}

impl<T> Request<T> {
    /// Gives the memory of an answer back.
    pub(crate) fn leave_answer_room(&self) {
        drop(self.room().take());
    }

    /// Gives back what an answer of at most this size does not take.
    pub(crate) fn shrink_answer_room(&self, bytes: usize) {
        if let Some(room) = self.room().as_mut() {
            room.shrink(bytes);
        }
    }

    /// Keeps the memory of the answer until it has left.
    pub(crate) fn answer_leaves(&self, under_way: Option<&UnderWay>) {
        if let (Some(room), Some(under_way)) = (self.room().take(), under_way) {
            under_way.keep(room);
        }
    }
}

/// The most bytes of an answer at this cost, without earlier releases.
pub(crate) fn bytes_at_most(cost: &Cost) -> usize {
    let word = WORD_BYTES_MOST + 1;
    let found = FOUND_KEYS_MOST * (word + INTEGER_BYTES_MAX);
    let integers = cost.cells.saturating_mul(INTEGER_BYTES_MAX);
    integers.saturating_add(cost.codes.saturating_mul(word)).saturating_add(found + ENVELOPE_BYTES_MAX)
}
