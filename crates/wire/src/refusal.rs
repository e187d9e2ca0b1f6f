//! Why a request is not answered: facts, each with a stable code and the status that it becomes. Words are made from the code and
//! the arguments, at the edge.
//!
//! To add a refusal: a variant here with its code, status and arguments, and a message in `messages/en.ftl` for its code. The
//! tests beside this file name what is missing.

use std::time::Duration;

use lango_identity::{Role, SpiffeId};
use lango_policy::{Denial, DenialCode};
use lango_privacy::{LevelError, Measure, Name, PlanRefusal, QueryError};
use tonic::Code;

use crate::question::Malformed;

pub use arguments::Arguments;

mod arguments;
mod facts;
#[cfg(test)]
mod tests;

/// The codes of what a coordinator may refuse, as [`Refusal::is_coordinators`] says.
pub const COORDINATOR_CODES: [&str; 8] = [
    "malformed",
    "quantile-per-office",
    "request-id-reused",
    "role",
    "time",
    "too-many-cells",
    "too-many-requests",
    "unavailable",
];

/// Why a request is not answered. Never depends on rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Asked by a principal of another role than the one that may.
    Role(Role),
    /// The payload is not of this protocol.
    Malformed(Malformed),
    /// The text is no question.
    Query(QueryError),
    /// The confidence is none.
    Confidence(LevelError),
    /// The audience is without this office.
    NotAddressed(SpiffeId),
    /// Not at this time.
    Time(TimeFault),
    /// The identifier of a request came before, with another payload.
    RequestIdReused,
    /// More requests than a principal may send.
    TooManyRequests {
        /// After this time the same request may pass.
        wait: Duration,
    },
    /// The office publishes its own figures, so that none can be hidden in a regional total.
    Published,
    /// The policy does not grant it.
    Denied(Denial),
    /// The price is within another grant than the one that allows the question.
    PriceNotOfGrant(String),
    /// No plan answers it.
    Plan(PlanRefusal),
    /// The request was charged under this version of the dataset and the terms of then, and is not charged under any other.
    VersionGone(String),
    /// Its answer would not fit a message.
    AnswerTooLarge {
        /// The bytes that it could have.
        bytes: usize,
        /// The bytes that an answer may have.
        bytes_max: usize,
    },
    /// No account covers its price.
    Budget(BudgetFault),
    /// The office reviews the question, or its answer.
    Review(ReviewFault),
    /// An administrator's act is not done.
    Administration(AdministrationFault),
    /// The office's configuration does not list the one who asks among its auditors.
    NotAuditor,
    /// The dataset is not open to the principal, or there is none.
    DatasetNotOpen {
        /// The office's name.
        office: String,
        /// As asked.
        dataset: String,
        /// The principal's URI.
        principal: String,
    },
    /// The release is not open to the principal, or there is none.
    ReleaseUnknown,
    /// Figures that are chosen at each office are to be added up.
    QuantilePerOffice {
        /// The measure.
        measure: Measure,
        /// Its column.
        column: Name,
    },
    /// The combined tables would be too large.
    TablesTooLarge,
    /// Something behind the office's gateway failed, and only its own log knows what.
    Unavailable,
}

/// What is wrong with the time of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeFault {
    /// It was issued later than now.
    Future {
        /// The gateway's clock, in Unix seconds.
        now: u64,
        /// As the request says, in Unix seconds.
        issued_at: u64,
    },
    /// It has expired.
    Expired,
    /// It lives too long.
    Life {
        /// The most seconds that a request lives.
        life_s_max: u64,
    },
}

