//! What the store keeps of a principal's free answers is bounded: what costs nothing could fill a disk.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use lango_store::KeptAnswers;
use lango_wire::CLOCK_SKEW_S;

/// The most bytes that are kept for one principal: some 16,000 refusals and repeated answers, or the prices of 64 questions with
/// the largest lists of codes. One answer may go beyond it.
const BYTES_MAX: u64 = 32 << 20;
/// At most this many principals are remembered; those of whom nothing is kept are forgotten first. The store knows them all.
const PRINCIPALS_MAX: usize = 10_000;

/// The bytes that are kept for a principal's free answers, by the minute of their requests' expiry.
type Minutes = BTreeMap<i64, u64>;

/// What is kept for each principal. The store is asked once, when a principal is first seen.
#[derive(Debug, Default)]
pub(crate) struct FreeAnswers(Mutex<HashMap<String, Minutes>>);

impl FreeAnswers {
    /// Whether it is known what is kept for a principal.
    pub(crate) fn knows(&self, principal: &str) -> bool {
        self.lock().contains_key(principal)
    }

    /// Takes what the store knows of a principal, where nothing is known of it.
    pub(crate) fn learn(&self, principal: &str, kept: &[KeptAnswers]) {
        let mut principals = self.lock();
        if principals.len() >= PRINCIPALS_MAX {
            principals.retain(|_, minutes| !minutes.is_empty());
        }
        if principals.len() >= PRINCIPALS_MAX {
            principals.clear();
        }
        principals
            .entry(principal.to_owned())
            .or_insert_with(|| kept.iter().map(|kept| (kept.expiry_minute, kept.bytes)).collect());
    }

    /// Counts an answer that was kept.
    pub(crate) fn keep(&self, principal: &str, expires_at: i64, bytes: usize) {
        if let Some(minutes) = self.lock().get_mut(principal) {
            let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
            let kept = minutes.entry(expires_at.div_euclid(60)).or_default();
            *kept = kept.saturating_add(bytes);
        }
    }

    /// How long to wait, in the seconds of a clock, until the oldest are forgotten, where as much is kept as may be.
    pub(crate) fn wait(&self, principal: &str, now: i64) -> Option<Duration> {
        let mut principals = self.lock();
        let minutes = principals.get_mut(principal)?;
        minutes.retain(|minute, _| forgotten_at(*minute) > now);
        if minutes.values().fold(0, |sum: u64, bytes| sum.saturating_add(*bytes)) < BYTES_MAX {
            return None;
        }
        let (oldest, _) = minutes.first_key_value()?;
        let wait = forgotten_at(*oldest).saturating_sub(now);
        Some(Duration::from_secs(u64::try_from(wait).unwrap_or_default()))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Minutes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// From when on the requests that expire in a minute are purged.
fn forgotten_at(expiry_minute: i64) -> i64 {
    let skew = i64::try_from(CLOCK_SKEW_S).unwrap_or_default();
    expiry_minute.saturating_add(1).saturating_mul(60).saturating_add(skew)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_free_answers_is_bounded_for_each_principal() {
        const HALF: usize = 16 << 20;
        let answers = FreeAnswers::default();
        answers.learn("awa", &[KeptAnswers { expiry_minute: 10, bytes: HALF as u64 }]);
        answers.learn("kofi", &[]);
        assert!(answers.knows("awa") && answers.knows("kofi") && !answers.knows("zainab"));
        assert_eq!(answers.wait("awa", 0), None);
        answers.keep("awa", 20 * 60, HALF - 1);
        assert_eq!(answers.wait("awa", 0), None);
        answers.keep("awa", 20 * 60 + 59, 1);
        // (at which second, how many seconds to wait): eleven minutes and the skew until the first half goes.
        for (now, wait) in [(0, 960), (959, 1), (960, 0), (0, 0)] {
            assert_eq!(answers.wait("awa", now).unwrap_or_default(), Duration::from_secs(wait), "{now}");
        }
        // What is known is not learnt again, and others are not concerned.
        answers.learn("awa", &[KeptAnswers { expiry_minute: 10, bytes: u64::MAX }]);
        assert_eq!(answers.wait("awa", 0), None);
        assert_eq!(answers.wait("kofi", 0), None);
        answers.keep("awa", 30 * 60, HALF);
        assert_eq!(answers.wait("awa", 960), Some(Duration::from_secs(21 * 60 + 300 - 960)));
        assert_eq!(answers.wait("kofi", 960), None);
    }
}
