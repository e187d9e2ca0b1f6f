//! What the commands about identities have in common where they print.

use lango_identity::Fingerprint;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::output::{counted, wrapped};

/// As wide as a terminal that nobody has made wider.
const WIDTH: usize = 100;

/// Unix seconds as `2026-01-31T00:00:00Z`.
pub fn moment(unix: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(unix).ok().and_then(|time| time.format(&Rfc3339).ok());
    time.unwrap_or_else(|| unix.to_string())
}

/// Until when something is valid, and how long that is.
pub fn until(not_after: i64, now: i64) -> String {
    match days_left(not_after, now) {
        Some(days) => format!("{}, {days} from now", moment(not_after)),
        None => format!("{}, which is over", moment(not_after)),
    }
}

/// How many days are left, to the nearest; nothing where it is over.
pub fn days_left(not_after: i64, now: i64) -> Option<String> {
    const DAY_S: i64 = 86_400;
    let left = not_after.checked_sub(now).filter(|left| *left >= 0)?;
    let days = left.saturating_add(DAY_S / 2) / DAY_S;
    Some(counted(usize::try_from(days).unwrap_or(0), "day"))
}

/// A text in lines that a terminal holds.
pub fn paragraph(text: &str) -> String {
    wrapped(text, WIDTH).join("\n")
}

/// A fingerprint as it is read aloud: words in numbered lines of four, and the digits.
pub fn fingerprint(fingerprint: &Fingerprint) -> String {
    let words = fingerprint.words();
    let lines = words.chunks(4).enumerate().map(|(line, words)| {
        let numbered = words.iter().enumerate().map(|(place, word)| {
            let number = line * 4 + place + 1;
            format!("{number:>4} {word:<13}")
        });
        numbered.collect::<String>().trim_end().to_owned() + "\n"
    });
    format!("{}\n     or in digits: {}", lines.collect::<String>(), fingerprint.numerals())
}

/// Lines of a name and what is said of it, aligned.
pub fn facts(lines: &[(&str, String)]) -> String {
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    lines.iter().map(|(name, said)| format!("  {name:width$}  {said}\n")).collect()
}
