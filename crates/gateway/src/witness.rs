//! What a coordinator asks as the witness of the office's log: its present end, which it cosigns. Nothing of it is on record
//! but the cosignature itself, for a witness comes every minute.

use lango_access_log::{NoteKey, SignatureType, log_origin};
use lango_identity::PayloadType;
use lango_wire::{Refusal, Witness, WitnessAct, pb};
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
        let unavailable = || Refusal::Unavailable.into_status(None);
        match signed.act {
            WitnessAct::Held(held) => {
                let shown = self.sealing.witnessed(&self.store, &self.signer.now(), held.as_deref()).await;
                let (checkpoint, proof) = shown.map_err(|error| {
                    tracing::error!(%error, "the log cannot be shown to a witness");
                    unavailable()
                })?;
                let head = self.signer.sign(PayloadType::LogHead, checkpoint.to_string().into_bytes());
                let proof = proof.iter().map(|hash| hash.0.to_vec()).collect();
                Ok(pb::WitnessServiceWitnessResponse { head: Some(head.into()), proof })
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
        }
    }
}
