//! Documents, and places in them.

use std::{ops::Range, sync::Arc};

/// A document's name and text, kept for its diagnostics; a copy is cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The file's name.
    pub file: Arc<str>,
    /// Its text.
    pub text: Arc<str>,
}

/// A line and a column, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// The part of a document that a diagnostic points to: some of its bytes, or all of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextPlace {
    /// Where it is a part of.
    pub document: Document,
    /// Which bytes.
    pub span: Option<Range<usize>>,
}

impl Document {
    /// A document.
    pub fn new(file: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Self { file: file.into(), text: text.into() }
    }

    /// A part of it.
    pub fn place(&self, span: Range<usize>) -> TextPlace {
        TextPlace { document: self.clone(), span: Some(span) }
    }

    /// A line, counted from 1.
    pub fn line(&self, line: usize) -> TextPlace {
        let before = self.text.split_inclusive('\n').take(line.saturating_sub(1));
        let start: usize = before.map(str::len).sum();
        let text = self.text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        self.place(start..start + text.len())
    }

    pub(crate) fn position(&self, offset: usize) -> Position {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let column = before.get(line_start(before)..).unwrap_or_default().chars().count() + 1;
        Position { line: before.matches('\n').count() + 1, column }
    }
}

impl TextPlace {
    /// A whole file, or something else that has a name.
    pub fn of_file(file: &str) -> Self {
        Self { document: Document::new(file, ""), span: None }
    }

    /// Where it begins, where it is a part.
    pub fn position(&self) -> Option<Position> {
        self.span.as_ref().map(|span| self.document.position(span.start))
    }

    /// The lines that it stands on, each with its number.
    pub fn lines(&self) -> Vec<(usize, &str)> {
        let (Some(span), Some(position)) = (&self.span, self.position()) else { return Vec::new() };
        let text = &self.document.text;
        let start = text.get(..span.start).map(line_start).unwrap_or_default();
        // What ends at a line's end does not stand on the next one.
        let part = text.get(span.start..span.end).map_or(0, |part| part.trim_end().matches('\n').count());
        let lines = text.get(start..).unwrap_or_default().lines().take(part + 1);
        (position.line..).zip(lines).collect()
    }

    /// The line that it begins on, without its end, and the bytes of it that the place is.
    pub(crate) fn line(&self) -> Option<(&str, Range<usize>)> {
        let span = self.span.as_ref()?;
        let text = &self.document.text;
        let start = line_start(text.get(..span.start)?);
        let line = text.get(start..)?.lines().next().unwrap_or_default();
        let begin = (span.start - start).min(line.len());
        Some((line, begin..(span.end.max(span.start) - start).clamp(begin, line.len())))
    }
}

fn line_start(before: &str) -> usize {
    before.rfind('\n').map_or(0, |newline| newline + 1)
}
