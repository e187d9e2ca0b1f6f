//! Witnessing another log: what is cosigned of it goes on where the last one ended that was cosigned, which the store keeps.

use lango_access_log::{
    CheckpointError, KeyFault, NoteKey, ProofError, SignatureType, SignedCheckpoint, TreeHash, log_origin,
    verify_consistency,
};
use lango_identity::{Signer, SpiffeId};
use lango_store::{CheckpointKind, Store, StoreError};

/// Why a checkpoint of another log is not cosigned.
#[derive(Debug, thiserror::Error)]
pub enum CosignError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key signs no checkpoints.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// It is no checkpoint of that log.
    #[error("it is no checkpoint of its log: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The log does not go on where the last checkpoint ended.
    #[error(
        "the log of {size} entries does not go on where the last checkpoint that was cosigned ended, at {held}: it was cut back, or \
         shows two faces ({proof})"
    )]
    Fork {
        /// As is held.
        held: u64,
        /// As it shows.
        size: u64,
        /// What is wrong with the proof.
        proof: ProofError,
    },
    /// Another server on the store cosigned another one meanwhile.
    #[error("another checkpoint of the log was cosigned meanwhile")]
    Meanwhile,
}

/// The last checkpoint of a principal's log that was cosigned.
///
/// # Errors
/// The store's.
pub async fn held(store: &Store, whose: &SpiffeId) -> Result<Option<SignedCheckpoint>, CosignError> {
    let Some(origin) = log_origin(&whose.to_string()) else { return Ok(None) };
    let kept = store.checkpoint(CheckpointKind::Of(origin)).await?;
    Ok(kept.map(|(_, note)| note.parse()).transpose()?)
}

/// Cosigns a checkpoint of a principal's log, which its key signed, at `seconds` (Unix); kept before it is returned.
///
/// # Errors
/// [`CosignError`]: then nothing has changed.
pub async fn cosign(
    store: &Store,
    signer: &Signer,
    (whose, key): (&SpiffeId, [u8; 32]),
    (note, proof): (&str, &[[u8; 32]]),
    seconds: u64,
) -> Result<SignedCheckpoint, CosignError> {
    let origin = log_origin(&whose.to_string()).ok_or(KeyFault::Name)?;
    let shown: SignedCheckpoint = note.parse()?;
    let new = shown.verify(&NoteKey::new(&origin, SignatureType::Ed25519, key)?)?.clone();
    let held = held(store, whose).await?;
    if let Some(old) = held.as_ref().map(SignedCheckpoint::unverified) {
        let proof: Vec<TreeHash> = proof.iter().copied().map(TreeHash).collect();
        verify_consistency(old.size, old.root, new.size, new.root, &proof)
            .map_err(|proof| CosignError::Fork { held: old.size, size: new.size, proof })?;
    }
    let name = log_origin(&signer.principal().to_string()).ok_or(KeyFault::Name)?;
    let witness = NoteKey::new(&name, SignatureType::Cosignature, signer.public_key())?;
    let cosigned = shown.cosign(&witness, seconds, |message| signer.sign_message(message))?;
    let (before, kept) = (held.map(|held| held.to_string()), (new.size, cosigned.to_string()));
    match store.follow(CheckpointKind::Of(origin), before, kept).await? {
        true => Ok(cosigned),
        false => Err(CosignError::Meanwhile),
    }
}
