//! `lango dataset import`: a file that the office exported becomes the dataset's table.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use clap::{Args, ValueEnum};
use lango_import::{
    Accepted, DayFormat, DecimalMark, Finding, ImportError, ImportJob, ImportOptions, ImportReport,
    ImportedColumn, Notation, Rename, Thousands, Tuning, UnitKey,
};

use super::{check::beyond_one_bound, files::FileReading, progress::ShownProgress, recorded};
use crate::{
    commands::serving,
    config::{GatewayFile, read_toml},
    failure::Failure,
    output::{LINE_WIDTH, foreign, grouped, print, table, wrapped},
};

/// The blanks beside the report's two columns, and before a line that goes on.
const BLANKS_WIDTH: usize = 6;

#[derive(Debug, Args)]
pub struct Import {
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The dataset, as the policy names it.
    #[arg(long, value_name = "NAME")]
    dataset: String,
    /// The files: .csv, .txt, .tsv (each also .gz, .zst) or .parquet, or a folder of .parquet parts; several become one table.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    reading: FileReading,
    /// What stands before the decimals of a number.
    #[arg(long, value_enum, default_value_t = DecimalName::Point)]
    decimal: DecimalName,
    /// What stands between groups of three digits: " " (any blank), ".", "," or "'".
    #[arg(long, value_name = "C", value_parser = thousands)]
    thousands: Option<Thousands>,
    /// How days are written, such as "%d/%m/%Y": %d and %m in one or two digits, %Y in four.
    #[arg(long, value_name = "FORMAT", value_parser = dates)]
    dates: Option<DayFormat>,
    /// A column of the files under the policy's name; may be said again for others.
    #[arg(long, value_name = "OLD=NEW", value_parser = rename)]
    rename: Vec<Rename>,
    /// Import a column although this share of its values, from 0 to 1, is unread or undeclared; of the unit's column, missing.
    /// Other faults are accepted by the word that their message says.
    #[arg(long, value_name = "COLUMN=SHARE[:FAULT]", value_parser = accept)]
    accept: Vec<Accepted>,
    /// Read and check everything, print the report, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Import other data than the register's under the same `version`, although stored answers stay those of the old.
    #[arg(long)]
    same_version: bool,
}

/// What stands before the decimals of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DecimalName {
    /// 1200.50
    Point,
    /// 1200,50
    Comma,
}

fn thousands(text: &str) -> Result<Thousands, String> {
    text.parse().map_err(|expected: &str| expected.to_owned())
}

fn dates(text: &str) -> Result<DayFormat, String> {
    text.parse().map_err(|error: lango_import::DayFormatError| error.to_string())
}

/// Names of files may hold `=`, names of policies do not.
fn rename(text: &str) -> Result<Rename, String> {
    let (from, to) = text
        .rsplit_once('=')
        .filter(|(from, to)| !from.is_empty() && !to.is_empty())
        .ok_or("the column's name in the files, `=`, and its name in the policy")?;
    Ok(Rename { from: from.to_owned(), to: to.to_owned() })
}

fn accept(text: &str) -> Result<Accepted, String> {
    let form = "a column, `=`, and a share from 0 to 1, such as sex=0.06; `:` and a word for the fault where a message says so";
    let (column, said) = text.rsplit_once('=').filter(|(column, _)| !column.is_empty()).ok_or(form)?;
    let (share, fault) = said.split_once(':').map_or((said, None), |(share, word)| (share, Some(word)));
    let share = share.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or(form)?;
    let fault = fault.map(|word| word.parse().map_err(|words| format!("`{word}` is no fault: {words}")));
    Ok(Accepted { column: column.to_owned(), share, fault: fault.transpose()? })
}

