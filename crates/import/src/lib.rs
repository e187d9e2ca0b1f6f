//! How do the files that an office exports become a table of the gateway's embedded SQLite?
//!
//! Architecture invariant: knows files, a dataset's declaration and SQLite; no budget, no principal, no wire. The table is
//! the old one or the new one, whole; what stops an import names lines and columns, never a value.

mod batch;
mod declared;
mod delimited;
mod describe;
mod error;
mod fault;
mod files;
mod findings;
mod fingerprint;
mod format;
mod input;
mod judge;
mod lock;
mod notation;
mod open;
mod options;
mod parquet_file;
mod report;
mod run;
mod schema;
mod staging;
mod tuning;
mod value;
mod visit;

pub use describe::{
    DescribedColumn, DistinctValues, FileDescription, FoundNotation, ROWS_SHOWN_LEAST, ValueShape,
};
pub use error::{ImportError, RowError};
pub use fault::UnfitValues;
pub use files::parts;
pub use findings::{Finding, Findings, FoundValues, RowPlace};
pub use format::{Compression, Delimited, Delimiter, Encoding, FileFormat};
pub use judge::UnfitColumn;
pub use notation::{DayFormat, DayFormatError, DecimalMark, Notation, Thousands};
pub use options::{Accepted, ImportFile, ImportOptions, Rename};
pub use report::{FileEdge, ImportEvent, ImportReport, ImportedColumn, NamedFile, TotalRow, UnitKey};
pub use run::ImportJob;
pub use tuning::Tuning;

#[cfg(test)]
mod tests;
