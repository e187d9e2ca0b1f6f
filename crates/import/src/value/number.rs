//! Numbers, read exactly from their decimal text: no float, no allocation.

use crate::{
    findings::Finding,
    notation::{Notation, Thousands},
};

/// The digits of `10^18`: a number of fewer digits needs no check for overflow.
const DIGITS_SAFE: usize = 18;

/// Decimals beyond a column's scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excess {
    /// They are rounded half to even.
    Rounds,
    /// They make it another number, as in an identifier: two units must not become one.
    Differs,
}

/// A decimal number as a whole number of `10^-scale`, and whether it was rounded to it; or why it is none.
pub(super) fn number(
    text: &[u8],
    scale: u32,
    excess: Excess,
    notation: &Notation,
) -> Result<(i64, Option<Finding>), Finding> {
    if let Some(value) = plain(text, scale, notation) {
        return Ok((value, None));
    }
    match nearest(text, scale, notation) {
        Some((value, true)) => Ok((value, None)),
        Some((value, false)) if excess == Excess::Rounds => Ok((value, Some(Finding::RoundedNumber))),
        // It is a number in this notation already, but one with decimals.
        Some((_, false)) => Err(Finding::Unreadable),
        None => Err(why(text, scale, notation)),
    }
}

/// What most numbers are: digits, and at most one mark with no more decimals than are kept.
fn plain(text: &[u8], scale: u32, notation: &Notation) -> Option<i64> {
    let (negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, text),
    };
    if digits.len() > DIGITS_SAFE {
        return None;
    }
    let (mut value, mut decimals) = (0_i64, None);
    for byte in digits {
        if byte.is_ascii_digit() {
            value = value * 10 + i64::from(byte - b'0');
            decimals = decimals.map(|count: u32| count + 1);
        } else if *byte == notation.decimal.byte() && decimals.is_none() {
            decimals = Some(0);
        } else {
            return None;
        }
    }
    // `.5` is a number, `5.` and `.` are not.
    if digits.is_empty() || decimals == Some(0) {
        return None;
    }
    let value = value.checked_mul(10_i64.checked_pow(scale.checked_sub(decimals.unwrap_or(0))?)?)?;
    Some(if negative { -value } else { value })
}

/// A number cut into its parts, of which `whole` may hold the marks of groups.
struct Parts<'a> {
    negative: bool,
    whole: &'a [u8],
    part: &'a [u8],
    /// From the letter `e` on.
    exponent: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(text: &'a [u8], notation: &Notation) -> Option<Self> {
        let (negative, text) = signed(text);
        let ends = text.iter().position(|byte| byte.eq_ignore_ascii_case(&b'e')).unwrap_or(text.len());
        let (mantissa, exponent) = text.split_at_checked(ends)?;
        let (whole, part) = match mantissa.iter().position(|byte| *byte == notation.decimal.byte()) {
            Some(at) => (mantissa.get(..at)?, mantissa.get(at + 1..).filter(|part| !part.is_empty())?),
            None => (mantissa, &[][..]),
        };
        let is_whole = is_digits(whole) || notation.thousands.is_some_and(|mark| is_grouped(whole, mark));
        (is_whole && is_digits(part)).then_some(Self { negative, whole, part, exponent })
    }

    /// The digits before the decimals, without marks.
    fn whole_digits(&self) -> impl Iterator<Item = &'a u8> + use<'a> {
        self.whole.iter().filter(|byte| byte.is_ascii_digit())
    }

    /// As registers on servers write numbers.
    fn plain(&self) -> Vec<u8> {
        let mut plain = Vec::with_capacity(self.whole.len() + self.part.len() + self.exponent.len() + 2);
        plain.extend(self.negative.then_some(b'-'));
        plain.extend(self.whole_digits());
        if !self.part.is_empty() {
            plain.push(b'.');
            plain.extend(self.part);
        }
        plain.extend(self.exponent);
        plain
    }
}

