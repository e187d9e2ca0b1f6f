//! The values of a policy file's keys.

use lango_document::{DiagnosticCode, FromDocument, ValueForm, WrittenValue};
use lango_privacy::Decimal;
use time::{Date, Month};
use toml::value::Datetime;

/// Words that stand for values of a type.
macro_rules! words {
    ($type:ty { $($word:literal => $value:expr),* $(,)? }) => {
        impl lango_document::FromDocument for $type {
            const FORM: lango_document::ValueForm = lango_document::ValueForm::Text;

            fn shape() -> lango_document::DocumentShape {
                lango_document::DocumentShape::Words(vec![$($word),*])
            }

            fn read(written: &lango_document::WrittenValue<'_>) -> Option<Self> {
                written.word(&[$(($word, $value)),*])
            }
        }
    };
}

pub(super) use words;

/// A decimal number, exactly as written in as many digits as a float keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Quantity(pub Decimal);

impl FromDocument for Quantity {
    const FORM: ValueForm = ValueForm::Number;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        let Some(text) = written.decimal() else { return written.wrong(Self::FORM) };
        Decimal::unsigned(&text).map(Self).or_else(|| {
            let message = format!("`{}` is a number that is not negative, and not `{text}`", written.key());
            written.refuse(DiagnosticCode::OutOfRange, message)
        })
    }
}

/// A decimal number in the column's own unit, exactly as written in as many digits as a float keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Number(pub Decimal);

impl FromDocument for Number {
    const FORM: ValueForm = ValueForm::Number;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        let Some(text) = written.decimal() else { return written.wrong(Self::FORM) };
        Decimal::minimal(&text).map(Self).or_else(|| {
            let message = format!("`{text}` is no number of at most 18 digits on each side of the point");
            written.refuse(DiagnosticCode::OutOfRange, message)
        })
    }
}

/// A day, without quotes and without a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day(pub Date);

impl FromDocument for Day {
    const FORM: ValueForm = ValueForm::Day;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        let Some(moment) = written.moment() else { return written.wrong(Self::FORM) };
        day_of(moment).map(Self).or_else(|| {
            let message = format!("`{}` is a day, without a time", written.key());
            written.refuse(DiagnosticCode::WrongType, (message, "write a day such as 2026-12-31"))
        })
    }
}

fn day_of(moment: &Datetime) -> Option<Date> {
    let day = moment.date.filter(|_| moment.time.is_none() && moment.offset.is_none())?;
    let month = Month::try_from(day.month).ok()?;
    Date::from_calendar_date(i32::from(day.year), month, day.day).ok()
}
