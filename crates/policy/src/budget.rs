//! What everyone together may learn of a dataset, and when it is full again.

use lango_privacy::{Accounting, Name};
use time::{Date, Month};

/// What a dataset's questions are charged to: the datasets of one group share a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// The group's name, or the dataset's own.
    pub name: Name,
    /// Whether the dataset names its group.
    pub is_group: bool,
}

/// What may be learned from a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// The currency.
    pub account: Accounting,
    /// How much, in billionths of epsilon.
    pub epsilon_nano: u64,
    /// When it is full again.
    pub renews: Renewal,
}

/// When an account is full again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// Never.
    Never,
    /// On the first of every month.
    Monthly,
    /// On the first of January, April, July and October.
    Quarterly,
    /// On the first of January.
    Yearly,
}

impl Renewal {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Never, Self::Monthly, Self::Quarterly, Self::Yearly];

    /// A policy's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Monthly => "monthly",
            Self::Quarterly => "quarterly",
            Self::Yearly => "yearly",
        }
    }

    /// When the calendar period (UTC) that a day lies in began, in Unix seconds; 0 where nothing renews.
    pub fn since(self, day: Date) -> i64 {
        let month = match self {
            Self::Never => return 0,
            Self::Monthly => day.month(),
            Self::Quarterly => [Month::January, Month::April, Month::July, Month::October]
                .into_iter()
                .rfind(|first| u8::from(*first) <= u8::from(day.month()))
                .unwrap_or(Month::January),
            Self::Yearly => Month::January,
        };
        Date::from_calendar_date(day.year(), month, 1)
            .map_or(0, |first| first.midnight().assume_utc().unix_timestamp())
    }

    /// The name of the calendar period (UTC) that a day lies in: ``, `2026-11`, `2026-Q4`, `2026`.
    pub fn period(self, day: Date) -> String {
        let (year, month) = (day.year(), u8::from(day.month()));
        match self {
            Self::Never => String::new(),
            Self::Monthly => format!("{year:04}-{month:02}"),
            Self::Quarterly => format!("{year:04}-Q{}", month.div_ceil(3)),
            Self::Yearly => format!("{year:04}"),
        }
    }
}