impl Import {
    pub fn run(self) -> Result<(), Failure> {
        let config: GatewayFile = read_toml(&self.config)?;
        let options = self.options()?;
        let (dataset, register) = config.register(&self.config, &self.dataset)?;
        let files = self.reading.files(&self.files)?;
        let import = ImportJob {
            files: &files,
            register: &register,
            dataset: &dataset,
            options: &options,
            tuning: Tuning::default(),
        };
        let begun = Instant::now();
        let mut shown = ShownProgress::new("importing");
        let done = import.run(&mut |event| shown.hear(event));
        shown.clear();
        match done {
            Ok(report) => {
                print(&self.summary(&report, &register, begun))?;
                if self.dry_run {
                    return Ok(());
                }
                let recorded = recorded::imported(&config, &self.config, &dataset, files.len());
                serving::runtime()?.block_on(recorded)
            }
            Err(error) => {
                if let ImportError::Unfit { report, .. } = &error {
                    print(&self.summary(report, &register, begun))?;
                }
                Err(Failure::Failed(foreign(&format!("{error}; `{}` is as it was", dataset.table))))
            }
        }
    }

    fn options(&self) -> Result<ImportOptions, Failure> {
        let decimal = match self.decimal {
            DecimalName::Point => DecimalMark::Point,
            DecimalName::Comma => DecimalMark::Comma,
        };
        let notation = Notation { decimal, thousands: self.thousands, days: self.dates.clone() };
        if !notation.is_clear() {
            let same = "--thousands is the mark before the decimals: say the other one with --decimal";
            return Err(Failure::Usage(same.to_owned()));
        }
        Ok(ImportOptions {
            notation,
            renames: self.rename.clone(),
            accepted: self.accept.clone(),
            dry_run: self.dry_run,
            same_version: self.same_version,
        })
    }

    fn summary(&self, report: &ImportReport, register: &Path, begun: Instant) -> String {
        let mut rows = vec![("rows".to_owned(), grouped(report.rows.cast_signed()))];
        let empty = report.without_rows().map(|file| foreign(&file.path.display().to_string()));
        let empty: Vec<String> = empty.collect();
        if !empty.is_empty() {
            section(&mut rows, "no row in", empty.into_iter());
        }
        let columns = |held: &ImportedColumn| format!("{} ({})", held.name, held.type_name);
        section(&mut rows, "columns", report.columns.iter().map(columns));
        let unit = report.columns.first().map(|held| held.name.as_str());
        let missing = report.columns.iter().filter(|held| Some(held.name.as_str()) == unit);
        let missing = missing.flat_map(|held| found(report, held, |finding| finding == Finding::Missing));
        let missing: Vec<String> = missing.collect();
        if !missing.is_empty() {
            section(&mut rows, "no identifier", missing.into_iter());
        }
        let odd: Vec<String> = report
            .columns
            .iter()
            .take(1)
            .flat_map(|held| found(report, held, Finding::is_of_identifiers))
            .collect();
        if !odd.is_empty() {
            section(&mut rows, "identifiers", odd.into_iter());
        }
        let days: Vec<String> = report
            .columns
            .iter()
            .flat_map(|held| {
                found(report, held, |finding| matches!(finding, Finding::OtherDays | Finding::OneMonth))
            })
            .collect();
        if !days.is_empty() {
            section(&mut rows, "days", days.into_iter());
        }
        let marked: Vec<String> = report
            .columns
            .iter()
            .skip(1)
            .flat_map(|held| found(report, held, |finding| finding == Finding::MarkedIdentifier))
            .collect();
        if !marked.is_empty() {
            section(&mut rows, "marks", marked.into_iter());
        }
        let gaps = report.columns.iter().skip(1).filter_map(|held| {
            let count = held.findings.of(Finding::Missing).count;
            let all = if count == report.rows { ", all of them" } else { "" };
            (count > 0).then(|| format!("{}: {}{all}", held.name, grouped(count.cast_signed())))
        });
        section(&mut rows, "missing", gaps);
        let all = |which: fn(Finding) -> bool| {
            report.columns.iter().flat_map(move |held| found(report, held, which))
        };
        let rounded: Vec<String> = all(|finding| finding == Finding::RoundedNumber).collect();
        if !rounded.is_empty() {
            section(&mut rows, "rounded", rounded.into_iter());
        }
        section(&mut rows, "did not read", all(Finding::is_unread));
        section(
            &mut rows,
            "not declared",
            all(|finding| finding.is_undeclared() || finding == Finding::OutsidePeriod),
        );
        section(&mut rows, "clamped", all(|finding| matches!(finding, Finding::Below | Finding::Above)));
        let named = |name: &String| {
            if name.trim().is_empty() { "one without a name".to_owned() } else { foreign(name) }
        };
        let left_out = report.left_out.iter().map(named).collect::<Vec<_>>().join(", ");
        section(&mut rows, "left out", (!left_out.is_empty()).then_some(left_out).into_iter());
        if let Some(key) = report.key {
            rows.push(("unit".to_owned(), words(key, unit.unwrap_or_default())));
        }
        rows.push(("seconds".to_owned(), format!("{:.1}", begun.elapsed().as_secs_f64())));
        let into = match (report.key, self.dry_run) {
            (None, _) => "nothing was imported".to_owned(),
            (Some(_), true) => "a dry run: nothing was imported".to_owned(),
            (Some(_), false) => register.display().to_string(),
        };
        let table = self.table(&into, &rows);
        let asked = report.columns.iter().filter_map(|held| {
            let count = |finding| held.findings.of(finding).count;
            let beyond = count(Finding::Below).max(count(Finding::Above));
            beyond_one_bound(&held.name, beyond, report.rows.saturating_sub(count(Finding::Missing)))
        });
        let asked = asked.map(|asked| wrapped(&asked, LINE_WIDTH).join("\n"));
        std::iter::once(table).chain(asked).collect::<Vec<_>>().join("\n\n")
    }