/// What is wrong with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BudgetFault {
    /// Too little is left.
    Exceeded {
        /// The dataset.
        dataset: String,
        /// The grant whose share it is; nothing where it is the dataset's pool.
        grant: Option<String>,
        /// What is left, as a decimal.
        left: String,
        /// What there was, as a decimal.
        limit: String,
        /// What is asked, as a decimal.
        price: String,
    },
    /// The account counts pure epsilon, and losses without a pure guarantee were charged to it.
    NotPure {
        /// The dataset.
        dataset: String,
        /// The grant whose share it is; nothing where it is the dataset's pool.
        grant: Option<String>,
    },
    /// No delta is left.
    Delta {
        /// The dataset.
        dataset: String,
        /// The grant whose share it is; nothing where it is the dataset's pool.
        grant: Option<String>,
    },
}

/// Why a question that the policy allows is not answered, or its answer does not leave. `review` is the review's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReviewFault {
    /// The question waits for the office.
    Waiting {
        /// The review.
        review: String,
    },
    /// The office has rejected the question.
    Rejected {
        /// The review.
        review: String,
        /// Why; empty where it gives no reason.
        why: String,
    },
    /// The answer was drawn, and waits for the office.
    Held {
        /// The review.
        review: String,
    },
    /// The answer was drawn, and the office has kept it back.
    Withheld {
        /// The review.
        review: String,
        /// Why; empty where it gives no reason.
        why: String,
    },
    /// The principal's questions that wait for the office are too many for one more.
    Full {
        /// The most that may wait.
        most: u32,
    },
}

/// Why an administrator's act is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdministrationFault {
    /// The office's configuration does not list the one who asks among its administrators.
    NotAdministrator,
    /// The signed act came before, and was done.
    Done,
    /// There is no such review.
    ReviewUnknown,
    /// The review does not take this step.
    ReviewStep {
        /// How it stands.
        from: &'static str,
        /// What was to happen to it.
        step: &'static str,
    },
    /// The policy in force decides otherwise of what is reviewed.
    ReviewLapses {
        /// Why.
        why: &'static str,
    },
    /// The administrator has the name of the one who asked the question.
    OwnQuestion,
    /// The policy that was signed is not the one that waits for signatures.
    PolicyNotWaiting {
        /// The digest of the one that waits, in hexadecimal; nothing where none does.
        waiting: Option<String>,
    },
    /// The administrator has signed this policy already.
    SignedAlready,
}

impl AdministrationFault {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAdministrator => "not-administrator",
            Self::Done => "act-done",
            Self::ReviewUnknown => "review-unknown",
            Self::ReviewStep { .. } => "review-step",
            Self::ReviewLapses { .. } => "review-lapses",
            Self::OwnQuestion => "review-own",
            Self::PolicyNotWaiting { .. } => "policy-not-waiting",
            Self::SignedAlready => "policy-signed-already",
        }
    }

    fn status_code(&self) -> Code {
        match self {
            Self::NotAdministrator | Self::OwnQuestion => Code::PermissionDenied,
            Self::ReviewUnknown => Code::NotFound,
            Self::Done | Self::SignedAlready => Code::AlreadyExists,
            Self::ReviewStep { .. } | Self::ReviewLapses { .. } | Self::PolicyNotWaiting { .. } => {
                Code::FailedPrecondition
            }
        }
    }
}

impl ReviewFault {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "review-waiting",
            Self::Rejected { .. } => "review-rejected",
            Self::Held { .. } => "answer-held",
            Self::Withheld { .. } => "answer-withheld",
            Self::Full { .. } => "reviews-full",
        }
    }
}

