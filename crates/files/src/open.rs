//! The one place where a file that others may have made is opened for reading.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use rustix::fs::OFlags;

use crate::NotRegular;

/// Opens a file for reading. A pipe that nobody writes into would keep its reader waiting, and a device may have no end: neither
/// is opened.
///
/// # Errors
/// What the system says; [`NotRegular`] where the name leads to anything but a file.
pub fn open(path: &Path) -> io::Result<File> {
    is_file(&fs::metadata(path)?)?;
    // What has the name by now is not waited for either.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    is_file(&file.metadata()?)?;
    Ok(file)
}

fn is_file(metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.is_file() { Ok(()) } else { Err(io::Error::new(io::ErrorKind::InvalidInput, NotRegular)) }
}
