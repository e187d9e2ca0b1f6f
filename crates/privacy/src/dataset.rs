//! What an office declares of a table: whose presence is hidden, and the public keys of each column.

use std::collections::BTreeMap;

use crate::{Accounting, Code, Keyset, Name};

/// The key of values that are present but not declared.
pub const OTHER: &str = "_O";
/// The key of values that are missing: NULL or blank.
pub const UNKNOWN: &str = "_U";
/// The key of a total, in output only: never a key of a keyset.
pub const TOTAL: &str = "_T";
/// The most keys that one column may declare.
const KEYS_MOST: i64 = 100_000;

/// A table as its office declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// The name that questions use.
    pub name: Name,
    /// For people.
    pub title: String,
    /// Stock or flow, as the United Nations define them.
    pub kind: Kind,
    /// A connection named in the gateway's configuration.
    pub source: String,
    /// The table there.
    pub table: String,
    /// A new version brings new answers.
    pub version: Code,
    /// Whose presence is hidden.
    pub unit: Unit,
    /// The declared columns.
    pub columns: BTreeMap<Name, Column>,
}

/// Whether the figures are of a moment or of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// How many there are at a moment.
    Stock,
    /// How many moved during a period.
    Flow,
}

/// The privacy unit: whose presence in the table is hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// The column that holds the unit's identifier.
    pub column: String,
    /// What the unit is: `person`, `household`.
    pub noun: Name,
    /// At most so many rows of a unit are read.
    pub rows_at_most: u32,
    /// At most so many cells of a table does a unit enter.
    pub cells_at_most: u32,
}

/// One declared column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its values.
    pub domain: Domain,
}

/// The declared values of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Domain {
    /// A code list; neither `_T`, `_O` nor `_U` is in it.
    Codes(Vec<Code>),
    /// Whole numbers from `low` to `high`, grouped in bands of `bands`.
    Integer {
        /// The least.
        low: i64,
        /// The greatest.
        high: i64,
        /// The width of a band; 1 makes a key of every number.
        bands: u32,
    },
    /// Amounts of money or the like, as whole numbers of `10^-scale`; no keys.
    Amount {
        /// The least, in units of `10^-scale`.
        low: i64,
        /// The greatest, in units of `10^-scale`.
        high: i64,
        /// Decimals kept.
        scale: u32,
        /// ISO 4217.
        currency: Option<String>,
    },
}

/// What is wrong with a declared column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatasetError {
    /// A reserved key is declared.
    #[error("`{0}` is reserved and must not be declared: `_O`, `_U` and `_T` are always understood")]
    Reserved(String),
    /// A code is declared twice.
    #[error("code `{0}` is declared twice")]
    Twice(String),
    /// No code is declared.
    #[error("the code list is empty")]
    Empty,
    /// The bounds are the wrong way round.
    #[error("the lower bound {0} is above the upper bound {1}")]
    Inverted(i64, i64),
    /// A band of width 0.
    #[error("`bands` must be at least 1")]
    Bands,
    /// Too many keys.
    #[error("{0} keys are more than the {KEYS_MOST} that a column may have: widen `bands`")]
    Keys(i64),
}

impl Domain {
    /// A code list.
    pub fn codes(codes: Vec<Code>) -> Result<Self, DatasetError> {
        let mut seen = std::collections::BTreeSet::new();
        for code in &codes {
            if [OTHER, UNKNOWN, TOTAL].contains(&code.as_str()) {
                return Err(DatasetError::Reserved(code.to_string()));
            }
            if !seen.insert(code) {
                return Err(DatasetError::Twice(code.to_string()));
            }
        }
        if codes.is_empty() { Err(DatasetError::Empty) } else { Ok(Self::Codes(codes)) }
    }

    /// Whole numbers in bands.
    pub fn integer(low: i64, high: i64, bands: u32) -> Result<Self, DatasetError> {
        if low > high {
            return Err(DatasetError::Inverted(low, high));
        }
        if bands == 0 {
            return Err(DatasetError::Bands);
        }
        let keys = (i128::from(high) - i128::from(low)) / i128::from(bands) + 1;
        if keys > i128::from(KEYS_MOST) {
            return Err(DatasetError::Keys(i64::try_from(keys).unwrap_or(i64::MAX)));
        }
        Ok(Self::Integer { low, high, bands })
    }

