//! Fair shares: how much one principal may ask, whatever connections its requests come by.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{Meter, Rate};

/// At most this many principals are remembered; above it those who asked longest ago are forgotten.
const PRINCIPALS_MAX: usize = 10_000;
/// When to try again where too many requests are under way.
const AT_ONCE_RETRY: Duration = Duration::from_secs(1);

/// What one principal may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShareLimits {
    /// Requests of every kind in a minute.
    pub requests_per_minute: u32,
    /// Questions in a minute; they count as requests too.
    pub questions_per_minute: u32,
    /// Requests under way at one moment, until their answers are sent.
    pub requests_at_once: u32,
}

impl Default for ShareLimits {
    /// An analyst's job of some hundred questions, priced first, passes at once; after that five questions a second are more than
    /// a gateway counts. A program that asks without end gets no further than twenty free enquiries a second.
    fn default() -> Self {
        Self { requests_per_minute: 1_200, questions_per_minute: 300, requests_at_once: 16 }
    }
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// A price, a description or a stored answer.
    Request,
    /// A question, which may be counted and charged.
    Question,
    /// A request that has come before, or that cannot be admitted. Anyone who holds the signed bytes can send it, so it takes
    /// nothing of what its principal may ask. No work is done for it, but where it failed before.
    Replay,
}

/// Who has asked how much lately.
#[derive(Debug, Clone)]
pub struct Shares(Arc<Mutex<Book>>);

/// One request under way. Its place among its principal's is free when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Share {
    /// Only its end matters.
    _held: Arc<HeldShare>,
}

/// Whose account it is: a principal's own requests and copies of them are counted apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Asker {
    principal: String,
    replays: bool,
}

#[derive(Debug)]
struct HeldShare {
    asker: Asker,
    shares: Shares,
}

impl Shares {
    /// Nobody has asked yet.
    pub fn new(limits: ShareLimits) -> Self {
        Self(Arc::new(Mutex::new(Book::new(limits, PRINCIPALS_MAX))))
    }

