//! Which logs are believed, and which witnesses must have cosigned (C2SP tlog-policy).

use std::{collections::BTreeMap, fmt};

use crate::{
    checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint},
    note::NoteError,
    note_key::NoteKey,
};

mod read;

pub use read::{WitnessPolicyError, WitnessPolicyFault};

/// A log that is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownLog {
    /// Its key, which has its origin for a name.
    pub key: NoteKey,
    /// Where it is, where the policy says so.
    pub url: Option<String>,
}

/// A witness that is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownWitness {
    /// Its name in the policy.
    pub name: String,
    /// Its key.
    pub key: NoteKey,
    /// Where it is, where the policy says so.
    pub url: Option<String>,
}

/// A policy: known logs, known witnesses, and what quorum of them must have cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessPolicy {
    logs: Vec<KnownLog>,
    witnesses: Vec<KnownWitness>,
    quorum: Quorum,
}

/// What must have cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Quorum {
    Nothing,
    Witness(usize),
    /// At least this many of these.
    Several(usize, Vec<Quorum>),
}

impl Quorum {
    /// The earliest time at which this quorum had cosigned, by the times of those who did; `None` where it has not. A quorum of
    /// nobody has at time 0.
    fn reached(&self, times: &BTreeMap<usize, u64>) -> Option<u64> {
        match self {
            Self::Nothing => Some(0),
            Self::Witness(witness) => times.get(witness).copied(),
            Self::Several(least, members) => {
                let mut reached: Vec<u64> =
                    members.iter().filter_map(|member| member.reached(times)).collect();
                reached.sort_unstable();
                reached.get(least.checked_sub(1)?).copied()
            }
        }
    }
}

/// What witnesses say of a checkpoint whose quorum is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnessed<'p> {
    /// What is witnessed.
    pub checkpoint: &'p Checkpoint,
    /// Who cosigned, by the policy's names, and when by each one's own clock, in Unix seconds; in the policy's order.
    pub cosigned: Vec<(&'p str, u64)>,
    /// When the quorum had cosigned, in Unix seconds; `None` where the policy asks for no cosignature.
    pub quorum_at: Option<u64>,
}

impl WitnessPolicy {
    /// Reads a policy, strictly.
    ///
    /// # Errors
    /// [`WitnessPolicyError`] with the line.
    pub fn read(text: &str) -> Result<Self, WitnessPolicyError> {
        read::policy(text)
    }

    /// The logs that are believed, in the policy's order.
    #[must_use]
    pub fn logs(&self) -> &[KnownLog] {
        &self.logs
    }

    /// The witnesses that are believed, in the policy's order.
    #[must_use]
    pub fn witnesses(&self) -> &[KnownWitness] {
        &self.witnesses
    }

    /// Verifies that a log of the policy signed the checkpoint, and that the quorum cosigned it.
    ///
    /// # Errors
    /// [`Unwitnessed`].
    pub fn verify<'p>(&'p self, signed: &'p SignedCheckpoint) -> Result<Witnessed<'p>, Unwitnessed> {
        let origin = &signed.unverified().origin;
        let mut named = self.logs.iter().filter(|log| log.key.name() == origin).peekable();
        if named.peek().is_none() {
            return Err(Unwitnessed::Log { origin: origin.clone() });
        }
        // A log that changes its key has two for a time.
        let verified = named.map(|log| signed.verify(&log.key));
        let checkpoint = verified.reduce(|first, next| match &first {
            Err(CheckpointError::Note(NoteError::Unsigned)) => next,
            Ok(_) | Err(_) => first,
        });
        let checkpoint = checkpoint.unwrap_or(Err(NoteError::Unsigned.into()))?;
        let keys: Vec<&NoteKey> = self.witnesses.iter().map(|witness| &witness.key).collect();
        let verified = signed.cosigned(&keys).map_err(CheckpointError::from)?;
        let time = |key: &NoteKey| verified.iter().find(|by| by.key == key).and_then(|by| by.seconds);
        let cosigned: BTreeMap<usize, u64> =
            keys.iter().enumerate().filter_map(|(number, key)| Some((number, time(key)?))).collect();
        let quorum_at = self.quorum.reached(&cosigned);
        let named =
            |(number, seconds): (&usize, &u64)| Some((self.witnesses.get(*number)?.name.as_str(), *seconds));
        let cosigned: Vec<(&str, u64)> = cosigned.iter().filter_map(named).collect();
        let Some(at) = quorum_at else {
            return Err(Unwitnessed::Quorum { cosigned: cosigned.len(), witnesses: keys.len() });
        };
        let quorum_at = Some(at).filter(|_| self.quorum != Quorum::Nothing);
        Ok(Witnessed { checkpoint, cosigned, quorum_at })
    }
}

impl fmt::Display for KnownWitness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Why a policy does not let a checkpoint count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unwitnessed {
    /// The policy knows no such log.
    #[error("the policy knows no log `{origin}`")]
    Log {
        /// The checkpoint's origin.
        origin: String,
    },
    /// A signature is missing or does not hold.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Too few cosigned, or the wrong ones.
    #[error("{cosigned} of {witnesses} witnesses cosigned, which is not the policy's quorum")]
    Quorum {
        /// How many of the policy's witnesses did.
        cosigned: usize,
        /// How many it has.
        witnesses: usize,
    },
}

#[cfg(test)]
mod tests;
