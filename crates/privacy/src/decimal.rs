//! Decimal numbers as a question writes them, compared and priced without floating point.

use std::fmt;

/// Digits kept on each side of the point.
const DIGITS: usize = 18;

/// A decimal in its minimal form: no `+`, no exponent, no leading or trailing zero, never `-0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal {
    /// The value in units of 1e-18: comes first, so that decimals order by value.
    units: i128,
    text: String,
}

impl Decimal {
    /// Reads a number that is already minimal, such as `-1.5`; `None` for every other spelling.
    pub fn minimal(text: &str) -> Option<Self> {
        Self::read(text).filter(|decimal| decimal.text == text)
    }

    /// Reads an unsigned number and writes it minimally: `050` is `50`, `0.50` is `0.5`.
    pub fn unsigned(text: &str) -> Option<Self> {
        if text.starts_with('-') { None } else { Self::read(text) }
    }

    /// A number of billionths: `500000000` is `0.5`.
    pub fn of_nano(billionths: u64) -> Self {
        Self { units: i128::from(billionths) * 1_000_000_000, text: nano(billionths) }
    }

    fn read(text: &str) -> Option<Self> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, part) = match digits.split_once('.') {
            Some((_, "")) => return None,
            Some(pair) => pair,
            None => (digits, ""),
        };
        let numeric = |digits: &str| digits.bytes().all(|c| c.is_ascii_digit());
        if whole.is_empty() || !numeric(whole) || !numeric(part) {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let part = part.trim_end_matches('0');
        if whole.len() > DIGITS || part.len() > DIGITS {
            return None;
        }
        let magnitude: i128 = format!("{whole}{part:0<DIGITS$}").parse().ok()?;
        let sign = if negative && magnitude != 0 { "-" } else { "" };
        let whole = if whole.is_empty() { "0" } else { whole };
        let point = if part.is_empty() { "" } else { "." };
        Some(Self {
            units: if negative { -magnitude } else { magnitude },
            text: format!("{sign}{whole}{point}{part}"),
        })
    }

    /// The minimal text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The value times `10^places`, rounded down.
    pub fn floor_scaled(&self, places: u32) -> Option<i128> {
        let unit = 10i128.checked_pow((DIGITS as u32).checked_sub(places)?)?;
        Some(self.units.div_euclid(unit))
    }

    /// The value times `10^places` if that is a whole number.
    pub fn scaled(&self, places: u32) -> Option<i128> {
        let unit = 10i128.checked_pow((DIGITS as u32).checked_sub(places)?)?;
        (self.units % unit == 0).then(|| self.units / unit)
    }
}

impl AsRef<str> for Decimal {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A number of billionths, written as a decimal: `500000000` is `0.5`.
pub fn nano(billionths: u64) -> String {
    let text = format!("{}.{:09}", billionths / 1_000_000_000, billionths % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_minimal_spelling_is_minimal() {
        for (text, minimal) in [
            ("0", true),
            ("7", true),
            ("-1.5", true),
            ("0.25", true),
            ("-0.5", true),
            ("", false),
            ("-", false),
            (".5", false),
            ("5.", false),
            ("015", false),
            ("-0", false),
            ("0.50", false),
            ("+1", false),
            ("1e3", false),
            ("١", false),
            ("1234567890123456789", false),
        ] {
            assert_eq!(Decimal::minimal(text).is_some(), minimal, "{text}");
        }
    }

    #[test]
    fn decimals_order_by_value_and_scale_exactly() {
        let of = |text| Decimal::minimal(text).unwrap();
        assert!(of("-1.5") < of("-1"));
        assert!(of("9") < of("10"));
        assert_eq!(of("0.5").scaled(9), Some(500_000_000));
        assert_eq!(of("0.0000000001").scaled(9), None);
        assert_eq!(Decimal::unsigned("0.500").unwrap().as_str(), "0.5");
        for billionths in [0, 1, 500_000_000, 1_000_000_000, u64::MAX] {
            assert_eq!(Some(Decimal::of_nano(billionths)), Decimal::minimal(&nano(billionths)));
        }
        assert_eq!(
            (nano(500_000_000), nano(8_000_000_000), nano(1)),
            ("0.5".into(), "8".into(), "0.000000001".into())
        );
    }
}
