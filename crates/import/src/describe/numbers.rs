//! Which of a column's values are numbers, in which notations.

use std::collections::BTreeMap;

use super::missing::may_be_none;
use crate::{
    DecimalMark, Notation, Thousands,
    value::{decimals, nearest_whole},
};

/// The ways to write numbers, those without marks between groups first.
pub(super) const WAYS: [(DecimalMark, Option<Thousands>); 8] = [
    (DecimalMark::Point, None),
    (DecimalMark::Comma, None),
    (DecimalMark::Point, Some(Thousands::Comma)),
    (DecimalMark::Comma, Some(Thousands::Point)),
    (DecimalMark::Point, Some(Thousands::Blank)),
    (DecimalMark::Comma, Some(Thousands::Blank)),
    (DecimalMark::Point, Some(Thousands::Apostrophe)),
    (DecimalMark::Comma, Some(Thousands::Apostrophe)),
];

/// Of this many numbers one has a mark, or more, where numbers are written with marks.
const MARKED_ONE_IN: u64 = 1_000;

/// Digits of a number that any notation reads, and that cannot overflow.
const DIGITS_SAFE: usize = 18;

/// The numbers of a column.
#[derive(Debug, Clone, Default)]
pub(super) struct NumberTally {
    /// Numbers that are the same in each notation.
    plain: Numbers,
    /// One of them has zeros in front.
    pub(super) has_zeros_in_front: bool,
    /// Numbers with a mark that not all of the [`WAYS`] read alike, in each way that reads them.
    marked: [Numbers; WAYS.len()],
}

/// Numbers that are read in one way.
#[derive(Debug, Clone, Default)]
struct Numbers {
    count: u64,
    /// The most decimals that one needs.
    decimals: u32,
    /// The least and the greatest of those that say a number, as the nearest whole numbers.
    bounds: Option<(i64, i64)>,
    for_none: BTreeMap<i64, u64>,
}

impl Numbers {
    fn add(&mut self, number: i64, decimals: u32) {
        self.count += 1;
        self.decimals = self.decimals.max(decimals);
        if decimals == 0 && may_be_none(number) {
            *self.for_none.entry(number).or_default() += 1;
        } else {
            self.bounds = join(self.bounds, Some((number, number)));
        }
    }
}

impl NumberTally {
    /// Counts a value without the blanks around it, if it is a number in any notation.
    pub(super) fn add(&mut self, value: &[u8], typed: bool) -> bool {
        let digits = value.strip_prefix(b"-").unwrap_or(value);
        if !digits.first().is_some_and(|byte| byte.is_ascii_digit() || b"+.,\xe2".contains(byte)) {
            return false;
        }
        if digits.len() <= DIGITS_SAFE && digits.iter().all(u8::is_ascii_digit) {
            let number = nearest_whole(value, &Notation::default()).unwrap_or_default();
            self.plain.add(number, 0);
            self.has_zeros_in_front |= digits.len() > 1 && digits.starts_with(b"0");
            return true;
        }
        let read = |decimal, thousands| {
            let notation = Notation { decimal, thousands, days: None };
            // Past 63 bits two numbers would be one.
            let is_kept = |number: &i64| !matches!(*number, i64::MIN | i64::MAX);
            let number = nearest_whole(value, &notation).filter(is_kept)?;
            Some((number, decimals(value, &notation).unwrap_or_default()))
        };
        let ungrouped =
            [DecimalMark::Point, DecimalMark::Comma].map(|decimal| (decimal, read(decimal, None)));
        // What the file itself says is a number is written in one way, and a text without a mark means one number.
        let [by_point, by_comma] = ungrouped.map(|(_, read)| read);
        if let Some((number, decimals)) = by_point.filter(|_| typed || by_point == by_comma) {
            self.plain.add(number, decimals);
            return true;
        }
        let mut is_number = false;
        for ((decimal, thousands), numbers) in WAYS.into_iter().zip(&mut self.marked) {
            let plain = ungrouped.iter().find(|(other, _)| *other == decimal).and_then(|(_, read)| *read);
            // Nobody sets a zero apart as a group: `0.125` has decimals.
            let may_have_groups = thousands.is_some() && !digits.starts_with(b"0");
            let found = plain.or_else(|| if may_have_groups { read(decimal, thousands) } else { None });
            if let Some((number, decimals)) = found {
                numbers.add(number, decimals);
                is_number = true;
            }
        }
        is_number
    }

    /// How many numbers there are as each of the [`WAYS`] reads them.
    pub(super) fn counts(&self) -> [u64; WAYS.len()] {
        self.marked.each_ref().map(|numbers| self.plain.count + numbers.count)
    }

