//! How files that an office exported are read, where they do not say so themselves.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use lango_import::{Compression, Delimited, Delimiter, Encoding, FileFormat, ImportFile};

use crate::failure::Failure;

/// How files are cut into rows and fields.
#[derive(Debug, Args)]
pub struct FileReading {
    /// What the files hold, where their names do not say.
    #[arg(long, value_enum, requires = "files")]
    file_format: Option<FormatName>,
    /// What stands between two fields of a text file, one character; \t is a tab. A first line `sep=;` says it too.
    #[arg(long, value_name = "C", value_parser = delimiter, requires = "files")]
    delimiter: Option<u8>,
    /// How the letters of a text file are bytes: utf-8, latin-1, windows-1252, utf-16le, ..
    #[arg(long, value_name = "NAME", value_parser = encoding, requires = "files")]
    encoding: Option<Encoding>,
    /// Lines above the header of a text file, such as a title, which are left out.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, requires = "files")]
    skip_lines: u64,
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
        .ok_or_else(|| {
            "not known: export the file in UTF-8, or say latin-1, windows-1252, macintosh, ibm866 or utf-16le; no other code page of DOS \
             (437, 850) is read"
                .to_owned()
        })
}

impl FileReading {
    /// The files that are named, a folder's parts each by itself.
    pub fn files(&self, paths: &[PathBuf]) -> Result<Vec<ImportFile>, Failure> {
        let mut files = Vec::new();
        for path in paths {
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
        let format = match self.file_format {
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

    /// The options that were said, as another command takes them.
    pub fn said(&self) -> Vec<String> {
        let format = self.file_format.and_then(|format| format.to_possible_value());
        let delimiter = self.delimiter.map(|byte| match byte {
            b'\t' => "\\t".to_owned(),
            byte => char::from(byte).to_string(),
        });
        let options = [
            ("--file-format", format.map(|format| format.get_name().to_owned())),
            ("--delimiter", delimiter),
            ("--encoding", self.encoding.map(|encoding| encoding.name().to_lowercase())),
            ("--skip-lines", (self.skip_lines > 0).then(|| self.skip_lines.to_string())),
        ];
        let said = options.into_iter().filter_map(|(option, value)| Some([option.to_owned(), value?]));
        said.flatten().collect()
    }
}
