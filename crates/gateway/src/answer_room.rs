//! The memory of an answer, from before it is read or made until it has left: what a principal does not take keeps out what that
//! principal asks next, and nobody else's.

use lango_privacy::{Cost, FOUND_KEYS_MOST, WORD_BYTES_MOST};
use lango_transport::UnderWay;
use lango_wire::limits::{ANSWER_BYTES_MAX, ENVELOPE_BYTES_MAX, INTEGER_BYTES_MAX};

use crate::{Gateway, authenticate::Request};

impl Gateway {
    /// Waits until there is memory for the answer to a request, in place of what it had.
    pub(crate) async fn make_answer_room<T>(&self, request: &Request<T>, bytes: usize) {
        request.leave_answer_room();
        let room = self.capacity.answer_room(&request.principal, bytes).await;
        *request.room() = Some(room);
    }

    /// The same for one of any size.
    pub(crate) async fn make_any_answer_room<T>(&self, request: &Request<T>) {
        self.make_answer_room(request, ANSWER_BYTES_MAX).await;
    }
}

impl<T> Request<T> {
    /// Gives the memory of an answer back.
    pub(crate) fn leave_answer_room(&self) {
        drop(self.room().take());
    }

    /// Keeps the memory of an answer of this size until it has left.
    pub(crate) fn answer_leaves(&self, bytes: usize, under_way: Option<&UnderWay>) {
        if let (Some(mut room), Some(under_way)) = (self.room().take(), under_way) {
            room.shrink(bytes);
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
