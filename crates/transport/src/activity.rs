//! What goes on in one connection, and whether it may stay.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::ServerLimits;

/// The account of one connection.
#[derive(Debug)]
pub(crate) struct Activity(Mutex<Traffic>);

/// Where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traffic {
    born: Instant,
    /// Requests whose answers are not sent.
    under_way: usize,
    /// Since when there is none, if there is none.
    quiet_since: Instant,
    /// Pieces of answers that are not sent.
    owed: usize,
    /// Since when too little of them was sent: the first of them began then, or [`ServerLimits::answer_least`] was sent.
    progress: Instant,
    /// What was sent since.
    sent: usize,
}

/// What is to become of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It stays; to be asked again then.
    Stay(Instant),
    /// It takes no further request.
    Leave(&'static str),
    /// It is closed at once.
    Cut(&'static str),
}

impl Activity {
    pub(crate) fn new(now: Instant) -> Self {
        Self(Mutex::new(Traffic {
            born: now,
            under_way: 0,
            quiet_since: now,
            owed: 0,
            progress: now,
            sent: 0,
        }))
    }

    pub(crate) fn request_begins(&self) {
        self.lock().under_way += 1;
    }

    pub(crate) fn request_ends(&self) {
        let mut traffic = self.lock();
        traffic.under_way = traffic.under_way.saturating_sub(1);
        traffic.quiet_since = Instant::now();
    }

    pub(crate) fn piece_begins(&self) {
        let mut traffic = self.lock();
        if traffic.owed == 0 {
            (traffic.progress, traffic.sent) = (Instant::now(), 0);
        }
        traffic.owed += 1;
    }

    /// This number of bytes of a piece was sent, where `least` is what must be sent in a time.
    pub(crate) fn piece_progresses(&self, bytes: usize, least: usize) {
        let mut traffic = self.lock();
        traffic.sent = traffic.sent.saturating_add(bytes);
        if traffic.sent >= least {
            (traffic.progress, traffic.sent) = (Instant::now(), 0);
        }
    }

    pub(crate) fn piece_ends(&self) {
        let mut traffic = self.lock();
        traffic.owed = traffic.owed.saturating_sub(1);
    }

    pub(crate) fn traffic(&self) -> Traffic {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Traffic> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Traffic {
    /// Whether the connection may stay at `now`.
    pub(crate) fn verdict(&self, limits: &ServerLimits, now: Instant) -> Verdict {
        if let Some(cut) = self.stalled(limits, now) {
            return cut;
        }
        if self.under_way == 0 && since(self.quiet_since, now) >= limits.idle {
            return Verdict::Leave("idle");
        }
        if since(self.born, now) >= limits.connection_age {
            return Verdict::Leave("age");
        }
        let idle = if self.under_way == 0 { self.quiet_since } else { now } + limits.idle;
        Verdict::Stay(idle.min(self.born + limits.connection_age).min(self.stall_at(limits, now)))
    }

    /// The same for a connection that takes no further request: until then it has time to finish.
    pub(crate) fn last_verdict(&self, limits: &ServerLimits, now: Instant, until: Instant) -> Verdict {
        match self.stalled(limits, now) {
            Some(cut) => cut,
            None if now >= until => Verdict::Cut("a request under way outlasted its connection's age"),
            None => Verdict::Stay(until.min(self.stall_at(limits, now))),
        }
    }

    fn stalled(&self, limits: &ServerLimits, now: Instant) -> Option<Verdict> {
        let stalled = self.owed > 0 && since(self.progress, now) >= limits.answer_stall;
        stalled.then_some(Verdict::Cut("the peer takes its answers too slowly"))
    }

    fn stall_at(&self, limits: &ServerLimits, now: Instant) -> Instant {
        if self.owed > 0 { self.progress + limits.answer_stall } else { now + limits.answer_stall }
    }
}

fn since(then: Instant, now: Instant) -> Duration {
    now.saturating_duration_since(then)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trickle_is_no_progress() {
        let activity = Activity::new(Instant::now());
        activity.piece_begins();
        let begun = activity.traffic().progress;
        for _ in 0..99 {
            activity.piece_progresses(1, 100);
        }
        activity.piece_begins();
        activity.piece_ends();
        assert_eq!(activity.traffic().progress, begun);
        activity.piece_progresses(1, 100);
        let traffic = activity.traffic();
        assert!(traffic.progress > begun && traffic.sent == 0);
        // What begins when nothing is owed has its time from then on.
        activity.piece_progresses(50, 100);
        activity.piece_ends();
        activity.piece_begins();
        assert!(activity.traffic().progress > traffic.progress && activity.traffic().sent == 0);
    }

    #[test]
    fn a_connection_leaves_when_idle_or_old_and_is_cut_when_its_answers_are_not_taken() {
        let born = Instant::now();
        let at = |seconds| born + Duration::from_secs(seconds);
        let limits = ServerLimits {
            idle: Duration::from_secs(10),
            connection_age: Duration::from_secs(100),
            answer_stall: Duration::from_secs(5),
            ..ServerLimits::default()
        };
        let (leave, stay) = (Verdict::Leave, |seconds| Verdict::Stay(at(seconds)));
        let cut = Verdict::Cut("the peer takes its answers too slowly");
        for (under_way, quiet_since, owed, progress, now, expected) in [
            (0, 0, 0, 0, 0, stay(5)),
            (0, 0, 0, 0, 9, stay(10)),
            (0, 0, 0, 0, 10, leave("idle")),
            (0, 4, 0, 0, 10, stay(14)),
            // A request under way keeps it, however long it takes, but not beyond its age.
            (1, 0, 0, 0, 50, stay(55)),
            (1, 0, 0, 0, 97, stay(100)),
            (1, 0, 0, 0, 100, leave("age")),
            // An answer that is being taken keeps it; one that is not does not.
            (1, 0, 1, 47, 50, stay(52)),
            (1, 0, 1, 45, 50, cut),
            (1, 0, 3, 45, 200, cut),
        ] {
            let (quiet_since, progress) = (at(quiet_since), at(progress));
            let traffic = Traffic { born, under_way, quiet_since, owed, progress, sent: 0 };
            assert_eq!(traffic.verdict(&limits, at(now)), expected, "{traffic:?} at {now}");
        }
        let leaving = Traffic { born, under_way: 1, quiet_since: born, owed: 0, progress: born, sent: 0 };
        assert_eq!(leaving.last_verdict(&limits, at(100), at(103)), stay(103));
        assert!(matches!(leaving.last_verdict(&limits, at(103), at(103)), Verdict::Cut(_)));
        assert_eq!(Traffic { owed: 1, ..leaving }.last_verdict(&limits, at(100), at(103)), cut);
    }
}
