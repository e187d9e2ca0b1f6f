//! How a stored value of a Parquet column is text: the same text that the office would export as CSV.

use std::{
    fmt::Display,
    io::{self, Write},
    ops::Add,
};

use half::f16;
use num_bigint::BigInt;
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
    /// Fractions of a second since 1970-01-01, `per_second` of them in each: in UTC, or on the office's own clock.
    Moment { per_second: i128, in_utc: bool },
    /// Whole numbers of `10^-scale`.
    Decimal { scale: u32 },
    /// Sixteen bytes, in hexadecimal digits with hyphens.
    Uuid,
    /// A float of two bytes.
    Half,
}

impl Writing {
    /// The same, with moments on the clock that they are stored by and no word of which it is.
    pub(super) fn on_its_clock(self) -> Self {
        match self {
            Self::Moment { per_second, .. } => Self::Moment { per_second, in_utc: false },
            other => other,
        }
    }

    /// `None` for what is no text, number or day.
    pub(super) fn of(column: &ColumnDescriptor) -> Option<Self> {
        let moment = |per_second, in_utc| Some(Self::Moment { per_second, in_utc });
        let converted = match column.logical_type_ref() {
            Some(LogicalType::Timestamp(stamp)) => {
                // Whether or not it is adjusted to UTC, its day is the one in UTC or the one on the office's clock, as stored.
                let in_utc = stamp.is_adjusted_to_u_t_c;
                return match stamp.unit {
                    TimeUnit::MILLIS => moment(1_000, in_utc),
                    TimeUnit::MICROS => moment(1_000_000, in_utc),
                    TimeUnit::NANOS => moment(1_000_000_000, in_utc),
                };
            }
            Some(LogicalType::Uuid) if column.type_length() == 16 => return Some(Self::Uuid),
            Some(LogicalType::Float16) if column.type_length() == 2 => return Some(Self::Half),
            Some(logical) => ConvertedType::from(Some(logical.clone())),
            None => column.converted_type(),
        };
        match (converted, column.physical_type()) {
            (_, Type::INT96) => moment(1_000_000_000, true),
            (ConvertedType::TIMESTAMP_MILLIS, _) => moment(1_000, true),
            (ConvertedType::TIMESTAMP_MICROS, _) => moment(1_000_000, true),
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
            (ConvertedType::INTERVAL | ConvertedType::BSON, _) => None,
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
            Self::Moment { per_second, in_utc } => moment(i128::from(value), per_second, in_utc, out),
            Self::Decimal { scale } => decimal(value < 0, &value.unsigned_abs().to_string(), scale, out),
            // Neither is stored as a whole number.
            Self::Uuid | Self::Half => Ok(()),
        }
    }

    /// Writes nanoseconds since 1970-01-01.
    pub(super) fn nanoseconds(self, value: i128, out: &mut Vec<u8>) -> io::Result<()> {
        moment(value, 1_000_000_000, self == Self::Moment { per_second: 1_000_000_000, in_utc: true }, out)
    }

    /// Writes a float as the shortest decimal that reads back the same, -0 as the number 0; nothing where it is none.
    pub(super) fn float<T>(value: T, is_nan: bool, out: &mut Vec<u8>) -> io::Result<()>
    where
        T: Display + Default + Add<Output = T>,
    {
        if is_nan { Ok(()) } else { write!(out, "{}", value + T::default()) }
    }

    /// Writes text, or what is stored in big-endian bytes.
    pub(super) fn bytes(self, value: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Decimal { scale } if value.len() <= 16 => {
                let negative = value.first().is_some_and(|byte| byte & 0x80 != 0);
                let start = if negative { -1 } else { 0 };
                let whole = value.iter().fold(start, |whole: i128, byte| (whole << 8) | i128::from(*byte));
                decimal(negative, &whole.unsigned_abs().to_string(), scale, out)
            }
            Self::Decimal { scale } => {
                let whole = BigInt::from_signed_bytes_be(value);
                decimal(whole.sign() == num_bigint::Sign::Minus, &whole.magnitude().to_string(), scale, out)
            }
            Self::Uuid => {
                for (at, byte) in value.iter().enumerate() {
                    let hyphen = if [4, 6, 8, 10].contains(&at) { "-" } else { "" };
                    write!(out, "{hyphen}{byte:02x}")?;
                }
                Ok(())
            }
            Self::Half => {
                let value = <[u8; 2]>::try_from(value).map_or(f16::NAN, f16::from_le_bytes);
                Self::float(value, value.is_nan(), out)
            }
            Self::Plain | Self::Unsigned | Self::Day | Self::Moment { .. } => out.write_all(value),
        }
    }
}

