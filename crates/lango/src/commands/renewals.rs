//! The keys and certificates of a server that runs: read again when their files have changed.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::task::spawn_blocking;

use super::identity::folder::{SIGNING, SIGNING_KEY, TLS, TLS_KEY};
use crate::{config::documents, failure::Failure};

/// How often the files are compared with what they were.
const POLL: Duration = Duration::from_millis(500);
/// They are read when none has changed for this time: they are exchanged one after the other.
const REST: Duration = Duration::from_secs(2);
const FILES: [&str; 4] = [TLS, TLS_KEY, SIGNING, SIGNING_KEY];

type Moments = [Option<documents::Moment>; FILES.len()];

/// Has other keys and certificates taken into use for as long as it is awaited: `take` reads the folder. What it refuses is
/// said in the log, and what was in use stays.
pub async fn keep(folder: PathBuf, take: impl Fn(&Path) -> Result<(), Failure> + Clone + Send + 'static) {
    let mut read = moments(&folder).await;
    let (mut before, mut since) = (read, tokio::time::Instant::now());
    loop {
        tokio::time::sleep(POLL).await;
        let found = moments(&folder).await;
        if found != before {
            (before, since) = (found, tokio::time::Instant::now());
        }
        if found == read || since.elapsed() < REST {
            continue;
        }
        read = found;
        let (folder, take) = (folder.clone(), take.clone());
        match spawn_blocking(move || take(&folder)).await {
            Ok(Ok(())) => tracing::info!("other keys and certificates were found"),
            Ok(Err(failure)) => {
                tracing::error!(%failure, "other keys and certificates are refused: those of before stay");
            }
            // The server stops.
            Err(_) => return,
        }
    }
}

async fn moments(folder: &Path) -> Moments {
    let folder = folder.to_owned();
    let found = spawn_blocking(move || FILES.map(|name| documents::moment(&folder.join(name)))).await;
    found.unwrap_or_default()
}
