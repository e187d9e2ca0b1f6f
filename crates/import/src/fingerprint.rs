//! Whether a file is still the one it was: its size, its time and a digest of how it begins; and a digest of all it holds.

use std::{
    io::Read,
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use sha2::{Digest, Sha256};

use crate::{ImportError, open::opened};

/// Bytes at the start of a file that are digested.
const HEAD_BYTES: u64 = 1 << 20;
/// Bytes that are read at once.
const CHUNK: usize = 256 << 10;

/// The text that distinguishes a file from another.
pub(crate) fn of(path: &Path) -> Result<String, ImportError> {
    let failed = |cause| ImportError::File { file: path.to_owned(), cause };
    let file = opened(path)?;
    let metadata = file.metadata().map_err(failed)?;
    let mut head = Vec::new();
    file.take(HEAD_BYTES).read_to_end(&mut head).map_err(failed)?;
    let modified = metadata.modified().map_err(failed)?;
    let modified = modified.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Ok(format!(
        "{} bytes, {} ns, {}",
        metadata.len(),
        modified.as_nanos(),
        hex::encode(Sha256::digest(&head))
    ))
}

/// The digest of all that a file holds, in hexadecimal digits.
pub(crate) fn content(path: &Path) -> Result<String, ImportError> {
    let failed = |cause| ImportError::File { file: path.to_owned(), cause };
    let mut file = opened(path)?;
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; CHUNK]);
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => return Ok(hex::encode(digest.finalize())),
            count => digest.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}

/// The digest of a text, in hexadecimal digits.
pub(crate) fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}
