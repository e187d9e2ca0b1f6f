//! Permissions that come back at an even pace.

use std::time::{Duration, Instant};

/// How many of something are allowed in a time. All of them may come at once; then they come back one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    apart: Duration,
    ahead_max: Duration,
}

impl Rate {
    /// This many a minute, at least one.
    pub fn per_minute(count: u32) -> Self {
        Self::of(count, Duration::from_secs(60))
    }

    /// This many a second, at least one.
    pub fn per_second(count: u32) -> Self {
        Self::of(count, Duration::from_secs(1))
    }

    fn of(count: u32, time: Duration) -> Self {
        let apart = time / count.max(1);
        Self { apart, ahead_max: time.saturating_sub(apart) }
    }
}

/// How far a rate is used up. One that was never used is full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Meter {
    /// When it will be full again.
    full_at: Option<Instant>,
}

impl Meter {
    /// How long to wait for the next permission; nothing where there is one now.
    pub fn wait(&self, rate: Rate, now: Instant) -> Option<Duration> {
        let ahead = self.full_at?.saturating_duration_since(now);
        ahead.checked_sub(rate.ahead_max).filter(|wait| !wait.is_zero())
    }

    /// Takes one permission, or says how long to wait for it.
    pub fn take(&mut self, rate: Rate, now: Instant) -> Result<(), Duration> {
        match self.wait(rate, now) {
            Some(wait) => Err(wait),
            None => {
                self.full_at = Some(self.full_at.map_or(now, |full| full.max(now)) + rate.apart);
                Ok(())
            }
        }
    }

    /// Whether nothing of the rate is used.
    pub fn is_full(&self, now: Instant) -> bool {
        self.full_at.is_none_or(|full| full <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_may_be_taken_at_once_and_come_back_one_by_one() {
        let (rate, mut meter, start) = (Rate::per_minute(4), Meter::default(), Instant::now());
        // At which second one is asked for, and how many seconds to wait.
        for (at, wait) in [
            (0, 0),
            (0, 0),
            (0, 0),
            (0, 0),
            (0, 15),
            (10, 5),
            (15, 0),
            (15, 15),
            (60, 0),
            (60, 0),
            (60, 0),
            (60, 15),
        ] {
            let taken = meter.take(rate, start + Duration::from_secs(at));
            let expected = if wait == 0 { Ok(()) } else { Err(Duration::from_secs(wait)) };
            assert_eq!(taken, expected, "at {at}");
        }
        assert!(!meter.is_full(start + Duration::from_secs(119)));
        assert!(meter.is_full(start + Duration::from_secs(120)));
        assert!(Meter::default().is_full(start));
    }

    #[test]
    fn a_rate_of_nothing_is_a_rate_of_one() {
        let (mut meter, now) = (Meter::default(), Instant::now());
        assert_eq!(meter.take(Rate::per_second(0), now), Ok(()));
        assert_eq!(meter.take(Rate::per_second(0), now), Err(Duration::from_secs(1)));
    }
}
