//! The one connection that writes: what waits is written together, in one transaction.
//!
//! A commit waits for the disk, and under the lock that keeps charges from overspending no two commits wait at once. So
//! what has come while one transaction was under way goes into the next, each with its own decision and its own answer.
//!
//! The connection makes an SQLite store's checkpoints too: see `guard`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};

use crate::{
    DatabaseError, StoreError,
    engine::{Connection, Options, TIME_MAX, within},
    guard,
    location::harden,
};

/// The most writes in one transaction.
const TOGETHER_MOST: usize = 64;
/// The most that wait; those that come later wait to be let in.
const WAITING_MOST: usize = 256;
/// A checkpoint is made after this number of writes.
const CHECKPOINT_WRITES: usize = 256;
/// And when no write has come for this time.
const CHECKPOINT_IDLE: Duration = Duration::from_secs(1);

/// A change of the store.
#[async_trait]
pub(crate) trait Write: Send + Sync + 'static {
    /// The transaction's name, in the log and in errors.
    const NAME: &'static str;

    type Outcome: Send + 'static;

    /// Reads, decides, and writes last: an error that is not the database's leaves nothing written, for others share the
    /// transaction. May be called twice, the second time in a transaction that knows nothing of the first.
    async fn apply(&self, transaction: &mut Connection) -> Result<Self::Outcome, StoreError>;
}

/// Hands writes to the task that holds the connection. Clones are of the same one.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Message>,
    /// Transactions that failed.
    failed: Arc<AtomicU64>,
}

enum Message {
    Write(Box<dyn Job>),
    Close(oneshot::Sender<()>),
}

/// A write whose outcome is waited for.
#[async_trait]
trait Job: Send {
    /// The write's name.
    fn name(&self) -> &'static str;
    /// Fails where the transaction is spoiled.
    async fn attempt(&mut self, transaction: &mut Connection) -> Result<(), DatabaseError>;
    /// Returns the outcome, which is durable now.
    fn answer(self: Box<Self>);
    /// Returns that nothing is known to be written.
    fn fail(self: Box<Self>, error: &DatabaseError);
}

struct Waiting<W: Write> {
    write: W,
    outcome: Option<Result<W::Outcome, StoreError>>,
    reply: oneshot::Sender<Result<W::Outcome, StoreError>>,
}

#[async_trait]
impl<W: Write> Job for Waiting<W> {
    fn name(&self) -> &'static str {
        W::NAME
    }

    async fn attempt(&mut self, transaction: &mut Connection) -> Result<(), DatabaseError> {
        match self.write.apply(transaction).await {
            Err(StoreError::Database(error)) => Err(error),
            outcome => {
                self.outcome = Some(outcome);
                Ok(())
            }
        }
    }

    fn answer(self: Box<Self>) {
        // The caller may have gone; what is written stays written.
        let _ = self.reply.send(self.outcome.unwrap_or(Err(StoreError::Closed)));
    }

    fn fail(self: Box<Self>, error: &DatabaseError) {
        let error = StoreError::Transaction { transaction: W::NAME, error: error.clone() };
        let _ = self.reply.send(Err(error));
    }
}

/// How a transaction failed.
enum Trouble {
    /// It never began.
    NotBegun(DatabaseError),
    /// It was undone.
    Undone(DatabaseError),
    /// Its commit was sent, and nothing came back: it may stand or not.
    Unknown(DatabaseError),
}

impl Writer {
    /// Starts the task, with a connection that is ready.
    pub(crate) fn start(options: Options, connection: Connection) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING_MOST);
        let failed = Arc::<AtomicU64>::default();
        let task = Task { options, connection: Some(connection), written: 0, failed: Arc::clone(&failed) };
        tokio::spawn(task.run(waiting));
        Self { queue, failed }
    }

    /// How many transactions failed since the start.
    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Writes, and returns when it is durable.
    pub(crate) async fn write<W: Write>(&self, write: W) -> Result<W::Outcome, StoreError> {
        let (reply, outcome) = oneshot::channel();
        let job = Box::new(Waiting { write, outcome: None, reply });
        self.queue.send(Message::Write(job)).await.map_err(|_| StoreError::Closed)?;
        outcome.await.map_err(|_| StoreError::Closed)?
    }

    /// Waits for what is under way, and ends the connection.
    pub(crate) async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        if self.queue.send(Message::Close(reply)).await.is_ok() {
            // An error says that it is closed already.
            let _ = closed.await;
        }
    }
}

struct Task {
    options: Options,
    /// None after a failure: dropping a connection is how a transaction is undone whatever state it is in.
    connection: Option<Connection>,
    /// Writes since the last checkpoint.
    written: usize,
    /// Transactions that failed.
    failed: Arc<AtomicU64>,
}

