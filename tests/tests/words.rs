//! The words of the project: one noun has one meaning, and what was said with worn words is said with plain ones.
//!
//! A file's comments, messages, names and prose are all its text, so all of it is searched.

// What a test needs and does not get is its failure, in its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Words that were replaced, with what stands in their place.
const REPLACED: &[(&str, &str)] = &[
    ("tell", "report, print or say"),
    ("tells", "reports, prints or says"),
    ("told", "reported, printed or said"),
    ("telling", "reporting, printing or saying"),
    ("so many", "N, or a number of"),
    ("so much", "an amount, by its name"),
    ("so long", "a time, by its name"),
    ("whoever", "the caller, or anyone who"),
    ("mend", "fix"),
    ("mends", "fixes"),
    ("mended", "fixed"),
    ("mending", "fixing"),
    ("where absent", "by default"),
    ("bear", "cover"),
    ("bears", "covers"),
    ("borne", "covered"),
    ("heard", "received"),
    ("manner", "way"),
    ("look", "examine, search or inspect"),
    ("looked at", "examined"),
    ("looked for", "searched for"),
    ("everything is denied that no", "a request is denied unless a grant allows it"),
];

/// Nouns that once had several meanings. Each names one type at most, a private one or a test's included.
const ONE_MEANING: &[&str] = &[
    "Answer",
    "Asked",
    "Cell",
    "Config",
    "Error",
    "Event",
    "Fault",
    "Held",
    "Kind",
    "Member",
    "Query",
    "Refusal",
    "Report",
    "Shape",
    "State",
    "Statement",
    "Table",
];

/// Where a replaced word is another's: the file, the text around it, and why it stays.
const KEPT: &[(&str, &str, &str)] = &[];

/// A file that speaks of the words themselves.
const ABOUT_WORDS: &str = "tests/tests/words.rs";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().canonicalize().unwrap()
}

/// The project's files of text that people write, by their paths from the root.
fn texts() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if [".git", "target", "lango-demo", "tables", "Cargo.lock", "LICENSE"].contains(&name) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                found.push((path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned(), text));
            }
        }
    }
    found.sort();
    assert!(found.len() > 200, "{}", found.len());
    found
}

/// A text in lower-case words with one space between, so that names of code and lines that wrap are read as words are:
/// `whoIsTold`, `WAS_TOLD` and `told_all` each hold `told`. With the line that each byte came from.
fn plain(text: &str) -> (String, Vec<usize>) {
    let (mut words, mut lines) = (String::from(" "), vec![1]);
    let mut line = 1;
    let mut before = ' ';
    for c in text.chars() {
        line += usize::from(c == '\n');
        let begins = c.is_ascii_uppercase() && before.is_ascii_lowercase();
        // What hyphens join is one word.
        let separates = !(c.is_alphanumeric() || c == '\'' || (c == '-' && before.is_alphanumeric()));
        if (begins || separates) && !words.ends_with(' ') {
            words.push(' ');
            lines.push(line);
        }
        if !separates {
            words.push(c.to_ascii_lowercase());
            lines.resize(words.len(), line);
        }
        before = c;
    }
    words.push(' ');
    lines.push(line);
    (words, lines)
}

/// The lines on which a text holds a phrase, as whole words.
fn lines_with(phrase: &str, (words, lines): &(String, Vec<usize>)) -> Vec<usize> {
    let whole = format!(" {phrase} ");
    // The space behind one may be the space before the next.
    let starts = words.match_indices(&whole[..whole.len() - 1]).map(|(at, _)| at);
    starts.filter(|at| words[*at..].starts_with(&whole)).map(|at| lines[at + 1]).collect()
}

#[test]
fn replaced_words_do_not_come_back() {
    let mut found = Vec::new();
    for (file, text) in texts() {
        if file == ABOUT_WORDS {
            continue;
        }
        let plain = plain(&text);
        for (phrase, instead) in REPLACED {
            for line in lines_with(phrase, &plain) {
                let written = text.lines().nth(line - 1).unwrap_or_default().trim();
                let kept = KEPT.iter().any(|(of, around, _)| *of == file && written.contains(around));
                if !kept {
                    found.push(format!("{file}:{line}: `{phrase}`: {instead}: {written}"));
                }
            }
        }
    }
    assert!(found.is_empty(), "{} replaced words:\n{}", found.len(), found.join("\n"));
}

#[test]
fn words_are_found_in_prose_and_in_names() {
    for (text, phrase, lines) in [
        ("It was told.\nIt tells.", "told", vec![1]),
        ("let was_told = TOLD;\nwasTold()", "told", vec![1, 1, 2]),
        ("retold untold toldest", "told", vec![]),
        ("/// so\n/// many rows", "so many", vec![2]),
        ("so,\nmany", "so many", vec![2]),
        ("a look at it, a look-up", "look", vec![1]),
        ("fn look(look: u8) {\n    self.look()", "look", vec![1, 1, 2]),
        ("enum Manner {", "manner", vec![1]),
    ] {
        let found = lines_with(phrase, &plain(text));
        // Of a phrase that wraps, the line is where it begins or ends.
        assert_eq!(found.len(), lines.len(), "{text}");
        assert!(
            found.iter().zip(&lines).all(|(found, line)| found.abs_diff(*line) <= 1),
            "{text}: {found:?}"
        );
    }
}

