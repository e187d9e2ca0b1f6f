//! An office's gateway or a coordinator, as auditors reach it: each look-up is signed for that one alone, and is an entry of
//! the log.

use std::{path::Path, time::Duration};

use lango_access_log::{Amount, LoggedLoss, SignedCheckpoint};
use lango_analyst::{Credentials, now};
use lango_audit::{LedgerBalance, LedgerBalances};
use lango_identity::{PayloadType, Region, Role, SpiffeId, digest};
use lango_wire::{
    Audit, AuditLookup, Inquiry, client::AuditClient, limits::ENTRIES_MOST, pb,
    pb::audit_service_audit_response::Found, status::refusal_envelope,
};
use tonic::Status;

use super::head::Head;
use crate::{
    analyst::ask::refused,
    failure::Failure,
    output::foreign,
    reach::{OfficeDoor, ServerAt},
};

/// How long a look-up is waited for.
const LOOKUP_TIME_MAX: Duration = Duration::from_secs(60);
/// How long a signed look-up lives, in seconds: for clocks that differ, and no more.
const LIFE_S: u64 = 600;

/// A connection to an office's gateway, and the auditor who signs.
pub struct AuditedGateway {
    credentials: Credentials,
    office: SpiffeId,
    service: AuditClient,
}

impl AuditedGateway {
    pub async fn open(
        reached: ServerAt<'_>,
        identity: &Path,
        expected: Option<&str>,
    ) -> Result<Self, Failure> {
        let door = OfficeDoor::open(reached, identity, Role::Auditor, expected).await?;
        let OfficeDoor { credentials, office, channel } = door;
        Ok(Self { credentials, office, service: AuditClient::new(channel) })
    }

    pub fn office(&self) -> &SpiffeId {
        &self.office
    }

    pub fn region(&self) -> &Region {
        &self.credentials.region
    }

    pub async fn head(&self) -> Result<Head, Failure> {
        let Found::Head(head) = self.find(AuditLookup::Head).await? else { return Err(self.astray()) };
        let read = |note: &str| -> Result<SignedCheckpoint, Failure> {
            note.parse().map_err(|error| Failure::of(format!("the checkpoint of {}", self.office), error))
        };
        let checkpoint = read(&head.checkpoint)?;
        let witnessed = if head.cosigned.is_empty() { None } else { Some(read(&head.cosigned)?) };
        Ok(Head { checkpoint, chain: head.certificates, witnessed })
    }

    pub async fn entries(&self, first: u64, most: u64) -> Result<Vec<Vec<u8>>, Failure> {
        let most = u32::try_from(most).unwrap_or(ENTRIES_MOST).min(ENTRIES_MOST);
        let lookup = AuditLookup::Entries { first, most };
        let Found::Entries(found) = self.find(lookup).await? else { return Err(self.astray()) };
        if found.entries.len() > most as usize { Err(self.astray()) } else { Ok(found.entries) }
    }

    pub async fn policy(&self, digest: [u8; 32]) -> Result<Option<Vec<u8>>, Failure> {
        let Found::Policy(found) = self.find(AuditLookup::Policy { digest }).await? else {
            return Err(self.astray());
        };
        Ok(Some(found.files).filter(|files| !files.is_empty()))
    }

    pub async fn balances(&self) -> Result<LedgerBalances, Failure> {
        let Found::Balances(found) = self.find(AuditLookup::Balances).await? else {
            return Err(self.astray());
        };
        let balance = |found: pb::LedgerBalance| {
            let pb::LedgerBalance { pool, grant, period, charged } = found;
            let pb::Loss { pure_nano, rho_nano, delta_e18 } = charged.unwrap_or_default();
            let (pure_nano, rho_nano) = (pure_nano.map(Amount), Amount(rho_nano));
            let charged = LoggedLoss { delta_e18: Amount(delta_e18), pure_nano, rho_nano };
            LedgerBalance { pool, grant, period, charged }
        };
        Ok(LedgerBalances { size: found.size, balances: found.balances.into_iter().map(balance).collect() })
    }

    /// Signs a lookup and has the gateway answer it.
    async fn find(&self, lookup: AuditLookup) -> Result<Found, Failure> {
        let Credentials { signer, .. } = &self.credentials;
        let mut request_id = [0; 16];
        getrandom::fill(&mut request_id)?;
        let issued_at = u64::try_from(now()).unwrap_or_default();
        let signed = Audit {
            request_id,
            auditor: signer.principal().clone(),
            log: self.office.clone(),
            lookup,
            issued_at,
            expires_at: issued_at + LIFE_S,
        };
        let payload = signed.encode();
        let request_digest = digest(PayloadType::Audit, &payload);
        let envelope = signer.sign(PayloadType::Audit, payload).into();
        let found = tokio::time::timeout(LOOKUP_TIME_MAX, self.service.audit(envelope)).await;
        let found = found
            .map_err(|_| Failure::of("the server", format!("has not answered within {LOOKUP_TIME_MAX:?}")))?;
        let found = found.map_err(|status| self.failed(&status, &request_digest))?;
        found.found.ok_or_else(|| self.astray())
    }

    /// A refusal in words, made from what the office signed; else what the connection says.
    fn failed(&self, status: &Status, request_digest: &[u8; 32]) -> Failure {
        let inquiry = Inquiry { region: self.region(), now: now(), request_digest, question: None };
        let signed = refusal_envelope(status);
        match signed.and_then(|envelope| inquiry.refusal_in(&envelope, &self.office).ok()) {
            Some(refusal) => {
                Failure::Failed(format!("{} refuses: {}", self.office.name(), refused(&refusal)))
            }
            None => {
                let said = foreign(status.message());
                Failure::Failed(format!(
                    "the gateway failed, and nobody signed its words ({:?}): {said}",
                    status.code()
                ))
            }
        }
    }

    fn astray(&self) -> Failure {
        Failure::of(
            &self.office,
            "its server answers something else than was asked: the two are of other versions",
        )
    }
}
