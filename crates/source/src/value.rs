//! A value in its normal form: the one reading of what stands in a column, for keys, conditions, sums and the row order.

use std::{borrow::Cow, collections::BTreeSet};

pub(crate) use lango_privacy::STORED_TEXT_BYTES_MOST;
use lango_privacy::{Column, Domain, day, folded, number, trimmed_bytes};

/// A value as an engine hands it over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Raw<'a> {
    Null,
    /// A whole number, in units that the column's [`Reader`] knows.
    Integer(i64),
    /// A number in floating point.
    Real(f64),
    /// Bytes that are called text, whether or not they are UTF-8.
    Text(&'a [u8]),
    /// Binary data, or another type that no column declares.
    Other(&'a [u8]),
}

/// A value as its column's declaration reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// NULL, blank, or said to be missing.
    Missing,
    /// A whole number of the column's scale, in a column of numbers.
    Integer(i64),
    /// Text without the blanks around it, in every other column: of a day the day alone, of a number its decimal text.
    Text(Cow<'a, str>),
    /// Anything else.
    Undeclared,
}

/// How the values of one column are read.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    form: Form,
    ignores_case: bool,
    missing_texts: BTreeSet<String>,
    missing_numbers: Vec<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Of this scale; whole numbers that an engine hands over are of that one.
    Numbers {
        scale: u32,
        stored: u32,
    },
    Days,
    Texts,
}

impl Reader {
    /// Of a column whose whole numbers are stored as units of `10^-stored`.
    pub(crate) fn new(column: &Column, stored: u32) -> Self {
        let form = match &column.domain {
            Domain::Integer { .. } => Form::Numbers { scale: 0, stored },
            Domain::Amount { scale, .. } => Form::Numbers { scale: *scale, stored },
            Domain::Date { .. } => Form::Days,
            Domain::Codes(_) | Domain::Open => Form::Texts,
        };
        Self {
            form,
            ignores_case: column.reading.ignores_case,
            missing_texts: column.missing_texts(),
            missing_numbers: column.missing_numbers(),
        }
    }

    /// The normal form.
    pub(crate) fn read<'a>(&self, raw: Raw<'a>) -> Value<'a> {
        match (raw, self.form) {
            (Raw::Null, _) => Value::Missing,
            (Raw::Integer(value), Form::Numbers { scale, stored }) if scale == stored => self.number(value),
            (Raw::Integer(value), Form::Numbers { scale, stored }) => {
                self.number(rescaled(value, stored, scale))
            }
            (Raw::Integer(value), Form::Days | Form::Texts) => self.text(Cow::Owned(value.to_string())),
            (Raw::Real(value), _) if !value.is_finite() => Value::Undeclared,
            // With an exponent: of the smallest floats hundreds of zeros would stand in front.
            (Raw::Real(value), Form::Numbers { scale, .. }) => {
                let read = number(format!("{value:e}").as_bytes(), scale);
                read.map_or(Value::Undeclared, |(value, _)| self.number(value))
            }
            // -0 is the number 0.
            (Raw::Real(value), Form::Days | Form::Texts) => self.text(Cow::Owned((value + 0.0).to_string())),
            (Raw::Text(text), _) if text.len() > STORED_TEXT_BYTES_MOST => Value::Undeclared,
            (Raw::Text(text), _) => match trimmed_bytes(text) {
                [] => Value::Missing,
                text => std::str::from_utf8(text).map_or(Value::Undeclared, |text| self.text(text.into())),
            },
            (Raw::Other(_), _) => Value::Undeclared,
        }
    }

    /// Whether `rows(C)` counts the row: there is a number in a column of numbers, anything at all in another.
    pub(crate) fn is_present(&self, value: &Value<'_>) -> bool {
        match value {
            Value::Missing => false,
            Value::Integer(_) | Value::Text(_) => true,
            Value::Undeclared => !matches!(self.form, Form::Numbers { .. }),
        }
    }

    fn number<'a>(&self, value: i64) -> Value<'a> {
        if self.missing_numbers.binary_search(&value).is_ok() {
            Value::Missing
        } else {
            Value::Integer(value)
        }
    }

    /// A text as letters of both cases are the same in the column, or not.
    pub(crate) fn folded<'a>(&self, text: &'a str) -> Cow<'a, str> {
        folded(text, self.ignores_case)
    }

    fn is_missing(&self, text: &str) -> bool {
        !self.missing_texts.is_empty() && self.missing_texts.contains(&*self.folded(text))
    }

    fn text<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        if self.is_missing(&text) {
            return Value::Missing;
        }
        match self.form {
            Form::Numbers { scale, .. } => match number(text.as_bytes(), scale) {
                Some((value, _)) => self.number(value),
                None => Value::Undeclared,
            },
            Form::Days => {
                let length = day(&text).map_or(text.len(), str::len);
                let text = match text {
                    Cow::Borrowed(text) => Cow::Borrowed(text.get(..length).unwrap_or(text)),
                    Cow::Owned(mut text) => {
                        text.truncate(length);
                        Cow::Owned(text)
                    }
                };
                if self.is_missing(&text) { Value::Missing } else { Value::Text(text) }
            }
            Form::Texts => Value::Text(text),
        }
    }
}

/// Units of `10^-from` as units of `10^-to`, rounded half to even; past 63 bits the nearest that there is.
fn rescaled(value: i64, from: u32, to: u32) -> i64 {
    let text = format!("{value}e-{from}");
    number(text.as_bytes(), to).map_or(value, |(value, _)| value)
}

#[cfg(test)]
mod tests {
    use lango_privacy::Reading;

    use super::*;

    #[test]
    fn what_stands_for_a_text_that_is_too_long_is_undeclared_and_no_policys_text() {
        let long = "_".repeat(STORED_TEXT_BYTES_MOST + 1);
        let columns = [
            Domain::amount(0, 9, 0, None).unwrap(),
            Domain::codes(vec!["M".parse().unwrap()]).unwrap(),
            Domain::date("2024-01-01".into(), "2024-12-31".into(), lango_privacy::Span::Year).unwrap(),
            Domain::Open,
        ];
        for domain in columns {
            let column = Column::from(domain);
            assert_eq!(Reader::new(&column, 0).read(Raw::Text(long.as_bytes())), Value::Undeclared);
            let missing = Reading { missing: [long.clone()].into(), ..Reading::default() };
            assert!(column.with_reading(missing).is_err());
        }
        let recode = Reading { recode: [(long, "M".parse().unwrap())].into(), ..Reading::default() };
        let sex = Column::from(Domain::codes(vec!["M".parse().unwrap()]).unwrap());
        assert!(sex.with_reading(recode).is_err());
    }
}
