//! What an auditor looks up: the log, and what it speaks of. Each look-up is on record with who signed it.

use lango_sealing::{LogHead, Sealing};
use lango_store::{Decision, KeptBalance, Step};
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
                let head = self.sealing.head(&self.store, &self.signer.now()).await;
                let LogHead { checkpoint, certificates, cosigned } = head.map_err(|error| unread(&error))?;
                Ok(Found::Head(pb::LogHead { checkpoint, certificates, cosigned }))
            }
            AuditLookup::Entries { first, most } => {
                let entries = Sealing::entries(&self.store, (first, most), ENTRIES_BYTES_MOST).await;
                let entries = entries.map_err(|error| unread(&error))?;
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
