//! When the answer to a request leaves: at once, or at the next step of its dataset's time grid.

use std::{sync::OnceLock, time::Duration};

use tokio::time::{Instant, sleep_until};

/// When a request came, and on which grid its answer leaves: on none until it is authorised, for until then nothing has
/// depended on data.
#[derive(Debug)]
pub(crate) struct Pace {
    came: Instant,
    step: OnceLock<Duration>,
}

impl Pace {
    /// Of a request that comes now.
    pub(crate) fn begin() -> Self {
        Self { came: Instant::now(), step: OnceLock::new() }
    }

    /// From here on the answer leaves on the grid of its dataset, if that has one.
    pub(crate) fn authorised(&self, step: Option<&Duration>) {
        if let Some(step) = step {
            // A request speaks of one dataset.
            let _ = self.step.set(*step);
        }
    }

    /// Whether the answer leaves on a grid.
    pub(crate) fn is_on_grid(&self) -> bool {
        self.step.get().is_some()
    }

    /// How long ago the request came, in microseconds.
    pub(crate) fn elapsed_us(&self) -> u64 {
        u64::try_from(self.came.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Waits for the next step of the grid, and returns how many have passed; `None` where there is no grid.
    pub(crate) async fn wait(&self) -> Option<u128> {
        let step = self.step.get()?.as_nanos().max(1);
        let steps = self.came.elapsed().as_nanos().div_ceil(step).max(1);
        let wait = u64::try_from(step.saturating_mul(steps)).unwrap_or(u64::MAX);
        sleep_until(self.came + Duration::from_nanos(wait)).await;
        Some(steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_leaves_at_the_next_step_after_its_arrival() {
        for (step_ms, work_ms, leaves_ms, steps) in [
            (None, 0, 0, None),
            (None, 170, 170, None),
            (Some(100), 0, 100, Some(1)),
            (Some(100), 1, 100, Some(1)),
            (Some(100), 99, 100, Some(1)),
            (Some(100), 100, 100, Some(1)),
            (Some(100), 101, 200, Some(2)),
            (Some(100), 1_999, 2_000, Some(20)),
            (Some(600_000), 7, 600_000, Some(1)),
        ] {
            let (began, pace) = (Instant::now(), Pace::begin());
            // It is counted from the arrival, not from the authorisation.
            tokio::time::advance(Duration::from_millis(work_ms)).await;
            pace.authorised(step_ms.map(Duration::from_millis).as_ref());
            assert_eq!(pace.wait().await, steps, "{work_ms} ms on {step_ms:?}");
            assert_eq!(began.elapsed(), Duration::from_millis(leaves_ms), "{work_ms} ms on {step_ms:?}");
        }
    }
}
