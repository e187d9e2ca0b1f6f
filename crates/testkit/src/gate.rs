//! A source that waits or fails when a test says so, and counts how often its rows were read.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use lango_privacy::{Counted, Dataset, Exact, Plan};
use lango_source::{
    Bounding, Examination, FetchError, PreparedRows, ReachedTable, Secret, Session, Source, SourceError,
    Survey, TableDescription,
};
use lango_trace::TraceContext;
use tokio::sync::watch;

/// What a source does with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Answers it.
    Open,
    /// Keeps it waiting until the mode changes.
    Shut,
    /// Fails it.
    Fail {
        /// Whether it says that rows were read.
        rows_were_read: bool,
    },
}

/// The test's end of a source. Clones are of the same source.
#[derive(Debug, Clone)]
pub struct Gate {
    mode: Arc<watch::Sender<Mode>>,
    waiting: Arc<watch::Sender<usize>>,
    fetches: Arc<AtomicUsize>,
}

impl Default for Gate {
    fn default() -> Self {
        let (mode, waiting) = (watch::Sender::new(Mode::Open), watch::Sender::new(0));
        Self { mode: Arc::new(mode), waiting: Arc::new(waiting), fetches: Arc::default() }
    }
}

impl Gate {
    /// From now on.
    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// How often rows were read.
    pub fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// Returns once a question has come to the source while it was shut.
    pub async fn reached(&self) {
        self.waiting.subscribe().wait_for(|waiting| *waiting > 0).await.unwrap();
    }

    /// The source behind the gate.
    pub fn guard(&self, source: Box<dyn Source>) -> Arc<dyn Source> {
        Arc::new(Gated { source, gate: self.clone() })
    }
}

struct Gated {
    source: Box<dyn Source>,
    gate: Gate,
}

#[async_trait]
impl Source for Gated {
    async fn check(&self, dataset: &Dataset) -> Result<(), SourceError> {
        self.source.check(dataset).await
    }

    async fn identify(&self, table: &str) -> Result<ReachedTable, SourceError> {
        self.source.identify(table).await
    }

    async fn open(&self) -> Result<Box<dyn Session>, SourceError> {
        Ok(Box::new(GatedSession { session: self.source.open().await?, gate: self.gate.clone() }))
    }

    async fn bounding(&self, dataset: &Dataset, secret: &Secret) -> Result<Bounding, SourceError> {
        self.source.bounding(dataset, secret).await
    }

    async fn prepare(&self, dataset: &Dataset, secret: &Secret) -> Result<PreparedRows, SourceError> {
        self.source.prepare(dataset, secret).await
    }

    async fn data(&self, table: &str) -> Result<Option<String>, SourceError> {
        self.source.data(table).await
    }

    async fn describe(&self) -> Result<Vec<TableDescription>, SourceError> {
        self.source.describe().await
    }

    async fn survey(&self, dataset: &Dataset) -> Result<Survey, SourceError> {
        self.source.survey(dataset).await
    }

    async fn alike(&self, dataset: &Dataset) -> Result<Option<u64>, SourceError> {
        self.source.alike(dataset).await
    }

    fn filters_rows(&self) -> bool {
        self.source.filters_rows()
    }

    async fn examine(&self, tables: &[&str]) -> Result<Examination, SourceError> {
        self.source.examine(tables).await
    }
}

struct GatedSession {
    session: Box<dyn Session>,
    gate: Gate,
}

#[async_trait]
impl Session for GatedSession {
    fn carry(&mut self, trace: TraceContext) {
        self.session.carry(trace);
    }

    async fn fetch(self: Box<Self>, plan: Plan, secret: Secret) -> Result<Exact<Vec<Counted>>, FetchError> {
        self.gate.waiting.send_modify(|waiting| *waiting += 1);
        let mode = *self.gate.mode.subscribe().wait_for(|mode| *mode != Mode::Shut).await.unwrap();
        self.gate.waiting.send_modify(|waiting| *waiting -= 1);
        if let Mode::Fail { rows_were_read } = mode {
            return Err(FetchError { rows_were_read });
        }
        self.gate.fetches.fetch_add(1, Ordering::SeqCst);
        self.session.fetch(plan, secret).await
    }
}
