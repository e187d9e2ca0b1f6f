//! Days by their months: whether day and month may be exchanged in all of them.

/// Days from which their being in one month is no chance.
const DAYS_LEAST: u64 = 20;
/// The first days of a month, which are months too.
const MONTHS: u32 = 12;
/// Of days in one month one in this number may be elsewhere.
const ONE_IN: u64 = 20;
/// Different days of the month from which they would be spread over months.
const SPREAD_LEAST: u32 = 3;

/// Days, counted by their months.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DaysOfMonths {
    all: u64,
    /// For each month, how many are on the first twelve days, and on which of them: a bit for each.
    early: [(u64, u16); MONTHS as usize],
}

impl DaysOfMonths {
    /// Adds a day, `2024-07-01`, that stands on this number of rows; anything else is none.
    pub fn add(&mut self, day: &[u8], rows: u64) {
        let [_, _, _, _, b'-', a, b, b'-', c, d] = day else { return };
        let number = |tens: &u8, ones: &u8| {
            let digit = |byte: &u8| byte.is_ascii_digit().then(|| usize::from(byte - b'0'));
            Some(digit(tens)? * 10 + digit(ones)?)
        };
        let (Some(month), Some(day)) = (number(a, b), number(c, d)) else { return };
        self.all += rows;
        if let Some((count, days)) = self.early.get_mut(month.wrapping_sub(1))
            && (1..=MONTHS as usize).contains(&day)
        {
            *count += rows;
            *days |= 1 << day;
        }
    }

    /// Adds those of another part of the rows.
    pub fn absorb(&mut self, others: &Self) {
        self.all += others.all;
        for ((count, days), (other_count, other_days)) in self.early.iter_mut().zip(&others.early) {
            *count += other_count;
            *days |= other_days;
        }
    }

    /// The month, counted from 1, whose first twelve days nearly all are, and how many, where they would be spread over months if
    /// day and month were exchanged.
    pub fn in_one_month(&self) -> Option<(usize, u64)> {
        let of_months = self.early.iter().enumerate().map(|(at, (count, days))| (at + 1, *count, *days));
        let (month, count, days) = of_months.max_by_key(|(_, count, _)| *count)?;
        let is_one = count >= DAYS_LEAST && (self.all - count) * ONE_IN <= self.all;
        (is_one && days.count_ones() >= SPREAD_LEAST).then_some((month, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of it, the days, and what is found.
    type Case = (&'static str, fn(u32) -> (u32, u32), Option<(usize, u64)>);

    #[test]
    fn days_are_in_one_month_where_the_other_order_spreads_them_over_months() {
        let cases: [Case; 8] = [
            ("firsts, exchanged", |n| (1, n % 12 + 1), Some((1, 60))),
            ("quarters, exchanged", |n| (1, n % 4 * 3 + 1), Some((1, 60))),
            ("fifteenths read aright", |n| (n % 12 + 1, 15), None),
            ("firsts", |n| (n % 12 + 1, 1), None),
            ("one day", |_| (7, 1), None),
            ("two", |n| (7, n % 2 + 1), None),
            ("a month", |n| (7, n % 31 + 1), None),
            ("a few elsewhere", |n| if n % 20 == 3 { (12, 31) } else { (3, n % 12 + 1) }, Some((3, 57))),
        ];
        for (what, day, expected) in cases {
            let mut days = DaysOfMonths::default();
            for n in 0..60 {
                let (month, day) = day(n);
                days.add(format!("{}-{month:02}-{day:02}", 2000 + n).as_bytes(), 1);
            }
            for other in ["", "soon", "2024-1-1", "2024-07-0x"] {
                days.add(other.as_bytes(), 7);
            }
            assert_eq!(days.in_one_month(), expected, "{what}");
        }
        let mut few = DaysOfMonths::default();
        (1..=12).for_each(|day| few.add(format!("2024-01-{day:02}").as_bytes(), 1));
        assert_eq!(few.in_one_month(), None);
        few.add(b"2024-01-05", 8);
        assert_eq!(few.in_one_month(), Some((1, 20)));
    }
}
