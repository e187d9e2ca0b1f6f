//! Why nothing was imported: the file, the line, the column, and what to do; never a value.

use std::{io, path::PathBuf};

use crate::{
    findings::RowPlace,
    judge::UnfitColumn,
    options::Rename,
    report::{ImportReport, NamedFile, places},
    tuning::PAGES_BYTES_MOST,
};

pub use row::RowError;

mod row;

/// Why nothing was imported. The dataset's table is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("{file}: {cause}")]
    File {
        /// The file.
        file: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The program itself failed at a text file.
    #[error(
        "{0}: the program failed while it read, which is an error of its own: say so to those who make it, and export otherwise"
    )]
    ReaderFailed(String),
    /// It is a folder, a pipe or the like.
    #[error(
        "{0} is not a file: an import that is interrupted goes on in it, so it must be one, and no pipe or device"
    )]
    NotAFile(PathBuf),
    /// The name does not show the format.
    #[error(
        "the name of {0} does not say what it holds: .csv, .txt, .tsv (with .gz or .zst where compressed) or .parquet; or say \
         --file-format"
    )]
    Unnamed(PathBuf),
    /// The content is not what the name or `--file-format` says.
    #[error("{file} is said to be {said} and is {is}: {instead}")]
    NotAsSaid {
        /// The file.
        file: PathBuf,
        /// As what it was to be read.
        said: String,
        /// What its first bytes are.
        is: &'static str,
        /// What to do.
        instead: String,
    },
    /// There is nothing in it.
    #[error("{0} is empty: the first line names the columns")]
    Empty(PathBuf),
    /// There is a header and nothing else.
    #[error("{0} holds a header and no row: an empty table would take the place of what there is")]
    NoRows(PathBuf),
    /// The first line is none of names.
    #[error("the first line of {file} names no columns{hint}")]
    NoHeader {
        /// The file.
        file: PathBuf,
        /// What it is, and what to do.
        hint: String,
    },
    /// A declared column is not in the file.
    #[error("{file} has no column `{column}`{hint}")]
    NoColumn {
        /// The file.
        file: PathBuf,
        /// As the policy names it.
        column: String,
        /// The nearest name there is, or another guess.
        hint: String,
    },
    /// Two declared columns are read from one column, as different types.
    #[error(
        "the policy reads column `{column}` as values of two types: import it as one, and let `recode` and `derived` make the rest"
    )]
    TwoTypes {
        /// The column.
        column: String,
    },
    /// A declared column is in the file twice.
    #[error("{file} has more than one column `{column}`: rename all but the one that is meant")]
    Twice {
        /// The file.
        file: PathBuf,
        /// As the policy names it.
        column: String,
    },
    /// The policy declares no such column.
    #[error("the policy declares no column `{column}`: there is {declared}")]
    NotDeclared {
        /// As the caller named it.
        column: String,
        /// The policy's columns.
        declared: String,
    },
    /// A column is renamed twice, or two columns to the same.
    #[error("`{from}={to}`: a column is renamed once, and to a name of its own", from = .0.from, to = .0.to)]
    RenamedTwice(Rename),
    /// A name becomes another that becomes the first.
    #[error(
        "`{from}={to}`: the names are exchanged in a circle; rename the columns in the file",
        from = .0.from, to = .0.to
    )]
    RenamedInCircles(Rename),
    /// The header stands below a title.
    #[error(
        "the first line of {file} is no header, for line {line} names the columns: say --skip-lines {skip}{delimiter}",
        skip = line - 1
    )]
    Titled {
        /// The file.
        file: PathBuf,
        /// Where the header is.
        line: u64,
        /// The option for its delimiter, with a blank before it, if it is another.
        delimiter: String,
    },
    /// A folder without a part.
    #[error("the folder {0} holds no .parquet file whose name begins with neither `_` nor `.`")]
    NoParts(PathBuf),
    /// A folder with a file that may be a part.
    #[error(
        "the folder {folder} holds `{within}`, whose name does not end in .parquet: give it that ending if it is a part of the \
         table, or move it elsewhere"
    )]
    NotAPart {
        /// The folder.
        folder: PathBuf,
        /// The name of the file within.
        within: String,
    },
    /// A folder of folders.
    #[error(
        "the folder {folder} holds the folder `{within}`: what the names of folders say is in no column; export the table into one folder without partitions"
    )]
    FolderWithin {
        /// The folder.
        folder: PathBuf,
        /// The name of the one within.
        within: String,
    },
    /// A folder whose parts are of several versions of a table.
    #[error(
        "the folder {folder} holds `{within}`: some of its parts may be of rows that were replaced or deleted; export the \
         table as it is now into a folder of plain Parquet files"
    )]
    Versioned {
        /// The folder.
        folder: PathBuf,
        /// What says so.
        within: String,
    },
    /// A folder with rows that are in none of its parts.
    #[error(
        "the folder {folder} holds {within}, which a job that has not ended, or has failed, leaves behind: rows may be missing from \
         the other parts; export the table again, or move it elsewhere if it is not of the table"
    )]
    SetAside {
        /// The folder.
        folder: PathBuf,
        /// What lies within.
        within: PathBuf,
    },
    /// A file is named twice.
    #[error("{0} is named twice: its rows would count twice")]
    NamedTwice(PathBuf),
    /// Files have other columns.
    #[error(
        "{file} and {as_in} do not have the same columns{which}: files that are imported as one table have one header",
        which = if column.is_empty() { String::new() } else { format!(" (`{column}` is in one only)") }
    )]
    OtherHeader {
        /// The file.
        file: PathBuf,
        /// The first file.
        as_in: PathBuf,
        /// A column that one of them has; empty if one has a column twice.
        column: String,
    },
    /// An error in one of several files.
    #[error("{file}: {error}")]
    InFile {
        /// The file.
        file: PathBuf,
        /// What is wrong there.
        error: Box<ImportError>,
    },
    /// A row, or what stands in its place.
    #[error(transparent)]
    Row(#[from] RowError),
    /// The register holds other data of the same version.
    #[error(
        "the register holds other data of `{dataset}` under version {version}, or the same read in another way, and answers \
         that are stored would stay those of the old: raise `version` in the policy, or say --same-version"
    )]
    SameVersion {
        /// The dataset.
        dataset: String,
        /// Its version.
        version: String,
    },
    /// Values keep the file from being imported.
    #[error("{}", columns.iter().map(UnfitColumn::to_string).collect::<Vec<_>>().join("; "))]
    Unfit {
        /// The columns whose values do.
        columns: Vec<UnfitColumn>,
        /// All that was found.
        report: Box<ImportReport>,
    },
    /// A column holds lists or groups.
    #[error(
        "column `{column}` of {file} is nested or of a type that is no text, number or day: export it flat"
    )]
    NotFlat {
        /// The file.
        file: PathBuf,
        /// The column.
        column: String,
    },
    /// A Parquet file that cannot be read.
    #[error(
        "{file} is damaged, cut short or of a kind that cannot be read ({cause}); fetch or export it again"
    )]
    Parquet {
        /// The file.
        file: PathBuf,
        /// What the library says.
        cause: String,
    },
    /// Pages of a Parquet file are too large.
    #[error(
        "{file}: the pages that are in memory at once take {all} MiB when they are decoded, {bytes} of them those of `{column}`, and \
         {most} MiB is the most: write it again with pages of 1 MiB, as is usual",
        most = PAGES_BYTES_MOST >> 20, all = all >> 20, bytes = bytes >> 20
    )]
    LargePages {
        /// The file.
        file: PathBuf,
        /// The column that has the largest.
        column: String,
        /// The bytes of that column's.
        bytes: u64,
        /// The bytes of all.
        all: u64,
    },
    /// Units stand on several rows, and the policy says that none does.
    #[error(
        "{file}: {units} in `{column}` {stand} on more than one row ({places}), and the policy says `rows_at_most = 1`: raise \
         it in the policy if a unit has several rows, remove the surplus rows from the file, or export other identifiers if these are \
         other units (numbers that begin again in each district, `1.10` that became `1.1`)",
        file = .files.iter().map(|file| file.path.display().to_string()).collect::<Vec<_>>().join(", "),
        units = counted(*.units, "identifier"), stand = if *.units == 1 { "stands" } else { "stand" },
        places = first(.files, .places)
    )]
    Repeated {
        /// The files.
        files: Vec<NamedFile>,
        /// The unit's column.
        column: String,
        /// How many units stand on several rows.
        units: u64,
        /// The first ten rows of such units, in order.
        places: Vec<RowPlace>,
    },
    /// The file is not the one that it was when the import began.
    #[error("{0} changed while it was read: import it again when it is complete")]
    Changed(PathBuf),
    /// Another import into the same register is under way.
    #[error("another import into {0} is under way: wait until it ends")]
    UnderWay(PathBuf),
    /// The register cannot be written beside.
    #[error(
        "{file}: {cause}; the register's folder must exist, and the user who imports must be able to write in it"
    )]
    Folder {
        /// What was to be made.
        file: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The register holds something else by the table's name.
    #[error("`{table}` of {register} is not a table: remove it, or name another table in the policy")]
    NotATable {
        /// The register.
        register: PathBuf,
        /// The table.
        table: String,
    },
    /// There is no room.
    #[error(
        "no room for {0}: make some on its disk, where temporary files lie too, and run the same command to go on"
    )]
    Full(PathBuf),
    /// Another program holds the register.
    #[error("{0} is in use by another program: run the same command to go on")]
    Busy(PathBuf),
    /// The register cannot be written.
    #[error("{register}: {cause}; fix that and run the same command")]
    Register {
        /// The register.
        register: PathBuf,
        /// What SQLite says.
        cause: rusqlite::Error,
    },
    /// The caller stopped the import.
    #[error("stopped: run the same command to go on")]
    Stopped,
}

fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Places in words. Ten may not be all.
fn first(files: &[NamedFile], first: &[RowPlace]) -> String {
    let more = u64::from(first.len() == crate::findings::FIRST);
    places(files, first, first.len() as u64 + more)
}

impl ImportError {
    /// Whether its words name the file.
    pub(crate) fn names_its_file(&self) -> bool {
        !matches!(self, Self::Row(_))
    }

    /// Whether the same command can go on where this one stopped.
    pub(crate) fn may_go_on(&self) -> bool {
        matches!(
            self,
            Self::Full(_) | Self::Busy(_) | Self::Register { .. } | Self::Stopped | Self::File { .. }
        )
    }
}
