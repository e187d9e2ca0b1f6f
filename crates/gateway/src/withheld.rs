//! Releases that are stored and have not left yet. Until they leave, no other answer may show that they are there: prices asked
//! for meanwhile would show when each was ready.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

type ReleaseId = [u8; 16];
type Set = Arc<Mutex<HashSet<ReleaseId>>>;

/// The releases that have not left yet.
#[derive(Debug, Default)]
pub(crate) struct Withheld(Set);

/// Keeps a release back until it is dropped.
#[derive(Debug)]
pub(crate) struct Withholding {
    set: Set,
    release_id: ReleaseId,
}

impl Withheld {
    /// Keeps a release back.
    pub(crate) fn keep(&self, release_id: ReleaseId) -> Withholding {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(release_id);
        Withholding { set: Arc::clone(&self.0), release_id }
    }

    /// Whether a release has not left yet.
    pub(crate) fn contains(&self, release_id: &ReleaseId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(release_id)
    }
}

impl Drop for Withholding {
    fn drop(&mut self) {
        self.set.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.release_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_kept_back_until_its_answer_has_left() {
        let withheld = Withheld::default();
        let (first, second) = (withheld.keep([1; 16]), withheld.keep([2; 16]));
        assert!(withheld.contains(&[1; 16]) && withheld.contains(&[2; 16]));
        drop(first);
        assert!(!withheld.contains(&[1; 16]) && withheld.contains(&[2; 16]));
        drop(second);
        assert!(!withheld.contains(&[2; 16]));
    }
}
