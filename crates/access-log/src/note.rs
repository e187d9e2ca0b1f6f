//! Signed notes: a text, an empty line, and a line for each signature (C2SP signed-note).

use std::{fmt, str::FromStr};

use crate::{
    note_key::{NoteKey, VerifiedBy},
    signature_line::NoteSignature,
};

/// The most signatures of a note that is read.
const SIGNATURES_MOST: usize = 64;

/// A text with signatures, which are not verified. It prints as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl SignedNote {
    /// A text, which ends in a line end, with its signatures.
    ///
    /// # Errors
    /// [`NoteError::Text`], [`NoteError::Signatures`].
    pub fn new(text: String, signatures: Vec<NoteSignature>) -> Result<Self, NoteError> {
        if !text.ends_with('\n') || text.contains(is_control) {
            return Err(NoteError::Text);
        }
        match signatures.len() {
            1..=SIGNATURES_MOST => Ok(Self { text, signatures }),
            count => Err(NoteError::Signatures { count }),
        }
    }

    /// The text, to its last line end. It means nothing before a signature is verified.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, those of unknown keys included.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// The note with one signature more; one of the same key gives way to it.
    ///
    /// # Errors
    /// [`NoteError::Signatures`].
    pub fn with(mut self, signature: NoteSignature) -> Result<Self, NoteError> {
        self.signatures.retain(|other| (&other.name, other.id) != (&signature.name, signature.id));
        self.signatures.push(signature);
        Self::new(self.text, self.signatures)
    }

    /// Verifies the signatures of these keys; others are ignored. Each key is found once, in the order of the signatures.
    ///
    /// # Errors [`NoteError::Invalid`] where a signature of a known key does not hold: such a note is refused whole.
    /// [`NoteError::Unsigned`] where no known key signed. [`NoteError::Ambiguous`] where two of the keys have a name and a number
    /// in common.
    pub fn verify<'k>(&self, keys: &[&'k NoteKey]) -> Result<Vec<VerifiedBy<'k>>, NoteError> {
        let mut found: Vec<VerifiedBy<'k>> = Vec::new();
        for signature in &self.signatures {
            let mut named = keys.iter().copied().filter(|key| key.is_of(signature));
            let Some(key) = named.next() else { continue };
            if named.any(|other| other != key) {
                return Err(NoteError::Ambiguous { name: key.name().to_owned() });
            }
            let invalid = || NoteError::Invalid { name: key.name().to_owned() };
            let verified = key.verify(&self.text, signature).ok_or_else(invalid)?;
            if !found.iter().any(|before| before.key == key) {
                found.push(verified);
            }
        }
        if found.is_empty() { Err(NoteError::Unsigned) } else { Ok(found) }
    }
}

/// Whether a note must not hold it.
const fn is_control(c: char) -> bool {
    c < ' ' && c != '\n'
}

impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl FromStr for SignedNote {
    type Err = NoteError;

    fn from_str(note: &str) -> Result<Self, NoteError> {
        // The last empty line parts the text, which may hold others, from the signatures.
        let parted = note.rfind("\n\n").and_then(|at| note.split_at_checked(at + 1));
        let (text, rest) = parted.ok_or(NoteError::Parts)?;
        let lines =
            rest.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n')).ok_or(NoteError::Parts)?;
        let mut signatures = Vec::new();
        for (line, number) in lines.split('\n').zip(1..) {
            if number > SIGNATURES_MOST {
                return Err(NoteError::Signatures { count: lines.split('\n').count() });
            }
            signatures.push(NoteSignature::read(line).ok_or(NoteError::Line { number })?);
        }
        Self::new(text.to_owned(), signatures)
    }
}

/// Why a note is not read, or proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// No empty line, or no line end behind the last signature.
    #[error("a signed note is a text, an empty line, and signatures, each line with its end")]
    Parts,
    /// The text is none of a note.
    #[error("the text of a note ends in a line end and has no other control character")]
    Text,
    /// A line is no signature.
    #[error("signature {number} is not `— NAME BASE64`")]
    Line {
        /// Which, from 1.
        number: usize,
    },
    /// None, or too many.
    #[error("a note has 1 to {SIGNATURES_MOST} signatures, not {count}")]
    Signatures {
        /// How many.
        count: usize,
    },
    /// A known key's signature does not hold.
    #[error("the signature of `{name}` does not hold")]
    Invalid {
        /// The key's name.
        name: String,
    },
    /// No key that is known signed.
    #[error("none of the keys that are trusted signed it")]
    Unsigned,
    /// Two keys that signatures name alike.
    #[error("two of the keys that are trusted are named `{name}` and have the same number")]
    Ambiguous {
        /// Their name.
        name: String,
    },
}

#[cfg(test)]
mod tests;
