//! Checkpoints: how large a log is and what its root is, signed by the log and cosigned by witnesses (C2SP tlog-checkpoint).

use std::{fmt, str::FromStr};

use crate::{
    cosignature,
    frontier::SIZE_MOST,
    hash::TreeHash,
    note::{NoteError, SignedNote},
    note_key::{KeyFault, NoteKey, SignatureType, VerifiedBy},
};

/// The name of the log of a principal: its SPIFFE URI without the scheme, as C2SP names logs. `None` of what is no such URI.
#[must_use]
pub fn log_origin(principal: &str) -> Option<String> {
    principal.strip_prefix("spiffe://").map(str::to_owned)
}

/// How large a log is, and its root. It prints as the text that is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: its name in all of time.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// The root of their tree.
    pub root: TreeHash,
    /// Lines of another's log that say more. Lango writes none: nobody who audits a tree can verify them.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// The checkpoint of a log of Lango's.
    #[must_use]
    pub fn new(origin: &str, size: u64, root: TreeHash) -> Self {
        Self { origin: origin.to_owned(), size, root, extensions: Vec::new() }
    }

    /// Signs it with the log's key; `sign` makes a message's signature.
    ///
    /// # Errors
    /// [`CheckpointError`] where the key is not the log's, or what is to be signed is no checkpoint.
    pub fn sign(
        self,
        key: &NoteKey,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Result<SignedCheckpoint, CheckpointError> {
        let text = self.to_string();
        if text.parse() != Ok(self) {
            return Err(CheckpointError::Text);
        }
        let signature = key.sign(&text, sign)?;
        let signed = SignedCheckpoint::of(SignedNote::new(text, vec![signature])?)?;
        signed.verify(key)?;
        Ok(signed)
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root)?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.strip_suffix('\n').ok_or(CheckpointError::Text)?.split('\n');
        let mut next = || lines.next().filter(|line| !line.is_empty()).ok_or(CheckpointError::Text);
        let (origin, size, root) = (next()?, next()?, next()?);
        let number =
            size.parse().ok().filter(|number: &u64| *number <= SIZE_MOST && number.to_string() == size);
        let number = number.ok_or(CheckpointError::Size)?;
        let root = root.parse().map_err(|_| CheckpointError::Root)?;
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(CheckpointError::Text);
        }
        Ok(Self { origin: origin.to_owned(), size: number, root, extensions })
    }
}

/// A checkpoint with signatures, which are not verified. It prints as the note that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: SignedNote,
}

impl SignedCheckpoint {
    fn of(note: SignedNote) -> Result<Self, CheckpointError> {
        Ok(Self { checkpoint: note.text().parse()?, note })
    }

    /// What it says, verified or not.
    #[must_use]
    pub const fn unverified(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note that it is.
    #[must_use]
    pub const fn note(&self) -> &SignedNote {
        &self.note
    }

    /// Verifies that the log of this key signed it, and returns what it says.
    ///
    /// # Errors
    /// [`CheckpointError`]: another log's, a witness's key, or no signature that holds.
    pub fn verify(&self, log: &NoteKey) -> Result<&Checkpoint, CheckpointError> {
        if log.signature_type() != SignatureType::Ed25519 {
            return Err(KeyFault::SignatureType.into());
        }
        if log.name() != self.checkpoint.origin {
            let (expected, found) = (log.name().to_owned(), self.checkpoint.origin.clone());
            return Err(CheckpointError::Origin { expected, found });
        }
        self.note.verify(&[log])?;
        Ok(&self.checkpoint)
    }

    /// The cosignatures of these witnesses that hold: whose, and of when. Others are ignored; there may be none.
    ///
    /// # Errors
    /// [`NoteError::Invalid`] where one of a known witness does not hold, and [`NoteError::Ambiguous`].
    pub fn cosigned<'k>(&self, witnesses: &[&'k NoteKey]) -> Result<Vec<VerifiedBy<'k>>, NoteError> {
        match self.note.verify(witnesses) {
            Err(NoteError::Unsigned) => Ok(Vec::new()),
            verified => verified,
        }
    }

    /// When the last of its cosignatures was made, by the witness's own clock, in Unix seconds: as stated, verified or not.
    #[must_use]
    pub fn cosigned_at(&self) -> Option<u64> {
        let others =
            self.note.signatures().iter().filter(|signature| signature.name != self.checkpoint.origin);
        others.filter_map(|signature| cosignature::stated(&signature.bytes)).max()
    }

    /// Adds a witness's cosignature at a time (Unix seconds); `sign` makes a message's signature.
    ///
    /// # Errors
    /// [`CheckpointError`] where the key is no witness's.
    pub fn cosign(
        self,
        witness: &NoteKey,
        seconds: u64,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Result<Self, CheckpointError> {
        let signature = witness.cosign(self.note.text(), seconds, sign)?;
        Ok(Self { checkpoint: self.checkpoint, note: self.note.with(signature)? })
    }
}

impl SignedCheckpoint {
    /// Takes over the signatures of a witness from the same checkpoint.
    ///
    /// # Errors
    /// [`NoteError::Signatures`] where there are too many.
    pub fn join(self, other: &Self, witness: &NoteKey) -> Result<Self, NoteError> {
        let theirs = other.note.signatures().iter().filter(|line| witness.is_of(line));
        let is_same = self.note.text() == other.note.text();
        let note = theirs.filter(|_| is_same).try_fold(self.note, |note, line| note.with(line.clone()))?;
        Ok(Self { checkpoint: self.checkpoint, note })
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

impl FromStr for SignedCheckpoint {
    type Err = CheckpointError;

    fn from_str(note: &str) -> Result<Self, CheckpointError> {
        Self::of(note.parse()?)
    }
}

/// Why a checkpoint is not read, or proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note is none, or its signatures prove nothing.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The key is of the wrong kind, or its halves are no pair.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// Not the lines of a checkpoint.
    #[error("a checkpoint has an origin, a size and a root, each on a line, and no empty line")]
    Text,
    /// No size.
    #[error("the second line of a checkpoint is the size: a decimal below 2^63 without leading zeroes")]
    Size,
    /// No root.
    #[error("the third line of a checkpoint is the root: 32 bytes in base64")]
    Root,
    /// The checkpoint of another log.
    #[error("the checkpoint is of `{found}` and not of `{expected}`")]
    Origin {
        /// The log whose key is trusted.
        expected: String,
        /// The log that it is of.
        found: String,
    },
}

#[cfg(test)]
mod tests;
