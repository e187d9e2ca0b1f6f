//! A request's turn: while a gateway is at work on it, it renews its claim, so that other gateways on the store see that it lives.

use std::time::Duration;

use lango_store::Store;
use tokio::{sync::OwnedMutexGuard, task::JoinHandle};

/// A gateway at work on a request shows that it lives this often.
const BEAT: Duration = Duration::from_secs(2);
/// One that has not for this long is taken for dead, and its request is taken over. That it might live changes nothing that is charged
/// or answered: the ledger resumes one reservation, and the first answer is the answer.
pub(crate) const LEASE: Duration = Duration::from_secs(8);

/// A request's turn: from its claim until its answer has left.
#[derive(Debug)]
pub(crate) struct Turn {
    /// The request's identifier.
    pub id: [u8; 16],
    _alone: OwnedMutexGuard<()>,
    beating: JoinHandle<()>,
}

impl Turn {
    /// Begins the turn of a request that this gateway has claimed, and renews the claim until the turn ends.
    pub(crate) fn begin(store: Store, principal: String, id: [u8; 16], alone: OwnedMutexGuard<()>) -> Self {
        Self { id, _alone: alone, beating: tokio::spawn(beat(store, principal, id)) }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.beating.abort();
    }
}

async fn beat(store: Store, principal: String, id: [u8; 16]) {
    loop {
        tokio::time::sleep(BEAT).await;
        if let Err(error) = store.beat(&principal, id).await {
            tracing::warn!(%error, "a claim could not be renewed");
        }
    }
}
