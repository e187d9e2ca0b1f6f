//! A clock that stands still until it is moved.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use lango_gateway::{Clock, system_clock};

/// Stands still until it is moved; clones show the same time.
#[derive(Debug, Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    /// Stands at the machine's time: TLS reads the machine's clock, and both must agree about certificates.
    pub fn now() -> Self {
        Self(Arc::new(AtomicI64::new(system_clock()())))
    }

    /// Unix seconds.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Moves it.
    pub fn set(&self, unix: i64) {
        self.0.store(unix, Ordering::SeqCst);
    }

    /// Moves it on by `seconds`.
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    /// As a gateway takes it.
    pub fn clock(&self) -> Clock {
        let this = self.clone();
        Arc::new(move || this.get())
    }
}
