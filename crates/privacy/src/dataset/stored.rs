//! What stands in a register or a file as text: numbers, days, and the blanks around them. The same reading on every engine.

use std::borrow::Cow;

use crate::text::is_calendar_day;

/// The most bytes of a text that is read, the blanks around it included: what a longer one takes could fail a question, or show
/// that it is there by the time it takes. As an identifier it is none.
pub const STORED_TEXT_BYTES_MOST: usize = 8_192;
/// The most digits on each side of a number's point.
const DIGITS_MOST: usize = 38;

/// The text without the blanks around it: ASCII's and the no-break space.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|letter: char| is_blank(letter))
}

fn is_blank(letter: char) -> bool {
    matches!(letter, '\t'..='\r' | ' ' | '\u{a0}')
}

/// A text as ASCII letters of both cases are the same, or not.
pub fn folded(text: &str, ignores_case: bool) -> Cow<'_, str> {
    if ignores_case && text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// As [`trimmed`], of bytes that may be no UTF-8.
pub fn trimmed_bytes(mut text: &[u8]) -> &[u8] {
    loop {
        text = match text {
            [b'\t'..=b'\r' | b' ', rest @ ..] | [0xc2, 0xa0, rest @ ..] => rest,
            [rest @ .., b'\t'..=b'\r' | b' '] | [rest @ .., 0xc2, 0xa0] => rest,
            _ => return text,
        };
    }
}

/// A decimal number as a whole number of `10^-scale`, rounded half to even, and whether nothing was rounded away. One past 63
/// bits is the nearest that there is, up to its sign. `None` where the text is no number: `[+-]`, at most 38 digits on each
/// side of at most one point, which stands before a digit, and possibly an exponent of at most three digits.
///
/// IEEE 754-2019, section 4.3.1, `roundTiesToEven`.
pub fn number(text: &[u8], scale: u32) -> Option<(i64, bool)> {
    let (negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    let exponent_at = digits.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let (digits, exponent) = match exponent_at {
        Some(at) => (digits.get(..at)?, exponent(digits.get(at + 1..)?)?),
        None => (digits, 0),
    };
    let point = digits.iter().position(|byte| *byte == b'.');
    let (whole, part) = match point {
        Some(at) => (digits.get(..at)?, digits.get(at + 1..).filter(|part| !part.is_empty())?),
        None => (digits, [].as_slice()),
    };
    let all = || whole.iter().chain(part);
    if (whole.is_empty() && part.is_empty()) || !all().all(u8::is_ascii_digit) {
        return None;
    }
    if whole.len().max(part.len()) > DIGITS_MOST {
        return None;
    }
    let kept = i64::try_from(whole.len()).ok()?.checked_add(exponent)?.checked_add(scale.into())?;
    let (mut magnitude, mut beyond, mut sticky) = (0_i128, 0, false);
    let most = i128::from(i64::MAX);
    for (place, digit) in (0_i64..).zip(all()) {
        let digit = digit - b'0';
        if place < kept {
            magnitude = (magnitude * 10 + i128::from(digit)).min(most + 1);
        } else if place == kept {
            beyond = digit;
        } else {
            sticky |= digit != 0;
        }
    }
    let places = i64::try_from(whole.len() + part.len()).ok()?;
    if magnitude > 0 {
        for _ in places..kept {
            magnitude = (magnitude * 10).min(most + 1);
        }
    }
    // With fewer than no digits kept, the first digit stands further behind than the tenths.
    if kept < 0 {
        sticky |= beyond != 0 || all().any(|digit| *digit != b'0');
        beyond = 0;
    }
    let exact = beyond == 0 && !sticky;
    if beyond > 5 || (beyond == 5 && (sticky || magnitude % 2 == 1)) {
        magnitude += 1;
    }
    let value = i64::try_from(magnitude.min(most)).ok()?;
    Some((if negative { -value } else { value }, exact && magnitude <= most))
}

fn exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 3 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    Some(if negative { -value } else { value })
}

/// The day that a text is or begins with, `YYYY-MM-DD`: alone, or before a time of the day with or without an offset from UTC, as
/// `2023-07-01 00:00:00`, `2023-07-01T12:30:00.5Z` and `2023-07-01 00:00:00+01`. An offset moves no day.
pub fn day(text: &str) -> Option<&str> {
    let (day, rest) = text.split_at_checked(10)?;
    (is_calendar_day(day) && is_time(rest.as_bytes())).then_some(day)
}

/// Nothing, or a time: a `T` or a space, `HH:MM`, perhaps `:SS`, perhaps a fraction, perhaps `Z` or an offset.
fn is_time(text: &[u8]) -> bool {
    let [b'T' | b' ', rest @ ..] = text else { return text.is_empty() };
    let Some(mut rest) =
        two(rest, 23).and_then(|rest| rest.strip_prefix(b":")).and_then(|rest| two(rest, 59))
    else {
        return false;
    };
    if let [b':', seconds @ ..] = rest {
        let Some(after) = two(seconds, 60) else { return false };
        rest = after;
        if let [b'.', fraction @ ..] = rest {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return false;
            }
            rest = fraction.get(digits..).unwrap_or_default();
        }
    }
    match rest {
        [] | [b'Z'] => true,
        [b'+' | b'-', offset @ ..] => match two(offset, 15) {
            Some([]) => true,
            Some(minutes) => two(minutes.strip_prefix(b":").unwrap_or(minutes), 59) == Some(&[]),
            None => false,
        },
        _ => false,
    }
}

/// What follows two digits that are at most a number.
fn two(text: &[u8], most: u8) -> Option<&[u8]> {
    match text {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9', rest @ ..] => {
            ((tens - b'0') * 10 + (ones - b'0') <= most).then_some(rest)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
