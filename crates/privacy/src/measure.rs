//! Measures: what is computed in a cell, and the one way in which each is written.

use std::{cmp::Ordering, fmt, str::FromStr};

use crate::{Decimal, Name, name::join};

/// The most bytes of a measure's text.
pub const MEASURE_BYTES_MOST: usize = 256;

/// What is computed in a cell.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Measure {
    /// `persons`, `households`: the distinct privacy units, named by the plural of the unit's noun.
    Units(Name),
    /// `rows`: the rows.
    Rows,
    /// `rows(C)`: the rows whose C is present.
    RowsOf(Name),
    /// `sum(C)`: the sum of C, clamped to its declared bounds.
    Sum(Name),
    /// `mean(C)`: the mean of C, clamped to its declared bounds, over the rows whose C is present.
    Mean(Name),
    /// `share(D)`: for each key of D, its units over the units of all its keys.
    Share(Name),
    /// `quantile(C,Q,..)`: values of C below which the shares Q of the rows lie; the Qs ascend.
    Quantile(Name, Vec<Decimal>),
    /// `histogram(C)`: the rows in each of C's declared bins.
    Histogram(Name),
    /// `keys(C)`: the values of C that enough units have, with how many have them.
    Keys(Name),
}

/// A text that is no measure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no measure: there are the plural of the dataset's unit (`persons`), `rows`, `rows(C)`, `sum(C)`, `mean(C)`, \
     `share(D)`, `median(C)`, `quantile(C,Q,..)`, `histogram(C)` and `keys(C)`"
)]
pub struct MeasureError(String);

impl MeasureError {
    /// The text.
    pub fn found(&self) -> &str {
        &self.0
    }
}

impl Measure {
    /// The number of distinct persons.
    pub fn persons() -> Self {
        Self::Units(Name::fixed("persons"))
    }

    /// Whether its figures are counts of units or of rows.
    pub fn counts(&self) -> bool {
        matches!(self, Self::Units(_) | Self::Rows | Self::RowsOf(_) | Self::Histogram(_))
    }

    /// The column that the measure reads beside those it is grouped by.
    pub fn column(&self) -> Option<&Name> {
        match self {
            Self::Units(_) | Self::Rows => None,
            Self::RowsOf(column)
            | Self::Sum(column)
            | Self::Mean(column)
            | Self::Share(column)
            | Self::Quantile(column, _)
            | Self::Histogram(column)
            | Self::Keys(column) => Some(column),
        }
    }

    /// The dimension by which the measure groups beside its margin's.
    pub fn dimension(&self) -> Option<&Name> {
        match self {
            Self::Share(dimension) => Some(dimension),
            Self::Units(_)
            | Self::Rows
            | Self::RowsOf(_)
            | Self::Sum(_)
            | Self::Mean(_)
            | Self::Quantile(..)
            | Self::Histogram(_)
            | Self::Keys(_) => None,
        }
    }

    /// Whether it is a mean, which a released count may divide.
    pub(crate) fn is_mean(&self) -> bool {
        match self {
            Self::Mean(_) => true,
            Self::Units(_) | Self::Rows | Self::RowsOf(_) | Self::Sum(_) | Self::Share(_) => false,
            Self::Quantile(..) | Self::Histogram(_) | Self::Keys(_) => false,
        }
    }

    /// The column of whose values the measure reveals as much as grouping by it would.
    pub fn reveals(&self) -> Option<&Name> {
        match self {
            Self::Share(column)
            | Self::Histogram(column)
            | Self::Quantile(column, _)
            | Self::Keys(column) => Some(column),
            Self::Units(_) | Self::Rows | Self::RowsOf(_) | Self::Sum(_) | Self::Mean(_) => None,
        }
    }

    /// The column of whose values one is chosen: figures of several offices cannot be added up then, which must be asked for
    /// office by office.
    pub fn chosen_of(&self) -> Option<&Name> {
        match self {
            Self::Quantile(column, _) => Some(column),
            Self::Units(_)
            | Self::Rows
            | Self::RowsOf(_)
            | Self::Sum(_)
            | Self::Mean(_)
            | Self::Share(_)
            | Self::Histogram(_)
            | Self::Keys(_) => None,
        }
    }