    /// The words and what is said beside them, which goes on set in below where a terminal has no more room.
    fn table(&self, into: &str, rows: &[(String, String)]) -> String {
        let words = rows.iter().map(|(word, _)| word).chain([&self.dataset]);
        let words = words.map(|word| word.chars().count()).max().unwrap_or_default();
        let width = LINE_WIDTH.saturating_sub(words + BLANKS_WIDTH);
        let rows = rows.iter().flat_map(|(word, said)| {
            let lines = wrapped(&foreign(said), width).into_iter().enumerate();
            lines.map(move |(at, line)| match at {
                0 => vec![word.clone(), line],
                _ => vec![String::new(), format!("  {line}")],
            })
        });
        table(&[&self.dataset, into], &[], rows)
    }
}

/// Adds lines under one word, or the line that there is nothing.
fn section(rows: &mut Vec<(String, String)>, head: &str, lines: impl Iterator<Item = String>) {
    let before = rows.len();
    for line in lines {
        let head = if rows.len() == before { head } else { "" };
        rows.push((head.to_owned(), line));
    }
    if rows.len() == before {
        rows.push((head.to_owned(), "nothing".to_owned()));
    }
}

/// What was found among a column's values, a line for each finding: `income: 3, decimal comma (lines 2, 3, 4)`.
fn found(report: &ImportReport, held: &ImportedColumn, which: impl Fn(Finding) -> bool) -> Vec<String> {
    let found = held.findings.found().filter(|(finding, _)| which(*finding));
    let line = |(finding, counted): (Finding, &lango_import::FoundValues)| {
        let count = grouped(counted.count.cast_signed());
        format!("{}: {count}, {} ({})", held.name, finding.words(), report.places(counted))
    };
    found.map(line).collect()
}

fn words(key: UnitKey, unit: &str) -> String {
    match key {
        UnitKey::Unique => format!("{unit} is a unique key: one row for each unit"),
        UnitKey::NotWanted => {
            format!("{unit} may stand on several rows: every question bounds the rows first")
        }
    }
}
