//! What no grant allows: rules that win over every grant.

use std::collections::{BTreeMap, BTreeSet};

use lango_document::TextPlace;
use lango_principal::{PrincipalPattern, SpiffeId};
use lango_privacy::{Code, Condition, Filter, Margin, Measure, Name, Query};

use crate::denial::AccessRequest;

/// A `[[refusal]]` of a policy file: it refuses every question that meets all of its parts. A part that is not there is met by
/// every question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prohibition {
    /// The rule's name.
    pub id: String,
    /// Whom it refuses; empty: everybody.
    pub to: Vec<PrincipalPattern>,
    /// For which purposes; empty: for all.
    pub purposes: Vec<String>,
    /// Of which dataset; nothing: of all.
    pub dataset: Option<Name>,
    /// Columns that are not used together in one margin, conditions included.
    pub columns: BTreeSet<Name>,
    /// Codes that are not shown, by column: one of each column's is enough.
    pub codes: BTreeMap<Name, BTreeSet<Code>>,
}

/// Where a prohibition's parts stand.
#[derive(Debug, Clone)]
pub(crate) struct ProhibitionPlaces {
    pub id: TextPlace,
    /// The parts that it has, in the order of its fields.
    pub parts: Vec<TextPlace>,
}

impl Prohibition {
    /// Whether it refuses a question. One without a purpose is refused for none.
    pub fn forbids(&self, asked: &AccessRequest<'_>, query: &Query) -> bool {
        self.is_on(&query.dataset)
            && self.is_to(asked.principal)
            && self.is_for(asked.purpose)
            && self.touches(query)
    }

    /// Whether it speaks of a dataset.
    pub(crate) fn is_on(&self, dataset: &Name) -> bool {
        self.dataset.as_ref().is_none_or(|of| of == dataset)
    }

    /// Whether it speaks of a principal.
    pub fn is_to(&self, principal: &SpiffeId) -> bool {
        self.to.is_empty() || self.to.iter().any(|to| to.matches(principal))
    }

    /// Whether it speaks of a purpose, in the short form of its word; of none, if it names some.
    pub(crate) fn is_for(&self, purpose: Option<&str>) -> bool {
        let is_named = |asked: &str| self.purposes.iter().any(|purpose| purpose == asked);
        self.purposes.is_empty() || purpose.is_some_and(is_named)
    }

    /// Whether a margin of the question uses all of the columns, and shows one of each column's codes.
    fn touches(&self, query: &Query) -> bool {
        let mut margins =
            query.measures.iter().flat_map(|(measure, by)| by.iter().map(move |by| (measure, by)));
        if self.columns.is_empty() && self.codes.is_empty() {
            return true;
        }
        margins.any(|(measure, by)| {
            self.columns.iter().all(|column| uses(measure, by, &query.filters, column))
                && self.codes.iter().all(|(column, codes)| shows(measure, by, &query.filters, column, codes))
        })
    }
}

/// Whether a margin counts by a column, measures it, or counts only the rows that meet a condition on it.
fn uses(measure: &Measure, by: &Margin, filters: &[Filter], column: &Name) -> bool {
    by.contains(column)
        || measure.column() == Some(column)
        || filters.iter().any(|filter| filter.column == *column)
}

/// Whether a margin has a cell of one of these codes, or counts only rows that may have it.
fn shows(measure: &Measure, by: &Margin, filters: &[Filter], column: &Name, codes: &BTreeSet<Code>) -> bool {
    let mut conditions = filters.iter().filter(|filter| filter.column == *column).peekable();
    let is_used = by.contains(column) || measure.dimension() == Some(column) || conditions.peek().is_some();
    let admitted = |code: &Code| {
        conditions.clone().all(|filter| match &filter.condition {
            Condition::In(codes) => codes.contains(code),
            Condition::Between(..) => true,
        })
    };
    is_used && codes.iter().any(admitted)
}
