//! Which values of a column the policy declares, so that others are found while a file is read.

use std::collections::{BTreeSet, HashMap};

use lango_privacy::{Column, Domain};

use crate::{
    findings::Finding,
    value::{before_zeros, unmarked},
};

/// The declared values of a column, and those that say that there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Declared {
    values: DeclaredValues,
    ignores_case: bool,
    missing_texts: BTreeSet<Vec<u8>>,
    /// Whether one of them begins with a byte.
    missing_begin: [bool; 256],
    missing_numbers: Vec<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum DeclaredValues {
    /// Whatever there is.
    Anything,
    /// What means a code, with the code's position in the list.
    Codes(HashMap<Box<[u8]>, usize>),
    /// Days between these, both included.
    Period { from: String, until: String },
    /// Numbers between these, both included.
    Range { low: i64, high: i64 },
}

impl Declared {
    pub(crate) fn anything() -> Self {
        Self::of(&Domain::Open.into())
    }

    pub(crate) fn of(column: &Column) -> Self {
        let values = match &column.domain {
            Domain::Open => DeclaredValues::Anything,
            Domain::Codes(_) => {
                let texts = column.texts();
                DeclaredValues::Codes(
                    texts.into_iter().map(|(text, at)| (text.into_bytes().into(), at)).collect(),
                )
            }
            Domain::Date { from, until, .. } => {
                DeclaredValues::Period { from: from.clone(), until: until.clone() }
            }
            Domain::Integer { low, high, .. } | Domain::Amount { low, high, .. } => {
                DeclaredValues::Range { low: *low, high: *high }
            }
        };
        let missing_texts: BTreeSet<Vec<u8>> =
            column.missing_texts().into_iter().map(String::into_bytes).collect();
        let begins = |byte: usize| {
            missing_texts.iter().any(|text| text.first().is_none_or(|first| usize::from(*first) == byte))
        };
        Self {
            values,
            ignores_case: column.reading.ignores_case,
            missing_begin: std::array::from_fn(begins),
            missing_texts,
            missing_numbers: column.missing_numbers(),
        }
    }

    /// The same values, of which none says that there is no value.
    pub(crate) fn without_missing(self) -> Self {
        Self {
            missing_texts: BTreeSet::new(),
            missing_begin: [false; 256],
            missing_numbers: Vec::new(),
            ..self
        }
    }

    /// Whether a text without the blanks around it says that there is no value.
    pub(crate) fn is_missing(&self, text: &[u8]) -> bool {
        let begins = |byte: u8| self.missing_begin.get(usize::from(byte)) == Some(&true);
        let may_be = text.first().is_none_or(|byte| begins(*byte) || begins(byte.to_ascii_lowercase()));
        !self.missing_texts.is_empty()
            && may_be
            && self.folded(text, |text| self.missing_texts.contains(text))
    }

    /// What is noted of a text or a day, if it is missing or not declared.
    pub(crate) fn of_text(&self, text: &[u8]) -> Option<Finding> {
        if self.is_missing(text) {
            return Some(Finding::Missing);
        }
        match &self.values {
            DeclaredValues::Anything | DeclaredValues::Range { .. } => None,
            DeclaredValues::Codes(_) if self.code(text).is_some() => None,
            DeclaredValues::Codes(codes) => {
                let tail = before_zeros(text).is_some_and(|whole| codes.contains_key(whole));
                Some(if tail { Finding::FloatTail } else { Finding::Undeclared })
            }
            DeclaredValues::Period { from, until } => {
                let declared = (from.as_bytes()..=until.as_bytes()).contains(&text);
                (!declared).then_some(Finding::OutsidePeriod)
            }
        }
    }