/// The types that a file declares: whether it is public, and its name. What a trait calls its own is none.
fn types(text: &str) -> Vec<(bool, &str)> {
    text.lines().filter_map(declared).collect()
}

/// The type that a line declares.
fn declared(line: &str) -> Option<(bool, &str)> {
    let item = line.trim_start();
    let rest = item.strip_prefix("pub").unwrap_or(item);
    let rest = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or(rest, |(_, rest)| rest);
    let (keyword, rest) = rest.trim_start().split_once(' ')?;
    let is_alias = keyword == "type" && (line == item || item.starts_with("pub"));
    let is_type = is_alias || ["struct", "enum", "trait", "union"].contains(&keyword);
    let name = rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next();
    name.filter(|name| is_type && !name.is_empty()).map(|name| (item.starts_with("pub "), name))
}

/// The files that declare each type, of those that are wanted.
fn homes(wanted: impl Fn(&str, bool, &str) -> bool) -> BTreeMap<String, Vec<String>> {
    let mut homes = BTreeMap::<String, Vec<String>>::new();
    for (file, text) in texts() {
        for (is_public, name) in if file.ends_with(".rs") { types(&text) } else { Vec::new() } {
            if wanted(&file, is_public, name) {
                homes.entry(name.to_owned()).or_default().push(file.clone());
            }
        }
    }
    homes
}

/// The names that stand twice.
fn twice(homes: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let several = homes.iter().filter(|(_, files)| files.len() > 1);
    several.map(|(name, files)| format!("{name}: {}", files.join(", "))).collect()
}

#[test]
fn no_public_type_has_a_name_that_another_has() {
    let homes =
        homes(|file, is_public, _| is_public && file.starts_with("crates/") && file.contains("/src/"));
    assert!(homes.len() > 100, "{}", homes.len());
    let twice = twice(&homes);
    assert!(twice.is_empty(), "{} names stand twice:\n{}", twice.len(), twice.join("\n"));
}

#[test]
fn a_noun_that_had_several_meanings_has_one() {
    let homes = homes(|file, _, name| file != ABOUT_WORDS && ONE_MEANING.contains(&name));
    let twice = twice(&homes);
    assert!(twice.is_empty(), "{} nouns have several meanings:\n{}", twice.len(), twice.join("\n"));
}

#[test]
fn types_are_found_as_rust_declares_them() {
    let text = "pub struct A;\npub(crate) struct B;\n    pub enum C<T> {\npub trait D: E {\npub type F<T> = G;\nstruct H;
pub fn type_of() {}\n    type Error = I;\n    struct J;\npub(in crate::k) enum L {}";
    let public = ["A", "C", "D", "F"].map(|name| (true, name));
    let private = ["B", "H", "J", "L"].map(|name| (false, name));
    let mut found = types(text);
    found.sort_unstable_by_key(|(is_public, name)| (!is_public, *name));
    assert_eq!(found, [public, private].concat());
}

/// The most characters of a line of prose: in manuals, comments and scripts. Code is as wide as `rustfmt.toml` says, but for
/// texts in quotes, which stand whole.
const WIDTH_MOST: usize = 130;

/// Whether a line is held to the width: neither a row of a table nor an address, which cannot be broken, nor code that quotes a
/// text.
fn is_prose(path: &Path, line: &str) -> bool {
    let (extension, text) = (path.extension().and_then(|extension| extension.to_str()), line.trim_start());
    match extension {
        Some("rs" | "proto") => text.starts_with("//"),
        Some("ftl" | "toml") => text.starts_with('#'),
        Some("json" | "txt" | "csv") => false,
        Some("md") => !text.starts_with('|'),
        _ => true,
    }
}

#[test]
fn lines_are_as_wide_as_is_declared_and_no_wider() {
    let mut wide = Vec::new();
    for (path, text) in texts() {
        for (number, line) in text.lines().enumerate() {
            if is_prose(Path::new(&path), line) && line.chars().count() > WIDTH_MOST && !line.contains("://")
            {
                wide.push(format!("{path}:{}", number + 1));
            }
        }
    }
    assert!(wide.is_empty(), "more than {WIDTH_MOST} characters: {wide:#?}");
    for (path, line, held) in [
        ("a.rs", "    /// prose", true),
        ("a.rs", "    \"a text\"", false),
        ("a.md", "| a | row |", false),
        ("a.md", "prose", true),
        ("run", "# prose", true),
        ("en.ftl", "code = words", false),
    ] {
        assert_eq!(is_prose(Path::new(path), line), held, "{path}: {line}");
    }
}
