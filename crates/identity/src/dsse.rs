//! The bytes that are signed and digested: DSSE's pre-authentication encoding.

use std::fmt;

use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};

/// The type of signed or digested bytes. It is part of what is signed, so that no message can be taken for one of another type.
/// Messages from [`PayloadType::Query`] to [`PayloadType::IdentityRequest`] are signed; the others are only digested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PayloadType {
    /// A question to be answered and charged.
    Query,
    /// A question about a price.
    Estimate,
    /// A question about a description, a stored release or the log.
    Lookup,
    /// An act of an office's administrator.
    Administration,
    /// An auditor's look-up of a log.
    Audit,
    /// A coordinator's act as the witness of a log.
    Witness,
    /// The present end of a log, for a witness.
    LogHead,
    /// An office's answer.
    Release,
    /// An office's answer to a question about a price.
    Price,
    /// An office's description of what is open to the one who asks.
    Description,
    /// An office's refusal.
    Refusal,
    /// A request for certificates, which a present key of the principal signs when they are renewed.
    IdentityRequest,
    /// The canonical text of a query.
    Text,
    /// What was measured, and how.
    Plan,
    /// How the cells are laid out.
    Layout,
    /// Unit, bounds and keysets.
    Terms,
    /// A policy file.
    Policy,
    /// Integers as little-endian 64-bit words: a release's cells.
    Vector,
    /// A bit for each of a release's integers: which are hidden.
    Hidden,
    /// The members of a group.
    Roster,
    /// What an office reviews: a question's key, its grant, its principal and its purpose.
    Review,
    /// The datasets of a description.
    Datasets,
    /// A region: its name, its signing purpose and its authorities.
    Region,
}

impl PayloadType {
    /// Its full name: `application/vnd.lango.X.v1`.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Query => "application/vnd.lango.query.v1",
            Self::Estimate => "application/vnd.lango.estimate.v1",
            Self::Lookup => "application/vnd.lango.lookup.v1",
            Self::Administration => "application/vnd.lango.administration.v1",
            Self::Audit => "application/vnd.lango.audit.v1",
            Self::Witness => "application/vnd.lango.witness.v1",
            Self::LogHead => "application/vnd.lango.log-head.v1",
            Self::Release => "application/vnd.lango.release.v1",
            Self::Price => "application/vnd.lango.price.v1",
            Self::Description => "application/vnd.lango.description.v1",
            Self::Refusal => "application/vnd.lango.refusal.v1",
            Self::IdentityRequest => "application/vnd.lango.identity-request.v1",
            Self::Text => "application/vnd.lango.text.v1",
            Self::Plan => "application/vnd.lango.plan.v1",
            Self::Layout => "application/vnd.lango.layout.v1",
            Self::Terms => "application/vnd.lango.terms.v1",
            Self::Policy => "application/vnd.lango.policy.v1",
            Self::Vector => "application/vnd.lango.vector.v1",
            Self::Hidden => "application/vnd.lango.hidden.v1",
            Self::Roster => "application/vnd.lango.roster.v1",
            Self::Review => "application/vnd.lango.review.v1",
            Self::Datasets => "application/vnd.lango.datasets.v1",
            Self::Region => "application/vnd.lango.region.v1",
        }
    }
}

impl fmt::Display for PayloadType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.media_type())
    }
}

/// `PAE(payload_type, body)` of the DSSE protocol, version 1: both texts with their lengths in bytes.
#[must_use]
pub fn pae(payload_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), body.len());
    [head.as_bytes(), body].concat()
}

/// `D(X, bytes)`: SHA-256 of `PAE(payload_type, bytes)`.
#[must_use]
pub fn digest(payload_type: PayloadType, bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(pae(payload_type.media_type(), bytes)).into()
}

