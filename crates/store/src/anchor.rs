//! The anchor: which store this is and how far it had come, kept in a second place, so that neither an older copy nor another
//! store can take its place unnoticed.

use std::{
    fs,
    io::{self, ErrorKind, Write as _},
    os::unix::fs::{MetadataExt, fchown},
    path::{Component, Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::{AnchorError, Location, Store, StoreError};

/// The first line of the file.
const HEADING: &str = "lango-anchor 1";

/// A file that holds a store's identity and its highest sequence number.
#[derive(Debug, Clone)]
pub struct Anchor {
    path: PathBuf,
}

/// What an anchor says, or a store says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StorePosition {
    /// Which store.
    pub identity: [u8; 16],
    /// The number of its last access record.
    pub sequence: i64,
}

/// What an anchor says of a store that it does not refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchored {
    /// It is the store, and no older.
    Holds,
    /// The store is new, and has no anchor yet.
    NotYet,
}

impl Anchor {
    /// The anchor at a path, which must not lie in the store's folder or below it.
    pub fn at(path: PathBuf, location: &Location) -> Result<Self, StoreError> {
        if let Location::File(store) = location
            && folder(&path)?.starts_with(folder(store)?)
        {
            return Err(AnchorError::BesideStore { path }.into());
        }
        Ok(Self { path })
    }

    /// What it says; `None` where there is no file.
    pub fn read(&self) -> Result<Option<StorePosition>, StoreError> {
        match fs::read_to_string(&self.path) {
            Ok(text) => {
                let position =
                    parse(&text).ok_or_else(|| AnchorError::Unreadable { path: self.path.clone() });
                Ok(Some(position?))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::Files { path: self.path.clone(), error }),
        }
    }

    /// Whether a store at this position is the one, and no older.
    pub fn check(&self, found: StorePosition) -> Result<Anchored, StoreError> {
        let path = self.path.clone();
        Err(match self.read()? {
            None if found.sequence == 0 => return Ok(Anchored::NotYet),
            None => AnchorError::Missing { path, sequence: found.sequence },
            Some(kept) if kept.identity != found.identity => AnchorError::Another { path },
            Some(StorePosition { sequence, .. }) if sequence > found.sequence => {
                AnchorError::Older { path, found: found.sequence, sequence }
            }
            Some(_) => return Ok(Anchored::Holds),
        }
        .into())
    }

    /// Whether there may be a new store, and its anchor can be made: not where there was one.
    pub fn check_new(&self) -> Result<(), StoreError> {
        if self.path.exists() {
            return Err(AnchorError::Exists { path: self.path.clone() }.into());
        }
        match self.draft() {
            Ok(_draft) => Ok(()),
            Err(error) => Err(AnchorError::NoPlace { path: self.path.clone(), error }.into()),
        }
    }

    /// Brings it to a store's position. Another gateway may have brought it further.
    pub fn renew(&self, position: StorePosition) -> Result<(), StoreError> {
        match self.read()? {
            Some(kept) if kept.identity != position.identity => {
                Err(AnchorError::Another { path: self.path.clone() }.into())
            }
            Some(kept) if kept.sequence >= position.sequence => Ok(()),
            Some(_) | None => self.write(position),
        }
    }

    /// Writes it anew, whatever was there: whole, or not at all.
    pub fn write(&self, StorePosition { identity, sequence }: StorePosition) -> Result<(), StoreError> {
        let text = format!("{HEADING}\nstore {}\nsequence {sequence}\n", hex::encode(identity));
        let writing = || {
            let mut draft = self.draft()?;
            draft.write_all(text.as_bytes())?;
            if let Ok(before) = fs::metadata(&self.path) {
                // Written by the administrator, it is the gateway's all the same. Who may not give files away owns them.
                let _ = fchown(draft.as_file(), Some(before.uid()), Some(before.gid()));
            }
            draft.as_file().sync_all()?;
            draft.persist(&self.path)?;
            fs::File::open(self.folder())?.sync_all()
        };
        writing().map_err(|error| StoreError::Files { path: self.path.clone(), error })
    }

    /// A file beside it that nobody but its owner may read, with a name of its own; gone if it is not kept.
    fn draft(&self) -> io::Result<NamedTempFile> {
        let name = self.path.file_name().unwrap_or_default();
        tempfile::Builder::new().prefix(name).suffix(".new").tempfile_in(self.folder())
    }

    fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            Some(_) => Path::new("."),
            None => Path::new("/"),
        }
    }
}

impl Store {
    /// Which store this is, and how far it has come.
    pub async fn position(&self) -> Result<StorePosition, StoreError> {
        Ok(StorePosition { identity: self.identity(), sequence: self.last_sequence().await? })
    }
}

fn parse(text: &str) -> Option<StorePosition> {
    let rest = text.strip_prefix(HEADING)?.strip_prefix("\nstore ")?;
    let (identity, rest) = rest.split_once("\nsequence ")?;
    let sequence = rest.strip_suffix('\n')?.parse().ok()?;
    Some(StorePosition { identity: hex::decode(identity).ok()?.try_into().ok()?, sequence })
}

/// The folder of a file, by whatever name, whether or not it is there.
fn folder(path: &Path) -> Result<PathBuf, StoreError> {
    let folder = path.parent().unwrap_or(path);
    let failed = |error| StoreError::Files { path: folder.to_owned(), error };
    let mut found = PathBuf::from(".").canonicalize().map_err(failed)?;
    for part in folder.components() {
        // What is not there yet is no link, so its parent is the part before it.
        if part == Component::ParentDir {
            found.pop();
            continue;
        }
        found.push(part);
        match found.canonicalize() {
            Ok(whole) => found = whole,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
