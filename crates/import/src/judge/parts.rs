//! What is at fault in most of one file's values, though not in most of all: an office's districts export files of their own.

use super::{Extent, Weighed, of_column};
use crate::{
    fault::UnfitValues,
    findings::{Finding, Findings},
    options::ImportOptions,
    report::ImportReport,
};

/// A fault of most values of some of several files.
pub(super) struct PartFault {
    /// Such values in all files.
    pub(super) whole: Weighed,
    /// Those of the first of these files.
    pub(super) first: Weighed,
    /// The positions of these files.
    pub(super) parts: Vec<usize>,
}

/// The faults of single files' values of the column at a position, each fault once; those that the values of all files have are
/// none of them.
pub(super) fn of_parts(
    report: &ImportReport,
    at: usize,
    (all, whole): (&Findings, &[Weighed]),
    options: &ImportOptions,
) -> Vec<PartFault> {
    let mut faults: Vec<PartFault> = Vec::new();
    if report.parts.len() < 2 {
        return faults;
    }
    for (number, part) in report.parts.iter().enumerate() {
        let Some(found) = part.findings.get(at) else { continue };
        let of_part = of_column(found, part.rows, at == 0, options, Extent::OneFile);
        let same = |(one, other): (&Weighed, &Weighed)| one.fault == other.fault;
        debug_assert!(of_part.len() == whole.len() && of_part.iter().zip(whole).all(same), "in one order");
        for (first, whole) in of_part.into_iter().zip(whole).filter(|(first, _)| first.has_it()) {
            let others = whole.counted.count.saturating_sub(first.counted.count);
            let is_usual_so =
                first.fault == UnfitValues::Thousands && others * 2 >= all.of(Finding::UngroupedNumber).count;
            let is_usual_none =
                first.fault == UnfitValues::NoValues && (at == 0 || others * 2 >= report.rows - part.rows);
            if is_usual_so || is_usual_none {
                continue;
            }
            match faults.iter_mut().find(|known| known.whole.fault == whole.fault) {
                Some(known) => known.parts.push(number),
                None => faults.push(PartFault { whole: whole.clone(), first, parts: vec![number] }),
            }
        }
    }
    faults
}
