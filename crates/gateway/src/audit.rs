//! What an auditor looks up: the log, and what it speaks of. Each look-up is on record with who signed it.

use lango_store::{CheckpointKind, Decision, KeptBalance, Step, StoreError};
use lango_wire::{
    AdministrationFault, Audit, AuditLookup, Refusal, kept,
    limits::ENTRIES_BYTES_MOST,
    pb::{self, audit_service_audit_response::Found},
};

use crate::{
    Gateway,
    authenticate::Request,
    refuse::{Known, Refused},
};

impl Gateway {
    /// Finds what an auditor looks up.
    pub(crate) async fn audit(&self, request: &Request<Audit>, signed: &Audit) -> Result<Found, Refused> {
        let known = Known::default();
        self.make_answer_room(request).await;
        let mut record = self.record(request, &known, Decision::Inspected);
        record.reason = signed.lookup.words();
        let done = Refusal::Administration(AdministrationFault::Done);
        record.request =
            request.step(Step::Answered(kept::refusal(None, &self.signed_status(request, done))));
        // The look-up is an entry of what it sees of the log.
        self.append(request, &record, &known).await?;
        let unread = |error: &dyn std::fmt::Display| known.unavailable("the log cannot be read", error);
        match signed.lookup {
            AuditLookup::Head => {
                let checkpoint = self.sealing.checkpoint(&self.store, &self.signer.now()).await;
                let checkpoint = checkpoint.map_err(|error| unread(&error))?.to_string();
                let witnessed = self.store.checkpoint(CheckpointKind::Witnessed).await;
                let cosigned =
                    witnessed.map_err(|error| unread(&error))?.map(|(_, note)| note).unwrap_or_default();
                let certificates = self.signer.now().certificates();
                Ok(Found::Head(pb::LogHead { checkpoint, certificates, cosigned }))
            }
            AuditLookup::Entries { first, most } => {
                let entries = self.entries(first, most).await.map_err(|error| unread(&error))?;
                Ok(Found::Entries(pb::LogEntries { entries }))
            }
            AuditLookup::Policy { digest } => {
                let files = self.store.policy_text(&digest).await.map_err(|error| unread(&error))?;
                Ok(Found::Policy(pb::PolicyText { files: files.unwrap_or_default() }))
            }
            AuditLookup::Balances => {
                let kept = self.store.kept_balances().await.map_err(|error| unread(&error))?;
                let balances = kept.balances.into_iter().map(balance).collect();
                Ok(Found::Balances(pb::LedgerBalances { size: kept.size, balances }))
            }
        }
    }

    /// Entries from a number on, at most this many, and no more than a message holds.
    async fn entries(&self, first: u64, most: u32) -> Result<Vec<Vec<u8>>, StoreError> {
        const READ_AT_ONCE: u32 = 256;
        let (mut entries, mut bytes) = (Vec::new(), 0_usize);
        while let left @ 1.. = most.saturating_sub(u32::try_from(entries.len()).unwrap_or(u32::MAX)) {
            let after = first.saturating_add(entries.len() as u64);
            let found = self.store.leaves(after, left.min(READ_AT_ONCE)).await?;
            let is_end = found.is_empty();
            for entry in found {
                bytes = bytes.saturating_add(entry.len());
                if bytes > ENTRIES_BYTES_MOST && !entries.is_empty() {
                    return Ok(entries);
                }
                entries.push(entry);
            }
            if is_end {
                break;
            }
        }
        Ok(entries)
    }
}

fn balance(kept: KeptBalance) -> pb::LedgerBalance {
    let KeptBalance { pool, grant, period, charged } = kept;
    let charged = lango_privacy::Loss {
        pure_nano: charged.pure_nano,
        rho_nano: charged.rho_nano,
        delta_e18: charged.delta_e18,
    };
    pb::LedgerBalance { pool, grant, period, charged: Some(charged.into()) }
}
