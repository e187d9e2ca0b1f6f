//! The skeleton of the table that files become, from what stands in them.

use std::{collections::BTreeMap, path::Path};

use lango_import::{
    DayFormat, DecimalMark, DescribedColumn, FileDescription, FoundNotation, ROWS_SHOWN_LEAST, Thousands,
    ValueShape,
};

use super::{
    OPEN, Skeleton, TablePlace, dataset_name, from, is_code, name_of, question_names, quoted, unknown_unit,
};
use crate::{
    commands::dataset::suggestion::{ColumnForm, Suggestion, UnitColumn},
    output::{counted, foreign, grouped},
};

/// What the skeleton of a table of files is made of.
pub struct FileSkeleton<'a> {
    pub file: &'a FileDescription,
    /// The files as the caller named them.
    pub names: Vec<String>,
    /// The table's name, which is the dataset's too.
    pub table: &'a str,
    pub place: TablePlace<'a>,
    /// The gateway's configuration, if the caller named it.
    pub config: Option<&'a Path>,
    /// Options by which the files were read.
    pub reading: Vec<String>,
}

/// The table's name, from that of its first file.
pub fn table_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut name = name.as_ref();
    for end in [".gz", ".zst", ".csv", ".tsv", ".txt", ".parquet"] {
        let cut = name.len().checked_sub(end.len()).and_then(|at| name.split_at_checked(at));
        if let Some((before, _)) = cut.filter(|(_, found)| found.eq_ignore_ascii_case(end)) {
            name = before;
        }
    }
    dataset_name(name)
}

impl FileSkeleton<'_> {
    pub fn text(&self) -> String {
        let unit = UnitColumn::of(self.file);
        let names = question_names(self.file.columns.iter().map(|column| column.name.as_str()));
        let others = self.file.columns.iter().enumerate();
        let others = others.filter(|(_, column)| unit.column().map(|unit| &unit.name) != Some(&column.name));
        let columns: Vec<String> =
            others.map(|(at, column)| line(&Suggestion::of(column), at, &names)).collect();
        let rows = grouped(self.file.rows.cast_signed());
        let from = self.names.iter().map(|name| foreign(name)).collect::<Vec<_>>().join(", ");
        let units = self.file.counted_by.as_ref();
        let units =
            units.map_or(String::new(), |unit| format!(" and for as many values of {}", listed([unit])));
        let skeleton = Skeleton {
            about: format!(
                "from {from}: all {rows} rows were read. A value is shown where it stands on {ROWS_SHOWN_LEAST} rows or more{units}"
            ),
            place: self.place,
            dataset: self.table,
            table: self.table,
            unit: unit_line(unit, &names),
            columns,
            then: vec![format!("And: {}", foreign(&self.command()))],
            doubts: self.doubts(),
        };
        skeleton.text()
    }

    /// The command that imports the files, with every option that they need. What the files leave open is left open, and no
    /// shell runs it.
    pub fn command(&self) -> String {
        let config = self.config.map_or("gateway.toml".to_owned(), |path| path.display().to_string());
        let fixed = ["lango", "dataset", "import", "--config", &config, "--dataset", self.table];
        let words = fixed.map(str::to_owned).into_iter().chain(self.names.iter().cloned());
        let words = words.chain(self.reading.iter().cloned()).map(|word| in_shell(&word));
        let FoundNotation { marks, days, .. } = &self.file.notation;
        words.chain(numbers_option(marks)).chain(days_option(days)).collect::<Vec<_>>().join(" ")
    }

    /// What the files leave open, or say twice: sentences for a person.
    pub fn doubts(&self) -> Vec<String> {
        let FoundNotation { marks, days, apart, mixed_days } = &self.file.notation;
        let mut doubts = Vec::new();
        if marks.len() > 1 {
            let options = marks.iter().map(|way| format!("--decimal {}", reading(way)));
            let options = options.collect::<Vec<_>>().join(", or ");
            let columns = self.file.columns.iter().filter(|column| column.likely_thousands);
            let columns = listed(columns.map(|column| &column.name));
            doubts.push(format!(
                "The file cannot say how numbers are written ({options}): those of {columns} always have three digits behind a \
                 mark, as thousands have."
            ));
        }
        if days.len() > 1 {
            let formats = days.iter().map(|format| in_shell(&format.to_string()));
            let formats = formats.collect::<Vec<_>>().join(", or ");
            doubts.push(format!("The file cannot say how days are written: {formats}."));
        }
        if !mixed_days.is_empty() {
            doubts.push(format!(
                "Days of {} stand in two notations: a spreadsheet may have swapped day and month in some.",
                listed(mixed_days)
            ));
        }
        if !apart.is_empty() {
            doubts.push(format!(
                "Numbers or days of {} are written in another way than those of other columns, and an import reads one way: \
                 export them alike.",
                listed(apart)
            ));
        }
        if let Some(unit) = UnitColumn::of(self.file).column().filter(|unit| unit.word_rows > 0) {
            let rows = counted(usize::try_from(unit.word_rows).unwrap_or(usize::MAX), "row");
            doubts.push(format!(
                "{}, the likely unit, has a word such as NULL or NA and no identifier on {rows}.",
                listed([&unit.name])
            ));
        }
        for column in &self.file.columns {
            let either = Suggestion::of(column).either.into_iter().map(str::to_owned).collect::<Vec<_>>();
            if !either.is_empty() {
                doubts.push(format!(
                    "Of {}, {} may be a category or say that there is no value: it is listed as a code; if it says that, name \
                     it in `missing`.",
                    listed([&column.name]),
                    listed(&either)
                ));
            }
        }
        doubts
    }
}

