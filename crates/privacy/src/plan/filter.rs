//! Conditions in terms of declared values: so that no value that is not declared can make one fail.

use std::collections::BTreeSet;

use crate::{Bound, Code, Condition, Dataset, Decimal, Domain, Filter, Name, OTHER, PlanRefusal, UNKNOWN};

/// A condition in terms of the column's declared values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFilter {
    /// The column.
    pub column: Name,
    /// What its value must be.
    pub on: FilterOn,
}

/// What a value must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilterOn {
    /// One of these codes, or undeclared, or missing.
    Codes {
        /// Declared codes.
        codes: Vec<Code>,
        /// Values that are present and not declared pass too.
        other: bool,
        /// Missing values pass too.
        unknown: bool,
    },
    /// One of these whole numbers, or undeclared, or missing.
    Integers {
        /// Numbers within the declared bounds.
        values: Vec<i64>,
        /// Values that are present and not declared pass too.
        other: bool,
        /// Missing values pass too.
        unknown: bool,
    },
    /// From the first to the second, both included, within the declared bounds.
    Between(i64, i64),
    /// Days from the first to the second, both included, within the declared ones.
    Days(String, String),
}

pub(super) fn plan(filter: &Filter, dataset: &Dataset) -> Result<PlannedFilter, PlanRefusal> {
    let column = &filter.column;
    let domain = &dataset.columns.get(column).ok_or_else(|| PlanRefusal::Column(column.clone()))?.domain;
    let refused = || PlanRefusal::Filter(column.clone());
    let on = match (&filter.condition, domain) {
        (Condition::In(asked), Domain::Codes(declared)) => {
            let codes: Vec<Code> = plain(asked).cloned().collect();
            let declared: BTreeSet<&Code> = declared.iter().collect();
            if !codes.iter().all(|code| declared.contains(code)) {
                return Err(refused());
            }
            FilterOn::Codes { codes, other: has(asked, OTHER), unknown: has(asked, UNKNOWN) }
        }
        (Condition::In(asked), Domain::Integer { low, high, .. }) => {
            let read = |code: &Code| {
                code.as_str().parse::<i64>().ok().filter(|value| Code::of_integer(*value) == *code)
            };
            let values: Option<Vec<i64>> = plain(asked).map(read).collect();
            let values = values
                .filter(|values| values.iter().all(|value| (*low..=*high).contains(value)))
                .ok_or_else(refused)?;
            FilterOn::Integers { values, other: has(asked, OTHER), unknown: has(asked, UNKNOWN) }
        }
        (Condition::Between(Bound::Number(from), Bound::Number(to)), Domain::Integer { low, high, .. }) => {
            between(from, to, 0, *low, *high).ok_or_else(refused)?
        }
        (
            Condition::Between(Bound::Number(from), Bound::Number(to)),
            Domain::Amount { low, high, scale, .. },
        ) => between(from, to, *scale, *low, *high).ok_or_else(refused)?,
        (Condition::Between(Bound::Date(first), Bound::Date(last)), Domain::Date { from, until, .. }) => {
            if first < from || last > until {
                return Err(refused());
            }
            FilterOn::Days(first.clone(), last.clone())
        }
        // A list of keys of a column without any, a range of codes, or a number's bound on days.
        (Condition::In(_), Domain::Amount { .. } | Domain::Date { .. } | Domain::Open)
        | (Condition::Between(..), Domain::Codes(_) | Domain::Open)
        | (Condition::Between(Bound::Date(_), _), Domain::Integer { .. } | Domain::Amount { .. })
        | (Condition::Between(_, Bound::Date(_)), Domain::Integer { .. } | Domain::Amount { .. })
        | (Condition::Between(Bound::Number(_), _), Domain::Date { .. })
        | (Condition::Between(_, Bound::Number(_)), Domain::Date { .. }) => return Err(refused()),
    };
    Ok(PlannedFilter { column: column.clone(), on })
}

fn plain(codes: &BTreeSet<Code>) -> impl Iterator<Item = &Code> {
    codes.iter().filter(|code| ![OTHER, UNKNOWN].contains(&code.as_str()))
}

fn has(codes: &BTreeSet<Code>, key: &str) -> bool {
    codes.iter().any(|code| code.as_str() == key)
}

fn between(from: &Decimal, to: &Decimal, scale: u32, low: i64, high: i64) -> Option<FilterOn> {
    let read = |decimal: &Decimal| {
        i64::try_from(decimal.scaled(scale)?).ok().filter(|value| (low..=high).contains(value))
    };
    Some(FilterOn::Between(read(from)?, read(to)?))
}
