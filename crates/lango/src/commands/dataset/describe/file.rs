//! What stands in files, for people and for programs.

use lango_import::{DescribedColumn, FileDescription};
use serde_json::{Value, json};

use crate::{
    commands::dataset::{
        skeleton::{FileSkeleton, shape},
        suggestion::{ColumnForm, Suggestion},
    },
    failure::Failure,
    output::{Format, LINE_WIDTH, csv_field, folded, foreign, grouped, print, print_json, table, wrapped},
};

/// What the table's columns of numbers, keys and missing values take of them, and the blanks between columns.
const OTHERS_WIDTH: usize = 53;
const KEY_WIDTH: usize = 7;
const MISSING_WIDTH: usize = 12;
/// The least and the most that each of its columns of words takes.
const WORDS_WIDTH_LEAST: usize = 15;
const WORDS_WIDTH_MOST: usize = 30;

pub fn print_description(skeleton: &FileSkeleton<'_>, policy: bool, format: Format) -> Result<(), Failure> {
    match (policy, format) {
        (true, _) => print(&skeleton.text()),
        (_, Format::Table) => print(&for_people(skeleton)),
        (_, Format::Json) => print_json(&as_json(skeleton)),
        (_, Format::Csv) => print(&csv(skeleton.file)),
    }
}

fn for_people(skeleton: &FileSkeleton<'_>) -> String {
    let FileDescription { rows, columns, .. } = skeleton.file;
    // What is beside the names' column, but for the two columns of words, takes this much or less.
    let names = columns.iter().map(|column| column.name.chars().count()).max().unwrap_or(0);
    let words = (LINE_WIDTH - OTHERS_WIDTH).saturating_sub(names) / 2;
    let words = words.clamp(WORDS_WIDTH_LEAST, WORDS_WIDTH_MOST);
    let widths = [usize::MAX, words, usize::MAX, usize::MAX, KEY_WIDTH, MISSING_WIDTH, words];
    let lines = columns.iter().flat_map(|column| {
        let suggestion = Suggestion::of(column);
        let missing =
            column.missing.iter().map(|(word, rows)| format!("{word} ({})", grouped(rows.cast_signed())));
        let cells = [
            foreign(&column.name),
            values(column),
            grouped(column.blank.cast_signed()),
            distinct(column, ">"),
            key(column).to_owned(),
            missing.collect::<Vec<_>>().join(", "),
            declaration(&suggestion),
        ];
        folded(&cells, &widths)
    });
    let head = ["column", "values", "blank", "distinct", "key", "missing?", "could declare"];
    let columns = table(&head, &[2, 3], lines);
    let names = skeleton.names.iter().map(|name| foreign(name)).collect::<Vec<_>>().join(", ");
    let mut text = format!("{names}  {} rows\n{columns}\n", grouped(rows.cast_signed()));
    for doubt in skeleton.doubts() {
        text += &format!("{}\n", wrapped(&doubt, LINE_WIDTH).join("\n"));
    }
    text + &format!("\nonce there is a policy: {}\n", foreign(&skeleton.command()))
}

fn values(column: &DescribedColumn) -> String {
    match column.others {
        0 => shape(column),
        others => format!("{}; {} something else", shape(column), grouped(others.cast_signed())),
    }
}

fn distinct(column: &DescribedColumn, more: &str) -> String {
    let number = |count: usize| grouped(i64::try_from(count).unwrap_or(i64::MAX));
    match column.values.count() {
        Ok(count) => number(count),
        Err(count) => format!("{more}{}", number(count)),
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
        ColumnForm::Amount { .. } if suggestion.column.likely_thousands => "amount, or integer".to_owned(),
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
        "doubts": skeleton.doubts(),
        "import": skeleton.command(),
    })
}

fn csv(file: &FileDescription) -> String {
    let mut text = "column,values,others,blank,distinct,unique,missing,declare\n".to_owned();
    for column in &file.columns {
        let suggestion = Suggestion::of(column);
        let (name, shape) = (csv_field(&column.name), csv_field(&shape(column)));
        let (distinct, missing) =
            (csv_field(&distinct(column, "more than ")), csv_field(&suggestion.missing.join(" ")));
        let (others, blank, unique) = (column.others, column.blank, column.unique.is_some());
        let declare = suggestion.word().unwrap_or_default();
        text += &format!("{name},{shape},{others},{blank},{distinct},{unique},{missing},{declare}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::dataset::skeleton::TablePlace;

    /// Describes a file of this text.
    fn of_text(text: &str) -> FileDescription {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, text).unwrap();
        let format = lango_import::FileFormat::of(&path).unwrap();
        let files = [lango_import::ImportFile { path, format }];
        FileDescription::of(&files, &mut |_| std::ops::ControlFlow::Continue(())).unwrap()
    }

    fn skeleton(file: &FileDescription) -> FileSkeleton<'_> {
        let (names, place) = (vec!["a.csv".to_owned()], TablePlace::default());
        FileSkeleton { file, names, table: "residents", place, config: None, reading: Vec::new() }
    }

    #[test]
    fn a_word_that_may_be_a_category_is_a_question_and_a_country_is_none() {
        let levels = ["None", "Primary", "Secondary", "NA"];
        let levels_fr = ["Aucun", "Primaire", "Secondaire", "NA"];
        let born = ["GHA", "TGO", "BEN", "None"];
        let row =
            |n: usize| format!("P{n},{},{},{},{}\n", levels[n % 4], levels_fr[n % 4], born[n % 4], n % 4);
        let rows: String = (0..200).map(row).collect();
        let file = of_text(&format!("person_id,educlvl,niveau,birth,children\n{rows}"));
        let skeleton = skeleton(&file);
        let text = skeleton.text();
        assert!(
            text.contains("codes = [\"None\", \"Primary\", \"Secondary\"], missing = [\"NA\"]"),
            "{text}"
        );
        assert!(text.contains("codes = [\"Aucun\", \"Primaire\", \"Secondaire\"]"), "{text}");
        assert!(text.contains("codes = \"iso3166-1-alpha-3\", missing = [\"None\"]"), "{text}");
        assert_eq!(
            skeleton.doubts(),
            [("educlvl", "None"), ("niveau", "Aucun")].map(|(column, word)| format!(
                "Of `{column}`, `{word}` may be a category or say that there is no value: it is listed as a code; if it says that, name \
                 it in `missing`."
            ))
        );
    }

    #[test]
    fn a_usual_files_table_is_no_wider_than_a_terminal() {
        let row = |n: usize| {
            let (size, born) = (n % 9, ["C\u{f4}te d'Ivoire", "Burkina Faso", "not stated"][n % 3]);
            format!("{n:04},{size},{born},0{size},\"1,{}\",{n}.25,NA\n", 200 + n % 700)
        };
        let rows: String = (0..1_500).map(row).collect();
        let header = "person_id,household_size,country_of_birth,region,income,weight,x";
        let file = of_text(&format!("{header}\n{rows}"));
        let skeleton = skeleton(&file);
        let text = for_people(&skeleton);
        for said in ["whole numbers,", "zeros in front", ">1,000", "not stated", "(500)", "missing?"] {
            assert!(text.contains(said), "{said}\n{text}");
        }
        let (shown, _) = text.split_once("once there is a policy").unwrap();
        assert!(shown.lines().all(|line| line.chars().count() <= LINE_WIDTH), "{text}");
    }
}
