//! Envelopes on the wire.

use lango_identity::Envelope;

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
