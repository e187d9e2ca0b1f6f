//! Documents, and places in them.

use std::{ops::Range, sync::Arc};

use crate::{Diagnostic, DiagnosticCode};

/// The most bytes of a document: a thousand grants are half of it.
const BYTES_MOST: usize = 1 << 20;
/// The most bytes of a list beside a policy: its lines have a bound of their own.
const LIST_BYTES_MOST: usize = 8 << 20;

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
pub struct Place {
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

    /// A document out of a file's bytes: UTF-8, and not larger than a document of its kind may be.
    pub fn decoded(file: &str, bytes: Vec<u8>) -> Result<Self, Diagnostic> {
        let empty = || Place::of_file(file);
        let most = Self::bytes_most(file);
        if bytes.len() > most {
            return Err(Self::too_large(file, most));
        }
        let utf_16 = match bytes.get(..2) {
            Some([0xff, 0xfe] | [0xfe, 0xff]) => true,
            // Without its mark: every second byte of ASCII is 0.
            Some([0, _] | [_, 0]) => true,
            Some(_) | None => false,
        };
        if utf_16 {
            let words = ("the file is UTF-16, and not UTF-8", "save it as UTF-8, without a byte order mark");
            return Err(Diagnostic::error(DiagnosticCode::NotUtf8, empty(), words));
        }
        String::from_utf8(bytes).map(|text| Self::new(file, text)).map_err(|error| {
            let good = error.utf8_error().valid_up_to();
            let found = error.as_bytes().get(good).copied().unwrap_or_default();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let place = Self::new(file, text).place(good..good + '\u{fffd}'.len_utf8());
            let message = format!("the byte 0x{found:02x} is no UTF-8");
            let help = "save the file as UTF-8: a letter with an accent was written in another encoding";
            Diagnostic::error(DiagnosticCode::NotUtf8, place, (message, help))
        })
    }

    /// A file that is larger than a document may be.
    pub fn too_large(file: &str, most: usize) -> Diagnostic {
        let message = format!("the file has more than {} MiB", most >> 20);
        let help = "put long lists of codes into files of their own beside the policy";
        Diagnostic::error(DiagnosticCode::TooLarge, Place::of_file(file), (message, help))
    }

    /// The most bytes of a file of this name.
    pub fn bytes_most(file: &str) -> usize {
        if file.ends_with(".csv") { LIST_BYTES_MOST } else { BYTES_MOST }
    }

    /// A part of it.
    pub fn place(&self, span: Range<usize>) -> Place {
        Place { document: self.clone(), span: Some(span) }
    }

    /// A line, counted from 1.
    pub fn line(&self, line: usize) -> Place {
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

impl Place {
    /// A whole file, or something else that has a name.
    pub fn of_file(file: &str) -> Self {
        Self { document: Document::new(file, ""), span: None }
    }

    /// Where it begins, where it is a part.
    pub fn position(&self) -> Option<Position> {
        self.span.as_ref().map(|span| self.document.position(span.start))
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
