//! What is printed: tables for people, JSON and CSV for programs.

use std::time::Duration;

use clap::ValueEnum;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, TableStyle};
use indicatif::{ProgressBar, ProgressStyle};
use lango_words::thousands;
use serde::Serialize;
use time::OffsetDateTime;

use crate::failure::Failure;

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned, for people.
    Table,
    /// Stable field names, for programs.
    Json,
    /// One row a cell, for spreadsheets.
    Csv,
}

/// Prints a text of several lines to standard output, and nothing that is not seen, wherever it came from; the reader may stop
/// reading.
pub fn print(text: &str) -> Result<(), Failure> {
    write_out(&lango_words::lines(text.trim_end()))
}

/// Prints a value as JSON: every character of it, those that are not seen escaped.
pub fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    write_out(&json(value)?)
}

/// Prints a report: as a table, which the caller makes, or with a field for each of a row's, in JSON or CSV.
pub fn report<R: Serialize>(
    format: Format,
    rows: &[R],
    table: impl FnOnce(&[R]) -> String,
) -> Result<(), Failure> {
    match format {
        Format::Table => print(&table(rows)),
        Format::Json => print_json(&serde_json::to_value(rows)?),
        Format::Csv => {
            let rows = serde_json::to_value(rows)?;
            let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
            let rows: Vec<_> = rows.iter().filter_map(serde_json::Value::as_object).collect();
            let header = rows.first().map(|row| row.keys().cloned().collect::<Vec<_>>().join(","));
            let lines = rows.iter().map(|row| row.values().map(cell).collect::<Vec<_>>().join(","));
            print(&header.into_iter().chain(lines).collect::<Vec<_>>().join("\n"))
        }
    }
}

/// A field of a CSV row, on one line: lines of a text, such as a question's, are parted by semicolons.
pub fn cell(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => csv_field(&text.trim_end_matches('\n').replace('\n', "; ")),
        other => other.to_string(),
    }
}

/// A value as a JSON text of several lines.
pub fn json(value: &serde_json::Value) -> Result<String, Failure> {
    Ok(lango_words::json_escaped(&serde_json::to_string_pretty(value)?))
}

/// Says a text of several lines on standard error.
pub fn say(text: &str) {
    use std::io::Write;
    // Nobody may be there to read it.
    let _ = writeln!(std::io::stderr().lock(), "{}", lango_words::lines(text));
}

