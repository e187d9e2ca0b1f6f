//! Refusals: recorded, signed and sent; and the records of what was not refused.

use std::time::Instant;

use lango_identity::{PayloadType, Unauthenticated};
use lango_ledger::Account;
use lango_policy::Grant;
use lango_store::{Decision, Record, Recorded, Step};
use lango_wire::{FREE, Refusal, SignedRefusal, kept, status};
use tonic::Status;

use crate::{Gateway, authenticate::Request};

/// What is known of a request when it is recorded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub purpose: String,
    pub query_digest: Option<[u8; 32]>,
    pub query: Option<String>,
    pub dataset: Option<String>,
    pub rule: Option<String>,
    /// The agreement that it cites, where it is the grant that allows the question.
    pub agreement: Option<String>,
}

impl Known {
    /// The grant that allows it, and the agreement which that cites.
    pub(crate) fn allowed_by(&mut self, grant: &Grant) {
        self.rule = Some(grant.id.clone());
        self.agreement = grant.agreement.as_ref().map(ToString::to_string);
    }

    /// The refusal for any failure behind the gateway, the same for all; its cause goes to the gateway's own log.
    pub(crate) fn unavailable(&self, what: &'static str, cause: &dyn std::fmt::Display) -> Refused {
        tracing::error!(error = %cause, dataset = self.dataset.as_deref(), "{what}");
        Refused::new(Refusal::Unavailable, self)
    }
}

/// A refusal with what was known when it was made.
pub(crate) struct Refused {
    pub refusal: Box<Refusal>,
    pub known: Box<Known>,
    /// Whether its record was part of a transaction already.
    pub recorded: bool,
    /// Whether the request has an answer by now, which another gateway on the store gave: that is the answer.
    pub answered_elsewhere: bool,
}

impl Refused {
    pub(crate) fn new(refusal: impl Into<Refusal>, known: &Known) -> Self {
        Self {
            refusal: Box::new(refusal.into()),
            known: Box::new(known.clone()),
            recorded: false,
            answered_elsewhere: false,
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal, &Known::default())
    }
}

impl Gateway {
    /// A request whose signature proves nothing: the reason goes to the log, the caller gets none.
    pub(crate) fn unauthenticated(&self, reason: &Unauthenticated) -> Status {
        self.unauthenticated_lines.line(|| tracing::warn!(%reason, "an envelope was not authenticated"));
        status::unauthenticated()
    }

    /// Records a refusal, signs it and makes its status. Above a rate those of principals who may not ask at all are left out of
    /// the record, and the next refusal that is recorded says how many were.
    pub(crate) async fn refuse<T>(&self, request: &Request<T>, refused: Refused) -> Status {
        let Refused { refusal, known, recorded, .. } = refused;
        let code = refusal.code();
        let is_bounded = refusal.is_recorded_at_a_rate();
        // What failed, and what came too often, may be sent again.
        let is_freed = matches!(*refusal, Refusal::Unavailable | Refusal::TooManyRequests { .. });
        if let (true, Some(turn)) = (is_freed, request.turn.get()) {
            turn.fail();
        }
        self.refused_lines.line(|| {
            tracing::info!(request = %hex::encode(request.digest), principal = %request.principal, code, "refused");
        });
        let step = |status: &Status| match is_freed {
            true => Step::Freed,
            false => Step::Answered(kept::refusal(known.dataset.as_deref(), status)),
        };
        let status = self.signed_status(request, *refusal);
        // A request that has had its turn is known to the store, which learns how it ended.
        let is_left_out = request.turn.get().is_none()
            && is_bounded
            && !self.strangers.is_recorded(&request.principal.to_string(), Instant::now());
        if recorded || is_left_out {
            return status;
        }
        let mut record = self.record(request, &known, Decision::Refused);
        record.reason = code.to_owned();
        // What is freed here is this gateway's own claim, and no other's.
        record.request = request.step(step(&status)).filter(|_| !is_freed || request.unclaimed().is_none());
        let left_out = self.strangers.take_left_out();
        record.left_out = left_out.count();
        // What may be sent again claims nothing.
        let claiming = request.unclaimed().filter(|_| !is_freed);
        let unrecorded = match self.store.append(&record, claiming).await {
            Ok(Recorded::Now) => {
                left_out.recorded();
                self.has_kept(request, &record);
                return status;
            }
            Ok(Recorded::Answered | Recorded::Reused | Recorded::Forgotten) => {
                "another gateway has answered this request".to_owned()
            }
            Err(error) => error.to_string(),
        };
        // Nothing leaves that is not recorded or counted, a refusal's detail included.
        tracing::error!(error = unrecorded, "a refusal could not be recorded");
        Refusal::Unavailable.into_status(None)
    }

    /// The status of a refusal, with the office's signature.
    pub(crate) fn signed_status<T>(&self, request: &Request<T>, refusal: Refusal) -> Status {
        let signed = SignedRefusal {
            request_digest: request.digest,
            office: self.office.clone(),
            code: refusal.code().to_owned(),
            time: u64::try_from(request.came_at).unwrap_or_default(),
            arguments: refusal.arguments(),
        };
        refusal.into_status(Some(self.signer.sign(PayloadType::Refusal, signed.encode())))
    }

    /// Records that a question failed whose price is set aside in these accounts: it is given back only if no row was read.
    pub(crate) async fn fail<T>(
        &self,
        request: &Request<T>,
        known: &Known,
        (reservation_id, accounts): (i64, &[Account; 2]),
        rows_were_read: bool,
    ) -> Refused {
        let mut record = self.record(request, known, Decision::Failed);
        record.reason = Refusal::Unavailable.code().to_owned();
        record.request = request.step(Step::Freed);
        let recorded = self.store.fail(reservation_id, accounts, rows_were_read, &record).await;
        if let Err(error) = &recorded {
            tracing::error!(%error, "a failure could not be recorded; the charge stands");
        }
        Refused { recorded: recorded.is_ok(), ..Refused::new(Refusal::Unavailable, known) }
    }

    /// The access record of a request, as far as it is known.
    pub(crate) fn record<T>(&self, request: &Request<T>, known: &Known, decision: Decision) -> Record {
        Record {
            // When the work was done is nobody's business.
            at: request.came_at,
            principal: request.principal.to_string(),
            purpose: known.purpose.clone(),
            request_digest: request.digest,
            query_digest: known.query_digest,
            query: known.query.clone(),
            dataset: known.dataset.clone(),
            decision,
            reason: String::new(),
            rule: known.rule.clone(),
            agreement: known.agreement.clone(),
            policy_digest: request.policy.digest,
            charged: FREE,
            version: None,
            certificate: request.certificate,
            envelope: Some(request.envelope_digest),
            release_envelope: None,
            trace: request.trace.map(|trace| trace.trace()),
            event: None,
            release_id: None,
            left_out: 0,
            request: request.step(Step::Working),
        }
    }
}
