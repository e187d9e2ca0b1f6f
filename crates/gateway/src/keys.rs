//! What the log says of the office's keys and of revocation lists, from when they are in use.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use lango_access_log::{KeyChange, KeyUse, LogEvent};
use lango_identity::{Signer, TlsIdentity};
use lango_store::{Decision, Record, StoreError};
use tokio::sync::Notify;

use crate::Gateway;

/// What could not be recorded is tried again after this time.
const RECORDED_AGAIN_AFTER: Duration = Duration::from_secs(30);

impl Gateway {
    /// Records keys that are taken into use.
    pub(crate) async fn log_renewed(&self, tls: &TlsIdentity, signer: &Signer) -> Result<(), StoreError> {
        let signing = signer.certificates();
        let signing = signing.first().and_then(|der| lango_sealing::renewed(der, KeyUse::Signing));
        let tls = tls.chain().first().and_then(|der| lango_sealing::renewed(der, KeyUse::Tls));
        for change in signing.into_iter().chain(tls) {
            self.log_key(change).await?;
        }
        Ok(())
    }

    /// Records each revocation list that comes into use, for as long as it is awaited.
    pub(crate) async fn log_lists(&self) {
        let (came, revocations) = (Arc::new(Notify::new()), self.region.revocations());
        let notice = Arc::downgrade(&came);
        revocations.on_change(Box::new(move || {
            notice.upgrade().is_some_and(|came| {
                came.notify_one();
                true
            })
        }));
        let mut known: BTreeSet<[u8; 32]> =
            revocations.lists().iter().map(lango_identity::RevocationList::fingerprint).collect();
        let mut is_due = false;
        loop {
            match is_due {
                true => drop(tokio::time::timeout(RECORDED_AGAIN_AFTER, came.notified()).await),
                false => came.notified().await,
            }
            is_due = false;
            for list in revocations.lists().iter() {
                if !known.contains(&list.fingerprint()) {
                    match self.log_key(lango_sealing::list_taken(list)).await {
                        Ok(()) => drop(known.insert(list.fingerprint())),
                        // It is in use: to believe what was taken back would be worse than a gap.
                        Err(error) => {
                            is_due = true;
                            tracing::error!(%error, "a revocation list that is in use could not be recorded");
                        }
                    }
                }
            }
        }
    }

    async fn log_key(&self, change: KeyChange) -> Result<(), StoreError> {
        let when = (self.now(), self.policy().digest);
        let reason = change.of.clone();
        let event = Some(LogEvent::Key(change));
        let record = Record { reason, event, ..Record::of(self.office.to_string(), when, Decision::Keyed) };
        self.store.append(&record, None).await.map(drop)
    }
}
