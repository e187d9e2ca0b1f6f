//! How an office writes numbers and days: what the file alone cannot say.

use std::{fmt, str::FromStr};

/// How the text of fields is written. Types of a Parquet file that are numbers or days need none of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notation {
    /// What stands before the decimals.
    pub decimal: DecimalMark,
    /// What stands between groups of three digits, if anything does.
    pub thousands: Option<Thousands>,
    /// How days are written, if not `2024-07-01`.
    pub days: Option<DayFormat>,
}

/// What stands before the decimals of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DecimalMark {
    /// `1200.50`.
    #[default]
    Point,
    /// `1200,50`.
    Comma,
}

/// What stands between groups of three digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thousands {
    /// A blank: a space, U+00A0 or U+202F.
    Blank,
    /// `1.200`.
    Point,
    /// `1,200`.
    Comma,
    /// `1'200`, with `'` or U+2019.
    Apostrophe,
}

/// How a day is written: `%d`, `%m` and `%Y`, each once, and what stands between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayFormat(Vec<Piece>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    /// One or two digits.
    Day,
    /// One or two digits.
    Month,
    /// Four digits.
    Year,
    /// This byte.
    Literal(u8),
}

/// A way to write days that is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DayFormatError {
    /// Two digits.
    #[error("`%y` does not say the century: export years with four digits, `%Y`")]
    Century,
    /// A part of the day's time.
    #[error("a time after the day is read and left out by itself: name the day only, with %d, %m and %Y")]
    Time,
    /// Anything else after `%`.
    #[error("`%{0}` is not understood: %d is the day, %m the month and %Y the year, all in digits")]
    Unknown(char),
    /// A part is missing or there twice.
    #[error("a day has %d, %m and %Y, each once")]
    Parts,
}

impl DecimalMark {
    pub(crate) fn byte(self) -> u8 {
        match self {
            Self::Point => b'.',
            Self::Comma => b',',
        }
    }

    pub(crate) fn other(self) -> Self {
        match self {
            Self::Point => Self::Comma,
            Self::Comma => Self::Point,
        }
    }
}

impl Thousands {
    pub(crate) const ALL: [Self; 4] = [Self::Blank, Self::Point, Self::Comma, Self::Apostrophe];

    /// How it may be written.
    pub(crate) fn spellings(self) -> &'static [&'static str] {
        match self {
            Self::Blank => &[" ", "\u{a0}", "\u{202f}"],
            Self::Point => &["."],
            Self::Comma => &[","],
            Self::Apostrophe => &["'", "\u{2019}"],
        }
    }

    /// Whether a number's decimals may follow this mark in the same column.
    pub(crate) fn goes_with(self, decimal: DecimalMark) -> bool {
        match self {
            Self::Point => decimal == DecimalMark::Comma,
            Self::Comma => decimal == DecimalMark::Point,
            Self::Blank | Self::Apostrophe => true,
        }
    }
}

impl FromStr for Thousands {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|mark| mark.spellings().contains(&text));
        found.ok_or("one of \" \", \".\", \",\" and \"'\"")
    }
}

impl Thousands {
    /// The mark as it is said.
    pub fn text(self) -> &'static str {
        self.spellings().first().copied().unwrap_or_default()
    }
}

impl fmt::Display for DayFormat {
    /// As it is said: `%d/%m/%Y`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0.iter().flat_map(|piece| match piece {
            Piece::Day => b"%d".to_vec(),
            Piece::Month => b"%m".to_vec(),
            Piece::Year => b"%Y".to_vec(),
            Piece::Literal(byte) => vec![*byte],
        });
        f.write_str(&String::from_utf8_lossy(&bytes.collect::<Vec<_>>()))
    }
}

impl Notation {
    /// Whether its marks can be kept apart.
    pub fn is_clear(&self) -> bool {
        self.thousands.is_none_or(|mark| mark.goes_with(self.decimal))
    }

    /// In words, and the same for the same notation, in every version: registers keep digests of it.
    pub(crate) fn describe(&self) -> String {
        let decimal = match self.decimal {
            DecimalMark::Point => "Point",
            DecimalMark::Comma => "Comma",
        };
        let thousands = match self.thousands {
            None => "None",
            Some(Thousands::Blank) => "Some(Blank)",
            Some(Thousands::Point) => "Some(Point)",
            Some(Thousands::Comma) => "Some(Comma)",
            Some(Thousands::Apostrophe) => "Some(Apostrophe)",
        };
        let piece = |piece: &Piece| match piece {
            Piece::Day => "Day".to_owned(),
            Piece::Month => "Month".to_owned(),
            Piece::Year => "Year".to_owned(),
            Piece::Literal(byte) => format!("Literal({byte})"),
        };
        let days = self.days.as_ref().map_or("None".to_owned(), |days| {
            let pieces: Vec<String> = days.pieces().iter().map(piece).collect();
            format!("Some(DayFormat([{}]))", pieces.join(", "))
        });
        format!("Notation {{ decimal: {decimal}, thousands: {thousands}, days: {days} }}")
    }
}

