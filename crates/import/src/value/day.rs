//! Days, with or without a time, in the order that the office says.

use std::sync::LazyLock;

use jiff::{SignedDuration, civil::Date, tz::TimeZone};

use crate::{
    findings::Finding,
    notation::{DayFormat, Notation, Piece},
};

/// A day as `YYYY-MM-DD`.
pub(super) type IsoDay = [u8; 10];

/// Formats by which days are recognised that are written in another order than the one that is read.
static OTHERS: LazyLock<Vec<DayFormat>> = LazyLock::new(|| {
    let orders = ["%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y/%d/%m"];
    let marks = ["/", ".", "-", " ", ""];
    let formats = orders.iter().flat_map(|order| marks.map(|mark| order.replace('/', mark)));
    formats.filter_map(|format| format.parse().ok()).collect()
});

/// The ways to write days that are recognised, beside `2024-07-01`.
pub(crate) fn day_formats() -> &'static [DayFormat] {
    &OTHERS
}

/// In which ways a text is a day, with or without a time: bit 0 stands for `2024-07-01`, and the bit after it for the first of
/// [`day_formats`].
pub(crate) fn day_readings(text: &[u8]) -> u32 {
    let is_iso = iso(text).is_some();
    let fits = |format: &DayFormat| formatted(text, format).is_some() || (is_iso && reads_iso_too(format));
    OTHERS.iter().rev().fold(0, |bits, format| (bits << 1) | u32::from(fits(format))) << 1 | u32::from(is_iso)
}

/// The day that a text begins with, as it is written: a time and an offset after it change nothing, unless a place is named at
/// which the moment falls on a day. And what is noted of how it is written, for a spreadsheet writes a day of which it exchanged
/// day and month as `2024-07-01` among the others.
pub(super) fn day(
    text: &[u8],
    notation: &Notation,
    place: Option<&TimeZone>,
) -> Result<(IsoDay, Option<Finding>), Finding> {
    let read = match &notation.days {
        None => iso(text).map(|read| (read, None)),
        Some(format) => formatted(text, format).map(|read| (read, None)).or_else(|| {
            let read = iso(text).filter(|_| reads_iso_too(format))?;
            Some((read, Some(Finding::OtherDays)))
        }),
    };
    let ((day, time), noted) = read.ok_or_else(|| {
        let exchanged = notation.days.as_ref().map(DayFormat::exchanged);
        let mut others = OTHERS.iter().chain(&exchanged);
        let is_day = others.any(|format| formatted(text, format).is_some());
        if is_day { Finding::DayOrder } else { Finding::Unreadable }
    })?;
    match (place, time.offset) {
        (Some(place), Some(offset)) => {
            Ok((day_at(&day, time.seconds - offset, place).ok_or(Finding::Unreadable)?, noted))
        }
        (None, _) | (_, None) => Ok((day, noted)),
    }
}

/// Whether a time follows the day, and says how far its clock is from UTC: `Z`, `UTC`, or a sign behind the colon of the time.
fn has_offset(text: &[u8]) -> bool {
    let time = text.iter().position(|byte| *byte == b':').and_then(|colon| text.get(colon..));
    time.is_some_and(|time| {
        time.iter().any(|byte| matches!(byte, b'+' | b'-'))
            || [&b"Z"[..], b"z", b"UTC", b"GMT"].iter().any(|utc| time.ends_with(utc))
    })
}

