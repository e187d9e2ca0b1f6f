//! Keys that verify notes, by name (C2SP signed-note: `NAME+ID+KEY`).
//!
//! A private key is never here: what signs is given as a function from a message to its signature.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};

use crate::{
    cosignature,
    signature_line::{NoteSignature, is_key_name},
};

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignatureType {
    /// The text of a note: a log's key.
    Ed25519,
    /// A checkpoint and the time at which it was seen: a witness's key.
    Cosignature,
}

impl SignatureType {
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 1,
            Self::Cosignature => 4,
        }
    }
}

/// A public key with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteKey {
    name: String,
    signature_type: SignatureType,
    public: VerifyingKey,
}

impl NoteKey {
    /// The key of this name.
    ///
    /// # Errors
    /// [`KeyFault::Name`], [`KeyFault::Point`].
    pub fn new(name: &str, signature_type: SignatureType, public: [u8; 32]) -> Result<Self, KeyFault> {
        if !is_key_name(name) {
            return Err(KeyFault::Name);
        }
        // A key of small order verifies nothing strictly, so that nobody can have signed with it.
        let public = VerifyingKey::from_bytes(&public).ok().filter(|key| !key.is_weak());
        Ok(Self { name: name.to_owned(), signature_type, public: public.ok_or(KeyFault::Point)? })
    }

    /// Its name: of a log's key, the log's origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    #[must_use]
    pub const fn signature_type(&self) -> SignatureType {
        self.signature_type
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.public.to_bytes()
    }

    /// The number by which signatures name it, beside its name.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let digest = Sha256::new()
            .chain_update(&self.name)
            .chain_update([b'\n', self.signature_type.byte()])
            .chain_update(self.public.as_bytes());
        let digest: [u8; 32] = digest.finalize().into();
        let [a, b, c, d, ..] = digest;
        [a, b, c, d]
    }

    /// Signs a note's text with what `sign` does to a message.
    ///
    /// # Errors
    /// [`KeyFault::SignatureType`] of a witness's key; [`KeyFault::Pair`] where what was signed does not verify.
    pub fn sign(&self, text: &str, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Result<NoteSignature, KeyFault> {
        match self.signature_type {
            SignatureType::Ed25519 => self.checked(text, sign(text.as_bytes()).to_vec()),
            SignatureType::Cosignature => Err(KeyFault::SignatureType),
        }
    }

    /// Cosigns a checkpoint's text at a time (Unix seconds) with what `sign` does to a message. Whether the checkpoint continues
    /// the last one that the witness saw is asked before.
    ///
    /// # Errors
    /// [`KeyFault::SignatureType`] of a log's key; [`KeyFault::Time`]; [`KeyFault::Pair`] where what was signed does not verify.
    pub fn cosign(
        &self,
        text: &str,
        seconds: u64,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Result<NoteSignature, KeyFault> {
        match (self.signature_type, cosignature::is_time(seconds)) {
            (SignatureType::Ed25519, _) => Err(KeyFault::SignatureType),
            (SignatureType::Cosignature, false) => Err(KeyFault::Time),
            (SignatureType::Cosignature, true) => {
                let signature = sign(&cosignature::message(seconds, text));
                self.checked(text, cosignature::encode(seconds, &signature))
            }
        }
    }

    fn checked(&self, text: &str, bytes: Vec<u8>) -> Result<NoteSignature, KeyFault> {
        let signature = NoteSignature { name: self.name.clone(), id: self.id(), bytes };
        self.verify(text, &signature).map(|_| signature).ok_or(KeyFault::Pair)
    }

    /// Whether a signature names this key.
    #[must_use]
    pub fn is_of(&self, signature: &NoteSignature) -> bool {
        self.name == signature.name && self.id() == signature.id
    }

    /// Verifies its signature of a text, strictly; `None` where it does not hold. A cosignature has a time.
    #[must_use]
    pub fn verify(&self, text: &str, signature: &NoteSignature) -> Option<VerifiedBy<'_>> {
        let (seconds, message, bytes) = match self.signature_type {
            SignatureType::Ed25519 => (None, text.as_bytes().to_vec(), signature.bytes.as_slice()),
            SignatureType::Cosignature => {
                let (seconds, bytes) = cosignature::decode(&signature.bytes)?;
                (Some(seconds), cosignature::message(seconds, text), bytes)
            }
        };
        let bytes = Signature::from_slice(bytes).ok()?;
        self.public.verify_strict(&message, &bytes).ok()?;
        Some(VerifiedBy { key: self, seconds })
    }
}

/// A signature that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedBy<'k> {
    /// Whose.
    pub key: &'k NoteKey,
    /// When a witness gave it, by its own clock, in Unix seconds.
    pub seconds: Option<u64>,
}

impl fmt::Display for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[self.signature_type.byte()], self.public.as_bytes().as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id()), STANDARD.encode(key))
    }
}

impl FromStr for NoteKey {
    type Err = KeyFault;

    fn from_str(text: &str) -> Result<Self, KeyFault> {
        let (name, rest) = text.split_once('+').ok_or(KeyFault::Form)?;
        let (id, key) = rest.split_once('+').ok_or(KeyFault::Form)?;
        let key = STANDARD.decode(key).map_err(|_| KeyFault::Form)?;
        let (byte, public) = key.split_first().ok_or(KeyFault::Form)?;
        let types = [SignatureType::Ed25519, SignatureType::Cosignature];
        let known = types.into_iter().find(|known| known.byte() == *byte);
        let known = known.ok_or(KeyFault::Unknown { byte: *byte })?;
        let found = Self::new(name, known, public.try_into().map_err(|_| KeyFault::Form)?)?;
        if hex::encode(found.id()) == id { Ok(found) } else { Err(KeyFault::Id) }
    }
}

/// Why a text is no key of notes, or a key cannot sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Not three parts, or not their encodings.
    #[error("a key of notes is `NAME+ID+KEY`, the identifier 8 hexadecimal digits, the key in base64")]
    Form,
    /// No name.
    #[error("the name of a key has neither a space nor `+`, and is not empty")]
    Name,
    /// Another algorithm.
    #[error(
        "the key signs by algorithm 0x{byte:02x}: only Ed25519 (0x01) and its cosignatures (0x04) are verified here"
    )]
    Unknown {
        /// The algorithm.
        byte: u8,
    },
    /// No point, or one of small order.
    #[error("the key is no Ed25519 public key")]
    Point,
    /// The identifier is another name's or another key's.
    #[error("the identifier is not that of this name and this key")]
    Id,
    /// A log's key was to cosign, or a witness's to sign.
    #[error("a log's key signs checkpoints and a witness's cosigns them")]
    SignatureType,
    /// No such time.
    #[error("a cosignature states no time after 2^63 - 1 seconds")]
    Time,
    /// Another key signed.
    #[error("what was signed does not verify with the key: public and private key are no pair")]
    Pair,
}
