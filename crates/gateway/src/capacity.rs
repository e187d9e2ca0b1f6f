//! How much of the machine requests take together: memory in shares of budgets, and planning aside from the threads that serve.
//! Principals take turns, so that none waits for all that another one asks.

use std::sync::Arc;

use lango_identity::SpiffeId;
use lango_privacy::{Cost, MEMORY_MOST};
use lango_transport::{CutShort, Most, Pressure, Room, Rooms, aside};
use lango_wire::limits::ANSWER_BYTES_MAX;

/// What all questions that are counted at one time hold together: one of the largest, or several smaller ones.
const COUNTED_BYTES: usize = MEMORY_MOST;
/// A question that takes no more than this is small, and small ones have a budget of their own: they never wait for large ones.
const SMALL_BYTES: usize = 10 << 20;
/// What all small questions that are counted at one time hold together.
const SMALL_COUNTED_BYTES: usize = 2 * SMALL_BYTES;
/// What all estimates that are made at one time hold together.
const ESTIMATED_BYTES: usize = 24 << 20;
/// What all answers that have been made and not been taken yet hold together.
const ANSWERED_BYTES: usize = 24 << 20;
/// What those of one principal hold.
const ANSWERED_BYTES_EACH: usize = 8 << 20;
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
    counted: Arc<Rooms>,
    small: Arc<Rooms>,
    estimated: Arc<Rooms>,
    answered: Arc<Rooms>,
    planned: Arc<Rooms>,
    pressure: Pressure,
}

impl Default for Capacity {
    fn default() -> Self {
        let shared = |whole: usize, each: usize| Rooms::new(whole, Most::WhileOthersWait(each));
        Self {
            counted: shared(COUNTED_BYTES, COUNTED_BYTES / 2),
            small: shared(SMALL_COUNTED_BYTES, SMALL_COUNTED_BYTES / 2),
            estimated: shared(ESTIMATED_BYTES, ESTIMATED_BYTES / 2),
            answered: Rooms::new(ANSWERED_BYTES, Most::Always(ANSWERED_BYTES_EACH)),
            planned: shared(PLANNED_MOST, 1),
            pressure: Pressure::default(),
        }
    }
}

impl Capacity {
    /// Waits until the memory of a question is free. `more` is what it takes beside its own cost.
    pub(crate) async fn room(&self, whose: &SpiffeId, work: Work, cost: &Cost, more: usize) -> Room {
        let (budget, bytes) = match work {
            Work::Answer if cost.memory_bytes.saturating_add(more) <= SMALL_BYTES => {
                (&self.small, cost.memory_bytes)
            }
            Work::Answer => (&self.counted, cost.memory_bytes),
            Work::Estimate => (&self.estimated, cost.plan_bytes),
        };
        budget.room(&whose.to_string(), bytes.saturating_add(more)).await
    }

    /// Waits until there is memory for an answer of any size, to be shrunk to what is known of that, and held until it has left.
    pub(crate) async fn answer_room(&self, whose: &str) -> Room {
        self.pressure.room(&self.answered, whose, ANSWER_BYTES_MAX).await
    }

    /// Where it shows that somebody waits for that.
    pub(crate) fn pressure(&self) -> &Pressure {
        &self.pressure
    }

    /// The same where it is there now.
    pub(crate) fn answer_room_now(&self, whose: &str) -> Option<Room> {
        self.answered.room_now(whose, ANSWER_BYTES_MAX)
    }

