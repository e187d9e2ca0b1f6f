//! What of a file is imported: the unit's column and the declared ones, found by name.

use std::path::Path;

use lango_privacy::{Dataset, Name};

use crate::{ImportError, value::FieldType};

/// A column of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) field_type: FieldType,
}

/// The table that the import makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableSchema {
    pub(crate) table: String,
    /// Whether the policy allows one row of each unit only.
    pub(crate) one_row_per_unit: bool,
    /// The unit's column first.
    pub(crate) columns: Vec<Target>,
}

/// Where a file has the table's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Places {
    /// For each column of the table, its position in the file.
    pub(crate) positions: Vec<usize>,
    /// The names of the file's other columns.
    pub(crate) left_out: Vec<String>,
}

impl TableSchema {
    pub(crate) fn of(dataset: &Dataset) -> Self {
        let unit = &dataset.unit.column;
        let is_unit = |name: &Name| name.as_str().eq_ignore_ascii_case(unit);
        let declared_too = dataset.columns.iter().find(|(name, _)| is_unit(name));
        let unit_type = declared_too.map_or(FieldType::Text, |(_, column)| FieldType::of(&column.domain));
        let declared = dataset.columns.iter().filter(|(name, _)| !is_unit(name));
        let target = |name: &str, field_type| Target { name: name.to_owned(), field_type };
        let declared = declared.map(|(name, column)| target(name.as_str(), FieldType::of(&column.domain)));
        Self {
            table: dataset.table.clone(),
            one_row_per_unit: dataset.unit.rows_at_most == 1,
            columns: std::iter::once(target(unit, unit_type)).chain(declared).collect(),
        }
    }

    /// The unit's column.
    pub(crate) fn unit(&self) -> &str {
        self.columns.first().map_or("", |target| target.name.as_str())
    }

    /// In words, and the same for the same table.
    pub(crate) fn describe(&self) -> String {
        let columns = self.columns.iter().map(|target| format!("{} {:?}", target.name, target.field_type));
        format!(
            "table {}\none row per unit {}\n{}",
            self.table,
            self.one_row_per_unit,
            columns.collect::<Vec<_>>().join("\n")
        )
    }

    /// Finds the columns among a file's; the case of the letters and spaces around a name do not matter.
    pub(crate) fn places(&self, file: &Path, header: &[String]) -> Result<Places, ImportError> {
        let named = |name: &str| {
            let found = header.iter().enumerate().filter(move |(_, other)| is(name, other));
            found.map(|(position, _)| position).collect::<Vec<_>>()
        };
        let mut positions = Vec::new();
        for Target { name, .. } in &self.columns {
            match named(name).as_slice() {
                [position] => positions.push(*position),
                [] => {
                    let hint = hint(name, header);
                    return Err(ImportError::NoColumn { file: file.to_owned(), column: name.clone(), hint });
                }
                _ => return Err(ImportError::Twice { file: file.to_owned(), column: name.clone() }),
            }
        }
        let others = header.iter().filter(|other| !self.columns.iter().any(|target| is(&target.name, other)));
        Ok(Places { positions, left_out: others.cloned().collect() })
    }
}

fn is(name: &str, other: &str) -> bool {
    name.eq_ignore_ascii_case(other.trim())
}

/// A guess at what was meant. It names a column of the header only if that is much like the missing one: a file without a
/// header has values there.
fn hint(name: &str, header: &[String]) -> String {
    if let [only] = header {
        let delimiter = [';', '\t', '|', ','].into_iter().find(|delimiter| only.contains(*delimiter));
        if let Some(delimiter) = delimiter {
            return format!(": its header is one field, so say --delimiter '{}'", delimiter.escape_default());
        }
    }
    let alike = |other: &&String| strsim::damerau_levenshtein(name, &other.trim().to_lowercase());
    let nearest =
        header.iter().min_by_key(alike).filter(|other| alike(other) <= 1 + name.chars().count() / 3);
    match nearest {
        Some(nearest) => format!(": did it mean `{}`?", nearest.trim()),
        None => {
            ": its first line names the columns, and each that the policy declares must be there".to_owned()
        }
    }
}
