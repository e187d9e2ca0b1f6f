//! `lango dataset import`: a file that the office exported becomes the dataset's table.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::Instant,
};

use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use lango_import::{
    Compression, Delimited, Encoding, FileFormat, ImportEvent, ImportJob, ImportReport, Tuning, UnitKey,
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
    /// The file: .csv, .tsv (each also .gz, .zst) or .parquet.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What the file holds, where its name does not say.
    #[arg(long, value_enum)]
    format: Option<FormatName>,
    /// What stands between two fields of a text file, one character; \t is a tab.
    #[arg(long, value_name = "C", value_parser = delimiter)]
    delimiter: Option<u8>,
    /// How the letters of a text file are bytes: utf-8, latin-1, windows-1252, utf-16le, ..
    #[arg(long, value_name = "NAME", value_parser = encoding)]
    encoding: Option<Encoding>,
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
        (_, [byte]) if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0) => Ok(*byte),
        _ => Err("one ASCII character that is no quote and no line break".to_owned()),
    }
}

fn encoding(text: &str) -> Result<Encoding, String> {
    Encoding::named(text)
        .ok_or_else(|| "no such encoding: try utf-8, latin-1, windows-1252, utf-16le".to_owned())
}

impl Import {
    pub fn run(self) -> Result<(), Failure> {
        let config: GatewayFile = read_toml(&self.config)?;
        let (dataset, register) = config.register(&self.config, &self.dataset)?;
        let import = ImportJob {
            file: &self.file,
            format: self.format()?,
            register: &register,
            dataset: &dataset,
            tuning: Tuning::default(),
        };
        let begun = Instant::now();
        let mut shown = Shown { begun, bar: bar(TEMPLATE, 0), before: 0 };
        let done = import.run(&mut |event| shown.hear(event));
        shown.bar.finish_and_clear();
        let report = done.map_err(|error| {
            Failure::Failed(foreign(&format!("{error}; `{}` is as it was", dataset.table)))
        })?;
        print(&self.summary(&report, &register, begun))
    }

    /// As the name says, or the options.
    fn format(&self) -> Result<FileFormat, Failure> {
        let text = |delimiter| {
            let compression = Compression::of(&self.file);
            FileFormat::Delimited(Delimited { delimiter, encoding: Encoding::UTF_8, compression })
        };
        let format = match self.format {
            None => FileFormat::of(&self.file)?,
            Some(FormatName::Csv) => text(b','),
            Some(FormatName::Tsv) => text(b'\t'),
            Some(FormatName::Parquet) => FileFormat::Parquet,
        };
        match format {
            FileFormat::Delimited(named) => Ok(FileFormat::Delimited(Delimited {
                delimiter: self.delimiter.unwrap_or(named.delimiter),
                encoding: self.encoding.unwrap_or(named.encoding),
                compression: named.compression,
            })),
            FileFormat::Parquet if self.delimiter.is_some() || self.encoding.is_some() => {
                Err(Failure::Usage(
                    "--delimiter and --encoding are for text files, and a Parquet file is none".to_owned(),
                ))
            }
            FileFormat::Parquet => Ok(format),
        }
    }

    fn summary(&self, report: &ImportReport, register: &Path, begun: Instant) -> String {
        let mut rows = vec![("rows".to_owned(), grouped(report.rows.cast_signed()))];
        let mut head = "columns";
        for held in &report.columns {
            let what = format!("{} ({})", held.name, held.type_name);
            rows.push((std::mem::take(&mut head).to_owned(), what));
        }
        let mut head = "did not read";
        for held in report.columns.iter().filter(|held| held.unread.count > 0) {
            let first: Vec<String> = held.unread.first.iter().map(u64::to_string).collect();
            let more = if held.unread.count > held.unread.first.len() as u64 { ", .." } else { "" };
            let count = grouped(held.unread.count.cast_signed());
            let place = match (report.by_line, first.len()) {
                (true, 1) => "line",
                (true, _) => "lines",
                (false, 1) => "row",
                (false, _) => "rows",
            };
            let what = format!("{}: {count} ({place} {}{more})", held.name, first.join(", "));
            rows.push((std::mem::take(&mut head).to_owned(), what));
        }
        if head == "did not read" {
            rows.push((head.to_owned(), "nothing".to_owned()));
        }
        let left_out = report.left_out.iter().map(|name| foreign(name)).collect::<Vec<_>>().join(", ");
        rows.push(("left out".to_owned(), if left_out.is_empty() { "nothing".to_owned() } else { left_out }));
        rows.push(("unit".to_owned(), key(report)));
        rows.push(("seconds".to_owned(), format!("{:.1}", begun.elapsed().as_secs_f64())));
        let into = register.display().to_string();
        table(&[&self.dataset, &into], &[], rows.into_iter().map(|(name, value)| vec![name, value]))
    }
}

fn key(report: &ImportReport) -> String {
    let unit = report.columns.first().map_or("", |held| held.name.as_str());
    match report.key {
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
