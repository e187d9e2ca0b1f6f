//! Proving an entry to somebody who has the log's key and nothing else.

use lango_access_log::{LogProof, NoteKey, SignatureType, prove_inclusion};
use lango_identity::Region;

use super::{
    certificates::verify_signed_by_any,
    folder::LogFolder,
    verify::{entry_bytes, time_in},
};
use crate::failure::Failure;

/// A proof of an entry, and what it is verified with.
pub struct ProvenEntry {
    /// The entry's bytes, as they are hashed.
    pub entry: Vec<u8>,
    /// A C2SP tlog-proof.
    pub proof: LogProof,
    /// The log's key, as verifiers of notes take it.
    pub key: String,
}

/// Proves an entry of a held log, and verifies that before anybody else does.
pub fn prove(folder: &LogFolder, region: &Region, index: u64) -> Result<ProvenEntry, Failure> {
    let checkpoint = folder.held()?;
    let size = checkpoint.unverified().size;
    let entry = entry_bytes(folder, index, size)?.ok_or_else(|| {
        Failure::Usage(format!("there is no entry {index}: the log has {size}, which count from 0"))
    })?;
    let hashes = prove_inclusion(index, size, |id| folder.tile_there(id))
        .map_err(|error| Failure::of(folder.path().display(), error))?;
    let proof = LogProof { extra: None, index, hashes, checkpoint };
    // The checkpoint is of the log's end, whose key need not be the one of the entry's time.
    let last = entry_bytes(folder, size.saturating_sub(1), size)?.unwrap_or_default();
    let at = time_in(&last).unwrap_or_default();
    let key = verify_signed_by_any(&proof.checkpoint, &folder.chains()?, region, at)?;
    let key = NoteKey::new(&proof.checkpoint.unverified().origin, SignatureType::Ed25519, key)?;
    proof.verify(&entry, &key)?;
    Ok(ProvenEntry { entry, proof, key: key.to_string() })
}