/// SHA-256 of bytes that are named by nothing else: a certificate, or a complete envelope.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Whether `signature` is that of `PAE(payload_type, payload)` under an Ed25519 key: RFC 8032, strictly (canonical encodings,
/// no key and no point of small order), so that all verifiers agree.
#[must_use]
pub fn verify_signature(public_key: &[u8; 32], payload_type: &str, payload: &[u8], signature: &[u8]) -> bool {
    verifies(public_key, &pae(payload_type, payload), signature)
}

fn verifies(public_key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(public_key) else { return false };
    let Ok(signature) = Signature::from_slice(signature) else { return false };
    key.verify_strict(message, &signature).is_ok()
}

#[cfg(test)]
mod vectors;

#[cfg(test)]
mod tests {
    use super::*;

    struct Vector {
        payload_type: PayloadType,
        media_type: String,
        payload: Vec<u8>,
        pae_sha256: String,
        signature: Vec<u8>,
        public_key: [u8; 32],
    }

    /// `testdata/envelopes.json`: see its note.
    fn vectors() -> Vec<Vector> {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../testdata/envelopes.json")).unwrap();
        let read = |(name, payload_type): (&str, PayloadType)| {
            let text = |field: &str| file[name][field].as_str().unwrap().to_owned();
            Vector {
                payload_type,
                media_type: text("type"),
                payload: hex::decode(text("payload")).unwrap(),
                pae_sha256: text("pae_sha256"),
                signature: hex::decode(text("signature")).unwrap(),
                public_key: hex::decode(text("public_key")).unwrap().try_into().unwrap(),
            }
        };
        [("query", PayloadType::Query), ("release", PayloadType::Release), ("refusal", PayloadType::Refusal)]
            .map(read)
            .into()
    }

    #[test]
    fn the_encoding_is_that_of_the_standard() {
        // The example of the DSSE protocol's own text.
        let encoded = pae("http://example.com/HelloWorld", b"hello world");
        assert_eq!(encoded, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
        assert_eq!(pae("", b""), b"DSSEv1 0  0 ");
        assert_eq!(pae("ä", b""), "DSSEv1 2 ä 0 ".as_bytes());
    }

    #[test]
    fn the_vectors_hold() {
        for v in vectors() {
            assert_eq!(v.payload_type.media_type(), v.media_type);
            assert_eq!(hex::encode(digest(v.payload_type, &v.payload)), v.pae_sha256);
            assert!(verify_signature(&v.public_key, &v.media_type, &v.payload, &v.signature));
        }
    }

    #[test]
    fn a_changed_vector_does_not_verify() {
        let flipped = |bytes: &[u8], at: usize| {
            let mut bytes = bytes.to_vec();
            bytes[at] ^= 1;
            bytes
        };
        for v in vectors() {
            let holds = |payload_type: &str, payload: &[u8], signature: &[u8]| {
                verify_signature(&v.public_key, payload_type, payload, signature)
            };
            for at in 0..v.payload.len() {
                assert!(!holds(&v.media_type, &flipped(&v.payload, at), &v.signature));
            }
            for at in 0..v.signature.len() {
                assert!(!holds(&v.media_type, &v.payload, &flipped(&v.signature, at)));
            }
            for payload_type in [
                PayloadType::Query,
                PayloadType::Estimate,
                PayloadType::Lookup,
                PayloadType::Administration,
                PayloadType::Release,
                PayloadType::Price,
                PayloadType::Description,
                PayloadType::Refusal,
            ] {
                assert_eq!(
                    holds(payload_type.media_type(), &v.payload, &v.signature),
                    payload_type == v.payload_type
                );
            }
            assert!(!holds(&v.media_type, &v.payload, &v.signature[..63]));
            assert!(!verify_signature(&[0; 32], &v.media_type, &v.payload, &v.signature));
        }
    }

    #[test]
    fn a_key_of_small_order_verifies_nothing() {
        // With the neutral element as key, R = 0 and s = 0 satisfy the plain equation for every message.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let signature = [neutral, [0; 32]].concat();
        assert!(!verify_signature(&neutral, "x", b"any", &signature));
    }
}
