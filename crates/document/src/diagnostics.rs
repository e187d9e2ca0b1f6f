//! Everything that is wrong with some documents.

use std::fmt;

use crate::{Diagnostic, Severity, render};

/// Diagnostics in the order of their places. Their text shows each with its line and a caret, and is of several lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
    /// How many more errors were found than are kept.
    more: usize,
}

impl Diagnostics {
    /// Diagnostics, and how many more errors there were.
    pub(crate) fn new(mut found: Vec<Diagnostic>, more: usize) -> Self {
        let start = |found: &Diagnostic| found.place.span.as_ref().map(|span| span.start);
        found.sort_by(|a, b| (&a.place.document.file, start(a)).cmp(&(&b.place.document.file, start(b))));
        // What is read twice is said once.
        found.dedup();
        Self { found, more }
    }

    /// Each of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.found.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many errors there are, those that are not kept included.
    pub fn errors(&self) -> usize {
        self.more + self.found.iter().filter(|found| found.severity == Severity::Error).count()
    }

    /// How many warnings there are.
    pub fn warnings(&self) -> usize {
        self.found.iter().filter(|found| found.severity == Severity::Warning).count()
    }

    /// These and others, in the order of their places.
    pub fn and(self, others: impl IntoIterator<Item = Diagnostic>) -> Self {
        Self::new(self.found.into_iter().chain(others).collect(), self.more)
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(found: Diagnostic) -> Self {
        Self { found: vec![found], more: 0 }
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<T: IntoIterator<Item = Diagnostic>>(found: T) -> Self {
        Self::new(found.into_iter().collect(), 0)
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for found in &self.found {
            writeln!(f, "{}\n", render::shown(found))?;
        }
        if self.more > 0 {
            writeln!(f, "and {} more errors\n", self.more)?;
        }
        let counted =
            |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
        let (errors, warnings) = (counted(self.errors(), "error"), counted(self.warnings(), "warning"));
        match (self.errors(), self.warnings()) {
            (0, 0) => return Ok(()),
            (0, _) => write!(f, "{warnings}")?,
            (_, 0) => write!(f, "{errors}")?,
            (_, _) => write!(f, "{errors}, {warnings}")?,
        }
        write!(f, ": docs/DIAGNOSTICS.md explains each by the word in brackets")
    }
}
