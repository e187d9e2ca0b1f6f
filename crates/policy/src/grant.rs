//! One rule, and where its parts stand.

use std::fmt;

use lango_document::TextPlace;
use lango_principal::{PrincipalPattern, SpiffeId};
use lango_privacy::{Measure, Name, ShownIf, nano};
use time::Date;

use crate::agreement::Agreement;

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The rule's name.
    pub id: String,
    /// Whom it speaks of.
    pub to: Vec<PrincipalPattern>,
    /// For what.
    pub purposes: Vec<String>,
    /// Of which dataset.
    pub dataset: Name,
    /// What may be counted.
    pub measures: Vec<Measure>,
    /// By what.
    pub by: Vec<Name>,
    /// The most columns that it may group by at once, conditions included.
    pub by_at_most: u32,
    /// Columns that conditions may use beside those in `by`.
    pub filters: Vec<Name>,
    /// The most that one question may cost, in billionths of epsilon.
    pub epsilon_per_query_nano: u64,
    /// The most that all its questions may cost in a period, in billionths of epsilon.
    pub epsilon_total_nano: u64,
    /// What a question that searches the data for keys spends of delta, in units of 1e-18; 0 grants none.
    pub delta_per_query_e18: u64,
    /// What the office reviews of it.
    pub review: Review,
    /// Which figures of its answers are shown; all, where it says nothing.
    pub shown_if: Option<ShownIf>,
    /// On which days.
    pub valid: Option<Validity>,
    /// The agreement that it carries out.
    pub agreement: Option<Agreement>,
}

/// What an office reviews of the questions that a grant allows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Review {
    /// A question that costs more than this, in billionths of epsilon, waits until the office has approved it; none does where
    /// there is no such bound.
    pub above_nano: Option<u64>,
    /// A noisy answer waits until the office has approved it.
    pub hold: bool,
}

impl Review {
    /// Whether a question at this price waits.
    pub fn is_of_question(&self, epsilon_nano: u64) -> bool {
        self.above_nano.is_some_and(|above| epsilon_nano > above)
    }
}

impl Grant {
    /// Whether it is to a principal.
    pub fn is_to(&self, principal: &SpiffeId) -> bool {
        self.to.iter().any(|to| to.matches(principal))
    }

    /// Whether it is for a purpose, in the short form of its word.
    pub(crate) fn is_for(&self, purpose: &str) -> bool {
        self.purposes.iter().any(|granted| granted == purpose)
    }

    /// Whether it is open on a day.
    pub(crate) fn is_open(&self, on: Date) -> bool {
        self.valid.is_none_or(|valid| valid.holds(on))
    }
}

impl fmt::Display for Review {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let question = self.above_nano.map(|above| match above {
            0 => "every question before it is answered".to_owned(),
            above => format!("every question above epsilon {} before it is answered", nano(above)),
        });
        let answer = self.hold.then(|| "every answer before it leaves".to_owned());
        let parts: Vec<String> = question.into_iter().chain(answer).collect();
        f.write_str(if parts.is_empty() { "nothing".to_owned() } else { parts.join(", and ") }.as_str())
    }
}

/// From one day to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub until: Date,
}

impl Validity {
    /// Whether a day is one of these.
    pub(crate) fn holds(self, day: Date) -> bool {
        (self.from..=self.until).contains(&day)
    }
}

/// A part of a grant that decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantPart {
    /// The rule's name.
    Id,
    /// Whom it speaks of.
    To,
    /// For what.
    Purpose,
    /// What may be counted.
    Measures,
    /// By what.
    By,
    /// On which further columns conditions may be.
    Where,
    /// How many columns at once.
    ByAtMost,
    /// What a question may cost.
    EpsilonPerQuery,
    /// What all questions may cost.
    EpsilonTotal,
    /// On which days.
    Valid,
    /// Under which agreement.
    Agreement,
}

/// Where a grant's parts stand.
#[derive(Debug, Clone)]
pub(crate) struct GrantPlaces {
    pub id: TextPlace,
    pub to: TextPlace,
    pub principals: Vec<TextPlace>,
    pub purpose: TextPlace,
    pub measures: TextPlace,
    pub by: TextPlace,
    pub filters: Option<TextPlace>,
    pub by_at_most: TextPlace,
    pub epsilon_per_query: TextPlace,
    pub epsilon_total: TextPlace,
    pub valid: Option<TextPlace>,
    pub agreement: Option<TextPlace>,
}

impl GrantPlaces {
    /// Where a part stands; nothing where the grant does not have it.
    pub(crate) fn of(&self, part: GrantPart) -> Option<&TextPlace> {
        match part {
            GrantPart::Id => Some(&self.id),
            GrantPart::To => Some(&self.to),
            GrantPart::Purpose => Some(&self.purpose),
            GrantPart::Measures => Some(&self.measures),
            GrantPart::By => Some(&self.by),
            GrantPart::Where => self.filters.as_ref(),
            GrantPart::ByAtMost => Some(&self.by_at_most),
            GrantPart::EpsilonPerQuery => Some(&self.epsilon_per_query),
            GrantPart::EpsilonTotal => Some(&self.epsilon_total),
            GrantPart::Valid => self.valid.as_ref(),
            GrantPart::Agreement => self.agreement.as_ref(),
        }
    }
}
