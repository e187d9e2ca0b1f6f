//! Why nothing came of a question.

use std::{fmt, time::Duration};

use lango_identity::{OwnFault, RevocationFault, SpiffeError, TlsError, Unauthenticated};
use lango_privacy::{Measure, Name};
use lango_statistics::{CombineError, CoverageError};
use lango_wire::{Arguments, COORDINATOR_CODES, status::refusal_facts, words::Language};
use tonic::{Code, Status};

/// Why nothing came of a question.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The analyst's certificate for connections is not good.
    #[error("{fault}: {}", fault.advice())]
    Tls {
        /// What is wrong.
        fault: OwnFault,
    },
    /// The analyst's certificate for questions is not good.
    #[error("your signing certificate is not good: {0}")]
    Signing(Unauthenticated),
    /// Nothing says whether the offices' certificates still stand.
    #[error(
        "{0}: put the authority's present `region.crl` beside `authority.pem`, for nothing is asked without"
    )]
    Revocation(RevocationFault),
    /// The certificates cannot be used.
    #[error(transparent)]
    Settings(#[from] TlsError),
    /// There is no way to the coordinator.
    #[error("cannot reach the coordinator at {address}: {why}")]
    Unreachable {
        /// Where it is said to listen.
        address: String,
        /// What is wrong.
        why: String,
    },
    /// A name that no office can have.
    #[error(transparent)]
    Member(SpiffeError),
    /// Nobody is there to be asked.
    #[error("the federation has no members")]
    NoMembers,
    /// The coordinator's list of members is none.
    #[error("the coordinator's list of members does not end")]
    MembersEndless,
    /// The coordinator names a member that cannot be one.
    #[error("the coordinator names a member that is no office of the region")]
    MemberUnreadable,
    /// Figures that are chosen at each office are to be added up.
    #[error("`{measure}` is chosen at each office and cannot be added up")]
    QuantilePerOffice {
        /// The measure.
        measure: Measure,
        /// Its column.
        column: Name,
    },
    /// The machine gives no random numbers.
    #[error("the machine gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    /// The coordinator refused or failed.
    #[error("{0}")]
    Coordinator(CoordinatorFault),
    /// The coordinator took too long.
    #[error("the coordinator has not answered within {0:?}")]
    Late(Duration),
    /// The outcomes are no coverage.
    #[error(transparent)]
    Coverage(#[from] CoverageError),
    /// The answers cannot be combined.
    #[error(transparent)]
    Combine(#[from] CombineError),
}

/// How a call to a coordinator failed. What a coordinator says of itself is not signed.
#[derive(Debug, Clone, PartialEq)]
pub enum CoordinatorFault {
    /// It refused.
    Refused {
        /// The stable code.
        code: String,
        /// The facts.
        arguments: Arguments,
    },
    /// It failed, or the connection did.
    Status {
        /// The kind of failure.
        code: Code,
        /// In its words.
        message: String,
    },
}

impl From<Status> for CoordinatorFault {
    fn from(status: Status) -> Self {
        // What an office's ledger or policy decides, the office signs: a coordinator cannot say it.
        match refusal_facts(&status).filter(|(code, _)| COORDINATOR_CODES.contains(&code.as_str())) {
            Some((code, arguments)) => Self::Refused { code, arguments },
            None => Self::Status { code: status.code(), message: status.message().to_owned() },
        }
    }
}

impl fmt::Display for CoordinatorFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { code, arguments } => {
                write!(
                    f,
                    "the coordinator refuses, and nobody signed that ({code}): {}",
                    Language::English.refusal(code, arguments)
                )
            }
            Self::Status { code, message } => {
                write!(f, "the coordinator failed, and nobody signed its words ({code:?}): {message}")
            }
        }
    }
}

impl From<Status> for AskError {
    fn from(status: Status) -> Self {
        Self::Coordinator(status.into())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lango_wire::{BudgetFault, Refusal};

    use super::*;

    #[test]
    fn a_coordinator_cannot_speak_for_a_ledger() {
        let text = || "1".to_owned();
        let budget = BudgetFault::Exceeded {
            dataset: "residents".to_owned(),
            grant: None,
            left: text(),
            limit: text(),
            price: text(),
        };
        for (refusal, begins) in [
            (
                Refusal::TooManyRequests { wait: Duration::from_secs(1) },
                "the coordinator refuses, and nobody signed",
            ),
            (Refusal::Budget(budget), "the coordinator failed, and nobody signed its words"),
            (Refusal::Published, "the coordinator failed, and nobody signed its words"),
        ] {
            let said = AskError::from(refusal.into_status(None)).to_string();
            assert!(said.starts_with(begins), "{said}");
        }
    }
}
