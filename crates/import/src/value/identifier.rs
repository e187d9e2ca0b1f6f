//! What sets an identifier apart from the others, whatever it stands for.

use lango_privacy::trimmed_bytes;

use super::missing::NO_VALUE;
use crate::findings::Finding;

/// Letters without a shape: the byte order mark, blanks without width, the soft hyphen; and what stands for a letter that a
/// program could not read.
const HIDDEN: [&str; 9] = [
    "\u{feff}", "\u{200b}", "\u{200c}", "\u{200d}", "\u{200e}", "\u{200f}", "\u{2060}", "\u{ad}", "\u{fffd}",
];
/// The digits of numbers that may be too large for every one to have its own float of 32 bits, and of 64.
const SINGLE_DIGITS: std::ops::RangeInclusive<usize> = 8..=19;
const DOUBLE_DIGITS: std::ops::RangeInclusive<usize> = 16..=30;
/// The digits with which a float of 64 bits is written at most.
const DOUBLE_DIGITS_WRITTEN: usize = 17;
/// With these begins what stands for all, whatever number or mark follows, and these are that alone.
const TOTALS: [&str; 10] = [
    "total",
    "totals",
    "totaux",
    "totais",
    "subtotal",
    "sub-total",
    "sub total",
    "sous-total",
    "sous total",
    "grand total",
];
const SUMS: [&str; 9] = [
    "ensemble",
    "somme",
    "soma",
    "suma",
    "sum",
    "jumla",
    "\u{645}\u{62c}\u{645}\u{648}\u{639}",
    "\u{627}\u{644}\u{645}\u{62c}\u{645}\u{648}\u{639}",
    "\u{627}\u{644}\u{625}\u{62c}\u{645}\u{627}\u{644}\u{64a}",
];
/// The digits of a number that a spreadsheet keeps; those behind them become zeros.
const DIGITS_KEPT: usize = 15;

/// The most that others are compared with one identifier for.
pub(crate) const ALSO_NOTED: usize = 6;

/// An identifier as it is kept, and what is noted of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identifier<'a> {
    pub(crate) text: &'a [u8],
    /// What sets it apart, if something does.
    pub(crate) noted: Option<Finding>,
    /// What others must be compared with it for.
    pub(crate) also: [Option<Finding>; ALSO_NOTED],
}

/// An identifier without the blanks around it. Totals, notes, labels and words for what is missing have no digit, or have a blank
/// within. What a spreadsheet marks a text with (`="0001"`, `'0001`) is left out, and the `.0` behind a whole number, which a
/// program wrote that held it as a float: so it is the identifier that a float of a Parquet file is.
pub(crate) fn of_identifier(word: &[u8]) -> Identifier<'_> {
    let text = Some(unmarked(word)).filter(|inner| inner.iter().any(u8::is_ascii_digit)).unwrap_or(word);
    let all = text.iter().fold(0, |all, byte| all | class(*byte));
    let has = |class| all & class != 0;
    let only = |when, finding| if when { Some(finding) } else { None };
    let mark = only(has(MARK), Finding::MarkIdentifier);
    let kept = |text, noted| Identifier {
        text,
        noted,
        also: [
            only(has(SMALL), Finding::SmallLetter),
            only(has(CAPITAL), Finding::CapitalLetter),
            only(has(OTHER) || is_marked(text), Finding::OtherLetter),
            only(has(DASH), Finding::DashIdentifier),
            mark,
            only(has_inner_zero(text), Finding::InnerZero),
        ],
    };
    let is_hidden = |letter: &&str| text.windows(letter.len()).any(|part| part == letter.as_bytes());
    if has(CONTROL) || (has(OTHER) && HIDDEN.iter().any(is_hidden)) {
        return kept(text, Some(Finding::HiddenLetter));
    }
    if all == DIGIT {
        let also = [
            only(begins_with_zero(text), Finding::LeadingZero),
            only(text.len() > DIGITS_KEPT, Finding::LongNumber),
            of_single(text),
            of_double(text),
            Some(Finding::DigitIdentifier),
            only(is_round(text), Finding::RoundNumber),
        ];
        // With one more zero it is one of those that end so, of which a rounding leaves one in ten.
        let is_lost = text.len() > DIGITS_KEPT && zeros(text) == text.len() - DIGITS_KEPT;
        let noted = only(is_lost, Finding::LostDigits);
        let noted = noted.or(only(text.len() < word.len(), Finding::MarkedIdentifier));
        return Identifier { text, noted, also };
    }
    if let Some(whole) = before_zeros(text).filter(|whole| is_digits(whole)) {
        // Of `1.000` and `1.00` nobody can say whether the zeros are a float's.
        let is_float = text.len() == whole.len() + b".0".len();
        let zero = only(is_float && begins_with_zero(whole), Finding::LeadingZero);
        let text = if is_float { whole } else { text };
        return Identifier {
            text,
            noted: Some(Finding::TailedIdentifier),
            also: [zero, mark.filter(|_| !is_float), None, None, None, None],
        };
    }
    if is_pointed(text) {
        let also = [Some(Finding::PointedIdentifier), mark, after_point(text), None, None, None];
        return Identifier { text, noted: None, also };
    }
    if has_exponent(text) || text.iter().all(|byte| *byte == b'#') {
        return kept(text, Some(Finding::RoundedIdentifier));
    }
    if is_one_of(text, NO_VALUE) || text.starts_with(b"Err:") || is_total(text) {
        return kept(text, Some(Finding::NobodyIdentifier));
    }
    if !has(DIGIT) || text.contains(&b' ') {
        return kept(text, Some(Finding::OddIdentifier));
    }
    let mut kept = kept(text, only(text.len() < word.len(), Finding::MarkedIdentifier));
    if is_digits_and_exponent(text) {
        // Beside numbers it is one, and beside codes a code.
        kept.also = [Some(Finding::ExponentIdentifier), None, None, None, None, None];
    }
    kept
}

