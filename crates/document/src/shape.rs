//! What may be written, for those who write with an editor or from a manual: the shape of a document, from the types that read
//! it.

use crate::ValueForm;

/// What a value may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentShape {
    /// Text in quotes.
    Text,
    /// One of these words.
    Words(Vec<&'static str>),
    /// A number without a point.
    Whole,
    /// A number, with a point or without.
    Number,
    /// A day.
    Day,
    /// `true` or `false`.
    Truth,
    /// Values of one shape.
    List(Box<DocumentShape>),
    /// Two values of one shape, the lowest and the highest.
    Pair(Box<DocumentShape>),
    /// Values of one shape, under names that the author chooses.
    Named(Box<DocumentShape>),
    /// Values under names that are declared.
    Table(TableShape),
    /// A value of any of these shapes.
    OneOf(Vec<DocumentShape>),
    /// A value of which the type that reads it says no more.
    Unsaid,
}

/// The keys of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableShape {
    /// What the table is, in words: `a grant`.
    pub what: &'static str,
    /// Its keys, in the order of the type.
    pub keys: Vec<KeyShape>,
}

/// A key of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyShape {
    /// The key.
    pub name: &'static str,
    /// Whether it must be there.
    pub is_required: bool,
    /// What it means, in a sentence or two; empty where the type does not say it.
    pub about: &'static str,
    /// What it takes.
    pub shape: DocumentShape,
}

impl DocumentShape {
    /// The shape of what is written in a form, as far as the form says it.
    pub fn of(form: ValueForm) -> Self {
        match form {
            ValueForm::Text => Self::Text,
            ValueForm::Whole => Self::Whole,
            ValueForm::Number => Self::Number,
            ValueForm::Day => Self::Day,
            ValueForm::Truth => Self::Truth,
            ValueForm::List(of) => Self::List(Box::new(Self::of(*of))),
            ValueForm::Table | ValueForm::Either(_) => Self::Unsaid,
        }
    }
}
