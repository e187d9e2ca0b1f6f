//! Who signed this, and may the gateway read it at all: checks A1 to A8 of the protocol, in order.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use lango_identity::{
    Envelope, EnvelopeLimits, PayloadType, Role, SpiffeId, Unauthenticated, digest, verify,
};
use lango_transport::{Room, Share};
use lango_wire::{AdministrationFault, Admission, Refusal, SignedRequest, pb};

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
    /// From which address it was sent, as places are counted for it.
    pub peer: String,
    /// When it came, in Unix seconds. Answers are dated by it: when they were ready is nobody's business.
    pub came_at: i64,
    /// The policy that it is decided by, from its beginning to its end.
    pub policy: Arc<PolicyInForce>,
    /// When its answer leaves.
    pub pace: Pace,
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
        let envelope: Envelope = envelope.unwrap_or_default().into();
        let verified = verify(&envelope, kind, &self.region, came_at, EnvelopeLimits::default())?;
        Ok(Request {
            digest: digest(kind, &verified.payload),
            principal: verified.principal,
            payload: verified.payload,
            envelope: (kind == PayloadType::Administration).then_some(envelope),
            kind,
            peer,
            came_at,
            policy: self.policy(),
            pace,
            turn: OnceLock::new(),
            share: OnceLock::new(),
            flight: OnceLock::new(),
            room: Mutex::default(),
            withholding: OnceLock::new(),
            _what: std::marker::PhantomData,
        })
    }

    /// A5 to A8: role, decoding, audience and time. Of administrators those alone are served whom the configuration lists: a
    /// certificate says whose administrator nobody is.
    pub(crate) fn admit<T: SignedRequest>(&self, request: &Request<T>) -> Result<T, Refusal> {
        if T::ROLE == Role::Administrator && !self.administrators.listed.contains(&request.principal) {
            return Err(Refusal::Administration(AdministrationFault::NotAdministrator));
        }
        let admission = Admission {
            office: Some(&self.office),
            now: self.now(),
            question_life_s_max: self.request_life_max.as_secs(),
        };
        admission.admit(request.kind, &request.payload, &request.principal)
    }
}