/// The fewest decimals that keep a number as it is; `None` where the text is no number in this notation.
pub(crate) fn decimals(text: &[u8], notation: &Notation) -> Option<u32> {
    let parts = Parts::of(text, notation)?;
    lango_privacy::number(&parts.plain(), 0)?;
    let exponent = std::str::from_utf8(parts.exponent.get(1..).unwrap_or_default()).ok()?;
    let exponent: i64 = if exponent.is_empty() { 0 } else { exponent.parse().ok()? };
    let (mut zeros, mut nothing) = (0, true);
    for digit in parts.whole_digits().chain(parts.part) {
        zeros = if *digit == b'0' { zeros + 1 } else { 0 };
        nothing &= *digit == b'0';
    }
    let kept = i64::try_from(parts.part.len()).ok()?.saturating_sub(exponent).saturating_sub(zeros);
    // Nothing but zeros is 0, whatever its exponent.
    if nothing { Some(0) } else { u32::try_from(kept.max(0)).ok() }
}

/// The whole number that is nearest to a number; `None` where the text is no number in this notation, or past 63 bits.
pub(crate) fn nearest_whole(text: &[u8], notation: &Notation) -> Option<i64> {
    let (value, _) = nearest(text, 0, notation)?;
    (value.unsigned_abs() < i64::MAX.unsigned_abs()).then_some(value)
}

/// Any number: with a sign, groups, an exponent, and decimals beyond the scale. Rewritten as registers on servers write numbers,
/// and read as those are: past 63 bits it is the nearest that there is. With whether it is the number itself.
fn nearest(text: &[u8], scale: u32, notation: &Notation) -> Option<(i64, bool)> {
    lango_privacy::number(&Parts::of(text, notation)?.plain(), scale)
}

/// Whether a number without marks of thousands is written as those are that have some (`2.874`), or as none is (`2.5`, `2874`);
/// `None` of what could be either.
pub(super) fn grouping(text: &[u8], notation: &Notation) -> Option<Finding> {
    let (_, digits) = signed(text);
    match digits.iter().position(|byte| *byte == notation.decimal.byte()) {
        Some(at) => {
            let group = digits.get(at + 1..).unwrap_or_default();
            let is_grouped = matches!(at, 1..=3) && group.len() == 3 && is_digits(group);
            let is_grouped = is_grouped && digits.first() != Some(&b'0');
            Some(if is_grouped { Finding::GroupedNumber } else { Finding::UngroupedNumber })
        }
        None => (digits.len() > 3).then_some(Finding::UngroupedNumber),
    }
}

fn is_digits(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit)
}

/// The sign and what follows it.
fn signed(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

/// Whether these are one to three digits, and then groups of three, each after a mark.
fn is_grouped(whole: &[u8], mark: Thousands) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let first = digits(whole);
    let mut rest = whole.get(first..).unwrap_or_default();
    let mut groups = 0;
    while !rest.is_empty() {
        let after = mark.spellings().iter().find_map(|spelling| rest.strip_prefix(spelling.as_bytes()));
        match after.filter(|after| digits(after) == 3).and_then(|after| after.get(3..)) {
            Some(left) => rest = left,
            None => return false,
        }
        groups += 1;
    }
    // A number below one has no thousands, so `0.529` has a decimal point.
    (1..=3).contains(&first) && groups > 0 && whole.first() != Some(&b'0')
}

