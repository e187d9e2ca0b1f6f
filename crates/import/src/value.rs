//! How a field's bytes are read as what its column holds: the one place where they are.

use jiff::tz::TimeZone;
use lango_privacy::{Column, Domain, STORED_TEXT_BYTES_MOST};

use crate::{findings::Finding, notation::Notation};

mod day;
mod forms;
mod identifier;
mod missing;
mod number;

pub(crate) use day::{day_formats, day_readings};
pub(crate) use identifier::{ALSO_NOTED, before_zeros, is_digits, of_identifier, unmarked};
pub(crate) use missing::is_no_value;
pub(crate) use number::{Excess, decimals, nearest_whole};

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FieldType {
    /// Text without the blanks around it: identifiers, codes.
    Word,
    /// Text as it stands: open columns.
    Text,
    /// A day, `YYYY-MM-DD`; of a moment that says how far its clock is from UTC, the day at a place, if one is named.
    Day { place: Option<TimeZone> },
    /// A decimal number in units of `10^-scale`.
    Number { scale: u32, excess: Excess },
}

/// A field, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read<'a> {
    Null,
    Text(&'a [u8]),
    /// With what is noted of how it is written.
    Day([u8; 10], Option<Finding>),
    /// With what is noted of how it is written.
    Integer(i64, Option<Finding>),
    /// It does not read as the column's type, and is still text.
    UnreadText(&'a [u8], Finding),
    /// It does not read as a number. Kept as bytes: SQLite would make a number of the text `1e5`.
    UnreadBytes(&'a [u8], Finding),
}

impl FieldType {
    pub(crate) fn of(column: &Column) -> Self {
        match &column.domain {
            Domain::Codes(_) => Self::Word,
            Domain::Open => Self::Text,
            Domain::Date { .. } => {
                let place = column.reading.time_zone.as_deref();
                Self::Day { place: place.and_then(|place| TimeZone::get(place).ok()) }
            }
            Domain::Integer { .. } => Self::Number { scale: 0, excess: Excess::Rounds },
            Domain::Amount { scale, .. } => Self::Number { scale: *scale, excess: Excess::Rounds },
        }
    }

    /// The same for the unit's column: identifiers have no blanks around them and are not rounded, whatever else the column is
    /// declared to be.
    pub(crate) fn of_identifiers(self) -> Self {
        match self {
            Self::Text => Self::Word,
            Self::Number { scale, .. } => Self::Number { scale, excess: Excess::Differs },
            Self::Word | Self::Day { .. } => self,
        }
    }

    /// Whether its values are codes or days, which every unit has.
    pub(crate) fn is_label(&self) -> bool {
        matches!(self, Self::Word | Self::Day { .. })
    }

    /// Whether its values are days.
    pub(crate) fn is_day(&self) -> bool {
        matches!(self, Self::Day { .. })
    }

    /// Whether its values are numbers.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Self::Number { .. })
    }

    /// SQLite's type.
    pub(crate) fn sql(&self) -> String {
        match self {
            Self::Word | Self::Text | Self::Day { .. } => "TEXT".to_owned(),
            Self::Number { scale: 0, .. } => "INTEGER".to_owned(),
            // Whole numbers of `10^-scale`: SQLite takes the type for one of whole numbers, for `INT` is in its name.
            Self::Number { scale, .. } => format!("FIXEDPOINT({scale})"),
        }
    }

    /// In a word, for reports.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Word | Self::Text => "text",
            Self::Day { .. } => "day",
            Self::Number { scale: 0, .. } => "whole number",
            Self::Number { .. } => "amount",
        }
    }

    /// Whether a number that was read is written as thousands are, where its column keeps no three decimals and the caller does
    /// not say how thousands are written; `None` of what could be thousands or not.
    pub(crate) fn grouping(&self, word: &[u8], notation: &Notation) -> Option<Finding> {
        match self {
            Self::Number { scale: 0..=2, .. } if notation.thousands.is_none() => {
                number::grouping(word, notation)
            }
            Self::Number { .. } | Self::Word | Self::Text | Self::Day { .. } => None,
        }
    }

    /// Whether a number is beyond all that there are in a register: past 63 bits, as the largest floats are that programs write
    /// for one that is missing, or the least whole number of 32 bits.
    pub(crate) fn huge(&self, value: i64, word: &[u8]) -> Option<Finding> {
        let is_huge = value.unsigned_abs() == i64::MAX.unsigned_abs() || word.starts_with(b"-2147483648");
        (self.is_number() && is_huge).then_some(Finding::HugeNumber)
    }

    /// Whether a moment, of which this day was read, is at midnight, or at that of another place.
    pub(crate) fn midnight(&self, word: &[u8], day: &[u8; 10]) -> Option<Finding> {
        match self {
            Self::Day { place } => day::midnight(word, day, place.as_ref()),
            Self::Number { .. } | Self::Word | Self::Text => None,
        }
    }

    /// Whether a day is one from which programs count, so that it may stand for none, or the same a year apart.
    pub(crate) fn origin(day: &[u8; 10]) -> Option<Finding> {
        day::origin(day)
    }

    /// Reads a field. Blanks alone are nothing; blanks around a value do not count, but in an open column, and in a text that is
    /// too long to be read at all.
    pub(crate) fn read<'a>(&self, field: &'a [u8], notation: &Notation) -> Read<'a> {
        let word = trimmed(field);
        let is_long = field.len() > STORED_TEXT_BYTES_MOST;
        // Here a field is first a value: what a policy says of values as texts applies to `word`, before its type does.
        match self {
            Self::Number { .. } if is_long => Read::UnreadBytes(field, Finding::Unreadable),
            Self::Word | Self::Text | Self::Day { .. } if is_long => {
                Read::UnreadText(field, Finding::Unreadable)
            }
            _ if word.is_empty() => Read::Null,
            Self::Text => Read::Text(field),
            Self::Word => Read::Text(word),
            Self::Day { place } => match day::day(word, notation, place.as_ref()) {
                Ok((day, noted)) => Read::Day(day, noted),
                Err(reason) => Read::UnreadText(word, self.why_unread(word, reason)),
            },
            Self::Number { scale, excess } => match number::number(word, *scale, *excess, notation) {
                Ok((value, noted)) => Read::Integer(value, noted),
                Err(reason) => Read::UnreadBytes(word, self.why_unread(word, reason)),
            },
        }
    }

    /// Why a word is not read, where no way to read it is known.
    fn why_unread(&self, word: &[u8], reason: Finding) -> Finding {
        match (self, reason) {
            (_, Finding::Unreadable) if is_no_value(word) => Finding::NoValueWord,
            (Self::Day { .. }, Finding::Unreadable) if forms::is_other_form(word) => Finding::OtherDayForm,
            (_, reason) => reason,
        }
    }
}

