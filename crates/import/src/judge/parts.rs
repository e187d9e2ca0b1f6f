//! What is at fault in most of one file's values, though not in most of all: an office's districts export files of their own.

use super::{PART_LEAST, Weighed, together};
use crate::fault::UnfitValues;
use crate::report::{FilePart, Finding, Findings, ImportReport};

/// A fault of most values of some of several files.
pub(super) struct PartFault {
    /// Such values in all files.
    pub(super) whole: Weighed,
    /// Those of the first of these files.
    pub(super) first: Weighed,
    /// The positions of these files.
    pub(super) parts: Vec<usize>,
}

/// What is at fault in the most of one file's values and may be lost among those of the others: an office's districts export
/// their own. Each fault once.
pub(super) fn of_parts(report: &ImportReport, at: usize, all: &Findings) -> Vec<PartFault> {
    let mut faults: Vec<PartFault> = Vec::new();
    if report.parts.len() < 2 {
        return faults;
    }
    for (number, part) in report.parts.iter().enumerate() {
        let Some(found) = part.findings.get(at) else { continue };
        let whole = (all, report.rows);
        for (whole, of_part) in of_part(found, part, whole, at == 0).into_iter().flatten() {
            match faults.iter_mut().find(|known| known.whole.fault == whole.fault) {
                Some(known) => known.parts.push(number),
                None => faults.push(PartFault { whole, first: of_part, parts: vec![number] }),
            }
        }
    }
    faults
}

/// The faults of one file's values: each as it is in all files, and as it is in this one.
fn of_part(
    found: &Findings,
    part: &FilePart,
    (all, rows): (&Findings, u64),
    is_unit: bool,
) -> Vec<Option<(Weighed, Weighed)>> {
    let missing = found.of(Finding::Missing).count;
    let present = part.rows.saturating_sub(missing);
    let all_missing = all.of(Finding::Missing).count;
    let all_present = rows.saturating_sub(all_missing);
    let weighed = |fault, which: &[Finding]| {
        let of = |findings, of| Weighed { fault, counted: together(findings, which), of };
        (of(all, all_present), of(found, present))
    };
    let when = |condition: bool, fault, which: &[Finding]| condition.then(|| weighed(fault, which));
    let is_most = |count: u64, of: u64| of >= PART_LEAST && count * 2 > of;
    let read = present.saturating_sub(found.unfit());
    let outside = together(found, &[Finding::Below, Finding::Above]).count;
    let of_period = found.of(Finding::OutsidePeriod).count;
    // In the other files most numbers are written otherwise.
    let grouped = |findings: &Findings| findings.of(Finding::GroupedNumber).count;
    let ungrouped = |findings: &Findings| findings.of(Finding::UngroupedNumber).count;
    let are_grouped = ungrouped(found) == 0 && grouped(found) >= PART_LEAST;
    let others_are = (grouped(all) - grouped(found)) * 2 >= ungrouped(all);
    // A district that exported no values, where the others have most of theirs.
    let is_empty = !is_unit && present == 0 && part.rows >= PART_LEAST;
    let others_have = (all_missing - missing) * 2 < rows - part.rows;
    let unread = Finding::ALL.into_iter().filter(|finding| finding.is_unread() || finding.is_undeclared());
    let late = found.of(Finding::LateHour).count;
    let empty = (is_empty && others_have).then(|| {
        let of = |findings: &Findings, of| {
            let counted = findings.of(Finding::Missing).clone();
            Weighed { fault: UnfitValues::NoValues, counted, of }
        };
        (of(all, rows), of(found, part.rows))
    });
    vec![
        when(is_most(found.unfit(), present), UnfitValues::NotDeclared, &unread.collect::<Vec<_>>()),
        when(is_most(outside, read), UnfitValues::OutOfBounds, &[Finding::Below, Finding::Above]),
        when(of_period == read && read >= PART_LEAST, UnfitValues::OutOfPeriod, &[Finding::OutsidePeriod]),
        when(are_grouped && !others_are, UnfitValues::Thousands, &[Finding::GroupedNumber]),
        when(late == read && read >= PART_LEAST, UnfitValues::DayBefore, &[Finding::LateHour]),
        empty,
    ]
}
