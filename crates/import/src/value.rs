//! How a field's bytes are read as what its column holds.

use lango_privacy::{Domain, Span};

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FieldType {
    /// Text as it stands: identifiers, codes, open columns.
    Text,
    /// A day, `YYYY-MM-DD`.
    Day,
    /// A decimal number in units of `10^-scale`.
    Number { scale: u32 },
}

/// A field, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read<'a> {
    Null,
    Text(&'a [u8]),
    Integer(i64),
    /// It does not read as the column's type, and is still text.
    UnreadText(&'a [u8]),
    /// It does not read as a number. Kept as bytes: SQLite would make a number of the text `1e5`.
    UnreadBytes(&'a [u8]),
}

impl FieldType {
    pub(crate) fn of(domain: &Domain) -> Self {
        match domain {
            Domain::Codes(_) | Domain::Open => Self::Text,
            Domain::Date { .. } => Self::Day,
            Domain::Integer { .. } => Self::Number { scale: 0 },
            Domain::Amount { scale, .. } => Self::Number { scale: *scale },
        }
    }

    /// SQLite's type.
    pub(crate) fn sql(&self) -> &'static str {
        match self {
            Self::Text | Self::Day => "TEXT",
            Self::Number { .. } => "INTEGER",
        }
    }

    /// In a word, for reports.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Day => "day",
            Self::Number { scale: 0 } => "whole number",
            Self::Number { .. } => "amount",
        }
    }

    /// Reads a field. Spaces alone are nothing; spaces around a number do not count.
    pub(crate) fn read<'a>(&self, field: &'a [u8]) -> Read<'a> {
        if field.iter().all(|byte| *byte == b' ') {
            return Read::Null;
        }
        match self {
            Self::Text => Read::Text(field),
            Self::Day if is_day(field) => Read::Text(field),
            Self::Day => Read::UnreadText(field),
            Self::Number { scale } => decimal(field, *scale).map_or(Read::UnreadBytes(field), Read::Integer),
        }
    }
}

fn is_day(field: &[u8]) -> bool {
    // The one reading of a day is the privacy core's.
    let any = Domain::Date { from: String::new(), until: "9999-12-31".to_owned(), by: Span::Day };
    std::str::from_utf8(field).is_ok_and(|text| any.key_of(text).is_some())
}

/// A decimal number as a whole number of `10^-scale`; `None` if it is none, has more decimals or is too large.
pub(crate) fn decimal(field: &[u8], scale: u32) -> Option<i64> {
    let text = field.trim_ascii();
    let (negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    let mut point = digits.splitn(2, |byte| *byte == b'.');
    let (whole, part) = (point.next()?, point.next());
    // `.5` is a number, `5.` and `.` are not.
    if part.map_or(whole.is_empty(), <[u8]>::is_empty) {
        return None;
    }
    let part = part.unwrap_or_default();
    let kept = usize::try_from(scale).ok()?;
    let (part, beyond) = part.split_at_checked(kept).unwrap_or((part, &[]));
    if beyond.iter().any(|byte| *byte != b'0') {
        return None;
    }
    let filled = std::iter::repeat_n(&b'0', kept - part.len());
    let mut value: i64 = 0;
    for digit in whole.iter().chain(part).chain(filled) {
        let digit = digit.is_ascii_digit().then(|| i64::from(digit - b'0'))?;
        let digit = if negative { -digit } else { digit };
        value = value.checked_mul(10)?.checked_add(digit)?;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_exactly_or_not_at_all() {
        for (text, scale, expected) in [
            ("0", 0, Some(0)),
            ("007", 0, Some(7)),
            ("34.0", 0, Some(34)),
            ("34.5", 0, None),
            ("123.45", 2, Some(12_345)),
            ("123", 2, Some(12_300)),
            ("-1.5", 2, Some(-150)),
            ("+.5", 1, Some(5)),
            ("1.230", 2, Some(123)),
            ("1.234", 2, None),
            (" 42 ", 0, Some(42)),
            ("5.", 1, None),
            (".", 1, None),
            ("-", 0, None),
            ("1e5", 0, None),
            ("1,5", 1, None),
            ("1.2.3", 3, None),
            ("0x10", 0, None),
            ("9223372036854775807", 0, Some(i64::MAX)),
            ("-9223372036854775808", 0, Some(i64::MIN)),
            ("9223372036854775808", 0, None),
            ("9223372036854775807", 1, None),
            ("1", 18, Some(1_000_000_000_000_000_000)),
        ] {
            assert_eq!(decimal(text.as_bytes(), scale), expected, "{text} at {scale}");
        }
    }

    #[test]
    fn a_field_is_read_as_its_column_or_kept_as_it_stands() {
        let number = FieldType::Number { scale: 0 };
        for (field_type, field, expected) in [
            (&FieldType::Text, &b"007"[..], Read::Text(b"007")),
            (&FieldType::Text, b" a ", Read::Text(b" a ")),
            (&FieldType::Text, b"  ", Read::Null),
            (&FieldType::Text, b"", Read::Null),
            (&FieldType::Day, b"2024-02-29", Read::Text(b"2024-02-29")),
            (&FieldType::Day, b"0001-01-01", Read::Text(b"0001-01-01")),
            (&FieldType::Day, b"2023-02-29", Read::UnreadText(b"2023-02-29")),
            (&FieldType::Day, b"29.02.2024", Read::UnreadText(b"29.02.2024")),
            (&number, b"12", Read::Integer(12)),
            (&number, b"1e5", Read::UnreadBytes(b"1e5")),
        ] {
            assert_eq!(field_type.read(field), expected);
        }
    }
}
