//! A request's turn: while a gateway is at work on it, it renews its claim, so that other gateways on the store see that it
//! lives.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use lango_ledger::Claimed;
use lango_store::{Claiming, Store};
use tokio::{task::JoinHandle, time::Instant};

use crate::flights::Flight;

/// A gateway at work on a request shows that it lives this often.
pub(crate) const BEAT: Duration = Duration::from_secs(2);
/// One that has not for this long is taken for dead, and its request is taken over. That it might live changes nothing that is
/// charged or answered: the ledger resumes one reservation, and the first answer is the answer. A store that is locked for longer
/// stops the signs of those who live too, so a gateway takes over only after a write of its own has passed, and one more sign was
/// due.
pub(crate) const LEASE: Duration = Duration::from_secs(8);

/// How long a gateway that was taken for dead is remembered.
const SILENT_FOR: Duration = Duration::from_secs(600);

/// Gateways that were taken for dead a short while ago. What else one of them holds is taken over as soon as one more sign of its
/// life was due and did not come: many requests that are sent again one by one do not each wait for [`LEASE`].
#[derive(Debug, Default)]
pub(crate) struct Silent(Mutex<HashMap<[u8; 16], Instant>>);

impl Silent {
    /// Notes what became of taking over from one: its claim was free for the taking, or it lives after all.
    pub(crate) fn take(&self, holder: [u8; 16], claimed: &Claimed) {
        let mut noted = self.noted();
        match claimed {
            Claimed::Free => {
                noted.retain(|_, since| since.elapsed() < SILENT_FOR);
                noted.insert(holder, Instant::now());
            }
            Claimed::UnderWay { .. } => {
                noted.remove(&holder);
            }
            Claimed::Fresh | Claimed::Answered | Claimed::Reused | Claimed::Forgotten => {}
        }
    }

    pub(crate) fn holds(&self, holder: &[u8; 16]) -> bool {
        self.noted().contains_key(holder)
    }

    fn noted(&self) -> MutexGuard<'_, HashMap<[u8; 16], Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request's turn: from when its copies have left until its answer has.
#[derive(Debug)]
pub(crate) struct Turn {
    /// What claims it.
    pub claiming: Claiming,
    _alone: Flight,
    beating: OnceLock<JoinHandle<()>>,
    failed: OnceLock<()>,
}

impl Turn {
    /// The turn of a request that is not claimed yet.
    pub(crate) fn new(claiming: Claiming, alone: Flight) -> Self {
        Self { claiming, _alone: alone, beating: OnceLock::new(), failed: OnceLock::new() }
    }

    /// This gateway has claimed the request: the claim is renewed until the turn ends.
    pub(crate) fn begin(&self, store: &Store) {
        let Claiming { principal, id, .. } = &self.claiming;
        self.beating.get_or_init(|| tokio::spawn(beat(store.clone(), principal.clone(), *id)));
    }

    /// It ends with a refusal after which it may be sent again.
    pub(crate) fn fail(&self) {
        self.failed.get_or_init(|| ());
    }

    /// Whether it ends so.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.get().is_some()
    }

    /// Whether this gateway has claimed it.
    pub(crate) fn is_claimed(&self) -> bool {
        self.beating.get().is_some()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(beating) = self.beating.get() {
            beating.abort();
        }
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
