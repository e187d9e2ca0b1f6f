//! When requests that have expired are forgotten: now and then, so that a claim is one row.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

/// Once in this number of fresh claims what has expired is purged.
pub(crate) const PURGE_EVERY: u32 = 16;
/// Rows that are purged then, at most: more than were added meanwhile, so that all that has expired goes.
pub(crate) const PURGED: i64 = 64;

/// Counts the fresh claims of a store that was opened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Purging(Arc<AtomicU32>);

impl Purging {
    /// Whether the claim that is counted now purges.
    pub(crate) fn is_due(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed).is_multiple_of(PURGE_EVERY)
    }
}
