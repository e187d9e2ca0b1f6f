//! SQLite: the register in a file, opened read only.

use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use lango_privacy::{Counted, Dataset, Exact, Plan};
use lango_trace::TraceContext;
use rusqlite::{Connection, OpenFlags};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};

use crate::{
    Behind, Bounding, Examination, FetchError, MixingView, PreparedRows, ReachedTable, ReadTable, Secret,
    Session, Source, SourceError, Survey, TableDescription,
};

mod behind;
mod catalogue;
mod describe;
mod prepare;
mod read;
mod row_order;
mod statement;
mod survey;

/// Queries at once; each holds a thread and a connection.
const QUERIES_MOST: usize = 4;

/// A register in an SQLite file.
pub struct Sqlite {
    file: PathBuf,
    statement_timeout: Duration,
    queries: Arc<Semaphore>,
}

impl Sqlite {
    /// The register in this file; a statement is stopped after `statement_timeout`.
    pub fn new(file: impl Into<PathBuf>, statement_timeout: Duration) -> Self {
        Self { file: file.into(), statement_timeout, queries: Arc::new(Semaphore::new(QUERIES_MOST)) }
    }

    async fn connect(&self) -> Result<Open, SourceError> {
        let closed = |_| SourceError::Unavailable("the gateway is stopping".to_owned());
        let permit = Arc::clone(&self.queries).acquire_owned().await.map_err(closed)?;
        let (file, timeout) = (self.file.clone(), self.statement_timeout);
        let opened = spawn_blocking(move || open(&file, timeout)).await;
        let connection =
            opened.map_err(|_| SourceError::Unavailable("the attempt was cut short".to_owned()))?;
        Ok(Open {
            connection: connection.map_err(|error| unavailable(&error))?,
            timeout,
            trace: None,
            _permit: permit,
        })
    }
}

/// Which file a register is, by whatever path it is reached.
struct Place {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Place {
    fn of(file: &Path) -> Result<Self, SourceError> {
        let found = std::fs::canonicalize(file).and_then(|path| Ok((std::fs::metadata(&path)?, path)));
        let (metadata, path) = found.map_err(|error| SourceError::Unavailable(error.to_string()))?;
        Ok(Self { path, device: metadata.dev(), inode: metadata.ino() })
    }

    /// A table of it, whose name is the same in letters of either case.
    fn reached(&self, table: &str) -> ReachedTable {
        let table = table.to_ascii_lowercase();
        ReachedTable {
            lasting: format!("sqlite {} {table}", self.path.display()),
            now: format!("sqlite {} {} {table}", self.device, self.inode),
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    let done = spawn_blocking(work).await;
    done.map_err(|_| SourceError::Unavailable("the work was cut short".to_owned()))?
}

/// The message of a failed opening; SQLite's own words speak of the file, not of its rows.
fn unavailable(error: &rusqlite::Error) -> SourceError {
    SourceError::Unavailable(error.to_string())
}

struct Open {
    connection: Connection,
    timeout: Duration,
    trace: Option<TraceContext>,
    _permit: OwnedSemaphorePermit,
}

/// One consistent view of a register. A program that was killed while it wrote to the file leaves a journal, which no reader
/// may undo: it is undone first, which any writer would do.
fn open(file: &Path, timeout: Duration) -> rusqlite::Result<Connection> {
    let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    match view(file, read_only, timeout) {
        Err(error) if left_behind(&error) => {
            let writing = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            drop(view(file, writing, timeout).map_err(|_| error)?);
            view(file, read_only, timeout)
        }
        opened => opened,
    }
}

fn left_behind(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    code == Some(rusqlite::ffi::SQLITE_READONLY_ROLLBACK)
        || code == Some(rusqlite::ffi::SQLITE_READONLY_RECOVERY)
}

fn view(file: &Path, flags: OpenFlags, timeout: Duration) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, flags)?;
    // A writer that ends its transaction waits for the questions that are under way, and new ones for it.
    connection.busy_timeout(timeout)?;
    connection.pragma_update(None, "query_only", true)?;
    tuned(&connection)?;
    // Reading the schema takes the shared lock, so that all that follows is of one moment.
    connection.execute_batch("BEGIN")?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

/// Memory stays small whatever the table's size.
fn tuned(connection: &Connection) -> rusqlite::Result<()> {
    // A table whose rows must be brought together by unit may not fit in memory: what the cache does not hold is sorted in
    // temporary files. Nothing else that is asked needs to be kept anywhere.
    connection.pragma_update(None, "temp_store", "FILE")?;
    connection.pragma_update(None, "cache_size", -8_192)
}

#[async_trait]
impl Source for Sqlite {
    async fn check(&self, dataset: &Dataset) -> Result<(), SourceError> {
        let open = self.connect().await?;
        let dataset = dataset.clone();
        blocking(move || {
            let file = catalogue::check(&open.connection, &dataset)?;
            catalogue::check_version(&open.connection, &dataset)?;
            read::prepare_all(&open.connection, &dataset, &file).map_err(|error| unavailable(&error))
        })
        .await
    }

