//! The times of the day of a column's moments: whether they are days, written at another place's midnight.

/// SurveyedMoments from which all, or most, being alike is no chance; the same number as an import has.
const LEAST: u64 = 10;
/// Of moments that are days one in this number may have a time of its own; the same number as an import has.
const ONE_IN: u64 = 10;

/// The moments of a column by their times of the day, in rows. Days without a time are none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SurveyedMoments {
    /// At midnight.
    pub midnight: u64,
    /// At midnight of a place whose clocks go up to six hours before: from 18:00 on, at a full hour or a quarter.
    pub elsewhere: u64,
    /// At another time.
    pub other: u64,
}

impl SurveyedMoments {
    /// All of them.
    pub fn all(&self) -> u64 {
        self.midnight + self.elsewhere + self.other
    }

    /// Whether almost all are at midnight of another place, so that the day that is read may be the one before the one that is
    /// meant.
    pub fn are_of_another_place(&self) -> bool {
        self.elsewhere >= LEAST && self.other * ONE_IN <= self.all()
    }

    /// Adds moments at a time of the day, `23:00` or `23:00:00.000+01`; anything else is no time.
    pub(crate) fn add(&mut self, clock: &[u8], rows: u64) {
        let [a @ b'0'..=b'2', b @ b'0'..=b'9', b':', minutes @ ..] = clock else { return };
        let Some((minutes, rest)) = minutes.split_at_checked(2) else { return };
        let seconds = rest.iter().take_while(|byte| matches!(byte, b':' | b'.' | b'0'..=b'9'));
        let is_full = seconds.into_iter().all(|byte| matches!(byte, b':' | b'.' | b'0'));
        let is_quarter =
            is_full && [b"00", b"15", b"30", b"45"].into_iter().any(|quarter| minutes == quarter);
        let of_these = match ((a - b'0') * 10 + b - b'0', is_quarter) {
            (0, true) if minutes == b"00" => &mut self.midnight,
            (18..=23, true) => &mut self.elsewhere,
            _ => &mut self.other,
        };
        *of_these += rows;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(clocks: &[(&str, u64)]) -> SurveyedMoments {
        let mut moments = SurveyedMoments::default();
        clocks.iter().for_each(|(clock, rows)| moments.add(clock.as_bytes(), *rows));
        moments
    }

    #[test]
    fn a_time_is_midnight_here_or_elsewhere_or_neither() {
        for (clock, [midnight, elsewhere, other]) in [
            ("00:00:00", [1, 0, 0]),
            ("00:00Z", [1, 0, 0]),
            ("23:00:00.000+01:30", [0, 1, 0]),
            ("18:15", [0, 1, 0]),
            ("00:15:00", [0, 0, 1]),
            ("23:00:01", [0, 0, 1]),
            ("17:00:00", [0, 0, 1]),
            ("23:01:00", [0, 0, 1]),
            ("", [0, 0, 0]),
            ("soon", [0, 0, 0]),
            ("23:0", [0, 0, 0]),
        ] {
            assert_eq!(of(&[(clock, 1)]), SurveyedMoments { midnight, elsewhere, other }, "{clock}");
        }
    }

    #[test]
    fn almost_all_of_them_are_days_where_at_most_one_in_ten_is_no_midnight() {
        for (clocks, expected) in [
            (vec![("23:00", 10)], true),
            (vec![("23:00", 9)], false),
            (vec![("23:00", 90), ("12:00", 10)], true),
            (vec![("23:00", 90), ("12:00", 11)], false),
            // Summer time.
            (vec![("23:00", 50), ("00:00", 50)], true),
            (vec![("00:00", 100)], false),
        ] {
            assert_eq!(of(&clocks).are_of_another_place(), expected, "{clocks:?}");
        }
    }
}
