//! What each grant says of a question: nothing against it, or everything that it does not allow. The one list of rules:
//! [`PolicySet::authorize`] is a fold over it.

use std::collections::BTreeSet;

use lango_privacy::{Decimal, Margin, Measure, Name, Price, Query, nano};

use crate::{
    denial::{AccessRequest, DenialCode, DenialReason},
    grant::{Grant, GrantPart, Validity},
    prohibition::Prohibition,
    purpose,
    set::PolicySet,
};

/// A grant that is to the one who asks, and what is asked.
#[derive(Debug, Clone, Copy)]
pub struct Verdict<'a, 'q> {
    /// The grant.
    pub grant: &'a Grant,
    asked: AccessRequest<'q>,
    query: &'q Query,
}

/// One thing of a question that a grant does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objection<'a> {
    /// Not for this purpose.
    Purpose(&'a str),
    /// Not on this day.
    Day(Validity),
    /// Not this measure.
    Measure(&'a Measure),
    /// Not by this dimension.
    Dimension(&'a Name),
    /// No condition on this column.
    Filter(&'a Name),
    /// Not by this number of columns at once.
    Dimensions {
        /// As asked.
        asked: usize,
        /// As granted.
        granted: u32,
    },
    /// Not at this price.
    Epsilon {
        /// What the question costs, where it names a precision.
        asked_nano: Option<u64>,
        /// What it offers, where it names an epsilon.
        offered: Option<&'a Decimal>,
        /// As granted.
        granted_nano: u64,
    },
}

impl Objection<'_> {
    /// The stable reason.
    pub fn code(&self) -> DenialCode {
        match self {
            Self::Purpose(_) => DenialCode::PurposeNotGranted,
            Self::Day(_) => DenialCode::GrantNotValid,
            Self::Measure(_) => DenialCode::MeasureNotGranted,
            Self::Dimension(_) => DenialCode::DimensionNotGranted,
            Self::Filter(_) => DenialCode::FilterNotGranted,
            Self::Dimensions { .. } => DenialCode::TooManyDimensions,
            Self::Epsilon { .. } => DenialCode::EpsilonPerQuery,
        }
    }

    /// The part of the grant that does not allow it.
    pub fn part(&self) -> GrantPart {
        match self {
            Self::Purpose(_) => GrantPart::Purpose,
            Self::Day(_) => GrantPart::Valid,
            Self::Measure(_) => GrantPart::Measures,
            Self::Dimension(_) => GrantPart::By,
            Self::Filter(_) => GrantPart::Where,
            Self::Dimensions { .. } => GrantPart::ByAtMost,
            Self::Epsilon { .. } => GrantPart::EpsilonPerQuery,
        }
    }

    /// What is not granted.
    pub fn reason(&self) -> DenialReason {
        match *self {
            Self::Purpose(purpose) => DenialReason::PurposeNotGranted(purpose.to_owned()),
            Self::Day(valid) => DenialReason::GrantNotValid(valid),
            Self::Measure(measure) => DenialReason::MeasureNotGranted(measure.clone()),
            Self::Dimension(name) => DenialReason::DimensionNotGranted(name.clone()),
            Self::Filter(name) => DenialReason::FilterNotGranted(name.clone()),
            Self::Dimensions { asked, granted } => DenialReason::TooManyDimensions { asked, granted },
            Self::Epsilon { asked_nano, offered, granted_nano } => DenialReason::EpsilonPerQuery {
                epsilon: asked_nano.map(nano).or(offered.map(ToString::to_string)).unwrap_or_default(),
                granted: nano(granted_nano),
            },
        }
    }
}

impl PolicySet {
    /// The prohibitions that refuse a question, in the files' order. They win over every grant.
    pub fn forbidding<'a>(
        &'a self,
        asked: &AccessRequest<'_>,
        query: &Query,
    ) -> impl Iterator<Item = &'a Prohibition> {
        let asked = short(asked);
        self.prohibitions.iter().filter(move |prohibition| prohibition.forbids(&asked, query))
    }

    /// What each grant on the question's dataset that is to the one who asks says of it, in the files' order.
    pub fn explain<'a, 'q>(
        &'a self,
        asked: &AccessRequest<'q>,
        query: &'q Query,
    ) -> impl Iterator<Item = Verdict<'a, 'q>> {
        let asked = short(asked);
        let grants = self.index.to(asked.principal, &query.dataset).filter_map(|at| self.grants.get(at));
        grants.map(move |grant| Verdict { grant, asked, query })
    }

    /// The same, without those that have an objection to its purpose or to one of its columns: who searches for a grant that
    /// allows the question need not go through them.
    pub(crate) fn fitting<'a, 'q>(
        &'a self,
        asked: &AccessRequest<'q>,
        query: &'q Query,
    ) -> impl Iterator<Item = Verdict<'a, 'q>> {
        let asked = short(asked);
        let fitting = self.index.fitting(asked.principal, asked.purpose, query).into_iter();
        fitting.filter_map(|at| self.grants.get(at)).map(move |grant| Verdict { grant, asked, query })
    }

    /// What each grant on the question's dataset that is to others would say of it, were it to the one who asks.
    pub fn explain_others<'a, 'q>(
        &'a self,
        asked: &AccessRequest<'q>,
        query: &'q Query,
    ) -> impl Iterator<Item = Verdict<'a, 'q>> {
        let asked = short(asked);
        let is_other = move |grant: &&Grant| grant.dataset == query.dataset && !grant.is_to(asked.principal);
        self.grants.iter().filter(is_other).map(move |grant| Verdict { grant, asked, query })
    }
}

