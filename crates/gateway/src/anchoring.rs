//! The anchor in a second place, kept near the store's own position; off the way of every request.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use lango_store::{Anchor, Location, Store, StoreError};
use tokio::sync::{Mutex, Notify};

/// It is renewed after this number of charges.
const CHARGES: u64 = 16;
/// And this often.
const EVERY: Duration = Duration::from_secs(60);

/// An anchor, and what has been charged since it was renewed.
#[derive(Debug)]
pub(crate) struct Anchoring {
    anchor: Anchor,
    charges: AtomicU64,
    due: Notify,
    /// One renewal at a time: a later one must not be overtaken by an earlier one.
    renewing: Arc<Mutex<()>>,
}

impl Anchoring {
    /// Holds the store against its anchor, and brings the anchor up to it.
    pub(crate) async fn begin(path: PathBuf, location: &Location, store: &Store) -> Result<Self, StoreError> {
        let (anchor, position) = (Anchor::at(path, location)?, store.position().await?);
        anchor.check(position)?;
        anchor.renew(position)?;
        Ok(Self { anchor, charges: AtomicU64::new(0), due: Notify::new(), renewing: Arc::default() })
    }

    /// Counts a charge.
    pub(crate) fn charged(&self) {
        if (self.charges.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(CHARGES) {
            self.due.notify_one();
        }
    }

    /// Brings the anchor up to the store.
    pub(crate) async fn renew(&self, store: &Store) {
        let renewing = async {
            let alone = Arc::clone(&self.renewing).lock_owned().await;
            let (anchor, position) = (self.anchor.clone(), store.position().await?);
            let renew = move || {
                let _alone = alone;
                anchor.renew(position)
            };
            tokio::task::spawn_blocking(renew).await.unwrap_or(Err(StoreError::Closed))
        };
        if let Err(error) = renewing.await {
            tracing::error!(%error, "the anchor could not be renewed: an older copy of the store would go unnoticed");
        }
    }

    /// Renews the anchor for as long as it is awaited.
    pub(crate) async fn keep(&self, store: &Store) {
        loop {
            // Nothing is written where nothing has changed.
            let _ = tokio::time::timeout(EVERY, self.due.notified()).await;
            self.renew(store).await;
        }
    }
}