    /// What is declared, or said to be missing, of a text that is neither but for a spreadsheet's mark of a text: `="01"`, `'01`.
    pub(crate) fn unmarked<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        let is_known = |text: &[u8]| self.of_text(text).is_none_or(|found| found == Finding::Missing);
        let inner = unmarked(text);
        let is_marked = inner.len() < text.len() && matches!(self.values, DeclaredValues::Codes(_));
        (is_marked && !is_known(text) && is_known(inner)).then_some(inner)
    }

    /// The position of the code that a text means, if it means one.
    pub(crate) fn code(&self, text: &[u8]) -> Option<usize> {
        let DeclaredValues::Codes(codes) = &self.values else { return None };
        self.folded(text, |text| codes.get(text).copied())
    }

    fn folded<T>(&self, text: &[u8], known: impl Fn(&[u8]) -> T) -> T {
        if self.ignores_case { known(&text.to_ascii_lowercase()) } else { known(text) }
    }

    /// What is noted of a number that is missing or would be clamped.
    pub(crate) fn of_number(&self, value: i64) -> Option<Finding> {
        if self.missing_numbers.binary_search(&value).is_ok() {
            return Some(Finding::Missing);
        }
        match &self.values {
            DeclaredValues::Range { low, .. } if value < *low => Some(Finding::Below),
            DeclaredValues::Range { high, .. } if value > *high => Some(Finding::Above),
            DeclaredValues::Anything
            | DeclaredValues::Codes(_)
            | DeclaredValues::Period { .. }
            | DeclaredValues::Range { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lango_privacy::{Reading, Span};

    #[test]
    fn what_is_not_declared_is_found_with_its_reason() {
        let code = |text: &str| text.parse().unwrap();
        let of = |domain: Domain| Declared::of(&domain.into());
        let codes = of(Domain::codes(vec![code("1"), code("10"), code("2.0")]).unwrap());
        let reading = Reading {
            recode: [("female".to_owned(), code("F"))].into(),
            missing: ["NA".to_owned()].into(),
            ignores_case: true,
            ..Reading::default()
        };
        let sex = Column::from(Domain::codes(vec![code("F")]).unwrap()).with_reading(reading).unwrap();
        let sex = Declared::of(&sex);
        let days = of(Domain::date("2020-01-01".into(), "2023-12-31".into(), Span::Year).unwrap());
        for (declared, text, expected) in [
            (&codes, "1", None),
            (&codes, "10", None),
            (&codes, "2.0", None),
            (&codes, "1.0", Some(Finding::FloatTail)),
            (&codes, "10.00", Some(Finding::FloatTail)),
            (&codes, "2", Some(Finding::Undeclared)),
            (&codes, "1.", Some(Finding::Undeclared)),
            (&codes, "100", Some(Finding::Undeclared)),
            (&codes, "3.0", Some(Finding::Undeclared)),
            (&days, "2020-01-01", None),
            (&days, "2023-12-31", None),
            (&days, "2019-12-31", Some(Finding::OutsidePeriod)),
            (&days, "2024-01-01", Some(Finding::OutsidePeriod)),
            (&Declared::anything(), "x", None),
            (&sex, "f", None),
            (&sex, "FEMALE", None),
            (&sex, "na", Some(Finding::Missing)),
            (&sex, "M", Some(Finding::Undeclared)),
        ] {
            assert_eq!(declared.of_text(text.as_bytes()), expected, "{text}");
        }
        for (text, expected) in [
            ("=\"10\"", Some("10")),
            ("'10", Some("10")),
            ("\u{2019} 10", Some("10")),
            ("10", None),
            ("'11", None),
            ("'10'", None),
            ("=\"10", None),
        ] {
            assert_eq!(codes.unmarked(text.as_bytes()), expected.map(str::as_bytes), "{text}");
        }
        assert_eq!(sex.unmarked(b"'na"), Some(&b"na"[..]));
        assert_eq!(sex.unmarked(b"=\"FEMALE\""), Some(&b"FEMALE"[..]));
        assert_eq!(days.unmarked(b"'2020-01-01"), None);
        let reading = Reading { missing: ["999".to_owned()].into(), ..Reading::default() };
        let range = Column::from(Domain::integer(0, 110, 5).unwrap()).with_reading(reading).unwrap();
        let range = Declared::of(&range);
        for (value, expected) in [
            (0, None),
            (110, None),
            (-1, Some(Finding::Below)),
            (998, Some(Finding::Above)),
            (999, Some(Finding::Missing)),
        ] {
            assert_eq!(range.of_number(value), expected, "{value}");
        }
    }
}
