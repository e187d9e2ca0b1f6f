//! From a text to what of it can be read, and in plain words why the rest is not of TOML.

use std::ops::Range;

use toml::de::{DeTable, Error};

use crate::{DiagnosticCode, Reader};

/// The most mistakes of syntax that are found in one document: after each, all of it is read again.
const ROUNDS_MOST: usize = 50;

/// What TOML's parser says, what is wrong in plain words, and what to write. The first whose beginning fits counts.
const WORDS: &[(&str, &str, &str)] = &[
    ("key with no value", "a key stands here without a value", "write `KEY = VALUE`, or `#` before a remark"),
    ("missing value", "no value stands here", "write one behind `=`: text in quotes, or a number"),
    ("string values must be quoted", "this is no value", "write text in quotes, and numbers with a point"),
    ("invalid boolean", "this is no value", "write `true`, `false`, a number, or text in quotes"),
    ("unclosed array table", "the heading is not closed", "close it with `]]`"),
    ("unclosed array", "the list is not closed", "close it with `]`"),
    ("unclosed inline table", "the table is not closed", "close it with `}`"),
    ("unclosed table", "the heading is not closed", "close it with `]`"),
    ("missing comma", "a comma is missing before this", "write `,` between two values"),
    ("extra comma", "this comma is one too many", "take it out"),
    ("extra `=`", "this `=` is one too many", "take it out, or write the text in quotes"),
    ("extra assignment", "this `=` is one too many", "take it out, or write the text in quotes"),
    ("missing assignment", "`=` is missing here", "write `KEY = VALUE`"),
    ("missing key", "no key stands here", "write `KEY = VALUE`"),
    ("unquoted keys cannot be empty", "no key stands here", "write `KEY = VALUE`"),
    (
        "invalid unquoted key",
        "this is no key",
        "a key has letters, digits, `_` and `-`; any other stands in quotes",
    ),
    (
        "unexpected key or value",
        "the line goes on after its value",
        "begin a new line, or close the value before it",
    ),
    (
        "unexpected content",
        "the line goes on after its end",
        "begin a new line, or write `#` before a remark",
    ),
    (
        "invalid basic string",
        "the text is not closed, or holds what TOML has no place for",
        "close it with `\"`; write `\\\\` for `\\`",
    ),
    ("invalid literal string", "the text is not closed", "close it with `'` on the line on which it begins"),
    (
        "missing escaped value",
        "`\\` stands for nothing here",
        "write `\\\\` for `\\`, or the text between `'`",
    ),
    ("unexpected leading zero", "a number begins with no zero", "write it without, or as text in quotes"),
    ("cannot recurse", "the brackets are nested too deep", "write fewer of them within one another"),
    ("recursion limit", "the brackets are nested too deep", "write fewer of them within one another"),
];

/// A text in which what cannot be read is blank, with what that is.
pub(crate) struct Readable {
    pub(crate) text: String,
    /// What cannot be read.
    pub(crate) unread: Vec<Range<usize>>,
}

