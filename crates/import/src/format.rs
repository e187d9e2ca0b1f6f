//! What a file is read as, and what its first bytes say it is.

use std::path::Path;

use crate::ImportError;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// Text, a line for each row.
    Delimited(Delimited),
    /// Apache Parquet.
    Parquet,
}

/// How a text file is cut into fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimited {
    /// What stands between two fields.
    pub delimiter: Delimiter,
    /// How letters are bytes.
    pub encoding: Encoding,
    /// How the file is compressed.
    pub compression: Compression,
    /// Lines above the header, which are left out.
    pub skip_lines: u64,
}

/// What stands between two fields of a text file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delimiter {
    /// What is usual for such a file, if its first line is not `sep=;` or the like.
    Usual(u8),
    /// What the caller says, whatever the file says.
    Said(u8),
}

impl Delimiter {
    /// The byte, if the file says nothing else.
    pub fn byte(self) -> u8 {
        match self {
            Self::Usual(byte) | Self::Said(byte) => byte,
        }
    }

    /// Whether a byte may stand between fields.
    pub fn may_be(byte: u8) -> bool {
        byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0)
    }
}

/// How a text file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not.
    Plain,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

/// How letters are bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(pub(crate) &'static encoding_rs::Encoding);

impl Encoding {
    /// UTF-8.
    pub const UTF_8: Self = Self(encoding_rs::UTF_8);

    /// By its name as the web knows it, where `latin-1` is read as its superset `windows-1252`.
    pub fn named(name: &str) -> Option<Self> {
        let name = if name.eq_ignore_ascii_case("latin-1") { "latin1" } else { name };
        encoding_rs::Encoding::for_label(name.as_bytes())
            .filter(|found| *found != encoding_rs::REPLACEMENT)
            .map(Self)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }
}

impl Delimited {
    /// Text in UTF-8 with this delimiter, if the file says no other.
    pub fn usual(delimiter: u8, compression: Compression) -> Self {
        Self { delimiter: Delimiter::Usual(delimiter), encoding: Encoding::UTF_8, compression, skip_lines: 0 }
    }
}

impl Compression {
    /// By the file's name.
    pub fn of(file: &Path) -> Self {
        match extension(file).as_str() {
            "gz" => Self::Gzip,
            "zst" => Self::Zstd,
            _ => Self::Plain,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

impl FileFormat {
    /// By the file's name: `.csv`, `.txt` (which is read as `.csv` is) and `.tsv`, possibly with `.gz` or `.zst`, and `.parquet`.
    pub fn of(file: &Path) -> Result<Self, ImportError> {
        let compression = Compression::of(file);
        let inner = if compression == Compression::Plain { file.to_owned() } else { file.with_extension("") };
        let text = |delimiter| Self::Delimited(Delimited::usual(delimiter, compression));
        match (extension(&inner).as_str(), compression) {
            ("csv" | "txt", _) => Ok(text(b',')),
            ("tsv", _) => Ok(text(b'\t')),
            ("parquet", Compression::Plain) => Ok(Self::Parquet),
            _ => Err(ImportError::Unnamed(file.to_owned())),
        }
    }

    /// In words, and the same for the same reading.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Delimited(Delimited { delimiter, encoding, compression, skip_lines }) => {
                let (compression, encoding) = (compression.word(), encoding.name());
                // As it always was: registers keep digests of it.
                let delimiter = match delimiter {
                    Delimiter::Usual(byte) => format!("Usual({byte})"),
                    Delimiter::Said(byte) => format!("Said({byte})"),
                };
                format!("{compression} text in {encoding}, {delimiter}, below {skip_lines} lines")
            }
            Self::Parquet => "Parquet".to_owned(),
        }
    }
}

fn extension(file: &Path) -> String {
    file.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase()
}

/// What the first bytes of a file are known to be, where they are no text in ASCII's likeness.
pub(crate) fn known(head: &[u8]) -> Option<(&'static str, &'static str)> {
    let kinds: [(&[u8], &str, &str); 10] = [
        (b"\x1f\x8b", "gzip", "give it a name that ends in .gz"),
        (b"\x28\xb5\x2f\xfd", "zstd", "give it a name that ends in .zst"),
        (b"PAR1", "Parquet", "say --file-format parquet"),
        (b"PK\x03\x04", "a zip archive or a spreadsheet", "export it as CSV"),
        (b"\xd0\xcf\x11\xe0", "an old spreadsheet", "export it as CSV"),
        (b"SQLite format 3\0", "an SQLite file", "name it in the gateway's configuration instead"),
        // UTF-16 in that order begins alike.
        (b"\xff\xfe\0\0", "text in UTF-32", "export it in UTF-8"),
        (b"\0\0\xfe\xff", "text in UTF-32", "export it in UTF-8"),
        (b"\xff\xfe", "text in UTF-16", "say --encoding utf-16le"),
        (b"\xfe\xff", "text in UTF-16", "say --encoding utf-16be"),
    ];
    kinds.into_iter().find(|(magic, ..)| head.starts_with(magic)).map(|(_, is, instead)| (is, instead))
}
