//! Requests that failed: one that fails again and again is worked on ever more seldom, no matter who sends its copies.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The pause after the second failure. After the first there is none: a coordinator that lost its connection sends once more, at
/// once.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause. A request that has not been worked on for as long after its pause is as good as new.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// At most this many are remembered; above it the one whose pause ends first is forgotten.
const REQUESTS_MAX: usize = 10_000;

/// The requests that failed lately.
#[derive(Debug)]
pub(crate) struct Failures<K> {
    requests: Mutex<HashMap<K, Failed>>,
    requests_max: usize,
}

#[derive(Debug, Clone, Copy)]
struct Failed {
    times: u32,
    until: Instant,
}

impl<K> Default for Failures<K> {
    fn default() -> Self {
        Self { requests: Mutex::default(), requests_max: REQUESTS_MAX }
    }
}

impl<K: Clone + Eq + Hash> Failures<K> {
    /// How long a request must wait until it is worked on again.
    pub(crate) fn wait(&self, key: &K, now: Instant) -> Option<Duration> {
        let until = self.lock().get(key)?.until;
        Some(until.saturating_duration_since(now)).filter(|wait| !wait.is_zero())
    }

    /// Notes that a request has failed: it waits twice as long as the last time.
    pub(crate) fn failed(&self, key: &K, now: Instant) {
        let mut requests = self.lock();
        requests.retain(|_, failed| now < failed.until + PAUSE_MAX);
        let times = requests.get(key).map_or(1, |failed| failed.times.saturating_add(1));
        if requests.len() >= self.requests_max && !requests.contains_key(key) {
            let first = requests.iter().min_by_key(|(_, failed)| failed.until).map(|(key, _)| key.clone());
            first.map(|first| requests.remove(&first));
        }
        requests.insert(key.clone(), Failed { times, until: now + pause(times) });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Failed>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pause(times: u32) -> Duration {
    match times.checked_sub(2) {
        None => Duration::ZERO,
        Some(doublings) => PAUSE.saturating_mul(1 << doublings.min(6)).min(PAUSE_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_fails_again_and_again_waits_twice_as_long_each_time() {
        let (failures, mut now) = (Failures::default(), Instant::now());
        assert_eq!(failures.wait(&"a", now), None);
        for wait in [0, 1, 2, 4, 8, 16, 32, 60, 60] {
            failures.failed(&"a", now);
            let wait = Duration::from_secs(wait);
            assert_eq!(failures.wait(&"a", now).unwrap_or_default(), wait);
            assert_eq!(failures.wait(&"b", now), None);
            now += wait;
            assert_eq!(failures.wait(&"a", now), None, "{wait:?}");
        }
        // Left alone for a minute it is as good as new.
        now += PAUSE_MAX;
        failures.failed(&"a", now);
        assert_eq!(failures.wait(&"a", now), None);
    }

    #[test]
    fn no_more_failed_requests_are_remembered_than_there_is_room_for() {
        let (failures, now) = (Failures { requests_max: 3, ..Failures::default() }, Instant::now());
        for key in ["a", "a", "a", "b", "b", "c", "c", "c", "d", "d"] {
            failures.failed(&key, now);
        }
        for (key, wait) in [("a", 2), ("b", 0), ("c", 2), ("d", 1)] {
            assert_eq!(failures.wait(&key, now).unwrap_or_default(), Duration::from_secs(wait), "{key}");
        }
    }
}
