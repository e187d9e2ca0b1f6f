//! Where in a text does a mistake stand, and what is written instead? TOML documents read whole: every mistake with its line,
//! its column, a stable code and the remedy.
//!
//! Architecture invariant: pure. Knows TOML and no key of any document; it is given a text and a name for it, and opens no file.
//! Only the list of codes ([`DiagnosticCode`]) speaks of what others check, so that one page explains them all.

mod code;
mod decode;
mod diagnostic;
mod diagnostics;
mod document;
pub mod fields;
mod findings;
mod form;
mod keys;
mod near;
mod render;
mod secrets;
mod shape;
mod syntax;
mod written;

pub use code::DiagnosticCode;
pub use diagnostic::{Diagnostic, Severity, Words};
pub use diagnostics::Diagnostics;
pub use document::{Document, Position, TextPlace};
pub use findings::{Mistakes, Reader};
pub use form::ValueForm;
pub use keys::Keys;
pub use near::{foreign_letter, nearest, nearest_all};
pub use shape::{DocumentShape, KeyShape, TableShape};
pub use written::{FromDocument, WrittenValue};

#[cfg(test)]
mod tests;
