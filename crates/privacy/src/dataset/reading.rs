//! How a stored value is read: the same on every engine and in files, whatever an office's register looks like.
//!
//! What stands in a column is trimmed, compared with what says that a value is missing, and then read as what the column is
//! declared as: a code or a text that means one, a number, a day.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use super::stored::folded;
use crate::{Code, Name};

/// How the values of a column are read, where it is not as they stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The column's name in the table or file; the declared name by default.
    pub from: Option<String>,
    /// Texts that mean a declared code, beside the codes themselves.
    pub recode: BTreeMap<String, Code>,
    /// Texts that say that a value is missing, numbers among them.
    pub missing: BTreeSet<String>,
    /// ASCII letters of both cases are the same, in codes, in `recode` and in `missing`.
    pub ignores_case: bool,
    /// Where a moment that names no place falls on a day: a name of the IANA time zone database.
    pub time_zone: Option<String>,
    /// The declared column whose codes it groups: then `recode` alone says which texts mean which code.
    pub derived_from: Option<Name>,
}

impl Reading {
    /// As letters of both cases are the same, or not.
    pub fn folded<'a>(&self, text: &'a str) -> Cow<'a, str> {
        folded(text, self.ignores_case)
    }

    /// In words, and the same for the same reading; nothing where values are read as they stand.
    pub(super) fn describe(&self) -> String {
        let Self { from: _, recode, missing: _, ignores_case: _, time_zone: _, derived_from } = self;
        // The rest stands in what the order depends on.
        let mut text = self.describe_order();
        if let Some(of) = derived_from {
            text += &format!(" derived from {of}");
        }
        for (value, code) in recode {
            text += &format!(" recode {value:?} {code}");
        }
        text
    }

    /// As far as the order of rows depends on it, which is of the values before they are recoded.
    pub(super) fn describe_order(&self) -> String {
        // A column that is made of another one has no part in the order, and is not described.
        let Self { from, recode: _, missing, ignores_case, time_zone, derived_from: _ } = self;
        let mut text = String::new();
        if let Some(from) = from {
            text += &format!(" from {from:?}");
        }
        for value in missing {
            text += &format!(" missing {value:?}");
        }
        if *ignores_case {
            text += " case ignored";
        }
        if let Some(zone) = time_zone {
            text += &format!(" time zone {zone}");
        }
        text
    }
}