/// A document's text, as far as it is of TOML. Nothing where it is of another language.
pub(crate) fn readable(reader: &Reader<'_>) -> Option<Readable> {
    let text: &str = &reader.document.text;
    if let Some((code, words)) = other_language(text) {
        reader.findings.tear();
        let blanks = text.len() - text.trim_start().len();
        let first = text.get(blanks..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        return reader.refuse(code, blanks..blanks + first, words);
    }
    let mut read = Readable { text: text.to_owned(), unread: Vec::new() };
    for _ in 0..ROUNDS_MOST {
        let (_, errors) = DeTable::parse_recoverable(&read.text);
        let place = |error: &Error| error.span().unwrap_or(text.len()..text.len());
        let first = errors.iter().filter(|error| is_torn(error)).min_by_key(|error| place(error).start);
        let Some(first) = first else { break };
        let (span, message, help) = in_words(text, first, place(first));
        reader.refuse::<()>(DiagnosticCode::Syntax, span.clone(), (message, help));
        let unread = statement(&read.text, span.start);
        let lines = read.text.get(unread.clone()).unwrap_or_default();
        match lines.trim_start().starts_with('[') {
            true => reader.findings.tear(),
            false => reader.findings.lose(key_of(lines)),
        }
        let blank: String = lines.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
        read.text.replace_range(unread.clone(), &blank);
        read.unread.push(unread);
    }
    Some(read)
}

/// Keeps what is wrong with a text that can be read: what stands twice, and days that are none.
pub(crate) fn check(reader: &Reader<'_>, errors: Vec<Error>) -> Vec<Range<usize>> {
    let text: &str = &reader.document.text;
    let mut found = Vec::new();
    for error in errors {
        let span = error.span().unwrap_or(text.len()..text.len());
        let there = text.get(span.clone()).unwrap_or_default();
        let (code, message, help) = if is_twice(&error) {
            let message = format!("`{there}` stands here a second time");
            (
                DiagnosticCode::DuplicateKey,
                message,
                "keep one: a key of a table, and a table, are written once".to_owned(),
            )
        } else if is_torn(&error) {
            // More of them than rounds.
            let (_, message, help) = in_words(text, &error, span.clone());
            (DiagnosticCode::Syntax, message, help)
        } else {
            let reason = error.message().split_once("expected ").map(|(_, reason)| reason);
            let help = match reason {
                Some(reason) if reason.contains("between") => {
                    format!("write a day of the calendar, with its {reason}")
                }
                Some(_) | None => "write a day as 2026-12-31".to_owned(),
            };
            (DiagnosticCode::NoSuchDay, format!("there is no day `{there}`"), help)
        };
        found.push(span.clone());
        reader.refuse::<()>(code, span, (message, help));
    }
    found
}

fn is_twice(error: &Error) -> bool {
    error.message() == "duplicate key" || error.message().starts_with("cannot extend")
}

/// Whether what is around an error cannot be read.
fn is_torn(error: &Error) -> bool {
    let is_day = error.message().starts_with("invalid date") || error.message().starts_with("invalid time");
    !is_day && !is_twice(error)
}

/// What a text of another language than TOML is, where it is surely one.
fn other_language(text: &str) -> Option<(DiagnosticCode, (&'static str, &'static str))> {
    const REMEDY: &str = "write TOML, as docs/POLICIES.md shows: `office = \"GHA\"`, `[dataset.residents]`";
    if text.starts_with('\u{feff}') {
        let words = ("the file begins with a byte order mark", "save it as UTF-8 without one");
        return Some((DiagnosticCode::ByteOrderMark, words));
    }
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let first = lines.next()?;
    let is_key = |key: &str| {
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    let is_yaml = |line: &str| {
        let keyed = line.split_once(':').filter(|(_, rest)| rest.is_empty() || rest.starts_with(' '));
        line == "---" || keyed.is_some_and(|(key, _)| is_key(key))
    };
    let message = if first.starts_with('{') || first == "[" || first.starts_with("[{") {
        "this is JSON, and not TOML"
    } else if first.starts_with('<') {
        "this is XML, and not TOML"
    } else if is_yaml(first) {
        "this is YAML, and not TOML"
    } else {
        return None;
    };
    Some((DiagnosticCode::NotToml, (message, REMEDY)))
}

/// Whether a line begins something: a heading, or a key with its value.
fn begins(line: &str) -> bool {
    let line = line.trim();
    let heading = line.starts_with('[') && line.ends_with(']') && !line.contains(['"', '\'', ',']);
    let keyed = line.split_once('=').is_some_and(|(key, _)| {
        let key = key.trim();
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.\"".contains(&byte))
    });
    heading || keyed
}

/// The lines of what stands at an offset: from the line that begins it on, up to the next that begins another. A heading takes
/// what stands below it with it: nobody can say what that belongs to.
fn statement(text: &str, offset: usize) -> Range<usize> {
    let at = text.get(..offset).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let mut lines = text.get(at..).unwrap_or_default().split_inclusive('\n');
    let line = lines.next().unwrap_or_default();
    let (start, mut end) = (at, at + line.len());
    let heading = line.trim_start().starts_with('[');
    for line in lines {
        let next = line.trim_start();
        if if heading {
            next.starts_with('[')
        } else {
            begins(line) || next.is_empty() || next.starts_with('#')
        } {
            break;
        }
        end += line.len();
    }
    start..end
}

/// The key of a line.
fn key_of(line: &str) -> &str {
    let line = line.trim_start().trim_start_matches(['"', '\'']);
    let end = line.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(line.len());
    line.get(..end).unwrap_or_default()
}

/// Where an error stands, what it is in words, and what to do.
fn in_words(text: &str, error: &Error, span: Range<usize>) -> (Range<usize>, String, String) {
    let said = error.message();
    // What is not closed is noticed where the next thing begins.
    if let Some((start, closed_by)) = unclosed(text, &span, said) {
        let (what, begins) = if closed_by == ']' { ("list", '[') } else { ("table", '{') };
        let message = format!("the {what} that begins with this `{begins}` is not closed");
        return (start..start + 1, message, format!("close it with `{closed_by}`"));
    }
    let there = text.get(span.clone()).unwrap_or_default();
    let at = text.get(..span.start).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let line = text.get(at..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    if let Some((place, quote)) =
        line.char_indices().find(|(_, c)| matches!(c, '“' | '”' | '„' | '‘' | '’' | '«' | '»'))
    {
        let span = at + place..at + place + quote.len_utf8();
        return (span, format!("`{quote}` is no quote of TOML"), "write the straight one, `\"`".to_owned());
    }
    let key = line.split('=').next().unwrap_or_default();
    if let Some((place, letter)) =
        key.char_indices().find(|(_, c)| !c.is_ascii() && !key.contains(['"', '\'', '#']))
    {
        let span = at + place..at + place + letter.len_utf8();
        let message = format!("`{letter}` (U+{:04X}) is no letter of ASCII", u32::from(letter));
        return (
            span,
            message,
            "type the key anew: some letters of other scripts are drawn alike".to_owned(),
        );
    }
    let is_digit =
        |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)).is_some_and(u8::is_ascii_digit);
    if there.starts_with(',') && is_digit(span.start.checked_sub(1)) && is_digit(Some(span.start + 1)) {
        let words = ("a number has a point, and no comma", "write it as `1.5`, and thousands as `1_000`");
        return (span.start..span.start + 1, words.0.to_owned(), words.1.to_owned());
    }
    let words = WORDS.iter().find(|(begin, ..)| said.starts_with(begin));
    let plain = said.split(", expected").next().unwrap_or(said);
    let (message, help) = words.map_or((plain, ""), |(_, message, help)| (*message, *help));
    let quoted =
        !there.is_empty() && there.len() <= 40 && !there.contains('\n') && message.starts_with("this is no");
    let message =
        if quoted { message.replacen("this", &format!("`{there}`"), 1) } else { message.to_owned() };
    (span, message, help.to_owned())
}

