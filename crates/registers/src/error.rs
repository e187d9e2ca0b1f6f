use std::io;
use std::path::PathBuf;

/// Why a register was not drawn or not read.
#[derive(Debug, thiserror::Error)]
pub enum DrawError {
    /// The office is not one of [`OFFICES`](crate::OFFICES).
    #[error("no figures are published for office `{office}`")]
    UnknownOffice {
        /// The code as given.
        office: String,
    },
    /// The scale is zero or too large.
    #[error("scale {scale} is not between 1 and {most}")]
    ScaleOutOfRange {
        /// The scale as given.
        scale: u32,
        /// The largest, [`SCALE_MAX`](crate::SCALE_MAX).
        most: u32,
    },
    /// The caller's progress function asked to stop; nothing was left behind.
    #[error("drawing was stopped")]
    Stopped,
    /// SQLite refused a statement.
    #[error("register `{}`: {source}", path.display())]
    Database {
        /// The register.
        path: PathBuf,
        /// SQLite's reason.
        source: rusqlite::Error,
    },
    /// The operating system refused a file.
    #[error("file `{}`: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}
