//! Kinds of keys, and fresh ones.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::pkcs8::{EncodePrivateKey as _, KeypairBytes};
use lango_words::printable;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};
use rustls::pki_types::PrivatePkcs8KeyDer;

/// What kind of key: verifiers take these, and every tool that makes certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// ECDSA on NIST's curve P-256.
    P256,
    /// ECDSA on NIST's curve P-384.
    P384,
    /// Ed25519, which is what signs in a region.
    Ed25519,
}

impl KeyKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::P256, Self::P384, Self::Ed25519];

    /// The kind as options name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::P256 => "p256",
            Self::P384 => "p384",
            Self::Ed25519 => "ed25519",
        }
    }

    /// A fresh key of this kind.
    pub(crate) fn generate(self) -> Result<KeyPair, KeyError> {
        match self {
            Self::P256 => Ok(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?),
            Self::P384 => Ok(KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384)?),
            Self::Ed25519 => ed25519(),
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for KeyKind {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| KeyError::Unknown(printable(text)))
    }
}

/// PKCS#8 version 1, which every tool reads; ring writes a version 2 that OpenSSL refuses.
fn ed25519() -> Result<KeyPair, KeyError> {
    let mut key = KeypairBytes { secret_key: [0; 32], public_key: None };
    getrandom::fill(&mut key.secret_key).map_err(KeyError::Randomness)?;
    let der = key.to_pkcs8_der().map_err(|_| KeyError::Encoding)?;
    Ok(KeyPair::try_from(&PrivatePkcs8KeyDer::from(der.as_bytes()))?)
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No such kind.
    #[error("`{0}` is not a kind of key: p256, p384 or ed25519")]
    Unknown(String),
    /// The system gave no randomness.
    #[error("no randomness from the system: {0}")]
    Randomness(getrandom::Error),
    /// It cannot be written as PKCS#8.
    #[error("the key cannot be written as PKCS#8")]
    Encoding,
    /// Refused by the library that makes keys.
    #[error("the key cannot be made: {0}")]
    Library(#[from] rcgen::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_written_as_it_is_read() {
        for kind in KeyKind::ALL {
            assert_eq!(kind.to_string().parse::<KeyKind>().unwrap(), kind);
            assert!(kind.generate().unwrap().serialize_pem().starts_with("-----BEGIN PRIVATE KEY-----"));
        }
        let error = "rsa".parse::<KeyKind>().unwrap_err().to_string();
        assert_eq!(error, "`rsa` is not a kind of key: p256, p384 or ed25519");
    }
}
