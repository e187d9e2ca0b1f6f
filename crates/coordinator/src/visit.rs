//! A visit to a member as to one whose log is witnessed, or who witnesses: what is sent is signed, and what comes back must be.

use std::sync::Arc;

use lango_access_log::{
    CheckpointError, KeyFault, NoteKey, ProofError, SignatureType, SignedCheckpoint, log_origin,
};
use lango_files::FileError;
use lango_identity::{
    Envelope, EnvelopeLimits, PayloadType, Region, Role, SpiffeId, Unauthenticated, verify,
};
use lango_sealing::{LogError, SignerInUse};
use lango_wire::{Witness, WitnessAct, client::WitnessClient, limits::CHECKPOINT_BYTES_MOST, pb};
use tonic::Status;

use crate::clock::now;

/// How long an act lives, in seconds.
const LIFE_S: u64 = 300;

/// Why a checkpoint is not cosigned.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// The member does not answer.
    #[error("it cannot be asked: {0}")]
    Unreachable(Status),
    /// What it sent is not signed by the member.
    #[error("what it sent is not signed by it: {0}")]
    Unauthenticated(#[from] Unauthenticated),
    /// Another principal signed it.
    #[error("what it sent is signed by {0}")]
    Signer(SpiffeId),
    /// It is no checkpoint of the log.
    #[error("what it sent is no checkpoint of the log: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// A key signs no checkpoints.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// It sent nothing, or what cannot be read.
    #[error("what it sent cannot be read")]
    Unread,
    /// The log does not go on where the last checkpoint ended.
    #[error(
        "its log of {size} entries does not go on where the last checkpoint that was cosigned ended, at {held}: it was cut back, or \
         shows two faces ({proof})"
    )]
    Fork {
        /// As the witness holds.
        held: u64,
        /// As it shows.
        size: u64,
        /// What is wrong with the proof.
        proof: ProofError,
    },
    /// What is held cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The coordinator's own log cannot be shown.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// A member, and how it is asked.
#[derive(Debug, Clone)]
pub(crate) struct Visited {
    pub office: SpiffeId,
    pub client: WitnessClient,
}

/// Who visits.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub signer: Arc<SignerInUse>,
    pub region: Region,
}

impl Visitor {
    /// Signs an act and has the member do it.
    pub async fn send(
        &self,
        member: &Visited,
        act: WitnessAct,
    ) -> Result<pb::WitnessServiceWitnessResponse, WitnessError> {
        let issued_at = u64::try_from(now()).unwrap_or_default();
        let mut request_id = [0; 16];
        getrandom::fill(&mut request_id)
            .map_err(|error| WitnessError::Unreachable(Status::unavailable(error.to_string())))?;
        let signer = self.signer.now();
        let act = Witness {
            request_id,
            coordinator: signer.principal().clone(),
            office: member.office.clone(),
            act,
            issued_at,
            expires_at: issued_at + LIFE_S,
        };
        let envelope = signer.sign(PayloadType::Witness, act.encode());
        member.client.witness(envelope.into()).await.map_err(WitnessError::Unreachable)
    }

    /// The checkpoint in an envelope that the member signed, and the member's key.
    pub fn opened(
        &self,
        member: &Visited,
        envelope: Envelope,
    ) -> Result<(SignedCheckpoint, [u8; 32]), WitnessError> {
        let limits = EnvelopeLimits { payload_bytes_max: CHECKPOINT_BYTES_MOST };
        let verified = verify(&envelope, PayloadType::LogHead, &self.region, now(), limits)?;
        if verified.principal != member.office || member.office.role() != Role::Office {
            return Err(WitnessError::Signer(verified.principal));
        }
        let note = String::from_utf8(verified.payload).map_err(|_| WitnessError::Unread)?;
        Ok((note.parse()?, verified.certificate.ed25519.ok_or(WitnessError::Unread)?))
    }
}

/// The key of a principal's log, or for cosignatures.
pub(crate) fn note_key(
    principal: &SpiffeId,
    signature: SignatureType,
    public: [u8; 32],
) -> Result<NoteKey, WitnessError> {
    let name = log_origin(&principal.to_string()).ok_or(WitnessError::Unread)?;
    Ok(NoteKey::new(&name, signature, public)?)
}
