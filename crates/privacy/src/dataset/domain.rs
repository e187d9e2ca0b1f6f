//! The values of a column that are declared, and the public key of each.

use std::sync::Arc;

use super::{DatasetError, Grid, KEYS_MOST, OTHER, Range, TOTAL, UNKNOWN, grid::listed, stored};
use crate::{Code, Keyset, text::is_calendar_day};

/// The declared values of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Domain {
    /// A code list; neither `_T`, `_O` nor `_U` is in it. Columns of one list share it.
    Codes(Arc<[Code]>),
    /// Whole numbers from `low` to `high`, grouped in bands of `bands`.
    Integer {
        /// The least.
        low: i64,
        /// The greatest.
        high: i64,
        /// Where the bands begin, the first at `low`; steps of 1 make a key of every number.
        bands: Grid,
    },
    /// Amounts of money or the like, as whole numbers of `10^-scale`; no keys.
    Amount {
        /// The least, in units of `10^-scale`.
        low: i64,
        /// The greatest, in units of `10^-scale`.
        high: i64,
        /// Decimals kept.
        scale: u32,
        /// ISO 4217.
        currency: Option<String>,
    },
    /// ISO 8601 days from one to another, grouped by day, month or year.
    Date {
        /// The first day, `YYYY-MM-DD`.
        from: String,
        /// The last day.
        until: String,
        /// What makes a key.
        by: Span,
    },
    /// Text whose values are not declared; no keys, until enough units have one.
    Open,
}

/// A stretch of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// `2024-07-01`.
    Day,
    /// `2024-07`.
    Month,
    /// `2024`.
    Year,
}

