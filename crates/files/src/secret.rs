//! Reading, and whether others may read too.

use std::{
    env,
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use rustix::process::geteuid;
use zeroize::Zeroizing;

use crate::{FileError, error::Exposed, open};

/// The bits that open a file to its group and to everybody.
const OTHERS: u32 = 0o077;
/// Where systemd keeps a service's credentials: it alone sets their modes, in a folder that only the service enters.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Reads a whole file; the bytes are wiped when dropped.
///
/// # Errors
/// [`FileError::System`].
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let whole = || whole(&mut open(path)?);
    whole().map_err(|source| FileError::system(path, source))
}

/// Reads a whole file that holds a secret, unless others than its owner may read or write it. Members of its group are others.
/// A pipe is read too, into which another program writes the secret.
///
/// # Errors
/// [`FileError`].
pub fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let system = |source| FileError::system(path, source);
    let mut file = File::open(path).map_err(system)?;
    // Of the file that is read, whatever its name comes to mean meanwhile.
    if let Some(exposed) = exposed(path, &file.metadata().map_err(system)?) {
        return Err(FileError::Exposed(exposed));
    }
    whole(&mut file).map_err(system)
}

/// Whether others than its owner may read or write a file, as far as the file's own mode says; `None` too where there is no file.
#[must_use]
pub fn exposure(path: &Path) -> Option<Exposed> {
    exposed(path, &fs::metadata(path).ok()?)
}

fn exposed(path: &Path, metadata: &fs::Metadata) -> Option<Exposed> {
    let mode = metadata.mode() & 0o7777;
    if mode & OTHERS == 0 || is_credential(path) {
        return None;
    }
    let user = geteuid().as_raw();
    let new_owner = (metadata.uid() != user).then_some(user);
    Some(Exposed { path: path.to_owned(), mode, new_owner })
}

fn is_credential(path: &Path) -> bool {
    let Some(folder) = env::var_os(CREDENTIALS).filter(|folder| !folder.is_empty()) else { return false };
    match (fs::canonicalize(folder), fs::canonicalize(path)) {
        (Ok(folder), Ok(path)) => path.starts_with(folder),
        (Err(_), _) | (_, Err(_)) => false,
    }
}

fn whole(file: &mut File) -> io::Result<Zeroizing<Vec<u8>>> {
    // Room for all of it at once, so that no copy is left behind by a buffer that grows.
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(0);
    let mut bytes = Zeroizing::new(Vec::with_capacity(length.saturating_add(1)));
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}
