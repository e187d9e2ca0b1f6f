//! The members as witnesses of the coordinator's own log: each is shown the same checkpoint, and those that cosign it stand on it
//! together.

use std::{sync::Arc, time::Duration};

use lango_access_log::{SignatureType, SignedCheckpoint};
use lango_sealing::Present;
use lango_store::CheckpointKind;
use lango_wire::{ShownLog, WitnessAct};
use tokio::task::JoinSet;
use tonic::Status;

use crate::{
    log::Log,
    visit::{Visited, Visitor, WitnessError, note_key},
};

/// How long a member may take.
const TIME_MAX: Duration = Duration::from_secs(30);

/// Has the members cosign the log, again and again, for as long as it is awaited.
pub(crate) async fn keep(visitor: Visitor, log: Arc<Log>, members: Vec<Visited>, every: Duration) {
    loop {
        log.seal().await;
        match log.sealing.present(&log.store, &log.signer.now()).await {
            Ok(present) => round(&visitor, &log, Arc::new(present), &members).await,
            Err(error) => tracing::error!(%error, "the log cannot be shown to members"),
        }
        tokio::time::sleep(every).await;
    }
}

/// Shows one checkpoint to each member, and keeps it with the cosignatures that came.
async fn round(visitor: &Visitor, log: &Arc<Log>, present: Arc<Present>, members: &[Visited]) {
    let mut visits = JoinSet::new();
    for member in members.iter().cloned() {
        let (visitor, log, present) = (visitor.clone(), Arc::clone(log), Arc::clone(&present));
        visits.spawn(async move {
            let visit = show(&visitor, &log, &present, &member);
            let came = tokio::time::timeout(TIME_MAX, visit).await;
            let slow = || Err(WitnessError::Unreachable(Status::deadline_exceeded("too slow")));
            (member.office, came.unwrap_or_else(|_| slow()))
        });
    }
    let (mut joined, mut count) = (present.checkpoint.clone(), 0_usize);
    while let Some(visited) = visits.join_next().await {
        let Ok((office, came)) = visited else { continue };
        let taken = came.and_then(|(cosigned, public)| {
            let key = note_key(&office, SignatureType::Cosignature, public)?;
            let is_cosigned = cosigned.cosigned(&[&key]).is_ok_and(|by| !by.is_empty());
            if !is_cosigned { Err(WitnessError::Unread) } else { Ok((cosigned, key)) }
        });
        match taken {
            Ok((cosigned, key)) => match joined.clone().join(&cosigned, &key) {
                Ok(with) => (joined, count) = (with, count + 1),
                // A note holds a bounded number.
                Err(error) => tracing::debug!(%office, %error, "a cosignature is left out"),
            },
            Err(error @ WitnessError::Unreachable(_)) => {
                tracing::debug!(%office, %error, "a member does not witness the log");
            }
            Err(error) => tracing::error!(%office, %error, "a member does not cosign the log"),
        }
    }
    if count == 0 {
        return;
    }
    let size = joined.unverified().size;
    let kept = log.store.keep_checkpoint(CheckpointKind::Witnessed, size, joined.to_string()).await;
    if let Err(error) = kept {
        tracing::error!(%error, "the cosignatures of members could not be kept");
    }
}

/// Shows a member the log: the checkpoint with its cosignature, and its key.
async fn show(
    visitor: &Visitor,
    log: &Log,
    present: &Present,
    member: &Visited,
) -> Result<(SignedCheckpoint, [u8; 32]), WitnessError> {
    let held = visitor.send(member, WitnessAct::Shown(None)).await?.head;
    let held = held.map(|head| visitor.opened(member, head.into())).transpose()?;
    let note = held.map(|(held, _)| held.to_string());
    let proof = log.sealing.goes_on(&log.store, &log.signer.now(), (present, note.as_deref())).await?;
    let proof = proof.iter().map(|hash| hash.0).collect();
    let shown = ShownLog { checkpoint: present.checkpoint.to_string(), proof };
    let cosigned = visitor.send(member, WitnessAct::Shown(Some(shown))).await?.head;
    visitor.opened(member, cosigned.ok_or(WitnessError::Unread)?.into())
}
