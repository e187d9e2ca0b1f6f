//! Files that others made, read as far as they can be what they should be.

use std::{io::Read, path::Path};

use crate::failure::Failure;

/// More than any request, bundle or region file has.
const BYTES_MOST: u64 = 1024 * 1024;

/// Reads a text that came from somebody else.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    let failed = |why: &dyn std::fmt::Display| Failure::of(path.display(), why);
    let file = lango_files::open(path).map_err(|error| failed(&error))?;
    let mut bytes = Vec::new();
    file.take(BYTES_MOST + 1).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    if bytes.len() as u64 > BYTES_MOST {
        return Err(failed(&"is larger than 1 MiB: that is no request, certificate or region"));
    }
    String::from_utf8(bytes).map_err(|_| failed(&"is not a text: PEM is wanted, not DER"))
}