/// Whether it is midnight at the clock of a moment, at another place, or at neither; nothing of a day without a time. The clocks
/// of the other place go six hours before this one at most, so that the day that was read is the one before the one that is
/// meant. With a place of its own, a moment at midnight of UTC that is on another day there is most likely a day.
pub(super) fn midnight(text: &[u8], day: &IsoDay, place: Option<&TimeZone>) -> Option<Finding> {
    let colon = text.iter().position(|byte| *byte == b':')?;
    let hour = text.get(colon.saturating_sub(2)..colon)?;
    let hour =
        hour.iter().filter(|digit| digit.is_ascii_digit()).fold(0, |hour, digit| hour * 10 + (digit - b'0'));
    let (minutes, rest) = text.get(colon + 1..)?.split_at_checked(2)?;
    let end =
        rest.iter().position(|byte| !matches!(byte, b':' | b'.' | b',' | b'0'..=b'9')).unwrap_or(rest.len());
    let (seconds, after) = rest.split_at_checked(end)?;
    let is_afternoon = after.iter().any(|byte| matches!(byte, b'P' | b'p'));
    let is_morning = after.iter().any(|byte| matches!(byte, b'A' | b'a'));
    let hour = match hour {
        12 if is_morning => 0,
        hour if is_afternoon && hour < 12 => hour + 12,
        hour => hour,
    };
    let is_full = seconds.iter().all(|byte| matches!(byte, b':' | b'.' | b',' | b'0'));
    let is_quarter = matches!(minutes, b"00" | b"15" | b"30" | b"45");
    let is_at_place = place.is_some() && has_offset(text);
    match hour {
        0 if minutes == b"00" && is_full => {
            let is_moved = is_at_place && iso(text).is_some_and(|(written, _)| written != *day);
            Some(if is_moved { Finding::OtherMidnight } else { Finding::Midnight })
        }
        18..=23 if is_quarter && is_full && !is_at_place => Some(Finding::OtherMidnight),
        _ => Some(Finding::OtherTime),
    }
}

/// Days from which programs count, or which they write for none, as the last does.
const ORIGINS: [&IsoDay; 9] = [
    b"1970-01-01",
    b"1969-12-31",
    b"1900-01-01",
    b"1899-12-30",
    b"1899-12-31",
    b"1904-01-01",
    b"1753-01-01",
    b"0001-01-01",
    b"9999-12-31",
];

/// Whether a day is one from which programs count, or the same a year or ten years before or after: clerks who know the year
/// alone write its first day, and those who know the decade its first year.
pub(super) fn origin(day: &IsoDay) -> Option<Finding> {
    let [.., tens, tenth, _, first, second] = day;
    if !matches!((tens, tenth, first, second), (b'0', b'1', b'0', b'1') | (b'1', b'2', b'3', _)) {
        return None;
    }
    let year =
        |day: &IsoDay| day.iter().take(4).fold(0_u32, |year, digit| year * 10 + u32::from(digit & 0xf));
    let of_year = |origin: &&&IsoDay| origin.get(4..) == day.get(4..);
    let apart = ORIGINS.iter().filter(of_year).map(|origin| year(day).abs_diff(year(origin)));
    match apart.filter(|years| matches!(years, 0 | 1 | 10)).min() {
        Some(0) => Some(Finding::OriginDay),
        Some(1 | 10) => Some(Finding::BesideOrigin),
        Some(_) | None => None,
    }
}

/// The day at a place of the moment these seconds after a day begins in UTC.
fn day_at(day: &IsoDay, seconds: i64, place: &TimeZone) -> Option<IsoDay> {
    let day: Date = std::str::from_utf8(day).ok()?.parse().ok()?;
    let begun = TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()?;
    let moment = begun.checked_add(SignedDuration::from_secs(seconds)).ok()?;
    place.to_datetime(moment).date().to_string().as_bytes().try_into().ok()
}

/// ISO days cannot be mistaken for a day of such a format, but where it begins with the year itself.
fn reads_iso_too(format: &DayFormat) -> bool {
    format.pieces().first() != Some(&Piece::Year)
}

/// The one reading of such a day is the privacy core's, in registers on servers too.
fn iso(text: &[u8]) -> Option<(IsoDay, Time)> {
    let day = iso_day(text)?;
    Some((day, time(text.get(day.len()..)?)?))
}

fn iso_day(text: &[u8]) -> Option<IsoDay> {
    let day = lango_privacy::day(std::str::from_utf8(text).ok()?)?;
    day.as_bytes().try_into().ok()
}

fn formatted(text: &[u8], format: &DayFormat) -> Option<(IsoDay, Time)> {
    let (mut day, mut month, mut year) = (&[][..], &[][..], &[][..]);
    let mut rest = text;
    for piece in format.pieces() {
        let most = match piece {
            Piece::Literal(byte) => {
                rest = rest.strip_prefix(&[*byte])?;
                continue;
            }
            Piece::Day | Piece::Month => 2,
            Piece::Year => 4,
        };
        let digits = rest.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
        let (found, left) = rest.split_at_checked(digits)?;
        rest = left;
        match piece {
            Piece::Day => day = found,
            Piece::Month => month = found,
            Piece::Year | Piece::Literal(_) => year = found,
        }
    }
    let year: &[u8; 4] = year.try_into().ok()?;
    let two = |digits: &[u8]| match digits {
        [ones] => Some([b'0', *ones]),
        [tens, ones] => Some([*tens, *ones]),
        _ => None,
    };
    let ([a, b, c, d], [e, f], [g, h]) = (*year, two(month)?, two(day)?);
    let day = [a, b, c, d, b'-', e, f, b'-', g, h];
    Some((iso_day(&day)?, time(rest)?))
}