    async fn identify(&self, table: &str) -> Result<ReachedTable, SourceError> {
        let file = self.file.clone();
        Ok(blocking(move || Place::of(&file)).await?.reached(table))
    }

    async fn open(&self) -> Result<Box<dyn Session>, SourceError> {
        Ok(Box::new(self.connect().await?))
    }

    async fn bounding(&self, dataset: &Dataset, secret: &Secret) -> Result<Bounding, SourceError> {
        let (open, dataset, secret) = (self.connect().await?, dataset.clone(), secret.clone());
        blocking(move || {
            let file = catalogue::check(&open.connection, &dataset)?;
            let found = prepare::find(&open.connection, &dataset, file.vouched, &secret);
            Ok(found.map_err(|error| unavailable(&error))?.0)
        })
        .await
    }

    async fn prepare(&self, dataset: &Dataset, secret: &Secret) -> Result<PreparedRows, SourceError> {
        let (file, dataset, secret) = (self.file.clone(), dataset.clone(), secret.clone());
        // Longer than a question may hold the register.
        let busy = self.statement_timeout.saturating_add(Duration::from_secs(60));
        blocking(move || prepare::prepare(&file, busy, &dataset, &secret)).await
    }

    async fn data(&self, table: &str) -> Result<Option<String>, SourceError> {
        let (open, table) = (self.connect().await?, table.to_owned());
        let noted =
            blocking(move || catalogue::noted(&open.connection, &table).map_err(|error| unavailable(&error)));
        Ok(noted.await?.map(|noted| noted.data))
    }

    async fn describe(&self) -> Result<Vec<TableDescription>, SourceError> {
        let open = self.connect().await?;
        blocking(move || describe::tables(&open.connection)).await
    }

    fn filters_rows(&self) -> bool {
        // It has no row-level security.
        false
    }

    async fn survey(&self, dataset: &Dataset) -> Result<Survey, SourceError> {
        let (open, dataset) = (self.connect().await?, dataset.clone());
        blocking(move || survey::survey(&open.connection, &dataset)).await
    }

    async fn alike(&self, dataset: &Dataset) -> Result<Option<u64>, SourceError> {
        let (open, dataset) = (self.connect().await?, dataset.clone());
        blocking(move || {
            let file = catalogue::check(&open.connection, &dataset)?;
            survey::alike(&open.connection, &dataset, &file).map_err(|error| unavailable(&error))
        })
        .await
    }

    async fn examine(&self, tables: &[&str]) -> Result<Examination, SourceError> {
        // A file is opened read only, whatever its permissions are; a user who may write it may prepare it.
        let tables: Vec<String> = tables.iter().map(|table| (*table).to_owned()).collect();
        let (open, file) = (self.connect().await?, self.file.clone());
        blocking(move || {
            let version =
                open.connection.query_row("SELECT sqlite_version()", [], |row| row.get::<_, String>(0));
            let imported = catalogue::imported(&open.connection, &tables);
            let imported = imported.map_err(|error| unavailable(&error))?;
            let views = catalogue::views(&open.connection, &tables).map_err(|error| unavailable(&error))?;
            // What they do with rows stands in their text alone.
            let mixing = views.iter().map(|table| MixingView { table: table.clone(), by: None }).collect();
            let place = Place::of(&file)?;
            let behind = |table: String| {
                let reads = behind::read(&open.connection, &table)?.into_iter();
                let reads = reads.map(|name| ReadTable { reached: place.reached(&name), name }).collect();
                Ok(Behind { table, reads, unseen: Vec::new() })
            };
            Ok(Examination {
                engine: format!("SQLite {}", version.map_err(|error| unavailable(&error))?),
                tls: None,
                statement_timeout_ms: None,
                may_change: Vec::new(),
                outdated: Vec::new(),
                called: Vec::new(),
                may_prepare: None,
                imported,
                mixing,
                behind: views.into_iter().map(behind).collect::<Result<_, SourceError>>()?,
            })
        })
        .await
    }
}

#[async_trait]
impl Session for Open {
    fn carry(&mut self, trace: TraceContext) {
        self.trace = Some(trace);
    }

    async fn fetch(self: Box<Self>, plan: Plan, secret: Secret) -> Result<Exact<Vec<Counted>>, FetchError> {
        let lost = FetchError { rows_were_read: true };
        let Self { connection, timeout, trace, _permit: permit } = *self;
        let fetched = spawn_blocking(move || {
            let _held = permit;
            read::fetch(&connection, timeout, (&plan, trace), &secret)
        });
        fetched.await.map_err(|_| lost)?
    }
}

#[cfg(test)]
mod tests;
