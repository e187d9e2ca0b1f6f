//! Whether what was found in the files may become the dataset's table, and what the caller has accepted of it.

use crate::{
    fault::UnfitValues,
    options::{Accepted, ImportOptions},
    report::{Finding, Findings, FoundValues, ImportReport, ImportedColumn},
};

/// More than one in this number of the present values of a column may not be unread or undeclared.
const ONE_IN: u64 = 20;

/// A column whose values keep the files from being imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfitColumn {
    /// Its name.
    pub column: String,
    /// What is wrong with its values.
    pub fault: UnfitValues,
    /// The number of such values.
    pub count: u64,
    /// The number of all rows, or of those in which the column has a value.
    pub of: u64,
    /// Where the first are, in words.
    pub places: String,
    /// The options that might read the values.
    pub remedies: Vec<&'static str>,
}

/// What of the files is unfit, and what the caller had to accept.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Judgement {
    pub(crate) unfit: Vec<UnfitColumn>,
    pub(crate) accepted: Vec<Accepted>,
}

impl Judgement {
    pub(crate) fn of(report: &ImportReport, options: &ImportOptions) -> Self {
        let mut this = Self::default();
        for (at, column) in report.columns.iter().enumerate() {
            let missing = column.findings.of(Finding::Missing);
            let present = report.rows.saturating_sub(missing.count);
            if at == 0 {
                this.weigh(column, UnfitValues::NoIdentifier, missing.clone(), report.rows, report, options);
                for (fault, counted) in of_identifiers(&column.findings, present) {
                    this.weigh(column, fault, counted, present, report, options);
                }
            }
            for (fault, counted) in of_values(&column.findings, present, options) {
                this.weigh(column, fault, counted, present, report, options);
            }
        }
        this
    }

    /// Notes that these values are unfit, unless the caller accepts as many of them.
    fn weigh(
        &mut self,
        column: &ImportedColumn,
        fault: UnfitValues,
        counted: FoundValues,
        of: u64,
        report: &ImportReport,
        options: &ImportOptions,
    ) {
        if counted.count == 0 {
            return;
        }
        let is_meant = |said: &Accepted| {
            said.column.eq_ignore_ascii_case(&column.name)
                && said.fault.and_then(UnfitValues::word) == fault.word()
        };
        // A share of 0.29 is 29 in 100, whatever the float next to it is.
        let is_enough = |said: &Accepted| counted.count as f64 <= said.share * of as f64 + 1e-6;
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
                count: counted.count,
                of,
                places: report.places(&counted),
                remedies: remedies(&column.findings),
            }),
        }
    }
}

/// What sets identifiers apart from the others, so that one unit may be two, or two units one.
fn of_identifiers(found: &Findings, present: u64) -> Vec<(UnfitValues, FoundValues)> {
    let of_them = |when, finding| only(when, found.of(finding).clone());
    let count = |finding| found.of(finding).count;
    vec![
        (
            UnfitValues::OddIdentifier,
            of_them(count(Finding::OddIdentifier) * ONE_IN <= present, Finding::OddIdentifier),
        ),
        (UnfitValues::HiddenLetter, of_them(true, Finding::HiddenLetter)),
        (UnfitValues::RoundedIdentifier, of_them(true, Finding::RoundedIdentifier)),
        (UnfitValues::RoundedIdentifier, of_them(true, Finding::LostDigits)),
        (
            UnfitValues::TailedIdentifier,
            of_them(count(Finding::TailedIdentifier) < present, Finding::TailedIdentifier),
        ),
        (UnfitValues::LostZeros, of_them(true, Finding::LostZeros)),
        (UnfitValues::AlikeIdentifier, of_them(true, Finding::AlikeIdentifier)),
        (UnfitValues::CrowdedIdentifier, of_them(true, Finding::CrowdedIdentifier)),
        (UnfitValues::CountedAgain, of_them(true, Finding::CountedAgain)),
    ]
}

