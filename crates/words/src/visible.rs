//! What is shown in the place of characters that nobody sees, and of text that a spreadsheet would run.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// What stands where a character is not shown.
const REPLACEMENT: char = '\u{fffd}';
/// The most characters of a stranger's text in a log line.
const PRINTABLE_MOST: usize = 120;

/// Whether a character is seen for what it is: no control, no direction, no invisible joiner, nothing that other programs
/// take for a line's end, nothing without a meaning that all agree on.
fn is_visible(c: char) -> bool {
    // Nearly all of what is printed, at a comparison instead of a search in a table.
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    let shows = match c.general_category() {
        GeneralCategory::Control
        | GeneralCategory::Format
        | GeneralCategory::LineSeparator
        | GeneralCategory::ParagraphSeparator
        | GeneralCategory::PrivateUse
        | GeneralCategory::Surrogate
        | GeneralCategory::Unassigned => false,
        GeneralCategory::UppercaseLetter
        | GeneralCategory::LowercaseLetter
        | GeneralCategory::TitlecaseLetter
        | GeneralCategory::ModifierLetter
        | GeneralCategory::OtherLetter
        | GeneralCategory::NonspacingMark
        | GeneralCategory::SpacingMark
        | GeneralCategory::EnclosingMark
        | GeneralCategory::DecimalNumber
        | GeneralCategory::LetterNumber
        | GeneralCategory::OtherNumber
        | GeneralCategory::ConnectorPunctuation
        | GeneralCategory::DashPunctuation
        | GeneralCategory::OpenPunctuation
        | GeneralCategory::ClosePunctuation
        | GeneralCategory::InitialPunctuation
        | GeneralCategory::FinalPunctuation
        | GeneralCategory::OtherPunctuation
        | GeneralCategory::MathSymbol
        | GeneralCategory::CurrencySymbol
        | GeneralCategory::ModifierSymbol
        | GeneralCategory::OtherSymbol
        | GeneralCategory::SpaceSeparator => true,
    };
    shows && !is_blank(c)
}

/// Letters and marks without width or ink (Unicode's `Default_Ignorable_Code_Point`, beside format characters), and the blank
/// pattern of Braille.
fn is_blank(c: char) -> bool {
    matches!(c,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// Somebody else's words on one line: what is not seen is shown as a replacement character.
#[must_use]
pub fn line(text: &str) -> String {
    text.chars().map(|c| if is_visible(c) { c } else { REPLACEMENT }).collect()
}

/// The same for a text of several lines, whose ends stay.
#[must_use]
pub fn lines(text: &str) -> String {
    text.chars().map(|c| if c == '\n' || is_visible(c) { c } else { REPLACEMENT }).collect()
}

/// A field of a CSV row (RFC 4180) that no spreadsheet runs: text that begins as a formula does gets a quote before it, as OWASP
/// advises; a number stays a number.
#[must_use]
pub fn csv_field(text: &str) -> String {
    let runs = |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    // A spreadsheet skips blanks.
    let first = text.trim_start_matches(' ').chars().next();
    let guard = if first.is_some_and(runs) && !is_number(text) { "'" } else { "" };
    let shown = line(text);
    if shown.contains([',', '"']) {
        format!("\"{guard}{}\"", shown.replace('"', "\"\""))
    } else {
        format!("{guard}{shown}")
    }
}

/// Whether a text is a number and nothing else, as this program writes numbers.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once('e').unwrap_or((unsigned, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    digits(whole) && digits(part) && digits(exponent.strip_prefix('-').unwrap_or(exponent))
        || unsigned == "inf"
}

/// A JSON text with the same values, in which what is not seen is escaped. Line ends between values stay.
#[must_use]
pub fn json_escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || is_visible(c) {
            escaped.push(c);
            continue;
        }
        // Control characters below U+0020 cannot stand in a JSON string, so that this is one of those that can.
        for unit in c.encode_utf16(&mut [0; 2]) {
            escaped += &format!("\\u{unit:04x}");
        }
    }
    escaped
}

/// A stranger's text made fit for an error: characters that are not seen are escaped, and at most 120 are kept.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars().take(PRINTABLE_MOST).flat_map(char::escape_debug).collect()
}
