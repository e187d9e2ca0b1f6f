//! Whether what was found in the files may become the dataset's table, and what the caller has accepted of it.

use std::path::PathBuf;

use crate::{
    fault::UnfitValues,
    findings::{Finding, Findings, FoundValues},
    notation::Thousands,
    options::{Accepted, ImportOptions},
    report::{ImportReport, ImportedColumn},
};

mod identifiers;
mod parts;

use identifiers::of_identifiers;
pub(crate) use identifiers::rounded;
use parts::{PartFault, of_parts};

/// More than one in this number of the present values of a column may not be unread or undeclared.
const ONE_IN: u64 = 20;
/// Values from which all, or most, of one file's being alike is no chance.
const VALUES_LEAST: u64 = 10;
/// Of moments that are days one in this number may have a time of its own.
const MOMENT_ONE_IN: u64 = 10;
/// Of days one in this number may be one from which programs count, and as many times those beside it.
const ORIGIN_ONE_IN: u64 = 50;
const ORIGIN_TIMES: u64 = 5;

/// A column whose values keep the files from being imported.
#[derive(Debug, Clone, PartialEq)]
pub struct UnfitColumn {
    /// Its name.
    pub column: String,
    /// What is wrong with its values.
    pub fault: UnfitValues,
    /// The only files in which it is, where it is in some of several and not in all of them together.
    pub only_in: Vec<PathBuf>,
    /// The number of such values, in the first of these files if there are any.
    pub count: u64,
    /// The number of all rows, or of those in which the column has a value.
    pub of: u64,
    /// The share of the column's values in all files that would have to be accepted: rounded up to four decimals.
    pub share: f64,
    /// Where the first are, in words.
    pub places: String,
    /// The options that might read the values.
    pub remedies: Vec<&'static str>,
    /// What to do about those that no option reads.
    pub instead: Vec<&'static str>,
}

/// What of the files is unfit, and what the caller had to accept.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Judgement {
    pub(crate) unfit: Vec<UnfitColumn>,
    pub(crate) accepted: Vec<Accepted>,
}

/// Values that may be at fault.
#[derive(Debug, Clone)]
struct Weighed {
    fault: UnfitValues,
    counted: FoundValues,
    /// The number of all that could be.
    of: u64,
    /// Whether they are too many, or so by no chance.
    is_at_fault: bool,
}

impl Weighed {
    fn has_it(&self) -> bool {
        self.is_at_fault && self.counted.count > 0
    }
}

impl Judgement {
    pub(crate) fn of(report: &ImportReport, options: &ImportOptions) -> Self {
        let mut this = Self::default();
        for (at, column) in report.columns.iter().enumerate() {
            let mut found = of_column(&column.findings, report.rows, at == 0, options, Extent::All);
            let mut of_parts = of_parts(report, at, (&column.findings, &found), options);
            // Beside files of days, which say nothing, those of moments are named.
            let is_of_some = |weighed: &Weighed| {
                weighed.fault == UnfitValues::DayBefore
                    && of_parts.iter().any(|part| {
                        part.whole.fault == weighed.fault && part.parts.len() < report.parts.len()
                    })
            };
            found.retain(|weighed| weighed.has_it() && !is_of_some(weighed));
            found = each_once(found);
            of_parts.retain(|part| !found.iter().any(|weighed| weighed.fault == part.whole.fault));
            for weighed in &found {
                this.weigh(column, weighed, (weighed, &[]), report, options);
            }
            for PartFault { whole, first, parts } in &of_parts {
                this.weigh(column, whole, (first, parts), report, options);
            }
        }
        this
    }

    /// Notes that values are unfit, unless the caller accepts as many of them; with those of the first of the files in which they
    /// are too many, if they are not so in all files together.
    fn weigh(
        &mut self,
        column: &ImportedColumn,
        whole: &Weighed,
        (shown, parts): (&Weighed, &[usize]),
        report: &ImportReport,
        options: &ImportOptions,
    ) {
        let (fault, count, of) = (whole.fault, whole.counted.count, whole.of);
        let is_meant = |said: &Accepted| {
            said.column.eq_ignore_ascii_case(&column.name)
                && said.fault.and_then(UnfitValues::word) == fault.word()
        };
        // A share of 0.29 is 29 in 100, whatever the float next to it is.
        let is_enough = |said: &Accepted| count as f64 <= said.share * of as f64 + 1e-6;
        match options.accepted.iter().find(|said| is_meant(said) && is_enough(said)) {
            Some(said) => {
                let accepted = Accepted { column: column.name.clone(), ..said.clone() };
                if !self.accepted.contains(&accepted) {
                    self.accepted.push(accepted);
                }
            }
            None => self.unfit.push(UnfitColumn {
                column: column.name.clone(),
                fault,
                only_in: parts.iter().filter_map(|at| Some(report.files.get(*at)?.path.clone())).collect(),
                count: shown.counted.count,
                of: shown.of,
                share: share(count, of),
                places: report.places(&shown.counted),
                remedies: remedies(&column.findings, options),
                instead: often(&column.findings).filter_map(Finding::instead).collect(),
            }),
        }
    }
}