/// A field without the blanks around it.
pub(crate) use lango_privacy::trimmed_bytes as trimmed;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_as_its_column_or_kept_as_it_stands() {
        let number = FieldType::Number { scale: 0, excess: Excess::Rounds };
        let day = FieldType::Day { place: None };
        for (field_type, field, expected) in [
            (&FieldType::Word, &b"007"[..], Read::Text(b"007")),
            (&FieldType::Word, b" F\t", Read::Text(b"F")),
            (&FieldType::Word, b"\xc2\xa0 1 \xc2\xa0", Read::Text(b"1")),
            (&FieldType::Word, b"A B", Read::Text(b"A B")),
            // The last letter ends in the byte that a no-break space ends in.
            (&FieldType::Word, "\u{e0} ".as_bytes(), Read::Text("\u{e0}".as_bytes())),
            (&FieldType::Word, b"  ", Read::Null),
            (&FieldType::Word, b"\xc2\xa0", Read::Null),
            (&FieldType::Text, b" a ", Read::Text(b" a ")),
            (&FieldType::Text, b"  ", Read::Null),
            (&FieldType::Text, b"", Read::Null),
            (&day, b"2024-02-29", Read::Day(*b"2024-02-29", None)),
            (&day, b" 2024-02-29\t", Read::Day(*b"2024-02-29", None)),
            (&day, b"0001-01-01", Read::Day(*b"0001-01-01", None)),
            (&day, b"2023-02-29", Read::UnreadText(b"2023-02-29", Finding::Unreadable)),
            (&day, b"29.02.2024", Read::UnreadText(b"29.02.2024", Finding::DayOrder)),
            (&number, b"12", Read::Integer(12, None)),
            (&number, b" 12\xc2\xa0", Read::Integer(12, None)),
            (&number, b"12.50", Read::Integer(12, Some(Finding::RoundedNumber))),
            (&number, b"12.0", Read::Integer(12, None)),
            (&number, b"NaN", Read::UnreadBytes(b"NaN", Finding::NoValueWord)),
            (&number, b"..", Read::UnreadBytes(b"..", Finding::NoValueWord)),
            (&number, b"thirty", Read::UnreadBytes(b"thirty", Finding::Unreadable)),
            (&day, b"n/a", Read::UnreadText(b"n/a", Finding::NoValueWord)),
            (&day, b"31/12/23", Read::UnreadText(b"31/12/23", Finding::OtherDayForm)),
            (&number, b"1 2", Read::UnreadBytes(b"1 2", Finding::Unreadable)),
            (&number, b"12,0", Read::UnreadBytes(b"12,0", Finding::DecimalComma)),
        ] {
            assert_eq!(field_type.read(field, &Notation::default()), expected);
        }
    }
}
