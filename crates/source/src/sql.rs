//! The one statement that reads a table: identifiers from the policy, quoted; nothing of a question stands in it, and no
//! operator that can fail on a value.

use lango_privacy::{Dataset, Name};

/// What engines say each in its own way.
pub(crate) trait Dialect {
    /// An identifier as SQL writes it.
    fn quoted(&self, identifier: &str) -> String;

    /// A table in a `FROM`, to be read from one end to the other: an index on the unit would bring its rows together too, by
    /// as many jumps as there are rows.
    fn scanned(&self, table: &str) -> String;

    /// The terms of an `ORDER BY` that brings the rows of a unit together, each unit's in row order over these columns. The
    /// secret is the statement's first and only parameter.
    fn row_order(&self, unit: &str, columns: &[String]) -> String;
}

/// Reads the unit and these columns of every row; in row order unless the catalogue vouches for one row per unit.
///
/// The row order is over every declared column, so that whatever a question uses, the same rows of a unit are read.
pub(crate) fn rows(
    dialect: &impl Dialect,
    dataset: &Dataset,
    columns: &[&Name],
    one_row_per_unit: bool,
) -> String {
    let unit = dialect.quoted(&dataset.unit.column);
    let quoted = |name: &&Name| dialect.quoted(name.as_str());
    let selected: String = columns.iter().map(|name| format!(", {}", quoted(name))).collect();
    let (table, is_unit) = (dialect.quoted(&dataset.table), format!("{unit} IS NOT NULL"));
    if one_row_per_unit {
        return format!("SELECT {unit}{selected} FROM {table} WHERE {is_unit}");
    }
    let declared: Vec<String> = dataset.columns.keys().map(|name| quoted(&name)).collect();
    let (table, order) = (dialect.scanned(&table), dialect.row_order(&unit, &declared));
    format!("SELECT {unit}{selected} FROM {table} WHERE {is_unit} ORDER BY {order}")
}
