//! The memory that something takes at most, by the kernel's count. Tests of this program run one after another.

use std::fs;

use lango_testkit::memory_kb;
use tokio::sync::{Mutex, MutexGuard};

/// What a hostile peer may cost, in megabytes.
pub const MEGABYTES_MOST: u64 = 64;

static ALONE: Mutex<()> = Mutex::const_new(());

/// A test that measures memory, and nothing beside it.
pub struct Measured {
    before: u64,
    _alone: MutexGuard<'static, ()>,
}

impl Measured {
    /// Begins: the process is as large as it is now, or as it has been.
    pub async fn begin() -> Self {
        let alone = ALONE.lock().await;
        // Where the kernel lets the greatest size be forgotten, every test is measured from its own beginning.
        let forgotten = fs::write("/proc/self/clear_refs", "5").is_ok();
        let before = if forgotten { memory_kb("self", "VmRSS") } else { memory_kb("self", "VmHWM") };
        Self { before, _alone: alone }
    }

    /// Holds the growth against what a hostile peer may cost.
    pub fn check(&self, what: &str) {
        let grown = memory_kb("self", "VmHWM").saturating_sub(self.before) / 1024;
        assert!(grown <= MEGABYTES_MOST, "{what} cost {grown} MB");
    }
}