/// One fault may be found in two ways: once, with the more values.
fn each_once(found: Vec<Weighed>) -> Vec<Weighed> {
    let mut once: Vec<Weighed> = Vec::new();
    for weighed in found {
        match once.iter_mut().find(|known| known.fault == weighed.fault) {
            Some(known) if known.counted.count < weighed.counted.count => *known = weighed,
            Some(_) => {}
            None => once.push(weighed),
        }
    }
    once
}

/// The share as it would have to be accepted: rounded up to four decimals.
fn share(count: u64, of: u64) -> f64 {
    (u128::from(count) * 10_000).div_ceil(u128::from(of.max(1))) as f64 / 10_000.0
}

/// What may be at fault in a column: each in the same order, with the values that are so.
fn of_column(
    found: &Findings,
    rows: u64,
    is_unit: bool,
    options: &ImportOptions,
    extent: Extent,
) -> Vec<Weighed> {
    let mut all = of_values(found, rows, options, extent);
    if is_unit {
        all.extend(of_identifiers(found, rows, extent));
    }
    all
}

/// Of which files' values a fault is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// Of all files'.
    All,
    /// Of one of several files', in which most of them must be so, and some more than chance makes.
    OneFile,
}

/// What may keep a column's values from being what the policy declares: each fault in the same order, with the values that have
/// it.
fn of_values(found: &Findings, rows: u64, options: &ImportOptions, extent: Extent) -> Vec<Weighed> {
    let missing = found.of(Finding::Missing);
    let present = rows.saturating_sub(missing.count);
    let read = present.saturating_sub(found.not_declared());
    let (one_in, least) = match extent {
        Extent::All => (ONE_IN, 1),
        Extent::OneFile => (2, VALUES_LEAST),
    };
    // One such day beside others is enough: a spreadsheet that exchanged day and month where it could leaves such a column, and
    // so do files of two orders.
    let against = if read > 0 || extent == Extent::OneFile { found.of(Finding::DayOrder).count } else { 0 };
    let not_declared = not_declared(found);
    let outside = together(found, &[Finding::Below, Finding::Above]);
    let of = |finding| found.of(finding).clone();
    let count = |finding| found.of(finding).count;
    let moments = count(Finding::OtherMidnight) + count(Finding::Midnight) + count(Finding::OtherTime);
    let is_said = options.notation.days.is_some();
    let marks = match options.notation.thousands {
        Some(Thousands::Point) => of(Finding::DecimalPoint),
        Some(Thousands::Comma) => of(Finding::DecimalComma),
        Some(Thousands::Blank | Thousands::Apostrophe) | None => FoundValues::default(),
    };
    let origin = count(Finding::OriginDay);
    let (unread, beyond) = (not_declared.count, outside.count);
    let weighed = |fault, counted, is_at_fault| Weighed { fault, counted, of: present, is_at_fault };
    vec![
        weighed(
            UnfitValues::NotDeclared,
            not_declared,
            unread * one_in > present && unread > against && present >= least,
        ),
        weighed(
            if is_said { UnfitValues::OtherOrder } else { UnfitValues::TwoNotations },
            of(Finding::DayOrder),
            against > 0,
        ),
        weighed(UnfitValues::TwoNotations, of(Finding::OtherDays), count(Finding::OtherDays) < read),
        weighed(
            UnfitValues::Thousands,
            of(Finding::GroupedNumber),
            // Of numbers with three decimals one in ten ends in a 0, which most programs leave out.
            count(Finding::UngroupedNumber) * ONE_IN <= count(Finding::GroupedNumber)
                && count(Finding::GroupedNumber) >= least,
        ),
        weighed(UnfitValues::OutOfBounds, outside, beyond * 2 > read && read >= least),
        weighed(
            UnfitValues::OutOfPeriod,
            of(Finding::OutsidePeriod),
            count(Finding::OutsidePeriod) == read && read >= least,
        ),
        weighed(UnfitValues::OneMonth, of(Finding::OneMonth), extent == Extent::All),
        weighed(
            UnfitValues::DayBefore,
            of(Finding::OtherMidnight),
            count(Finding::OtherMidnight) >= VALUES_LEAST
                && count(Finding::OtherTime) * MOMENT_ONE_IN <= moments,
        ),
        weighed(
            UnfitValues::OriginDay,
            of(Finding::OriginDay),
            origin >= VALUES_LEAST
                && origin * ORIGIN_ONE_IN >= present
                && origin > count(Finding::BesideOrigin) * ORIGIN_TIMES,
        ),
        weighed(
            UnfitValues::HugeNumber,
            of(Finding::HugeNumber),
            extent == Extent::All && count(Finding::HugeNumber) > 0,
        ),
        weighed(UnfitValues::TwoMarks, marks, extent == Extent::All && read > 0),
        Weighed {
            fault: UnfitValues::NoValues,
            counted: missing.clone(),
            of: rows,
            is_at_fault: extent == Extent::OneFile && present == 0 && rows >= VALUES_LEAST,
        },
    ]
}

