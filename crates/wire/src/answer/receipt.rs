//! Receipts: that the log of an office has an entry of its answer.

use lango_access_log::{LogEntry, LogEvent, LogProof, NoteKey, RequestDecision, SignatureType, log_origin};
use lango_identity::{Envelope, Region, sha256, signing_key};
use prost::Message;

use super::AnswerError;
use crate::{
    envelope::envelope_bytes,
    limits::RECEIPT_BYTES_MAX,
    pb,
    signed::{Basics, SignedRelease},
};

/// A receipt that has been verified: the office signed a checkpoint of its log, and this entry, which is of the answer, is in it.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedReceipt {
    /// The complete envelope of the answer, which the entry names.
    pub envelope: Vec<u8>,
    /// The entry's bytes, as they are hashed.
    pub entry: Vec<u8>,
    /// Its place in the log, and the checkpoint.
    pub proof: LogProof,
    /// The certificates of the key that signed the checkpoint: DER, its own first.
    pub certificates: Vec<Vec<u8>>,
}

impl VerifiedReceipt {
    /// Verifies a receipt of the release in an envelope, which was verified, by the region's authorities at a moment in Unix
    /// seconds.
    pub(crate) fn verify(
        receipt: &[u8],
        envelope: Envelope,
        signed: &SignedRelease,
        (region, now): (&Region, i64),
    ) -> Result<Self, AnswerError> {
        if receipt.len() > RECEIPT_BYTES_MAX {
            return Err(AnswerError::TooLarge("receipt"));
        }
        let differs = || AnswerError::Differs("receipt");
        let pb::Receipt { entry, proof, certificates } =
            pb::Receipt::decode(receipt).map_err(|_| differs())?;
        let (signer, key) = signing_key(&certificates, region, now).map_err(|_| differs())?;
        if signer != signed.basics.office {
            return Err(differs());
        }
        let proof: LogProof = proof.parse().map_err(|_| differs())?;
        let origin = log_origin(&signed.basics.office.to_string()).ok_or_else(differs)?;
        let log = NoteKey::new(&origin, SignatureType::Ed25519, key).map_err(|_| differs())?;
        proof.verify(&entry, &log).map_err(|_| differs())?;
        let found = LogEntry::read(&entry).map_err(|_| differs())?;
        let envelope = envelope_bytes(envelope);
        if is_of(&found, &sha256(&envelope), signed) {
            Ok(Self { envelope, entry, proof, certificates })
        } else {
            Err(differs())
        }
    }
}

/// Whether an entry is of an answer.
fn is_of(entry: &LogEntry, envelope: &[u8; 32], signed: &SignedRelease) -> bool {
    let LogEvent::Request(request) = &entry.event else { return false };
    let Basics { request_digest, query_digest, office, policy_digest, .. } = &signed.basics;
    let is_answer = matches!(request.decision, RequestDecision::Released | RequestDecision::Repeated);
    let release = request.release.as_ref();
    is_answer
        && request.request.0 == *request_digest
        && request.question.as_ref().is_some_and(|question| question.digest.0 == *query_digest)
        && release.is_some_and(|release| release.id.0 == signed.release_id)
        && release.and_then(|release| release.envelope).is_some_and(|logged| logged.0 == *envelope)
        && entry.policy.is_some_and(|policy| policy.0 == *policy_digest)
        && office.to_string() != entry.actor.principal
}