impl Task {
    async fn run(mut self, mut waiting: mpsc::Receiver<Message>) {
        let mut messages = Vec::with_capacity(TOGETHER_MOST);
        loop {
            let received = waiting.recv_many(&mut messages, TOGETHER_MOST);
            let received = match self.written {
                0 => Ok(received.await),
                _ => tokio::time::timeout(CHECKPOINT_IDLE, received).await,
            };
            if received == Ok(0) {
                return self.close().await;
            }
            let mut jobs = Vec::with_capacity(messages.len());
            let mut close = None;
            for message in messages.drain(..) {
                match message {
                    Message::Write(job) => jobs.push(job),
                    Message::Close(reply) => close = Some(reply),
                }
            }
            self.written += jobs.len();
            self.write(jobs).await;
            if let Some(reply) = close {
                self.close().await;
                let _ = reply.send(());
                return;
            }
            if received.is_err() || self.written >= CHECKPOINT_WRITES {
                self.checkpoint().await;
            }
        }
    }

    async fn close(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let closing = async {
            guard::confirm(&mut connection).await?;
            connection.close().await
        };
        if let Err(error) = within(Duration::from_secs(5), closing).await {
            tracing::debug!(%error, "the store's connection did not end in good order");
        }
    }

    /// Brings what has been written into the main file of an SQLite store.
    async fn checkpoint(&mut self) {
        self.written = 0;
        let Some(connection) = &mut self.connection else { return };
        if let Err(error) = within(TIME_MAX, guard::checkpoint(connection)).await {
            tracing::warn!(%error, "the store's checkpoint failed; the log beside it holds the charges");
            self.connection = None;
        }
    }

    /// All in one transaction; where one of them spoils it, each in its own.
    async fn write(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        if jobs.is_empty() {
            return;
        }
        match self.transact(&mut jobs).await {
            Ok(()) => jobs.into_iter().for_each(Job::answer),
            Err(Trouble::Undone(error)) if error.is_of_a_statement() && jobs.len() > 1 => {
                let mut gone: Option<DatabaseError> = None;
                for job in jobs {
                    // Where the database does not answer, nobody waits for each of the others to find that out.
                    if let Some(error) = &gone {
                        job.fail(error);
                        continue;
                    }
                    let mut alone = [job];
                    let done = self.transact(&mut alone).await;
                    let [job] = alone;
                    match done {
                        Ok(()) => job.answer(),
                        Err(trouble) => {
                            job.fail(trouble.error());
                            gone = Some(trouble.error().clone()).filter(|error| !error.is_of_a_statement());
                        }
                    }
                }
            }
            Err(trouble) => jobs.into_iter().for_each(|job| job.fail(trouble.error())),
        }
    }

    /// One transaction. It holds the write lock from its start, so that what it reads cannot change before it writes.
    async fn transact(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), Trouble> {
        let done = self.attempt(jobs).await;
        if done.is_err() {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
        done
    }

    async fn attempt(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), Trouble> {
        if tracing::enabled!(tracing::Level::TRACE) {
            let names: Vec<&str> = jobs.iter().map(|job| job.name()).collect();
            tracing::trace!(writes = names.join(" "), "transaction");
        }
        let mut transaction = self.begin().await.map_err(Trouble::NotBegun)?;
        let writing = async {
            for job in jobs {
                job.attempt(&mut transaction).await?;
            }
            Ok(())
        };
        within(TIME_MAX, writing).await.map_err(Trouble::Undone)?;
        within(TIME_MAX, transaction.raw("COMMIT")).await.map_err(Trouble::Unknown)?;
        self.connection = Some(transaction);
        Ok(())
    }

    /// The connection with a transaction begun; a new one where the old one is gone.
    async fn begin(&mut self) -> Result<Connection, DatabaseError> {
        if let Some(mut connection) = self.connection.take() {
            match within(TIME_MAX, connection.begin()).await {
                Ok(()) => return Ok(connection),
                Err(error) => tracing::warn!(%error, "the store's connection is gone; another is made"),
            }
        }
        let mut connection = self.options.connect().await?;
        let beginning = async {
            harden(&mut connection).await?;
            // The old one may have been the last, and have left the main file whole.
            guard::checkpoint(&mut connection).await?;
            connection.begin().await
        };
        within(TIME_MAX, beginning).await?;
        Ok(connection)
    }
}

impl Trouble {
    fn error(&self) -> &DatabaseError {
        match self {
            Self::NotBegun(error) | Self::Undone(error) | Self::Unknown(error) => error,
        }
    }
}

impl Connection {
    /// Begins the one kind of transaction that writes.
    pub(crate) async fn begin(&mut self) -> Result<(), DatabaseError> {
        if let Self::Postgres(own) = self {
            return own.begin().await;
        }
        self.raw("BEGIN IMMEDIATE").await
    }
}

#[cfg(test)]
mod tests;