/// The values of which one of these is true, with the first places of all.
fn together(findings: &Findings, which: &[Finding]) -> FoundValues {
    let found = which.iter().map(|finding| findings.of(*finding));
    let count = found.clone().map(|counted| counted.count).sum();
    let mut first: Vec<_> = found.flat_map(|counted| counted.first.iter().copied()).collect();
    first.sort_by_key(|place| (place.file, place.line));
    first.truncate(crate::findings::FIRST);
    FoundValues { count, first }
}

/// The values of a column that are unread or undeclared.
fn not_declared(findings: &Findings) -> FoundValues {
    let unfit = Finding::ALL.into_iter().filter(|finding| finding.is_unread() || finding.is_undeclared());
    together(findings, &unfit.collect::<Vec<_>>())
}

/// The options that would read a tenth of what is unfit, or more.
fn remedies(findings: &Findings, options: &ImportOptions) -> Vec<&'static str> {
    let said = match options.notation.thousands {
        Some(Thousands::Point) => Some(Finding::DecimalPoint),
        Some(Thousands::Comma) => Some(Finding::DecimalComma),
        Some(Thousands::Blank | Thousands::Apostrophe) | None => None,
    };
    // What is said to be the mark of thousands cannot be that of decimals.
    let remedy = |finding| if said == Some(finding) { Some("no --thousands") } else { finding.remedy() };
    often(findings).filter_map(remedy).collect()
}

/// What a tenth of the values that are unfit are, or more.
fn often(findings: &Findings) -> impl Iterator<Item = Finding> {
    let enough = |counted: &FoundValues| counted.count * 10 >= findings.not_declared();
    findings.found().filter(move |(_, counted)| enough(counted)).map(|(finding, _)| finding)
}

