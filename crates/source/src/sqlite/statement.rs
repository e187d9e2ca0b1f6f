//! The one statement that reads a table: identifiers from the policy, quoted; nothing of a question stands in it, and no
//! operator that can fail on a value.

use lango_privacy::{Dataset, Name};

use super::catalogue::FileTable;

/// Where the rows are read, and what has to be done for their bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FileAccess {
    /// Nothing: the catalogue vouches for one row per unit.
    Vouched,
    /// They are put in row order first.
    Ranked,
    /// They stand in this table in row order, those that survive.
    Prepared(String),
}

/// An identifier as SQL writes it.
pub(super) fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

/// Reads the unit and these columns of every row; in row order unless the catalogue vouches for one row per unit. The secret is
/// the statement's first and only parameter, where rows are ranked.
///
/// The row order is over every declared column, so that whatever a question uses, the same rows of a unit are read.
pub(super) fn rows(dataset: &Dataset, file: &FileTable, columns: &[&Name], access: &FileAccess) -> String {
    let unit = quoted(&file.unit);
    let named = |names: &mut dyn Iterator<Item = &Name>| -> String {
        names.map(|name| format!(", {}", quoted(file.name(name)))).collect()
    };
    let selected = named(&mut columns.iter().copied());
    let table = quoted(&dataset.table);
    match access {
        FileAccess::Vouched => format!("SELECT {unit}{selected} FROM {table} WHERE {unit} IS NOT NULL"),
        // Read from one end to the other: an index on the unit would bring its rows together too, by as many jumps as there
        // are rows.
        FileAccess::Ranked => {
            let ordered = named(&mut dataset.ordered_columns().map(|(name, _)| name));
            format!(
                "SELECT {unit}{selected} FROM {table} NOT INDEXED WHERE {unit} IS NOT NULL \
                 ORDER BY {unit} COLLATE BINARY, lango_row_order(?1, {unit}{ordered})"
            )
        }
        // As they are stored, under the names of the policy.
        FileAccess::Prepared(prepared) => {
            let selected: String =
                columns.iter().map(|name| format!(", {}", quoted(name.as_str()))).collect();
            format!("SELECT _unit{selected} FROM {} ORDER BY _unit, _rank", quoted(prepared))
        }
    }
}