/// The bracket that is not closed before an error, and what would close it: the error stands on a line that begins something
/// else, or at the end.
fn unclosed(text: &str, span: &Range<usize>, said: &str) -> Option<(usize, char)> {
    let brackets = ["array", "inline table", "comma", "boolean", "string values", "assignment"];
    if !brackets.iter().any(|word| said.contains(word)) {
        return None;
    }
    let before = text.get(..span.start)?;
    let at = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text.get(at..)?.lines().next().unwrap_or_default();
    let is_end = text.get(span.start..)?.trim().is_empty();
    // The bracket stands on an earlier line, which begins what is not closed.
    let earlier = if begins(line) && !is_end {
        before.get(..at)?
    } else if is_end {
        before
    } else {
        return None;
    };
    let mut end = earlier.len();
    for line in earlier.split_inclusive('\n').rev() {
        let start = end - line.len();
        if begins(line) && !line.trim_start().starts_with('[') {
            let opened = open_bracket(earlier.get(start..)?)?;
            return Some((start + opened.0, opened.1));
        }
        end = start;
    }
    None
}

/// The last bracket of a text that nothing closes, and what would. Brackets in quotes are none.
fn open_bracket(text: &str) -> Option<(usize, char)> {
    let mut open: Vec<(usize, char)> = Vec::new();
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(closing), c) if c == closing || c == '\n' => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[') => open.push((at, ']')),
            (None, '{') => open.push((at, '}')),
            (None, ']' | '}') => drop(open.pop()),
            (None, _) => {}
        }
    }
    open.pop()
}
