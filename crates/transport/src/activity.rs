//! What goes on in one connection, and whether it may stay.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{ServerLimits, limits::PRESSED_ANSWER_MAX};

/// The account of one connection.
#[derive(Debug)]
pub(crate) struct Activity {
    account: Mutex<Account>,
    /// Whether no request is under way.
    is_idle: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Account {
    traffic: Traffic,
    /// When each piece of an answer began that is not sent.
    pieces: BTreeMap<u64, Instant>,
    next_piece: u64,
}

/// Where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traffic {
    born: Instant,
    /// Requests whose answers are not sent.
    under_way: usize,
    /// Since when there is none, if there is none.
    quiet_since: Instant,
    /// Since when the oldest piece of an answer is owed that is not sent, if there is one.
    owed_since: Option<Instant>,
    /// Since when too little was sent: the first piece began then, or [`ServerLimits::answer_least`] was sent.
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
    /// `is_idle` is where others see whether a request is under way.
    pub(crate) fn new(now: Instant, is_idle: Arc<AtomicBool>) -> Self {
        let traffic =
            Traffic { born: now, under_way: 0, quiet_since: now, owed_since: None, progress: now, sent: 0 };
        let account = Account { traffic, pieces: BTreeMap::new(), next_piece: 0 };
        Self { account: Mutex::new(account), is_idle }
    }

    pub(crate) fn request_begins(&self) {
        let mut account = self.lock();
        account.traffic.under_way += 1;
        self.is_idle.store(false, Ordering::Relaxed);
    }

    pub(crate) fn request_ends(&self) {
        let mut account = self.lock();
        let traffic = &mut account.traffic;
        traffic.under_way = traffic.under_way.saturating_sub(1);
        traffic.quiet_since = Instant::now();
        self.is_idle.store(traffic.under_way == 0, Ordering::Relaxed);
    }

    /// A piece of an answer is owed from now on, until [`Activity::piece_ends`] of its number.
    pub(crate) fn piece_begins(&self) -> u64 {
        let (mut account, now) = (self.lock(), Instant::now());
        if account.pieces.is_empty() {
            account.traffic = Traffic { owed_since: Some(now), progress: now, sent: 0, ..account.traffic };
        }
        let number = account.next_piece;
        account.next_piece += 1;
        account.pieces.insert(number, now);
        number
    }

    /// This number of bytes of a piece was sent, where `least` is what must be sent in a time.
    pub(crate) fn piece_progresses(&self, bytes: usize, least: usize) {
        let mut account = self.lock();
        let traffic = &mut account.traffic;
        traffic.sent = traffic.sent.saturating_add(bytes);
        if traffic.sent >= least {
            (traffic.progress, traffic.sent) = (Instant::now(), 0);
        }
    }

    pub(crate) fn piece_ends(&self, number: u64) {
        let mut account = self.lock();
        account.pieces.remove(&number);
        account.traffic.owed_since = account.pieces.first_key_value().map(|(_, began)| *began);
    }

    pub(crate) fn traffic(&self) -> Traffic {
        self.lock().traffic
    }

    fn lock(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Traffic {
    /// Whether the connection may stay at `now`; `pressed` where others wait for the memory of answers.
    pub(crate) fn verdict(&self, limits: &ServerLimits, pressed: bool, now: Instant) -> Verdict {
        if let Some(cut) = self.stalled(limits, pressed, now) {
            return cut;
        }
        if self.under_way == 0 && since(self.quiet_since, now) >= limits.idle {
            return Verdict::Leave("idle");
        }
        if since(self.born, now) >= limits.connection_age {
            return Verdict::Leave("age");
        }
        let idle = if self.under_way == 0 { self.quiet_since } else { now } + limits.idle;
        Verdict::Stay(idle.min(self.born + limits.connection_age).min(self.stall_at(limits, pressed, now)))
    }

    /// The same for a connection that takes no further request: until then it has time to finish.
    pub(crate) fn last_verdict(
        &self,
        limits: &ServerLimits,
        pressed: bool,
        now: Instant,
        until: Instant,
    ) -> Verdict {
        match self.stalled(limits, pressed, now) {
            Some(cut) => cut,
            None if now >= until => Verdict::Cut("a request under way outlasted its connection's age"),
            None => Verdict::Stay(until.min(self.stall_at(limits, pressed, now))),
        }
    }

    fn stalled(&self, limits: &ServerLimits, pressed: bool, now: Instant) -> Option<Verdict> {
        let stalled = self.owed_since.is_some() && now >= self.stall_at(limits, pressed, now);
        stalled.then_some(Verdict::Cut("the peer takes its answers too slowly"))
    }

    fn stall_at(&self, limits: &ServerLimits, pressed: bool, now: Instant) -> Instant {
        let Some(owed_since) = self.owed_since else { return now + limits.answer_stall };
        let stall = self.progress + limits.answer_stall;
        if pressed { stall.min(owed_since + PRESSED_ANSWER_MAX) } else { stall }
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
        let activity = Activity::new(Instant::now(), Arc::default());
        let first = activity.piece_begins();
        let begun = activity.traffic().progress;
        for _ in 0..99 {
            activity.piece_progresses(1, 100);
        }
        let second = activity.piece_begins();
        activity.piece_ends(second);
        assert_eq!((activity.traffic().progress, activity.traffic().owed_since), (begun, Some(begun)));
        activity.piece_progresses(1, 100);
        let traffic = activity.traffic();
        assert!(traffic.progress > begun && traffic.sent == 0);
        // What begins when nothing is owed has its time from then on.
        activity.piece_progresses(50, 100);
        activity.piece_ends(first);
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
            let owed_since = (owed > 0).then_some(born);
            let traffic = Traffic { born, under_way, quiet_since, owed_since, progress, sent: 0 };
            assert_eq!(traffic.verdict(&limits, false, at(now)), expected, "{traffic:?} at {now}");
        }
        let leaving =
            Traffic { born, under_way: 1, quiet_since: born, owed_since: None, progress: born, sent: 0 };
        assert_eq!(leaving.last_verdict(&limits, false, at(100), at(103)), stay(103));
        assert!(matches!(leaving.last_verdict(&limits, false, at(103), at(103)), Verdict::Cut(_)));
        assert_eq!(
            Traffic { owed_since: Some(born), ..leaving }.last_verdict(&limits, false, at(100), at(103)),
            cut
        );
    }

    #[test]
    fn who_takes_an_answer_slowly_loses_it_while_others_wait_for_its_memory() {
        let limits = ServerLimits::default();
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let activity = Activity::new(begun, Arc::default());
        activity.piece_begins();
        // It makes progress, as a trickle does that is fast enough.
        let traffic = Traffic { progress: at(9), owed_since: Some(begun), ..activity.traffic() };
        let cut = Verdict::Cut("the peer takes its answers too slowly");
        for (pressed, now, expected) in
            [(false, 10, Verdict::Stay(at(39))), (true, 9, Verdict::Stay(at(10))), (true, 10, cut)]
        {
            assert_eq!(traffic.verdict(&limits, pressed, at(now)), expected, "{pressed} {now}");
            let last = traffic.last_verdict(&limits, pressed, at(now), at(100));
            assert_eq!(last, expected, "{pressed} {now}");
        }
    }
}
