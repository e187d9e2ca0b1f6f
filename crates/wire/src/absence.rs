//! Why a member of an audience has not answered.

use std::{fmt, str::FromStr};

/// Why a member has not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Absence {
    /// No connection, or a lost one.
    Unreachable,
    /// Nothing came in time.
    Deadline,
    /// It is in the audience, and the coordinator does not know it.
    NotAMember,
    /// It refused without signing that.
    Unsigned,
    /// What came is not what its office signed, or not an answer to this question.
    Unverified,
    /// What came is larger than any answer can be.
    TooLarge,
    /// The coordinator says nothing of it that can be read.
    Silent,
    /// Its answer has too many cells to stand beside the others.
    TooManyCells,
}

impl Absence {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::Unreachable,
        Self::Deadline,
        Self::NotAMember,
        Self::Unsigned,
        Self::Unverified,
        Self::TooLarge,
        Self::Silent,
        Self::TooManyCells,
    ];

    /// The stable word for it.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Deadline => "deadline",
            Self::NotAMember => "not-a-member",
            Self::Unsigned => "unsigned",
            Self::Unverified => "unverified",
            Self::TooLarge => "too-large",
            Self::Silent => "silent",
            Self::TooManyCells => "too-many-cells",
        }
    }
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

/// A word that is no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a reason for which a member is missing")]
pub struct UnknownAbsence;

impl FromStr for Absence {
    type Err = UnknownAbsence;
    fn from_str(word: &str) -> Result<Self, UnknownAbsence> {
        Self::ALL.into_iter().find(|absence| absence.reason() == word).ok_or(UnknownAbsence)
    }
}
