//! Where in a text does a mistake stand? TOML documents read strictly: unknown keys refused, every error with its line, column
//! and the nearest right name.
//!
//! Architecture invariant: pure. Knows TOML and no key of any document; it is given a text and a name for it, and opens no file.

use std::fmt;

use serde::de::DeserializeOwned;

/// A place in a file; lines and columns count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// What is wrong with a document, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct DocumentError {
    /// The file's name.
    pub file: String,
    /// The place, where it is known.
    pub at: Option<Position>,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(Position { line, column }) => write!(f, "{}:{line}:{column}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

/// A document's name and text, kept for its errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The file's name.
    pub file: String,
    /// Its text.
    pub text: String,
}

impl Document {
    /// A document.
    pub fn new(file: impl Into<String>, text: impl Into<String>) -> Self {
        Self { file: file.into(), text: text.into() }
    }

    /// Reads the whole document into its shape.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, DocumentError> {
        toml::from_str(&self.text).map_err(|error| {
            let message = with_nearest(error.message());
            DocumentError {
                file: self.file.clone(),
                at: error.span().map(|span| self.position(span.start)),
                message,
            }
        })
    }

    /// An error at a byte offset of the text.
    pub fn error(&self, offset: usize, message: impl Into<String>) -> DocumentError {
        DocumentError { file: self.file.clone(), at: Some(self.position(offset)), message: message.into() }
    }

    /// An error on a line, counted from 1.
    pub fn error_on(&self, line: usize, message: impl Into<String>) -> DocumentError {
        let at = Some(Position { line, column: 1 });
        DocumentError { file: self.file.clone(), at, message: message.into() }
    }

    fn position(&self, offset: usize) -> Position {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        Position { line: before.matches('\n').count() + 1, column }
    }
}

/// The candidate most like `word`, if one is alike enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let alike = |candidate: &str| strsim::damerau_levenshtein(word, candidate);
    let best = candidates.into_iter().min_by_key(|candidate| alike(candidate))?;
    (alike(best) <= 1 + best.chars().count() / 3).then_some(best)
}

/// serde lists what it expected; the reader wants to know which of them was meant.
fn with_nearest(message: &str) -> String {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let names_unknown = message.starts_with("unknown field") || message.starts_with("unknown variant");
    match quoted
        .split_first()
        .filter(|_| names_unknown)
        .and_then(|(word, rest)| nearest(word, rest.iter().copied()))
    {
        Some(meant) => format!("{message}: did you mean `{meant}`?"),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Example {
        epsilon: f64,
        renews: Option<String>,
    }

    #[test]
    fn an_error_names_line_column_and_the_nearest_right_name() {
        for (text, expected) in [
            (
                "epsilon = 1.0\nrenew = 'x'\n",
                "p.toml:2:1: unknown field `renew`, expected `epsilon` or `renews`: did you mean `renews`?",
            ),
            ("epsilon = 'x'\n", "p.toml:1:11: invalid type: string \"x\", expected f64"),
            (
                "epsilon = 1.0\nzzzzzzzz = 1\n",
                "p.toml:2:1: unknown field `zzzzzzzz`, expected `epsilon` or `renews`",
            ),
        ] {
            assert_eq!(Document::new("p.toml", text).read::<Example>().unwrap_err().to_string(), expected);
        }
        assert!(
            Document::new("p.toml", "epsilon = 1.0\n= 3\n")
                .read::<Example>()
                .unwrap_err()
                .to_string()
                .starts_with("p.toml:2:1: ")
        );
    }
}
