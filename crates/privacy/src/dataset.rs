//! What an office declares of a table: whose presence is hidden, and the public keys of each column.

use std::collections::BTreeMap;

use crate::{Accounting, Code, Measure, Name, Objective};

pub use column::Column;
pub use domain::{Domain, Span};
pub use grid::{Grid, Range};
pub use months::DaysOfMonths;
pub use reading::Reading;
pub use stored::{STORED_TEXT_BYTES_MOST, day, folded, number, trimmed, trimmed_bytes};

mod column;
mod domain;
mod grid;
mod months;
mod reading;
mod stored;

/// The key of values that are present but not declared.
pub const OTHER: &str = "_O";
/// The key of values that are missing: NULL or blank.
pub const UNKNOWN: &str = "_U";
/// The key of a total, in output only: never a key of a keyset.
pub const TOTAL: &str = "_T";
/// The most keys, bins or candidates that one column may declare.
const KEYS_MOST: i64 = 100_000;
/// Fewer rows than this are taken for granted where the policy does not say.
const ROWS_BELOW: u64 = 1 << 38;

/// A table as its office declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// The name that questions use.
    pub name: Name,
    /// For people.
    pub title: String,
    /// Stock or flow, as the United Nations define them.
    pub kind: DatasetKind,
    /// A connection named in the gateway's configuration.
    pub source: String,
    /// The table there.
    pub table: String,
    /// A new version brings new answers.
    pub version: Code,
    /// Whose presence is hidden.
    pub unit: Unit,
    /// The table has fewer rows than this; it bounds what a sum can grow to.
    pub rows_below: Option<u64>,
    /// What the split of a question's price among its margins makes small.
    pub objective: Objective,
    /// How much of the data the contribution bounds are expected to drop, as the office published it, in words.
    pub bounds_drop: Option<String>,
    /// The declared columns.
    pub columns: BTreeMap<Name, Column>,
}

/// Whether the figures are of a moment or of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatasetKind {
    /// How many there are at a moment.
    Stock,
    /// How many moved during a period.
    Flow,
}

/// The privacy unit: whose presence in the table is hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// The column that holds the unit's identifier.
    pub column: String,
    /// What the unit is: `person`, `household`.
    pub noun: Name,
    /// The noun's plural, which is the measure that counts units: `persons`, `households`.
    pub plural: Name,
    /// The most rows of a unit that are read.
    pub rows_at_most: u32,
    /// The most cells of a table that a unit enters.
    pub cells_at_most: u32,
}

