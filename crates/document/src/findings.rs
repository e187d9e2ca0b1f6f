//! Reading as a fold that collects: what is wrong is kept, and reading goes on.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    ops::Range,
};

use crate::{Diagnostic, DiagnosticCode, Diagnostics, Document, TextPlace, Words};

/// The most diagnostics that are kept; the rest are counted.
const KEPT_MOST: usize = 100;

/// What was found in some documents so far.
#[derive(Debug, Default)]
pub struct Mistakes {
    found: RefCell<Vec<Diagnostic>>,
    more: Cell<usize>,
    /// Keys whose values cannot be read.
    lost: RefCell<BTreeSet<String>>,
    /// Whether whole tables cannot be read.
    is_torn: Cell<bool>,
}

impl Mistakes {
    /// Keeps a mistake.
    pub fn add(&self, found: Diagnostic) {
        let mut kept = self.found.borrow_mut();
        if kept.len() < KEPT_MOST {
            kept.push(found);
        } else {
            self.more.set(self.more.get() + 1);
        }
    }

    /// A key's value cannot be read.
    pub(crate) fn lose(&self, key: &str) {
        self.lost.borrow_mut().insert(key.to_owned());
    }

    /// A whole table, or more, cannot be read.
    pub fn tear(&self) {
        self.is_torn.set(true);
    }

    /// Whether a name that seems to be missing may stand in lines that cannot be read.
    pub fn is_lost(&self, name: &str) -> bool {
        self.is_torn.get() || self.lost.borrow().contains(name)
    }

    /// Whether nothing is wrong so far.
    pub fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// All of them, in the order of their places.
    pub fn into_diagnostics(self) -> Diagnostics {
        Diagnostics::new(self.found.into_inner(), self.more.get())
    }

    /// The value, where nothing is wrong.
    pub fn outcome<T>(self, value: Option<T>) -> Result<T, Diagnostics> {
        match value {
            Some(value) if self.is_empty() => Ok(value),
            Some(_) | None => Err(self.into_diagnostics()),
        }
    }
}

/// A document while it is read, and where its mistakes are kept.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// The document.
    pub document: &'a Document,
    /// Its mistakes, and those of the documents that are read with it.
    pub findings: &'a Mistakes,
    /// Lines that could not be read: what seems to be wrong in them follows from that.
    pub(crate) unread: &'a [Range<usize>],
}

impl<'a> Reader<'a> {
    /// A document of which every line can be read.
    pub fn new(document: &'a Document, findings: &'a Mistakes) -> Self {
        Self { document, findings, unread: &[] }
    }

    /// Keeps a mistake, and returns nothing: there is no value.
    pub fn refuse<T>(&self, code: DiagnosticCode, span: Range<usize>, words: impl Into<Words>) -> Option<T> {
        let follows = self.unread.iter().any(|unread| unread.contains(&span.start)) || span == (0..0);
        if self.unread.is_empty() || !follows {
            self.findings.add(Diagnostic::error(code, self.document.place(span), words));
        }
        None
    }

    /// Keeps a mistake on a line, counted from 1.
    pub fn refuse_line<T>(&self, code: DiagnosticCode, line: usize, words: impl Into<Words>) -> Option<T> {
        self.findings.add(Diagnostic::error(code, self.document.line(line), words));
        None
    }

    /// A part of the document.
    pub fn place(&self, span: Range<usize>) -> TextPlace {
        self.document.place(span)
    }
}
