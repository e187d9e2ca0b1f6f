//! How much of the machine questions take together: memory in shares of two budgets, and planning aside from the threads that
//! serve.

use std::sync::Arc;

use lango_privacy::{Cost, MEMORY_MOST};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};

/// What all questions that are counted at one time hold together: one of the largest, or several smaller ones.
const COUNTED_BYTES: usize = MEMORY_MOST;
/// What all estimates that are made at one time hold together.
const ESTIMATED_BYTES: usize = 24 << 20;
/// What a permit stands for.
const PERMIT_BYTES: usize = 64 << 10;
/// How many questions are read or planned at one time.
const PLANNED_MOST: usize = 2;

/// What the machine is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Planning, counting and measuring.
    Answer,
    /// Planning alone.
    Estimate,
}

/// The budgets of one gateway.
#[derive(Debug)]
pub(crate) struct Capacity {
    counted: Arc<Semaphore>,
    estimated: Arc<Semaphore>,
    planned: Arc<Semaphore>,
}

/// A share of a budget; it is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Share(#[expect(dead_code, reason = "held, never read")] OwnedSemaphorePermit);

/// The work was cut short: the gateway is stopping, or the work panicked.
#[derive(Debug, thiserror::Error)]
#[error("the work was cut short")]
pub(crate) struct CutShort;

impl Default for Capacity {
    fn default() -> Self {
        let budget = |bytes: usize| Arc::new(Semaphore::new(bytes / PERMIT_BYTES));
        Self {
            counted: budget(COUNTED_BYTES),
            estimated: budget(ESTIMATED_BYTES),
            planned: Arc::new(Semaphore::new(PLANNED_MOST)),
        }
    }
}

impl Capacity {
    /// Waits until the memory of a question is free, first come first served. `more` is what it takes beside its own cost.
    pub(crate) async fn share(&self, work: Work, cost: &Cost, more: usize) -> Result<Share, CutShort> {
        let (budget, whole, bytes) = match work {
            Work::Answer => (&self.counted, COUNTED_BYTES, cost.memory_bytes),
            Work::Estimate => (&self.estimated, ESTIMATED_BYTES, cost.plan_bytes),
        };
        // The largest question takes the whole budget and no more, or it would wait for ever.
        let permits = bytes.saturating_add(more).min(whole) / PERMIT_BYTES;
        let permits = u32::try_from(permits.max(1)).unwrap_or(u32::MAX);
        let permit = Arc::clone(budget).acquire_many_owned(permits).await;
        permit.map(Share).map_err(|_| CutShort)
    }

    /// Does arithmetic that may take long on a thread that serves nobody, few at a time.
    pub(crate) async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CutShort> {
        let permit = Arc::clone(&self.planned).acquire_owned().await.map_err(|_| CutShort)?;
        let done = spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        done.await.map_err(|_| CutShort)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn cost(memory_bytes: usize, plan_bytes: usize) -> Cost {
        Cost { memory_bytes, plan_bytes, ..Cost::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn questions_wait_for_their_share_and_estimates_for_theirs() {
        let capacity = Capacity::default();
        let waits = async |work, cost: Cost| {
            timeout(Duration::from_secs(60), capacity.share(work, &cost, 0)).await.is_err()
        };
        let half = cost(MEMORY_MOST / 2, 1 << 20);
        let first = capacity.share(Work::Answer, &half, 0).await.unwrap();
        let second = capacity.share(Work::Answer, &half, 0).await.unwrap();
        assert!(waits(Work::Answer, cost(1, 1)).await, "the budget is used up");
        assert!(!waits(Work::Estimate, half).await, "estimates have a budget of their own");
        drop(first);
        assert!(!waits(Work::Answer, half).await);
        assert!(waits(Work::Answer, cost(MEMORY_MOST, 0)).await);
        drop(second);
        for work in [Work::Answer, Work::Estimate] {
            assert!(!waits(work, cost(usize::MAX, usize::MAX)).await, "more than there is takes all of it");
        }
    }

    #[tokio::test]
    async fn what_is_planned_aside_keeps_nobody_from_being_served() {
        let capacity = Arc::new(Capacity::default());
        let (done, wait) = std::sync::mpsc::channel::<()>();
        let wait = Arc::new(std::sync::Mutex::new(wait));
        let planning: Vec<_> = (0..4)
            .map(|_| {
                let (capacity, wait) = (Arc::clone(&capacity), Arc::clone(&wait));
                tokio::spawn(async move { capacity.aside(move || wait.lock().unwrap().recv().is_ok()).await })
            })
            .collect();
        // This runtime has one thread, and serves on it while four plans are made.
        timeout(Duration::from_secs(10), tokio::time::sleep(Duration::from_millis(20))).await.unwrap();
        assert!(planning.iter().all(|planning| !planning.is_finished()));
        for _ in 0..4 {
            done.send(()).unwrap();
        }
        for planning in planning {
            assert!(planning.await.unwrap().unwrap());
        }
        assert!(capacity.aside(|| panic!("a bug")).await.is_err(), "a panic is the work's own");
    }
}
