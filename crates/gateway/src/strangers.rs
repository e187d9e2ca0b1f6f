//! Refusals of those who may not ask at all: recorded at a bounded rate, so that nobody fills the store with them.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use lango_transport::{Meter, Rate};

/// How often such a refusal is recorded, and how many were not.
#[derive(Debug)]
pub(crate) struct Strangers {
    rate: Rate,
    state: Mutex<StrangerCount>,
}

#[derive(Debug, Default)]
struct StrangerCount {
    meter: Meter,
    left_out: u64,
}

impl Strangers {
    pub(crate) fn new(recorded_per_minute: u32) -> Self {
        Self { rate: Rate::per_minute(recorded_per_minute), state: Mutex::default() }
    }

    /// Whether a refusal for this reason is recorded now. One that is not is counted.
    pub(crate) fn are_recorded(&self, reason: &str, now: Instant) -> bool {
        if !matches!(
            reason,
            "role" | "not-addressed" | "time" | "malformed" | "too-many-requests" | "request-id-reused"
        ) {
            return true;
        }
        let mut state = self.lock();
        let is_recorded = state.meter.take(self.rate, now).is_ok();
        state.left_out += u64::from(!is_recorded);
        is_recorded
    }

    /// How many refusals were left out of the record since the last call: for the record that is written next.
    pub(crate) fn take_left_out(&self) -> u64 {
        std::mem::take(&mut self.lock().left_out)
    }

    /// Counts them again: the record that was to say it could not be written.
    pub(crate) fn put_back(&self, left_out: u64) {
        self.lock().left_out += left_out;
    }

    fn lock(&self) -> MutexGuard<'_, StrangerCount> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn refusals_of_strangers_are_recorded_at_a_bounded_rate_and_the_rest_is_counted() {
        let (strangers, start) = (Strangers::new(2), Instant::now());
        for (second, reason, is_recorded) in [
            (0, "role", true),
            (0, "not-addressed", true),
            (0, "time", false),
            (0, "malformed", false),
            (0, "too-many-requests", false),
            (0, "request-id-reused", false),
            // What a policy or a budget decides of a principal who may ask is always recorded.
            (0, "budget-exceeded", true),
            (0, "no-grant", true),
            (30, "role", true),
            (30, "role", false),
        ] {
            let now = start + Duration::from_secs(second);
            assert_eq!(strangers.are_recorded(reason, now), is_recorded, "{reason} at {second}");
        }
        assert_eq!(strangers.take_left_out(), 5);
        assert_eq!(strangers.take_left_out(), 0);
        strangers.put_back(3);
        assert_eq!(strangers.take_left_out(), 3);
    }
}