fn is_one_of(text: &[u8], words: &[&str]) -> bool {
    words.iter().any(|word| word.len() == text.len() && text.eq_ignore_ascii_case(word.as_bytes()))
}

/// Whether an identifier is a word for all: `Total`, `TOTAL 2024`, `Sous-total 1`, `Jumla`.
fn is_total(text: &[u8]) -> bool {
    let first = text.first().map(u8::to_ascii_lowercase);
    // Hardly any identifier begins as one of them.
    let is_first = |word: &&&str| word.as_bytes().first().copied() == first;
    let begins = |word: &&str| {
        let rest = text
            .split_at_checked(word.len())
            .filter(|(begin, _)| begin.eq_ignore_ascii_case(word.as_bytes()));
        rest.is_some_and(|(_, rest)| !rest.first().is_some_and(u8::is_ascii_alphabetic))
    };
    TOTALS.iter().filter(is_first).any(begins) || is_one_of(text, &SUMS)
}

/// Whether a float of 32 bits holds a number that is too large for every one to have its own.
fn of_single(digits: &[u8]) -> Option<Finding> {
    match is_float(digits, SINGLE_DIGITS, f32::MANTISSA_DIGITS)? {
        IsFloat::Yes => Some(Finding::SingleFloat),
        IsFloat::ByItself => None,
        IsFloat::No => Some(Finding::BeyondSingle),
    }
}

/// Whether a float of 64 bits holds such a number, or is written so: with its 17 digits at most, and zeros behind them.
fn of_double(digits: &[u8]) -> Option<Finding> {
    let written = || {
        let text = std::str::from_utf8(digits).ok()?;
        Some(digits.ends_with(b"0") && text.parse::<f64>().ok()?.to_string() == text)
    };
    match is_float(digits, DOUBLE_DIGITS, f64::MANTISSA_DIGITS)? {
        IsFloat::Yes => Some(Finding::DoubleFloat),
        IsFloat::No if written() == Some(true) => {
            let is_needed = zeros(digits) <= digits.len().saturating_sub(DOUBLE_DIGITS_WRITTEN).max(1);
            if is_needed { Some(Finding::DoubleFloat) } else { None }
        }
        IsFloat::ByItself => None,
        IsFloat::No => Some(Finding::BeyondDouble),
    }
}

enum IsFloat {
    Yes,
    /// Because of the zeros at its end alone.
    ByItself,
    No,
}

