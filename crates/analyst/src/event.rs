//! What happens while a question is under way.

use std::time::Duration;

use lango_wire::{Absence, AnswerError, SignedRefusal};

use crate::error::CoordinatorFault;

/// What happened. Offices are named by their short names.
#[derive(Debug, Clone, PartialEq)]
pub enum AskEvent {
    /// A member's answer or price was verified.
    MemberAnswered {
        /// The member.
        office: String,
    },
    /// A member refused, and signed that.
    MemberRefused {
        /// The member.
        office: String,
        /// What it signed.
        refusal: SignedRefusal,
    },
    /// A member has not answered, as far as the coordinator says.
    MemberMissing {
        /// The member.
        office: String,
        /// Why.
        absence: Absence,
    },
    /// Something that came in the name of an office does not count.
    Discarded {
        /// The office, as the coordinator named it; at most 64 bytes of that.
        office: String,
        /// Why.
        why: Discarded,
    },
    /// The coordinator ended early; what was verified by then stands.
    CoordinatorBrokeOff {
        /// How.
        why: BrokenOff,
    },
}

/// Why something does not count.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Discarded {
    /// It is not what the office signed in answer to this request.
    #[error(transparent)]
    Unverified(AnswerError),
    /// The office is not in the audience.
    #[error("it was not asked")]
    Stranger,
    /// The office has answered before; its first answer stands.
    #[error("it has answered before")]
    Again,
}

/// How a coordinator ended early.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BrokenOff {
    /// It failed.
    #[error("{0}")]
    Failed(CoordinatorFault),
    /// It took too long.
    #[error("it has not ended after {0:?}")]
    Late(Duration),
    /// It said more than there are members.
    #[error("it sent more than {0} events")]
    Endless(usize),
}