/// Names of columns, in a sentence.
fn listed<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(|name| format!("`{}`", foreign(name))).collect::<Vec<_>>().join(", ")
}

/// The options of an import for one way to write numbers, or for each of several.
fn numbers_option(ways: &[(DecimalMark, Option<Thousands>)]) -> Option<String> {
    match ways {
        [] | [(DecimalMark::Point, None)] => None,
        [(DecimalMark::Point, Some(mark))] => Some(format!("--thousands {}", in_shell(mark.text()))),
        [way] => Some(format!("--decimal {}", reading(way))),
        ways => Some(format!("--decimal <{}>", ways.iter().map(reading).collect::<Vec<_>>().join(", or "))),
    }
}

fn days_option(formats: &[DayFormat]) -> Option<String> {
    let mut words = formats.iter().map(|format| in_shell(&format.to_string()));
    match formats {
        [] => None,
        [_] => words.next().map(|format| format!("--dates {format}")),
        _ => Some(format!("--dates <{}>", words.collect::<Vec<_>>().join(" or "))),
    }
}

/// What follows `--decimal` for a way to write numbers.
fn reading((decimal, thousands): &(DecimalMark, Option<Thousands>)) -> String {
    let decimal = match decimal {
        DecimalMark::Point => "point",
        DecimalMark::Comma => "comma",
    };
    let thousands = thousands.map(|mark| format!(" --thousands {}", in_shell(mark.text())));
    format!("{decimal}{}", thousands.unwrap_or_default())
}

