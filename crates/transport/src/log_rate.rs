//! Log lines that peers cause: at most a fixed number of each kind in a second.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{Meter, Rate};

/// One kind of line. Clones count together.
#[derive(Debug, Clone)]
pub struct LogRate {
    what: &'static str,
    rate: Rate,
    state: Arc<Mutex<LineCount>>,
}

#[derive(Debug, Default)]
struct LineCount {
    meter: Meter,
    left_out: u64,
}

/// What becomes of a line.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Write,
    /// Left out; the first of its second, which has the count written in the end.
    LeaveOutAndReport,
    LeaveOut,
}

impl LogRate {
    /// A kind of line, and how many of it a second may have.
    pub fn new(what: &'static str, lines_per_second: u32) -> Self {
        Self { what, rate: Rate::per_second(lines_per_second), state: Arc::default() }
    }

    /// Writes the line, or counts it: a second later one line says how many were left out.
    pub fn line(&self, write: impl FnOnce()) {
        match self.decide(Instant::now()) {
            Verdict::Write => write(),
            Verdict::LeaveOut => {}
            Verdict::LeaveOutAndReport => self.report_soon(),
        }
    }

    fn decide(&self, now: Instant) -> Verdict {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.meter.take(self.rate, now) {
            Ok(()) => Verdict::Write,
            Err(_) => {
                state.left_out += 1;
                if state.left_out == 1 { Verdict::LeaveOutAndReport } else { Verdict::LeaveOut }
            }
        }
    }

    fn take_left_out(&self) -> u64 {
        std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).left_out)
    }

    fn report_soon(&self) {
        let all = self.clone();
        // Without a runtime the next line that is left out tries again.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            self.take_left_out();
            return;
        };
        runtime.spawn(async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            tracing::warn!(lines = all.take_left_out(), kind = all.what, "log lines were left out");
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_above_the_rate_are_left_out_and_counted() {
        let (log, start) = (LogRate::new("test", 2), Instant::now());
        for (ms, expected) in [
            (0, Verdict::Write),
            (0, Verdict::Write),
            (0, Verdict::LeaveOutAndReport),
            (1, Verdict::LeaveOut),
            (500, Verdict::Write),
            (500, Verdict::LeaveOut),
        ] {
            assert_eq!(log.decide(start + Duration::from_millis(ms)), expected, "at {ms} ms");
        }
        assert_eq!(log.take_left_out(), 3);
        assert_eq!(log.decide(start + Duration::from_millis(501)), Verdict::LeaveOutAndReport);
    }
}
