//! The mailbox: requests for certificates that wait for the region's authority, which is offline, and the certificates that its
//! operator brings back. It proves nothing and is believed by nobody: the authority verifies a request before it signs, and who
//! collects certificates verifies them.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use lango_files::FileError;
use lango_identity::{Region, SpiffeId};
use lango_wire::limits::CERTIFICATES_BYTES_MAX;

use crate::clock::now;

/// Where a mailbox is, and how its letters are read.
#[derive(Debug, Clone)]
pub struct MailboxConfig {
    /// The folder: `requests` go from it to the authority, and `issued` comes back.
    pub folder: PathBuf,
    /// Reads a request as of a moment in Unix seconds: whose it is, where a key of that principal signed it that is certified
    /// now; else what is wrong with it.
    pub whose: fn(&str, &Region, i64) -> Result<SpiffeId, String>,
}

/// Why a letter is not taken.
#[derive(Debug)]
pub(crate) enum NotTaken {
    /// It is none, in words for who left it.
    Refused(String),
    /// It cannot be kept.
    File(FileError),
}

impl MailboxConfig {
    /// Keeps a principal's request, in the place of an earlier one. What answered that is of other keys, and goes.
    pub(crate) fn leave(&self, request: &str, region: &Region) -> Result<SpiffeId, NotTaken> {
        if request.len() > CERTIFICATES_BYTES_MAX {
            let most = CERTIFICATES_BYTES_MAX >> 10;
            return Err(NotTaken::Refused(format!("a request has at most {most} KiB")));
        }
        let principal = (self.whose)(request, region, now()).map_err(NotTaken::Refused)?;
        let (asked, issued) = (self.request(&principal), self.issued(&principal));
        if lango_files::read(&asked).is_ok_and(|there| there.as_slice() == request.as_bytes()) {
            return Ok(principal);
        }
        // First, so that one who is stopped here leaves it again.
        match std::fs::remove_file(&issued) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(NotTaken::File(FileError::System { path: issued, source: error }));
            }
            Ok(()) | Err(_) => {}
        }
        self.keep(&asked, request.as_bytes()).map_err(NotTaken::File)?;
        Ok(principal)
    }

    /// The certificates that were issued to a principal, where they have come.
    pub(crate) fn collect(&self, principal: &SpiffeId) -> Result<Option<String>, FileError> {
        let path = self.issued(principal);
        let bytes = match lango_files::read(&path) {
            Err(FileError::System { source, .. }) if source.kind() == ErrorKind::NotFound => return Ok(None),
            read => read?,
        };
        let pem = String::from_utf8(bytes.to_vec()).ok().filter(|pem| pem.len() <= CERTIFICATES_BYTES_MAX);
        let none = || std::io::Error::new(ErrorKind::InvalidData, "it is no certificates of at most 64 KiB");
        pem.map(Some).ok_or_else(|| FileError::System { path, source: none() })
    }

    fn keep(&self, path: &Path, bytes: &[u8]) -> Result<(), FileError> {
        for folder in [&self.folder, &self.folder.join("requests"), &self.folder.join("issued")] {
            lango_files::make_folder(folder)
                .map_err(|source| FileError::System { path: folder.clone(), source })?;
        }
        lango_files::exchange(path, bytes)
    }

    fn request(&self, whose: &SpiffeId) -> PathBuf {
        self.folder.join("requests").join(format!("{}-{}.toml", whose.role(), whose.name()))
    }

    /// As `lango identity issue` names what it writes.
    fn issued(&self, whose: &SpiffeId) -> PathBuf {
        self.folder.join("issued").join(format!("{}-{}.bundle.pem", whose.role(), whose.name()))
    }
}
