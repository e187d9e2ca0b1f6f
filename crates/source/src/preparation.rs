//! What a preparation is tied to, and whether it still fits. A stale one is never used.

use lango_privacy::{Accounting, Dataset};
use sha2::{Digest, Sha256};

use crate::Secret;

/// How a dataset's rows are bounded for a question asked now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bounding {
    /// The catalogue vouches for one row per unit: nothing need be bounded.
    Vouched,
    /// The rows that survive the bounds have been prepared.
    Prepared {
        /// How many.
        rows: u64,
    },
    /// They are ranked for every question.
    Unprepared,
    /// The preparation does not fit any more, so they are ranked for every question.
    Stale(Stale),
}

/// The result of a preparation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreparedRows {
    /// Rows that survive the bounds.
    pub kept: u64,
    /// Rows of the table.
    pub all: u64,
}

/// Why a preparation does not fit any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Stale {
    /// It was made for another version of the dataset.
    #[error("it was made for another version of the dataset")]
    Version,
    /// The policy declares the unit, its bounds or the columns differently now, or this program prepares them differently.
    #[error("the unit, its bounds or the columns are declared or prepared otherwise now")]
    Policy,
    /// The rows of a unit are put in order with another secret, that of another ledger.
    #[error("it was made with another ledger's secret")]
    Secret,
    /// The table was made anew, or its columns or keys were changed.
    #[error("the table was made anew, or its columns or keys were changed")]
    Table,
    /// The prepared rows are not where they were.
    #[error("its rows are gone")]
    Gone,
}

impl std::fmt::Display for Bounding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Vouched => f.write_str("one row per unit, as the database's catalogue vouches"),
            Self::Prepared { .. } => f.write_str("the rows are prepared"),
            Self::Unprepared => {
                f.write_str("the rows are ranked for every question: `lango dataset prepare` spares that")
            }
            Self::Stale(why) => write!(
                f,
                "the preparation is stale ({why}), so the rows are ranked for every question: run `lango dataset prepare` again"
            ),
        }
    }
}

/// The form of prepared rows. INVARIANT: it is raised when the row order, the normal form of a value or the columns of prepared
/// tables change, so that what an earlier version of the program prepared is not read as this one would.
const FORM: &str = "lango-prepared 3";

/// What a preparation is tied to. Rows that change under the same version are not seen: the version is the office's promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tie {
    /// The dataset's version.
    pub(crate) version: String,
    /// A digest of the unit, its bounds and the declared columns with their keys, and of the form of prepared rows.
    pub(crate) terms: String,
    /// A digest that identifies the secret without revealing it.
    pub(crate) secret: String,
    /// A digest of the table's entry in the catalogue: its identity, its columns' names and types, its keys.
    pub(crate) table: String,
}

impl Tie {
    pub(crate) fn of(dataset: &Dataset, secret: &Secret, fingerprint: &str) -> Self {
        let terms = dataset.terms(dataset.columns.keys(), &Accounting::Pure);
        Self {
            version: dataset.version.to_string(),
            terms: digest(&[FORM.as_bytes(), terms.as_bytes()]),
            secret: digest(&[b"lango-secret-identifier", secret.bytes()]),
            table: digest(&[fingerprint.as_bytes()]),
        }
    }

    /// Why a preparation that was tied to `made` does not fit.
    pub(crate) fn stale(&self, made: &Self) -> Option<Stale> {
        let parts = [
            (self.version == made.version, Stale::Version),
            (self.terms == made.terms, Stale::Policy),
            (self.secret == made.secret, Stale::Secret),
            (self.table == made.table, Stale::Table),
        ];
        parts.into_iter().find_map(|(fits, why)| (!fits).then_some(why))
    }
}

/// The table that says what each preparation is tied to.
pub(crate) const PAGE: &str = "lango_preparation";
/// Its columns, but the dataset's, in the order in which a line is read.
pub(crate) const LINE: &str =
    "version, terms, secret, source_table, prepared_table, generation, prepared_rows";

/// A line of the page.
pub(crate) struct Preparation {
    pub(crate) tie: Tie,
    pub(crate) table: String,
    pub(crate) generation: i64,
    pub(crate) rows: i64,
}

impl Preparation {
    /// How many rows were prepared.
    pub(crate) fn rows(&self) -> u64 {
        u64::try_from(self.rows).unwrap_or(0)
    }

    /// The generation of the preparation that comes after one, or is the first.
    pub(crate) fn next(made: Option<&Self>) -> i64 {
        made.map_or(1, |made| made.generation.saturating_add(1))
    }
}

/// A dataset's preparation, if it fits as far as its line says; else how rows are bounded without it.
pub(crate) fn fitting(made: Option<Preparation>, now: &Tie) -> Result<Preparation, Bounding> {
    let made = made.ok_or(Bounding::Unprepared)?;
    match now.stale(&made.tie) {
        Some(stale) => Err(Bounding::Stale(stale)),
        None => Ok(made),
    }
}

/// The name of a dataset's prepared table; each generation has one of its own, so that a new one can be made while the old one
/// is read.
pub(crate) fn table_name(dataset: &Dataset, generation: i64) -> String {
    format!("{}{generation}", prefix(dataset))
}

/// Whether this is the name of a prepared table of the dataset, of whichever generation.
pub(crate) fn is_of(dataset: &Dataset, table: &str) -> bool {
    let generation = table.strip_prefix(&prefix(dataset));
    generation.is_some_and(|rest| rest.parse::<u64>().is_ok())
}

fn prefix(dataset: &Dataset) -> String {
    let name = dataset.name.as_str();
    // Engines cut long names, and two of them must not become one.
    let short: String = name.chars().take(24).collect();
    let own: String = digest(&[name.as_bytes()]).chars().take(8).collect();
    format!("lango_prepared_{short}_{own}_")
}

fn digest(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    hex::encode(digest.finalize())
}

#[cfg(test)]
mod tests {
    use lango_testkit::{read_columns, readings};

    use super::*;
    use crate::{
        order::RowOrder,
        value::{Raw, Reader},
    };

    #[test]
    fn the_form_is_raised_when_a_text_is_read_otherwise() {
        let mut all = Sha256::new();
        for (column, text, _) in readings() {
            let columns = read_columns();
            let (_, column) = columns.iter().find(|(name, _)| *name == column).unwrap();
            let mut order = RowOrder::new(&[7; 32], Raw::Integer(1));
            order.add(&Reader::new(column, 0).read(Raw::Text(text.as_bytes())));
            for number in [0.0, -0.0, 1.5, f64::NAN] {
                order.add(&Reader::new(column, 0).read(Raw::Real(number)));
            }
            all.update(order.digest());
        }
        let found = hex::encode(all.finalize());
        assert_eq!(
            (FORM, found.as_str()),
            ("lango-prepared 3", "0475688d71a85d8ac1f0681a4ec9ba56aec71368ecfa78ad83859af850e8a2e8"),
            "values are read or put in order otherwise, or the list of readings has changed: in the first case raise FORM, so that no \
             earlier preparation is read as this program would have made it; then write the digest here"
        );
    }
}