/// A day where the moment is its midnight, else day and time; in UTC day, time and `Z`.
fn moment(value: i128, per_second: i128, in_utc: bool, out: &mut Vec<u8>) -> io::Result<()> {
    let nanoseconds = value.checked_mul(1_000_000_000 / per_second);
    let moment = nanoseconds.and_then(|value| OffsetDateTime::from_unix_timestamp_nanos(value).ok());
    match moment {
        Some(moment) if moment.time() == time::Time::MIDNIGHT && !in_utc => write!(out, "{}", moment.date()),
        Some(moment) => {
            let (hour, minute, second, nanosecond) = moment.time().as_hms_nano();
            write!(out, "{}T{hour:02}:{minute:02}:{second:02}", moment.date())?;
            if nanosecond != 0 {
                write!(out, ".{nanosecond:09}")?;
            }
            if in_utc { write!(out, "Z") } else { Ok(()) }
        }
        None => write!(out, "{value}"),
    }
}

fn decimal(negative: bool, digits: &str, scale: u32, out: &mut Vec<u8>) -> io::Result<()> {
    let scale = scale as usize;
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, part) = digits.split_at_checked(digits.len() - scale).unwrap_or((&digits, ""));
    let (sign, point) = (if negative { "-" } else { "" }, if part.is_empty() { "" } else { "." });
    write!(out, "{sign}{whole}{point}{part}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_values_are_written_as_text() {
        let in_utc = Writing::Moment { per_second: 1_000, in_utc: true };
        let millis = in_utc.on_its_clock();
        for (writing, value, narrow, expected) in [
            (Writing::Plain, -7, false, "-7"),
            (Writing::Unsigned, -1, true, "4294967295"),
            (Writing::Unsigned, -1, false, "18446744073709551615"),
            (Writing::Day, 0, true, "1970-01-01"),
            (Writing::Day, 19_905, true, "2024-07-01"),
            (Writing::Day, i64::MAX, true, "9223372036854775807"),
            (millis, 19_905 * 86_400_000, false, "2024-07-01"),
            (millis, 19_905 * 86_400_000 + 1_500, false, "2024-07-01T00:00:01.500000000"),
            (in_utc, 19_905 * 86_400_000, false, "2024-07-01T00:00:00Z"),
            (in_utc, 19_905 * 86_400_000 + 1_500, false, "2024-07-01T00:00:01.500000000Z"),
            (Writing::Decimal { scale: 2 }, 12_345, false, "123.45"),
            (Writing::Decimal { scale: 2 }, -5, false, "-0.05"),
            (Writing::Decimal { scale: 0 }, 5, false, "5"),
        ] {
            let mut text = Vec::new();
            writing.integer(value, narrow, &mut text).unwrap();
            assert_eq!(String::from_utf8(text).unwrap(), expected);
        }
        let two = Writing::Decimal { scale: 2 };
        let wide = [&[0; 10][..], &(123_456_i128 << 8).to_be_bytes()].concat();
        let below = [&[0xff; 10][..], &(-5_i128).to_be_bytes()].concat();
        let uuid =
            [0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0x00];
        for (writing, value, expected) in [
            (two, &[0x30, 0x39][..], "123.45"),
            (two, &[0xff, 0xfb], "-0.05"),
            (two, &[0; 17], "0.00"),
            (two, &wide, "316047.36"),
            (two, &below, "-0.05"),
            // 2^128 hundredths.
            (two, &[&[1][..], &[0; 16]].concat(), "3402823669209384634633746074317682114.56"),
            (Writing::Uuid, &uuid, "123e4567-e89b-12d3-a456-426614174000"),
            (Writing::Half, &f16::from_f32(34.5).to_le_bytes(), "34.5"),
            (Writing::Half, &f16::NAN.to_le_bytes(), ""),
            (Writing::Half, &f16::INFINITY.to_le_bytes(), "inf"),
            (Writing::Plain, b"Tema", "Tema"),
        ] {
            let mut text = Vec::new();
            writing.bytes(value, &mut text).unwrap();
            assert_eq!(String::from_utf8(text).unwrap(), expected);
        }
        for (value, expected) in [
            (0.1, "0.1"),
            (-0.0, "0"),
            (f64::NAN, ""),
            (f64::NEG_INFINITY, "-inf"),
            (1e21, "1000000000000000000000"),
        ] {
            let mut text = Vec::new();
            Writing::float(value, value.is_nan(), &mut text).unwrap();
            assert_eq!(String::from_utf8(text).unwrap(), expected);
        }
    }
}