impl DayFormat {
    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The same with day and month in each other's place.
    pub(crate) fn exchanged(&self) -> Self {
        let exchanged = self.0.iter().map(|piece| match piece {
            Piece::Day => Piece::Month,
            Piece::Month => Piece::Day,
            Piece::Year | Piece::Literal(_) => *piece,
        });
        Self(exchanged.collect())
    }
}

impl FromStr for DayFormat {
    type Err = DayFormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut pieces = Vec::new();
        let mut rest = text.chars();
        while let Some(letter) = rest.next() {
            let piece = match (letter, rest.clone().next()) {
                ('%', Some('d')) => Piece::Day,
                ('%', Some('m')) => Piece::Month,
                ('%', Some('Y')) => Piece::Year,
                ('%', Some('y')) => return Err(DayFormatError::Century),
                ('%', Some('H' | 'I' | 'M' | 'S' | 'T' | 'p' | 'z')) => return Err(DayFormatError::Time),
                ('%', other) => return Err(DayFormatError::Unknown(other.unwrap_or(' '))),
                (letter, _) => {
                    let mut bytes = [0; 4];
                    pieces.extend(letter.encode_utf8(&mut bytes).bytes().map(Piece::Literal));
                    continue;
                }
            };
            rest.next();
            pieces.push(piece);
        }
        let once = |piece| pieces.iter().filter(|other| **other == piece).count() == 1;
        if !(once(Piece::Day) && once(Piece::Month) && once(Piece::Year)) {
            return Err(DayFormatError::Parts);
        }
        Ok(Self(pieces))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_to_write_days_names_day_month_and_year() {
        use Piece::{Day, Literal, Month, Year};
        for (text, expected) in [
            ("%d/%m/%Y", Ok(vec![Day, Literal(b'/'), Month, Literal(b'/'), Year])),
            ("%Y%m%d", Ok(vec![Year, Month, Day])),
            ("%d.%m", Err(DayFormatError::Parts)),
            ("%d.%m.%Y %d", Err(DayFormatError::Parts)),
            ("%d/%m/%y", Err(DayFormatError::Century)),
            ("%d/%m/%Y %H:%M", Err(DayFormatError::Time)),
            ("%d %b %Y", Err(DayFormatError::Unknown('b'))),
            ("%d/%m/%", Err(DayFormatError::Unknown(' '))),
        ] {
            let format = text.parse::<DayFormat>();
            assert!(format.as_ref().is_ok_and(|format| format.to_string() == text) || format.is_err());
            assert_eq!(format.map(|format| format.0), expected, "{text}");
        }
    }

    #[test]
    fn what_registers_keep_digests_of_is_written_as_it_always_was() {
        for (notation, expected) in [
            (Notation::default(), "Notation { decimal: Point, thousands: None, days: None }"),
            (
                Notation {
                    decimal: DecimalMark::Comma,
                    thousands: Some(Thousands::Blank),
                    days: Some("%d/%m/%Y".parse().unwrap()),
                },
                "Notation { decimal: Comma, thousands: Some(Blank), days: Some(DayFormat([Day, Literal(47), Month, Literal(47), Year])) }",
            ),
        ] {
            assert_eq!(notation.describe(), expected);
        }
    }

    #[test]
    fn marks_that_cannot_be_kept_apart_are_found() {
        for (decimal, thousands, clear) in [
            (DecimalMark::Point, None, true),
            (DecimalMark::Point, Some(","), true),
            (DecimalMark::Point, Some("."), false),
            (DecimalMark::Comma, Some(","), false),
            (DecimalMark::Comma, Some("\u{202f}"), true),
            (DecimalMark::Comma, Some("\u{2019}"), true),
        ] {
            let thousands = thousands.map(|mark| mark.parse().unwrap());
            let notation = Notation { decimal, thousands, days: None };
            assert_eq!(notation.is_clear(), clear, "{notation:?}");
        }
        assert!("_".parse::<Thousands>().is_err());
    }
}