/// What follows a day.
#[derive(Debug, Clone, Copy, Default)]
struct Time {
    /// Since midnight; none where there is no time.
    seconds: i64,
    /// How many seconds its clock is before UTC, if it says so.
    offset: Option<i64>,
}

/// Reads nothing, or a time of day after a `T` or blanks: `T12:30`, ` 12:30:00.5+02:00`, ` 1:05 PM`, ` 00:00:00 UTC`.
fn time(text: &[u8]) -> Option<Time> {
    let Some((separator, rest)) = text.split_first() else { return Some(Time::default()) };
    let blanks = |text: &'static [u8]| move |byte: &u8| text.contains(byte);
    let rest = match separator {
        b'T' | b't' => rest,
        b' ' => skip(rest, blanks(b" ")),
        _ => return None,
    };
    let (hour, rest) = number(rest, 1, 24)?;
    let (minute, rest) = part(rest, 59)?;
    let (second, rest) = match part(rest, 60) {
        Some((second, [b'.' | b',', fraction @ ..])) if fraction.first().is_some_and(u8::is_ascii_digit) => {
            (second, skip(fraction, u8::is_ascii_digit))
        }
        found => found.unwrap_or((0, rest)),
    };
    let rest = skip(rest, blanks(b" "));
    let (hour, rest) = match rest {
        [half @ (b'A' | b'P' | b'a' | b'p'), b'M' | b'm', rest @ ..] => {
            (of_half(hour, *half), skip(rest, blanks(b" ")))
        }
        _ => (hour, rest),
    };
    // A leap second is the last of its day.
    Some(Time { seconds: (hour * 60 + minute) * 60 + second.min(59), offset: offset(rest)? })
}

/// The hour of a day of 24 hours.
fn of_half(hour: i64, half: u8) -> i64 {
    match (hour, half.to_ascii_uppercase()) {
        (12, b'A') => 0,
        (1..=11, b'P') => hour + 12,
        _ => hour,
    }
}

/// Reads nothing, or how far a clock is from UTC; `None` of anything else.
#[expect(clippy::option_option, reason = "a text that is no offset is not the absence of one")]
fn offset(text: &[u8]) -> Option<Option<i64>> {
    match text {
        [] => Some(None),
        b"Z" | b"z" | b"UTC" | b"GMT" => Some(Some(0)),
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let (hours, rest) = number(rest, 2, 24)?;
            let (minutes, rest) = match rest {
                [] => (0, rest),
                [b':', minutes @ ..] => number(minutes, 2, 59)?,
                _ => number(rest, 2, 59)?,
            };
            let seconds = (hours * 60 + minutes) * 60;
            rest.is_empty().then_some(Some(if *sign == b'-' { -seconds } else { seconds }))
        }
        _ => None,
    }
}

/// A number of two digits behind a colon, and what follows it.
fn part(text: &[u8], most: i64) -> Option<(i64, &[u8])> {
    number(text.strip_prefix(b":")?, 2, most)
}

/// A number of two digits, or of as few as `least`, that is at most `most`, and what follows it.
fn number(text: &[u8], least: usize, most: i64) -> Option<(i64, &[u8])> {
    let digits = text.iter().take(2).take_while(|byte| byte.is_ascii_digit()).count();
    let (found, rest) = text.split_at_checked(digits).filter(|_| digits >= least)?;
    let value = found.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    (value <= most).then_some((value, rest))
}

