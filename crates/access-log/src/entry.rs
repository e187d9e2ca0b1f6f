//! An entry: what the log says of one event. Its leaf is canonical JSON (RFC 8785).
//!
//! Every field stands in the order of its name, every text is printed as `serde_json` prints it, and every number is whole and
//! below 2^53: of such values RFC 8785 has one spelling, and it is this one. What is read is written again and compared, so an
//! entry that this version would have written otherwise is refused.

use std::io;

use serde::{Deserialize, Serialize};

use crate::{
    bundle::ENTRY_BYTES_MOST,
    values::{Amount, Hex, NUMBER_MOST},
};

mod earlier;
mod house;
mod relay;
mod request;

pub use earlier::EarlierRecord;
pub use house::{
    AccessStep, ActivatedPolicy, ConfigurationChange, DatasetVersion, GatewayFailure, GatewayStart,
    GatewayStop, ImportedRegister, KeyChange, KeyUse, LoggedInspection, LoggedLines, LoggedReview,
    MadePreparation, MovedCharges, PolicyApproval,
};
pub use relay::{MemberOutcome, RelayedAnswer, RelayedKind, RelayedRequest};
pub use request::{
    DecidedRequest, LoggedAccount, LoggedCharge, LoggedLoss, LoggedQuestion, LoggedRelease, RequestDecision,
};

/// An entry of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogEntry {
    /// Who brought it about; the office or the coordinator itself where nobody asked.
    pub actor: Actor,
    /// When, in Unix seconds.
    pub at: i64,
    /// What happened.
    pub event: LogEvent,
    /// The form of the entry.
    pub format: EntryFormat,
    /// How many events before it were not recorded, because there were too many.
    pub left_out: Amount,
    /// Digest of the policy in force, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Hex<32>>,
    /// The trace of the request, as W3C's `traceparent` names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Hex<16>>,
}

/// Who brought an event about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// SHA-256 of the certificate that the request was signed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Hex<32>>,
    /// The SPIFFE URI.
    pub principal: String,
    /// Its role.
    pub role: ActorRole,
}

/// The role in a principal's URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorRole {
    /// A statistics office.
    Office,
    /// A coordinator.
    Coordinator,
    /// An analyst.
    Analyst,
    /// An auditor.
    Auditor,
    /// An office's administrator.
    Administrator,
}

impl ActorRole {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Office, Self::Coordinator, Self::Analyst, Self::Auditor, Self::Administrator];

    /// The role of a word in a URI.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    /// The word for it in a URI.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Office => "office",
            Self::Coordinator => "coordinator",
            Self::Analyst => "analyst",
            Self::Auditor => "auditor",
            Self::Administrator => "administrator",
        }
    }
}

/// What happened. Rules and access stand in one log, so that each answer stands behind the rules that it follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogEvent {
    /// A request was decided.
    Request(Box<DecidedRequest>),
    /// A review took a step.
    Review(LoggedReview),
    /// An administrator or an auditor saw something.
    Inspection(LoggedInspection),
    /// A server started.
    Start(GatewayStart),
    /// A server stopped.
    Stop(GatewayStop),
    /// Another configuration is in use.
    Configuration(ConfigurationChange),
    /// Another policy came into force.
    Policy(ActivatedPolicy),
    /// An administrator signed a policy that waits.
    PolicySignature(PolicyApproval),
    /// A key, certificate, authority or revocation list changed.
    Key(KeyChange),
    /// Files became a register.
    Import(ImportedRegister),
    /// A dataset's prepared rows were made.
    Preparation(MadePreparation),
    /// A dataset has another version.
    Version(DatasetVersion),
    /// Something failed that no request is answered for.
    Failure(GatewayFailure),
    /// A coordinator passed a request on, or refused it.
    Relay(Box<RelayedRequest>),
    /// A member answered a request that a coordinator passed on, or did not.
    Answer(RelayedAnswer),
    /// A record that was kept before the log was.
    Earlier(Box<EarlierRecord>),
}

/// The form of an entry: 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct EntryFormat;

impl From<EntryFormat> for u8 {
    fn from(_: EntryFormat) -> Self {
        1
    }
}

impl TryFrom<u8> for EntryFormat {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, &'static str> {
        if number == 1 { Ok(Self) } else { Err("this version of Lango reads entries of format 1") }
    }
}