/// Why a text is no number here: in which other writing it would be one.
fn why(text: &[u8], scale: u32, notation: &Notation) -> Finding {
    let reads = |decimal, thousands| {
        let other = Notation { decimal, thousands, days: None };
        other.is_clear() && nearest(text, scale, &other).is_some()
    };
    let other = notation.decimal.other();
    let grouped = |decimal| Thousands::ALL.into_iter().any(|mark| reads(decimal, Some(mark)));
    match other {
        _ if grouped(notation.decimal) => Finding::Thousands,
        crate::DecimalMark::Comma if reads(other, None) || grouped(other) => Finding::DecimalComma,
        crate::DecimalMark::Point if reads(other, None) || grouped(other) => Finding::DecimalPoint,
        crate::DecimalMark::Comma | crate::DecimalMark::Point => Finding::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DecimalMark;

    fn value(text: &[u8], scale: u32, excess: Excess, notation: &Notation) -> Result<i64, Finding> {
        number(text, scale, excess, notation).map(|(value, _)| value)
    }

    fn notation(decimal: DecimalMark, thousands: Option<&str>) -> Notation {
        Notation { decimal, thousands: thousands.map(|mark| mark.parse().unwrap()), days: None }
    }

    #[test]
    fn a_number_is_read_exactly_and_rounded_half_to_even() {
        for (text, scale, expected) in [
            ("0", 0, 0),
            ("007", 0, 7),
            ("34.0", 0, 34),
            ("34.5", 0, 34),
            ("35.5", 0, 36),
            ("-34.5", 0, -34),
            ("-35.5", 0, -36),
            ("34.50000000000000000000001", 0, 35),
            ("1200.505", 2, 120_050),
            ("1200.515", 2, 120_052),
            ("1107.6923076923076", 2, 110_769),
            ("0.005", 2, 0),
            ("0.0051", 2, 1),
            (".5", 0, 0),
            ("0.05", 0, 0),
            ("9.5", 0, 10),
            ("123.45", 2, 12_345),
            ("123", 2, 12_300),
            ("-1.5", 2, -150),
            ("+.5", 1, 5),
            ("1.230", 2, 123),
            ("1e5", 0, 100_000),
            ("1.2e3", 2, 120_000),
            ("1.2E+3", 0, 1_200),
            ("1250e-2", 0, 12),
            ("1350e-2", 0, 14),
            ("5e-1", 0, 0),
            ("15e-1", 0, 2),
            ("51e-2", 0, 1),
            ("1e-400", 2, 0),
            ("0e999", 2, 0),
            ("1e18", 0, 1_000_000_000_000_000_000),
            ("9223372036854775807", 0, i64::MAX),
            ("9223372036854775807.5", 0, i64::MAX),
            ("9223372036854775808", 0, i64::MAX),
            ("-9223372036854775808", 0, -i64::MAX),
            ("1e19", 0, i64::MAX),
            ("-1e999", 2, -i64::MAX),
            ("1", 18, 1_000_000_000_000_000_000),
        ] {
            let point = Notation::default();
            let expected = Ok(expected);
            assert_eq!(value(text.as_bytes(), scale, Excess::Rounds, &point), expected, "{text} at {scale}");
            let comma = notation(DecimalMark::Comma, None);
            let text = text.replace('.', ",");
            assert_eq!(value(text.as_bytes(), scale, Excess::Rounds, &comma), expected, "{text} at {scale}");
        }
    }

    #[test]
    fn a_number_in_groups_is_read_where_they_are_said_and_right() {
        use DecimalMark::{Comma, Point};
        for (text, decimal, thousands, expected) in [
            ("1 200,50", Comma, " ", Some(120_050)),
            ("1\u{a0}200,50", Comma, " ", Some(120_050)),
            ("1\u{202f}234\u{202f}567", Comma, " ", Some(123_456_700)),
            ("1200,50", Comma, " ", Some(120_050)),
            ("1.200,505", Comma, ".", Some(120_050)),
            ("1,200.50", Point, ",", Some(120_050)),
            ("-1'200.50", Point, "'", Some(-120_050)),
            ("1\u{2019}200", Point, "'", Some(120_000)),
            ("1,200e2", Point, ",", Some(12_000_000)),
            ("12,00.50", Point, ",", None),
            ("1,2000", Point, ",", None),
            ("1200,000", Point, ",", None),
            ("1,,200", Point, ",", None),
            (",200", Point, ",", None),
            ("1,200,", Point, ",", None),
            ("1.200,500", Point, ",", None),
            ("1 200.50", Comma, " ", None),
            ("1.20", Comma, ".", None),
        ] {
            let read = value(text.as_bytes(), 2, Excess::Rounds, &notation(decimal, Some(thousands)));
            assert_eq!(read.ok(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_here_is_reported_with_the_reason() {
        use DecimalMark::{Comma, Point};
        for (text, decimal, expected) in [
            ("1200,50", Point, Finding::DecimalComma),
            ("1 200,50", Point, Finding::DecimalComma),
            ("1.200,50", Point, Finding::DecimalComma),
            ("1.234.567,8", Point, Finding::DecimalComma),
            ("1,5e3", Point, Finding::DecimalComma),
            ("1,200.50", Point, Finding::Thousands),
            ("1,200", Point, Finding::Thousands),
            ("1 200", Point, Finding::Thousands),
            ("1\u{a0}200", Point, Finding::Thousands),
            ("1'200", Point, Finding::Thousands),
            ("1.200", Comma, Finding::Thousands),
            ("1200.50", Comma, Finding::DecimalPoint),
            ("1,200.50", Comma, Finding::DecimalPoint),
            ("5.", Point, Finding::Unreadable),
            (".", Point, Finding::Unreadable),
            ("-", Point, Finding::Unreadable),
            ("--5", Point, Finding::Unreadable),
            ("1e", Point, Finding::Unreadable),
            ("e5", Point, Finding::Unreadable),
            ("1e5.5", Point, Finding::Unreadable),
            ("1.2.3", Point, Finding::Unreadable),
            ("0x10", Point, Finding::Unreadable),
            ("1200 XOF", Point, Finding::Unreadable),
            ("inf", Point, Finding::Unreadable),
            ("\u{2212}1200", Point, Finding::Unreadable),
            ("-Infinity", Point, Finding::Unreadable),
            ("1e9999", Point, Finding::Unreadable),
            ("100000000000000000000000000000000000000", Point, Finding::Unreadable),
        ] {
            assert_eq!(
                value(text.as_bytes(), 0, Excess::Rounds, &notation(decimal, None)),
                Err(expected),
                "{text}"
            );
        }
        let most = value(b"9223372036854775807", 1, Excess::Rounds, &Notation::default());
        assert_eq!(most, Ok(i64::MAX));
    }

    #[test]
    fn the_decimals_that_a_number_needs_are_counted() {
        use DecimalMark::{Comma, Point};
        for (text, decimal, thousands, expected) in [
            ("12", Point, None, Some(0)),
            ("1200", Point, None, Some(0)),
            ("34.0", Point, None, Some(0)),
            ("0.00e-9", Point, None, Some(0)),
            ("1200.50", Point, None, Some(1)),
            ("-.25", Point, None, Some(2)),
            ("1250e-2", Point, None, Some(1)),
            ("1.25e1", Point, None, Some(1)),
            ("1e-30", Point, None, Some(30)),
            ("1e-99999999999999999999", Point, None, None),
            ("1.200,505", Comma, Some("."), Some(3)),
            ("1.200", Comma, Some("."), Some(0)),
            ("1.200", Point, None, Some(1)),
            ("1,5", Point, None, None),
            ("x", Point, None, None),
        ] {
            assert_eq!(decimals(text.as_bytes(), &notation(decimal, thousands)), expected, "{text}");
        }
    }

    #[test]
    fn an_identifier_with_decimals_is_no_other_identifier() {
        for (text, expected) in [
            ("7", Ok(7)),
            ("7.0", Ok(7)),
            ("7.000e0", Ok(7)),
            ("7.5", Err(Finding::Unreadable)),
            ("6.9999999999999999999999", Err(Finding::Unreadable)),
            ("1e-30", Err(Finding::Unreadable)),
            // Past 63 bits two of them would become one.
            ("9223372036854775808", Err(Finding::Unreadable)),
        ] {
            assert_eq!(value(text.as_bytes(), 0, Excess::Differs, &Notation::default()), expected, "{text}");
        }
    }

    /// The same by 128-bit integers, in another way: the fraction over a power of ten.
    fn by_division(digits: i128, power: u32) -> i128 {
        let unit = 10_i128.pow(power);
        let (whole, rest) = (digits.div_euclid(unit), digits.rem_euclid(unit));
        match (2 * rest).cmp(&unit) {
            std::cmp::Ordering::Less => whole,
            std::cmp::Ordering::Greater => whole + 1,
            std::cmp::Ordering::Equal => whole + whole.rem_euclid(2),
        }
    }

    proptest::proptest! {
        #[test]
        fn rounding_agrees_with_whole_numbers(digits in -10_i128.pow(17)..10_i128.pow(17), decimals in 0_u32..17, scale in 0_u32..6) {
            let size = decimals as usize;
            let text = format!("{:0>width$}", digits.unsigned_abs(), width = size + 1);
            let (whole, part) = text.split_at(text.len() - size);
            let point = if part.is_empty() { "" } else { "." };
            let text = format!("{}{whole}{point}{part}", if digits < 0 { "-" } else { "" });
            let expected = if scale >= decimals {
                digits * 10_i128.pow(scale - decimals)
            } else {
                by_division(digits, decimals - scale)
            };
            let read = value(text.as_bytes(), scale, Excess::Rounds, &Notation::default()).ok();
            let most = i128::from(i64::MAX);
            proptest::prop_assert_eq!(read.map(i128::from), Some(expected.clamp(-most, most)), "{}", text);
        }
    }
}
