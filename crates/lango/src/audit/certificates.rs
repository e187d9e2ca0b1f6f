//! The keys of a log, by the certificates that its office has had.

use lango_access_log::{CheckpointError, NoteKey, SignatureType, SignedCheckpoint, log_origin};
use lango_identity::{Facts, Region, signing_key};

use crate::failure::Failure;

/// Verifies that a checkpoint was signed with the key of a chain which was good at a moment, in Unix seconds, and is of the
/// office whose log it says it is.
pub fn verify_signed(
    signed: &SignedCheckpoint,
    chain: &[Vec<u8>],
    region: &Region,
    at: i64,
) -> Result<[u8; 32], Failure> {
    let (office, key) = signing_key(chain, region, at)
        .map_err(|fault| Failure::of("the certificate of the log's key", fault))?;
    let origin = log_origin(&office.to_string()).unwrap_or_default();
    let log = NoteKey::new(&origin, SignatureType::Ed25519, key)?;
    signed.verify(&log)?;
    Ok(key)
}

/// The same with several chains, one of which is to be the one. A checkpoint may be signed later than the last entry that it
/// covers, with a key that was certified since: each chain is held against that moment, or its own beginning where that is later.
pub fn verify_signed_by_any(
    signed: &SignedCheckpoint,
    chains: &[Vec<Vec<u8>>],
    region: &Region,
    at: i64,
) -> Result<[u8; 32], Failure> {
    let mut last = Failure::from(CheckpointError::from(lango_access_log::NoteError::Unsigned));
    for chain in chains {
        match verify_signed(signed, chain, region, good_from(chain, at)) {
            Ok(key) => return Ok(key),
            Err(failure) => last = failure,
        }
    }
    Err(last)
}

/// The first moment from this one on at which a chain's own certificate is good, in Unix seconds.
fn good_from(chain: &[Vec<u8>], at: i64) -> i64 {
    let begins = chain.first().and_then(|own| Facts::read(own).ok()).map(|facts| facts.not_before);
    begins.map_or(at, |begins| begins.max(at))
}
