//! The agreement that a grant cites: a short text by which an office finds the paper, such as `MoU-2026-14`.

use std::{fmt, str::FromStr};

/// The most bytes of an agreement's name.
const BYTES_MOST: usize = 100;

/// The name of an agreement. Everybody sees it who sees an answer that was given under it: it is of letters, digits, ASCII
/// punctuation and single blanks, so that it is read as it is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Agreement(String);

/// Why a text is no agreement's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgreementError {
    /// Nothing, or too much.
    #[error("an agreement's name has 1 to {BYTES_MOST} bytes, and not {0}")]
    Length(usize),
    /// Another character.
    #[error("an agreement's name holds letters, digits, punctuation and blanks, and not {}", .0.escape_unicode())]
    Character(char),
    /// A blank that is not between two words.
    #[error("an agreement's name has one blank between two words, and none at its ends")]
    Blank,
}

impl Agreement {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Agreement {
    type Err = AgreementError;

    fn from_str(text: &str) -> Result<Self, AgreementError> {
        if text.is_empty() || text.len() > BYTES_MOST {
            return Err(AgreementError::Length(text.len()));
        }
        let is_read = |c: char| c.is_alphanumeric() || c.is_ascii_punctuation() || c == ' ';
        if let Some(other) = text.chars().find(|c| !is_read(*c)) {
            return Err(AgreementError::Character(other));
        }
        if text.split(' ').any(str::is_empty) {
            return Err(AgreementError::Blank);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agreement_is_a_short_text_that_is_read_as_it_is_written() {
        for (text, expected) in [
            ("MoU-2026-14", None),
            ("Protocole d'accord ANSD/UEMOA n° 14", Some(AgreementError::Character('°'))),
            ("Protocole d'accord ANSD/UEMOA no. 14 (révisé)", None),
            ("", Some(AgreementError::Length(0))),
            (&"a".repeat(100), None),
            (&"a".repeat(101), Some(AgreementError::Length(101))),
            (" MoU", Some(AgreementError::Blank)),
            ("MoU ", Some(AgreementError::Blank)),
            ("MoU  14", Some(AgreementError::Blank)),
            ("MoU\n14", Some(AgreementError::Character('\n'))),
            ("MoU\u{202e}14", Some(AgreementError::Character('\u{202e}'))),
            ("MoU\u{200b}", Some(AgreementError::Character('\u{200b}'))),
        ] {
            assert_eq!(text.parse::<Agreement>().err(), expected, "{text:?}");
        }
    }
}
