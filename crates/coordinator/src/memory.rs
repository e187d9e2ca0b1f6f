//! What questions take of a coordinator's memory together: answers from when they have come until they are passed on, and tables.
//!
//! INVARIANT (a hostile member costs 64 MB at most): an answer is read of one member at a time, is opened only where its memory
//! is free, as much as it can come to, and is added up only as far as the tables' memory goes. A refusal comes in headers, of
//! which a call has [`ANSWER_HEADER_BYTES_MAX`](lango_transport::ANSWER_HEADER_BYTES_MAX) at most, 28 calls of one member
//! 3.5 MB; a call has its place until there is memory for its refusal.

use std::sync::Arc;

use lango_transport::{CutShort, Most, Pressure, Room, Rooms, aside};
use lango_wire::{
    OnWire, pb,
    sealed::{SealedDescription, SealedPrice, SealedRelease},
};
use tokio::sync::Semaphore;
use tonic::Status;

/// What all large answers hold together that have come and are not passed on.
const ANSWERS_BYTES: usize = 24 << 20;
/// What those of one analyst's questions hold; a larger one is alone.
const ANSWERS_BYTES_EACH: usize = ANSWERS_BYTES / 2;
/// What one is reckoned with at most, so that it never waits for all others to be passed on.
const ANSWER_BYTES_MOST: usize = ANSWERS_BYTES / 3 * 2;
/// An answer that takes no more than this is small, and small ones have a budget of their own: they never wait for large ones.
const SMALL_BYTES: usize = 1 << 20;
/// What all small answers hold together.
const SMALL_ANSWERS_BYTES: usize = 8 * SMALL_BYTES;
/// What all answers hold together that wait to be added up.
const ADDED_BYTES: usize = 8 << 20;
/// What those of one analyst's questions hold.
const ADDED_BYTES_EACH: usize = ADDED_BYTES / 2;
/// What all questions hold together that members have not begun to answer, each as often as it is sent, and those of one analyst.
const QUESTIONS_BYTES: usize = 12 << 20;
const QUESTIONS_BYTES_EACH: usize = QUESTIONS_BYTES / 2;
/// The most cells of the tables of one question: 54 offices side by side with 740 cells each.
pub(crate) const TABLE_CELLS_MOST: usize = 40_000;
/// What a code of a layout takes once it is read.
const CODE_BYTES: usize = 56;
/// How many questions and answers are opened at one time.
const OPENED_MOST: usize = 2;

/// The budgets of one coordinator.
#[derive(Debug)]
pub(crate) struct Memory {
    answers: Arc<Rooms>,
    small: Arc<Rooms>,
    added: Arc<Rooms>,
    questions: Arc<Rooms>,
    opened: Arc<Semaphore>,
    tables: Arc<Semaphore>,
    pressure: Pressure,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            answers: Rooms::new(ANSWERS_BYTES, Most::Always(ANSWERS_BYTES_EACH)),
            small: Rooms::new(SMALL_ANSWERS_BYTES, Most::Always(SMALL_ANSWERS_BYTES / 2)),
            added: Rooms::new(ADDED_BYTES, Most::Always(ADDED_BYTES_EACH)),
            questions: Rooms::new(QUESTIONS_BYTES, Most::Always(QUESTIONS_BYTES_EACH)),
            opened: Arc::new(Semaphore::new(OPENED_MOST)),
            tables: Arc::new(Semaphore::new(1)),
            pressure: Pressure::default(),
        }
    }
}

impl Memory {
    /// Waits for the memory of an answer to a question of this analyst.
    pub(crate) async fn answer(&self, analyst: &str, size: AnswerSize) -> Room {
        let budget = if size.opened <= SMALL_BYTES { &self.small } else { &self.answers };
        self.pressure.room(budget, analyst, size.opened.min(ANSWER_BYTES_MOST)).await
    }

    /// Waits for the memory that a question takes while it is sent to one member: as it is handed on, and as it is encoded.
    pub(crate) async fn question(&self, analyst: &str, envelope: &pb::Envelope) -> Room {
        self.questions.room(analyst, 2 * envelope.wire_bytes()).await
    }

    /// Where it shows that somebody waits for memory of answers.
    pub(crate) fn pressure(&self) -> &Pressure {
        &self.pressure
    }

    /// The memory of an answer that waits to be added up, if there is some.
    pub(crate) fn added(&self, analyst: &str, size: AnswerSize) -> Option<Room> {
        self.added.room_now(analyst, size.opened)
    }

    /// Opens what may take long, on a thread that serves nobody, few at a time.
    pub(crate) async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CutShort> {
        run(&self.opened, work).await
    }

    /// Makes tables, those of one question at a time.
    pub(crate) async fn tables<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CutShort> {
        run(&self.tables, work).await
    }
}

async fn run<T: Send + 'static>(
    turns: &Arc<Semaphore>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CutShort> {
    let turn = Arc::clone(turns).acquire_owned().await.map_err(|_| CutShort)?;
    aside(turn, work).await
}

/// What an answer takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AnswerSize {
    /// As it came, to be passed on.
    pub sealed: usize,
    /// Beside that as it is read: codes and integers.
    pub opened: usize,
}

impl AnswerSize {
    /// Of a call that failed: the details as they came, as they are cut into parts, and as the envelope among them is read.
    pub(crate) fn refused(status: &Status) -> Self {
        let sealed = status.details().len() + status.message().len();
        Self { sealed, opened: 3 * sealed }
    }

    fn of(texts: usize, layouts: usize, integers: usize) -> Self {
        let sealed = texts + layouts + integers;
        // Every code has a comma or a line's end after it, and every integer a byte at least.
        let opened = sealed + layouts / 2 * CODE_BYTES + integers * size_of::<i64>();
        Self { sealed, opened }
    }
}

impl From<&SealedRelease> for AnswerSize {
    fn from(release: &SealedRelease) -> Self {
        let SealedRelease { envelope, plan, layout, cells, earlier, .. } = release;
        Self::of(envelope.len() + plan.len(), layout.len() + earlier.len(), cells.len() + earlier.len())
    }
}

impl From<&SealedPrice> for AnswerSize {
    fn from(price: &SealedPrice) -> Self {
        let SealedPrice { envelope, plan, layout, .. } = price;
        Self::of(envelope.len() + plan.len(), layout.len(), 0)
    }
}

impl From<&SealedDescription> for AnswerSize {
    fn from(description: &SealedDescription) -> Self {
        // Its datasets are not read here.
        Self::of(description.envelope.len() + description.datasets.len(), 0, 0)
    }
}
