//! `lango dataset check`: what stands in a dataset's table as the policy reads it. Printed where it is run, and nowhere else.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lango_policy::PolicySet;
use lango_privacy::Dataset;
use lango_source::{ColumnSurvey, Survey, UndeclaredReason};
use serde_json::{Value, json};

use crate::{
    commands::{same_rows, serving, views},
    config::{GatewayFile, read_toml},
    failure::Failure,
    output::{foreign, grouped, number, print, print_json, spinner, table},
};

/// Bounds that are weighed beside the policy's own.
const CANDIDATES: [u64; 8] = [1, 2, 3, 5, 10, 20, 50, 100];

#[derive(Debug, Args)]
pub struct Check {
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The dataset, as the policy names it.
    #[arg(long, value_name = "NAME")]
    dataset: String,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: CheckFormat,
}

/// How to print what was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// Aligned, for people.
    Table,
    /// Stable field names, for programs.
    Json,
}

/// What stands against a dataset before a row is read.
struct Declared {
    /// Against its view.
    view: Option<String>,
    /// Against its pool.
    pools: Vec<same_rows::PoolWarning>,
}

impl Check {
    pub fn run(self) -> Result<(), Failure> {
        let file: GatewayFile = read_toml(&self.config)?;
        let (dataset, survey, found) = serving::runtime()?.block_on(async {
            // The source has pools, which belong to the runtime.
            let (dataset, source) = file.dataset(&self.config, &self.dataset)?;
            let failed = |error: lango_source::SourceError| Failure::Failed(foreign(&error.to_string()));
            source.check(&dataset).await.map_err(failed)?;
            let found = source.examine(&[&dataset.table]).await.map_err(failed)?;
            let view = views::finding(&dataset, &found.mixing);
            let policy = PolicySet::read(&file.policies(&self.config)?)?;
            let rows = same_rows::of_policy(&file, &self.config, &policy).await;
            let own = rows.iter().find(|own| own.dataset == self.dataset);
            let pools = own.map(|own| same_rows::findings(own, &rows)).unwrap_or_default();
            let spinner = spinner(format!("reading every row of `{}`", foreign(&dataset.table)));
            let survey = source.survey(&dataset).await;
            spinner.finish_and_clear();
            Ok::<_, Failure>((dataset, survey.map_err(failed)?, Declared { view, pools }))
        })?;
        match self.format {
            CheckFormat::Table => print(&for_people(&dataset, &survey, &found)),
            CheckFormat::Json => print_json(&as_json(&dataset, &survey, &found)),
        }
    }
}

fn for_people(dataset: &Dataset, survey: &Survey, found: &Declared) -> String {
    let mut parts = vec![
        format!(
            "{} rows of `{}` as the policy reads them; for the office's own eyes: these are exact counts of persons",
            grouped(survey.rows.cast_signed()),
            dataset.table
        ),
        columns(dataset, survey),
    ];
    parts.extend(undeclared(survey));
    parts.push(units(dataset, survey));
    let view = found.view.iter();
    parts.extend(view.map(|found| format!("warning: {}: {}", foreign(found), views::ADVICE)));
    parts.extend(warnings(dataset, survey, &found.pools));
    parts.join("\n\n")
}

fn columns(dataset: &Dataset, survey: &Survey) -> String {
    let header = ["column", "from", "declared", "%", "missing", "%", "not declared", "%", "below", "above"];
    let rows = survey.columns.iter().map(|(name, found)| {
        let column = dataset.columns.get(name);
        let from = column.map_or("", |column| column.stored_name(name));
        let mut row =
            vec![name.to_string(), if from == name.as_str() { String::new() } else { from.to_owned() }];
        for count in [found.declared, found.missing, found.undeclared] {
            row.extend([grouped(count.cast_signed()), share(count, survey.rows)]);
        }
        row.extend([found.below, found.above].map(|count| grouped(count.cast_signed())));
        row
    });
    table(&header, &[2, 3, 4, 5, 6, 7, 8, 9], rows)
}