impl std::fmt::Display for UnfitColumn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { column, fault, only_in, count, of, share, places, remedies, instead } = self;
        let percent = format!("{:.2}", self::share(*count, *of) * 100.0);
        let percent = percent.trim_end_matches('0').trim_end_matches('.');
        let within = match only_in.as_slice() {
            [] => String::new(),
            [only] => format!("in {} ", only.display()),
            [first, others @ ..] => {
                format!("in {} (and in {} more of the files) ", first.display(), others.len())
            }
        };
        write!(f, "`{column}`: {within}{count} of {of} {}, {percent} % ({places}): ", fault.words())?;
        match (fault, remedies.as_slice()) {
            (UnfitValues::NotDeclared, []) if instead.is_empty() => {
                f.write_str("correct the file or the policy")?;
            }
            (UnfitValues::NotDeclared, remedies) => {
                let options = (!remedies.is_empty()).then(|| format!("say {}", remedies.join(" and ")));
                let all = options.into_iter().chain(instead.iter().map(|instead| (*instead).to_owned()));
                f.write_str(&all.collect::<Vec<_>>().join("; "))?;
            }
            (UnfitValues::TwoNotations, remedies @ [_, ..]) => {
                let (instead, remedies) = (fault.instead(), remedies.join(" and "));
                write!(f, "{instead} and, if it is another than 2024-07-01, say {remedies}")?;
            }
            _ => f.write_str(fault.instead())?,
        }
        // Of a column without a single value that is read nothing would be left.
        if *fault == UnfitValues::NotDeclared && count == of && only_in.is_empty() {
            return Ok(());
        }
        let word = fault.word().map(|word| format!(":{word}")).unwrap_or_default();
        write!(f, ", or say --accept {column}={share}{word} to import ")?;
        f.write_str(match fault {
            UnfitValues::TailedIdentifier => "them: `.0` is left out, and more zeros are kept",
            _ => "it as it is",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{findings::RowPlace, report::NamedFile};

    fn report(rows: u64, found: &[(usize, Finding, u64)]) -> ImportReport {
        let mut columns: Vec<ImportedColumn> = ["person_id", "income"]
            .map(|name| ImportedColumn {
                name: name.into(),
                type_name: "amount",
                findings: Findings::default(),
            })
            .into();
        for (column, finding, count) in found {
            for line in 0..*count {
                columns[*column].findings.add(*finding, RowPlace { file: 0, line: line + 2 });
            }
        }
        let files = vec![NamedFile { path: "a.csv".into(), by_line: true }];
        ImportReport { rows, columns, left_out: Vec::new(), files, key: None, parts: Vec::new() }
    }

    #[test]
    fn more_than_one_in_twenty_present_values_must_be_accepted_and_every_missing_identifier() {
        use Finding::{
            Above, Below, DayOrder, DecimalComma, GroupedNumber, LeadingZero, LostZeros, Missing,
            OutsidePeriod, RoundedIdentifier, Undeclared, UngroupedNumber,
        };
        let share = |share| vec![("income", share, None)];
        let order = |share| vec![("income", share, Some(UnfitValues::TwoNotations))];
        for (found, accepted, expected) in [
            (vec![(1, DecimalComma, 5)], vec![], vec![]),
            (vec![(1, DecimalComma, 6)], vec![], vec![("income", 0.06)]),
            (vec![(1, DecimalComma, 3), (1, Undeclared, 3)], vec![], vec![("income", 0.06)]),
            // Of the values that are there.
            (vec![(1, DecimalComma, 5), (1, Missing, 1)], vec![], vec![("income", 0.0506)]),
            (vec![(1, Missing, 100)], vec![], vec![]),
            (vec![(1, Above, 50), (1, OutsidePeriod, 50)], vec![], vec![]),
            (vec![(1, Above, 50), (1, Below, 1)], vec![], vec![("income", 0.51)]),
            (vec![(1, Above, 48), (1, Missing, 5)], vec![], vec![("income", 0.5053)]),
            (vec![(1, OutsidePeriod, 99)], vec![], vec![]),
            (vec![(1, OutsidePeriod, 99), (1, Missing, 1)], vec![], vec![("income", 1.0)]),
            (vec![(1, GroupedNumber, 7)], vec![], vec![("income", 0.07)]),
            (vec![(1, GroupedNumber, 7), (1, UngroupedNumber, 1)], vec![], vec![]),
            (vec![(1, DecimalComma, 29)], share(0.29), vec![]),
            (vec![(1, DecimalComma, 29)], share(0.28), vec![("income", 0.29)]),
            (vec![(1, DecimalComma, 100)], share(1.0), vec![]),
            (vec![(0, Missing, 1)], vec![], vec![("person_id", 0.01)]),
            (vec![(0, Missing, 1)], vec![("PERSON_ID", 0.01, None)], vec![]),
            (vec![(0, Missing, 2)], vec![("person_id", 0.01, None)], vec![("person_id", 0.02)]),
            (vec![(1, DayOrder, 1)], vec![], vec![("income", 0.01)]),
            (vec![(1, DayOrder, 1)], order(0.01), vec![]),
            (vec![(1, DayOrder, 1)], share(0.01), vec![("income", 0.01)]),
            (vec![(1, DayOrder, 6), (1, Undeclared, 5)], vec![], vec![("income", 0.11), ("income", 0.06)]),
            (vec![(0, RoundedIdentifier, 1)], vec![], vec![("person_id", 0.01)]),
            (vec![(1, DayOrder, 6), (1, Undeclared, 6)], vec![], vec![("income", 0.12), ("income", 0.06)]),
            (vec![(1, DayOrder, 100)], vec![], vec![("income", 1.0)]),
            (vec![(0, LostZeros, 1), (0, LeadingZero, 9)], vec![], vec![("person_id", 0.01)]),
        ] {
            let accepted: Vec<Accepted> = accepted
                .iter()
                .map(|(column, share, fault)| Accepted {
                    column: (*column).into(),
                    share: *share,
                    fault: *fault,
                })
                .collect();
            let options = ImportOptions { accepted, ..ImportOptions::default() };
            let judged = Judgement::of(&report(100, &found), &options);
            let unfit: Vec<_> =
                judged.unfit.iter().map(|unfit| (unfit.column.as_str(), unfit.share)).collect();
            assert_eq!(unfit, expected, "{found:?}");
            let needed = expected.is_empty() && !options.accepted.is_empty();
            assert_eq!(!judged.accepted.is_empty(), needed, "{found:?}");
        }
    }

    #[test]
    fn days_of_another_order_that_are_accepted_let_no_other_values_pass() {
        let found = [(1, Finding::DayOrder, 6), (1, Finding::Undeclared, 5)];
        for (share, expected) in [(0.06, vec![0.11]), (0.11, vec![0.11])] {
            let column = "income".to_owned();
            let accepted = vec![Accepted { column, share, fault: Some(UnfitValues::TwoNotations) }];
            let options = ImportOptions { accepted, ..ImportOptions::default() };
            let unfit = Judgement::of(&report(100, &found), &options).unfit;
            assert_eq!(unfit.iter().map(|unfit| unfit.share).collect::<Vec<_>>(), expected, "{share}");
        }
    }

    #[test]
    fn one_day_against_the_order_that_was_said_is_enough() {
        let mut options = ImportOptions::default();
        options.notation.days = Some("%d/%m/%Y".parse().unwrap());
        let judged = Judgement::of(&report(100, &[(1, Finding::DayOrder, 1)]), &options);
        assert_eq!(
            judged.unfit[0].to_string(),
            "`income`: 1 of 100 days contradict the order of --dates, 1 % (line 2): write all days in one order, or say --accept \
             income=0.01:order to import it as it is"
        );
    }

    #[test]
    fn days_as_2024_07_01_among_those_of_another_order_are_two_notations() {
        let mut options = ImportOptions::default();
        options.notation.days = Some("%d/%m/%Y".parse().unwrap());
        for (found, expected) in [
            (vec![(1, Finding::OtherDays, 100)], vec![]),
            (vec![(1, Finding::OtherDays, 99)], vec![UnfitValues::TwoNotations]),
            (vec![(1, Finding::OtherDays, 99), (1, Finding::Missing, 1)], vec![]),
            (vec![(1, Finding::OtherDays, 99), (1, Finding::DayOrder, 1)], vec![UnfitValues::OtherOrder]),
        ] {
            let judged = Judgement::of(&report(100, &found), &options);
            assert_eq!(
                judged.unfit.iter().map(|unfit| unfit.fault).collect::<Vec<_>>(),
                expected,
                "{found:?}"
            );
        }
    }

    #[test]
    fn what_is_unfit_is_said_with_its_share_and_what_to_do() {
        for (found, expected) in [
            (
                vec![(1, Finding::DecimalComma, 2), (1, Finding::Thousands, 5)],
                "`income`: 7 of 7 values are unread or undeclared, 100 % (lines 2, 2, 3, 3, 4, 5, 6): say --decimal comma \
                 and --thousands",
            ),
            // What would read one of them is not what to do.
            (
                vec![(1, Finding::Undeclared, 11), (1, Finding::DecimalComma, 1)],
                "`income`: 12 of 12 values are unread or undeclared, 100 % (lines 2, 2, 3, 4, 5, 6, 7, 8, 9, 10, ..): correct \
                 the file or the policy",
            ),
            (
                vec![(1, Finding::Undeclared, 7)],
                "`income`: 7 of 7 values are unread or undeclared, 100 % (lines 2, 3, 4, 5, 6, 7, 8): correct the file or \
                 the policy",
            ),
            (
                vec![(0, Finding::Missing, 1)],
                "`person_id`: 1 of 7 rows have no identifier, 14.29 % (line 2): add it, or say --accept person_id=0.1429 to \
                 import it as it is",
            ),
        ] {
            let rows = found.iter().map(|(.., count)| count).sum::<u64>().max(7);
            let judged = Judgement::of(&report(rows, &found), &ImportOptions::default());
            assert_eq!(judged.unfit[0].to_string(), expected);
        }
    }
}