impl Span {
    /// How many characters of an ISO day name it.
    fn characters(self) -> usize {
        match self {
            Self::Day => 10,
            Self::Month => 7,
            Self::Year => 4,
        }
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

impl Domain {
    /// A code list of its own.
    pub fn codes(codes: Vec<Code>) -> Result<Self, DatasetError> {
        Self::code_list(codes.into())
    }

    /// A code list that columns share.
    pub fn code_list(codes: Arc<[Code]>) -> Result<Self, DatasetError> {
        let mut seen = std::collections::BTreeSet::new();
        for code in codes.iter() {
            if [OTHER, UNKNOWN, TOTAL].contains(&code.as_str()) {
                return Err(DatasetError::Reserved(code.to_string()));
            }
            if !seen.insert(code) {
                return Err(DatasetError::Twice(code.to_string()));
            }
        }
        if codes.is_empty() { Err(DatasetError::Empty) } else { Ok(Self::Codes(codes)) }
    }

    /// Whole numbers in bands.
    pub fn integer(low: i64, high: i64, bands: u32) -> Result<Self, DatasetError> {
        if low > high {
            return Err(DatasetError::Inverted(low, high));
        }
        if bands == 0 {
            return Err(DatasetError::Bands);
        }
        let keys = (i128::from(high) - i128::from(low)) / i128::from(bands) + 1;
        if keys > i128::from(KEYS_MOST) {
            return Err(DatasetError::Keys(i64::try_from(keys).unwrap_or(i64::MAX)));
        }
        Ok(Self::Integer { low, high, bands: Grid::Every(bands.into()) })
    }

    /// Whole numbers in bands that begin at these, the first at the lower bound; the last ends at the upper one.
    pub fn bands(low: i64, high: i64, begin: Vec<i64>) -> Result<Self, DatasetError> {
        if low > high {
            return Err(DatasetError::Inverted(low, high));
        }
        if begin.first() != Some(&low) {
            return Err(DatasetError::FirstBand(low));
        }
        if !begin.is_sorted_by(|a, b| a < b) {
            return Err(DatasetError::ListedBands);
        }
        match begin.last() {
            Some(last) if *last > high => Err(DatasetError::Outside("bands", *last)),
            _ if begin.len() as i64 > KEYS_MOST => Err(DatasetError::Keys(begin.len() as i64)),
            _ => Ok(Self::Integer { low, high, bands: Grid::Listed(Arc::from(begin)) }),
        }
    }

    /// Fixed-point amounts.
    pub fn amount(low: i64, high: i64, scale: u32, currency: Option<String>) -> Result<Self, DatasetError> {
        if low > high {
            Err(DatasetError::Inverted(low, high))
        } else {
            Ok(Self::Amount { low, high, scale, currency })
        }
    }

    /// Days from one to another, both included.
    pub fn date(from: String, until: String, by: Span) -> Result<Self, DatasetError> {
        let days = is_calendar_day(&from) && is_calendar_day(&until) && from <= until;
        // Counted before any key is made: from 0001 to 9999 there are millions.
        let keys = stretches(&from, &until, by) + 2;
        match days {
            false => Err(DatasetError::Days),
            true if keys > KEYS_MOST => Err(DatasetError::Keys(keys)),
            true => Ok(Self::Date { from, until, by }),
        }
    }

    /// The public keys, `_O` and `_U` last; `None` where there are none to group by.
    pub fn keyset(&self) -> Option<Keyset> {
        let declared = match self {
            Self::Codes(codes) => codes.to_vec(),
            Self::Integer { low, high, bands } => {
                let starts = bands.points(&Range { low: *low, high: *high, scale: 0 });
                let ends = starts.iter().skip(1).map(|next| next - 1).chain([*high]);
                starts.iter().zip(ends).map(|(start, end)| Code::of_band(*start, end)).collect()
            }
            Self::Date { from, until, by } => spans(from, until, *by),
            Self::Amount { .. } | Self::Open => return None,
        };
        Some(Keyset::new(declared.into_iter().chain([Code::fixed(OTHER), Code::fixed(UNKNOWN)]).collect()))
    }

    /// How many public keys there are, `_O` and `_U` included, without making them; `None` where there are none to group by.
    pub fn key_count(&self) -> Option<usize> {
        match self {
            Self::Codes(codes) => Some(codes.len() + 2),
            Self::Integer { low, high, bands } => {
                Some(bands.count(&Range { low: *low, high: *high, scale: 0 }).saturating_add(2))
            }
            Self::Date { from, until, by } => usize::try_from(stretches(from, until, *by) + 2).ok(),
            Self::Amount { .. } | Self::Open => None,
        }
    }

    /// The position in the keyset of a whole number: that of its band, or of `_O`.
    pub fn band_of(&self, value: i64) -> Option<usize> {
        let Self::Integer { low, high, bands } = self else { return None };
        let range = Range { low: *low, high: *high, scale: 0 };
        if !(*low..=*high).contains(&value) {
            return Some(bands.count(&range));
        }
        match bands {
            Grid::Every(width) => usize::try_from((value - low) / width).ok(),
            Grid::Listed(begin) => begin.partition_point(|begin| *begin <= value).checked_sub(1),
        }
    }

    /// The key of a text, where it is a declared code or a day between the declared ones.
    pub fn key_of<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self {
            Self::Codes(codes) => codes.iter().any(|code| code.as_str() == text).then_some(text),
            Self::Date { from, until, by } => {
                let day = stored::day(text)?;
                let declared = (from.as_str()..=until.as_str()).contains(&day);
                if declared { day.get(..by.characters()) } else { None }
            }
            Self::Integer { .. } | Self::Amount { .. } | Self::Open => None,
        }
    }

    pub(super) fn describe(&self) -> String {
        match self {
            Self::Codes(codes) => format!("codes {}", crate::name::join(codes.iter())),
            Self::Integer { low, high, bands: Grid::Every(width) } => {
                format!("integer {low} {high} bands {width}")
            }
            Self::Integer { low, high, bands: Grid::Listed(begin) } => {
                format!("integer {low} {high} bands {}", listed(begin))
            }
            // The numbers are the same in any currency.
            Self::Amount { low, high, scale, currency: _ } => format!("amount {low} {high} scale {scale}"),
            Self::Date { from, until, by } => format!("date {from} {until} by {}", by.word()),
            Self::Open => "open".to_owned(),
        }
    }
}

/// How many stretches there are between two days, those that the period only touches included.
fn stretches(from: &str, until: &str, by: Span) -> i64 {
    let part = |day: &str, range: std::ops::Range<usize>| {
        day.get(range).and_then(|part| part.parse::<i64>().ok()).unwrap_or_default()
    };
    let count = |day: &str| {
        let (year, month) = (part(day, 0..4), part(day, 5..7));
        match by {
            Span::Year => year,
            Span::Month => year * 12 + month,
            Span::Day => {
                // Years that begin in March have their odd day last (Howard Hinnant, chrono-compatible date algorithms).
                let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
                year * 365 + year.div_euclid(4) - year.div_euclid(100)
                    + year.div_euclid(400)
                    + (153 * month + 2) / 5
                    + part(day, 8..10)
            }
        }
    };
    count(until) - count(from) + 1
}

/// The names of every stretch between two days, in order; a stretch that the period only touches has one too.
fn spans(from: &str, until: &str, by: Span) -> Vec<Code> {
    let year = |day: &str| day.get(..4).and_then(|year| year.parse::<u32>().ok()).unwrap_or_default();
    let touched = |name: &String| {
        let ends = from.get(..name.len()).zip(until.get(..name.len()));
        ends.is_some_and(|(first, last)| (first..=last).contains(&name.as_str()))
    };
    let finer = |names: Vec<String>, most: u32| -> Vec<String> {
        let parts = names.iter().flat_map(|name| (1..=most).map(move |part| format!("{name}-{part:02}")));
        parts.filter(touched).collect()
    };
    let years = (year(from)..=year(until)).map(|year| format!("{year:04}")).collect();
    let mut names = match by {
        Span::Year => years,
        Span::Month => finer(years, 12),
        Span::Day => finer(finer(years, 12), 31),
    };
    names.retain(|name| by != Span::Day || is_calendar_day(name));
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyset_holds_every_band_then_other_and_unknown() {
        let ages = Domain::integer(0, 11, 5).unwrap();
        let keys: Vec<_> = ages.keyset().unwrap().codes().iter().map(Code::to_string).collect();
        assert_eq!(keys, ["0-4", "5-9", "10-11", "_O", "_U"]);
        for (low, high, bands) in [(0, 11, 5), (0, 9, 5), (0, 10, 5), (7, 7, 1), (-3, 3, 2), (0, 99, 1)] {
            let domain = Domain::integer(low, high, bands).unwrap();
            assert_eq!(
                domain.key_count(),
                domain.keyset().map(|keyset| keyset.len()),
                "{low} {high} {bands}"
            );
        }
        for (value, position) in [(0, 0), (4, 0), (5, 1), (11, 2), (12, 3), (-1, 3), (i64::MAX, 3)] {
            assert_eq!(ages.band_of(value), Some(position), "{value}");
        }
        let listed = Domain::bands(0, 110, vec![0, 15, 25, 65, 110]).unwrap();
        let keys: Vec<_> = listed.keyset().unwrap().codes().iter().map(Code::to_string).collect();
        assert_eq!(keys, ["0-14", "15-24", "25-64", "65-109", "110", "_O", "_U"]);
        assert_eq!(listed.key_count(), Some(keys.len()));
        for (value, position) in [(0, 0), (14, 0), (15, 1), (64, 2), (65, 3), (110, 4), (111, 5), (-1, 5)] {
            assert_eq!(listed.band_of(value), Some(position), "{value}");
        }
    }

    #[test]
    fn a_domain_that_makes_no_sense_is_refused() {
        let code = |text: &str| text.parse::<Code>().unwrap();
        for (domain, expected) in [
            (Domain::codes(vec![]), DatasetError::Empty),
            (Domain::codes(vec![code("F"), code("F")]), DatasetError::Twice("F".into())),
            (Domain::codes(vec![code("_O")]), DatasetError::Reserved("_O".into())),
            (Domain::integer(5, 4, 1), DatasetError::Inverted(5, 4)),
            (Domain::integer(0, 4, 0), DatasetError::Bands),
            (Domain::integer(i64::MIN, i64::MAX, 1), DatasetError::Keys(i64::MAX)),
            (Domain::bands(0, 9, vec![]), DatasetError::FirstBand(0)),
            (Domain::bands(0, 9, vec![1, 5]), DatasetError::FirstBand(0)),
            (Domain::bands(0, 9, vec![0, 5, 5]), DatasetError::ListedBands),
            (Domain::bands(0, 9, vec![0, 10]), DatasetError::Outside("bands", 10)),
            (Domain::amount(1, 0, 0, None), DatasetError::Inverted(1, 0)),
            (Domain::date("2024-02-30".into(), "2024-03-01".into(), Span::Day), DatasetError::Days),
            (Domain::date("2024-03-01".into(), "2024-02-01".into(), Span::Day), DatasetError::Days),
        ] {
            assert_eq!(domain, Err(expected));
        }
    }

    #[test]
    fn the_keys_of_a_long_period_are_counted_by_their_stretch() {
        let dates = |by| Domain::date("0001-01-01".into(), "9999-12-31".into(), by);
        assert_eq!(dates(Span::Year).unwrap().keyset().unwrap().len(), 9_999 + 2);
        assert_eq!(dates(Span::Month), Err(DatasetError::Keys(9_999 * 12 + 2)));
        assert_eq!(dates(Span::Day), Err(DatasetError::Keys(3_652_059 + 2)));
        let lives = Domain::date("1900-01-01".into(), "2099-12-31".into(), Span::Day).unwrap();
        assert_eq!(lives.keyset().unwrap().len(), 73_049 + 2);
        for (from, until) in [
            ("2023-12-30", "2024-03-01"),
            ("2024-02-29", "2024-02-29"),
            ("1999-03-01", "2001-02-28"),
            ("1899-12-31", "1900-03-01"),
            ("0001-01-01", "0004-12-31"),
        ] {
            for by in [Span::Day, Span::Month, Span::Year] {
                let period = Domain::date(from.into(), until.into(), by).unwrap();
                assert_eq!(period.key_count(), Some(period.keyset().unwrap().len()), "{from} {until} {by:?}");
            }
        }
    }

    #[test]
    fn days_have_the_key_of_their_stretch() {
        let dates = |by| Domain::date("2023-12-30".into(), "2024-03-01".into(), by).unwrap();
        let keys = |by| dates(by).keyset().unwrap().codes().iter().map(Code::to_string).collect::<Vec<_>>();
        assert_eq!(keys(Span::Year), ["2023", "2024", "_O", "_U"]);
        assert_eq!(keys(Span::Month), ["2023-12", "2024-01", "2024-02", "2024-03", "_O", "_U"]);
        assert_eq!(keys(Span::Day).len(), 2 + 31 + 29 + 1 + 2);
        for (day, key) in [
            ("2023-12-30", Some("2023-12")),
            ("2024-02-29", Some("2024-02")),
            ("2023-12-29", None),
            ("2024-02-30", None),
            ("2024-02", None),
            ("2024-02-01T00", None),
            ("2024-02-01T00:00", Some("2024-02")),
        ] {
            assert_eq!(dates(Span::Month).key_of(day), key, "{day}");
        }
    }
}
