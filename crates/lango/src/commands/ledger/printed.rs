//! Rows of a report for people and for programs.

use serde::Serialize;

use crate::{
    failure::Failure,
    output::{Format, csv_field, print, print_json},
};

/// Prints a report: as a table, which the caller makes, or with a field for each of a row's, in JSON or CSV.
pub(super) fn report<R: Serialize>(
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

fn cell(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => csv_field(text),
        other => other.to_string(),
    }
}

/// What a part of a whole is, as a bar of ten and in percent.
pub(super) fn bar(part: u64, whole: u64) -> String {
    let of = |steps: u64| {
        (u128::from(part) * u128::from(steps)).div_ceil(u128::from(whole.max(1))).min(u128::from(steps))
    };
    let full = of(10) as usize;
    format!("{}{} {:>3} %", "█".repeat(full), "░".repeat(10 - full), of(100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_full_where_nothing_is_left_and_empty_where_nothing_is_used() {
        for (part, whole, expected) in [
            (0, 10, "░░░░░░░░░░   0 %"),
            (1, 1_000, "█░░░░░░░░░   1 %"),
            (5, 10, "█████░░░░░  50 %"),
            (10, 10, "██████████ 100 %"),
            (11, 10, "██████████ 100 %"),
            (0, 0, "░░░░░░░░░░   0 %"),
        ] {
            assert_eq!(bar(part, whole), expected);
        }
    }
}
