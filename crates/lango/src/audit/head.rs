//! What an office says of its log's end.

use lango_access_log::SignedCheckpoint;

/// A log's present end.
pub struct Head {
    pub checkpoint: SignedCheckpoint,
    /// The chain of the key that signed it, DER.
    pub chain: Vec<Vec<u8>>,
    /// The last checkpoint that a witness cosigned, where one did.
    pub witnessed: Option<SignedCheckpoint>,
}
