//! Invented rows: a register of units that do not exist, drawn from a policy's declarations alone, to rehearse questions on.
//!
//! What is drawn here are rows and nothing else: the noise comes from where it always comes from, and has no seed.

use std::collections::BTreeMap;

use lango_privacy::{Column, Counted, Domain, Exact, Name, Plan};
use sha2::{Digest, Sha256};

use crate::{
    count::{Count, UnitType, Vouched},
    value::Raw,
};

/// How many different texts there are in an invented open column.
const OPEN_TEXTS: u64 = 20;

/// Units that do not exist. Each value of their rows is drawn by itself: every declared code, whole number, amount and year is as
/// likely as any other, and none is missing. The same seed draws the same rows of a dataset, whatever is asked of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invented {
    /// How many units there are.
    pub units: u64,
    /// What the rows are drawn from.
    pub seed: u64,
}

impl Invented {
    /// The most rows of a unit, where a policy lets more of them count.
    pub const ROWS_MOST: u32 = 4;

    /// The most rows that a unit of a plan's dataset has; each number up to it is as likely.
    pub fn rows_at_most(plan: &Plan) -> u32 {
        plan.dataset.unit.rows_at_most.min(Self::ROWS_MOST)
    }

    /// What a database with these rows would count.
    pub fn count(&self, plan: &Plan) -> Exact<Vec<Counted>> {
        let rows_most = Self::rows_at_most(plan);
        let vouched = Vouched { unit_type: UnitType::Integer, one_row_per_unit: rows_most == 1 };
        let mut count = Count::new(plan, vouched, |_, column| column.range().map_or(0, |range| range.scale));
        let columns: Vec<(&Name, &Column)> =
            count.columns().iter().filter_map(|name| plan.dataset.columns.get_key_value(*name)).collect();
        for unit in 0..self.units {
            let rows = 1 + self.below(u64::from(rows_most), unit, 0, "");
            for row in 0..rows {
                // A derived column reads what stands in the one that it is derived from.
                let mut stored: BTreeMap<&Name, Stored> = BTreeMap::new();
                let values: Vec<&Name> = columns
                    .iter()
                    .map(|(name, column)| {
                        let origin = column.reading.derived_from.as_ref().unwrap_or(name);
                        if let Some(column) = plan.dataset.columns.get(origin) {
                            stored.entry(origin).or_insert_with(|| self.value(origin, column, unit, row));
                        }
                        origin
                    })
                    .collect();
                let value = |position: usize| {
                    let stored = values.get(position).and_then(|origin| stored.get(origin));
                    stored.map_or(Raw::Null, Stored::raw)
                };
                count.add(Raw::Integer(i64::try_from(unit).unwrap_or(i64::MAX)), value);
            }
        }
        count.finish()
    }

    fn value(&self, name: &Name, column: &Column, unit: u64, row: u64) -> Stored {
        let below = |most: u64, part: &str| self.below(most, unit, row + 1, &format!("{name}{part}"));
        let whole = |low: i64, high: i64| {
            let above = below(high.abs_diff(low).saturating_add(1), "");
            Stored::Integer(low.saturating_add_unsigned(above))
        };
        match &column.domain {
            Domain::Codes(codes) => {
                let at = usize::try_from(below(codes.len() as u64, "")).unwrap_or_default();
                Stored::Text(codes.get(at).map(ToString::to_string).unwrap_or_default())
            }
            Domain::Integer { low, high, .. } | Domain::Amount { low, high, .. } => whole(*low, *high),
            Domain::Date { from, until, .. } => {
                let year =
                    |day: &str| day.get(..4).and_then(|year| year.parse::<u64>().ok()).unwrap_or_default();
                let (first, last) = (year(from), year(until));
                let drawn = format!(
                    "{:04}-{:02}-{:02}",
                    first + below(last.saturating_sub(first) + 1, " year"),
                    1 + below(12, " month"),
                    1 + below(28, " day")
                );
                Stored::Text(drawn.clamp(from.clone(), until.clone()))
            }
            Domain::Open => Stored::Text(format!("invented-{}", 1 + below(OPEN_TEXTS, ""))),
        }
    }

    /// A number below `most`, the same for the same seed, unit, row and part; all are as likely, but for less than one in 2^40.
    fn below(&self, most: u64, unit: u64, row: u64, part: &str) -> u64 {
        let mut hash = Sha256::new();
        for number in [self.seed, unit, row] {
            hash.update(number.to_be_bytes());
        }
        hash.update(part.as_bytes());
        let digest: [u8; 32] = hash.finalize().into();
        let (first, _) = digest.split_at(8);
        let drawn = first.iter().fold(0_u128, |drawn, byte| drawn << 8 | u128::from(*byte));
        u64::try_from((drawn * u128::from(most)) >> 64).unwrap_or_default()
    }
}

/// A value as a database would hand it over.
enum Stored {
    Integer(i64),
    Text(String),
}

impl Stored {
    fn raw(&self) -> Raw<'_> {
        match self {
            Self::Integer(value) => Raw::Integer(*value),
            Self::Text(text) => Raw::Text(text.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use lango_privacy::Span;

    use super::*;

    #[test]
    fn values_are_declared_ones_and_the_same_for_the_same_seed() {
        let name: Name = "c".parse().unwrap();
        let codes = ["A", "B", "C"].map(|code| code.parse().unwrap()).to_vec();
        let (from, until) = ("2019-06-15".to_owned(), "2021-02-10".to_owned());
        for (domain, is_declared) in [
            (Domain::codes(codes).unwrap(), (|value| ["A", "B", "C"].contains(&value)) as fn(&str) -> bool),
            (Domain::integer(-3, 5, 1).unwrap(), |value| (-3..=5).contains(&value.parse().unwrap())),
            (Domain::Amount { low: i64::MIN, high: i64::MAX, scale: 2, currency: None }, |value| {
                value.parse::<i64>().is_ok()
            }),
            (Domain::Date { from, until, by: Span::Month }, |value| {
                ("2019-06-15"..="2021-02-10").contains(&value)
            }),
            (Domain::Open, |value| value.starts_with("invented-")),
        ] {
            let column = Column::from(domain.clone());
            let drawn = |seed: u64| -> Vec<String> {
                let invented = Invented { units: 200, seed };
                let value = |unit| match invented.value(&name, &column, unit, 0) {
                    Stored::Integer(value) => value.to_string(),
                    Stored::Text(text) => text,
                };
                (0..200).map(value).collect()
            };
            let first = drawn(1);
            assert!(first.iter().all(|value| is_declared(value)), "{domain:?}: {first:?}");
            assert_eq!(first, drawn(1), "{domain:?}");
            assert_ne!(first, drawn(2), "{domain:?}");
            let distinct: std::collections::BTreeSet<&String> = first.iter().collect();
            assert!(distinct.len() >= 3, "{domain:?}: {distinct:?}");
        }
    }
}
