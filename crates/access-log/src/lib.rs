//! What does a log say, and was anything in it changed? Entries, the tree over them, checkpoints, proofs and their verification.
//!
//! The formats are those of C2SP: `tlog-tiles`, `tlog-checkpoint`, `signed-note`, `tlog-cosignature`, `tlog-proof` and
//! `tlog-policy`, over the trees of RFC 6962 and Ed25519. Any program that knows them verifies a log of Lango's.
//!
//! Architecture invariant: pure. It is given bytes and times and returns bytes and verdicts; it knows no store, no file, no clock
//! and no socket.
//!
//! Architecture invariant: it holds no private key. What signs is given as a function from a message to its signature.

mod bundle;
mod checkpoint;
mod cosignature;
mod edge;
mod entry;
mod frontier;
mod fsck;
mod hash;
mod log_proof;
mod note;
mod note_key;
mod prove;
mod signature_line;
mod tile;
mod values;
mod verify;
mod witness_policy;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

pub use bundle::{BundleError, ENTRY_BYTES_MOST, append_entry, entries};
pub use checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint, log_origin};
pub use edge::{TileEdge, TileError, tile_root};
pub use entry::{
    AccessStep, ActivatedPolicy, Actor, ActorRole, ConfigurationChange, DatasetVersion, DecidedRequest,
    EarlierRecord, EntryError, EntryFormat, GatewayFailure, GatewayStart, GatewayStop, ImportedRegister,
    KeyChange, KeyUse, LogEntry, LogEvent, LoggedAccount, LoggedCharge, LoggedInspection, LoggedLines,
    LoggedLoss, LoggedQuestion, LoggedRelease, LoggedReview, MadePreparation, MemberOutcome, MovedCharges,
    PolicyApproval, RelayedAnswer, RelayedKind, RelayedRequest, RequestDecision,
};
pub use frontier::{Frontier, FrontierError};
pub use fsck::{CheckedLog, Fsck, FsckError, FsckFault, check_bundle, hash_bundle, read_bundle};
pub use hash::{HashError, TreeHash};
pub use log_proof::{LogProof, LogProofError};
pub use note::{NoteError, SignedNote};
pub use note_key::{KeyFault, NoteKey, SignatureType, VerifiedBy};
pub use prove::{consistency_tiles, inclusion_tiles, prove_consistency, prove_inclusion};
pub use signature_line::NoteSignature;
pub use tile::{TILE_WIDTH, TileId, TileLevel, TilePathError};
pub use values::{Amount, Hex};
pub use verify::{ProofError, verify_consistency, verify_inclusion};
pub use witness_policy::{
    KnownLog, KnownWitness, Unwitnessed, WitnessPolicy, WitnessPolicyError, WitnessPolicyFault, Witnessed,
};
