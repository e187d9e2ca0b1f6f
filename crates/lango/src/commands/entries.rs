//! What is read from top to bottom: a line for each entry, aligned, with its question below.

use time::{OffsetDateTime, macros::format_description};

use crate::{
    failure::Failure,
    output::{foreign, wrapped},
};

/// The letters of a line that stands below an entry.
const WIDTH: usize = 94;

/// An entry: the cells of its line, and the lines below.
pub struct TextEntry<const CELLS: usize> {
    pub head: [String; CELLS],
    pub below: Vec<String>,
}

/// The entries, their cells aligned and what stands below set in.
pub fn entries<const CELLS: usize>(entries: &[TextEntry<CELLS>]) -> String {
    let width = |column: usize| {
        let cells = entries.iter().filter_map(|entry| entry.head.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: [usize; CELLS] = std::array::from_fn(width);
    let mut text = Vec::new();
    for TextEntry { head, below } in entries {
        let cells = head.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        text.push(cells.collect::<Vec<_>>().join("  ").trim_end().to_owned());
        text.extend(below.iter().map(|line| format!("      {line}")));
    }
    text.join("\n")
}

/// Words, in the lines that stand below their entry: none where there are none.
pub fn words_below(text: &str) -> Vec<String> {
    foreign_lines(text, WIDTH)
}

/// A question's text in the lines that stand below its entry.
pub fn question_below(text: &str) -> Vec<String> {
    question_lines(text, WIDTH)
}

/// A question's text in lines of this number of letters.
pub fn question_lines(text: &str, width: usize) -> Vec<String> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("lango-query ")).collect();
    foreign_lines(&lines.join("; "), width)
}

fn foreign_lines(text: &str, width: usize) -> Vec<String> {
    let mut lines = wrapped(&foreign(text), width);
    lines.retain(|line| !line.is_empty());
    lines
}

/// A price: in epsilon, or in rho where it has no pure guarantee.
pub fn price(epsilon: Option<&str>, rho: &str) -> String {
    match epsilon {
        Some(epsilon) => format!("epsilon {epsilon}"),
        None => format!("rho {rho}"),
    }
}

/// A principal without its region, which is that of all.
pub fn in_region(principal: &str) -> String {
    foreign(principal.splitn(4, '/').nth(3).unwrap_or(principal))
}

/// A moment (UTC) to the minute, of Unix seconds.
pub fn minute(at: i64) -> Result<String, Failure> {
    let at = OffsetDateTime::from_unix_timestamp(at)?;
    Ok(at.format(format_description!("[year]-[month]-[day] [hour]:[minute]"))?)
}