/// Whether a float of this number of bits for its digits holds a number; `None` of one for which each is its own.
fn is_float(digits: &[u8], of_digits: std::ops::RangeInclusive<usize>, bits: u32) -> Option<IsFloat> {
    if !of_digits.contains(&digits.len()) {
        return None;
    }
    let value: u128 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let unused = (u128::BITS - value.leading_zeros()).saturating_sub(bits);
    let ends = value.trailing_zeros();
    match unused {
        0 => None,
        bits if ends < bits => Some(IsFloat::No),
        // Ten is even: each zero at the end is a bit of them.
        bits if u32::try_from(zeros(digits)).is_ok_and(|zeros| zeros >= bits) => Some(IsFloat::ByItself),
        _ => Some(IsFloat::Yes),
    }
}

/// Whether a float of 4 bits less would hold a number too, as one rounded number in 16 is.
fn is_round(digits: &[u8]) -> bool {
    let is = |of_digits: &std::ops::RangeInclusive<usize>, bits: u32| {
        let is_held = |bits| matches!(is_float(digits, of_digits.clone(), bits), Some(IsFloat::Yes));
        is_held(bits) && is_held(bits - 4)
    };
    (is(&SINGLE_DIGITS, f32::MANTISSA_DIGITS) && !DOUBLE_DIGITS.contains(&digits.len()))
        || is(&DOUBLE_DIGITS, f64::MANTISSA_DIGITS)
}

/// The zeros at the end of a number.
fn zeros(digits: &[u8]) -> usize {
    digits.iter().rev().take_while(|digit| **digit == b'0').count()
}

/// Whether these are two numbers with a point between them, of which the second is not 0.
fn is_pointed(text: &[u8]) -> bool {
    let point = text.iter().position(|byte| matches!(byte, b'.' | b','));
    let parts = point.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?)));
    parts.is_some_and(|(whole, part)| {
        is_digits(whole) && is_digits(part) && part.iter().any(|digit| *digit != b'0')
    })
}

/// The last digit of the second of two numbers with a point between them, where it stands behind another one, and whether it has
/// one digit alone: a float loses a 0 at the end, and `1.10` becomes `1.1`.
fn after_point(text: &[u8]) -> Option<Finding> {
    match text {
        [.., b'0'..=b'9', b'0'] => Some(Finding::PointedZero),
        [.., b'0'..=b'9', b'1'] => Some(Finding::PointedOne),
        [.., b'0'..=b'9', b'2'] => Some(Finding::PointedTwo),
        [.., b'.' | b',', b'1'..=b'9'] => Some(Finding::PointedDigit),
        _ => None,
    }
}

const DIGIT: u8 = 1;
const SMALL: u8 = 2;
const CAPITAL: u8 = 4;
/// Not of ASCII.
const OTHER: u8 = 8;
const CONTROL: u8 = 16;
/// Marks but the hyphen.
const MARK: u8 = 32;
const DASH: u8 = 64;
const BLANK: u8 = 128;

fn class(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => DIGIT,
        b'a'..=b'z' => SMALL,
        b'A'..=b'Z' => CAPITAL,
        0x80.. => OTHER,
        0..=0x1f | 0x7f => CONTROL,
        b'-' => DASH,
        b' ' => BLANK,
        _ => MARK,
    }
}

/// Whether a mark stands at one of its ends.
fn is_marked(text: &[u8]) -> bool {
    let is_mark = |byte: Option<&u8>| byte.is_some_and(|byte| class(*byte) & (MARK | DASH) != 0);
    is_mark(text.first()) || is_mark(text.last())
}

/// A text without the marks by which a spreadsheet says that it is one: `="0001"`, `'0001`.
pub(crate) fn unmarked(text: &[u8]) -> &[u8] {
    // Hardly any value begins with one of them.
    if !matches!(text, [b'=' | b'\'' | b'`' | 0xe2, ..]) {
        return text;
    }
    let formula = text.strip_prefix(b"=\"").and_then(|rest| rest.strip_suffix(b"\""));
    let marks = ["'", "\u{2019}", "\u{2018}", "`"];
    let unquoted = |mark: &str| text.strip_prefix(mark.as_bytes()).filter(|rest| !rest.contains(&b'\''));
    let quoted = || marks.into_iter().find_map(unquoted);
    let inner = formula.or_else(quoted).filter(|inner| !inner.contains(&b'"'));
    inner.map(trimmed_bytes).unwrap_or(text)
}