impl Refusal {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Role(_) => "role",
            Self::Malformed(_) | Self::Query(_) | Self::Confidence(_) => "malformed",
            Self::NotAddressed(_) => "not-addressed",
            Self::Time(_) => "time",
            Self::RequestIdReused => "request-id-reused",
            Self::TooManyRequests { .. } => "too-many-requests",
            Self::Published => "published",
            Self::Denied(denial) => denial.code().as_str(),
            Self::PriceNotOfGrant(_) => DenialCode::EpsilonPerQuery.as_str(),
            Self::Plan(refusal) => refusal.code(),
            Self::VersionGone(_) => "version-not-live",
            Self::AnswerTooLarge { .. } | Self::TablesTooLarge => "too-many-cells",
            Self::Budget(_) => "budget-exceeded",
            Self::Review(fault) => fault.code(),
            Self::Administration(fault) => fault.code(),
            Self::NotAuditor => "not-auditor",
            Self::DatasetNotOpen { .. } => DenialCode::DatasetUnknown.as_str(),
            Self::ReleaseUnknown => "release-unknown",
            Self::QuantilePerOffice { .. } => "quantile-per-office",
            Self::Unavailable => "unavailable",
        }
    }

    /// Whether a coordinator may refuse so, which signs nothing; what only an office's policy or ledger decides, an office signs.
    pub fn is_coordinators(&self) -> bool {
        match self {
            Self::Role(_)
            | Self::Malformed(_)
            | Self::Query(_)
            | Self::Confidence(_)
            | Self::Time(_)
            | Self::RequestIdReused
            | Self::TooManyRequests { .. }
            | Self::QuantilePerOffice { .. }
            | Self::TablesTooLarge
            | Self::Unavailable => true,
            Self::NotAddressed(_)
            | Self::Published
            | Self::Denied(_)
            | Self::PriceNotOfGrant(_)
            | Self::Plan(_)
            | Self::VersionGone(_)
            | Self::AnswerTooLarge { .. }
            | Self::Budget(_)
            | Self::Review(_)
            | Self::Administration(_)
            | Self::NotAuditor
            | Self::DatasetNotOpen { .. }
            | Self::ReleaseUnknown => false,
        }
    }

    /// The status that it becomes: the one place where that is decided.
    pub fn status_code(&self) -> Code {
        match self {
            Self::Role(_) | Self::NotAddressed(_) | Self::PriceNotOfGrant(_) | Self::NotAuditor => {
                Code::PermissionDenied
            }
            Self::Malformed(_) | Self::Query(_) | Self::Confidence(_) | Self::Time(_) => {
                Code::InvalidArgument
            }
            Self::RequestIdReused
            | Self::AnswerTooLarge { .. }
            | Self::TablesTooLarge
            | Self::QuantilePerOffice { .. } => Code::InvalidArgument,
            Self::TooManyRequests { .. } | Self::Budget(_) => Code::ResourceExhausted,
            Self::Published | Self::VersionGone(_) => Code::FailedPrecondition,
            Self::Review(fault) => match fault {
                ReviewFault::Waiting { .. } | ReviewFault::Held { .. } => Code::FailedPrecondition,
                ReviewFault::Rejected { .. } | ReviewFault::Withheld { .. } => Code::PermissionDenied,
                ReviewFault::Full { .. } => Code::ResourceExhausted,
            },
            Self::Administration(fault) => fault.status_code(),
            Self::DatasetNotOpen { .. } | Self::ReleaseUnknown => Code::NotFound,
            Self::Unavailable => Code::Unavailable,
            Self::Denied(denial) => match denial.code() {
                DenialCode::DatasetUnknown => Code::NotFound,
                DenialCode::PrincipalNotGranted
                | DenialCode::PurposeNotGranted
                | DenialCode::Forbidden
                | DenialCode::GrantNotValid
                | DenialCode::MeasureNotGranted
                | DenialCode::DimensionNotGranted
                | DenialCode::FilterNotGranted
                | DenialCode::TooManyDimensions
                | DenialCode::EpsilonPerQuery => Code::PermissionDenied,
            },
            Self::Plan(refusal) => match refusal {
                PlanRefusal::Version { .. } => Code::FailedPrecondition,
                // The policy gives the grant no delta to spend.
                PlanRefusal::DeltaNotGranted(_) => Code::PermissionDenied,
                PlanRefusal::UnitsNot { .. }
                | PlanRefusal::NotNumbers(_)
                | PlanRefusal::NoBins(_)
                | PlanRefusal::NoCandidates(_)
                | PlanRefusal::Quantile(_)
                | PlanRefusal::ShareByItself(_)
                | PlanRefusal::KeysOf(_)
                | PlanRefusal::Overflow { .. }
                | PlanRefusal::PrecisionNot(_)
                | PlanRefusal::PrecisionOutOfReach
                | PlanRefusal::Precision
                | PlanRefusal::Epsilon
                | PlanRefusal::Loss(_)
                | PlanRefusal::TooThin(_)
                | PlanRefusal::TooNoisy(_)
                | PlanRefusal::Column(_)
                | PlanRefusal::NotADimension(_)
                | PlanRefusal::Dimensions
                | PlanRefusal::Margins(_)
                | PlanRefusal::MarginsInAll(_)
                | PlanRefusal::Measures(_)
                | PlanRefusal::Searches(_)
                | PlanRefusal::Selections { .. }
                | PlanRefusal::Memory(_)
                | PlanRefusal::Layout(_)
                | PlanRefusal::Cells(_)
                | PlanRefusal::Integers(_)
                | PlanRefusal::Filter(_) => Code::InvalidArgument,
            },
        }
    }

    /// Whether those who may not ask at all, or anyone who sends another's request again, can make a gateway refuse so: such
    /// refusals are recorded at a bounded rate, where the request has not had its turn. What a policy or a budget decides is
    /// always recorded.
    pub fn is_recorded_at_a_rate(&self) -> bool {
        match self {
            Self::Role(_)
            | Self::Malformed(_)
            | Self::Query(_)
            | Self::Confidence(_)
            | Self::NotAddressed(_)
            | Self::Time(_)
            | Self::RequestIdReused
            | Self::TooManyRequests { .. }
            | Self::NotAuditor
            | Self::Administration(AdministrationFault::NotAdministrator) => true,
            Self::Published
            | Self::Denied(_)
            | Self::PriceNotOfGrant(_)
            | Self::Plan(_)
            | Self::VersionGone(_)
            | Self::AnswerTooLarge { .. }
            | Self::Budget(_)
            | Self::Review(_)
            | Self::Administration(
                AdministrationFault::Done
                | AdministrationFault::ReviewUnknown
                | AdministrationFault::ReviewStep { .. }
                | AdministrationFault::ReviewLapses { .. }
                | AdministrationFault::OwnQuestion
                | AdministrationFault::PolicyNotWaiting { .. }
                | AdministrationFault::SignedAlready,
            )
            | Self::DatasetNotOpen { .. }
            | Self::ReleaseUnknown
            | Self::QuantilePerOffice { .. }
            | Self::TablesTooLarge
            | Self::Unavailable => false,
        }
    }

    /// The field of the request at fault, where it is one.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::Malformed(malformed) => Some(malformed.field),
            Self::Query(_) | Self::Plan(_) | Self::AnswerTooLarge { .. } => Some("query"),
            Self::Confidence(_) => Some("confidence"),
            Self::QuantilePerOffice { .. } => Some("by_office"),
            Self::RequestIdReused => Some("request_id"),
            Self::Role(_)
            | Self::NotAddressed(_)
            | Self::Time(_)
            | Self::TooManyRequests { .. }
            | Self::Published
            | Self::Denied(_)
            | Self::PriceNotOfGrant(_)
            | Self::VersionGone(_)
            | Self::Budget(_)
            | Self::Review(_)
            | Self::Administration(_)
            | Self::DatasetNotOpen { .. }
            | Self::ReleaseUnknown
            | Self::TablesTooLarge
            | Self::NotAuditor
            | Self::Unavailable => None,
        }
    }
}

impl std::fmt::Display for Refusal {
    /// For logs: the code and the facts.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())?;
        self.arguments().iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}

impl From<Malformed> for Refusal {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

impl From<LevelError> for Refusal {
    fn from(error: LevelError) -> Self {
        Self::Confidence(error)
    }
}

impl From<Denial> for Refusal {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

impl From<PlanRefusal> for Refusal {
    fn from(refusal: PlanRefusal) -> Self {
        Self::Plan(refusal)
    }
}