    /// Does arithmetic that may take long on a thread that serves nobody, few at a time.
    pub(crate) async fn aside<T: Send + 'static>(
        &self,
        whose: &SpiffeId,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CutShort> {
        aside(self.planned.room(&whose.to_string(), 1).await, work).await
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

    fn analyst(name: &str) -> SpiffeId {
        format!("spiffe://lango.example/analyst/{name}").parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn questions_wait_for_their_room_small_ones_and_estimates_for_theirs() {
        let (capacity, awa) = (Capacity::default(), analyst("awa"));
        let waits = async |work, cost: Cost| {
            timeout(Duration::from_secs(60), capacity.room(&awa, work, &cost, 0)).await.is_err()
        };
        let half = cost(MEMORY_MOST / 2, 1 << 20);
        let first = capacity.room(&awa, Work::Answer, &half, 0).await;
        let second = capacity.room(&awa, Work::Answer, &half, 0).await;
        assert!(waits(Work::Answer, cost(SMALL_BYTES + 1, 1)).await, "the budget is used up");
        assert!(
            !waits(Work::Answer, cost(SMALL_BYTES, 1)).await,
            "small questions have a budget of their own"
        );
        assert!(!waits(Work::Estimate, half).await, "estimates have a budget of their own");
        drop(first);
        assert!(!waits(Work::Answer, half).await, "who gave up waiting holds nothing up");
        assert!(waits(Work::Answer, cost(MEMORY_MOST, 0)).await);
        drop(second);
        for work in [Work::Answer, Work::Estimate] {
            assert!(!waits(work, cost(usize::MAX, usize::MAX)).await, "more than there is takes all of it");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn many_heavy_questions_of_one_principal_keep_another_from_one_turn_at_most() {
        let (capacity, awa, kofi) = (Arc::new(Capacity::default()), analyst("awa"), analyst("kofi"));
        let heavy = cost(MEMORY_MOST, 0);
        let ask = |whose: &SpiffeId,
                   name: &'static str,
                   done: &tokio::sync::mpsc::UnboundedSender<&'static str>| {
            let (capacity, whose, done) = (Arc::clone(&capacity), whose.clone(), done.clone());
            tokio::spawn(async move {
                let _room = capacity.room(&whose, Work::Answer, &heavy, 0).await;
                tokio::time::sleep(Duration::from_secs(2)).await;
                done.send(name).unwrap();
            })
        };
        let (done, mut ended) = tokio::sync::mpsc::unbounded_channel();
        for _ in 0..16 {
            ask(&awa, "awa", &done);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        ask(&kofi, "kofi", &done);
        let order = [ended.recv().await, ended.recv().await, ended.recv().await].map(Option::unwrap);
        assert!(order[..2].contains(&"awa") && order.contains(&"kofi"), "{order:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_a_principal_does_not_take_leave_room_for_others() {
        let (capacity, awa, kofi) = (Capacity::default(), "awa", "kofi");
        let mut untaken = Vec::new();
        while let Ok(mut room) = timeout(Duration::from_secs(1), capacity.answer_room(awa)).await {
            room.shrink(2 << 20);
            untaken.push(room);
        }
        assert_eq!(untaken.len(), 3, "a new one must fit whole beside those that wait");
        assert!(capacity.answer_room_now(awa).is_none());
        let (waiting, now) = (capacity.answer_room(awa), async {
            // Who waits for what it holds itself keeps nobody from what is there.
            tokio::task::yield_now().await;
            let mut other = capacity.answer_room_now(kofi).unwrap();
            other.shrink(1);
            other
        });
        let other =
            tokio::select! { biased; _ = waiting => panic!("it holds its most"), other = now => other };
        untaken.pop();
        assert!(timeout(Duration::from_secs(1), capacity.answer_room(awa)).await.is_ok());
        drop(other);
    }

    #[tokio::test]
    async fn what_is_planned_aside_keeps_nobody_from_being_served() {
        let (capacity, awa) = (Arc::new(Capacity::default()), analyst("awa"));
        let (done, wait) = std::sync::mpsc::channel::<()>();
        let wait = Arc::new(std::sync::Mutex::new(wait));
        let planning: Vec<_> = (0..4)
            .map(|_| {
                let (capacity, wait, awa) = (Arc::clone(&capacity), Arc::clone(&wait), awa.clone());
                tokio::spawn(async move {
                    capacity.aside(&awa, move || wait.lock().unwrap().recv().is_ok()).await
                })
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
        assert!(capacity.aside(&awa, || panic!("a bug")).await.is_err(), "a panic is the work's own");
    }
}
