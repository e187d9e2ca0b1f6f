//! A diagnostic as people read it: the line itself, and a caret below.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use crate::{Diagnostic, Severity, secrets::secret_parts};

/// The most columns of a terminal.
const COLUMNS: usize = 100;
/// The most characters of a line that are shown, on each side of the place.
const AROUND: usize = 200;

/// A diagnostic in several lines.
pub(crate) fn shown(found: &Diagnostic) -> String {
    let level = match found.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let head = found.severity.as_str().len() + found.code.as_str().len() + "[]: ".len();
    let message = wrapped(&lango_words::line(&found.message), COLUMNS - head);
    let help = found
        .help
        .as_deref()
        .map(|help| wrapped(&lango_words::line(help), COLUMNS - "   = help: ".len() - 4));
    let file = lango_words::line(&found.place.document.file);
    let mut origin = Origin::path(&file);
    let mut snippet = None;
    if let (Some(position), Some((line, span))) = (found.place.position(), found.place.line()) {
        origin = origin.line(position.line).char_column(position.column);
        let (line, span) = visible(line, span);
        let source = Snippet::source(line).line_start(position.line);
        snippet = Some(source.annotation(AnnotationKind::Primary.span(span)));
    }
    let mut group = level.primary_title(message).id(found.code.as_str()).element(origin);
    if let Some(snippet) = snippet {
        group = group.element(snippet);
    }
    if let Some(help) = help {
        group = group.element(Level::HELP.message(help));
    }
    let text = Renderer::plain().term_width(COLUMNS).render(&[group]);
    // The place is named above: what begins below is no further file.
    let lines = text.lines().map(str::trim_end).filter(|line| line.trim_start() != ":::");
    lines.collect::<Vec<_>>().join("\n")
}

/// A line fit for a terminal, without secrets and not longer than is read, and where the place is in it.
fn visible(line: &str, span: Range<usize>) -> (String, Range<usize>) {
    let secret = secret_parts(line);
    let mut text = String::new();
    let (mut begin, mut end) = (None, None);
    let near = |at: usize| at + AROUND >= span.start && at <= span.end + AROUND;
    for (at, c) in line.char_indices() {
        if at >= span.start {
            begin.get_or_insert(text.len());
        }
        if at >= span.end {
            end.get_or_insert(text.len());
        }
        if let Some(part) = secret.iter().find(|part| part.contains(&at)) {
            if at == part.start {
                text.push_str("***");
            }
        } else if c == '\t' {
            text.push(' ');
        } else if near(at) {
            text.push_str(&lango_words::line(c.encode_utf8(&mut [0; 4])));
        }
    }
    let begin = begin.unwrap_or(text.len());
    let end = end.unwrap_or(text.len()).max(begin);
    (text, begin..end)
}

/// Lines of at most `width` characters, cut between words.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').flat_map(|word| pieces(word, width)) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < width => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines.join("\n")
}

/// A word in pieces that fit on a line.
fn pieces(word: &str, width: usize) -> Vec<String> {
    if word.chars().count() < width {
        return vec![word.to_owned()];
    }
    let chars: Vec<char> = word.chars().collect();
    chars.chunks(width.saturating_sub(1).max(1)).map(|piece| piece.iter().collect()).collect()
}
