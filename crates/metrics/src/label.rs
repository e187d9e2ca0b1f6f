//! The labels, each of a closed set.

use std::fmt;

use prometheus_client::encoding::{EncodeLabel, EncodeLabelSet, LabelSetEncoder};

/// Whether it is shown how long a call took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallTime {
    /// It depends on no row.
    Shown,
    /// It may depend on rows, or on how long the peer wished to listen.
    Hidden,
}

/// A method that a server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method {
    /// As OpenTelemetry names it: `package.Service/Method`.
    pub name: &'static str,
    /// Whether its time is shown.
    pub time: CallTime,
}

/// What OpenTelemetry calls a method that the server does not have.
pub(crate) const OTHER: Method = Method { name: "_OTHER", time: CallTime::Hidden };

/// How a call ended, as gRPC names it.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The status of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Code(usize);

impl Code {
    pub(crate) const CANCELLED: Self = Self(1);
    const UNKNOWN: usize = 2;

    /// The one of a number; unknown where there is none of it.
    pub(crate) fn of(number: i32) -> Self {
        let known = usize::try_from(number).ok().filter(|number| *number < CODES.len());
        Self(known.unwrap_or(Self::UNKNOWN))
    }

    pub(crate) fn name(self) -> &'static str {
        CODES.get(self.0).copied().unwrap_or("UNKNOWN")
    }

    /// Whether it is the server's failure and not the caller's, by OpenTelemetry's rule for gRPC.
    pub(crate) fn is_error(self) -> bool {
        matches!(
            self.name(),
            "UNKNOWN" | "DEADLINE_EXCEEDED" | "UNIMPLEMENTED" | "INTERNAL" | "UNAVAILABLE" | "DATA_LOSS"
        )
    }
}

/// Where a peer was turned away before any request of it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Door {
    /// It sent no first byte in time, or a later one took its place.
    Silent,
    /// Its address or the server has as many connections as it may.
    Full,
    /// Its TLS handshake failed.
    Handshake,
    /// Its certificate was taken back while it was connected.
    Revoked,
    /// It has as many bytes of requests, or as many open calls that nobody signs, as it may.
    Requests,
}

impl Door {
    /// All of them.
    pub(crate) const ALL: [Self; 5] =
        [Self::Silent, Self::Full, Self::Handshake, Self::Revoked, Self::Requests];

    fn word(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Full => "full",
            Self::Handshake => "handshake",
            Self::Revoked => "revoked",
            Self::Requests => "requests",
        }
    }
}

/// What a coordinator knows of whether a member answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MemberState {
    /// It has not been asked since the start.
    Unasked,
    /// The last call to it was answered, be it by a refusal.
    Answering,
    /// The last call to it was not.
    Silent,
}

impl MemberState {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Unasked, Self::Answering, Self::Silent];

    fn word(self) -> &'static str {
        match self {
            Self::Unasked => "unasked",
            Self::Answering => "answering",
            Self::Silent => "silent",
        }
    }
}

/// What came of asking a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MemberAnswer {
    /// It answered, and what it says was verified.
    Answered,
    /// It refused and signed that.
    Refused,
    /// Nothing came that counts.
    Missing,
}

impl MemberAnswer {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Answered, Self::Refused, Self::Missing];

    fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Missing => "missing",
        }
    }
}

/// The labels of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Labels {
    /// None.
    None,
    /// A method.
    Method(&'static str),
    /// A method, and how its call ended.
    Call(&'static str, Code),
    /// Where a peer was turned away.
    Door(Door),
    /// How members are.
    State(MemberState),
    /// What members say.
    Answer(MemberAnswer),
}

impl EncodeLabelSet for Labels {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), fmt::Error> {
        let mut put = |name: &str, value: &str| (name, value).encode(encoder.encode_label());
        match self {
            Self::None => Ok(()),
            Self::Method(method) => put("rpc_method", method),
            Self::Call(method, code) => {
                put("rpc_system_name", "grpc")?;
                put("rpc_method", method)?;
                put("rpc_response_status_code", code.name())?;
                if code.is_error() { put("error_type", code.name()) } else { Ok(()) }
            }
            Self::Door(door) => put("lango_reason", door.word()),
            Self::State(state) => put("lango_state", state.word()),
            Self::Answer(answer) => put("lango_outcome", answer.word()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_one_that_grpc_names() {
        for (number, name, is_error) in [
            (0, "OK", false),
            (1, "CANCELLED", false),
            (7, "PERMISSION_DENIED", false),
            (8, "RESOURCE_EXHAUSTED", false),
            (13, "INTERNAL", true),
            (14, "UNAVAILABLE", true),
            (16, "UNAUTHENTICATED", false),
            (17, "UNKNOWN", true),
            (-1, "UNKNOWN", true),
            (i32::MAX, "UNKNOWN", true),
        ] {
            let code = Code::of(number);
            assert_eq!((code.name(), code.is_error()), (name, is_error), "{number}");
        }
    }
}