impl LogEntry {
    /// The bytes of the leaf.
    ///
    /// # Errors
    /// [`EntryError`] where the entry contradicts itself or is too long.
    pub fn leaf(&self) -> Result<Vec<u8>, EntryError> {
        self.check()?;
        let leaf = self.write()?;
        if leaf.len() > ENTRY_BYTES_MOST { Err(EntryError::Long { bytes: leaf.len() }) } else { Ok(leaf) }
    }

    /// Reads a leaf, strictly.
    ///
    /// # Errors
    /// [`EntryError`] where it is no entry, contradicts itself, or would have been written otherwise.
    pub fn read(leaf: &[u8]) -> Result<Self, EntryError> {
        if leaf.len() > ENTRY_BYTES_MOST {
            return Err(EntryError::Long { bytes: leaf.len() });
        }
        let entry: Self =
            serde_json::from_slice(leaf).map_err(|error| EntryError::Form(error.to_string()))?;
        entry.check()?;
        let mut written = Same { rest: leaf };
        match serde_json::to_writer(&mut written, &entry) {
            Ok(()) if written.rest.is_empty() => Ok(entry),
            Ok(()) | Err(_) => Err(EntryError::Spelling),
        }
    }

    fn write(&self) -> Result<Vec<u8>, EntryError> {
        serde_json::to_vec(self).map_err(|error| EntryError::Form(error.to_string()))
    }

    fn check(&self) -> Result<(), EntryError> {
        let since: [Option<i64>; 4] = match &self.event {
            LogEvent::Request(request) => {
                request.check()?;
                let of = |charge: &Option<LoggedCharge>| {
                    let charge = charge.as_ref();
                    [charge.map(|charge| charge.pool.since), charge.map(|charge| charge.grant.since)]
                };
                let ([a, b], [c, d]) = (of(&request.charge), of(&request.given_back));
                [a, b, c, d]
            }
            LogEvent::Key(change) => [change.valid_from, change.valid_until, None, None],
            LogEvent::Review(_)
            | LogEvent::Inspection(_)
            | LogEvent::Start(_)
            | LogEvent::Stop(_)
            | LogEvent::Configuration(_)
            | LogEvent::Policy(_)
            | LogEvent::PolicySignature(_)
            | LogEvent::Import(_)
            | LogEvent::Preparation(_)
            | LogEvent::Version(_)
            | LogEvent::Failure(_)
            | LogEvent::Relay(_)
            | LogEvent::Answer(_)
            | LogEvent::Earlier(_) => [None; 4],
        };
        if let Some(seconds) = since.into_iter().flatten().chain([self.at]).find(|at| at.abs() > NUMBER_MOST)
        {
            return Err(EntryError::Time { seconds });
        }
        let role = self.actor.principal.strip_prefix("spiffe://").and_then(|rest| rest.split('/').nth(1));
        if role == Some(self.actor.role.word()) { Ok(()) } else { Err(EntryError::Role) }
    }
}

/// Compares what is written with bytes that are there, and keeps nothing of it.
struct Same<'a> {
    /// What is still to be written.
    rest: &'a [u8],
}

impl io::Write for Same<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rest = self.rest.strip_prefix(bytes).ok_or(io::ErrorKind::InvalidData)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Why an entry is not written, or bytes are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// More than a bundle takes.
    #[error("an entry of {bytes} bytes is longer than {ENTRY_BYTES_MOST}")]
    Long {
        /// Its length.
        bytes: usize,
    },
    /// Not the fields of an entry.
    #[error("the entry is not what this version of Lango writes: {0}")]
    Form(String),
    /// The fields of an entry, in another spelling.
    #[error("the entry is not in its canonical form: fields in order, no spaces, nothing empty")]
    Spelling,
    /// A time that JSON cannot hold.
    #[error("`{seconds}` is not a time: it is beyond 2^53 seconds")]
    Time {
        /// The time.
        seconds: i64,
    },
    /// The principal's URI names another role.
    #[error("`actor.role` is not the role in `actor.principal`")]
    Role,
    /// The balances do not differ by the loss.
    #[error("the balances of the {account} do not differ by the loss")]
    Charge {
        /// `pool` or `grant`.
        account: &'static str,
    },
    /// The decision contradicts a field.
    #[error("`{field}` contradicts the decision `{decision}`")]
    Decision {
        /// The decision.
        decision: &'static str,
        /// The field.
        field: &'static str,
    },
}

#[cfg(test)]
mod tests;
