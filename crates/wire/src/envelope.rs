//! Envelopes on the wire.

use lango_identity::Envelope;

use crate::pb;

impl From<pb::Envelope> for Envelope {
    fn from(envelope: pb::Envelope) -> Self {
        let pb::Envelope { r#type, payload, signature, certificates } = envelope;
        Self { kind: r#type, payload, signature, certificates }
    }
}

impl From<Envelope> for pb::Envelope {
    fn from(envelope: Envelope) -> Self {
        let Envelope { kind, payload, signature, certificates } = envelope;
        Self { r#type: kind, payload, signature, certificates }
    }
}
