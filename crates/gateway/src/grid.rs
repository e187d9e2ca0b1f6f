//! When an answer leaves: at once, or on a time grid, so that the time of leaving tells in which step of the grid the answer
//! was ready, and nothing finer.

use std::{
    collections::HashSet,
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use crate::{Gateway, authenticate::Request};

type ReleaseId = [u8; 16];

/// When a request came, and on which grid its answer leaves: on none until it is authorised, for until then nothing has
/// depended on data.
#[derive(Debug)]
pub(crate) struct Pace {
    came: Instant,
    step: OnceLock<Duration>,
    made: OnceLock<ReleaseId>,
}

impl Pace {
    /// Of a request that comes now.
    pub(crate) fn begin() -> Self {
        Self { came: Instant::now(), step: OnceLock::new(), made: OnceLock::new() }
    }

    /// From here on the answer leaves on the grid of its dataset, if that has one.
    pub(crate) fn authorised(&self, step: Option<&Duration>) {
        if let Some(step) = step {
            // A request speaks of one dataset.
            let _ = self.step.set(*step);
        }
    }

    /// Waits for the next step of the grid, and tells how many have passed; `None` where there is no grid.
    async fn wait(&self) -> Option<u128> {
        let step = self.step.get()?.as_nanos().max(1);
        let steps = self.came.elapsed().as_nanos().div_ceil(step).max(1);
        let wait = u64::try_from(step.saturating_mul(steps)).unwrap_or(u64::MAX);
        sleep_until(self.came + Duration::from_nanos(wait)).await;
        Some(steps)
    }
}

/// Releases that are stored and have not left yet. Until they leave, no other answer may show that they are there: whoever
/// asks for prices meanwhile would learn when each was ready.
#[derive(Debug, Default)]
pub(crate) struct Held(Mutex<HashSet<ReleaseId>>);

impl Held {
    /// Whether a release has not left yet.
    pub(crate) fn contains(&self, release_id: &ReleaseId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(release_id)
    }
}

impl Gateway {
    /// Holds back a release that is about to be stored, where its answer leaves on a grid.
    pub(crate) fn hold<T>(&self, request: &Request<T>, release_id: ReleaseId) {
        if request.pace.step.get().is_some() && request.pace.made.set(release_id).is_ok() {
            self.held.0.lock().unwrap_or_else(PoisonError::into_inner).insert(release_id);
        }
    }

    /// Waits until the answer to a request may leave.
    pub(crate) async fn pace<T>(&self, request: &Request<T>) {
        let steps = request.pace.wait().await;
        if let Some(release_id) = request.pace.made.get() {
            self.held.0.lock().unwrap_or_else(PoisonError::into_inner).remove(release_id);
        }
        if let Some(steps @ 2..) = steps {
            let request = hex::encode(request.digest);
            tracing::warn!(
                request,
                steps,
                "an answer took longer than a step of its grid: raise `answer_grid_ms`"
            );
        }
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
