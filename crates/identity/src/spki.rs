//! Public keys: which one, and of what kind.

use rustls::pki_types::CertificateDer;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::key::KeyKind;

pub(crate) const ED25519: &str = "1.3.101.112";
const ECDSA: &str = "1.2.840.10045.2.1";
const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
const RSA: &str = "1.2.840.113549.1.1.1";

/// The key of a certificate, with its algorithm (`SubjectPublicKeyInfo`).
pub(crate) fn public_key(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(certificate.public_key().raw.to_vec())
}

/// The kind, where it is one of those that Lango makes.
pub(crate) fn key_kind(key: &SubjectPublicKeyInfo<'_>) -> Option<KeyKind> {
    let parameters = key.algorithm.parameters.as_ref();
    match key.algorithm.algorithm.to_id_string().as_str() {
        ED25519 if parameters.is_none() => Some(KeyKind::Ed25519),
        ECDSA => match parameters?.as_oid().ok()?.to_id_string().as_str() {
            P256 => Some(KeyKind::P256),
            P384 => Some(KeyKind::P384),
            _ => None,
        },
        _ => None,
    }
}

/// The kind in words, of other keys too.
pub(crate) fn key_words(key: &SubjectPublicKeyInfo<'_>) -> String {
    match (key_kind(key), key.algorithm.algorithm.to_id_string()) {
        (Some(KeyKind::Ed25519), _) => "Ed25519".to_owned(),
        (Some(KeyKind::P256), _) => "ECDSA on P-256".to_owned(),
        (Some(KeyKind::P384), _) => "ECDSA on P-384".to_owned(),
        (None, algorithm) if algorithm == RSA => {
            let bits = key.parsed().map_or(0, |key| key.key_size());
            format!("RSA of {bits} bits")
        }
        (None, algorithm) => format!("of another kind ({algorithm})"),
    }
}
