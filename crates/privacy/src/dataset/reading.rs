//! How a stored value is read: the same on every engine and in files, whatever an office's register looks like.
//!
//! What stands in a column is trimmed, compared with what says that a value is missing, and then read as what the column is
//! declared as: a code or a text that means one, a number, a day.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use super::{Column, DatasetError, Domain, OTHER, TOTAL, UNKNOWN};
use crate::{Code, Name, text::is_calendar_day};

/// The most bytes of a text that is recoded or means that a value is missing.
const TEXT_BYTES_MOST: usize = 1_024;
/// The digits of the largest number that a column of numbers can hold, and the digits after them that an exponent may write.
const EXPONENT_MOST: i64 = 999;

/// How the values of a column are read, where it is not as they stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The column's name in the table or file; the declared name by default.
    pub from: Option<String>,
    /// Texts that mean a declared code, beside the codes themselves.
    pub recode: BTreeMap<String, Code>,
    /// Texts that say that a value is missing, numbers among them.
    pub missing: BTreeSet<String>,
    /// ASCII letters of both cases are the same, in codes, in `recode` and in `missing`.
    pub ignores_case: bool,
    /// Where a moment that names no place falls on a day: a name of the IANA time zone database.
    pub time_zone: Option<String>,
    /// The declared column whose codes it groups: then `recode` alone says which texts mean which code.
    pub derived_from: Option<Name>,
}

impl Reading {
    /// As letters of both cases are the same, or not.
    pub fn folded<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.ignores_case && text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        }
    }

    /// In words, and the same for the same reading; nothing where values are read as they stand.
    pub(super) fn describe(&self) -> String {
        let mut text = self.describe_order();
        if let Some(of) = &self.derived_from {
            text += &format!(" derived from {of}");
        }
        for (value, code) in &self.recode {
            text += &format!(" recode {value:?} {code}");
        }
        text
    }

    /// As far as the order of rows depends on it, which is of the values before they are recoded.
    pub(super) fn describe_order(&self) -> String {
        let mut text = String::new();
        if let Some(from) = &self.from {
            text += &format!(" from {from:?}");
        }
        for value in &self.missing {
            text += &format!(" missing {value:?}");
        }
        if self.ignores_case {
            text += " case ignored";
        }
        if let Some(zone) = &self.time_zone {
            text += &format!(" time zone {zone}");
        }
        text
    }
}

impl Column {
    /// With a reading of its own.
    pub fn with_reading(mut self, reading: Reading) -> Result<Self, DatasetError> {
        let texts = reading.recode.keys().chain(&reading.missing);
        for text in texts {
            if text.len() > TEXT_BYTES_MOST || text.contains('\0') {
                return Err(DatasetError::LongText(text.chars().take(40).collect()));
            }
            if trimmed(text) != text || text.is_empty() {
                return Err(DatasetError::Untrimmed(text.clone()));
            }
        }
        match &self.domain {
            Domain::Codes(codes) => check_codes(codes, &reading)?,
            Domain::Integer { .. } | Domain::Amount { .. } | Domain::Date { .. } | Domain::Open => {
                if !reading.recode.is_empty() {
                    return Err(DatasetError::OnlyCodes("recode"));
                }
                if reading.ignores_case {
                    return Err(DatasetError::OnlyCodes("case"));
                }
            }
        }
        if reading.time_zone.is_some() && !matches!(self.domain, Domain::Date { .. }) {
            return Err(DatasetError::OnlyDays("time_zone"));
        }
        self.reading = reading;
        let scale = self.range().map(|range| range.scale);
        let finer = |text: &&String| {
            scale.and_then(|scale| number(text.as_bytes(), scale)).is_some_and(|(_, exact)| !exact)
        };
        match self.reading.missing.iter().find(finer) {
            Some(text) => Err(DatasetError::FinerMissing(text.clone())),
            None => Ok(self),
        }
    }

    /// The column's name in the table or file.
    pub fn stored_name<'a>(&'a self, declared: &'a Name) -> &'a str {
        self.reading.from.as_deref().unwrap_or(declared.as_str())
    }

    /// Whether it is made of another column's codes.
    pub fn is_derived(&self) -> bool {
        self.reading.derived_from.is_some()
    }

    /// Every text that means a code, trimmed and folded, with the code's position in the list; empty where there are no codes.
    pub fn texts(&self) -> BTreeMap<String, usize> {
        let Domain::Codes(codes) = &self.domain else { return BTreeMap::new() };
        let own = codes.iter().enumerate().filter(|_| !self.is_derived());
        let mut texts: BTreeMap<String, usize> =
            own.map(|(at, code)| (self.reading.folded(code.as_str()).into_owned(), at)).collect();
        let positions: BTreeMap<&Code, usize> =
            codes.iter().enumerate().map(|(at, code)| (code, at)).collect();
        for (text, code) in &self.reading.recode {
            if let Some(at) = positions.get(code) {
                texts.insert(self.reading.folded(text).into_owned(), *at);
            }
        }
        texts
    }

    /// The texts that say that a value is missing, folded; of days without a time.
    pub fn missing_texts(&self) -> BTreeSet<String> {
        let text = |text: &String| match &self.domain {
            Domain::Date { .. } => day(text).unwrap_or(text).to_owned(),
            Domain::Codes(_) | Domain::Integer { .. } | Domain::Amount { .. } | Domain::Open => {
                self.reading.folded(text).into_owned()
            }
        };
        self.reading.missing.iter().map(text).collect()
    }

    /// The numbers that say that a value is missing, in units of the column's scale, ascending; none where there are no numbers.
    pub fn missing_numbers(&self) -> Vec<i64> {
        let Some(range) = self.range() else { return Vec::new() };
        let numbers = self.reading.missing.iter().filter_map(|text| number(text.as_bytes(), range.scale));
        let mut numbers: Vec<i64> = numbers.map(|(number, _)| number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}

/// What a code, a recoded text and a missing one may be together.
fn check_codes(codes: &[Code], reading: &Reading) -> Result<(), DatasetError> {
    let mut known = BTreeMap::new();
    if reading.derived_from.is_none() {
        for code in codes {
            if let Some(other) = known.insert(reading.folded(code.as_str()).into_owned(), code) {
                return Err(DatasetError::SameFolded(other.to_string(), code.to_string()));
            }
        }
    }
    for (text, code) in &reading.recode {
        if [OTHER, UNKNOWN, TOTAL].contains(&code.as_str()) || !codes.contains(code) {
            return Err(DatasetError::RecodedToUnknown { text: text.clone(), code: code.to_string() });
        }
        match known.insert(reading.folded(text).into_owned(), code) {
            Some(other) if other != code => {
                let (text, other) = (text.clone(), other.to_string());
                return Err(DatasetError::RecodedTwice { text, other, code: code.to_string() });
            }
            _ => {}
        }
    }
    match reading.missing.iter().find(|text| known.contains_key(&*reading.folded(text))) {
        Some(text) => Err(DatasetError::MissingIsCode(text.clone())),
        None => Ok(()),
    }
}

/// The text without the blanks around it: ASCII's and the no-break space.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|letter: char| is_blank(letter))
}

fn is_blank(letter: char) -> bool {
    matches!(letter, '\t'..='\r' | ' ' | '\u{a0}')
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

/// A decimal number as a whole number of `10^-scale`, rounded half to even, and whether nothing was rounded away. One past 63 bits
/// is the nearest that there is, up to its sign. `None` where the text is no number: `[+-]`, digits with at most one point that
/// stands before a digit, and possibly an exponent of at most three digits.
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
    let value = digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0')).min(EXPONENT_MOST);
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
