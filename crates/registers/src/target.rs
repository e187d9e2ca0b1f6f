//! How many persons to draw for each published cell.

use std::cmp::Reverse;

use crate::error::DrawError;
use crate::tables::{Sex, published};

/// The largest scale: the number of persons that one drawn person stands for.
pub const SCALE_MAX: u32 = 1_000_000;

/// How to draw: one person per `scale`, and the seed of everything that is modelled.
///
/// The same office, scale and seed give the same rows on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// From 1 (everyone) to [`SCALE_MAX`]; checked when drawing.
    pub scale: u32,
    /// Any number.
    pub seed: u64,
}

/// The persons to draw by origin and sex, sorted as [`published`], zeros included.
///
/// Rounds by largest remainders: a cell is less than one person away from published / scale, and the sum is the
/// office's total / scale, rounded to the nearest.
///
/// # Errors
/// An unknown office, a scale out of range.
pub fn targets(office: &str, scale: u32) -> Result<Vec<(&'static str, Sex, u64)>, DrawError> {
    if !(1..=SCALE_MAX).contains(&scale) {
        return Err(DrawError::ScaleOutOfRange { scale, most: SCALE_MAX });
    }
    let cells = published(office);
    if cells.is_empty() {
        return Err(DrawError::UnknownOffice { office: office.to_owned() });
    }
    let scale = u64::from(scale);
    let mut targets: Vec<_> =
        cells.iter().map(|cell| (cell.origin, cell.sex, cell.persons / scale)).collect();

    let total = cells.iter().map(|cell| cell.persons).sum::<u64>();
    let rounded = (total + scale / 2) / scale;
    let missing = rounded - targets.iter().map(|(.., persons)| persons).sum::<u64>();
    // A sum of n remainders, each less than the scale, rounds to at most n: no cell without a remainder is raised.
    let mut largest_first: Vec<_> = cells.iter().zip(&mut targets).collect();
    largest_first.sort_by_key(|(cell, _)| Reverse(cell.persons % scale));
    for ((_, (.., persons)), _) in largest_first.into_iter().zip(0..missing) {
        *persons += 1;
    }
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::OFFICES;

    #[test]
    fn every_cell_is_within_one_person_of_the_published_figure() {
        for scale in [1, 2, 7, 100, 999, 1000, 12_345, SCALE_MAX] {
            for office in OFFICES {
                let targets = targets(office, scale).unwrap();
                assert_eq!(targets.len(), published(office).len());
                for (cell, (origin, sex, persons)) in published(office).iter().zip(&targets) {
                    assert_eq!((cell.origin, cell.sex), (*origin, *sex));
                    let away = (persons * u64::from(scale)).abs_diff(cell.persons);
                    assert!(away < u64::from(scale), "{office} {origin} at {scale}: {persons}");
                }
                let exact = published(office).iter().map(|cell| cell.persons).sum::<u64>();
                let drawn = targets.iter().map(|(.., persons)| persons).sum::<u64>();
                assert!(
                    (drawn * u64::from(scale)).abs_diff(exact) * 2 <= u64::from(scale),
                    "{office} at {scale}"
                );
            }
        }
    }

    #[test]
    fn at_scale_one_the_targets_are_the_published_figures() {
        let targets = targets("GHA", 1).unwrap();
        assert!(published("GHA").iter().zip(&targets).all(|(cell, target)| cell.persons == target.2));
    }

    #[test]
    fn refusals_name_what_is_wrong() {
        let cases = [
            ("KEN", 100, "no figures are published for office `KEN`"),
            ("GHA", 0, "scale 0 is not between 1 and 1000000"),
            ("GHA", 1_000_001, "scale 1000001 is not between 1 and 1000000"),
        ];
        for (office, scale, expected) in cases {
            assert_eq!(targets(office, scale).unwrap_err().to_string(), expected);
        }
    }
}
