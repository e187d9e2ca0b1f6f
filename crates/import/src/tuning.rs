//! How an import is done, where it matters.

/// The most that one row may hold: what an unclosed quote swallows before it is found out.
pub(crate) const RECORD_BYTES_MOST: usize = 1 << 20;

/// The most bytes that the pages of a row group of a Parquet file may take together when they are decoded, of each column the
/// largest: as much is in memory at once.
pub(crate) const PAGES_BYTES_MOST: u64 = 512 << 20;

/// How an import is done. Only tests have reason to change it.
#[derive(Debug, Clone, Copy)]
pub struct Tuning {
    /// Rows of a transaction.
    pub transaction_rows: u64,
    /// The most pages that the register may have, as if the disk were full then.
    pub pages_most: Option<u32>,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { transaction_rows: 250_000, pages_most: None }
    }
}
