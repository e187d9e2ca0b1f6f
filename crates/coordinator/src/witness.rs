//! Witnessing the logs of members: each checkpoint that goes on where the last one ended is cosigned, and what was cosigned
//! last is kept in a file, durably, before the cosignature leaves.
//!
//! So no member can show a log that was cut back, or another log to somebody else, without that this witness finds it: it cosigns
//! nothing that does not go on where the last one ended.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use lango_access_log::{
    Checkpoint, CheckpointError, NoteKey, ProofError, SignatureType, SignedCheckpoint, TreeHash, log_origin,
    verify_consistency,
};
use lango_files::FileError;
use lango_identity::{
    Envelope, EnvelopeLimits, PayloadType, Region, Role, Signer, SpiffeId, Unauthenticated, verify,
};
use lango_wire::{Witness, WitnessAct, client::WitnessClient, limits::CHECKPOINT_BYTES_MOST, pb};
use tokio::task::JoinSet;
use tonic::{Status, transport::Channel};

use crate::clock::now;

/// How long an act lives, in seconds.
const LIFE_S: u64 = 300;
/// How long a member may take.
const TIME_MAX: Duration = Duration::from_secs(30);

/// What a coordinator needs to witness its members' logs.
#[derive(Debug, Clone)]
pub struct WitnessConfig {
    /// Its key and certificate for acts and cosignatures.
    pub signer: Signer,
    /// Where the last checkpoint of each member's log is kept.
    pub folder: PathBuf,
    /// How often each member is asked.
    pub every: Duration,
}

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
    /// It is no checkpoint of the member's log.
    #[error("what it sent is no checkpoint of its log: {0}")]
    Checkpoint(#[from] CheckpointError),
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
}

/// One member, and what is needed to witness its log.
struct Member {
    office: SpiffeId,
    client: WitnessClient,
    file: PathBuf,
}

/// A coordinator as a witness.
struct Witnessing {
    config: WitnessConfig,
    region: Region,
    key: NoteKey,
}

/// Witnesses the logs of members for as long as it is awaited.
pub(crate) async fn keep(config: WitnessConfig, region: Region, members: Vec<(SpiffeId, Channel)>) {
    let name = log_origin(&config.signer.principal().to_string()).unwrap_or_default();
    let key = match NoteKey::new(&name, SignatureType::Cosignature, config.signer.public_key()) {
        Ok(key) => key,
        Err(error) => return tracing::error!(%error, "no log is witnessed: the signing key cosigns nothing"),
    };
    if let Err(error) = lango_files::make_folder(&config.folder) {
        let folder = config.folder.display();
        return tracing::error!(%error, %folder, "no log is witnessed: the folder cannot be made");
    }
    tracing::info!(key = %key, "this witness cosigns the logs of members");
    let witnessing = Arc::new(Witnessing { config, region, key });
    let mut tasks = JoinSet::new();
    for (office, channel) in members {
        let (witnessing, client) = (Arc::clone(&witnessing), WitnessClient::new(channel));
        let file = witnessing.config.folder.join(format!("{}.checkpoint", office.name()));
        tasks.spawn(async move { witnessing.follow(Member { office, client, file }).await });
    }
    while tasks.join_next().await.is_some() {}
}

impl Witnessing {
    /// Asks a member again and again.
    async fn follow(&self, member: Member) {
        let mut said: Option<String> = None;
        loop {
            let witnessed = tokio::time::timeout(TIME_MAX, self.witness(&member)).await;
            let witnessed =
                witnessed.unwrap_or(Err(WitnessError::Unreachable(Status::deadline_exceeded("too slow"))));
            match witnessed {
                Ok(size) => {
                    if said.take().is_some() {
                        tracing::info!(office = %member.office, size, "the member's log is witnessed again");
                    }
                }
                // Once for each cause, and not once a minute.
                Err(error) if said.as_deref() == Some(error.to_string().as_str()) => {}
                Err(error) => {
                    if matches!(error, WitnessError::Unreachable(_)) {
                        tracing::warn!(office = %member.office, %error, "a member's log is not witnessed");
                    } else {
                        tracing::error!(office = %member.office, %error, "a member's log is not cosigned");
                    }
                    said = Some(error.to_string());
                }
            }
            tokio::time::sleep(self.config.every).await;
        }
    }

