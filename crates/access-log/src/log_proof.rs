//! A proof in one file, for one who has the log's key and nothing else of it (C2SP tlog-proof).

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint},
    hash::TreeHash,
    note_key::NoteKey,
    verify::{ProofError, verify_inclusion},
};

const HEAD: &str = "c2sp.org/tlog-proof@v1";

/// The most hashes of a proof: one for each level of the largest tree.
const HASHES_MOST: usize = 63;

/// That an entry is in a log: its place, the hashes beside its way to the root, and the signed root. It prints as the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogProof {
    /// Bytes beside it, of which nothing is proven.
    pub extra: Option<Vec<u8>>,
    /// The entry's number, from 0.
    pub index: u64,
    /// The proof of inclusion, from the leaf up.
    pub hashes: Vec<TreeHash>,
    /// The checkpoint that it leads to, with all its signatures.
    pub checkpoint: SignedCheckpoint,
}

impl LogProof {
    /// Verifies that the log of this key signed a checkpoint with this entry in it, and returns the checkpoint. What witnesses
    /// say of that is asked of the checkpoint.
    ///
    /// # Errors
    /// [`LogProofError`].
    pub fn verify(&self, entry: &[u8], log: &NoteKey) -> Result<&Checkpoint, LogProofError> {
        let checkpoint = self.checkpoint.verify(log)?;
        let leaf = TreeHash::of_leaf(entry);
        verify_inclusion(leaf, self.index, checkpoint.size, checkpoint.root, &self.hashes)?;
        Ok(checkpoint)
    }
}

impl fmt::Display for LogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for LogProof {
    type Err = LogProofError;

    fn from_str(text: &str) -> Result<Self, LogProofError> {
        let (head, note) = text.split_once("\n\n").ok_or(LogProofError::Parts)?;
        let mut lines = head.split('\n').zip(1..);
        let mut next = || lines.next().ok_or(LogProofError::Parts);
        if next()?.0 != HEAD {
            return Err(LogProofError::Head);
        }
        let (mut line, mut number) = next()?;
        let mut extra = None;
        if let Some(encoded) = line.strip_prefix("extra ") {
            extra = Some(STANDARD.decode(encoded).map_err(|_| LogProofError::Line { number })?);
            (line, number) = next()?;
        }
        let index = line
            .strip_prefix("index ")
            .and_then(|digits| digits.parse().ok().filter(|index: &u64| index.to_string() == digits));
        let index = index.ok_or(LogProofError::Line { number })?;
        let mut hashes = Vec::new();
        for (line, number) in lines {
            let hash = line.parse().ok().filter(|_| hashes.len() < HASHES_MOST);
            hashes.push(hash.ok_or(LogProofError::Line { number })?);
        }
        Ok(Self { extra, index, hashes, checkpoint: note.parse()? })
    }
}

/// Why a proof is not read, or proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogProofError {
    /// Not the parts of a proof.
    #[error("a proof of a log is its head, the index, hashes, an empty line and a checkpoint")]
    Parts,
    /// Another kind of file, or another version of it.
    #[error("the first line of a proof is `{HEAD}`")]
    Head,
    /// A line that cannot stand there.
    #[error(
        "line {number} of the proof is not what belongs there: `extra BASE64` or none, `index NUMBER`, then hashes"
    )]
    Line {
        /// Which, from 1.
        number: usize,
    },
    /// The checkpoint proves nothing.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The entry is not in the tree.
    #[error(transparent)]
    Inclusion(#[from] ProofError),
}

#[cfg(test)]
mod tests;
