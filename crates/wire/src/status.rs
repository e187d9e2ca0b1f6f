//! Refusals as gRPC statuses, and back.

use std::time::Duration;

use lango_identity::Envelope;
use prost::{Message, bytes::Bytes};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::{
    pb,
    refusal::{Arguments, Refusal},
    words::Language,
};

/// The most bytes of a refusal's words.
const MESSAGE_BYTES_MOST: usize = 1_024;
/// The domain of every reason.
const DOMAIN: &str = "lango";
/// The type of the signed refusal among a status's details.
const ENVELOPE_URL: &str = "type.googleapis.com/lango.v1.Envelope";

impl Refusal {
    /// The status, with the signed refusal where there is one. Its message is in English, for clients that make no words.
    pub fn into_status(self, signed: Option<Envelope>) -> Status {
        let arguments = self.arguments();
        let mut text = Language::English.refusal(self.code(), &arguments);
        // The message travels in a header, twice; a caller's words in it must not be able to overflow one.
        text.truncate(text.floor_char_boundary(MESSAGE_BYTES_MOST));
        let metadata = arguments.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut details = ErrorDetails::with_error_info(self.code(), DOMAIN, metadata.collect::<Metadata>());
        if let Some(field) = self.field() {
            details.add_bad_request_violation(field, text.as_str());
        }
        match self {
            Self::Budget(_) => {
                let _ = details.add_quota_failure_violation("epsilon", text.as_str());
            }
            Self::TooManyRequests { wait } => {
                let _ = details.set_retry_info(Some(wait));
            }
            Self::Role(_)
            | Self::Malformed(_)
            | Self::Query(_)
            | Self::Confidence(_)
            | Self::NotAddressed(_)
            | Self::Time(_)
            | Self::RequestIdReused
            | Self::Published
            | Self::Denied(_)
            | Self::PriceNotOfGrant(_)
            | Self::Plan(_)
            | Self::VersionGone(_)
            | Self::AnswerTooLarge { .. }
            | Self::Review(_)
            | Self::Administration(_)
            | Self::DatasetNotOpen { .. }
            | Self::ReleaseUnknown
            | Self::QuantilePerOffice { .. }
            | Self::TablesTooLarge
            | Self::NotAuditor
            | Self::Unavailable => {}
        }
        let code = self.status_code();
        let status = Status::with_error_details(code, text.as_str(), details);
        let Some(envelope) = signed else { return status };
        let Ok(mut rpc) = tonic_types::Status::decode(status.details()) else { return status };
        let value = pb::Envelope::from(envelope).encode_to_vec();
        rpc.details.push(prost_types::Any { type_url: ENVELOPE_URL.to_owned(), value });
        Status::with_details(code, text, rpc.encode_to_vec().into())
    }
}

type Metadata = std::collections::HashMap<String, String>;

/// A request whose signature proves nothing gets no detail: the reason is in the gateway's own log.
pub fn unauthenticated() -> Status {
    Status::unauthenticated("the request is not authenticated")
}

/// Whether an answer was larger than its limit, so that it was not read.
pub fn is_too_large(status: &Status) -> bool {
    status.code() == Code::OutOfRange
}

/// The signed refusal among a status's details, not decoded.
pub fn sealed_envelope(status: &Status) -> Option<Bytes> {
    let rpc = tonic_types::Status::decode(status.details()).ok()?;
    let any = rpc.details.into_iter().find(|any| any.type_url == ENVELOPE_URL)?;
    Some(any.value.into())
}

/// The signed refusal among a status's details.
pub fn refusal_envelope(status: &Status) -> Option<Envelope> {
    pb::Envelope::decode(sealed_envelope(status)?).ok().map(Into::into)
}

/// The reason among a status's details.
pub fn reason(status: &Status) -> Option<String> {
    Some(status.get_error_details().error_info()?.reason.clone())
}

/// After which time the same request may pass, where the refusal says so.
pub fn retry_after(status: &Status) -> Option<Duration> {
    status.get_error_details().retry_info()?.retry_delay
}

/// The code and the arguments among a status's details: not signed, and as good as the connection that they came over.
pub fn refusal_facts(status: &Status) -> Option<(String, Arguments)> {
    let details = status.get_error_details();
    let info = details.error_info()?;
    let mut metadata: Vec<_> = info.metadata.clone().into_iter().collect();
    metadata.sort();
    Some((info.reason.clone(), Arguments::received(metadata)?))
}
