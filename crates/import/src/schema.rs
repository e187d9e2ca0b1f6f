//! What of a file is imported: the unit's column and the declared ones, found by name.

use std::path::Path;

use lango_privacy::{Column, Dataset};
use unicode_normalization::UnicodeNormalization;

use crate::{ImportError, declared::Declared, findings::Finding, options::Rename, value::FieldType};

/// A column of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) field_type: FieldType,
    pub(crate) declared: Declared,
    /// The declaration in words, and the same for the same one.
    described: String,
}

/// The table that the import makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableSchema {
    pub(crate) table: String,
    /// The rows of each unit that the policy allows.
    pub(crate) rows_at_most: u32,
    /// The unit's column first.
    pub(crate) columns: Vec<Target>,
    /// Columns of the files under other names than theirs.
    pub(crate) renames: Vec<Rename>,
}

/// Where a file has the table's columns, by its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// For each column of the table, its position in the file.
    pub(crate) positions: Vec<usize>,
    /// For each column of the table, its name in the file.
    pub(crate) heads: Vec<String>,
    /// The names of the file's other columns.
    pub(crate) left_out: Vec<String>,
}

impl Target {
    fn of(name: &str, field_type: FieldType, column: Option<&Column>) -> Self {
        Self {
            name: name.to_owned(),
            field_type,
            declared: column.map_or_else(Declared::anything, Declared::of),
            described: format!("{name} {:?}", column.map(|column| (&column.domain, &column.reading))),
        }
    }

    /// What is noted of a code or day as the table holds it: what was not read as a day stands there as it was written.
    pub(crate) fn finding(&self, text: &[u8]) -> Option<Finding> {
        let is_read =
            |text: &[u8]| std::str::from_utf8(text).is_ok_and(|text| lango_privacy::day(text) == Some(text));
        match self.declared.of_text(text) {
            Some(Finding::OutsidePeriod) if !is_read(text) => Some(Finding::Unreadable),
            None if self.field_type.is_day() && !is_read(text) => Some(Finding::Unreadable),
            found => found,
        }
    }

    /// The unit's column: of identifiers `missing` says nothing.
    fn of_unit(name: &str, field_type: FieldType, column: Option<&Column>) -> Self {
        let target = Self::of(name, field_type, column);
        Self { declared: target.declared.without_missing(), ..target }
    }
}

