//! A coordinator's part: which requests it passed on to members, and what they answered.

use serde::{Deserialize, Serialize};

use crate::values::Hex;

use super::{LoggedLines, LoggedQuestion};

/// A request that came to a coordinator, and was passed on to members or refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayedRequest {
    /// The members that it is for, by their names.
    pub audience: LoggedLines,
    /// SHA-256 of the complete envelope of the request.
    pub envelope: Hex<32>,
    /// What is asked of them.
    pub kind: RelayedKind,
    /// For what, in the asker's words; empty where datasets are described.
    pub purpose: String,
    /// The question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<LoggedQuestion>,
    /// The code of the refusal: it was passed on to nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// Digest of the request.
    pub request: Hex<32>,
}

/// What is asked of members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelayedKind {
    /// An answer.
    Query,
    /// A price.
    Estimate,
    /// A description of datasets.
    Lookup,
}

impl RelayedKind {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Estimate => "estimate",
            Self::Lookup => "lookup",
        }
    }
}

/// What a member answered to a request, before it is passed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayedAnswer {
    /// SHA-256 of the complete envelope of its answer or refusal; none where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope: Option<Hex<32>>,
    /// The member, by its name.
    pub office: String,
    /// What became of it.
    pub outcome: MemberOutcome,
    /// The code of its refusal, or why it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Digest of the request.
    pub request: Hex<32>,
}

/// What became of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberOutcome {
    /// It answered.
    Answered,
    /// It refused.
    Refused,
    /// It did not answer.
    Missing,
}

impl MemberOutcome {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Missing => "missing",
        }
    }
}
