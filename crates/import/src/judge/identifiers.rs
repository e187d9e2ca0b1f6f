//! What sets identifiers apart from the others, and when that is no chance.

use super::{Extent, ONE_IN, VALUES_LEAST, Weighed, together};
use crate::{
    fault::UnfitValues,
    findings::{Finding, Findings},
};

/// Of one file's rows one in this number may stand in the files once more, as events do that no declared column sets apart.
const FILE_ONE_IN: u64 = 5;
/// Of ten rows, this number are copies by no chance, wherever they stand.
const COPIES_IN_TEN: u64 = 3;
/// Identifiers with zeros alone behind the 15th digit from which a spreadsheet may have made them.
const LOST_LEAST: u64 = 3;
/// Identifiers from which all of them having a float is no chance.
const FLOATS_LEAST: u64 = 20;

/// What sets identifiers apart from the others, so that one unit may be two, or two units one. Of one of several files only what
/// its right rows cannot outweigh is judged.
pub(super) fn of_identifiers(found: &Findings, rows: u64, extent: Extent) -> Vec<Weighed> {
    let count = |finding| found.of(finding).count;
    let present = rows.saturating_sub(count(Finding::Missing));
    let one_in = match extent {
        Extent::All => ONE_IN,
        Extent::OneFile => FILE_ONE_IN,
    };
    // Units of few declared columns have rows that are alike by chance, but not in the order of others far above them.
    let (copies, in_block) = (count(Finding::CopiedRow), count(Finding::CopiedBlock));
    let are_copies = copies >= VALUES_LEAST
        && (copies * 10 > rows * COPIES_IN_TEN || (in_block * 2 > copies && in_block * one_in > rows));
    // Beside `12.1`, what stands before the point of `12.0` is no float.
    let are_tails = count(Finding::TailedIdentifier) < present
        && count(Finding::TailedIdentifier) > count(Finding::PointedIdentifier);
    let of = |of, fault, finding, is_at_fault| {
        let counted = found.of(finding).clone();
        Weighed { fault, counted, of, is_at_fault }
    };
    let when = |is_at_fault, fault, finding| of(present, fault, finding, is_at_fault);
    let always = |fault, finding| when(extent == Extent::All, fault, finding);
    let mut all = vec![
        of(rows, UnfitValues::NoIdentifier, Finding::Missing, extent == Extent::All),
        always(UnfitValues::LastRow, Finding::LastRow),
        always(UnfitValues::FirstRow, Finding::FirstRow),
        always(UnfitValues::TotalRow, Finding::TotalRow),
        odd(found, present, extent),
        always(UnfitValues::HiddenLetter, Finding::HiddenLetter),
        always(UnfitValues::RoundedIdentifier, Finding::RoundedIdentifier),
        when(extent == Extent::All && are_tails, UnfitValues::TailedIdentifier, Finding::TailedIdentifier),
        always(UnfitValues::LostZeros, Finding::LostZeros),
        always(UnfitValues::AlikeIdentifier, Finding::AlikeIdentifier),
        always(UnfitValues::CrowdedIdentifier, Finding::CrowdedIdentifier),
        always(UnfitValues::CountedAgain, Finding::CountedAgain),
        when(are_copies, UnfitValues::CopiedRow, Finding::CopiedRow),
    ];
    let rounded = rounded(found, rows).into_iter();
    all.extend(rounded.map(|(finding, is_so)| when(is_so, UnfitValues::RoundedIdentifier, finding)));
    all
}

/// What a program leaves of identifiers that it took for numbers and rounded, and whether those of this number of rows are so by
/// no chance.
pub(crate) fn rounded(found: &Findings, rows: u64) -> [(Finding, bool); 5] {
    let count = |finding| found.of(finding).count;
    let present = rows.saturating_sub(count(Finding::Missing));
    let (lost, exponents) = (count(Finding::LostDigits), count(Finding::ExponentIdentifier));
    // One rounded number in 16 is round; those of clocks, and of systems that count in powers of two, all are.
    let are_floats = |held, beyond| {
        count(held) >= FLOATS_LEAST && count(beyond) == 0 && count(Finding::RoundNumber) * 4 <= count(held)
    };
    [
        // One in ten numbers of 16 digits ends in 0, with nothing lost.
        (Finding::LostDigits, lost >= LOST_LEAST && lost * 4 >= count(Finding::LongNumber)),
        (Finding::SingleFloat, are_floats(Finding::SingleFloat, Finding::BeyondSingle)),
        (
            Finding::DoubleFloat,
            are_floats(Finding::DoubleFloat, Finding::BeyondDouble)
                && count(Finding::DoubleFloat) * 2 >= count(Finding::LongNumber),
        ),
        // A few among numbers are numbers.
        (
            Finding::ExponentIdentifier,
            exponents * ONE_IN <= present && exponents + count(Finding::DigitIdentifier) == present,
        ),
        // As many end in 0 as in 1 and 2, and more where members are counted; and what lost its 0 has one digit left.
        (
            Finding::PointedOne,
            count(Finding::PointedOne) >= VALUES_LEAST
                && count(Finding::PointedTwo) > 0
                && count(Finding::PointedDigit) > 0
                && count(Finding::PointedZero) == 0,
        ),
    ]
}

/// Words for nobody, and identifiers unlike the others: where they are few, or where they stand on rows that lack codes and days
/// as those of the others do not, as the totals of small parts do.
fn odd(found: &Findings, present: u64, extent: Extent) -> Weighed {
    let count = |finding| found.of(finding).count;
    let few = count(Finding::OddIdentifier);
    let odd = few + count(Finding::NobodyIdentifier);
    let (gaps, of_odd) = (count(Finding::GapRow), count(Finding::OddGapRow));
    let are_totals = odd < present && of_odd * 2 > odd && (gaps - of_odd) * ONE_IN <= present - odd;
    let which = if few * ONE_IN <= present || are_totals {
        &[Finding::NobodyIdentifier, Finding::OddIdentifier][..]
    } else {
        &[Finding::NobodyIdentifier]
    };
    Weighed {
        fault: UnfitValues::OddIdentifier,
        counted: together(found, which),
        of: present,
        is_at_fault: extent == Extent::All,
    }
}
