//! What an auditor looks up in the coordinator's log. Each look-up is an entry of it.

use std::sync::Arc;

use lango_identity::{EnvelopeLimits, PayloadType, digest, sha256, verify};
use lango_sealing::{LogHead, Sealing};
use lango_store::Claiming;
use lango_transport::{Demand, Share, UnderWay};
use lango_wire::{
    AdministrationFault, Admission, Audit, AuditLookup, CLOCK_SKEW_S, Refusal, SignedRequest,
    limits::ENTRIES_BYTES_MOST,
    pb::{self, audit_service_audit_response::Found, audit_service_server::AuditService},
    status::unauthenticated,
};
use tonic::{Request, Response, Status};

use crate::{clock::now, log::Log, question::Door};
use lango_identity::Region;

/// The longest life of a look-up, in seconds.
const LIFE_S_MAX: u64 = 3_600;

/// The service for auditors.
pub(crate) struct Auditing {
    pub log: Arc<Log>,
    pub region: Region,
    pub door: Arc<Door>,
}

#[tonic::async_trait]
impl AuditService for Auditing {
    async fn audit(
        &self,
        request: Request<pb::AuditServiceAuditRequest>,
    ) -> Result<Response<pb::AuditServiceAuditResponse>, Status> {
        let (_, extensions, pb::AuditServiceAuditRequest { lookup }) = request.into_parts();
        let (lookup, share) = self.admitted(lookup).await?;
        if let Some(under_way) = extensions.get::<UnderWay>() {
            under_way.keep(share);
        }
        let found = self.found(lookup).await.map_err(|error| {
            tracing::error!(%error, "the log cannot be read");
            Refusal::Unavailable.into_status(None)
        })?;
        Ok(Response::new(pb::AuditServiceAuditResponse { found: Some(found) }))
    }
}

impl Auditing {
    /// What a listed auditor signed, once, when it is on record.
    async fn admitted(&self, lookup: Option<pb::Envelope>) -> Result<(AuditLookup, Share), Status> {
        let envelope: lango_identity::Envelope = lookup.ok_or_else(unauthenticated)?.into();
        let (kind, now) = (PayloadType::Audit, now());
        let verified = verify(&envelope, kind, &self.region, now, EnvelopeLimits::default());
        let verified = verified.map_err(|reason| self.door.unauthenticated(kind, &reason))?;
        let principal = verified.principal;
        let share = self.door.share(&principal, kind, Demand::Request)?;
        let refused = |refusal: Refusal| self.door.refused(kind, &principal, &refusal);
        if !self.log.auditors.contains(&principal) {
            return Err(refused(Refusal::NotAuditor));
        }
        let admission = Admission { office: Some(&self.log.id), now, question_life_s_max: LIFE_S_MAX };
        let audit = admission.admit::<Audit>(kind, &envelope.payload, &principal).map_err(refused)?;
        let claiming = Claiming {
            principal: principal.to_string(),
            id: audit.request_id(),
            digest: digest(kind, &envelope.payload),
            expires_at: i64::try_from(audit.life().1).unwrap_or(i64::MAX),
            forget_before: now.saturating_sub(i64::try_from(CLOCK_SKEW_S).unwrap_or_default()),
        };
        let certificate = envelope.certificates.first().map(|certificate| sha256(certificate));
        match self.log.inspected(&principal, certificate, audit.lookup.words(), claiming).await {
            Ok(true) => Ok((audit.lookup, share)),
            Ok(false) => Err(refused(Refusal::Administration(AdministrationFault::Done))),
            Err(error) => {
                tracing::error!(%error, "a look-up cannot be recorded");
                Err(Refusal::Unavailable.into_status(None))
            }
        }
    }

    async fn found(&self, lookup: AuditLookup) -> Result<Found, lango_sealing::LogError> {
        let Log { store, sealing, signer, .. } = &*self.log;
        Ok(match lookup {
            AuditLookup::Head => {
                let LogHead { checkpoint, certificates, cosigned } =
                    sealing.head(store, &signer.now()).await?;
                Found::Head(pb::LogHead { checkpoint, certificates, cosigned })
            }
            AuditLookup::Entries { first, most } => {
                let entries = Sealing::entries(store, (first, most), ENTRIES_BYTES_MOST).await?;
                Found::Entries(pb::LogEntries { entries })
            }
            // A coordinator has no policy and no ledger.
            AuditLookup::Policy { .. } => Found::Policy(pb::PolicyText::default()),
            AuditLookup::Balances => {
                let size = store.kept_balances().await?.size;
                Found::Balances(pb::LedgerBalances { size, balances: Vec::new() })
            }
        })
    }
}
