//! Why an answer proves nothing.

use lango_identity::{SpiffeId, Unauthenticated};
use lango_statistics::CombineError;

use crate::question::Malformed;

/// Why an answer proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// A part is missing.
    #[error("the answer has no {0}")]
    Absent(&'static str),
    /// A part is larger than any that can be planned.
    #[error("the answer's {0} is too large")]
    TooLarge(&'static str),
    /// The signature or its certificates are not good.
    #[error("the answer is not signed: {0}")]
    Unauthenticated(#[from] Unauthenticated),
    /// Another principal signed it.
    #[error("the answer is signed by {0}")]
    Signer(SpiffeId),
    /// It is not encoded as it should be.
    #[error("the answer is malformed: {0}")]
    Malformed(#[from] Malformed),
    /// A part is not what was signed, or not of this question.
    #[error("the answer's {0} is not what was signed or asked")]
    Differs(&'static str),
    /// It is signed, and makes no sense.
    #[error(transparent)]
    Unusable(#[from] CombineError),
}
