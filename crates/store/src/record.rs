//! What an access record holds: one for every request that was decided, refusals included, for every change of the
//! policy, and of who administers the office.

use lango_access_log::LogEvent;
use lango_privacy::Loss;

/// What was asked, by whom, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Unix seconds.
    pub at: i64,
    /// The asker's SPIFFE URI; the office's own where the policy changed, or who administers the office.
    pub principal: String,
    /// For what, in the asker's words.
    pub purpose: String,
    /// Digest of the request; of the policy where that changed.
    pub request_digest: [u8; 32],
    /// Digest of the question's text.
    pub query_digest: Option<[u8; 32]>,
    /// The question's text; the store keeps the first [`Record::QUERY_BYTES_MOST`] bytes.
    pub query: Option<String>,
    /// The dataset asked for.
    pub dataset: Option<String>,
    /// What was decided.
    pub decision: Decision,
    /// The refusal's code, empty where there is none.
    pub reason: String,
    /// The grant that decided.
    pub rule: Option<String>,
    /// The agreement that it cites.
    pub agreement: Option<String>,
    /// Digest of the policy in force; [`Record::NO_POLICY`] where there is none.
    pub policy_digest: [u8; 32],
    /// What was charged; nothing where it was free.
    pub charged: Loss,
    /// The version of the dataset that is answered from.
    pub version: Option<String>,
    /// SHA-256 of the certificate that the request was signed with.
    pub certificate: Option<[u8; 32]>,
    /// SHA-256 of the complete envelope of the request.
    pub envelope: Option<[u8; 32]>,
    /// SHA-256 of the complete envelope of what was handed out.
    pub release_envelope: Option<[u8; 32]>,
    /// The trace of the request, as W3C's `traceparent` names it.
    pub trace: Option<[u8; 16]>,
    /// What the log says of it, where that does not follow from the rest.
    pub event: Option<LogEvent>,
    /// What was handed out.
    pub release_id: Option<[u8; 16]>,
    /// How many refusals before this one were not recorded, because there were too many.
    pub left_out: u64,
    /// The request that it is of, where that is kept.
    pub request: Option<OfRequest>,
}

impl Record {
    /// A record of who did what, when, in Unix seconds, and under which policy, with nothing beside.
    pub fn of(principal: String, (at, policy_digest): (i64, [u8; 32]), decision: Decision) -> Self {
        Self {
            at,
            principal,
            purpose: String::new(),
            request_digest: policy_digest,
            query_digest: None,
            query: None,
            dataset: None,
            decision,
            reason: String::new(),
            rule: None,
            agreement: None,
            policy_digest,
            charged: Loss::FREE,
            version: None,
            certificate: None,
            envelope: None,
            release_envelope: None,
            trace: None,
            event: None,
            release_id: None,
            left_out: 0,
            request: None,
        }
    }

    /// In the place of a policy's digest: a coordinator has no policy.
    pub const NO_POLICY: [u8; 32] = [0; 32];

    /// The bytes of a question's text that are kept: far more than one that is allowed has, and few enough that questions which
    /// are refused fill no disk.
    pub const QUERY_BYTES_MOST: usize = 16 << 10;

    /// The text of the question that is kept.
    pub(crate) fn kept_query(&self) -> Option<&str> {
        let query = self.query.as_deref()?;
        Some(query.get(..query.floor_char_boundary(Self::QUERY_BYTES_MOST)).unwrap_or(query))
    }

    /// The answer that it keeps for its request.
    pub(crate) fn answer(&self) -> Option<&[u8]> {
        match &self.request.as_ref()?.step {
            Step::Answered(answer) => Some(answer),
            Step::Working | Step::Freed => None,
        }
    }
}

/// A request that a record is of, and how far it has come with it. Written in the record's transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfRequest {
    /// Its identifier, unique among those of its principal.
    pub id: [u8; 16],
    /// How far it has come.
    pub step: Step,
}

/// How far a request has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The work goes on.
    Working,
    /// This is its answer.
    Answered(Vec<u8>),
    /// It failed, and may be tried again.
    Freed,
}

/// What became of an attempt to record an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// It is recorded.
    Now,
    /// The request had been answered meanwhile; nothing has changed.
    Answered,
    /// Its identifier has meanwhile come to stand for another payload; nothing has changed.
    Reused,
    /// It expires no later than one that has been forgotten meanwhile; nothing has changed.
    Forgotten,
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The loss is set aside; an answer or a failure follows.
    Reserved,
    /// A new answer.
    Released,
    /// A new answer, which the office reviews before it leaves.
    Drawn,
    /// A stored answer, free.
    Repeated,
    /// A price was named.
    Estimated,
    /// The datasets were described.
    Described,
    /// Refused.
    Refused,
    /// Failed after the decision.
    Failed,
    /// No request: another policy came into force.
    Activated,
    /// A review took a step; the reason is the word for how it stands.
    Reviewed,
    /// An administrator of the office looked something up; the reason is the word for what, and which review.
    Inspected,
    /// An administrator of the office signed a policy; the reason is its digest, in hexadecimal.
    Signed,
    /// No request: the gateway started with other administrators, or another activation; the reason is which, and which before.
    Configured,
    /// No request: a gateway started; the reason is the version of Lango.
    Started,
    /// No request: a gateway stopped, as it was asked to.
    Stopped,
    /// No request: a key, certificate or revocation list is in use; the reason is whose it is.
    Keyed,
    /// No request: files became a register; the reason is how many.
    Imported,
    /// No request: a dataset's prepared rows were made; the reason is its version.
    Prepared,
    /// No request: something failed that no request is answered for; the reason is the word for it.
    Faulted,
    /// A coordinator passed a request on to members; the reason is the refusal's code, where it passed it on to nobody.
    Relayed,
    /// A member answered a coordinator, refused or is missing; the reason is its name, and why.
    Answered,
}

impl Decision {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Released => "released",
            Self::Drawn => "drawn",
            Self::Repeated => "repeated",
            Self::Estimated => "estimated",
            Self::Described => "described",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Activated => "activated",
            Self::Reviewed => "reviewed",
            Self::Inspected => "inspected",
            Self::Signed => "signed",
            Self::Configured => "configured",
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::Keyed => "key",
            Self::Imported => "imported",
            Self::Prepared => "prepared",
            Self::Faulted => "failure",
            Self::Relayed => "relayed",
            Self::Answered => "answered",
        }
    }
}

/// A record with its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Counts from 1, without gaps.
    pub sequence: i64,
    /// Unix seconds.
    pub at: i64,
    /// The asker's SPIFFE URI.
    pub principal: String,
    /// For what, in the asker's words.
    pub purpose: String,
    /// Digest of the request; of the policy where that changed.
    pub request_digest: [u8; 32],
    /// Digest of the question's whole text.
    pub query_digest: Option<[u8; 32]>,
    /// The dataset asked for.
    pub dataset: Option<String>,
    /// The question's text, or its beginning where it is very long.
    pub query: Option<String>,
    /// What was decided.
    pub decision: String,
    /// The refusal's code.
    pub reason: String,
    /// The grant that decided.
    pub rule: Option<String>,
    /// The agreement that it cites.
    pub agreement: Option<String>,
    /// Digest of the policy in force.
    pub policy_digest: [u8; 32],
    /// What was charged.
    pub charged: Loss,
    /// How many refusals before this one were not recorded.
    pub left_out: u64,
}
