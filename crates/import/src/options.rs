//! What the caller says of the files, and what of them it accepts.

use std::path::PathBuf;

use crate::{FileFormat, fault::UnfitValues, notation::Notation};

/// A file that an office exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it holds.
    pub format: FileFormat,
}

/// What the caller says of the files, and what of them it accepts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ImportOptions {
    /// How numbers and days are written.
    pub notation: Notation,
    /// Columns of the files under the policy's names.
    pub renames: Vec<Rename>,
    /// Shares of values that would else stop the import.
    pub accepted: Vec<Accepted>,
    /// Reads and checks everything, and leaves the register as it is.
    pub dry_run: bool,
    /// Takes other data under the version that the register holds already.
    pub same_version: bool,
}

/// A column of the files under the policy's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// Its name in the files.
    pub from: String,
    /// The policy's.
    pub to: String,
}

impl Rename {
    /// Renames in words, and the same for the same ones, in every version: registers keep digests of it.
    pub(crate) fn describe(all: &[Self]) -> String {
        let one = |rename: &Self| format!("Rename {{ from: {:?}, to: {:?} }}", rename.from, rename.to);
        format!("[{}]", all.iter().map(one).collect::<Vec<_>>().join(", "))
    }
}

/// The share of a column's values that may be at fault.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// The column, as the policy names it.
    pub column: String,
    /// From 0 to 1.
    pub share: f64,
    /// The fault that is accepted; without one, that identifiers are missing, or that other values are unread or undeclared.
    pub fault: Option<UnfitValues>,
}