impl<'a, 'q> Verdict<'a, 'q> {
    /// Everything of the question that the grant does not allow; nothing where it allows all of it.
    pub fn objections(self) -> impl Iterator<Item = Objection<'q>> + use<'a, 'q> {
        let Self { grant, asked, query } = self;
        let purpose = asked.purpose.filter(|purpose| !grant.is_for(purpose));
        let outside = |valid: &Validity| asked.on.is_some_and(|on| !valid.holds(on));
        let granted = |measure: &Measure| grant.measures.iter().any(|granted| covers(granted, measure));
        let first = purpose.map(Objection::Purpose).into_iter();
        first
            .chain(grant.valid.filter(outside).map(Objection::Day))
            .chain(query.measures.keys().filter(move |measure| !granted(measure)).map(Objection::Measure))
            .chain(dimensions(query).filter(|name| !grant.by.contains(name)).map(Objection::Dimension))
            .chain(
                conditions(query)
                    .filter(|name| !grant.by.contains(name) && !grant.filters.contains(name))
                    .map(Objection::Filter),
            )
            .chain(std::iter::once_with(move || at_once(grant, query)).flatten())
            .chain(std::iter::once_with(move || price(grant, &asked, query)).flatten())
    }
}

/// What is asked, with the purpose as policies hold it.
fn short<'q>(asked: &AccessRequest<'q>) -> AccessRequest<'q> {
    AccessRequest { purpose: asked.purpose.map(purpose::short), ..*asked }
}

fn margins(query: &Query) -> impl Iterator<Item = (&Measure, &Margin)> {
    query.measures.iter().flat_map(|(measure, margins)| margins.iter().map(move |by| (measure, by)))
}

/// What a question groups by, a name several times perhaps: what a measure groups by beside its margin is grouped by.
fn dimensions(query: &Query) -> impl Iterator<Item = &Name> {
    margins(query).flat_map(|(measure, by)| by.dimensions().chain(measure.dimension()))
}

fn conditions(query: &Query) -> impl Iterator<Item = &Name> {
    let names = query.filters.iter().map(|filter| &filter.column).collect::<BTreeSet<_>>();
    names.into_iter()
}

/// A condition, a histogram or a quantile reveals as much of a column as grouping by it does, so it counts against the same
/// bound.
fn at_once<'a>(grant: &Grant, query: &Query) -> Option<Objection<'a>> {
    let columns = margins(query).map(|(measure, by)| {
        let revealed = by.dimensions().chain(measure.reveals()).chain(conditions(query));
        revealed.collect::<BTreeSet<_>>().len()
    });
    let asked = columns.max().unwrap_or_default();
    let granted = grant.by_at_most;
    (asked > granted as usize).then_some(Objection::Dimensions { asked, granted })
}

fn price<'a>(grant: &Grant, asked: &AccessRequest<'_>, query: &'a Query) -> Option<Objection<'a>> {
    let granted_nano = grant.epsilon_per_query_nano;
    match (&query.price, asked.epsilon_nano) {
        // Compared as decimals: what is finer than a billionth is the plan's to refuse.
        (Price::Epsilon(offered), _) => {
            let above = Decimal::minimal(&nano(granted_nano)).is_none_or(|most| *offered > most);
            let objection = Objection::Epsilon { asked_nano: None, offered: Some(offered), granted_nano };
            above.then_some(objection)
        }
        (Price::Precision { .. }, Some(epsilon)) if epsilon > granted_nano => {
            Some(Objection::Epsilon { asked_nano: Some(epsilon), offered: None, granted_nano })
        }
        // Within the grant, or a price that only the plan knows.
        (Price::Precision { .. }, Some(_) | None) => None,
    }
}

/// Whether a granted measure allows one that is asked: the same, or quantiles of which all are granted, or any if it
/// names none.
pub fn covers(granted: &Measure, asked: &Measure) -> bool {
    match (granted, asked) {
        (Measure::Quantile(of, granted), Measure::Quantile(column, asked)) => {
            of == column && (granted.is_empty() || asked.iter().all(|share| granted.contains(share)))
        }
        (Measure::Quantile(..), _) | (_, Measure::Quantile(..)) => false,
        (Measure::Units(_) | Measure::Rows | Measure::RowsOf(_) | Measure::Sum(_), _)
        | (Measure::Mean(_) | Measure::Share(_) | Measure::Histogram(_) | Measure::Keys(_), _) => {
            granted == asked
        }
    }
}
