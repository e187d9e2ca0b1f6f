//! Files and folders that are their owner's alone from the moment that they exist.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use rustix::{fs::Mode, process::umask};

use crate::FileError;

const OWNER_ONLY: u32 = 0o600;
const OWNER_ONLY_FOLDER: u32 = 0o700;

/// From now on, whatever this process makes is its owner's alone, libraries' files too. For a program's `main`: it is of the
/// whole process.
pub fn keep_from_others() {
    umask(Mode::RWXG | Mode::RWXO);
}

/// Options that make a file its owner's alone, whatever the process's mask; a file that is there keeps its mode.
#[must_use]
pub fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(OWNER_ONLY);
    options
}

/// Opens a file for writing, as it stands, and makes it if it is not there.
///
/// # Errors
/// What the system says.
pub fn make_or_open(path: &Path) -> io::Result<File> {
    options().write(true).create(true).truncate(false).open(path)
}

/// Makes a folder and those above it, as far as they are not there.
///
/// # Errors
/// What the system says.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(OWNER_ONLY_FOLDER).create(path)
}

/// Writes a new file in the place of whatever is there. One that another program holds open stays as it is for that program.
///
/// # Errors
/// [`FileError::System`].
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let write = || {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = options().write(true).create_new(true).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|source| FileError::system(path, source))
}
