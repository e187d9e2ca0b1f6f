//! Months of charges: every period of a budget begins with a month, so a balance is a sum of months.

use time::{Date, Month, OffsetDateTime, Time};

/// A month (UTC) by its place among all, or before all where a budget never renews.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MonthOf(i32);

impl MonthOf {
    /// Before every month.
    pub(crate) const EVER: Self = Self(i32::MIN);

    /// The month of a moment in Unix seconds; nothing of one beyond all calendars.
    pub(crate) fn at(seconds: i64) -> Option<Self> {
        let day = OffsetDateTime::from_unix_timestamp(seconds).ok()?.date();
        Some(Self(day.year() * 12 + i32::from(u8::from(day.month())) - 1))
    }

    /// The month that begins at a moment; [`Self::EVER`] at 0, as accounts write it that never renew.
    pub(crate) fn beginning(since: i64) -> Option<Self> {
        if since == 0 {
            return Some(Self::EVER);
        }
        let at = OffsetDateTime::from_unix_timestamp(since).ok()?;
        (at.day() == 1 && at.time() == Time::MIDNIGHT).then(|| Self::at(since)).flatten()
    }
}

/// When a period began, in Unix seconds, by its name: ``, `2026-11`, `2026-Q4`, `2026`; nothing where it is none.
pub(crate) fn period_since(period: &str) -> Option<i64> {
    if period.is_empty() {
        return Some(0);
    }
    let (year, month) = match period.split_once('-') {
        None => (period, 1),
        Some((year, quarter)) => {
            let month = match quarter.strip_prefix('Q') {
                Some(number) => number.parse::<u8>().ok()?.checked_sub(1)?.checked_mul(3)?.checked_add(1)?,
                None => quarter.parse().ok()?,
            };
            (year, month)
        }
    };
    let first = Date::from_calendar_date(year.parse().ok()?, Month::try_from(month).ok()?, 1).ok()?;
    Some(first.midnight().assume_utc().unix_timestamp())
}

#[cfg(test)]
mod tests {
    use lango_policy::Renewal;

    use super::*;

    #[test]
    fn periods_begin_as_policies_renew() {
        for (year, month, day) in
            [(2026, Month::January, 1), (2026, Month::November, 30), (1999, Month::June, 30)]
        {
            let day = Date::from_calendar_date(year, month, day).unwrap();
            for renewal in Renewal::ALL {
                let since = renewal.since(day);
                assert_eq!(period_since(&renewal.period(day)), Some(since), "{renewal:?}");
                let month = MonthOf::beginning(since).unwrap();
                let moment = day.midnight().assume_utc().unix_timestamp();
                assert!(month <= MonthOf::at(moment).unwrap());
                assert_eq!(MonthOf::at(moment), MonthOf::at(moment + 86_399));
            }
        }
        for period in ["x", "2026-13", "2026-Q5", "2026-Q0", "2026-", "-"] {
            assert_eq!(period_since(period), None, "{period}");
        }
        let new_year = Date::from_calendar_date(2026, Month::January, 1).unwrap().midnight().assume_utc();
        assert_eq!(MonthOf::beginning(new_year.unix_timestamp() + 1), None);
        assert_eq!(MonthOf::beginning(new_year.unix_timestamp() + 86_400), None);
    }
}
