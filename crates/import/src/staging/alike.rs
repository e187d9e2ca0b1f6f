//! Identifiers that a reader takes for one, and a key for two.

use rusqlite::functions::FunctionFlags;
use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

use super::{Staging, quoted};
use crate::ImportError;

impl Staging {
    /// How many rows have an identifier that another one is in the other case, with other blanks or marks, with accents or digits
    /// of another kind, or in letters of the same shape; and the numbers of the first of them, in the file's order, counted from
    /// 1.
    pub(crate) fn alike(&self) -> Result<(u64, Vec<u64>), ImportError> {
        self.try_alike().map_err(|error| self.failed(error))
    }

    fn try_alike(&self) -> rusqlite::Result<(u64, Vec<u64>)> {
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
        self.connection.create_scalar_function("lango_shape", 1, flags, |text| {
            Ok(text.get::<Option<String>>(0)?.map(|text| shape(&text)))
        })?;
        let (staging, unit) = (quoted(&self.staging), quoted(&self.unit));
        let shapes = format!(
            "SELECT lango_shape(CAST({unit} AS TEXT)) FROM {staging} WHERE {unit} IS NOT NULL
             GROUP BY 1 HAVING min({unit}) <> max({unit})"
        );
        if !self.connection.prepare(&shapes)?.exists([])? {
            return Ok((0, Vec::new()));
        }
        let sql = format!(
            "WITH shapes AS MATERIALIZED ({shapes})
            SELECT lango_shape(CAST({staging}.{unit} AS TEXT)) IN (SELECT * FROM shapes) FROM {staging} NOT INDEXED"
        );
        self.rows_of(&sql, [])
    }
}

/// What a reader sees of an identifier: no blanks, small letters, no marks at the ends, and for each letter beyond ASCII the one
/// that it is taken for, by the confusables of Unicode Technical Standard 39. Two letters of ASCII are never taken for one
/// another but for their case.
fn shape(identifier: &str) -> String {
    let mut shape = String::with_capacity(identifier.len());
    for letter in identifier.nfkd() {
        if letter.is_whitespace() {
            shape.push(' ');
        } else if letter.is_ascii() {
            shape.push(letter.to_ascii_lowercase());
        } else if let Some(digit) = digit(letter) {
            shape.push(digit);
        } else {
            let mut bytes = [0; 4];
            for like in skeleton(letter.encode_utf8(&mut bytes)) {
                match like {
                    // The standard takes the capital I for a small l.
                    'l' if letter.is_uppercase() => shape.push('i'),
                    like => shape.extend(like.to_lowercase()),
                }
            }
        }
    }
    // Marks at the ends (`{..}`, `+7`, `7.`) are no part of what is named, unless there is nothing else.
    let inner = shape.trim_matches(is_mark);
    if inner.is_empty() { shape } else { without_marks(inner) }
}

/// The same with one mark in place of any between two digits or two letters, and none elsewhere: `100/001` is `100-001`, and
/// `GHA-1` is `GHA1`. Those between digits are kept, for `1-11` is not `11-1`, but where they set thousands apart.
fn without_marks(text: &str) -> String {
    if sets_thousands_apart(text) {
        return text.chars().filter(char::is_ascii_digit).collect();
    }
    let mut found = String::with_capacity(text.len());
    let (mut before, mut is_behind_mark) = (None, false);
    for letter in text.chars() {
        if is_mark(letter) {
            is_behind_mark = true;
            continue;
        }
        let is_like = before.is_some_and(|before: char| before.is_ascii_digit() == letter.is_ascii_digit());
        if is_behind_mark && is_like {
            found.push('-');
        }
        found.push(letter);
        (before, is_behind_mark) = (Some(letter), false);
    }
    found
}

/// A blank between two numbers is a mark between them.
fn is_mark(letter: char) -> bool {
    letter == ' ' || letter.is_ascii_punctuation()
}

/// Whether a text is a number with a mark between groups of three digits.
fn sets_thousands_apart(text: &str) -> bool {
    let is_group = |group: &str| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit());
    [',', '.', '\'', ' '].into_iter().any(|mark| {
        text.split_once(mark).is_some_and(|(first, rest)| {
            (1..=3).contains(&first.len())
                && !first.starts_with('0')
                && first.bytes().all(|byte| byte.is_ascii_digit())
                && rest.split(mark).all(is_group)
        })
    })
}

/// The digit of ASCII that an Arabic one is.
fn digit(letter: char) -> Option<char> {
    let zero = match letter {
        '\u{660}'..='\u{669}' => 0x660,
        '\u{6f0}'..='\u{6f9}' => 0x6f0,
        _ => return None,
    };
    char::from_digit(u32::from(letter) - zero, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_that_a_reader_takes_for_one_have_one_shape() {
        for (one, other) in [
            ("gha-1", "GHA-1"),
            ("GHA-1", "GHA\u{2010}1"),
            ("GHA-1", "GHA\u{2013}1"),
            ("GHA-1", "GH\u{410}-1"),
            ("GHA-1", "GH\u{391}-1"),
            ("CI-1", "\u{421}\u{406}-1"),
            ("CI-1", "\u{421}\u{399}-1"),
            ("\u{c9}1", "E\u{301}1"),
            ("\u{c9}1", "\u{e9}1"),
            ("A 1", "A\u{202f}1"),
            ("A 1", "A1"),
            ("A\u{3000}1", "A1"),
            ("107", "+107"),
            ("107", "107."),
            ("a1-b2", "{A1-B2}"),
            ("107", "\u{661}\u{660}\u{667}"),
            ("107", "\u{6f1}\u{6f0}\u{6f7}"),
            ("107", "\u{ff11}\u{ff10}\u{ff17}"),
            ("1001", "1,001"),
            ("1001001", "1.001.001"),
            ("1001", "1\u{2019}001"),
            ("1001", "1\u{202f}001"),
            ("100-001", "100/001"),
            ("GHA-1", "GHA1"),
            ("GHA-1", "GHA_1"),
            ("GHA-ACC-1", "gha/acc/1"),
            ("GHA-ACC-1", "GHA--ACC1"),
            ("01-006", "01 006"),
        ] {
            assert_eq!(shape(one), shape(other), "{one} {other}");
        }
        let different = [
            "10", "1O", "lO", "IO", "A-1", "A-10", "\u{c9}1", "E1", "ab1", "ba1", "1-11", "11-1", "111",
            "A1-1", "A-11", "1,01", "101", "AB-C1", "A-BC1", "1 11 1", "11 1 1",
        ];
        for (at, one) in different.iter().enumerate() {
            for other in &different[..at] {
                assert_ne!(shape(one), shape(other), "{one} {other}");
            }
        }
    }
}