fn write_out(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// The columns of a terminal that a line for people takes.
pub const LINE_WIDTH: usize = 100;

/// Lines above, below and under the header; none between rows.
const LINES: TableStyle = {
    let line = LineStyle::none().fill('─').junction('─');
    TableStyle::new().top_border(line).header_separator(line).bottom_border(line)
};

/// An aligned table; columns named in `right` hold numbers.
pub fn table(header: &[&str], right: &[usize], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(LINES).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.iter().map(|name| foreign(name)));
    table.add_rows(rows.into_iter().map(|row| row.iter().map(|cell| foreign(cell)).collect::<Vec<_>>()));
    for position in right {
        if let Some(column) = table.column_mut(*position) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

/// The day of a Unix time, in UTC: `2026-01-31`.
pub fn day(at: i64) -> String {
    OffsetDateTime::from_unix_timestamp(at).map_or_else(|_| at.to_string(), |time| time.date().to_string())
}

/// How long ago something was.
pub fn ago(then: i64, now: i64) -> String {
    let s = usize::try_from(now.saturating_sub(then)).unwrap_or(0);
    let (count, unit) = match s {
        0..120 => return "just now".to_owned(),
        120..7_200 => (s / 60, "minute"),
        7_200..172_800 => (s / 3_600, "hour"),
        _ => (s / 86_400, "day"),
    };
    format!("{} ago", counted(count, unit))
}

/// `a, b or c`.
pub fn either(words: &[String]) -> String {
    joined(words, "or")
}

/// `a, b and c`.
pub fn listed(words: &[String]) -> String {
    joined(words, "and")
}

fn joined(words: &[String], last: &str) -> String {
    match words {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// How many there are of something: `1 grant`, `2 grants`.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// How many there are of something, with thousands set apart.
pub fn count(number: u64) -> String {
    thousands(&number.to_string())
}

/// A whole number with thousands set apart: `-1,234`.
pub fn grouped(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}", thousands(&digits))
}

/// A number with `decimals` decimals, its thousands set apart: `-1,234.50`.
pub fn number(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    // No sign before a number that is shown as nothing.
    let nothing = text.chars().all(|digit| matches!(digit, '0' | '.'));
    let sign = if value < 0.0 && !nothing { "-" } else { "" };
    let point = if part.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{part}", if value.is_finite() { thousands(whole) } else { whole.to_owned() })
}

/// How many decimals show `digits` digits of a number, and no more than nine.
pub fn decimals(value: f64, digits: i32) -> usize {
    // Out of the range of floats, and 0, none are shown.
    let magnitude = value.abs().log10().floor().clamp(-300.0, 300.0) as i32;
    if value == 0.0 { 0 } else { usize::try_from(digits - 1 - magnitude).unwrap_or(0).min(9) }
}

/// An error with three digits: `2.83`, `0.0123`, `1,234`.
pub fn brief(error: f64) -> String {
    number(error, decimals(error, 3))
}

/// Somebody else's words on one line, fit for a terminal: what is not seen is shown as such.
pub use lango_words::line as foreign;

/// A text in lines of at most `width` characters, cut between words.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A table's row as several, of which each cell is cut between words to its column's width.
pub fn folded(cells: &[String], widths: &[usize]) -> Vec<Vec<String>> {
    let cells: Vec<Vec<String>> =
        cells.iter().zip(widths).map(|(cell, width)| wrapped(cell, *width)).collect();
    let rows = cells.iter().map(Vec::len).max().unwrap_or(0);
    (0..rows)
        .map(|row| cells.iter().map(|lines| lines.get(row).cloned().unwrap_or_default()).collect())
        .collect()
}

/// A sign that work goes on and how long it has, drawn only where standard error is a terminal.
pub fn spinner(message: String) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg}  {elapsed}");
    let spinner = ProgressBar::new_spinner()
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
        .with_message(message);
    spinner.enable_steady_tick(Duration::from_millis(120));
    spinner
}

/// A progress bar, drawn only where standard error is a terminal.
pub fn bar(template: &str, length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(template);
    ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// A field of a CSV row that no spreadsheet runs.
pub use lango_words::csv_field;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (value, text) in [
            (0, "0"),
            (-7, "-7"),
            (1_234, "1,234"),
            (-123_456, "-123,456"),
            (i64::MIN, "-9,223,372,036,854,775,808"),
        ] {
            assert_eq!(grouped(value), text);
        }
    }

    #[test]
    fn numbers_have_as_many_decimals_as_their_error_supports() {
        for (value, decimals, text) in [
            (0.0, 0, "0"),
            (-0.4, 0, "0"),
            (-0.4, 1, "-0.4"),
            (-0.04, 1, "0.0"),
            (1_234.5, 0, "1,234"),
            (-1_234_567.126, 2, "-1,234,567.13"),
            (0.012_345, 4, "0.0123"),
            (f64::INFINITY, 2, "inf"),
            (f64::NEG_INFINITY, 2, "-inf"),
        ] {
            assert_eq!(number(value, decimals), text);
        }
        for (error, text) in [
            (0.0, "0"),
            (2.828, "2.83"),
            (0.012_345, "0.0123"),
            (1_234.5, "1,234"),
            (99.97, "100.0"),
            (1e-12, "0.000000000"),
        ] {
            assert_eq!(brief(error), text);
        }
    }

    #[test]
    fn a_text_is_cut_between_words() {
        for (text, width, lines) in [
            ("", 5, vec![""]),
            ("one two", 7, vec!["one two"]),
            ("one two", 6, vec!["one", "two"]),
            ("a word-that-is-long b", 5, vec!["a", "word-that-is-long", "b"]),
        ] {
            assert_eq!(wrapped(text, width), lines);
        }
    }

    #[test]
    fn a_row_is_folded_between_words() {
        let cells = ["id", "whole numbers, zeros in front"].map(str::to_owned);
        assert_eq!(folded(&cells, &[5, 15]), [["id", "whole numbers,"], ["", "zeros in front"]]);
        assert_eq!(folded(&cells, &[1, usize::MAX]), [cells]);
    }

    #[test]
    fn a_table_shows_what_is_not_seen() {
        let text = table(
            &["key\u{200b}", "value"],
            &[1],
            [vec!["\u{1b}[31mred\u{202e}".to_owned(), "1".to_owned()]],
        );
        assert!(text.contains("\u{fffd}[31mred\u{fffd}") && text.contains("key\u{fffd}"), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{200b}']), "{text:?}");
    }

    #[test]
    fn a_value_keeps_its_characters_in_json_and_shows_them() {
        let value = serde_json::json!({ "key": "\u{202e}é" });
        let text = json(&value).unwrap();
        assert_eq!(text, "{\n  \"key\": \"\\u202eé\"\n}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
