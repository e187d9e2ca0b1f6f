//! Which values of a column the policy declares, so that others are found while a file is read.

use std::collections::HashSet;

use lango_privacy::Domain;

use crate::report::Finding;

/// The declared values of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Declared {
    /// Whatever there is.
    Anything,
    /// These codes.
    Codes(HashSet<Box<[u8]>>),
    /// Days between these, both included.
    Period { from: String, until: String },
    /// Numbers between these, both included.
    Range { low: i64, high: i64 },
}

impl Declared {
    pub(crate) fn of(domain: &Domain) -> Self {
        match domain {
            Domain::Open => Self::Anything,
            Domain::Codes(codes) => {
                Self::Codes(codes.iter().map(|code| code.as_str().as_bytes().into()).collect())
            }
            Domain::Date { from, until, .. } => Self::Period { from: from.clone(), until: until.clone() },
            Domain::Integer { low, high, .. } | Domain::Amount { low, high, .. } => {
                Self::Range { low: *low, high: *high }
            }
        }
    }

    /// What is noted of a text or a day, if it is not declared.
    pub(crate) fn of_text(&self, text: &[u8]) -> Option<Finding> {
        match self {
            Self::Anything | Self::Range { .. } => None,
            Self::Codes(codes) if codes.contains(text) => None,
            Self::Codes(codes) => {
                let zeros = text.iter().rev().take_while(|byte| **byte == b'0').count();
                let whole = text.get(..text.len() - zeros).and_then(|whole| whole.strip_suffix(b"."));
                let tail = zeros > 0 && whole.is_some_and(|whole| codes.contains(whole));
                Some(if tail { Finding::FloatTail } else { Finding::Undeclared })
            }
            Self::Period { from, until } => {
                let declared = (from.as_bytes()..=until.as_bytes()).contains(&text);
                (!declared).then_some(Finding::OutsidePeriod)
            }
        }
    }

    /// What is noted of a number that would be clamped.
    pub(crate) fn of_number(&self, value: i64) -> Option<Finding> {
        match self {
            Self::Range { low, .. } if value < *low => Some(Finding::Below),
            Self::Range { high, .. } if value > *high => Some(Finding::Above),
            Self::Anything | Self::Codes(_) | Self::Period { .. } | Self::Range { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lango_privacy::Span;

    #[test]
    fn what_is_not_declared_is_found_with_its_reason() {
        let code = |text: &str| text.parse().unwrap();
        let codes = Declared::of(&Domain::codes(vec![code("1"), code("10"), code("2.0")]).unwrap());
        let days = Declared::of(&Domain::date("2020-01-01".into(), "2023-12-31".into(), Span::Year).unwrap());
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
            (&Declared::Anything, "x", None),
        ] {
            assert_eq!(declared.of_text(text.as_bytes()), expected, "{text}");
        }
        let range = Declared::of(&Domain::integer(0, 110, 5).unwrap());
        for (value, expected) in
            [(0, None), (110, None), (-1, Some(Finding::Below)), (999, Some(Finding::Above))]
        {
            assert_eq!(range.of_number(value), expected, "{value}");
        }
    }
}
