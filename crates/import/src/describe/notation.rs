//! How the numbers and days of all columns are written: an import reads all of them in one way.

use super::{
    days,
    numbers::WAYS,
    tally::{ColumnTally, RoughShape},
};
use crate::{DayFormat, DecimalMark, Thousands};

/// How the numbers and days of a file are written. Where the file cannot say which of several ways is meant, there are several,
/// and none is better than the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundNotation {
    /// What stands before decimals and between groups of three digits.
    pub marks: Vec<(DecimalMark, Option<Thousands>)>,
    /// The formats of days; none where they are written as `2024-07-01`, or there are no days.
    pub days: Vec<DayFormat>,
    /// The columns whose numbers or days are written in another way than those of most columns, so that no one import reads all.
    pub apart: Vec<String>,
    /// The columns whose days stand in two notations.
    pub mixed_days: Vec<String>,
}

/// The notation of the columns, and which of the ways to write numbers its first is.
pub(super) fn of(names: &[String], columns: &[ColumnTally]) -> (FoundNotation, usize) {
    let all = || names.iter().zip(columns);
    let numbers =
        all().filter(|(_, column)| column.rough_shape() == RoughShape::Numbers && column.numbers.has_marks());
    let numbers: Vec<(&String, Vec<bool>)> = numbers
        .map(|(name, column)| {
            let counts = column.numbers.counts();
            let most = counts.iter().max();
            (name, counts.iter().map(|count| Some(count) == most).collect())
        })
        .collect();
    let mut marks = common(WAYS.len(), &numbers);
    // What is read without groups needs none.
    let plain: Vec<DecimalMark> = marks
        .iter()
        .filter_map(|way| WAYS.get(*way))
        .filter(|(_, thousands)| thousands.is_none())
        .map(|(decimal, _)| *decimal)
        .collect();
    marks.retain(|way| {
        WAYS.get(*way).is_some_and(|(decimal, thousands)| thousands.is_none() || !plain.contains(decimal))
    });
    if numbers.is_empty() {
        marks.truncate(1);
    }
    // Numbers that are read with a point and with a comma, the groups being the same, have no decimals.
    let decimals = marks.clone();
    marks.retain(|way| match WAYS.get(*way) {
        Some((DecimalMark::Comma, thousands)) => {
            !decimals.iter().any(|other| WAYS.get(*other) == Some(&(DecimalMark::Point, *thousands)))
        }
        _ => true,
    });
    let days: Vec<(&String, Vec<bool>)> = all()
        .filter(|(_, column)| column.rough_shape() == RoughShape::Days)
        .map(|(name, column)| (name, (0..days::ways()).map(|way| column.days.is_read_by(way)).collect()))
        .collect();
    let formats = common(days::ways(), &days);
    let apart = |ways: &[usize], columns: &[(&String, Vec<bool>)]| {
        let first = ways.first().copied().unwrap_or(0);
        let others = columns.iter().filter(|(_, reads)| reads.get(first) != Some(&true));
        others.map(|(name, _)| (*name).clone()).collect::<Vec<_>>()
    };
    let found = FoundNotation {
        marks: marks.iter().filter_map(|way| WAYS.get(*way).copied()).collect(),
        days: match formats.first() {
            None | Some(0) => Vec::new(),
            Some(_) => formats.iter().filter_map(|way| days::format(*way).cloned()).collect(),
        },
        apart: [apart(&marks, &numbers), apart(&formats, &days)].concat(),
        mixed_days: all()
            .filter(|(_, column)| column.has_mixed_days())
            .map(|(name, _)| name.clone())
            .collect(),
    };
    (found, marks.first().copied().unwrap_or(0))
}

/// The ways that read the most columns, and all of them the same columns, of which each says by which ways it is read.
fn common(ways: usize, columns: &[(&String, Vec<bool>)]) -> Vec<usize> {
    let read = |way: usize| columns.iter().filter(|(_, reads)| reads.get(way) == Some(&true)).count();
    let most = (0..ways).map(read).max().unwrap_or(0);
    let first = (0..ways).find(|way| read(*way) == most).unwrap_or(0);
    let is_same = |way: &usize| columns.iter().all(|(_, reads)| reads.get(*way) == reads.get(first));
    (0..ways).filter(is_same).collect()
}
