//! A policy's skeleton: what is known of a table, and what only a person can decide.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use lango_privacy::{Code, Name};

use crate::output::foreign;

mod catalogue;
mod file;

pub use catalogue::of_table;
pub use file::{FileSkeleton, shape, table_name};

/// Begins a line that somebody has to decide on.
const OPEN: &str = "#? ";

/// What is known of the office, and of where the table is.
#[derive(Debug, Clone, Copy, Default)]
pub struct TablePlace<'a> {
    pub source: Option<&'a str>,
    pub region: Option<&'a str>,
    pub office: Option<&'a str>,
}

/// What a skeleton is made of.
struct Skeleton<'a> {
    /// What it is from, without the end of the sentence.
    about: String,
    place: TablePlace<'a>,
    dataset: &'a str,
    table: &'a str,
    /// The line of the unit, and those of the columns.
    unit: String,
    columns: Vec<String>,
    /// What to do once all is decided, in comments.
    then: Vec<String>,
    /// What the data leave open, each a line to decide.
    doubts: Vec<String>,
}

impl Skeleton<'_> {
    fn text(&self) -> String {
        let Self { dataset, unit, .. } = self;
        let columns: String = self.columns.iter().map(|line| format!("{line}\n")).collect();
        let (head, rest) = (self.head(), self.rest());
        format!("{head}{unit}\n\n[dataset.{dataset}.column]\n{columns}\n{rest}")
    }

    fn head(&self) -> String {
        let Self { about, place, dataset, .. } = self;
        let office = match place.office {
            Some(office) => format!("office = {}", quoted(office)),
            None => format!("{OPEN}office = \"<OFFICE>\"  # ISO 3166-1 alpha-3"),
        };
        let source = match place.source {
            Some(source) => format!("source = {}", quoted(source)),
            None => {
                format!(
                    "{OPEN}source = \"<SOURCE>\"  # a source with `sqlite` of the gateway's configuration"
                )
            }
        };
        let then: String = self.then.iter().map(|line| format!("# {line}\n")).collect();
        let doubts: String = self.doubts.iter().map(|line| format!("{OPEN}{line}\n")).collect();
        let table = quoted(self.table);
        format!(
            "# A policy's skeleton, {about}.\n\
             # Lines that begin with `{OPEN}` are yours to decide: put what is right in place of each <..> and take the mark away,\n\
             # or remove the line. Bounds of numbers and days come from what a column means, never from the data.\n\
             # Then: docs/POLICIES.md, and `lango doctor`.\n{then}{doubts}\
             policy = 2\n{office}\n\n[dataset.{dataset}]\n\
             {OPEN}title = \"<TITLE>\"  # for people\n\
             {OPEN}kind = \"<KIND>\"  # stock: how many there are at a moment; flow: how many moved during a period\n\
             {source}\ntable = {table}\n\
             {OPEN}version = \"<VERSION>\"  # the data's, as 2024-07-01: a new one when the data change\n\
             {OPEN}rows_below = <MORE>  # more rows than the table will ever have, as 10_000_000: sums and means need it\n"
        )
    }

    fn rest(&self) -> String {
        let dataset = self.dataset;
        let to = match self.place.region {
            Some(region) => format!("to = [{}]", quoted(&format!("spiffe://{region}/analyst/*"))),
            None => format!("{OPEN}to = [\"spiffe://<REGION>/analyst/*\"]  # as ecowas.example"),
        };
        format!(
            "[budget.{dataset}]\naccounting = \"pure\"\n\
             {OPEN}epsilon = <POOL>  # what everyone together may learn in a period, as 8.0\n\
             renews = \"yearly\"\n\n\
             [[grant]]\nid = \"analysts\"\n{to}\npurpose = [\"official-statistics\"]\ndataset = \"{dataset}\"\n\
             {OPEN}measures = [<MEASURES>]  # as \"rows\"\n\
             {OPEN}by = [<COLUMNS>]  # columns of the list above\n\
             by_at_most = 2\n\
             {OPEN}epsilon_per_query = <MOST>  # as 1.0\n\
             {OPEN}epsilon_total = <SHARE>  # as 4.0\n\
             publish = \"office\"\n"
        )
    }
}