/// What stands before a mark of decimals behind which there is nothing but zeros, as a program writes a whole number that it held
/// as a float.
pub(crate) fn before_zeros(text: &[u8]) -> Option<&[u8]> {
    let zeros = zeros(text);
    let before = text.get(..text.len() - zeros).filter(|_| zeros > 0)?;
    before.strip_suffix(b".").or_else(|| before.strip_suffix(b","))
}

/// Whether this is a number as a program shows a long one: `1.00123E+12`, `1.0000037E7`. `12E7` may be a code.
fn has_exponent(text: &[u8]) -> bool {
    let mut parts = text.splitn(2, |byte| byte.eq_ignore_ascii_case(&b'e'));
    let (Some(number), Some(exponent)) = (parts.next(), parts.next()) else { return false };
    let [first, rest @ ..] = number else { return false };
    let decimals = rest.strip_prefix(b".").or_else(|| rest.strip_prefix(b","));
    let (digits, is_signed) = exponent.strip_prefix(b"+").map_or((exponent, false), |digits| (digits, true));
    let is_number = if rest.is_empty() { is_signed } else { decimals.is_some_and(is_digits) };
    first.is_ascii_digit() && is_digits(digits) && is_number
}

/// Whether this is a number with an exponent, or a code of digits and an `e`: `3e3`, `1E12`.
fn is_digits_and_exponent(text: &[u8]) -> bool {
    matches!(text, [b'0'..=b'9', b'e' | b'E', exponent @ ..] if is_digits(exponent))
}

/// Whether digits that stand behind something else begin with a 0: `P0008`, `EA01/H008`, `2019-0008`; or such stand in front.
fn has_inner_zero(text: &[u8]) -> bool {
    let before = std::iter::once(&b'-').chain(text);
    before
        .zip(text)
        .zip(text.iter().skip(1))
        .any(|((before, digit), after)| *digit == b'0' && !before.is_ascii_digit() && after.is_ascii_digit())
}

/// Whether an identifier would lose a zero if a program took it for a number.
fn begins_with_zero(identifier: &[u8]) -> bool {
    matches!(identifier, [b'0', rest @ ..] if is_digits(rest))
}