fn skip(text: &[u8], which: impl Fn(&u8) -> bool) -> &[u8] {
    let count = text.iter().take_while(|byte| which(byte)).count();
    text.get(count..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day_of(text: &str, format: Option<&str>) -> Result<String, Finding> {
        let days = format.map(|format| format.parse().unwrap());
        let notation = Notation { days, ..Notation::default() };
        day(text.as_bytes(), &notation, None).map(|(day, _)| String::from_utf8(day.to_vec()).unwrap())
    }

    #[test]
    fn a_day_is_read_as_it_is_written_whatever_time_follows() {
        for time in
            ["", " 00:00:00", "T00:00:00Z", "T23:59", " 23:30:00.123456", " 00:00:00+00", "T23:30:00.5-0330"]
        {
            assert_eq!(day_of(&format!("2023-07-01{time}"), None), Ok("2023-07-01".into()), "{time}");
            assert_eq!(
                day_of(&format!("1/7/2023{time}"), Some("%d/%m/%Y")),
                Ok("2023-07-01".into()),
                "{time}"
            );
        }
        // What servers do not read is read in a notation that is said alone.
        for time in [
            " 23:30:00 +02:00",
            "  1:05:00 PM",
            " 1:05 PM",
            " 00:00:00 UTC",
            "T24:00:00",
            "t12:30",
            "T12:30z",
            " 12:30:00,5",
        ] {
            let text = format!("2023-07-01{time}");
            assert_eq!(day_of(&text, None), Err(Finding::DayOrder), "{time}");
            assert_eq!(day_of(&text, Some("%Y-%m-%d")), Ok("2023-07-01".into()), "{time}");
            assert_eq!(
                day_of(&format!("1/7/2023{time}"), Some("%d/%m/%Y")),
                Ok("2023-07-01".into()),
                "{time}"
            );
        }
        for text in [
            "2023-07-01x",
            "2023-07-01 ",
            "2023-07-01T",
            "2023-07-01 25:00",
            "2023-07-01 00:60",
            "2023-07-01 00",
            "2023-07-01 00:00:00+",
            "2023-07-01 00:00:00+1",
            "2023-07-01 00:00:00.",
            "2023-07-01-",
            "2023-7-1x",
            "2023-02-29",
            "0000-01-01x",
            "20230",
            "45108",
        ] {
            assert_eq!(day_of(text, None), Err(Finding::Unreadable), "{text}");
        }
    }

    #[test]
    fn the_ways_in_which_a_text_is_a_day_are_those_that_read_it() {
        for text in [
            "2023-12-31",
            "2023-05-06",
            "2023-05-06T12:30",
            "31/12/2023",
            "1/2/2023",
            "1.2.2023 12:30",
            "20231231",
            "10122012",
            "2023/1/5",
            "30/02/2023",
            "soon",
            "",
        ] {
            let formats =
                std::iter::once(None).chain(day_formats().iter().map(|format| Some(format.to_string())));
            let expected: Vec<bool> = formats.map(|format| day_of(text, format.as_deref()).is_ok()).collect();
            let readings = day_readings(text.as_bytes());
            let found: Vec<bool> = (0..expected.len()).map(|bit| readings >> bit & 1 == 1).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn the_order_of_day_and_month_is_the_one_that_is_said() {
        for (text, format, expected) in [
            ("31/12/2023", Some("%d/%m/%Y"), Ok("2023-12-31")),
            ("1/2/2023", Some("%d/%m/%Y"), Ok("2023-02-01")),
            ("1/2/2023", Some("%m/%d/%Y"), Ok("2023-01-02")),
            ("20231231", Some("%Y%m%d"), Ok("2023-12-31")),
            ("31.12.2023", Some("%d.%m.%Y"), Ok("2023-12-31")),
            ("31_12_2023", Some("%m_%d_%Y"), Err(Finding::DayOrder)),
            // An ISO day is no day of another order.
            ("2023-12-31", Some("%d.%m.%Y"), Ok("2023-12-31")),
            ("01/31/2023", Some("%d/%m/%Y"), Err(Finding::DayOrder)),
            ("31/01/2023", Some("%m/%d/%Y"), Err(Finding::DayOrder)),
            ("31.01.2023", Some("%d/%m/%Y"), Err(Finding::DayOrder)),
            ("2023-01-31", Some("%Y-%d-%m"), Err(Finding::DayOrder)),
            ("31/12/2023", None, Err(Finding::DayOrder)),
            ("12/31/2023", None, Err(Finding::DayOrder)),
            ("2023/12/31", None, Err(Finding::DayOrder)),
            ("20231231", None, Err(Finding::DayOrder)),
            ("31/13/2023", None, Err(Finding::Unreadable)),
            ("30/02/2023", Some("%d/%m/%Y"), Err(Finding::Unreadable)),
            ("31/12/23", Some("%d/%m/%Y"), Err(Finding::Unreadable)),
            ("soon", Some("%d/%m/%Y"), Err(Finding::Unreadable)),
        ] {
            assert_eq!(day_of(text, format), expected.map(str::to_owned), "{text} {format:?}");
        }
    }

    #[test]
    fn a_day_in_another_notation_than_the_one_that_is_said_is_noted() {
        for (text, format, expected) in [
            ("2023-05-01", Some("%d/%m/%Y"), Some(Finding::OtherDays)),
            ("2023-05-01 00:00:00", Some("%m.%d.%Y"), Some(Finding::OtherDays)),
            ("01/05/2023", Some("%d/%m/%Y"), None),
            ("2023-05-01", Some("%Y-%m-%d"), None),
            ("2023-05-01", None, None),
        ] {
            let days = format.map(|format| format.parse().unwrap());
            let (_, noted) = day(text.as_bytes(), &Notation { days, ..Notation::default() }, None).unwrap();
            assert_eq!(noted, expected, "{text} {format:?}");
        }
    }

    #[test]
    fn a_moment_with_an_offset_falls_on_a_day_at_the_place() {
        let (accra, lagos) = (TimeZone::get("Africa/Accra").unwrap(), TimeZone::get("Africa/Lagos").unwrap());
        let new_york = TimeZone::get("America/New_York").unwrap();
        for (text, format, place, expected) in [
            ("2024-07-01T23:30:00Z", None, &accra, Ok("2024-07-01")),
            ("2024-07-01T23:30:00Z", None, &lagos, Ok("2024-07-02")),
            ("2024-07-01 23:30:00+00", None, &lagos, Ok("2024-07-02")),
            ("2024-07-01 23:30:00.25+00:00", None, &lagos, Ok("2024-07-02")),
            ("2024-07-01T00:30:00+0200", None, &lagos, Ok("2024-06-30")),
            // Before and after its clocks are changed.
            ("2024-01-15T04:30:00Z", None, &new_york, Ok("2024-01-14")),
            ("2024-07-15T04:30:00Z", None, &new_york, Ok("2024-07-15")),
            // On the office's own clock, and days alone.
            ("2024-07-01T23:30:00", None, &lagos, Ok("2024-07-01")),
            ("2024-07-01", None, &lagos, Ok("2024-07-01")),
            ("2/1/2024 23:30", Some("%d/%m/%Y"), &lagos, Ok("2024-01-02")),
            // In whatever order the day is written, and however the offset is.
            ("2/1/2024 23:30 UTC", Some("%d/%m/%Y"), &lagos, Ok("2024-01-03")),
            ("31/12/2023 23:15Z", Some("%d/%m/%Y"), &lagos, Ok("2024-01-01")),
            ("30/06/2024 23:15+00:00", Some("%d/%m/%Y"), &lagos, Ok("2024-07-01")),
            ("30/06/2024 23:15:00.5 +0000", Some("%d/%m/%Y"), &lagos, Ok("2024-07-01")),
            ("6/30/2024 11:15 PM GMT", Some("%m/%d/%Y"), &lagos, Ok("2024-07-01")),
            ("6/30/2024 12:15 AM -04", Some("%m/%d/%Y"), &lagos, Ok("2024-06-30")),
            ("1/7/2024 00:15 +02:00", Some("%d/%m/%Y"), &lagos, Ok("2024-06-30")),
            ("2024-06-30 00:15:00 UTC", Some("%Y-%m-%d"), &new_york, Ok("2024-06-29")),
            ("2024-06-30T24:00:00Z", Some("%Y-%m-%d"), &accra, Ok("2024-07-01")),
            ("2024-06-30 23:59:60Z", None, &accra, Ok("2024-06-30")),
            ("9999-12-31 23:30Z", None, &lagos, Err(Finding::Unreadable)),
        ] {
            let days = format.map(|format: &str| format.parse().unwrap());
            let notation = Notation { days, ..Notation::default() };
            let found = day(text.as_bytes(), &notation, Some(place));
            let found = found.map(|(day, _)| String::from_utf8(day.to_vec()).unwrap());
            assert_eq!(found, expected.map(str::to_owned), "{text}");
        }
    }
}
