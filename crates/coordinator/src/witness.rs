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

use lango_access_log::{Checkpoint, SignatureType, SignedCheckpoint, TreeHash, verify_consistency};
use lango_files::FileError;
use lango_sealing::SignerInUse;
use lango_wire::WitnessAct;
use tokio::task::JoinSet;
use tonic::Status;

use crate::{
    clock::now,
    log::Log,
    visit::{Visited, Visitor, WitnessError, note_key},
};

/// How long a member may take.
const TIME_MAX: Duration = Duration::from_secs(30);

/// What a coordinator needs to witness its members' logs.
#[derive(Debug, Clone)]
pub struct WitnessConfig {
    /// Its key and certificate for acts and cosignatures.
    pub signer: Arc<SignerInUse>,
    /// Where the last checkpoint of each member's log is kept.
    pub folder: PathBuf,
    /// How often each member is asked.
    pub every: Duration,
}

/// A coordinator as a witness.
struct Witnessing {
    visitor: Visitor,
    folder: PathBuf,
    every: Duration,
    /// The coordinator's own, where it keeps one.
    log: Option<Arc<Log>>,
}

/// Witnesses the logs of members for as long as it is awaited.
pub(crate) async fn keep(
    visitor: Visitor,
    config: WitnessConfig,
    members: Vec<Visited>,
    log: Option<Arc<Log>>,
) {
    let WitnessConfig { folder, every, .. } = config;
    if let Err(error) = lango_files::make_folder(&folder) {
        let folder = folder.display();
        return tracing::error!(%error, %folder, "no log is witnessed: the folder cannot be made");
    }
    let signer = visitor.signer.now();
    match note_key(signer.principal(), SignatureType::Cosignature, signer.public_key()) {
        Ok(key) => tracing::info!(key = %key, "this witness cosigns the logs of members"),
        Err(error) => return tracing::error!(%error, "no log is witnessed: the signing key cosigns nothing"),
    }
    let witnessing = Arc::new(Witnessing { visitor, folder, every, log });
    let mut tasks = JoinSet::new();
    for member in members {
        let witnessing = Arc::clone(&witnessing);
        tasks.spawn(async move { witnessing.follow(member).await });
    }
    while tasks.join_next().await.is_some() {}
}

impl Witnessing {
    /// Asks a member again and again.
    async fn follow(&self, member: Visited) {
        let file = self.folder.join(format!("{}.checkpoint", member.office.name()));
        let (mut said, mut is_taken): (Option<String>, bool) = (None, false);
        loop {
            let witnessed = tokio::time::timeout(TIME_MAX, self.witness(&member, &file, is_taken)).await;
            let witnessed =
                witnessed.unwrap_or(Err(WitnessError::Unreachable(Status::deadline_exceeded("too slow"))));
            is_taken = witnessed.is_ok();
            match witnessed {
                Ok(size) => {
                    if said.take().is_some() {
                        tracing::info!(office = %member.office, size, "the member's log is witnessed again");
                    }
                }
                // Once for each cause, and not once a minute.
                Err(error) if said.as_ref() == Some(&cause(&error)) => {}
                Err(error) => {
                    if matches!(error, WitnessError::Unreachable(_)) {
                        tracing::warn!(office = %member.office, %error, "a member's log is not witnessed");
                    } else {
                        tracing::error!(office = %member.office, %error, "a member's log is not cosigned");
                    }
                    if let (WitnessError::Fork { .. }, Some(log)) = (&error, &self.log) {
                        log.fault(format!("witness of {}", member.office.name()), "fork").await;
                    }
                    said = Some(cause(&error));
                }
            }
            tokio::time::sleep(self.every).await;
        }
    }

    /// Cosigns the present checkpoint of a member, where that goes on; how large its log is. `is_taken` says that the member has
    /// what was cosigned last.
    async fn witness(&self, member: &Visited, file: &Path, is_taken: bool) -> Result<u64, WitnessError> {
        let held = read(file)?;
        let note = held.as_ref().map(ToString::to_string);
        let shown = self.visitor.send(member, WitnessAct::Held(note)).await?;
        let head = shown.head.ok_or(WitnessError::Unread)?;
        let (checkpoint, public) = self.visitor.opened(member, head.into())?;
        checkpoint.verify(&note_key(&member.office, SignatureType::Ed25519, public)?)?;
        let Checkpoint { size, root, .. } = checkpoint.unverified().clone();
        if let Some(held) = &held {
            let seen = held.unverified();
            if (seen.size, seen.root) == (size, root) {
                if !is_taken {
                    self.visitor.send(member, WitnessAct::Cosigned(held.to_string())).await?;
                }
                return Ok(size);
            }
            let proof = shown.proof.iter().map(|hash| TreeHash::all_of(hash).ok()?.pop());
            let proof: Option<Vec<TreeHash>> = proof.collect();
            let proof = proof.ok_or(WitnessError::Unread)?;
            verify_consistency(seen.size, seen.root, size, root, &proof)
                .map_err(|proof| WitnessError::Fork { held: seen.size, size, proof })?;
        }
        let seconds = u64::try_from(now()).unwrap_or_default();
        let signer = self.visitor.signer.now();
        let key = note_key(signer.principal(), SignatureType::Cosignature, signer.public_key())?;
        let cosigned = checkpoint.cosign(&key, seconds, |message| signer.sign_message(message))?;
        let note = cosigned.to_string();
        lango_files::exchange(file, note.as_bytes())?;
        self.visitor.send(member, WitnessAct::Cosigned(note)).await?;
        Ok(size)
    }
}

/// What is wrong, the same each time whatever the log has grown to.
fn cause(error: &WitnessError) -> String {
    if let WitnessError::Fork { held, .. } = error {
        return format!("fork at {held}");
    }
    error.to_string()
}

/// The checkpoint that was cosigned last. A file that cannot be read is no reason to forget what it held.
fn read(file: &Path) -> Result<Option<SignedCheckpoint>, WitnessError> {
    if !file.try_exists().map_err(|source| FileError::System { path: file.to_owned(), source })? {
        return Ok(None);
    }
    let note = String::from_utf8_lossy(&lango_files::read(file)?).into_owned();
    Ok(Some(note.parse()?))
}