    /// Fixed-point amounts.
    pub fn amount(low: i64, high: i64, scale: u32, currency: Option<String>) -> Result<Self, DatasetError> {
        if low > high {
            Err(DatasetError::Inverted(low, high))
        } else {
            Ok(Self::Amount { low, high, scale, currency })
        }
    }

    /// The public keys, `_O` and `_U` last; `None` for amounts, which have none.
    pub fn keyset(&self) -> Option<Keyset> {
        let declared = match self {
            Self::Codes(codes) => codes.clone(),
            Self::Integer { low, high, bands } => {
                let starts = (*low..=*high).step_by(*bands as usize);
                starts
                    .map(|start| Code::of_band(start, start.saturating_add(i64::from(*bands) - 1).min(*high)))
                    .collect()
            }
            Self::Amount { .. } => return None,
        };
        Some(Keyset::new(declared.into_iter().chain([Code::fixed(OTHER), Code::fixed(UNKNOWN)]).collect()))
    }

    /// The position in the keyset of a whole number: that of its band, or of `_O`.
    pub fn band_of(&self, value: i64) -> Option<usize> {
        let Self::Integer { low, high, bands } = self else { return None };
        let count = (high - low) / i64::from(*bands) + 1;
        let position =
            if (*low..=*high).contains(&value) { (value - low) / i64::from(*bands) } else { count };
        usize::try_from(position).ok()
    }

    fn describe(&self) -> String {
        match self {
            Self::Codes(codes) => format!("codes {}", crate::query::join(codes)),
            Self::Integer { low, high, bands } => format!("integer {low} {high} bands {bands}"),
            Self::Amount { low, high, scale, .. } => format!("amount {low} {high} scale {scale}"),
        }
    }
}

impl Dataset {
    /// The terms of a release: everything of the policy that a stored answer depends on, and nothing else.
    /// A release key holds their digest, so an edit that leaves them alone redraws no noise.
    pub fn terms<'a>(&self, used: impl IntoIterator<Item = &'a Name>, account: &Accounting) -> String {
        let unit = &self.unit;
        let mut text = format!(
            "lango-terms 1\nunit {} {}\nrows_at_most {}\ncells_at_most {}\n",
            unit.noun, unit.column, unit.rows_at_most, unit.cells_at_most
        );
        for name in used.into_iter().collect::<std::collections::BTreeSet<_>>() {
            if let Some(column) = self.columns.get(name) {
                text += &format!("column {name} {}\n", column.domain.describe());
            }
        }
        match account {
            Accounting::Pure => text += "account pure\n",
            Accounting::Zcdp { delta_e18 } => {
                text += &format!("account zcdp delta_e18 {delta_e18}\n");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyset_holds_every_band_then_other_and_unknown() {
        let ages = Domain::integer(0, 11, 5).unwrap();
        let keys: Vec<_> = ages.keyset().unwrap().codes().iter().map(Code::to_string).collect();
        assert_eq!(keys, ["0-4", "5-9", "10-11", "_O", "_U"]);
        for (value, position) in [(0, 0), (4, 0), (5, 1), (11, 2), (12, 3), (-1, 3), (i64::MAX, 3)] {
            assert_eq!(ages.band_of(value), Some(position), "{value}");
        }
    }

    #[test]
    fn a_domain_that_makes_no_sense_is_refused() {
        let code = |text: &str| text.parse::<Code>().unwrap();
        for (domain, expected) in [
            (Domain::codes(vec![]), DatasetError::Empty),
            (Domain::codes(vec![code("F"), code("F")]), DatasetError::Twice("F".into())),
            (Domain::codes(vec![code("_O")]), DatasetError::Reserved("_O".into())),
            (Domain::integer(5, 4, 1), DatasetError::Inverted(5, 4)),
            (Domain::integer(0, 4, 0), DatasetError::Bands),
            (Domain::integer(i64::MIN, i64::MAX, 1), DatasetError::Keys(i64::MAX)),
            (Domain::amount(1, 0, 0, None), DatasetError::Inverted(1, 0)),
        ] {
            assert_eq!(domain, Err(expected));
        }
    }
}
