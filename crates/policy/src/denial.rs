//! What is asked of a policy, and why it is denied.

use std::fmt;

use lango_principal::SpiffeId;
use lango_privacy::{Measure, Name};
use time::Date;

use crate::grant::Validity;

/// Who asks, for what, when.
#[derive(Debug, Clone, Copy)]
pub struct AccessRequest<'a> {
    /// Who asks.
    pub principal: &'a SpiffeId,
    /// The declared purpose; `None` fits every grant (in trials only).
    pub purpose: Option<&'a str>,
    /// The day (UTC); `None` fits every grant (in trials only).
    pub on: Option<Date>,
    /// What the question costs, in billionths of epsilon, where its text names a precision and its plan has the price.
    pub epsilon_nano: Option<u64>,
}

/// A question denied. States facts of the question and the policy, never of the data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Denial {
    /// What is not granted.
    pub reason: DenialReason,
    /// The grant that came nearest, or the rule that forbids it, for the access log.
    pub rule: Option<String>,
}

impl Denial {
    /// The stable reason.
    pub fn code(&self) -> DenialCode {
        self.reason.code()
    }
}

/// What of a question is not granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DenialReason {
    /// The office has no such dataset.
    #[error("office {office} has no dataset `{dataset}`")]
    DatasetUnknown {
        /// The office's name.
        office: String,
        /// As asked.
        dataset: Name,
    },
    /// A rule that wins over every grant refuses it.
    #[error("the policy's rule `{rule}` forbids it")]
    Forbidden {
        /// The rule's name.
        rule: String,
    },
    /// No grant on the dataset is to the principal.
    #[error("no grant on `{dataset}` is to {principal}")]
    PrincipalNotGranted {
        /// The dataset.
        dataset: Name,
        /// The principal's URI.
        principal: String,
    },
    /// Not for this purpose.
    #[error("purpose `{0}` is not granted")]
    PurposeNotGranted(String),
    /// Not on this day.
    #[error("the grant is valid from {} to {}", .0.from, .0.until)]
    GrantNotValid(Validity),
    /// Not this measure.
    #[error("measure `{0}` is not granted")]
    MeasureNotGranted(Measure),
    /// Not by this dimension.
    #[error("dimension `{0}` is not granted")]
    DimensionNotGranted(Name),
    /// No condition on this column.
    #[error("a condition on `{0}` is not granted")]
    FilterNotGranted(Name),
    /// Not by this number of columns at once.
    #[error("{asked} columns at once are asked for, conditions included; {granted} are granted")]
    TooManyDimensions {
        /// As asked.
        asked: usize,
        /// As granted.
        granted: u32,
    },
    /// Not at this price.
    #[error("epsilon {epsilon} is above the {granted} granted to a question")]
    EpsilonPerQuery {
        /// As asked, a decimal.
        epsilon: String,
        /// As granted, a decimal.
        granted: String,
    },
}

impl DenialReason {
    /// The stable reason.
    pub fn code(&self) -> DenialCode {
        match self {
            Self::DatasetUnknown { .. } => DenialCode::DatasetUnknown,
            Self::Forbidden { .. } => DenialCode::Forbidden,
            Self::PrincipalNotGranted { .. } => DenialCode::PrincipalNotGranted,
            Self::PurposeNotGranted(_) => DenialCode::PurposeNotGranted,
            Self::GrantNotValid(_) => DenialCode::GrantNotValid,
            Self::MeasureNotGranted(_) => DenialCode::MeasureNotGranted,
            Self::DimensionNotGranted(_) => DenialCode::DimensionNotGranted,
            Self::FilterNotGranted(_) => DenialCode::FilterNotGranted,
            Self::TooManyDimensions { .. } => DenialCode::TooManyDimensions,
            Self::EpsilonPerQuery { .. } => DenialCode::EpsilonPerQuery,
        }
    }
}

/// Why a question is denied, from the least to the most that a grant allowed of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DenialCode {
    /// The office has no such dataset.
    DatasetUnknown,
    /// A rule that wins over every grant refuses it.
    Forbidden,
    /// No grant on the dataset is to the principal.
    PrincipalNotGranted,
    /// Not for this purpose.
    PurposeNotGranted,
    /// Not on this day.
    GrantNotValid,
    /// Not this measure.
    MeasureNotGranted,
    /// Not by this dimension.
    DimensionNotGranted,
    /// No condition on this column.
    FilterNotGranted,
    /// Not by this number of columns at once.
    TooManyDimensions,
    /// Not at this price.
    EpsilonPerQuery,
}

impl DenialCode {
    /// The stable word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DatasetUnknown => "dataset-unknown",
            Self::Forbidden => "forbidden",
            Self::PrincipalNotGranted => "principal-not-granted",
            Self::PurposeNotGranted => "purpose-not-granted",
            Self::GrantNotValid => "grant-not-valid",
            Self::MeasureNotGranted => "measure-not-granted",
            Self::DimensionNotGranted => "dimension-not-granted",
            Self::FilterNotGranted => "filter-not-granted",
            Self::TooManyDimensions => "too-many-dimensions",
            Self::EpsilonPerQuery => "epsilon-per-query-exceeded",
        }
    }
}

impl fmt::Display for DenialCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
