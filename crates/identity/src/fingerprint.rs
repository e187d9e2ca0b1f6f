//! What is read over the telephone: 96 bits of a digest, as words of the PGP word list.

use std::fmt;
use std::str::FromStr;

use lango_words::printable;

/// A line for each value of a byte: its word at an even position, its word at an odd one. See `words/LICENSE`.
const WORDS: &str = include_str!("../words/pgp.txt");
/// How many words, and bytes: 96 bits, so that a second request with the same words takes 2^96 tries
/// (docs/decisions/0030-identities.md).
const LENGTH: usize = 12;

/// A short digest that people compare. It prints as words, with [`Fingerprint::numerals`] as hexadecimal digits, and is read from
/// either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; LENGTH]);

impl Fingerprint {
    /// The first 96 bits of a digest.
    pub(crate) fn of(digest: &[u8; 32]) -> Self {
        let mut bytes = [0; LENGTH];
        bytes.iter_mut().zip(digest).for_each(|(byte, of)| *byte = *of);
        Self(bytes)
    }

    /// Twelve words, those of two syllables before those of three.
    #[must_use]
    pub fn words(&self) -> Vec<&'static str> {
        let word = |(position, byte): (usize, &u8)| line(*byte).map(|pair| of_position(pair, position));
        self.0.iter().enumerate().filter_map(word).collect()
    }

    /// The same as hexadecimal digits in groups of four, for those who read numbers more easily than English.
    #[must_use]
    pub fn numerals(&self) -> String {
        self.0.chunks(2).map(hex::encode).collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().join(" "))
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.to_lowercase();
        let digits: String = text.chars().filter(|c| !separates(*c)).collect();
        let mut bytes = [0; LENGTH];
        if digits.len() == 2 * LENGTH && hex::decode_to_slice(&digits, &mut bytes).is_ok() {
            return Ok(Self(bytes));
        }
        let words: Vec<&str> = text.split(separates).filter(|word| !word.is_empty()).collect();
        for (position, (word, byte)) in words.iter().zip(&mut bytes).enumerate() {
            *byte = value(word, position)?;
        }
        match words.len() {
            LENGTH => Ok(Self(bytes)),
            count => Err(FingerprintError::Length { count }),
        }
    }
}

/// What may stand between words and between digits.
fn separates(c: char) -> bool {
    c.is_whitespace() || ",.;:-".contains(c)
}

/// The two words of a byte.
fn line(byte: u8) -> Option<(&'static str, &'static str)> {
    WORDS.lines().nth(usize::from(byte))?.split_once(' ')
}

fn of_position(pair: (&'static str, &'static str), position: usize) -> &'static str {
    if position.is_multiple_of(2) { pair.0 } else { pair.1 }
}

/// The byte of a word at a position, from 0.
fn value(word: &str, position: usize) -> Result<u8, FingerprintError> {
    let find = |position: usize| {
        (0..=u8::MAX).find(|byte| line(*byte).map(|pair| of_position(pair, position)) == Some(word))
    };
    let refused =
        |misplaced| FingerprintError::Word { word: printable(word), number: position + 1, misplaced };
    find(position).ok_or_else(|| refused(find(position + 1).is_some()))
}

/// Why a text is no fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// Too few words or too many.
    #[error("a fingerprint has {LENGTH} words, or {} hexadecimal digits: there are {count} words", 2 * LENGTH)]
    Length {
        /// How many there are.
        count: usize,
    },
    /// A word that cannot stand there.
    #[error("word {number}, `{word}`, {}", if *.misplaced {
        "is one for another place: a word before it was left out, said twice or swapped"
    } else {
        "is no word of a fingerprint: have it spelled"
    })]
    Word {
        /// The word.
        word: String,
        /// Its place, from 1.
        number: usize,
        /// Whether it is a word of the list, which stands at every other place.
        misplaced: bool,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Fingerprint {
        let mut digest = [0; 32];
        // The example of the list's authors, whose first twelve words these are.
        hex::decode_to_slice("e58294f2e9a227486e8b061b", &mut digest[..12]).unwrap();
        Fingerprint::of(&digest)
    }

    #[test]
    fn words_are_those_of_the_list() {
        let text = "topmost istanbul pluto vagabond treadmill pacific brackish dictator goldfish medusa afflict bravado";
        assert_eq!((sample().to_string().as_str(), sample().words().len()), (text, 12));
        assert_eq!(sample().numerals(), "e582 94f2 e9a2 2748 6e8b 061b");
        let mut all: Vec<&str> = WORDS.split_whitespace().collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!((all.len(), WORDS.lines().count()), (512, 256));
    }

    #[test]
    fn what_was_read_aloud_is_typed_in_any_way() {
        let words = sample().to_string();
        for text in [
            words.clone(),
            words.to_uppercase(),
            words.replace(' ', ", "),
            words.replace(' ', "\n"),
            "e582 94f2 e9a2 2748 6e8b 061b".to_owned(),
            "E58294F2-E9A22748-6E8B061B".to_owned(),
        ] {
            assert_eq!(text.parse::<Fingerprint>(), Ok(sample()), "{text}");
        }
        for (text, expected) in [
            ("", "there are 0 words"),
            ("topmost istanbul", "there are 2 words"),
            (&words.replace("pluto ", ""), "word 3, `vagabond`, is one for another place"),
            (&words.replace("pluto", "pluto pluto"), "word 4, `pluto`, is one for another place"),
            (&words.replace("pluto", "plato"), "word 3, `plato`, is no word of a fingerprint"),
            (&format!("{words} topmost"), "there are 13 words"),
            ("e582 94f2 e9a2 2748 6e8b", "word 1, `e582`, is no word"),
        ] {
            let error = text.parse::<Fingerprint>().unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
