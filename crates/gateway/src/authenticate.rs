//! Who signed this, and may the gateway read it at all: checks A1 to A8 of the protocol, in order.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use lango_identity::{EnvelopeLimits, PayloadType, Role, SpiffeId, Unauthenticated, digest, verify};
use lango_wire::{Lookup, Malformed, Question, Refusal, TimeFault, pb};

use crate::{Gateway, capacity::Room, lease::Turn, pace::Pace, withheld::Withholding};

/// The most by which two clocks of a region may differ.
pub(crate) const CLOCK_SKEW_S: u64 = 300;

/// A price enquiry or a look-up, which is free, lives at most this long: its answer is kept until then.
const FREE_LIFE_S_MAX: u64 = 3_600;

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
    /// When it came, in Unix seconds. Answers are dated by it: when they were ready is nobody's business.
    pub came_at: i64,
    /// When its answer leaves.
    pub pace: Pace,
    /// Its turn, from A9 on.
    pub turn: OnceLock<Turn>,
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

/// What can be signed as a request.
pub(crate) trait Signed: Sized {
    fn decode(bytes: &[u8], signer: &SpiffeId) -> Result<Self, Malformed>;
    fn audience(&self) -> &[SpiffeId];
    fn life(&self) -> (u64, u64);
    fn request_id(&self) -> [u8; 16];
}

impl Signed for Question {
    fn decode(bytes: &[u8], signer: &SpiffeId) -> Result<Self, Malformed> {
        Self::decode(bytes, signer)
    }
    fn audience(&self) -> &[SpiffeId] {
        &self.audience
    }
    fn life(&self) -> (u64, u64) {
        (self.issued_at, self.expires_at)
    }
    fn request_id(&self) -> [u8; 16] {
        self.request_id
    }
}

impl Signed for Lookup {
    fn decode(bytes: &[u8], signer: &SpiffeId) -> Result<Self, Malformed> {
        Self::decode(bytes, signer)
    }
    fn audience(&self) -> &[SpiffeId] {
        &self.audience
    }
    fn life(&self) -> (u64, u64) {
        (self.issued_at, self.expires_at)
    }
    fn request_id(&self) -> [u8; 16] {
        self.request_id
    }
}

impl Gateway {
    /// A1 to A4: a caller who fails here learns nothing.
    pub(crate) fn authenticate<T: Signed>(
        &self,
        envelope: Option<pb::Envelope>,
        kind: PayloadType,
    ) -> Result<Request<T>, Unauthenticated> {
        let (pace, came_at) = (Pace::begin(), self.now());
        let envelope = envelope.unwrap_or_default().into();
        let verified = verify(&envelope, kind, &self.region, came_at, EnvelopeLimits::default())?;
        let (principal, payload) = (verified.principal, verified.payload);
        let digest = digest(kind, &payload);
        let (withholding, _what) = (OnceLock::new(), std::marker::PhantomData);
        let (turn, room) = (OnceLock::new(), Mutex::default());
        Ok(Request { principal, kind, digest, payload, came_at, pace, turn, room, withholding, _what })
    }

    /// A5 to A8: role, decoding, audience and time.
    pub(crate) fn admit<T: Signed>(&self, request: &Request<T>, role: Role) -> Result<T, Refusal> {
        if request.principal.role() != role {
            return Err(Refusal::Role(role));
        }
        let signed = T::decode(&request.payload, &request.principal)?;
        if !signed.audience().contains(&self.office) {
            return Err(Refusal::NotAddressed(self.office.clone()));
        }
        let now = u64::try_from(self.now()).unwrap_or_default();
        let (issued_at, expires_at) = signed.life();
        if issued_at > now + CLOCK_SKEW_S {
            return Err(Refusal::Time(TimeFault::Future { now, issued_at }));
        }
        if expires_at <= now {
            return Err(Refusal::Time(TimeFault::Expired));
        }
        let life_s_max = match request.kind {
            PayloadType::Query => self.request_life_max.as_secs(),
            _ => self.request_life_max.as_secs().min(FREE_LIFE_S_MAX),
        };
        if expires_at.checked_sub(issued_at).is_none_or(|life| life > life_s_max) {
            return Err(Refusal::Time(TimeFault::Life { life_s_max }));
        }
        Ok(signed)
    }
}
