//! An office's gateway or a coordinator, as auditors reach it: each look-up is signed for that one alone, and is an entry of
//! the log.

use std::path::Path;

use lango_access_log::{Amount, LoggedLoss, NoteKey, SignatureType, SignedCheckpoint, log_origin};
use lango_analyst::now;
use lango_audit::{LedgerBalance, LedgerBalances};
use lango_identity::{PayloadType, Region, Role, SpiffeId};
use lango_wire::{
    Audit, AuditLookup, client::AuditClient, limits::ENTRIES_MOST, pb,
    pb::audit_service_audit_response::Found,
};

use super::head::Head;
use crate::{
    failure::Failure,
    reach::{OfficeDoor, ServerAt, Stamp},
};

/// A connection to an office's gateway, and the auditor who signs.
pub struct AuditedGateway {
    door: OfficeDoor,
    service: AuditClient,
    address: String,
}

impl AuditedGateway {
    pub async fn open(
        reached: ServerAt<'_>,
        identity: &Path,
        expected: Option<&str>,
    ) -> Result<Self, Failure> {
        let door = OfficeDoor::open(reached, identity, Role::Auditor, expected).await?;
        let service = AuditClient::new(door.channel.clone());
        Ok(Self { door, service, address: reached.address.to_owned() })
    }

    /// Where it was reached.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Cosigns a checkpoint that was found to go on where the one before ended.
    pub fn cosign(&self, checkpoint: SignedCheckpoint) -> Result<SignedCheckpoint, Failure> {
        let signer = &self.door.credentials.signer;
        let name = log_origin(&signer.principal().to_string()).unwrap_or_default();
        let key = NoteKey::new(&name, SignatureType::Cosignature, signer.public_key())?;
        let seconds = u64::try_from(now()).unwrap_or_default();
        Ok(checkpoint.cosign(&key, seconds, |message| signer.sign_message(message))?)
    }

    pub fn office(&self) -> &SpiffeId {
        &self.door.office
    }

    pub fn region(&self) -> &Region {
        &self.door.credentials.region
    }

    pub async fn head(&self) -> Result<Head, Failure> {
        let Found::Head(head) = self.find(AuditLookup::Head).await? else { return Err(self.astray()) };
        let read = |note: &str| -> Result<SignedCheckpoint, Failure> {
            note.parse()
                .map_err(|error| Failure::of(format!("the checkpoint of {}", self.door.office), error))
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

    /// Signs a lookup and has the server answer it.
    async fn find(&self, lookup: AuditLookup) -> Result<Found, Failure> {
        let Stamp { request_id, issued_at, expires_at } = self.door.stamp()?;
        let auditor = self.door.credentials.signer.principal().clone();
        let log = self.door.office.clone();
        let signed = Audit { request_id, auditor, log, lookup, issued_at, expires_at };
        let send = async |envelope| self.service.audit(envelope).await;
        let found = self.door.ask(PayloadType::Audit, signed.encode(), send).await?;
        found.found.ok_or_else(|| self.astray())
    }

    fn astray(&self) -> Failure {
        self.door.astray()
    }
}
