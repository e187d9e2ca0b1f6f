//! A value in its normal form: the one reading of what stands in a column, for keys, conditions, sums and the row order.

use std::borrow::Cow;

use lango_privacy::Domain;

/// A value as an engine hands it over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Raw<'a> {
    Null,
    Integer(i64),
    /// Bytes that are called text, whether or not they are UTF-8.
    Text(&'a [u8]),
    /// Binary data, a fraction, or another type that no column declares.
    Other,
}

/// A value as its column's declaration reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// NULL or blank.
    Missing,
    /// A whole number, in a column of numbers.
    Integer(i64),
    /// Text, in every other column; there a whole number is its decimal text.
    Text(Cow<'a, str>),
    /// Anything else.
    Undeclared,
}

impl<'a> Value<'a> {
    /// The normal form.
    pub(crate) fn of(raw: Raw<'a>, domain: &Domain) -> Self {
        match (raw, of_numbers(domain)) {
            (Raw::Null, _) => Self::Missing,
            (Raw::Text(text), _) if blank(text) => Self::Missing,
            (Raw::Integer(value), true) => Self::Integer(value),
            (Raw::Integer(value), false) => Self::Text(Cow::Owned(value.to_string())),
            (Raw::Text(text), false) => {
                std::str::from_utf8(text).map_or(Self::Undeclared, |text| Self::Text(Cow::Borrowed(text)))
            }
            (Raw::Text(_), true) | (Raw::Other, _) => Self::Undeclared,
        }
    }

    /// Whether `rows(C)` counts the row: there is a whole number in a column of numbers, anything at all in another.
    pub(crate) fn is_present(&self, domain: &Domain) -> bool {
        match self {
            Self::Missing => false,
            Self::Integer(_) | Self::Text(_) => true,
            Self::Undeclared => !of_numbers(domain),
        }
    }
}

/// Text of spaces only.
pub(crate) fn blank(text: &[u8]) -> bool {
    text.iter().all(|byte| *byte == b' ')
}

fn of_numbers(domain: &Domain) -> bool {
    matches!(domain, Domain::Integer { .. } | Domain::Amount { .. })
}