/// The most frequent undeclared values of each column, with the reasons.
fn undeclared(survey: &Survey) -> Option<String> {
    let rows: Vec<Vec<String>> = survey
        .columns
        .iter()
        .flat_map(|(name, found)| {
            let reasons: Vec<String> = found
                .reasons
                .iter()
                .map(|(reason, rows)| format!("{}: {}", words(*reason), grouped(rows.cast_signed())))
                .collect();
            let first = [(reasons.join("; "), found.undeclared)].into_iter().filter(|(_, rows)| *rows > 0);
            let first =
                first.map(|(reasons, rows)| vec![name.to_string(), reasons, grouped(rows.cast_signed())]);
            let listed = found
                .frequent
                .iter()
                .map(|(value, rows)| vec![String::new(), format!("{value:?}"), grouped(rows.cast_signed())]);
            first.chain(listed).collect::<Vec<_>>()
        })
        .collect();
    (!rows.is_empty()).then(|| table(&["column", "not declared", "rows"], &[2], rows))
}

fn units(dataset: &Dataset, survey: &Survey) -> String {
    let (unit, own) = (&dataset.unit, u64::from(dataset.unit.rows_at_most));
    let identified = survey.identified();
    let mut bounds: Vec<u64> = CANDIDATES.to_vec();
    bounds.extend([own, u64::from(unit.cells_at_most)]);
    bounds.sort_unstable();
    bounds.dedup();
    let more = bounds.iter().position(|bound| *bound >= survey.largest()).map_or(bounds.len(), |at| at + 1);
    let rows =
        bounds.into_iter().enumerate().filter(|(at, bound)| *at < more || *bound == own).map(|(_, bound)| {
            let dropped = identified - survey.kept(bound);
            let whose = match (bound == own, bound == u64::from(unit.cells_at_most)) {
                (true, true) => "rows_at_most, cells_at_most",
                (true, false) => "rows_at_most",
                (false, true) => "cells_at_most",
                (false, false) => "",
            };
            vec![
                bound.to_string(),
                grouped(survey.beyond(bound).cast_signed()),
                grouped(dropped.cast_signed()),
                share(dropped, identified),
                whose.to_owned(),
            ]
        });
    let bounds = table(
        &["rows of one unit", "units with more", "rows dropped", "%", "the policy's"],
        &[0, 1, 2, 3],
        rows,
    );
    let count = |count: u64| grouped(count.cast_signed());
    let facts = [
        ("rows without identifier", count(survey.rows.saturating_sub(identified))),
        (&*format!("different values of `{}`", unit.column), count(survey.units.values().sum())),
        ("of them alike but for case or blanks", count(survey.alike)),
        ("most rows of one unit", count(survey.largest())),
        ("these rows of all, %", share(survey.largest(), survey.rows)),
    ]
    .map(|(what, found)| vec![what.to_owned(), found]);
    format!("{}\n\n{bounds}", table(&["unit", unit.noun.as_str()], &[1], facts))
}

/// What the counts say that an administrator should not overlook.
fn warnings(dataset: &Dataset, survey: &Survey, pools: &[same_rows::PoolWarning]) -> Vec<String> {
    let unit = &dataset.unit;
    let (identified, kept) = (survey.identified(), survey.kept(unit.rows_at_most.into()));
    let count = |count: u64| grouped(count.cast_signed());
    let pools = pools.iter();
    let mut warnings: Vec<String> = pools
        .map(|same_rows::PoolWarning { found, advice }| {
            format!("warning: {}: {}", foreign(found), foreign(advice))
        })
        .collect();
    if survey.rows > 0 && kept * 2 < survey.rows {
        warnings.push(format!(
            "warning: of {} rows {} are kept. `{}` is hardly the column of a {}: name the right one, or raise `rows_at_most`",
            count(survey.rows),
            count(kept),
            unit.column,
            unit.noun
        ));
    }
    if identified > 0 && survey.largest() * 100 > identified && survey.largest() > 1 {
        warnings.push(format!(
            "warning: one {} has {} rows, {} % of the table: a value that stands for no {} (`0`, `unknown`)?",
            unit.noun,
            count(survey.largest()),
            share(survey.largest(), identified),
            unit.noun
        ));
    }
    for (name, found) in &survey.columns {
        let present = survey.rows.saturating_sub(found.missing);
        if found.undeclared * 20 > present {
            let (undeclared, share) = (count(found.undeclared), share(found.undeclared, present));
            warnings.push(format!(
                "warning: {undeclared} values of `{name}`, {share} % of those present, are not declared: say what they mean with \
                 `recode`, `case` or `missing`"
            ));
        }
        if found.moments.are_of_another_place() {
            let (elsewhere, all) = (count(found.moments.elsewhere), count(found.moments.all()));
            warnings.push(format!(
                "warning: {elsewhere} of {all} moments of `{name}` are at midnight of another place, so their day may be the one before the \
                 one that is meant: keep days in the column, or name a view that does; or, if it holds moments with a time zone, declare \
                 the `time_zone` in which they are midnight"
            ));
        }
        if let Some((month, days)) = found.months.in_one_month() {
            warnings.push(format!(
                "warning: {} days of `{name}` are all on the first twelve of one month ({month:02}), whatever the year: day and month may be \
                 exchanged; if so, import them with --dates in the order in which they are written",
                count(days)
            ));
        }
        warnings.extend(beyond_one_bound(name.as_str(), found.below.max(found.above), present));
    }
    warnings
}

