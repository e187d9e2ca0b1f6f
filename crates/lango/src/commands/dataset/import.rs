//! `lango dataset import`: a file that the office exported becomes the dataset's table.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::Instant,
};

use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use lango_import::{
    Accepted, Compression, DayFormat, DecimalMark, Delimited, Delimiter, Encoding, FileFormat, Finding,
    ImportError, ImportEvent, ImportFile, ImportJob, ImportOptions, ImportReport, ImportedColumn, Notation,
    Rename, Thousands, Tuning, UnitKey,
};

use crate::{
    config::{GatewayFile, read_toml},
    failure::Failure,
    output::{bar, foreign, grouped, print, say, table},
};

#[derive(Debug, Args)]
pub struct Import {
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The dataset, as the policy names it.
    #[arg(long, value_name = "NAME")]
    dataset: String,
    /// The files: .csv, .tsv (each also .gz, .zst) or .parquet, or a folder of .parquet parts; several become one table.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// What the files hold, where their names do not say.
    #[arg(long, value_enum)]
    format: Option<FormatName>,
    /// What stands between two fields of a text file, one character; \t is a tab. A first line `sep=;` says it too.
    #[arg(long, value_name = "C", value_parser = delimiter)]
    delimiter: Option<u8>,
    /// How the letters of a text file are bytes: utf-8, latin-1, windows-1252, utf-16le, ..
    #[arg(long, value_name = "NAME", value_parser = encoding)]
    encoding: Option<Encoding>,
    /// Lines above the header of a text file, such as a title, which are left out.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    skip_lines: u64,
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
    #[arg(long, value_name = "COLUMN=SHARE", value_parser = accept)]
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

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatName {
    /// Text, fields separated by commas.
    Csv,
    /// Text, fields separated by tabs.
    Tsv,
    /// Apache Parquet.
    Parquet,
}

fn delimiter(text: &str) -> Result<u8, String> {
    match (text, text.as_bytes()) {
        ("\\t", _) => Ok(b'\t'),
        (_, [byte]) if Delimiter::may_be(*byte) => Ok(*byte),
        _ => Err("one ASCII character that is no quote and no line break".to_owned()),
    }
}

fn encoding(text: &str) -> Result<Encoding, String> {
    Encoding::named(text)
        .ok_or_else(|| "no such encoding: try utf-8, latin-1, windows-1252, utf-16le".to_owned())
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
    let said = text.rsplit_once('=').and_then(|(column, share)| Some((column, share.parse::<f64>().ok()?)));
    let (column, share) = said
        .filter(|(column, share)| !column.is_empty() && (0.0..=1.0).contains(share))
        .ok_or("a column, `=`, and a share from 0 to 1, such as sex=0.06")?;
    Ok(Accepted { column: column.to_owned(), share })
}

impl Import {
    pub fn run(self) -> Result<(), Failure> {
        let config: GatewayFile = read_toml(&self.config)?;
        let options = self.options()?;
        let (dataset, register) = config.register(&self.config, &self.dataset)?;
        let files = self.files()?;
        let import = ImportJob {
            files: &files,
            register: &register,
            dataset: &dataset,
            options: &options,
            tuning: Tuning::default(),
        };
        let begun = Instant::now();
        let mut shown = Shown { begun, bar: bar(TEMPLATE, 0), before: 0 };
        let done = import.run(&mut |event| shown.hear(event));
        shown.bar.finish_and_clear();
        match done {
            Ok(report) => print(&self.summary(&report, &register, begun)),
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

    fn files(&self) -> Result<Vec<ImportFile>, Failure> {
        let mut files = Vec::new();
        for path in &self.files {
            for path in lango_import::parts(path)? {
                let format = self.format(&path)?;
                files.push(ImportFile { path, format });
            }
        }
        Ok(files)
    }

    /// As the name says, or the options.
    fn format(&self, file: &Path) -> Result<FileFormat, Failure> {
        let text = |delimiter| FileFormat::Delimited(Delimited::usual(delimiter, Compression::of(file)));
        let format = match self.format {
            None => FileFormat::of(file)?,
            Some(FormatName::Csv) => text(b','),
            Some(FormatName::Tsv) => text(b'\t'),
            Some(FormatName::Parquet) => FileFormat::Parquet,
        };
        let of_text = self.delimiter.is_some() || self.encoding.is_some() || self.skip_lines > 0;
        match format {
            FileFormat::Delimited(named) => Ok(FileFormat::Delimited(Delimited {
                delimiter: self.delimiter.map_or(named.delimiter, Delimiter::Said),
                encoding: self.encoding.unwrap_or(named.encoding),
                compression: named.compression,
                skip_lines: self.skip_lines,
            })),
            FileFormat::Parquet if of_text => Err(Failure::Usage(
                "--delimiter, --encoding and --skip-lines are for text files, and a Parquet file is none"
                    .to_owned(),
            )),
            FileFormat::Parquet => Ok(format),
        }
    }

    fn summary(&self, report: &ImportReport, register: &Path, begun: Instant) -> String {
        let mut rows = vec![("rows".to_owned(), grouped(report.rows.cast_signed()))];
        let columns = |held: &ImportedColumn| format!("{} ({})", held.name, held.type_name);
        section(&mut rows, "columns", report.columns.iter().map(columns));
        let unit = report.columns.first().map(|held| held.name.as_str());
        let missing = report.columns.iter().filter(|held| Some(held.name.as_str()) == unit);
        let missing = missing.flat_map(|held| found(report, held, |finding| finding == Finding::Missing));
        let missing: Vec<String> = missing.collect();
        if !missing.is_empty() {
            section(&mut rows, "no identifier", missing.into_iter());
        }
        let gaps = report.columns.iter().skip(1).filter_map(|held| {
            let count = held.findings.of(Finding::Missing).count.cast_signed();
            (count > 0).then(|| format!("{}: {}", held.name, grouped(count)))
        });
        section(&mut rows, "missing", gaps);
        let all = |which: fn(Finding) -> bool| {
            report.columns.iter().flat_map(move |held| found(report, held, which))
        };
        section(&mut rows, "did not read", all(Finding::is_unread));
        section(
            &mut rows,
            "not declared",
            all(|finding| finding.is_undeclared() || finding == Finding::OutsidePeriod),
        );
        section(&mut rows, "clamped", all(|finding| matches!(finding, Finding::Below | Finding::Above)));
        let left_out = report.left_out.iter().map(|name| foreign(name)).collect::<Vec<_>>().join(", ");
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
        table(&[&self.dataset, &into], &[], rows.into_iter().map(|(name, value)| vec![name, value]))
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

const TEMPLATE: &str = "importing  {bar:30} {binary_bytes}/{binary_total_bytes}  {msg}";

/// What is seen on the way.
struct Shown {
    begun: Instant,
    bar: ProgressBar,
    /// Rows of an interrupted run.
    before: u64,
}

impl Shown {
    /// Above the bar, where there is one.
    fn say(&self, line: &str) {
        self.bar.suspend(|| say(line));
    }

    fn hear(&mut self, event: ImportEvent) -> ControlFlow<()> {
        match event {
            ImportEvent::Resumed(rows) => {
                self.before = rows;
                let rows = grouped(rows.cast_signed());
                self.say(&format!("an interrupted import goes on: {rows} rows are in already"));
            }
            ImportEvent::Afresh(what) => {
                self.say(&format!(
                    "an interrupted import cannot go on: {what} is another now; starting afresh"
                ));
            }
            ImportEvent::Read { bytes, of, rows } => {
                let rate =
                    rows.saturating_sub(self.before) as f64 / self.begun.elapsed().as_secs_f64().max(0.001);
                let rate = grouped(rate as i64);
                self.bar.set_length(of);
                self.bar.set_position(bytes);
                self.bar.set_message(format!("{} rows, {rate} a second", grouped(rows.cast_signed())));
            }
            ImportEvent::Keying => self.bar.set_message("all rows are in; searching for a key"),
        }
        ControlFlow::Continue(())
    }
}
