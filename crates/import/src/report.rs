//! The result of an import, and what it reports on the way.

use std::path::PathBuf;

use crate::findings::{Findings, FoundValues, RowPlace};

/// The result of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    /// Rows imported, those of an interrupted run included.
    pub rows: u64,
    /// The columns of the table; the unit's is the first.
    pub columns: Vec<ImportedColumn>,
    /// The files' other columns, which were left out.
    pub left_out: Vec<String>,
    /// The files, in the order of their rows.
    pub files: Vec<NamedFile>,
    /// Whether the unit is a key of the table; unknown where the import failed before.
    pub key: Option<UnitKey>,
    /// What was found in each of the files.
    pub(crate) parts: Vec<FilePart>,
}

/// What one file is to the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FilePart {
    pub(crate) rows: u64,
    /// For each column of the table, what was found among the file's values.
    pub(crate) findings: Vec<Findings>,
}

/// A file that places are named by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFile {
    /// Its path.
    pub path: PathBuf,
    /// Whether places are lines, as in a text file, or rows.
    pub by_line: bool,
}

/// A column of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedColumn {
    /// Its name.
    pub name: String,
    /// The type of its values, in a word.
    pub type_name: &'static str,
    /// What was found among its values.
    pub findings: Findings,
}

/// Whether the catalogue vouches for one row of each unit. The policy decides it, never the rows: a file whose rows do not allow
/// the key that the policy asks for is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitKey {
    /// It does: the unit is a unique key.
    Unique,
    /// The policy allows several rows.
    NotWanted,
}

/// Which end of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileEdge {
    /// Its first row.
    First,
    /// Its last row.
    Last,
}

/// What makes a first or a last row a total or a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TotalRow {
    /// It has no identifier.
    Nameless,
    /// Its identifier has no digit, and a code or day is missing or not declared.
    NoDigit,
}

/// What an import reports on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportEvent {
    /// An interrupted import goes on after this number of rows.
    Resumed(u64),
    /// An interrupted import cannot go on, because this differs; it starts afresh.
    Afresh(&'static str),
    /// Rows were put in.
    Read {
        /// Bytes of the files that were read.
        bytes: u64,
        /// The files' size.
        of: u64,
        /// Rows so far.
        rows: u64,
    },
    /// All rows are in, and compared with one another.
    Comparing,
    /// The unit's key is made.
    Keying,
}

impl ImportReport {
    /// The files that hold no row.
    pub fn without_rows(&self) -> impl Iterator<Item = &NamedFile> {
        let files = self.files.iter().zip(&self.parts);
        files.filter(|(_, part)| part.rows == 0).map(|(file, _)| file)
    }

    /// The places of some values in words: `lines 2, 4, ..`.
    pub fn places(&self, counted: &FoundValues) -> String {
        places(&self.files, &counted.first, counted.count)
    }
}

/// Places in words: `lines 2, 4, ..`, `row 3`, or of several files `a.csv line 2, b.parquet row 4`; dots follow where there are
/// more than are named.
pub(crate) fn places(files: &[NamedFile], places: &[RowPlace], count: u64) -> String {
    let by_line = |place: &RowPlace| files.get(place.file).is_none_or(|file| file.by_line);
    let numbers: Vec<String> = match files {
        [_, _, ..] => places
            .iter()
            .map(|place| {
                let name = files.get(place.file).and_then(|file| file.path.file_name()).unwrap_or_default();
                let word = if by_line(place) { "line" } else { "row" };
                format!("{} {word} {}", name.to_string_lossy(), place.line)
            })
            .collect(),
        [] | [_] => places.iter().map(|place| place.line.to_string()).collect(),
    };
    let word = match (places, files) {
        (_, [_, _, ..]) | ([], _) => "",
        ([only], _) => {
            if by_line(only) {
                "line "
            } else {
                "row "
            }
        }
        ([first, ..], _) => {
            if by_line(first) {
                "lines "
            } else {
                "rows "
            }
        }
    };
    let more = if count > places.len() as u64 { ", .." } else { "" };
    format!("{word}{}{more}", numbers.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_named_by_line_or_row_and_by_file_where_there_are_several() {
        let file = |name: &str, by_line| NamedFile { path: name.into(), by_line };
        let at = |file, line| RowPlace { file, line };
        let (one, rows) = (vec![file("a.csv", true)], vec![file("a.parquet", false)]);
        let two = vec![file("x/a.csv", true), file("x/b.parquet", false)];
        for (files, list, count, expected) in [
            (&one, vec![at(0, 2)], 1, "line 2"),
            (&one, vec![at(0, 2), at(0, 4)], 2, "lines 2, 4"),
            (&one, vec![at(0, 2), at(0, 4)], 3, "lines 2, 4, .."),
            (&rows, vec![at(0, 2)], 1, "row 2"),
            (&two, vec![at(0, 2), at(1, 4)], 9, "a.csv line 2, b.parquet row 4, .."),
        ] {
            assert_eq!(places(files, &list, count), expected);
        }
    }
}
