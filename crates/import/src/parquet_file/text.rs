//! How a stored value of a Parquet column is text: the same text that the office would export as CSV.

use std::io::{self, Write};

use parquet::{
    basic::{ConvertedType, LogicalType, TimeUnit, Type},
    schema::types::ColumnDescriptor,
};
use time::{Date, OffsetDateTime};

/// The Julian day of 1970-01-01.
const EPOCH: i32 = 2_440_588;

/// What a column's stored values mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writing {
    /// Numbers, truth values and texts as they are.
    Plain,
    /// Whole numbers without a sign.
    Unsigned,
    /// Days since 1970-01-01.
    Day,
    /// Fractions of a second since 1970-01-01, `per_second` of them in each.
    Moment { per_second: i128 },
    /// Whole numbers of `10^-scale`.
    Decimal { scale: u32 },
}

impl Writing {
    /// `None` for what is no text, number or day.
    pub(super) fn of(column: &ColumnDescriptor) -> Option<Self> {
        let moment = |per_second| Some(Self::Moment { per_second });
        if let Some(LogicalType::Timestamp(stamp)) = column.logical_type_ref() {
            return match stamp.unit {
                TimeUnit::MILLIS => moment(1_000),
                TimeUnit::MICROS => moment(1_000_000),
                TimeUnit::NANOS => moment(1_000_000_000),
            };
        }
        match (column.converted_type(), column.physical_type()) {
            (_, Type::INT96) => moment(1_000_000_000),
            (ConvertedType::TIMESTAMP_MILLIS, _) => moment(1_000),
            (ConvertedType::TIMESTAMP_MICROS, _) => moment(1_000_000),
            (ConvertedType::DATE, _) => Some(Self::Day),
            (ConvertedType::DECIMAL, _) => {
                u32::try_from(column.type_scale()).ok().map(|scale| Self::Decimal { scale })
            }
            (
                ConvertedType::UINT_8
                | ConvertedType::UINT_16
                | ConvertedType::UINT_32
                | ConvertedType::UINT_64,
                _,
            ) => Some(Self::Unsigned),
            (ConvertedType::NONE, Type::FIXED_LEN_BYTE_ARRAY)
            | (ConvertedType::INTERVAL | ConvertedType::BSON, _) => None,
            _ => Some(Self::Plain),
        }
    }

    /// Writes a whole number; `narrow` where it is stored in 32 bits.
    pub(super) fn integer(self, value: i64, narrow: bool, out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Plain => write!(out, "{value}"),
            // The bits are those of a number without a sign.
            Self::Unsigned if narrow => write!(out, "{}", value as u32),
            Self::Unsigned => write!(out, "{}", value as u64),
            Self::Day => {
                let day = i32::try_from(value).ok().and_then(|day| day.checked_add(EPOCH));
                match day.and_then(|day| Date::from_julian_day(day).ok()) {
                    Some(day) => write!(out, "{day}"),
                    None => write!(out, "{value}"),
                }
            }
            Self::Moment { per_second } => moment(i128::from(value), per_second, out),
            Self::Decimal { scale } => decimal(i128::from(value), scale, out),
        }
    }

    /// Writes nanoseconds since 1970-01-01.
    pub(super) fn nanoseconds(value: i128, out: &mut Vec<u8>) -> io::Result<()> {
        moment(value, 1_000_000_000, out)
    }

    /// Writes text, or a decimal number in big-endian bytes.
    pub(super) fn bytes(self, value: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Decimal { scale } if value.len() <= 16 => {
                let negative = value.first().is_some_and(|byte| byte & 0x80 != 0);
                let start = if negative { -1 } else { 0 };
                let whole = value.iter().fold(start, |whole: i128, byte| (whole << 8) | i128::from(*byte));
                decimal(whole, scale, out)
            }
            // Longer than any number that a column can hold: it does not read as one.
            Self::Decimal { .. } => out.write_all(b"number out of range"),
            _ => out.write_all(value),
        }
    }
}

/// A day where the moment is its midnight, else day and time.
fn moment(value: i128, per_second: i128, out: &mut Vec<u8>) -> io::Result<()> {
    let nanoseconds = value.checked_mul(1_000_000_000 / per_second);
    let moment = nanoseconds.and_then(|value| OffsetDateTime::from_unix_timestamp_nanos(value).ok());
    match moment {
        Some(moment) if moment.time() == time::Time::MIDNIGHT => write!(out, "{}", moment.date()),
        Some(moment) => write!(out, "{}T{}", moment.date(), moment.time()),
        None => write!(out, "{value}"),
    }
}

fn decimal(value: i128, scale: u32, out: &mut Vec<u8>) -> io::Result<()> {
    let scale = scale as usize;
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, part) = digits.split_at_checked(digits.len() - scale).unwrap_or((&digits, ""));
    let (sign, point) = (if value < 0 { "-" } else { "" }, if part.is_empty() { "" } else { "." });
    write!(out, "{sign}{whole}{point}{part}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_values_are_written_as_text() {
        let millis = Writing::Moment { per_second: 1_000 };
        for (writing, value, narrow, expected) in [
            (Writing::Plain, -7, false, "-7"),
            (Writing::Unsigned, -1, true, "4294967295"),
            (Writing::Unsigned, -1, false, "18446744073709551615"),
            (Writing::Day, 0, true, "1970-01-01"),
            (Writing::Day, 19_905, true, "2024-07-01"),
            (Writing::Day, i64::MAX, true, "9223372036854775807"),
            (millis, 19_905 * 86_400_000, false, "2024-07-01"),
            (millis, 19_905 * 86_400_000 + 1_500, false, "2024-07-01T0:00:01.5"),
            (Writing::Decimal { scale: 2 }, 12_345, false, "123.45"),
            (Writing::Decimal { scale: 2 }, -5, false, "-0.05"),
            (Writing::Decimal { scale: 0 }, 5, false, "5"),
        ] {
            let mut text = Vec::new();
            writing.integer(value, narrow, &mut text).unwrap();
            assert_eq!(String::from_utf8(text).unwrap(), expected);
        }
        for (value, expected) in
            [(&[0x30, 0x39][..], "123.45"), (&[0xff, 0xfb], "-0.05"), (&[0; 17], "number out of range")]
        {
            let mut text = Vec::new();
            Writing::Decimal { scale: 2 }.bytes(value, &mut text).unwrap();
            assert_eq!(String::from_utf8(text).unwrap(), expected);
        }
    }
}