/// A word as a shell reads it.
fn in_shell(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:+@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

fn unit_line(unit: UnitColumn<'_>, names: &BTreeMap<&str, String>) -> String {
    let line = |column: &DescribedColumn, rows: &str, why: &str| {
        let name = name_of(&column.name, names);
        let from = from(&column.name, name);
        format!(
            "{OPEN}unit = {{ column = \"{name}\", {from}noun = \"<NOUN>\", rows_at_most = {rows} }}  # {why}"
        )
    };
    match unit {
        UnitColumn::Sole { key, beside: None } => line(
            key,
            "1",
            &format!("another value on every row{}; is it a person's, a household's, ..?", of(key)),
        ),
        UnitColumn::Sole { key, beside: Some(beside) } => line(
            key,
            "1",
            &format!(
                "another value on every row{}; if it is a row's own number, `{}` may be the unit's",
                of(key),
                foreign(&beside.name)
            ),
        ),
        UnitColumn::OneOf(key) => line(
            key,
            "1",
            &format!(
                "by its name, of several with another value on every row{}; is it a person's, ..?",
                of(key)
            ),
        ),
        UnitColumn::Repeated(column) => line(
            column,
            "<ROWS>",
            "by its name alone; a value stands on several rows: how many are read of each?",
        ),
        UnitColumn::Unknown => unknown_unit(),
    }
}

/// How many of the values were compared, where it was not all.
fn of(key: &DescribedColumn) -> String {
    match key.unique {
        None | Some(1) => String::new(),
        Some(one_in) => format!(", as far as one value in {} says", grouped(one_in.cast_signed())),
    }
}

/// A column as the policy could declare it, or why it cannot.
fn line(suggestion: &Suggestion<'_>, at: usize, names: &BTreeMap<&str, String>) -> String {
    let Suggestion { column, form, missing, either: _ } = suggestion;
    let shown = foreign(&column.name);
    let name = name_of(&column.name, names);
    let from = from(&column.name, name);
    let missing = match missing.as_slice() {
        [] => String::new(),
        words => {
            format!(", missing = [{}]", words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", "))
        }
    };
    let declared = |declaration: &str, why: &str| {
        let others = if column.others > 0 { "; some values are something else" } else { "" };
        format!("{OPEN}{name} = {{ {from}{declaration}{missing} }}  # {why}{others}")
    };
    match form {
        ColumnForm::Nothing if column.name.trim().is_empty() => {
            format!("# column {} has no name in the header, and no policy can declare it", at + 1)
        }
        ColumnForm::Nothing if column.is_twice => {
            format!("# {shown} stands in the header more than once: rename all but the one that is meant")
        }
        ColumnForm::Nothing => {
            format!("# {shown} is nested or no text, number or day, which no policy can declare")
        }
        ColumnForm::Text if column.unique.is_some() => {
            format!("# {shown} has another value on every row: it identifies, and is nothing to count by")
        }
        ColumnForm::Countries { written, others, rare } => {
            let written = written.written_as();
            let written = written.map(|word| format!(", written_as = \"{word}\"")).unwrap_or_default();
            let recode = recode(others);
            let why = match (others.len() + rare, rare) {
                (0, _) => "each value is of the list".to_owned(),
                (all, 0) => format!("{} not of the list", values(all)),
                (all, rare) => format!("{} not of the list, {rare} of them on few rows", values(all)),
            };
            declared(&format!("codes = \"iso3166-1-alpha-3\"{written}{recode}"), &why)
        }
        ColumnForm::Codes { values: listed, rare, ignores_case } => {
            let (codes, texts): (Vec<&str>, Vec<&str>) =
                listed.iter().copied().partition(|value| is_code(value));
            // Texts that are no codes need codes to mean, of the list or beside it.
            let open = (codes.is_empty() || !texts.is_empty()).then(|| "<CODES>".to_owned());
            let codes = codes.iter().map(|code| quoted(code)).chain(open).collect::<Vec<_>>().join(", ");
            let case = if *ignores_case { ", case = \"ignore\"" } else { "" };
            let more = match rare {
                0 => String::new(),
                rare => format!("; {} more on few rows", values(*rare)),
            };
            let why = format!("{}{more}", shape(column));
            declared(&format!("codes = [{codes}]{}{case}", recode(&texts)), &why)
        }
        ColumnForm::Text => {
            let why = match column.values.count() {
                Ok(0) => "no row has a value; or integer, amount, date, open = true".to_owned(),
                Ok(count) => {
                    format!("{}, {}; or open = true, recode = \"FILE.csv\"", shape(column), values(count))
                }
                Err(count) => format!(
                    "{}, more than {}; or open = true, recode = \"FILE.csv\"",
                    shape(column),
                    values(count)
                ),
            };
            declared("codes = [<CODES>]", &why)
        }
        ColumnForm::Integer => {
            let unique =
                if column.unique.is_some() { "; another on every row: does it identify?" } else { "" };
            declared(
                "integer = [<LOWEST>, <HIGHEST>], bands = <WIDTH>",
                &format!("{}; or an amount, or codes{unique}", shape(column)),
            )
        }
        ColumnForm::Amount { scale } if column.likely_thousands => declared(
            "amount = [<LOWEST>, <HIGHEST>], scale = <SCALE>",
            &format!("{}: scale {scale} if they are decimals, integer if not", shape(column)),
        ),
        ColumnForm::Amount { scale } => declared(
            &format!("amount = [<LOWEST>, <HIGHEST>], scale = {scale}"),
            &format!("{}; bounds in its own unit", shape(column)),
        ),
        ColumnForm::Date => declared(
            "date = [<FIRST>, <LAST>], bands = \"month\"",
            &format!("{}; bounds as 2024-01-31", shape(column)),
        ),
    }
}

fn recode(texts: &[&str]) -> String {
    match texts {
        [] => String::new(),
        texts => {
            let pairs = texts.iter().map(|text| format!("{} = \"<CODE>\"", quoted(text)));
            format!(", recode = {{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

fn values(count: usize) -> String {
    counted(count, "distinct value")
}

/// What a column's values are, in words.
pub fn shape(column: &DescribedColumn) -> String {
    if column.likely_thousands {
        return "numbers, likely thousands".to_owned();
    }
    match column.shape {
        ValueShape::Nothing => "no value".to_owned(),
        ValueShape::Nested => "nested".to_owned(),
        ValueShape::Whole { has_zeros_in_front: false } => "whole numbers".to_owned(),
        ValueShape::Whole { has_zeros_in_front: true } => "whole numbers, zeros in front".to_owned(),
        ValueShape::Decimal { decimals } => {
            format!(
                "numbers of up to {}",
                counted(usize::try_from(decimals).unwrap_or(usize::MAX), "decimal")
            )
        }
        ValueShape::Day { has_times: false } => "days".to_owned(),
        ValueShape::Day { has_times: true } => "days, some with a time".to_owned(),
        ValueShape::Truth => "truth values".to_owned(),
        ValueShape::Text => "text".to_owned(),
    }
}
