//! What a catalogue says of the tables of a source, for the author of a policy: names, types and keys, never a value.

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDescription {
    /// As a policy names it.
    pub name: String,
    /// About how many rows it has, if the catalogue keeps an estimate.
    pub rows: Option<u64>,
    /// Its columns, in the table's order.
    pub columns: Vec<ColumnDescription>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDescription {
    /// Its name.
    pub name: String,
    /// Its type in the engine's words.
    pub declared: String,
    /// What a policy could declare it as.
    pub suggested: Suggested,
    /// The catalogue vouches that no two rows have the same value.
    pub unique: bool,
}

/// What a policy could declare a column as, going by its type alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suggested {
    /// The codes that the type lists.
    Codes(Vec<String>),
    /// Codes, which the type does not list.
    Text,
    /// Whole numbers.
    Integer,
    /// Decimals with this number of digits after the point.
    Amount(u32),
    /// Days.
    Date,
    /// Days, of moments that fall on one only at a place: with a `time_zone`.
    Moment,
    /// Nothing: no policy can declare it.
    Nothing,
}
