//! Refusals of those who may not ask at all: recorded at a bounded rate, so that nobody fills the store with them, and nobody's
//! hide another's.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use crate::{Meter, Rate};

/// One principal's refusals are at most this part of those that are recorded.
const PART: u32 = 6;

/// How often such a refusal is recorded, and how many were not.
#[derive(Debug)]
pub struct Strangers {
    rate: Rate,
    rate_of_one: Rate,
    state: Mutex<StrangerCount>,
}

#[derive(Debug, Default)]
struct StrangerCount {
    meter: Meter,
    /// Those of whom something was recorded lately: no more than the rate of all allows.
    of_each: HashMap<String, Meter>,
    left_out: u64,
}

impl Strangers {
    /// This number of all is recorded in a minute.
    pub fn new(recorded_per_minute: u32) -> Self {
        Self {
            rate: Rate::per_minute(recorded_per_minute),
            rate_of_one: Rate::per_minute(recorded_per_minute / PART),
            state: Mutex::default(),
        }
    }

    /// Whether a refusal of this principal is recorded now. One that is not is counted.
    pub fn is_recorded(&self, principal: &str, now: Instant) -> bool {
        let mut state = self.lock();
        let StrangerCount { meter, of_each, left_out } = &mut *state;
        of_each.retain(|_, meter| !meter.is_full(now));
        let mut one = of_each.get(principal).copied().unwrap_or_default();
        let is_recorded = one.take(self.rate_of_one, now).is_ok() && meter.take(self.rate, now).is_ok();
        if is_recorded {
            of_each.insert(principal.to_owned(), one);
        }
        *left_out += u64::from(!is_recorded);
        is_recorded
    }

    /// The refusals that were left out of the record since the last call: for the record that is written next.
    pub fn take_left_out(&self) -> LeftOut<'_> {
        LeftOut { strangers: self, count: std::mem::take(&mut self.lock().left_out) }
    }

    fn lock(&self) -> MutexGuard<'_, StrangerCount> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refusals that a record is to say were left out. Dropped, they are counted again, unless that record was written.
#[derive(Debug)]
pub struct LeftOut<'s> {
    strangers: &'s Strangers,
    count: u64,
}

impl LeftOut<'_> {
    /// How many.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The record was written.
    pub fn recorded(mut self) {
        self.count = 0;
    }
}

impl Drop for LeftOut<'_> {
    fn drop(&mut self) {
        self.strangers.lock().left_out += self.count;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// How many a record says that is written.
    fn said(strangers: &Strangers) -> u64 {
        let left_out = strangers.take_left_out();
        let count = left_out.count();
        left_out.recorded();
        count
    }

    #[test]
    fn refusals_of_strangers_are_recorded_at_a_bounded_rate_and_none_hides_those_of_another() {
        let (strangers, start) = (Strangers::new(12), Instant::now());
        for (second, principal, is_recorded) in [
            (0, "zainab", true),
            (0, "zainab", true),
            (0, "zainab", false),
            (0, "zainab", false),
            // One that fills its part leaves the parts of others.
            (0, "ama", true),
            (0, "ama", true),
            (0, "ama", false),
            (30, "zainab", true),
            (30, "zainab", false),
        ] {
            let now = start + Duration::from_secs(second);
            assert_eq!(strangers.is_recorded(principal, now), is_recorded, "{principal} at {second}");
        }
        // What was taken for a record that was not written is counted again.
        drop(strangers.take_left_out());
        assert_eq!(said(&strangers), 4);
        assert_eq!(said(&strangers), 0);
    }

    #[test]
    fn refusals_of_any_number_of_strangers_are_recorded_at_the_rate_of_all() {
        let (strangers, now) = (Strangers::new(12), Instant::now());
        let recorded = (0..1_000).filter(|number| strangers.is_recorded(&number.to_string(), now)).count();
        assert_eq!((recorded, said(&strangers)), (12, 988));
        assert_eq!(strangers.lock().of_each.len(), 12);
        // Later, those that may be recorded again are not remembered.
        assert!(strangers.is_recorded("zainab", now + Duration::from_secs(60)));
        assert_eq!(strangers.lock().of_each.len(), 1);
    }
}
