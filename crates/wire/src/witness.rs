//! Signed acts of coordinators that witness an office's log, read strictly.

use lango_identity::{Role, SpiffeId};
use prost::Message;

use crate::{
    limits::{CHECKPOINT_BYTES_MOST, PROOF_HASHES_MOST},
    pb::{self, witness_payload::Act as ActMessage},
    question::{FieldFault, Malformed, own, region, server, sized, strict, version},
};

/// A coordinator's act as the witness of a log, as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Random.
    pub request_id: [u8; 16],
    /// Who signed it; equals the certificate's.
    pub coordinator: SpiffeId,
    /// The one office that it is for.
    pub office: SpiffeId,
    /// What is asked or brought.
    pub act: WitnessAct,
    /// Unix seconds.
    pub issued_at: u64,
    /// Unix seconds.
    pub expires_at: u64,
}

/// What a witness asks or brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WitnessAct {
    /// It holds this checkpoint, if any, and asks for the present one.
    Held(Option<String>),
    /// It has cosigned this one.
    Cosigned(String),
    /// It has a log of its own: its end, or nothing to ask for the last that the office cosigned.
    Shown(Option<ShownLog>),
}

/// The end of a witness's own log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownLog {
    /// Its checkpoint.
    pub checkpoint: String,
    /// The proof that it goes on where the last one ended that the office cosigned.
    pub proof: Vec<[u8; 32]>,
}

impl WitnessAct {
    fn to_message(&self) -> ActMessage {
        match self {
            Self::Held(checkpoint) => {
                ActMessage::Held(pb::WitnessHeld { checkpoint: checkpoint.clone().unwrap_or_default() })
            }
            Self::Cosigned(checkpoint) => {
                ActMessage::Cosigned(pb::WitnessCosigned { checkpoint: checkpoint.clone() })
            }
            Self::Shown(None) => ActMessage::Shown(pb::WitnessShown::default()),
            Self::Shown(Some(ShownLog { checkpoint, proof })) => ActMessage::Shown(pb::WitnessShown {
                checkpoint: checkpoint.clone(),
                proof: proof.iter().map(|hash| hash.to_vec()).collect(),
            }),
        }
    }

    fn of_message(message: ActMessage) -> Result<Self, Malformed> {
        Ok(match message {
            ActMessage::Held(pb::WitnessHeld { checkpoint }) if checkpoint.is_empty() => Self::Held(None),
            ActMessage::Held(pb::WitnessHeld { checkpoint }) => Self::Held(Some(note(checkpoint)?)),
            ActMessage::Cosigned(pb::WitnessCosigned { checkpoint }) => Self::Cosigned(note(checkpoint)?),
            ActMessage::Shown(pb::WitnessShown { checkpoint, proof })
                if checkpoint.is_empty() && proof.is_empty() =>
            {
                Self::Shown(None)
            }
            ActMessage::Shown(pb::WitnessShown { checkpoint, proof }) => {
                if proof.len() > PROOF_HASHES_MOST {
                    return Err(Malformed { field: "proof", fault: FieldFault::Word });
                }
                let proof = proof.iter().map(|hash| sized("proof", hash)).collect::<Result<_, _>>()?;
                Self::Shown(Some(ShownLog { checkpoint: note(checkpoint)?, proof }))
            }
        })
    }
}

fn note(checkpoint: String) -> Result<String, Malformed> {
    if checkpoint.is_empty() || checkpoint.len() > CHECKPOINT_BYTES_MOST {
        return Err(Malformed { field: "checkpoint", fault: FieldFault::Word });
    }
    Ok(checkpoint)
}

impl Witness {
    /// The signed bytes.
    pub fn encode(&self) -> Vec<u8> {
        pb::WitnessPayload {
            version: 1,
            request_id: self.request_id.to_vec(),
            coordinator: self.coordinator.to_string(),
            region: self.coordinator.trust_domain().to_owned(),
            office: self.office.to_string(),
            issued_at: self.issued_at,
            expires_at: self.expires_at,
            act: Some(self.act.to_message()),
        }
        .encode_to_vec()
    }

    /// Reads bytes that `signer` signed.
    ///
    /// # Errors
    /// The field at fault.
    pub fn decode(bytes: &[u8], signer: &SpiffeId) -> Result<Self, Malformed> {
        let payload: pb::WitnessPayload = strict(bytes)?;
        version(payload.version)?;
        region(&payload.region, signer)?;
        let act = payload.act.ok_or(Malformed { field: "act", fault: FieldFault::Missing })?;
        Ok(Self {
            request_id: sized("request_id", &payload.request_id)?,
            coordinator: own("coordinator", &payload.coordinator, signer)?,
            office: server("office", &payload.office, &[Role::Office], signer)?,
            act: WitnessAct::of_message(act)?,
            issued_at: payload.issued_at,
            expires_at: payload.expires_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_of_a_witness_is_read_back_and_one_that_cannot_be_is_refused_by_its_field() {
        let id = |uri: &str| -> SpiffeId { uri.parse().unwrap() };
        let coordinator = id("spiffe://lango.example/coordinator/main");
        let of = |act, office: &str| Witness {
            request_id: [1; 16],
            coordinator: coordinator.clone(),
            office: id(office),
            act,
            issued_at: 1_000,
            expires_at: 1_060,
        };
        let office = "spiffe://lango.example/office/GHA";
        let shown = |note: &str, hashes| {
            let (checkpoint, proof) = (note.to_owned(), vec![[7; 32]; hashes]);
            of(WitnessAct::Shown(Some(ShownLog { checkpoint, proof })), office)
        };
        let long = "x".repeat(CHECKPOINT_BYTES_MOST + 1);
        for (act, fault) in [
            (of(WitnessAct::Held(None), office), None),
            (of(WitnessAct::Held(Some("note".into())), office), None),
            (of(WitnessAct::Cosigned("note".into()), office), None),
            (of(WitnessAct::Shown(None), office), None),
            (shown("note", 0), None),
            (shown("note", PROOF_HASHES_MOST), None),
            (shown("note", PROOF_HASHES_MOST + 1), Some("proof")),
            (shown("", 1), Some("checkpoint")),
            (shown(&long, 0), Some("checkpoint")),
            (of(WitnessAct::Held(Some(long.clone())), office), Some("checkpoint")),
            (of(WitnessAct::Cosigned(long), office), Some("checkpoint")),
            (of(WitnessAct::Cosigned(String::new()), office), Some("checkpoint")),
            (of(WitnessAct::Held(None), "spiffe://lango.example/analyst/awa"), Some("office")),
            (of(WitnessAct::Held(None), "spiffe://other.example/office/GHA"), Some("office")),
        ] {
            let read = Witness::decode(&act.encode(), &coordinator);
            match fault {
                None => assert_eq!(read.as_ref(), Ok(&act)),
                Some(field) => assert_eq!(read.unwrap_err().field, field, "{act:?}"),
            }
        }
        let other = id("spiffe://lango.example/coordinator/other");
        let read = Witness::decode(&of(WitnessAct::Held(None), office).encode(), &other);
        assert_eq!(read.unwrap_err().field, "coordinator");
    }
}
