//! How much a comparison may compute. Whether a question leaves all of some regions is a covering problem, so policies can be
//! written whose comparison has no end.

use std::cell::Cell;

/// The steps that are left to a comparison; one is about a comparison of two regions, or of a margin with a prohibition.
#[derive(Debug)]
pub(super) struct Work {
    left: Cell<u64>,
    is_used_up: Cell<bool>,
}

impl Work {
    pub fn of(steps: u64) -> Self {
        Self { left: Cell::new(steps), is_used_up: Cell::new(false) }
    }

    /// Takes steps. None where they are more than are left: from then on nothing is left, and what is not found is not proven
    /// to be nowhere.
    pub fn take(&self, steps: usize) -> Option<()> {
        let left = self.left.get().checked_sub(steps as u64);
        self.left.set(left.unwrap_or_default());
        self.is_used_up.set(self.is_used_up.get() || left.is_none());
        (!self.is_used_up.get()).then_some(())
    }

    pub fn left(&self) -> u64 {
        self.left.get()
    }

    pub fn is_used_up(&self) -> bool {
        self.is_used_up.get()
    }
}
