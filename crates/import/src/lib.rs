//! How do the files that an office exports become a table of the gateway's embedded SQLite?
//!
//! Architecture invariant: knows files, a dataset's declaration and SQLite; no budget, no principal, no wire. The table is
//! the old one or the new one, whole; what stops an import names lines and columns, never a value.

mod batch;
mod delimited;
mod error;
mod fingerprint;
mod format;
mod input;
mod lock;
mod parquet_file;
mod report;
mod run;
mod schema;
mod staging;
mod tuning;
mod value;

pub use error::ImportError;
pub use format::{Compression, Delimited, Encoding, FileFormat};
pub use report::{ImportEvent, ImportReport, ImportedColumn, UnitKey, Unread};
pub use run::ImportJob;
pub use tuning::Tuning;

#[cfg(test)]
mod tests;
