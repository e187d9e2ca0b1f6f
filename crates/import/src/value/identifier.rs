//! What sets an identifier apart from the others, whatever it stands for.

use crate::report::Finding;

/// Letters without a shape: the byte order mark, blanks without width, the soft hyphen.
const HIDDEN: [&str; 8] =
    ["\u{feff}", "\u{200b}", "\u{200c}", "\u{200d}", "\u{200e}", "\u{200f}", "\u{2060}", "\u{ad}"];

/// What is noted of an identifier without the blanks around it. Totals, notes, labels and words for what is missing have no
/// digit, or have a blank within.
pub(crate) fn of_identifier(text: &[u8]) -> Option<Finding> {
    let is_control = |byte: &u8| byte.is_ascii_control();
    let is_hidden = |letter: &&str| text.windows(letter.len()).any(|part| part == letter.as_bytes());
    if text.iter().any(is_control) || (!text.is_ascii() && HIDDEN.iter().any(is_hidden)) {
        return Some(Finding::HiddenLetter);
    }
    let zeros = text.iter().rev().take_while(|byte| **byte == b'0').count();
    let before = text.get(..text.len() - zeros).and_then(|text| text.strip_suffix(b"."));
    if zeros > 0 && before.is_some_and(|whole| !whole.is_empty() && whole.iter().all(u8::is_ascii_digit)) {
        return Some(Finding::TailedIdentifier);
    }
    let is_usual = text.iter().any(u8::is_ascii_digit) && !text.contains(&b' ');
    (!is_usual).then_some(Finding::OddIdentifier)
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
            ("\u{feff}1001", Some(Finding::HiddenLetter)),
            ("1001\u{200b}", Some(Finding::HiddenLetter)),
            ("10\n01", Some(Finding::HiddenLetter)),
        ] {
            assert_eq!(of_identifier(text.as_bytes()), expected, "{text:?}");
        }
    }
}
