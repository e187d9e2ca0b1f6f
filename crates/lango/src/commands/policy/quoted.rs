//! How sentences and lines of a policy are shown: wrapped, and quoted with their file and their numbers.

use lango_document::TextPlace;
use serde_json::{Value, json};

use crate::output;

/// The most columns of a terminal.
const COLUMNS: usize = 100;

/// A sentence in lines that fit, each behind the same blanks.
pub fn wrapped(text: &str, indent: &str) -> String {
    let lines = output::wrapped(text, COLUMNS - indent.len());
    lines.iter().map(|line| format!("{indent}{line}")).collect::<Vec<_>>().join("\n")
}

/// The lines of some places: each once, in order, below the name of its file.
pub fn quoted<'a>(places: impl IntoIterator<Item = &'a TextPlace>) -> String {
    let mut text = String::new();
    let mut file = "";
    let lines = distinct(places);
    let width = lines.iter().map(|(_, number, _)| number.to_string().len()).max().unwrap_or_default();
    for (of, number, line) in lines {
        if of != file {
            text += &format!("  {of}\n");
            file = of;
        }
        text += format!("  {number:>width$} | {line}").trim_end();
        text.push('\n');
    }
    text
}

/// The lines of a place whose file is named above.
pub fn lines(place: Option<&TextPlace>) -> String {
    let lines = place.map(TextPlace::lines).unwrap_or_default();
    lines.iter().map(|(number, line)| format!("{}\n", format!("    {number} | {line}").trim_end())).collect()
}

/// The lines of some places, for programs.
pub fn lines_json<'a>(places: impl IntoIterator<Item = &'a TextPlace>) -> Value {
    let one = |(file, line, text)| json!({ "file": file, "line": line, "text": text });
    distinct(places).into_iter().map(one).collect()
}

/// A place as people write it: `policies/gha.toml:31`.
pub fn spot(place: Option<&TextPlace>) -> String {
    let Some(place) = place else { return String::new() };
    match place.position() {
        Some(position) => format!("{}:{}", place.document.file, position.line),
        None => place.document.file.to_string(),
    }
}

fn distinct<'a>(places: impl IntoIterator<Item = &'a TextPlace>) -> Vec<(&'a str, usize, &'a str)> {
    let lines = places.into_iter().flat_map(|place| {
        place.lines().into_iter().map(|(number, line)| (&*place.document.file, number, line))
    });
    let mut lines: Vec<_> = lines.collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}