    /// A principal's share for one request, or how long to wait for it. A request that has to wait counts for nothing.
    pub fn take(&self, principal: &str, demand: Demand, now: Instant) -> Result<Share, Duration> {
        let asker = Asker { principal: principal.to_owned(), replays: demand == Demand::Replay };
        self.lock().begin(&asker, demand, now)?;
        Ok(Share { _held: Arc::new(HeldShare { asker, shares: self.clone() }) })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for HeldShare {
    fn drop(&mut self) {
        self.shares.lock().end(&self.asker);
    }
}

/// The account of it: decides with the clock handed in.
#[derive(Debug)]
struct Book {
    limits: ShareLimits,
    principals_max: usize,
    principals: HashMap<Asker, Account>,
}

#[derive(Debug)]
struct Account {
    requests: Meter,
    questions: Meter,
    at_once: u32,
    last: Instant,
}

impl Book {
    fn new(limits: ShareLimits, principals_max: usize) -> Self {
        Self { limits, principals_max, principals: HashMap::new() }
    }

    fn begin(&mut self, asker: &Asker, demand: Demand, now: Instant) -> Result<(), Duration> {
        self.make_room(asker, now);
        let account = self.principals.entry(asker.clone()).or_insert_with(|| Account {
            requests: Meter::default(),
            questions: Meter::default(),
            at_once: 0,
            last: now,
        });
        account.last = now;
        if account.at_once >= self.limits.requests_at_once {
            return Err(AT_ONCE_RETRY);
        }
        let (requests, questions) = (
            Rate::per_minute(self.limits.requests_per_minute),
            Rate::per_minute(self.limits.questions_per_minute),
        );
        let wait = match demand {
            Demand::Request | Demand::Replay => account.requests.wait(requests, now),
            Demand::Question => {
                account.requests.wait(requests, now).max(account.questions.wait(questions, now))
            }
        };
        if let Some(wait) = wait {
            return Err(wait);
        }
        account.requests.take(requests, now)?;
        if demand == Demand::Question {
            account.questions.take(questions, now)?;
        }
        account.at_once += 1;
        Ok(())
    }

    fn end(&mut self, asker: &Asker) {
        if let Some(account) = self.principals.get_mut(asker) {
            account.at_once = account.at_once.saturating_sub(1);
        }
    }

    /// Forgets those of whom nothing is to be remembered, and if that is not enough the one who asked longest ago.
    fn make_room(&mut self, newcomer: &Asker, now: Instant) {
        if self.principals.len() < self.principals_max || self.principals.contains_key(newcomer) {
            return;
        }
        self.principals.retain(|_, account| account.at_once > 0 || !account.requests.is_full(now));
        if self.principals.len() >= self.principals_max {
            let oldest = self.principals.iter().min_by_key(|(_, account)| account.last);
            if let Some(oldest) = oldest.map(|(principal, _)| principal.clone()) {
                self.principals.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: ShareLimits =
        ShareLimits { requests_per_minute: 6, questions_per_minute: 2, requests_at_once: 100 };

    fn asker(principal: &str, demand: Demand) -> Asker {
        Asker { principal: principal.to_owned(), replays: demand == Demand::Replay }
    }

    fn second(start: Instant, at: u64) -> Instant {
        start + Duration::from_secs(at)
    }

    #[test]
    fn questions_and_requests_are_counted_for_each_principal() {
        let (mut book, start) = (Book::new(LIMITS, 10), Instant::now());
        for (at, principal, demand, wait) in [
            (0, "awa", Demand::Question, 0),
            (0, "awa", Demand::Question, 0),
            (0, "awa", Demand::Question, 30),
            // A price is no question.
            (0, "awa", Demand::Request, 0),
            (0, "awa", Demand::Request, 0),
            (0, "awa", Demand::Request, 0),
            (0, "awa", Demand::Request, 0),
            (0, "awa", Demand::Request, 10),
            // Both are used up: the longer wait is reported.
            (0, "awa", Demand::Question, 30),
            // Copies are counted apart, and bounded too.
            (0, "awa", Demand::Replay, 0),
            (0, "awa", Demand::Replay, 0),
            (0, "awa", Demand::Replay, 0),
            (0, "awa", Demand::Replay, 0),
            (0, "awa", Demand::Replay, 0),
            (0, "awa", Demand::Replay, 0),
            (0, "awa", Demand::Replay, 10),
            // Others are not concerned.
            (0, "kofi", Demand::Question, 0),
            (10, "awa", Demand::Request, 0),
            (30, "awa", Demand::Question, 0),
            (30, "awa", Demand::Question, 30),
        ] {
            let expected = if wait == 0 { Ok(()) } else { Err(Duration::from_secs(wait)) };
            assert_eq!(
                book.begin(&asker(principal, demand), demand, second(start, at)),
                expected,
                "{at} {principal} {demand:?}"
            );
        }
    }

    #[test]
    fn requests_under_way_are_bounded_until_their_last_clone_is_dropped() {
        let shares = Shares::new(ShareLimits { requests_at_once: 2, ..ShareLimits::default() });
        let now = Instant::now();
        let take = || shares.take("awa", Demand::Request, now);
        let (first, second) = (take().unwrap(), take().unwrap());
        assert_eq!(take().err(), Some(AT_ONCE_RETRY));
        let clone = first.clone();
        drop(first);
        assert_eq!(take().err(), Some(AT_ONCE_RETRY));
        drop(clone);
        let third = take().unwrap();
        assert!(shares.take("kofi", Demand::Request, now).is_ok());
        assert!(shares.take("awa", Demand::Replay, now).is_ok(), "a copy takes no place of its principal's");
        drop((second, third));
        assert!(take().is_ok());
    }

    #[test]
    fn no_more_principals_are_remembered_than_there_is_room_for() {
        let (mut book, start) = (Book::new(LIMITS, 3), Instant::now());
        for (at, principal) in [(0, "a"), (1, "b"), (2, "c"), (3, "b"), (4, "d")] {
            let asker = asker(principal, Demand::Request);
            book.begin(&asker, Demand::Request, second(start, at)).unwrap();
            book.end(&asker);
        }
        let mut left: Vec<&str> = book.principals.keys().map(|asker| asker.principal.as_str()).collect();
        left.sort_unstable();
        assert_eq!(left, ["b", "c", "d"], "the one who asked longest ago is forgotten");
        // A minute later all are as good as new, and make room at once.
        book.begin(&asker("e", Demand::Request), Demand::Request, second(start, 120)).unwrap();
        assert_eq!(book.principals.len(), 1);
    }
}