/// What keeps a column's values from being what the policy declares.
fn of_values(
    found: &Findings,
    present: u64,
    options: &ImportOptions,
) -> impl Iterator<Item = (UnfitValues, FoundValues)> {
    let read = present.saturating_sub(found.unfit());
    let of_them = |when, finding| only(when, found.of(finding).clone());
    let (iso, grouped) = (found.of(Finding::OtherDays).count, found.of(Finding::GroupedNumber).count);
    // One such day beside others is enough: a spreadsheet that exchanged day and month where it could leaves such a column, and
    // so do files of two orders.
    let against = of_them(read > 0, Finding::DayOrder);
    let is_much = found.unfit() * ONE_IN > present && found.unfit() > against.count;
    let outside = together(found, &[Finding::Below, Finding::Above]);
    let is_said = options.notation.days.is_some();
    [
        (UnfitValues::NotDeclared, only(is_much, unfit(found))),
        (if is_said { UnfitValues::OtherOrder } else { UnfitValues::TwoNotations }, against),
        (UnfitValues::TwoNotations, of_them(iso < read, Finding::OtherDays)),
        (
            UnfitValues::Thousands,
            of_them(found.of(Finding::UngroupedNumber).count == 0 && grouped > 0, Finding::GroupedNumber),
        ),
        (UnfitValues::OutOfBounds, only(outside.count * 2 > read, outside)),
        (
            UnfitValues::OutOfPeriod,
            of_them(found.of(Finding::OutsidePeriod).count == read, Finding::OutsidePeriod),
        ),
    ]
    .into_iter()
}

/// Some values where a condition holds, else none.
fn only(when: bool, counted: FoundValues) -> FoundValues {
    if when { counted } else { FoundValues::default() }
}

/// The values of which one of these is true, with the first places of all.
fn together(findings: &Findings, which: &[Finding]) -> FoundValues {
    let found = which.iter().map(|finding| findings.of(*finding));
    let count = found.clone().map(|counted| counted.count).sum();
    let mut first: Vec<_> = found.flat_map(|counted| counted.first.iter().copied()).collect();
    first.sort_by_key(|place| (place.file, place.line));
    first.truncate(crate::report::FIRST);
    FoundValues { count, first }
}

/// The values of a column that are unread or undeclared.
fn unfit(findings: &Findings) -> FoundValues {
    let unfit = Finding::ALL.into_iter().filter(|finding| finding.is_unread() || finding.is_undeclared());
    together(findings, &unfit.collect::<Vec<_>>())
}

/// The options that would read a tenth of what is unfit, or more.
fn remedies(findings: &Findings) -> Vec<&'static str> {
    let enough = |counted: &FoundValues| counted.count * 10 >= findings.unfit();
    let found = findings.found().filter(|(_, counted)| enough(counted));
    found.filter_map(|(finding, _)| finding.remedy()).collect()
}

impl UnfitColumn {
    /// The share as it would have to be accepted: rounded up to four decimals.
    pub fn share(&self) -> f64 {
        let of = u128::from(self.of.max(1));
        (u128::from(self.count) * 10_000).div_ceil(of) as f64 / 10_000.0
    }
}

impl std::fmt::Display for UnfitColumn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { column, fault, count, of, places, remedies } = self;
        let share = self.share();
        let percent = format!("{:.2}", share * 100.0);
        let percent = percent.trim_end_matches('0').trim_end_matches('.');
        write!(f, "`{column}`: {count} of {of} {}, {percent} % ({places}): ", fault.words())?;
        match (fault, remedies.as_slice()) {
            (UnfitValues::NotDeclared, []) => f.write_str("correct the file or the policy")?,
            (UnfitValues::NotDeclared, remedies) => write!(f, "say {}", remedies.join(" and "))?,
            (UnfitValues::TwoNotations, remedies @ [_, ..]) => {
                let (instead, remedies) = (fault.instead(), remedies.join(" and "));
                write!(f, "{instead} and, if it is another than 2024-07-01, say {remedies}")?;
            }
            _ => f.write_str(fault.instead())?,
        }
        // Of a column without a single value that is read nothing would be left.
        if *fault == UnfitValues::NotDeclared && count == of {
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
    use crate::report::{NamedFile, RowPlace};

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
        ImportReport { rows, columns, left_out: Vec::new(), files, key: None }
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
                judged.unfit.iter().map(|unfit| (unfit.column.as_str(), unfit.share())).collect();
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
            assert_eq!(unfit.iter().map(UnfitColumn::share).collect::<Vec<_>>(), expected, "{share}");
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