    /// Cosigns the present checkpoint of a member, where that goes on; how large its log is.
    async fn witness(&self, member: &Member) -> Result<u64, WitnessError> {
        let held = read(&member.file)?;
        let note = held.as_ref().map(ToString::to_string);
        let shown = self.send(member, WitnessAct::Held(note)).await?;
        let checkpoint = self.checked(member, shown.head.ok_or(WitnessError::Unread)?.into())?;
        let Checkpoint { size, root, .. } = checkpoint.unverified().clone();
        if let Some(held) = &held {
            let held = held.unverified();
            if (held.size, held.root) == (size, root) {
                return Ok(size);
            }
            let proof = shown.proof.iter().map(|hash| TreeHash::all_of(hash).ok()?.pop());
            let proof: Option<Vec<TreeHash>> = proof.collect();
            let proof = proof.ok_or(WitnessError::Unread)?;
            verify_consistency(held.size, held.root, size, root, &proof)
                .map_err(|proof| WitnessError::Fork { held: held.size, size, proof })?;
        }
        let seconds = u64::try_from(now()).unwrap_or_default();
        let signer = &self.config.signer;
        let cosigned = checkpoint.cosign(&self.key, seconds, |message| signer.sign_message(message))?;
        let note = cosigned.to_string();
        write(&member.file, &note)?;
        self.send(member, WitnessAct::Cosigned(note)).await?;
        Ok(size)
    }

    /// The checkpoint in an envelope, if the member signed both.
    fn checked(&self, member: &Member, envelope: Envelope) -> Result<SignedCheckpoint, WitnessError> {
        let limits = EnvelopeLimits { payload_bytes_max: CHECKPOINT_BYTES_MOST };
        let verified = verify(&envelope, PayloadType::LogHead, &self.region, now(), limits)?;
        if verified.principal != member.office || member.office.role() != Role::Office {
            return Err(WitnessError::Signer(verified.principal));
        }
        let note = String::from_utf8(verified.payload).map_err(|_| WitnessError::Unread)?;
        let checkpoint: SignedCheckpoint = note.parse()?;
        let (name, public) = (log_origin(&member.office.to_string()), verified.certificate.ed25519);
        let (name, public) = name.zip(public).ok_or(WitnessError::Unread)?;
        let key = NoteKey::new(&name, SignatureType::Ed25519, public).map_err(CheckpointError::from)?;
        checkpoint.verify(&key)?;
        Ok(checkpoint)
    }

    async fn send(
        &self,
        member: &Member,
        act: WitnessAct,
    ) -> Result<pb::WitnessServiceWitnessResponse, WitnessError> {
        let issued_at = u64::try_from(now()).unwrap_or_default();
        let mut request_id = [0; 16];
        getrandom::fill(&mut request_id)
            .map_err(|error| WitnessError::Unreachable(Status::unavailable(error.to_string())))?;
        let act = Witness {
            request_id,
            coordinator: self.config.signer.principal().clone(),
            office: member.office.clone(),
            act,
            issued_at,
            expires_at: issued_at + LIFE_S,
        };
        let envelope = self.config.signer.sign(PayloadType::Witness, act.encode());
        member.client.witness(envelope.into()).await.map_err(WitnessError::Unreachable)
    }
}

/// The checkpoint that was cosigned last. A file that cannot be read is no reason to forget what it held.
fn read(file: &Path) -> Result<Option<SignedCheckpoint>, WitnessError> {
    if !file.exists() {
        return Ok(None);
    }
    let note = String::from_utf8_lossy(&lango_files::read(file)?).into_owned();
    Ok(Some(note.parse()?))
}

/// Writes it whole, or not at all, and durably.
fn write(file: &Path, note: &str) -> Result<(), WitnessError> {
    let new = file.with_extension("new");
    lango_files::replace(&new, note.as_bytes())?;
    Ok(lango_files::move_over(&new, file)?)
}