impl TableSchema {
    pub(crate) fn of(dataset: &Dataset, renames: &[Rename]) -> Result<Self, ImportError> {
        let unit = &dataset.unit.column;
        // Under their names in the table; those that are made of others stand there once.
        let stored = dataset.ordered_columns().map(|(name, column)| (column.stored_name(name), column));
        let mut declared: Vec<(&str, &Column)> = Vec::new();
        for (name, column) in stored {
            match declared.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)) {
                Some((_, other)) if FieldType::of(other) == FieldType::of(column) => {}
                Some(_) => return Err(ImportError::TwoTypes { column: name.to_owned() }),
                None => declared.push((name, column)),
            }
        }
        let is_unit = |name: &str| name.eq_ignore_ascii_case(unit);
        let declared_too = declared.iter().find(|(name, _)| is_unit(name)).map(|(_, column)| *column);
        let unit_type = declared_too.map_or(FieldType::Word, FieldType::of);
        let unit_type = unit_type.of_identifiers();
        let others = declared.iter().filter(|(name, _)| !is_unit(name));
        let declared = others.map(|(name, column)| Target::of(name, FieldType::of(column), Some(column)));
        let this = Self {
            table: dataset.table.clone(),
            rows_at_most: dataset.unit.rows_at_most,
            columns: std::iter::once(Target::of_unit(unit, unit_type, declared_too))
                .chain(declared)
                .collect(),
            renames: renames.to_owned(),
        };
        this.check_renames()?;
        Ok(this)
    }

    /// The unit's column.
    pub(crate) fn unit(&self) -> &str {
        self.columns.first().map_or("", |target| target.name.as_str())
    }

    /// The column of this name, if the policy declares one.
    pub(crate) fn column(&self, name: &str) -> Result<&Target, ImportError> {
        let found = self.columns.iter().find(|target| target.name.eq_ignore_ascii_case(name));
        found.ok_or_else(|| ImportError::NotDeclared {
            column: name.to_owned(),
            declared: self.columns.iter().map(|target| target.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    /// In words, and the same for the same table.
    pub(crate) fn describe(&self) -> String {
        let columns = self.columns.iter().map(|target| target.described.as_str());
        format!(
            "table {}\nrows at most {}\n{}\n{}",
            self.table,
            self.rows_at_most,
            Rename::describe(&self.renames),
            columns.collect::<Vec<_>>().join("\n")
        )
    }

    fn check_renames(&self) -> Result<(), ImportError> {
        for (at, rename) in self.renames.iter().enumerate() {
            self.column(&rename.to)?;
            let others = self.renames.get(..at).unwrap_or_default();
            if others.iter().any(|other| other.from == rename.from || is(&other.to, &rename.to)) {
                return Err(ImportError::RenamedTwice(rename.clone()));
            }
        }
        // Each name is renamed once, so that following a name's renames ends, or comes back.
        for first in &self.renames {
            let mut to = &first.to;
            for _ in &self.renames {
                if is(to, &first.from) {
                    return Err(ImportError::RenamedInCircles(first.clone()));
                }
                let Some(next) = self.renames.iter().find(|next| is(to, &next.from)) else { break };
                to = &next.to;
            }
        }
        Ok(())
    }

    /// Finds the columns among a file's: one of exactly that name, else the only one that differs in the case of letters and in
    /// spaces around it.
    pub(crate) fn header(&self, file: &Path, header: &[String]) -> Result<Header, ImportError> {
        let renamed = self.renamed(file, header)?;
        let named = |name: &str| {
            let exact = positions(&renamed, |other| other == name);
            if exact.is_empty() { positions(&renamed, |other| is(name, other)) } else { exact }
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
        let heads = positions.iter().filter_map(|position| header.get(*position).cloned()).collect();
        let others = header.iter().enumerate().filter(|(position, _)| !positions.contains(position));
        let left_out = others.map(|(_, other)| other.clone()).collect();
        Ok(Header { positions, heads, left_out })
    }

    /// The header under the names that the options give its columns.
    fn renamed(&self, file: &Path, header: &[String]) -> Result<Vec<String>, ImportError> {
        let mut renamed = header.to_vec();
        for Rename { from, to } in &self.renames {
            let exact: Vec<usize> = positions(header, |name| name == from);
            let found = if exact.is_empty() { positions(header, |name| is(from, name)) } else { exact };
            match found.as_slice() {
                [only] => {
                    if let Some(name) = renamed.get_mut(*only) {
                        name.clone_from(to);
                    }
                }
                [] => {
                    let (column, hint) = (from.clone(), hint(from, header));
                    return Err(ImportError::NoColumn { file: file.to_owned(), column, hint });
                }
                _ => return Err(ImportError::Twice { file: file.to_owned(), column: from.clone() }),
            }
        }
        Ok(renamed)
    }
}

fn positions(header: &[String], which: impl Fn(&str) -> bool) -> Vec<usize> {
    let found = header.iter().enumerate().filter(|(_, name)| which(name));
    found.map(|(position, _)| position).collect()
}

/// Whether two names of columns are one, but for the case of letters, spaces around them, and whether an accent is a letter of
/// its own.
pub(crate) fn is(name: &str, other: &str) -> bool {
    folded(name) == folded(other)
}

/// A column's name without what does not matter in it.
pub(crate) fn folded(name: &str) -> String {
    name.trim().nfc().map(|letter| letter.to_ascii_lowercase()).collect()
}

/// A guess at what was meant. It names a column of the header only if that is much like the missing one: a file without a
/// header has values there.
fn hint(name: &str, header: &[String]) -> String {
    if let [only] = header {
        return one_field(only);
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

/// A guess at what was meant where a header is one field.
pub(crate) fn one_field(only: &str) -> String {
    match [';', '\t', '|', ','].into_iter().find(|delimiter| only.contains(*delimiter)) {
        Some(delimiter) => {
            format!(": its header is one field, so say --delimiter '{}'", delimiter.escape_default())
        }
        None => ": its header is one field; if that is a title, say --skip-lines 1".to_owned(),
    }
}
