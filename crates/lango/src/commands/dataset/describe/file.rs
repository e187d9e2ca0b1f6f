//! What stands in files, for people and for programs.

use lango_import::{DescribedColumn, FileDescription};
use serde_json::{Value, json};

use crate::{
    commands::dataset::{
        skeleton::{FileSkeleton, doubts, shape},
        suggestion::{ColumnForm, Suggestion},
    },
    failure::Failure,
    output::{Format, csv_field, foreign, grouped, print, print_json, table},
};

pub fn print_description(skeleton: &FileSkeleton<'_>, policy: bool, format: Format) -> Result<(), Failure> {
    match (policy, format) {
        (true, _) => print(&skeleton.text()),
        (_, Format::Table) => print(&for_people(skeleton)),
        (_, Format::Json) => print_json(&as_json(skeleton)),
        (_, Format::Csv) => print(&csv(skeleton.file)),
    }
}

fn for_people(skeleton: &FileSkeleton<'_>) -> String {
    let FileDescription { rows, columns, notation } = skeleton.file;
    let lines = columns.iter().map(|column| {
        let suggestion = Suggestion::of(column);
        let missing =
            column.missing.iter().map(|(word, rows)| format!("{word} ({})", grouped(rows.cast_signed())));
        vec![
            foreign(&column.name),
            values(column),
            grouped(column.blank.cast_signed()),
            distinct(column),
            key(column).to_owned(),
            missing.collect::<Vec<_>>().join(", "),
            declaration(&suggestion),
        ]
    });
    let head = ["column", "values", "blank", "distinct", "key", "may be missing", "a policy could declare"];
    let columns = table(&head, &[2, 3], lines);
    let names = skeleton.names.iter().map(|name| foreign(name)).collect::<Vec<_>>().join(", ");
    let mut text = format!("{names}  {} rows\n{columns}\n", grouped(rows.cast_signed()));
    for doubt in doubts(notation) {
        text += &format!("{doubt}\n");
    }
    text + &format!("\nonce there is a policy: {}\n", foreign(&skeleton.command()))
}

fn values(column: &DescribedColumn) -> String {
    match column.others {
        0 => shape(column),
        others => format!("{}; {} something else", shape(column), grouped(others.cast_signed())),
    }
}

fn distinct(column: &DescribedColumn) -> String {
    let number = |count: usize| grouped(i64::try_from(count).unwrap_or(i64::MAX));
    match column.values.count() {
        Ok(count) => number(count),
        Err(count) => format!("more than {}", number(count)),
    }
}

fn key(column: &DescribedColumn) -> &'static str {
    match column.unique {
        None => "",
        Some(1) => "unique",
        Some(_) => "unique as far as compared",
    }
}

/// What a policy could declare, in a few words.
fn declaration(suggestion: &Suggestion<'_>) -> String {
    match &suggestion.form {
        ColumnForm::Nothing => "nothing".to_owned(),
        ColumnForm::Countries { written, .. } => {
            let written = written.written_as().map(|word| format!(" written as {word}")).unwrap_or_default();
            format!("codes: countries{written}")
        }
        ColumnForm::Codes { values, .. } if !values.is_empty() => {
            format!("codes: {}", values.join(" "))
        }
        ColumnForm::Codes { .. } | ColumnForm::Text => "codes, or open".to_owned(),
        ColumnForm::Integer => "integer".to_owned(),
        ColumnForm::Amount { scale } => format!("amount, scale {scale}"),
        ColumnForm::Date => "date".to_owned(),
    }
}

fn as_json(skeleton: &FileSkeleton<'_>) -> Value {
    let column = |column: &DescribedColumn| {
        let suggestion = Suggestion::of(column);
        let (list, codes) = match &suggestion.form {
            ColumnForm::Countries { written, .. } => {
                (json!(written.written_as().unwrap_or("alpha-3")), Value::Null)
            }
            ColumnForm::Codes { values, .. } => (Value::Null, json!(values)),
            ColumnForm::Nothing
            | ColumnForm::Text
            | ColumnForm::Integer
            | ColumnForm::Amount { .. }
            | ColumnForm::Date => (Value::Null, Value::Null),
        };
        let count = column.values.count();
        json!({
            "name": column.name,
            "values": shape(column),
            "others": column.others,
            "blank": column.blank,
            "distinct": count.ok(),
            "distinct_more_than": count.err(),
            "unique": column.unique.is_some(),
            "compared_one_in": column.unique,
            "missing": suggestion.missing,
            "declare": suggestion.word(),
            "codes": codes,
            "countries": list,
        })
    };
    let columns: Vec<Value> = skeleton.file.columns.iter().map(column).collect();
    json!({
        "files": skeleton.names,
        "rows": skeleton.file.rows,
        "columns": columns,
        "doubts": doubts(&skeleton.file.notation),
        "import": skeleton.command(),
    })
}

fn csv(file: &FileDescription) -> String {
    let mut text = "column,values,others,blank,distinct,unique,missing,declare\n".to_owned();
    for column in &file.columns {
        let suggestion = Suggestion::of(column);
        let (name, shape) = (csv_field(&column.name), csv_field(&shape(column)));
        let (distinct, missing) = (csv_field(&distinct(column)), csv_field(&suggestion.missing.join(" ")));
        let (others, blank, unique) = (column.others, column.blank, column.unique.is_some());
        let declare = suggestion.word().unwrap_or_default();
        text += &format!("{name},{shape},{others},{blank},{distinct},{unique},{missing},{declare}\n");
    }
    text
}
