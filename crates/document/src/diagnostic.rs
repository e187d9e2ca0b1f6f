//! What is wrong with a document, and where.

use std::fmt;

use crate::{DiagnosticCode, TextPlace};

/// Whether a document can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can, and its author should think again.
    Warning,
}

impl Severity {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// What is wrong, and where the message does not say it, what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    message: String,
    help: Option<String>,
}

impl From<&str> for Words {
    fn from(message: &str) -> Self {
        Self { message: message.to_owned(), help: None }
    }
}

impl From<String> for Words {
    fn from(message: String) -> Self {
        Self { message, help: None }
    }
}

impl<M: Into<String>, H: Into<String>> From<(M, H)> for Words {
    fn from((message, help): (M, H)) -> Self {
        Self { message: message.into(), help: Some(help.into()).filter(|help| !help.is_empty()) }
    }
}

/// One mistake: what is wrong, where it stands and what to do. Its text is one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Diagnostic {
    /// Whether the document can be used all the same.
    pub severity: Severity,
    /// What kind of mistake it is.
    pub code: DiagnosticCode,
    /// Where it stands.
    pub place: TextPlace,
    /// What is wrong.
    pub message: String,
    /// What to do, where the message does not say it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A mistake with which the document cannot be used.
    pub fn error(code: DiagnosticCode, place: TextPlace, words: impl Into<Words>) -> Self {
        let Words { message, help } = words.into();
        Self {
            severity: Severity::Error,
            code,
            place,
            message: shortened(message),
            help: help.map(shortened),
        }
    }

    /// What is legal and unwise.
    pub fn warning(code: DiagnosticCode, place: TextPlace, words: impl Into<Words>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, place, words) }
    }
}

/// The most characters of a message: names in a file may be as long as the file.
const MESSAGE_MOST: usize = 1_000;

fn shortened(text: String) -> String {
    match text.char_indices().nth(MESSAGE_MOST) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned() + "..",
        None => text,
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place.document.file)?;
        if let Some(position) = self.place.position() {
            write!(f, ":{}:{}", position.line, position.column)?;
        }
        write!(f, ": {}", self.message)?;
        match &self.help {
            Some(help) => write!(f, ": {help}"),
            None => Ok(()),
        }
    }
}
