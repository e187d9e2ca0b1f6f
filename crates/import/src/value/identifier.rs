//! What sets an identifier apart from the others, whatever it stands for.

use crate::report::Finding;

/// Letters without a shape: the byte order mark, blanks without width, the soft hyphen.
const HIDDEN: [&str; 8] =
    ["\u{feff}", "\u{200b}", "\u{200c}", "\u{200d}", "\u{200e}", "\u{200f}", "\u{2060}", "\u{ad}"];

/// An identifier without the blanks around it as it is kept, and what is noted of it. Totals, notes, labels and words for what is
/// missing have no digit, or have a blank within. The `.0` behind a whole number, which a program wrote that held it as a float,
/// is left out: so it is the identifier that a float of a Parquet file is.
pub(crate) fn of_identifier(text: &[u8]) -> (&[u8], Option<Finding>) {
    let is_control = |byte: &u8| byte.is_ascii_control();
    let is_hidden = |letter: &&str| text.windows(letter.len()).any(|part| part == letter.as_bytes());
    if text.iter().any(is_control) || (!text.is_ascii() && HIDDEN.iter().any(is_hidden)) {
        return (text, Some(Finding::HiddenLetter));
    }
    if let Some(whole) = before_zeros(text).filter(|whole| is_digits(whole)) {
        // Of `1.000` and `1.00` nobody can say whether the zeros are a float's.
        let kept = if text.len() == whole.len() + b".0".len() { whole } else { text };
        return (kept, Some(Finding::TailedIdentifier));
    }
    if has_exponent(text) {
        return (text, Some(Finding::RoundedIdentifier));
    }
    let is_usual = text.iter().any(u8::is_ascii_digit) && !text.contains(&b' ');
    (text, (!is_usual).then_some(Finding::OddIdentifier))
}

/// What stands before a point behind which there is nothing but zeros, as a program writes a whole number that it held as a
/// float.
pub(crate) fn before_zeros(text: &[u8]) -> Option<&[u8]> {
    let zeros = text.iter().rev().take_while(|byte| **byte == b'0').count();
    let before = text.get(..text.len() - zeros).filter(|_| zeros > 0)?;
    before.strip_suffix(b".")
}

/// Whether this is a number as a spreadsheet shows a long one: `1.00123E+12`.
fn has_exponent(text: &[u8]) -> bool {
    let mut parts = text.splitn(2, |byte| byte.eq_ignore_ascii_case(&b'e'));
    let (Some(number), Some([b'+', exponent @ ..])) = (parts.next(), parts.next()) else { return false };
    let [first, rest @ ..] = number else { return false };
    let decimals = rest.strip_prefix(b".").or_else(|| rest.strip_prefix(b","));
    first.is_ascii_digit() && is_digits(exponent) && (rest.is_empty() || decimals.is_some_and(is_digits))
}

/// Whether an identifier would lose a zero if a program took it for a number.
pub(crate) fn begins_with_zero(identifier: &[u8]) -> bool {
    matches!(identifier, [b'0', rest @ ..] if is_digits(rest))
}

fn is_digits(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_that_are_not_like_others_are_noted() {
        for (text, expected) in [
            ("1001", None),
            ("GHA-000001", None),
            ("P.10", None),
            ("1.20", None),
            ("\u{e9}1", None),
            ("Total", Some(Finding::OddIdentifier)),
            ("Total (100 persons)", Some(Finding::OddIdentifier)),
            ("-----", Some(Finding::OddIdentifier)),
            ("NULL", Some(Finding::OddIdentifier)),
            ("1001.0", Some(Finding::TailedIdentifier)),
            ("1001.00", Some(Finding::TailedIdentifier)),
            (".0", None),
            ("1.00123E+12", Some(Finding::RoundedIdentifier)),
            ("1,2e+11", Some(Finding::RoundedIdentifier)),
            ("1E+05", Some(Finding::RoundedIdentifier)),
            ("4E12", None),
            ("12E+5", None),
            ("1.E+5", None),
            ("1E+", None),
            ("\u{feff}1001", Some(Finding::HiddenLetter)),
            ("1001\u{200b}", Some(Finding::HiddenLetter)),
            ("10\n01", Some(Finding::HiddenLetter)),
        ] {
            let (kept, noted) = of_identifier(text.as_bytes());
            assert_eq!(noted, expected, "{text:?}");
            let expected = if text == "1001.0" { "1001" } else { text };
            assert_eq!(kept, expected.as_bytes(), "{text:?}");
        }
    }

    #[test]
    fn zeros_in_front_of_a_number_may_be_lost() {
        for (identifier, expected) in
            [("0001001", true), ("00", true), ("0", false), ("1001", false), ("0A1", false), ("", false)]
        {
            assert_eq!(begins_with_zero(identifier.as_bytes()), expected, "{identifier}");
        }
    }
}