/// What to ask of a column of which more than one in a hundred of the present values lie beyond one bound.
pub(super) fn beyond_one_bound(column: &str, beyond: u64, present: u64) -> Option<String> {
    (beyond * 100 > present).then(|| {
        format!(
            "warning: {} values of `{column}` lie beyond one bound: does a number such as 999 stand for not stated? Say it with `missing`",
            grouped(beyond.cast_signed())
        )
    })
}

fn words(reason: UndeclaredReason) -> &'static str {
    match reason {
        UndeclaredReason::DecimalComma => "decimal comma",
        UndeclaredReason::Thousands => "thousands set apart",
        UndeclaredReason::FloatTail => "`.0` behind a code",
        UndeclaredReason::DayOrder => "another order of day, month and year",
        UndeclaredReason::OutsidePeriod => "outside the period",
        UndeclaredReason::Case => "letters of the other case",
        UndeclaredReason::Other => "other",
    }
}

/// A part of a whole in per cent.
fn share(part: u64, whole: u64) -> String {
    if whole == 0 { "0.0".to_owned() } else { number(part as f64 * 100.0 / whole as f64, 1) }
}

fn as_json(dataset: &Dataset, survey: &Survey, found: &Declared) -> Value {
    let column = |found: &ColumnSurvey| {
        let reasons =
            found.reasons.iter().map(|(reason, rows)| json!({ "reason": words(*reason), "rows": rows }));
        let frequent = found.frequent.iter().map(|(value, rows)| json!({ "value": value, "rows": rows }));
        json!({
            "declared": found.declared,
            "missing": found.missing,
            "undeclared": found.undeclared,
            "below": found.below,
            "above": found.above,
            "reasons": reasons.collect::<Vec<_>>(),
            "frequent": frequent.collect::<Vec<_>>(),
            "moments": {
                "midnight": found.moments.midnight,
                "midnight_elsewhere": found.moments.elsewhere,
                "other": found.moments.other,
            },
        })
    };
    let columns: serde_json::Map<String, Value> =
        survey.columns.iter().map(|(name, found)| (name.to_string(), column(found))).collect();
    let own = u64::from(dataset.unit.rows_at_most);
    json!({
        "dataset": dataset.name.as_str(),
        "version": dataset.version.as_str(),
        "rows": survey.rows,
        "rows_without_identifier": survey.rows.saturating_sub(survey.identified()),
        "units": survey.units.values().sum::<u64>(),
        "identifiers_alike": survey.alike,
        "rows_of_units": survey.units.iter().map(|(rows, units)| json!({ "rows": rows, "units": units })).collect::<Vec<_>>(),
        "rows_of_largest_unit": survey.largest(),
        "view": found.view,
        "rows_at_most": own,
        "rows_kept": survey.kept(own),
        "columns": columns,
        "warnings": warnings(dataset, survey, &found.pools),
    })
}