    /// Whether the notation matters to some, and not only to a few that are no numbers: two houses in a column of their
    /// numbers, `108,110`.
    pub(super) fn has_marks(&self) -> bool {
        self.marked
            .iter()
            .any(|numbers| numbers.count > 0 && numbers.count * MARKED_ONE_IN >= self.plain.count)
    }

    /// The most decimals that a number needs, as one of the [`WAYS`] reads it.
    pub(super) fn decimals(&self, way: usize) -> u32 {
        self.marked.get(way).map_or(0, |numbers| numbers.decimals).max(self.plain.decimals)
    }

    /// The numbers that may say that there is none, as one of the [`WAYS`] reads them, and the least and the greatest of the
    /// other numbers.
    pub(super) fn for_none(&self, way: usize) -> (BTreeMap<i64, u64>, Option<(i64, i64)>) {
        let (mut for_none, mut bounds) = (self.plain.for_none.clone(), self.plain.bounds);
        if let Some(marked) = self.marked.get(way) {
            for (number, rows) in &marked.for_none {
                *for_none.entry(*number).or_default() += rows;
            }
            bounds = join(bounds, marked.bounds);
        }
        (for_none, bounds)
    }
}

fn join(one: Option<(i64, i64)>, other: Option<(i64, i64)>) -> Option<(i64, i64)> {
    match (one, other) {
        (Some((least, greatest)), Some((low, high))) => Some((least.min(low), greatest.max(high))),
        _ => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ways that read most of some values, by their marks, and the decimals that each finds.
    fn read(values: &[&str]) -> Vec<(&'static str, u32)> {
        let names = [".", ",", ". ,", ", .", ". _", ", _", ". '", ", '"];
        let mut tally = NumberTally::default();
        for value in values {
            tally.add(value.as_bytes(), false);
        }
        let counts = tally.counts();
        let most = counts.into_iter().max().unwrap();
        let ways = (0..WAYS.len()).filter(|way| counts[*way] == most);
        ways.map(|way| (names[way], tally.decimals(way))).collect()
    }

    #[test]
    fn values_say_how_they_are_written_as_far_as_they_can() {
        for (values, expected) in [
            (&["1.5", "2.25", "30"][..], &[(".", 2), (". ,", 2), (". _", 2), (". '", 2)][..]),
            (&["1,5", "2,25", "x"], &[(",", 2), (", .", 2), (", _", 2), (", '", 2)]),
            (&["1,200", "30,500"], &[(",", 1), (". ,", 0), (", .", 1), (", _", 1), (", '", 1)]),
            (&["1,200", "1,200,300.50"], &[(". ,", 1)]),
            (&["1.200", "1.200,50"], &[(", .", 1)]),
            (&["0.125", "1.200"], &[(".", 3), (". ,", 3), (". _", 3), (". '", 3)]),
            (&["1 200", "1\u{a0}200,5"], &[(", _", 1)]),
            (&["1'200", "900"], &[(". '", 0), (", '", 0)]),
        ] {
            assert_eq!(read(values), expected, "{values:?}");
        }
    }

    #[test]
    fn texts_are_no_numbers_and_typed_numbers_have_no_notation() {
        let mut tally = NumberTally::default();
        for value in ["", "-", "x1", "1x", "1 2", "12345678901234567890", "e5", "\u{2019}", "\u{2212}7"] {
            assert!(!tally.add(value.as_bytes(), false), "{value}");
        }
        assert!(tally.add(b"12.50", true) && tally.add(b"-7", false));
        assert_eq!((tally.counts(), tally.decimals(1)), ([2; 8], 1));
        for value in ["1e5", "25e-1", "+7", "1234567890123456789"] {
            assert!(tally.add(value.as_bytes(), false), "{value}");
        }
        assert!(!tally.has_marks());
        assert!(tally.add(b"1.500", false) && tally.has_marks());
        let mut houses = NumberTally::default();
        for number in 0..32_178 {
            houses.add(number.to_string().as_bytes(), false);
        }
        for _ in 0..3 {
            houses.add(b"108,110", false);
        }
        assert!(!houses.has_marks(), "three of thousands are no numbers");
        for _ in 0..30 {
            houses.add(b"1,200", false);
        }
        assert!(houses.has_marks());
    }

    #[test]
    fn numbers_for_none_are_kept_apart_from_the_others() {
        let mut tally = NumberTally::default();
        for value in ["0", "95", "999", "999,0", "-1", "12,5"] {
            tally.add(value.as_bytes(), false);
        }
        assert_eq!(tally.for_none(1), (BTreeMap::from([(-1, 1), (999, 2)]), Some((0, 95))));
        assert_eq!(tally.for_none(0), (BTreeMap::from([(-1, 1), (999, 1)]), Some((0, 95))));
    }
}