    fn read(text: &str) -> Option<Self> {
        if text.len() > MEASURE_BYTES_MOST {
            return None;
        }
        let Some((function, rest)) = text.split_once('(') else {
            return match text {
                "rows" => Some(Self::Rows),
                plural => Name::from_str(plural).ok().map(Self::Units),
            };
        };
        let mut args = rest.strip_suffix(')')?.split(',');
        let column = Name::from_str(args.next()?).ok()?;
        let shares = args.map(Decimal::minimal).collect::<Option<Vec<_>>>()?;
        match (function, shares.is_empty()) {
            ("rows", true) => Some(Self::RowsOf(column)),
            ("sum", true) => Some(Self::Sum(column)),
            ("mean", true) => Some(Self::Mean(column)),
            ("share", true) => Some(Self::Share(column)),
            ("histogram", true) => Some(Self::Histogram(column)),
            ("keys", true) => Some(Self::Keys(column)),
            ("median", true) => Some(Self::Quantile(column, vec![Decimal::minimal("0.5")?])),
            ("quantile", _) => {
                let unique: std::collections::BTreeSet<Decimal> = shares.into_iter().collect();
                Some(Self::Quantile(column, unique.into_iter().collect()))
            }
            _ => None,
        }
    }
}

impl FromStr for Measure {
    type Err = MeasureError;

    /// Reads a measure; the shares of a quantile may be in any order, and `median(C)` is `quantile(C,0.5)`.
    fn from_str(text: &str) -> Result<Self, MeasureError> {
        Self::read(text).ok_or_else(|| MeasureError(text.to_owned()))
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Units(plural) => plural.fmt(f),
            Self::Rows => f.write_str("rows"),
            Self::RowsOf(column) => write!(f, "rows({column})"),
            Self::Sum(column) => write!(f, "sum({column})"),
            Self::Mean(column) => write!(f, "mean({column})"),
            Self::Share(dimension) => write!(f, "share({dimension})"),
            Self::Quantile(column, shares) if shares.is_empty() => write!(f, "quantile({column})"),
            Self::Quantile(column, shares) => write!(f, "quantile({column},{})", join(shares)),
            Self::Histogram(column) => write!(f, "histogram({column})"),
            Self::Keys(column) => write!(f, "keys({column})"),
        }
    }
}

impl Ord for Measure {
    /// By their texts, as a question lists them.
    fn cmp(&self, other: &Self) -> Ordering {
        self.to_string().cmp(&other.to_string())
    }
}

impl PartialOrd for Measure {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measure_is_read_and_written_in_one_way() {
        for (text, canonical) in [
            ("persons", Some("persons")),
            ("households", Some("households")),
            ("rows", Some("rows")),
            ("rows(income)", Some("rows(income)")),
            ("sum(income)", Some("sum(income)")),
            ("mean(income)", Some("mean(income)")),
            ("share(sex)", Some("share(sex)")),
            ("median(age)", Some("quantile(age,0.5)")),
            ("quantile(age,0.75,0.25,0.75)", Some("quantile(age,0.25,0.75)")),
            ("quantile(age)", Some("quantile(age)")),
            ("quantile(age,-1)", Some("quantile(age,-1)")),
            ("histogram(income)", Some("histogram(income)")),
            ("keys(village)", Some("keys(village)")),
            ("variance(income)", None),
            ("mean()", None),
            ("mean(income", None),
            ("mean(income,0.5)", None),
            ("mean(income,age)", None),
            ("median(age,0.5)", None),
            ("quantile(0.5,age)", None),
            ("quantile(age,0.50)", None),
            ("quantile(age, 0.5)", None),
            ("Persons", None),
            ("", None),
        ] {
            let read = text.parse::<Measure>().ok().map(|measure| measure.to_string());
            assert_eq!(read.as_deref(), canonical, "{text}");
        }
    }
}
