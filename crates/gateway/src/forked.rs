//! Which coordinators' logs are forked, as far as this office has seen: each is recorded now and then, however often it shows.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use lango_identity::SpiffeId;

/// A coordinator that shows two faces by turns makes one entry in this time, and no more.
const RECORDED_AGAIN_AFTER: Duration = Duration::from_secs(60 * 60);

/// The coordinators whose logs did not go on where this office had cosigned them last, and when each was last recorded.
#[derive(Debug, Default)]
pub(crate) struct Forked(Mutex<BTreeMap<SpiffeId, Instant>>);

impl Forked {
    /// Notes that a coordinator's log is forked; whether it is to be recorded.
    pub(crate) fn note(&self, coordinator: &SpiffeId, now: Instant) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recorded =
            noted.get(coordinator).is_some_and(|at| now.duration_since(*at) < RECORDED_AGAIN_AFTER);
        if !is_recorded {
            noted.insert(coordinator.clone(), now);
        }
        !is_recorded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fork_is_recorded_once_an_hour_for_each_coordinator() {
        let forked = Forked::default();
        let [one, other] = ["main", "second"]
            .map(|name| format!("spiffe://ecowas.example/coordinator/{name}").parse().unwrap());
        let now = Instant::now();
        let in_minutes = |minutes: u64| now + Duration::from_secs(60 * minutes);
        let noted: Vec<bool> = [(&one, 0), (&one, 1), (&other, 1), (&one, 59), (&one, 60), (&one, 61)]
            .into_iter()
            .map(|(of, minutes)| forked.note(of, in_minutes(minutes)))
            .collect();
        assert_eq!(noted, [true, false, true, false, true, false]);
    }
}
