//! Proving an entry to somebody who has the log's key and nothing else.

use lango_access_log::{LogProof, NoteKey, SignatureType, prove_inclusion};
use lango_identity::{Region, signing_key};

use super::{folder::LogFolder, verify::entry_bytes};
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
    let at =
        serde_json::from_slice::<serde_json::Value>(&entry)?.get("at").and_then(serde_json::Value::as_i64);
    let origin = proof.checkpoint.unverified().origin.clone();
    let mut last = Failure::of(folder.path().display(), "holds no certificate of the log's key");
    for chain in folder.chains()? {
        let key = signing_key(&chain, region, at.unwrap_or_default())
            .map_err(Failure::from)
            .and_then(|(_, key)| Ok(NoteKey::new(&origin, SignatureType::Ed25519, key)?));
        match key.and_then(|key| Ok(proof.verify(&entry, &key).map(|_| key)?)) {
            Ok(key) => return Ok(ProvenEntry { entry, proof, key: key.to_string() }),
            Err(failure) => last = failure,
        }
    }
    Err(last)
}
