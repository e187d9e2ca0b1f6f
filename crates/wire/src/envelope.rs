//! Envelopes on the wire.

use lango_identity::{Envelope, sha256};

use prost::Message;

use crate::pb;

impl From<pb::Envelope> for Envelope {
    fn from(envelope: pb::Envelope) -> Self {
        let pb::Envelope { r#type, payload, signature, certificates } = envelope;
        Self { payload_type: r#type, payload, signature, certificates }
    }
}

impl From<Envelope> for pb::Envelope {
    fn from(envelope: Envelope) -> Self {
        let Envelope { payload_type, payload, signature, certificates } = envelope;
        Self { r#type: payload_type, payload, signature, certificates }
    }
}

/// SHA-256 of a complete envelope, signature and certificates included: how a log names it.
pub fn envelope_digest(envelope: &pb::Envelope) -> [u8; 32] {
    sha256(&envelope.encode_to_vec())
}

/// An envelope as it is kept.
pub fn envelope_bytes(envelope: Envelope) -> Vec<u8> {
    pb::Envelope::from(envelope).encode_to_vec()
}

/// An envelope that was kept; nothing where it cannot be read.
pub fn kept_envelope(bytes: &[u8]) -> Option<Envelope> {
    pb::Envelope::decode(bytes).ok().map(Into::into)
}