/// The line of a unit of which nothing is known.
fn unknown_unit() -> String {
    format!(
        "{OPEN}unit = {{ column = \"<UNIT>\", noun = \"<NOUN>\", rows_at_most = <ROWS> }}  \
         # whose presence is hidden, and how many of its rows are read"
    )
}

/// A dataset's name as questions could use it, from that of its table or file.
fn dataset_name(name: &str) -> String {
    question_name(name, "dataset")
}

/// A name that questions could use for each column: its own where it is one already, and no two alike.
fn question_names<'a>(columns: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, String> {
    let mut named: BTreeMap<&str, String> = BTreeMap::new();
    let mut others = Vec::new();
    for column in columns {
        let name = question_name(column, "column");
        if name == column { drop(named.insert(column, name)) } else { others.push((column, name)) }
    }
    let mut taken: BTreeSet<String> = named.values().cloned().collect();
    let mut next = HashMap::new();
    named.extend(others.into_iter().map(|(column, name)| (column, free(name, &mut taken, &mut next))));
    named
}

/// A column's name of those that [`question_names`] found.
fn name_of<'a>(column: &str, names: &'a BTreeMap<&str, String>) -> &'a str {
    names.get(column).map_or("column", String::as_str)
}

/// A name that is not taken yet; it is taken then. `next` is the number behind each name from which on one may be free.
fn free(name: String, taken: &mut BTreeSet<String>, next: &mut HashMap<String, u32>) -> String {
    let mut found = name.clone();
    let next = next.entry(name.clone()).or_insert(2);
    while !taken.insert(found.clone()) {
        found = format!("{name}_{next}");
        *next += 1;
    }
    found
}

/// A name as questions could use it: small letters, digits and `_`. `otherwise` begins one that has no letter first.
fn question_name(name: &str, otherwise: &str) -> String {
    if name.parse::<Name>().is_ok() && name != "office" {
        return name.to_owned();
    }
    let words: String = name.chars().map(plain).collect();
    let words = words.split('_').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_");
    let begins = words.starts_with(|letter: char| letter.is_ascii_lowercase());
    // No column is named `office`.
    let mut words = match words.as_str() {
        "" => otherwise.to_owned(),
        "office" => format!("{otherwise}_{words}"),
        _ if begins => words,
        _ => format!("{otherwise}_{words}"),
    };
    words.truncate(60);
    words
}

/// The letter of a name that stands for this one.
fn plain(letter: char) -> char {
    match letter {
        'à'..='å' | 'À'..='Å' => 'a',
        'ç' | 'Ç' => 'c',
        'è'..='ë' | 'È'..='Ë' => 'e',
        'ì'..='ï' | 'Ì'..='Ï' => 'i',
        'ñ' | 'Ñ' => 'n',
        'ò'..='ö' | 'Ò'..='Ö' => 'o',
        'ù'..='ü' | 'Ù'..='Ü' => 'u',
        letter if letter.is_ascii_alphanumeric() => letter.to_ascii_lowercase(),
        _ => '_',
    }
}

/// What `from` says of a column whose name is not the one that questions use.
fn from(column: &str, name: &str) -> String {
    if column == name { String::new() } else { format!("from = {}, ", quoted(column)) }
}

/// Whether a text can be declared as a code.
fn is_code(text: &str) -> bool {
    text.parse::<Code>().is_ok() && !text.starts_with('_')
}

/// The labels as a list of codes, if all are codes.
fn listed(labels: &[String]) -> Option<String> {
    let once: BTreeSet<&String> = labels.iter().collect();
    let good = !labels.is_empty() && labels.iter().all(|label| is_code(label)) && once.len() == labels.len();
    good.then(|| labels.iter().map(|label| quoted(label)).collect::<Vec<_>>().join(", "))
}

/// A text as TOML writes it on one line, in characters that are seen.
fn quoted(text: &str) -> String {
    if foreign(text) == text {
        return toml::Value::String(text.to_owned()).to_string();
    }
    let mut quoted = String::from('"');
    for letter in text.chars() {
        let is_seen = foreign(letter.encode_utf8(&mut [0; 4])).starts_with(letter);
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if is_seen => quoted.push(letter),
            letter => quoted += &format!("\\U{:08X}", u32::from(letter)),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests;
