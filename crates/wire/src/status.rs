//! The one map from refusals to gRPC statuses, and back.

use std::time::Duration;

use lango_identity::{Envelope, EnvelopeLimits, PayloadType, Region, SpiffeId, Unauthenticated, verify};
use lango_policy::Denial;
use lango_privacy::{PlanRefusal, QueryError};
use prost::Message;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::{
    pb,
    question::{Malformed, sized, strict, version},
};

/// The most bytes of a refusal's words.
const MESSAGE_BYTES_MOST: usize = 1_024;
/// The domain of every reason.
const DOMAIN: &str = "lango";
/// The type of the signed refusal among a status's details.
const ENVELOPE_URL: &str = "type.googleapis.com/lango.v1.Envelope";

/// Why a request is not answered: a stable code, and words for people. Never depends on rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// The stable code.
    pub code: &'static str,
    /// In words: what is wrong and what to do.
    pub message: String,
    /// The field at fault, where there is one.
    pub field: Option<&'static str>,
}

impl Refusal {
    /// A refusal.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None }
    }

    /// What any failure behind the gateway looks like from outside, whatever it was.
    pub fn unavailable() -> Self {
        Self::new("unavailable", "the office cannot answer now; the same question may be asked again")
    }

    /// Its principal has sent more requests than one may; after `wait` the same request may pass.
    pub fn too_many_requests(wait: Duration) -> Self {
        let seconds = wait.as_secs_f64().ceil();
        let message =
            format!("one principal may not send as many requests: send this one again in {seconds} s");
        Self::new("too-many-requests", message)
    }

    /// The status code of a refusal.
    fn status_code(&self) -> Code {
        match self.code {
            "malformed"
            | "time"
            | "request-id-reused"
            | "epsilon-out-of-range"
            | "precision-out-of-range"
            | "precision-not-foreseen" => Code::InvalidArgument,
            "unit-not-counted" | "not-a-number" | "bins-not-declared" | "candidates-not-declared" => {
                Code::InvalidArgument
            }
            "quantile-out-of-range" | "quantile-per-office" | "share-by-itself" | "keys-not-open" => {
                Code::InvalidArgument
            }
            "column-not-declared"
            | "not-a-dimension"
            | "too-many-measures"
            | "too-many-margins"
            | "too-many-searches"
            | "too-many-selections"
            | "too-many-cells"
            | "too-much-memory"
            | "filter-out-of-range"
            | "sum-could-overflow" => Code::InvalidArgument,
            "dataset-unknown" | "release-unknown" => Code::NotFound,
            "budget-exceeded" | "too-many-requests" => Code::ResourceExhausted,
            "version-not-live" | "published" => Code::FailedPrecondition,
            "unavailable" => Code::Unavailable,
            // Whatever the policy or the role does not allow.
            _ => Code::PermissionDenied,
        }
    }

    /// The status, with the signed refusal where there is one.
    pub fn into_status(self, signed: Option<Envelope>) -> Status {
        self.into_status_after(signed, None)
    }

    /// The same; `retry_after` says when the same request may pass.
    pub fn into_status_after(mut self, signed: Option<Envelope>, retry_after: Option<Duration>) -> Status {
        // The message travels in a header, twice; a caller's words in it must not be able to overflow one.
        self.message.truncate(self.message.floor_char_boundary(MESSAGE_BYTES_MOST));
        let mut details = ErrorDetails::with_error_info(self.code, DOMAIN, []);
        if retry_after.is_some() {
            details.set_retry_info(retry_after);
        }
        if let Some(field) = self.field {
            details.add_bad_request_violation(field, self.message.as_str());
        }
        if self.code == "budget-exceeded" {
            details.add_quota_failure_violation("epsilon", self.message.as_str());
        }
        let (code, text) = (self.status_code(), self.message);
        let status = Status::with_error_details(code, text.as_str(), details);
        let Some(envelope) = signed else { return status };
        let Ok(mut rpc) = tonic_types::Status::decode(status.details()) else { return status };
        let value = pb::Envelope::from(envelope).encode_to_vec();
        rpc.details.push(prost_types::Any { type_url: ENVELOPE_URL.to_owned(), value });
        Status::with_details(code, text, rpc.encode_to_vec().into())
    }
}

/// A request whose signature proves nothing gets no detail: the reason is in the gateway's own log.
pub fn unauthenticated() -> Status {
    Status::unauthenticated("the request is not authenticated")
}

impl From<Malformed> for Refusal {
    fn from(malformed: Malformed) -> Self {
        Self { code: "malformed", field: Some(malformed.field), message: malformed.to_string() }
    }
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        Self { code: "malformed", field: Some("query"), message: error.to_string() }
    }
}

impl From<Denial> for Refusal {
    fn from(denial: Denial) -> Self {
        Self::new(denial.code.as_str(), denial.message)
    }
}

impl From<PlanRefusal> for Refusal {
    fn from(refusal: PlanRefusal) -> Self {
        Self { code: refusal.code(), field: Some("query"), message: refusal.to_string() }
    }
}

/// The signed part of a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRefusal {
    /// The request that it answers.
    pub request_digest: [u8; 32],
    /// Who refuses.
    pub office: SpiffeId,
    /// The stable code.
    pub code: String,
    /// When the request came, in Unix seconds.
    pub time: u64,
}

impl SignedRefusal {
    /// The signed bytes.
    pub fn encode(&self) -> Vec<u8> {
        let (request_digest, office) = (self.request_digest.to_vec(), self.office.to_string());
        pb::RefusalPayload { version: 1, request_digest, office, code: self.code.clone(), time: self.time }
            .encode_to_vec()
    }

    /// Verifies that `office` refused this request.
    pub fn verify(
        envelope: &Envelope,
        office: &SpiffeId,
        region: &Region,
        now: i64,
        request_digest: &[u8; 32],
    ) -> Result<Self, RefusalError> {
        let verified = verify(envelope, PayloadType::Refusal, region, now, EnvelopeLimits::default())?;
        let payload: pb::RefusalPayload = strict(&verified.payload)?;
        version(payload.version)?;
        let signed: [u8; 32] = sized("request_digest", &payload.request_digest)?;
        if verified.principal != *office || payload.office != office.to_string() || signed != *request_digest
        {
            return Err(RefusalError::Other);
        }
        Ok(Self { request_digest: signed, office: office.clone(), code: payload.code, time: payload.time })
    }
}

/// Why a refusal proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefusalError {
    /// The signature or its certificates are not good.
    #[error("the refusal is not signed: {0}")]
    Unauthenticated(#[from] Unauthenticated),
    /// It is not encoded as it should be.
    #[error("the refusal is malformed: {0}")]
    Malformed(#[from] Malformed),
    /// It is another office's, or of another request.
    #[error("the refusal is of another office or request")]
    Other,
}

/// The signed refusal among a status's details.
pub fn refusal_envelope(status: &Status) -> Option<Envelope> {
    let rpc = tonic_types::Status::decode(status.details()).ok()?;
    let any = rpc.details.into_iter().find(|any| any.type_url == ENVELOPE_URL)?;
    pb::Envelope::decode(any.value.as_slice()).ok().map(Into::into)
}

/// The reason among a status's details.
pub fn reason(status: &Status) -> Option<String> {
    Some(status.get_error_details().error_info()?.reason.clone())
}

/// After which time the same request may pass, where the refusal says so.
pub fn retry_after(status: &Status) -> Option<Duration> {
    status.get_error_details().retry_info()?.retry_delay
}

#[cfg(test)]
mod tests;
