//! Who signed this, and may the gateway read it at all: checks A1 to A8 of the protocol, in order.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use lango_identity::{
    Envelope, EnvelopeLimits, PayloadType, Role, SpiffeId, Unauthenticated, digest, sha256, verify,
};
use lango_trace::TraceContext;
use lango_transport::{Room, Share};
use lango_wire::{AdministrationFault, Admission, Refusal, SignedRequest, envelope_digest, pb};

use crate::{
    Gateway, flights::Flight, in_force::PolicyInForce, lease::Turn, pace::Pace, withheld::Withholding,
};

/// A request whose signature holds: from here on every answer is signed and recorded.
pub(crate) struct Request<T> {
    /// Who signed it.
    pub principal: SpiffeId,
    /// As what it was signed.
    pub kind: PayloadType,
    /// Digest of the signed bytes.
    pub digest: [u8; 32],
    /// What was signed.
    pub payload: Vec<u8>,
    /// All that came, where it is an administrator's act: a signature of a policy is kept.
    pub envelope: Option<Envelope>,
    /// SHA-256 of all that came.
    pub envelope_digest: [u8; 32],
    /// The key that it was signed with.
    pub key: Option<[u8; 32]>,
    /// SHA-256 of the certificate that it was signed with.
    pub certificate: Option<[u8; 32]>,
    /// From which address it was sent, as places are counted for it.
    pub peer: String,
    /// The trace that it belongs to. A label, which nobody signed: nothing is decided by it.
    pub trace: Option<TraceContext>,
    /// When it came, in Unix seconds. Answers are dated by it: when they were ready is nobody's business.
    pub came_at: i64,
    /// The policy that it is decided by, from its beginning to its end.
    pub policy: Arc<PolicyInForce>,
    /// When its answer leaves.
    pub pace: Pace,
    /// Its identifier, from A6 on.
    pub id: OnceLock<[u8; 16]>,
    /// Its turn, from A9 on.
    pub turn: OnceLock<Turn>,
    /// What it took of its principal's share when it turned out to be no copy.
    pub share: OnceLock<Share>,
    /// The flight of its question, from when rows are to be read until the answer has left: those who ask the same
    /// meanwhile do not see when it was ready.
    pub flight: OnceLock<Flight>,
    /// The memory of its answer.
    room: Mutex<Option<Room>>,
    /// The release that it made and that has not left yet.
    pub withholding: OnceLock<Withholding>,
    _what: std::marker::PhantomData<T>,
}

impl<T> Request<T> {
    pub(crate) fn room(&self) -> MutexGuard<'_, Option<Room>> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gateway {
    /// A1 to A4: a caller who fails here learns nothing.
    pub(crate) fn authenticate<T: SignedRequest>(
        &self,
        envelope: Option<pb::Envelope>,
        kind: PayloadType,
        peer: String,
    ) -> Result<Request<T>, Unauthenticated> {
        let (pace, came_at) = (Pace::begin(), self.now());
        let envelope = envelope.unwrap_or_default();
        let envelope_digest = envelope_digest(&envelope);
        let envelope: Envelope = envelope.into();
        let verified = verify(&envelope, kind, &self.region, came_at, EnvelopeLimits::default())?;
        Ok(Request {
            digest: digest(kind, &verified.payload),
            principal: verified.principal,
            payload: verified.payload,
            envelope_digest,
            key: verified.certificate.ed25519,
            certificate: envelope.certificates.first().map(|certificate| sha256(certificate)),
            envelope: (kind == PayloadType::Administration).then_some(envelope),
            kind,
            peer,
            trace: None,
            came_at,
            policy: self.policy(),
            pace,
            id: OnceLock::new(),
            turn: OnceLock::new(),
            share: OnceLock::new(),
            flight: OnceLock::new(),
            room: Mutex::default(),
            withholding: OnceLock::new(),
            _what: std::marker::PhantomData,
        })
    }

    /// A5 to A8: role, decoding, audience and time. Of administrators and auditors those alone are served whom the
    /// configuration lists: a certificate says of which office nobody is one.
    pub(crate) fn admit<T: SignedRequest>(&self, request: &Request<T>) -> Result<T, Refusal> {
        if self.sealing.why_broken().is_some() {
            return Err(Refusal::Unavailable);
        }
        if T::ROLE == Role::Administrator && !self.administrators.listed.contains(&request.principal) {
            return Err(Refusal::Administration(AdministrationFault::NotAdministrator));
        }
        if T::ROLE == Role::Auditor && !self.auditors.contains(&request.principal) {
            return Err(Refusal::NotAuditor);
        }
        let admission = Admission {
            office: Some(&self.office),
            now: self.now(),
            question_life_s_max: self.request_life_max.as_secs(),
        };
        admission.admit(request.kind, &request.payload, &request.principal)
    }
}