/// What is wrong with a declared column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatasetError {
    /// A reserved key is declared.
    #[error("`{0}` is reserved and must not be declared: `_O`, `_U` and `_T` are always understood")]
    Reserved(String),
    /// A code is declared twice.
    #[error("code `{0}` is declared twice")]
    Twice(String),
    /// No code is declared.
    #[error("the code list is empty")]
    Empty,
    /// The bounds are the wrong way round.
    #[error("the lower bound {0} is above the upper bound {1}")]
    Inverted(i64, i64),
    /// A band of width 0.
    #[error("`bands` must be at least 1")]
    Bands,
    /// A list of bands that leaves out the least values.
    #[error("a list of `bands` begins at the column's lower bound {0}")]
    FirstBand(i64),
    /// A list of bands that does not ascend.
    #[error("a list of `bands` is of whole numbers that ascend: each is where a band begins")]
    ListedBands,
    /// A recoded text means a code that is not declared.
    #[error("`recode` makes {text:?} `{code}`, which is not one of the column's codes")]
    RecodedToUnknown {
        /// The text.
        text: String,
        /// The code.
        code: String,
    },
    /// A text means two codes.
    #[error(
        "{text:?} would mean both `{other}` and `{code}`: a text means one code, and a declared code means itself"
    )]
    RecodedTwice {
        /// The text.
        text: String,
        /// One code.
        other: String,
        /// The other.
        code: String,
    },
    /// Two codes that differ in the case of their letters alone.
    #[error("codes `{0}` and `{1}` differ in case alone, which `case = \"ignore\"` ignores")]
    SameFolded(String, String),
    /// A text that means a code is said to be missing.
    #[error("{0:?} is in `missing`, and is a code or means one: take it out of one of them")]
    MissingIsCode(String),
    /// A missing number with more decimals than the column keeps.
    #[error("{0:?} in `missing` has more decimals than the column keeps, and values are rounded to those")]
    FinerMissing(String),
    /// A text with blanks around it, or of blanks only.
    #[error(
        "write {0:?} without blanks around it: values are trimmed before they are compared, and a blank one is missing"
    )]
    Untrimmed(String),
    /// A text that is too long.
    #[error("the text that begins {0:?} is longer than 1024 bytes, or holds a character 0")]
    LongText(String),
    /// Only codes have it.
    #[error("`{0}` is for columns of `codes`")]
    OnlyCodes(&'static str),
    /// Only days have it.
    #[error("`{0}` is for columns of `date`")]
    OnlyDays(&'static str),
    /// Too many keys.
    #[error("{0} keys are more than the {KEYS_MOST} that a column may have: widen `bands`")]
    Keys(i64),
    /// The column has no numbers.
    #[error("`{0}` is for columns of numbers: `integer` or `amount`")]
    NotNumbers(&'static str),
    /// A value outside the column's bounds.
    #[error("`{0}` holds {1}, which is not between the column's bounds")]
    Outside(&'static str, i64),
    /// A list that does not ascend, or a step that is not above 0.
    #[error("`{0}` is a step above 0, or a list of whole numbers that ascend")]
    Grid(&'static str),
    /// A list of bins that leaves out the least values.
    #[error("`bins` begin at the column's lower bound {0}")]
    FirstBin(i64),
    /// More points than a column may have.
    #[error("`{0}` makes more than {KEYS_MOST} points: take larger steps")]
    Points(&'static str),
    /// A day that is none, or a period that ends before it begins.
    #[error("`date` is two days such as 2024-01-01 of which the first is not after the second")]
    Days,
}

impl Dataset {
    /// The measure that counts the privacy units.
    pub fn units(&self) -> Measure {
        Measure::Units(self.unit.plural.clone())
    }

    /// Where its rows are, as `source/table`, by the names that the policy gives them.
    pub fn rows_from(&self) -> String {
        format!("{}/{}", self.source, self.table)
    }

    /// The most cells that a unit enters in any margin: no more than it has rows.
    pub fn cells_at_most(&self) -> u32 {
        self.unit.cells_at_most.min(self.unit.rows_at_most)
    }

    /// The columns that the order of a unit's rows depends on, in name order: all but those made of another one.
    pub fn ordered_columns(&self) -> impl Iterator<Item = (&Name, &Column)> {
        self.columns.iter().filter(|(_, column)| !column.is_derived())
    }

    /// The table has fewer rows than this.
    pub fn rows_below(&self) -> u64 {
        self.rows_below.unwrap_or(ROWS_BELOW)
    }

    /// The terms of a release: everything of the policy that a stored answer depends on, and nothing else.
    /// A release key holds their digest, so an edit that leaves them alone redraws no noise.
    pub fn terms<'a>(&self, used: impl IntoIterator<Item = &'a Name>, account: &Accounting) -> String {
        let unit = &self.unit;
        let mut text = format!(
            "lango-terms 2\nsource {:?} table {:?}\nunit {} {:?}\nrows_at_most {}\ncells_at_most {}\n",
            self.source, self.table, unit.noun, unit.column, unit.rows_at_most, unit.cells_at_most
        );
        for name in used.into_iter().collect::<std::collections::BTreeSet<_>>() {
            if let Some(column) = self.columns.get(name) {
                text += &format!("column {name} {}\n", column.describe());
            }
        }
        // Which rows of a unit are read is decided by all that is declared of them, whatever the question uses.
        if unit.rows_at_most > 1 {
            let ordered =
                self.ordered_columns().map(|(name, column)| format!("{name} as {}", column.describe_order()));
            let ordered: Vec<String> = ordered.collect();
            text += &format!("rows ordered by {}\n", ordered.join(", "));
        }
        match account {
            Accounting::Pure => text += "account pure\n",
            Accounting::Zcdp { delta_e18 } => {
                text += &format!("account zcdp delta_e18 {delta_e18}\n");
            }
        }
        text
    }
}
