//! What a coordinator asks as the witness of the office's log: its present end, which it cosigns; and its own log, which the
//! office witnesses. Nothing of it is on record but the cosignatures themselves, for a witness comes every minute.

use std::time::Instant;

use lango_access_log::{NoteKey, SignatureType, SignedCheckpoint, log_origin};
use lango_identity::PayloadType;
use lango_sealing::CosignError;
use lango_transport::Demand;
use lango_wire::{Refusal, ShownLog, Witness, WitnessAct, pb};
use tonic::Status;

use crate::{Gateway, authenticate::Request};

impl Gateway {
    /// Shows a witness the log's end, or keeps its cosignature.
    pub(crate) async fn witness(
        &self,
        act: Option<pb::Envelope>,
        peer: String,
    ) -> Result<pb::WitnessServiceWitnessResponse, Status> {
        let request: Request<Witness> = self
            .authenticate(act, PayloadType::Witness, peer)
            .map_err(|reason| self.unauthenticated(&reason))?;
        let signed = self.admit(&request).map_err(|refusal| self.signed_status(&request, refusal))?;
        // A proof costs reads, and a cosignature a write.
        let share = self.taken_share(&request, Demand::Request);
        let _until_it_leaves = share.map_err(|refusal| self.signed_status(&request, refusal))?;
        let unavailable = || Refusal::Unavailable.into_status(None);
        match signed.act {
            WitnessAct::Held(held) => {
                let shown = self.sealing.witnessed(&self.store, &self.signer.now(), held.as_deref()).await;
                let (checkpoint, proof) = shown.map_err(|error| {
                    tracing::error!(%error, "the log cannot be shown to a witness");
                    unavailable()
                })?;
                let proof = proof.iter().map(|hash| hash.0.to_vec()).collect();
                Ok(pb::WitnessServiceWitnessResponse { head: Some(self.head(&checkpoint)), proof })
            }
            WitnessAct::Cosigned(note) => {
                let key = request.key.zip(log_origin(&request.principal.to_string()));
                let key =
                    key.and_then(|(key, name)| NoteKey::new(&name, SignatureType::Cosignature, key).ok());
                let kept = match key {
                    Some(witness) => {
                        self.sealing.cosigned(&self.store, &self.signer.now(), (&note, &witness)).await
                    }
                    None => Ok(false),
                };
                match kept {
                    Ok(true) => Ok(pb::WitnessServiceWitnessResponse::default()),
                    // Another checkpoint has been shown meanwhile, to this witness or to another.
                    Ok(false) => {
                        Err(Status::failed_precondition("this is not the checkpoint that was shown last"))
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a cosignature was not kept");
                        Err(unavailable())
                    }
                }
            }
            WitnessAct::Shown(None) => {
                let held = lango_sealing::held(&self.store, &request.principal).await.map_err(|error| {
                    tracing::error!(%error, "what is held of the coordinator's log cannot be read");
                    unavailable()
                })?;
                let head = held.map(|held| self.head(&held));
                Ok(pb::WitnessServiceWitnessResponse { head, proof: Vec::new() })
            }
            WitnessAct::Shown(Some(ShownLog { checkpoint, proof })) => {
                let (Some(key), signer) = (request.key, self.signer.now()) else { return Err(unavailable()) };
                let seconds = u64::try_from(request.came_at).unwrap_or_default();
                let (whose, shown) = ((&request.principal, key), (checkpoint.as_str(), proof.as_slice()));
                match lango_sealing::cosign(&self.store, &signer, whose, shown, seconds).await {
                    Ok(cosigned) => {
                        let head = Some(self.head(&cosigned));
                        Ok(pb::WitnessServiceWitnessResponse { head, proof: Vec::new() })
                    }
                    Err(CosignError::Store(error)) => {
                        tracing::error!(%error, "a checkpoint of the coordinator's log was not cosigned");
                        Err(unavailable())
                    }
                    Err(error @ CosignError::Fork { .. }) => {
                        tracing::error!(coordinator = %request.principal, %error, "the coordinator's log is not cosigned");
                        if self.forked.note(&request.principal, Instant::now()) {
                            self.log_fault("witness", "coordinator-fork").await;
                        }
                        Err(Status::failed_precondition(error.to_string()))
                    }
                    Err(error) => {
                        tracing::error!(coordinator = %request.principal, %error, "the coordinator's log is not cosigned");
                        Err(Status::failed_precondition(error.to_string()))
                    }
                }
            }
        }
    }

    /// A checkpoint, signed as what this office shows.
    fn head(&self, checkpoint: &SignedCheckpoint) -> pb::Envelope {
        self.signer.sign(PayloadType::LogHead, checkpoint.to_string().into_bytes()).into()
    }
}
