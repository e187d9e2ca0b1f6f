//! What a column of a table is declared as, as far as statements depend on it.

use lango_privacy::Domain;

/// How a column is declared, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnType {
    /// Whole numbers of at most 64 bits, signed.
    Integer,
    /// Whole numbers of 64 bits, unsigned: those past the signed ones are read as the greatest of them.
    Unsigned,
    /// Decimals with this number of digits after the point, at most 18 digits in all.
    Decimal(u32),
    /// Decimals of any length.
    Numeric,
    /// Numbers in floating point: each is the shortest decimal that reads back the same.
    Float,
    /// Text.
    Text {
        /// Whether the column's own comparison distinguishes all texts.
        bytewise: bool,
        /// Whether its bytes, as they are stored, are UTF-8.
        utf8: bool,
    },
    /// A day.
    Day,
    /// A day and a time of it, without a place.
    Moment,
    /// A type with one text for each value: an enumeration, a UUID, a truth value.
    Word,
}

impl ColumnType {
    /// Checks that the column can hold what the policy declares; the error says which type could.
    pub(crate) fn fits(self, domain: &Domain) -> Result<(), String> {
        match (domain, self) {
            (
                Domain::Integer { .. } | Domain::Amount { .. },
                Self::Integer
                | Self::Unsigned
                | Self::Decimal(_)
                | Self::Numeric
                | Self::Float
                | Self::Text { .. },
            ) => Ok(()),
            (Domain::Integer { .. } | Domain::Amount { .. }, Self::Day | Self::Moment | Self::Word) => {
                Err("numbers of any type, or text that reads as numbers".to_owned())
            }
            (Domain::Date { .. }, Self::Day | Self::Moment | Self::Text { .. }) => Ok(()),
            (
                Domain::Date { .. },
                Self::Integer | Self::Unsigned | Self::Decimal(_) | Self::Numeric | Self::Float | Self::Word,
            ) => Err("days (`date`), moments (`timestamp`), or text such as `2024-07-01`".to_owned()),
            (Domain::Codes(_), Self::Moment) => Err("text, or numbers".to_owned()),
            (
                Domain::Open,
                Self::Unsigned | Self::Decimal(_) | Self::Numeric | Self::Float | Self::Moment,
            ) => Err("text, or whole numbers of 64 bits".to_owned()),
            (Domain::Codes(_), Self::Unsigned | Self::Decimal(_) | Self::Numeric | Self::Float)
            | (Domain::Codes(_) | Domain::Open, Self::Integer | Self::Text { .. } | Self::Day | Self::Word) => {
                Ok(())
            }
        }
    }

    /// Whether a value in a column of numbers may be present and be no number.
    pub(crate) fn may_hold_no_number(self) -> bool {
        match self {
            Self::Numeric | Self::Float | Self::Text { .. } => true,
            Self::Integer | Self::Unsigned | Self::Decimal(_) | Self::Day | Self::Moment | Self::Word => {
                false
            }
        }
    }

    /// Whether its text may have blanks around it, or be blank.
    pub(crate) fn is_text(self) -> bool {
        match self {
            Self::Text { .. } | Self::Word => true,
            Self::Integer
            | Self::Unsigned
            | Self::Decimal(_)
            | Self::Numeric
            | Self::Float
            | Self::Day
            | Self::Moment => false,
        }
    }
}

/// What makes a value of its [`ColumnType`] of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    /// It is one.
    AsIs,
    /// Its text.
    AsText,
    /// Its number.
    AsNumber,
    /// The moment at the policy's place.
    AtPlace,
}
