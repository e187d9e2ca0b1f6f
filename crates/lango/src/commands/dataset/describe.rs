//! `lango dataset describe`: what a source's catalogue says, or what stands in files; or a policy's skeleton from either.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use lango_import::FileDescription;

use super::{
    files::FileReading,
    progress::ShownProgress,
    skeleton::{FileSkeleton, TablePlace, table_name},
    suggestion::UnitColumn,
};
use crate::{
    config::{GatewayFile, read_toml},
    failure::Failure,
    output::{Format, foreign},
};

mod catalogue;
mod file;

use catalogue::Catalogue;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("one_table").args(["table", "files"]).multiple(true)))]
pub struct Describe {
    /// Files of which no table exists yet: .csv, .tsv (each also .gz, .zst) or .parquet, or a folder of .parquet parts; several
    /// are one table. Each row is read; a value is shown only where it stands on 20 rows or more, and for 20 units where a likely
    /// unit has several rows.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The gateway's configuration file. Of files it says the region, the office and the source.
    #[arg(long, value_name = "FILE", required_unless_present = "files")]
    config: Option<PathBuf>,
    /// The source, as the configuration names it; of files the one that they are to be imported into.
    #[arg(long, value_name = "NAME", required_unless_present = "files")]
    source: Option<String>,
    /// This table alone, as a policy would name it; of files the table to make, by default named as the first file.
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// Write a policy's skeleton (TOML) for the table.
    #[arg(long, requires = "one_table", conflicts_with = "format")]
    policy: bool,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    reading: FileReading,
}

impl Describe {
    pub fn run(self) -> Result<(), Failure> {
        let config = self.config.as_deref();
        let file: Option<GatewayFile> = config.map(read_toml).transpose()?;
        let config = config.zip(file.as_ref());
        match (self.files.first(), config, self.source.as_deref()) {
            (Some(first), ..) => self.of_files(first, config),
            (None, Some((config, file)), Some(source)) => {
                let table = self.table.as_deref();
                Catalogue { config, file, source, table }.print(self.policy, self.format)
            }
            // The arguments rule it out.
            (None, ..) => Err(Failure::Usage("--config and --source, or files".to_owned())),
        }
    }

    fn of_files(&self, first: &Path, config: Option<(&Path, &GatewayFile)>) -> Result<(), Failure> {
        let office = config.and_then(|(path, file)| catalogue::office(path, file));
        let source = self.source_of_files(config)?;
        let table = self.table_of_files(first)?;
        let files = self.reading.files(&self.files)?;
        let mut shown = ShownProgress::new("reading");
        let mut described = FileDescription::of(&files, &mut |event| shown.hear(event));
        if let Ok(file) = &mut described
            && let Some(unit) = UnitColumn::of(file).with_several_rows().map(|unit| unit.name.clone())
        {
            let counted = file.count_units(&files, &unit, &mut |event| shown.hear(event));
            described = counted.and(described);
        }
        shown.clear();
        let described = described.map_err(|error| Failure::Failed(foreign(&error.to_string())))?;
        let skeleton = FileSkeleton {
            file: &described,
            names: self.files.iter().map(|path| path.display().to_string()).collect(),
            table: &table,
            place: TablePlace {
                source: source.as_deref(),
                region: config.map(|(_, file)| file.region_name()),
                office: office.as_deref(),
            },
            config: config.map(|(path, _)| path),
            reading: self.reading.said(),
        };
        file::print_description(&skeleton, self.policy, self.format)
    }

    /// The source that the files are to be imported into: the one that is said, or else the only one that is a file.
    fn source_of_files(&self, config: Option<(&Path, &GatewayFile)>) -> Result<Option<String>, Failure> {
        let Some((path, file)) = config else { return Ok(self.source.clone()) };
        let files: Vec<&str> = file.sources().filter(|name| file.source_file(path, name).is_some()).collect();
        match (&self.source, files.as_slice()) {
            (Some(said), files) if !files.contains(&said.as_str()) => {
                let there = if files.is_empty() { "none".to_owned() } else { files.join(", ") };
                let message = format!(
                    "no source `{said}` with `sqlite`, which files are imported into: there is {there}"
                );
                Err(Failure::of(path.display(), message))
            }
            (Some(said), _) => Ok(Some(said.clone())),
            (None, [only]) => Ok(Some((*only).to_owned())),
            (None, _) => Ok(None),
        }
    }

    fn table_of_files(&self, first: &Path) -> Result<String, Failure> {
        let Some(said) = &self.table else { return Ok(table_name(first)) };
        match said.parse::<lango_privacy::Name>() {
            Ok(name) => Ok(name.to_string()),
            Err(error) => Err(Failure::Usage(format!("--table: {error}"))),
        }
    }
}
