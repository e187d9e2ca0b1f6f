//! What a value is, in words.

use std::fmt;

use toml::de::DeValue;

/// What is written as a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueForm {
    /// Text in quotes.
    Text,
    /// A number without a point.
    Whole,
    /// A number, with a point or without.
    Number,
    /// A day, or a moment.
    Day,
    /// `true` or `false`.
    Truth,
    /// Keys and their values.
    Table,
    /// Values of one form.
    List(&'static ValueForm),
    /// One of several, in words with an article: `a step, or a list of numbers`.
    Either(&'static str),
}

impl ValueForm {
    /// What is written.
    pub(crate) fn of(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(_) => Self::Text,
            DeValue::Integer(_) => Self::Whole,
            DeValue::Float(_) => Self::Number,
            DeValue::Boolean(_) => Self::Truth,
            DeValue::Datetime(_) => Self::Day,
            DeValue::Table(_) => Self::Table,
            DeValue::Array(array) => {
                Self::List(match array.iter().next().map(|first| Self::of(first.get_ref())) {
                    Some(Self::Text) => &Self::Text,
                    Some(Self::Whole) => &Self::Whole,
                    Some(Self::Number) => &Self::Number,
                    Some(Self::Day) => &Self::Day,
                    Some(Self::Truth) => &Self::Truth,
                    Some(Self::Table) => &Self::Table,
                    Some(Self::List(_)) => &Self::List(&Self::Either("a value")),
                    Some(Self::Either(_)) | None => &Self::Either("a value"),
                })
            }
        }
    }

    /// How one is written, in short.
    pub(crate) fn example(self) -> String {
        match self {
            Self::Text => "\"..\"".to_owned(),
            Self::Whole => "1".to_owned(),
            Self::Number => "1.0".to_owned(),
            Self::Day => "2026-12-31".to_owned(),
            Self::Truth => "true".to_owned(),
            Self::Table => "{ .. }".to_owned(),
            Self::List(of) => format!("[{}]", of.example()),
            Self::Either(_) => "..".to_owned(),
        }
    }

    fn plural(self) -> String {
        match self {
            Self::Text => "texts".to_owned(),
            Self::Whole => "whole numbers".to_owned(),
            Self::Number => "numbers".to_owned(),
            Self::Day => "days".to_owned(),
            Self::Truth => "`true` and `false`".to_owned(),
            Self::Table => "tables".to_owned(),
            Self::List(of) => format!("lists of {}", of.plural()),
            Self::Either(_) => "values".to_owned(),
        }
    }

    /// What to write instead, where the text that stands there can stay: in brackets, in quotes, or without them.
    pub(crate) fn corrected(self, key: &str, value: &DeValue<'_>, written: &str) -> Option<String> {
        /// What is longer is not repeated.
        const SHORT: usize = 60;
        let short = written.len() <= SHORT && !written.contains('\n');
        let keyed = |value: String| Some(format!("write `{key} = {value}`"));
        match (self, value) {
            (Self::List(Self::Table), DeValue::Table(_)) if !written.starts_with('{') => {
                Some(format!("write `[[{key}]]`, with two brackets: there may be several"))
            }
            (Self::Table, DeValue::Array(array)) if array.iter().all(|of| of.get_ref().is_table()) => {
                Some(format!("write `[{key}]`, with one bracket: there is one"))
            }
            (_, _) if !short => None,
            (Self::List(of), _) if of.fits(value) => keyed(format!("[{written}]")),
            (
                Self::Text,
                DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Boolean(_),
            ) => keyed(format!("\"{written}\"")),
            (Self::Whole | Self::Number | Self::Day | Self::Truth, DeValue::String(text)) => {
                let parsed = format!("x = {text}");
                let parsed = toml::de::DeTable::parse(&parsed).ok()?;
                let fits = parsed.get_ref().values().next().is_some_and(|value| self.fits(value.get_ref()));
                if fits { keyed(text.to_string()) } else { None }
            }
            (Self::Text, DeValue::Array(array)) if array.len() == 1 => {
                let inner = written.trim_start_matches('[').trim_end_matches(']').trim();
                keyed(inner.to_owned())
            }
            (_, _) => None,
        }
    }

    /// Whether a value is of the form.
    pub(crate) fn fits(self, value: &DeValue<'_>) -> bool {
        match (self, value) {
            (Self::Text, DeValue::String(_))
            | (Self::Whole | Self::Number, DeValue::Integer(_))
            | (Self::Number, DeValue::Float(_))
            | (Self::Day, DeValue::Datetime(_))
            | (Self::Truth, DeValue::Boolean(_))
            | (Self::Table, DeValue::Table(_)) => true,
            (Self::List(of), DeValue::Array(array)) => array.iter().all(|value| of.fits(value.get_ref())),
            (_, _) => false,
        }
    }
}

impl fmt::Display for ValueForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("a text"),
            Self::Whole => f.write_str("a whole number"),
            Self::Number => f.write_str("a number"),
            Self::Day => f.write_str("a day such as 2026-12-31"),
            Self::Truth => f.write_str("`true` or `false`"),
            Self::Table => f.write_str("a table"),
            Self::List(of) => write!(f, "a list of {}", of.plural()),
            Self::Either(words) => f.write_str(words),
        }
    }
}
