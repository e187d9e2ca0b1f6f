//! What differs between two policies, in the words of the field.

use std::{fmt, time::Duration};

use lango_principal::{PrincipalPattern, SpiffeId};
use lango_privacy::{Measure, Name, Query, ShownIf};
use time::Date;

use crate::grant::{Review, Validity};

/// What differs between two policies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyDiff {
    /// Each difference that was found; with every dataset compared fully, none where every question is decided alike.
    pub differences: Vec<Difference>,
    /// Datasets that were not compared fully, for their grants and prohibitions overlap in too many ways: there may be further
    /// differences.
    pub unfinished: Vec<Name>,
}

/// How what the new policy permits compares to what the old one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Both permit the same questions.
    Equivalent,
    /// The new one permits more, and all that the old one does.
    MorePermissive,
    /// The new one permits less, and nothing that the old one does not.
    LessPermissive,
    /// Each permits what the other one does not, or it is not known.
    Incomparable,
}

/// Questions that are decided otherwise for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What becomes of them.
    pub change: Change,
    /// Their dataset.
    pub dataset: Name,
    /// What they have in common.
    pub what: Novelty,
    /// Who asks them, for what, and when.
    pub askers: Vec<Askers>,
    /// One of them, asked by the first.
    pub example: Example,
}

/// What becomes of questions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// They are permitted now.
    Possible {
        /// By this grant of the new policy.
        grant: String,
    },
    /// They are refused now.
    Stopped {
        /// This grant of the old policy permitted them.
        grant: String,
    },
    /// They are permitted as before, on other terms: charged, reviewed or answered otherwise.
    OnOtherTerms {
        /// The grant of the old policy that permitted them.
        from: String,
        /// The grant of the new policy that permits them.
        to: String,
        /// What is otherwise.
        changes: Vec<TermChange>,
    },
}

/// What is otherwise of a question that is permitted as before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TermChange {
    /// Another grant's share is charged.
    Grant,
    /// The share of the grant is another.
    Share {
        /// In billionths of epsilon.
        from_nano: u64,
        /// In billionths of epsilon.
        to_nano: u64,
    },
    /// A question for keys spends another delta.
    Delta,
    /// The office reviews otherwise what is asked or answered.
    Review {
        /// Under the old policy.
        from: Review,
        /// Under the new one.
        to: Review,
    },
    /// Other figures of its answers are shown.
    ShownIf {
        /// Under the old policy.
        from: Option<ShownIf>,
        /// Under the new one.
        to: Option<ShownIf>,
    },
    /// The grant that is charged cites another agreement, or none.
    Agreement,
    /// Another pool is charged.
    Pool,
    /// The pool has another budget.
    Budget,
    /// Answers leave on another grid of time, or on none.
    AnswerGrid {
        /// Under the old policy.
        from: Option<Duration>,
        /// Under the new one.
        to: Option<Duration>,
    },
    /// The dataset is declared otherwise, so that its answers are others.
    Dataset,
}

/// What questions that are decided otherwise have in common: all of these parts; every question of the grant where there are
/// none.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Novelty {
    /// They compute these.
    pub measures: Vec<Measure>,
    /// They group by these.
    pub by: Vec<Name>,
    /// They have conditions on these.
    pub filters: Vec<Name>,
    /// They use this number of columns at once; 0 asks for none.
    pub at_once: usize,
    /// They cost more than was allowed.
    pub is_dear: bool,
    /// They are those that this prohibition of one of the policies refuses.
    pub refused_by: Option<String>,
}

/// Principals, and for what and when they ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Askers {
    /// One principal, or every one of a role that neither policy names.
    pub who: PrincipalPattern,
    /// For what.
    pub purpose: String,
    /// On these days; from [`Date::MIN`] or to [`Date::MAX`] where they have no bound.
    pub days: Validity,
}

/// A question that is decided otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Who asks.
    pub principal: SpiffeId,
    /// For what.
    pub purpose: String,
    /// When.
    pub on: Date,
    /// What.
    pub query: Query,
}

impl fmt::Display for Novelty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { measures, by, filters, at_once, is_dear, refused_by } = self;
        let mut parts = Vec::new();
        if !measures.is_empty() {
            parts.push(listed(measures));
        }
        if !by.is_empty() {
            parts.push(format!("by {}", listed(by)));
        }
        if !filters.is_empty() {
            parts.push(format!("conditions on {}", listed(filters)));
        }
        if *at_once > 0 {
            parts.push(format!("{at_once} columns at once"));
        }
        if *is_dear {
            parts.push("a higher price".to_owned());
        }
        if let Some(rule) = refused_by {
            parts.push(format!("what the refusal `{rule}` speaks of"));
        }
        if parts.is_empty() { f.write_str("questions") } else { f.write_str(&parts.join(", with ")) }
    }
}

impl fmt::Display for Difference {
    /// In a line: what becomes of which questions, by which grants, and who asks them first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { change, dataset, what, askers, .. } = self;
        match change {
            Change::Possible { grant } => write!(f, "{dataset}: {what} becomes possible by grant `{grant}`")?,
            Change::Stopped { grant } => {
                write!(f, "{dataset}: {what} stops, which grant `{grant}` permitted")?
            }
            Change::OnOtherTerms { from, to, .. } if from == to => {
                write!(f, "{dataset}: {what} is on other terms by grant `{to}`")?;
            }
            Change::OnOtherTerms { from, to, .. } => {
                write!(f, "{dataset}: {what} is on the terms of grant `{to}` instead of `{from}`")?;
            }
        }
        match askers.as_slice() {
            [] => Ok(()),
            [one] => write!(f, "; asked by {} for {}", one.who, one.purpose),
            [one, others @ ..] => {
                write!(f, "; asked by {} for {}, and by {} others", one.who, one.purpose, others.len())
            }
        }
    }
}

/// Names in a sentence.
fn listed(names: &[impl ToString]) -> String {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    match names.as_slice() {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        names => names.concat(),
    }
}

impl PolicyDiff {
    /// How the policies compare in what they permit, whatever is charged.
    pub fn comparison(&self) -> Comparison {
        if !self.unfinished.is_empty() {
            return Comparison::Incomparable;
        }
        let any = |is: fn(&Change) -> bool| self.differences.iter().any(|difference| is(&difference.change));
        let (more, less) = (
            any(|change| matches!(change, Change::Possible { .. })),
            any(|change| matches!(change, Change::Stopped { .. })),
        );
        match (more, less) {
            (false, false) => Comparison::Equivalent,
            (true, false) => Comparison::MorePermissive,
            (false, true) => Comparison::LessPermissive,
            (true, true) => Comparison::Incomparable,
        }
    }
}

impl Change {
    /// In which order people read of changes.
    pub(super) fn order(&self) -> usize {
        match self {
            Self::Possible { .. } => 0,
            Self::Stopped { .. } => 1,
            Self::OnOtherTerms { .. } => 2,
        }
    }
}
