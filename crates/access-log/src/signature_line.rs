//! A line that a signature of a note stands on.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// A signature of a note's text: whose it says that it is, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// The key's name.
    pub name: String,
    /// The key's number.
    pub id: [u8; 4],
    /// What the key made of the text.
    pub bytes: Vec<u8>,
}

impl NoteSignature {
    /// Reads a line, without its end.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix("— ")?.split_once(' ')?;
        let bytes = STANDARD.decode(encoded).ok()?;
        let (id, bytes) = bytes.split_first_chunk::<4>()?;
        let found = Self { name: name.to_owned(), id: *id, bytes: bytes.to_vec() };
        Some(found).filter(|found| is_key_name(name) && !found.bytes.is_empty())
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = STANDARD.encode([&self.id[..], &self.bytes].concat());
        write!(f, "— {} {encoded}", self.name)
    }
}

/// Whether a text can be a key's name: not empty, without spaces and `+`.
pub(crate) fn is_key_name(text: &str) -> bool {
    let is_wrong = |c: char| c.is_whitespace() || c == '+' || c < ' ';
    !text.is_empty() && !text.contains(is_wrong)
}