/// Whether a text is of digits alone, one at least.
pub(crate) fn is_digits(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_that_are_not_like_others_are_noted() {
        use Finding::{
            HiddenLetter, LostDigits, MarkedIdentifier, NobodyIdentifier, OddIdentifier, RoundedIdentifier,
            TailedIdentifier,
        };
        for (text, kept, expected) in [
            ("1001", "", None),
            ("GHA-000001", "", None),
            ("P.10", "", None),
            ("1.20", "", None),
            ("\u{e9}1", "", None),
            ("Total", "", Some(NobodyIdentifier)),
            ("Total (100 persons)", "", Some(NobodyIdentifier)),
            ("TOTAL2024", "", Some(NobodyIdentifier)),
            ("sous-total 1", "", Some(NobodyIdentifier)),
            ("JUMLA", "", Some(NobodyIdentifier)),
            ("\u{627}\u{644}\u{645}\u{62c}\u{645}\u{648}\u{639}", "", Some(NobodyIdentifier)),
            ("Totality", "", Some(OddIdentifier)),
            ("SUM-1", "", None),
            ("-----", "", Some(OddIdentifier)),
            ("NULL", "", Some(NobodyIdentifier)),
            ("n/a", "", Some(NobodyIdentifier)),
            (".", "", Some(NobodyIdentifier)),
            ("NAN-1", "", None),
            ("1001.0", "1001", Some(TailedIdentifier)),
            ("1001,0", "1001", Some(TailedIdentifier)),
            ("1001.00", "", Some(TailedIdentifier)),
            (".0", "", None),
            ("1.00123E+12", "", Some(RoundedIdentifier)),
            ("1,2e+11", "", Some(RoundedIdentifier)),
            ("1E+05", "", Some(RoundedIdentifier)),
            ("########", "", Some(RoundedIdentifier)),
            ("4E12", "", None),
            ("1.0000037E7", "", Some(RoundedIdentifier)),
            ("1,5e7", "", Some(RoundedIdentifier)),
            ("A.5E7", "", None),
            ("12E+5", "", None),
            ("1.E+5", "", None),
            ("1E+", "", None),
            ("\u{feff}1001", "", Some(HiddenLetter)),
            ("1001\u{200b}", "", Some(HiddenLetter)),
            ("10\n01", "", Some(HiddenLetter)),
            ("10\u{fffd}01", "", Some(HiddenLetter)),
            ("123456789012345", "", None),
            ("1234567890123450", "", Some(LostDigits)),
            ("123456789012345000", "", Some(LostDigits)),
            ("123456789012345600", "", None),
            ("123456789012345A", "", None),
            ("'0001", "0001", Some(MarkedIdentifier)),
            ("' 1001", "1001", Some(MarkedIdentifier)),
            ("=\"0001\"", "0001", Some(MarkedIdentifier)),
            ("=\"GHA-1\"", "GHA-1", Some(MarkedIdentifier)),
            ("'1001.0", "1001", Some(TailedIdentifier)),
            ("\u{2019}0001", "0001", Some(MarkedIdentifier)),
            ("`0001", "0001", Some(MarkedIdentifier)),
            ("'0'1", "", None),
            ("=\"1\"\"2\"", "", None),
            ("'n'", "", Some(OddIdentifier)),
        ] {
            let found = of_identifier(text.as_bytes());
            let kept = if kept.is_empty() { text } else { kept };
            assert_eq!((found.text, found.noted), (kept.as_bytes(), expected), "{text:?}");
        }
    }

    #[test]
    fn what_others_are_compared_for_is_noted_too() {
        use Finding::{
            BeyondDouble, BeyondSingle, CapitalLetter, DashIdentifier, DigitIdentifier, DoubleFloat,
            ExponentIdentifier, LeadingZero, LongNumber, MarkIdentifier, OtherLetter, PointedDigit,
            PointedIdentifier, PointedOne, PointedZero, RoundNumber, SingleFloat, SmallLetter,
        };
        for (text, expected) in [
            ("0001001", vec![LeadingZero]),
            ("'00", vec![LeadingZero]),
            ("03.0", vec![LeadingZero]),
            ("0", vec![]),
            ("1001", vec![]),
            ("16777215", vec![]),
            ("16777216", vec![SingleFloat, RoundNumber]),
            ("16777217", vec![BeyondSingle]),
            ("0A1", vec![CapitalLetter]),
            ("a-B \u{c9}1", vec![SmallLetter, CapitalLetter, OtherLetter, DashIdentifier]),
            ("+7", vec![OtherLetter, MarkIdentifier]),
            ("7.", vec![OtherLetter, MarkIdentifier]),
            ("7-1", vec![DashIdentifier]),
            ("100/1", vec![MarkIdentifier]),
            ("1,000", vec![MarkIdentifier]),
            ("1,001", vec![PointedIdentifier, MarkIdentifier, PointedOne]),
            ("1234567890123456", vec![LongNumber, BeyondSingle]),
            ("0234567890123456", vec![LeadingZero, LongNumber, BeyondSingle]),
            ("12.1", vec![PointedIdentifier, MarkIdentifier, PointedDigit]),
            ("12.1.3", vec![MarkIdentifier]),
            ("12.10", vec![PointedIdentifier, MarkIdentifier, PointedZero]),
            ("12.11", vec![PointedIdentifier, MarkIdentifier, PointedOne]),
            ("3e3", vec![ExponentIdentifier]),
            ("12e3", vec![SmallLetter]),
            // 2^53 and 2^53 + 1 have 16 digits; of 17 digits from there on each second has a float.
            ("10000000000000001", vec![LongNumber, BeyondSingle, BeyondDouble]),
            ("10000000000000002", vec![LongNumber, BeyondSingle, DoubleFloat]),
            ("123456789012345680", vec![LongNumber, BeyondSingle, DoubleFloat]),
            ("123456789012345684", vec![LongNumber, BeyondSingle, BeyondDouble]),
        ] {
            let found = of_identifier(text.as_bytes()).also.into_iter().flatten();
            let found = found.filter(|finding| *finding != DigitIdentifier);
            assert_eq!(found.collect::<Vec<_>>(), expected, "{text}");
        }
    }
}
