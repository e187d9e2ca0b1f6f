//! Which of a column's values are days, in which formats.

use std::sync::LazyLock;

use crate::{
    DayFormat,
    value::{day_formats, day_readings},
};

/// The ways with marks between the day, the month and the year, as bits of what [`day_readings`] returns.
static WITH_MARKS: LazyLock<u32> =
    LazyLock::new(|| (0..ways()).filter(|way| has_marks(*way)).fold(0, |bits, way| bits | 1 << way));

/// The days of a column.
#[derive(Debug, Clone, Default)]
pub(super) struct DayTally {
    /// How many values are days as each format reads them, `2024-07-01` first; empty before the first day.
    counts: Vec<u64>,
    /// How many values are days in any format.
    all: u64,
    /// How many have marks between the day, the month and the year.
    with_marks: u64,
    /// One of them has a time.
    pub(super) has_times: bool,
}

impl DayTally {
    /// Counts a value without the blanks around it, if it is a day in any format.
    pub(super) fn add(&mut self, value: &[u8], typed: bool) -> bool {
        // The shortest day is `1/2/2024`.
        if value.len() < 8 || !value.first().is_some_and(u8::is_ascii_digit) {
            return false;
        }
        let readings = day_readings(value);
        // What the file itself says is a day is written in one way, whatever is said of others.
        let readings = if typed && readings & 1 == 1 { u32::MAX } else { readings };
        if readings == 0 {
            return false;
        }
        self.counts.resize(1 + day_formats().len(), 0);
        for (bit, count) in self.counts.iter_mut().enumerate() {
            *count += u64::from(readings >> bit & 1);
        }
        self.all += 1;
        self.with_marks += u64::from(readings & *WITH_MARKS != 0);
        self.has_times |= value.contains(&b':');
        true
    }

    /// The most values that one format reads: any format, or one with marks between the day, the month and the year.
    pub(super) fn most(&self, with_marks: bool) -> u64 {
        let counts = self.counts.iter().enumerate();
        counts.filter(|(way, _)| !with_marks || has_marks(*way)).map(|(_, count)| *count).max().unwrap_or(0)
    }

    /// How many days have marks between the day, the month and the year, whatever the format of each.
    pub(super) fn with_marks(&self) -> u64 {
        self.with_marks
    }

    /// Whether days stand in two notations: some as `2024-07-01` and others with the day or the month first, some without
    /// marks, or no format reads all of them.
    pub(super) fn are_mixed(&self) -> bool {
        let iso = self.counts.first().copied().unwrap_or(0);
        let begins_with_year = |way| format(way).is_none_or(|format| format.to_string().starts_with("%Y"));
        let is_other = |way: &usize| !begins_with_year(*way) && self.is_read_by(*way);
        let most = self.most(true);
        let some_have_marks = 0 < self.with_marks && self.with_marks < self.all;
        some_have_marks
            || most < self.with_marks
            || (0 < iso && iso < most && (1..ways()).any(|way| is_other(&way)))
    }

    /// Whether a format reads as many values as any does.
    pub(super) fn is_read_by(&self, way: usize) -> bool {
        self.counts.get(way) == self.counts.iter().max()
    }
}

/// How many ways to write days there are.
pub(super) fn ways() -> usize {
    1 + day_formats().len()
}

/// The format of a way; `None` for `2024-07-01`.
pub(super) fn format(way: usize) -> Option<&'static DayFormat> {
    way.checked_sub(1).and_then(|at| day_formats().get(at))
}

fn has_marks(way: usize) -> bool {
    format(way).is_none_or(|format| format.to_string().len() > "%d%m%Y".len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> (Vec<String>, u64, bool) {
        let mut tally = DayTally::default();
        for value in values {
            tally.add(value.as_bytes(), false);
        }
        let named = |way| format(way).map_or("iso".to_owned(), ToString::to_string);
        let read = (0..ways()).filter(|way| tally.is_read_by(*way)).map(named).collect();
        (read, tally.most(true), tally.has_times)
    }

    #[test]
    fn the_formats_that_read_all_days_are_found() {
        for (values, expected, with_marks, has_times) in [
            (&["31/12/2023", "1/2/2024"][..], &["%d/%m/%Y"][..], 2, false),
            (&["01/02/2023", "3/4/2024 10:30"], &["%d/%m/%Y", "%m/%d/%Y"], 2, true),
            (&["12-31-2023", "soon"], &["%m-%d-%Y"], 1, false),
            (&["20231231", "20231230"], &["%Y%m%d"], 0, false),
        ] {
            let (read, marks, times) = read(values);
            assert_eq!(
                (read, marks, times),
                (expected.iter().map(ToString::to_string).collect(), with_marks, has_times)
            );
        }
        let (iso, ..) = read(&["2023-12-31", "2023-12-30T00:00"]);
        assert_eq!(iso[0], "iso");
        let (mixed, ..) = read(&["2023-12-31", "30/12/2023"]);
        assert_eq!(mixed, ["%d/%m/%Y"]);
    }

    #[test]
    fn two_notations_of_days_are_found() {
        for (values, typed, expected) in [
            (&["2023-12-31", "30/12/2023"][..], false, true),
            (&["13/12/2023", "12/13/2023"], false, true),
            (&["2023-12-31", "2023-12-30 10:30"], false, false),
            (&["2023-12-31", "20231230"], false, true),
            (&["20231231", "31122023", "20231231 10:30"], false, false),
            (&["1/2/2023", "31/12/2023", "soon"], false, false),
            (&["2023-12-31", "2023-01-02"], true, false),
        ] {
            let mut tally = DayTally::default();
            for value in values {
                tally.add(value.as_bytes(), typed);
            }
            assert_eq!(tally.are_mixed(), expected, "{values:?}");
        }
    }
}
