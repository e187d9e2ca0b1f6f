//! The anchor: which store this is and how far it had come, kept in a second place, so that neither an older copy nor another
//! store can take its place unnoticed.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::{Component, Path, PathBuf},
};

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
    pub fn check(&self, found: StorePosition) -> Result<(), StoreError> {
        let path = self.path.clone();
        Err(match self.read()? {
            None if found.sequence == 0 => return Ok(()),
            None => AnchorError::Missing { path, sequence: found.sequence },
            Some(kept) if kept.identity != found.identity => AnchorError::Another { path },
            Some(StorePosition { sequence, .. }) if sequence > found.sequence => {
                AnchorError::Older { path, found: found.sequence, sequence }
            }
            Some(_) => return Ok(()),
        }
        .into())
    }

    /// Whether there may be a new store: not where there was one.
    pub fn check_new(&self) -> Result<(), StoreError> {
        if self.path.exists() { Err(AnchorError::Exists { path: self.path.clone() }.into()) } else { Ok(()) }
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
        let mut draft = self.path.as_os_str().to_owned();
        draft.push(format!(".{}-new", std::process::id()));
        let draft = PathBuf::from(draft);
        let writing = || {
            let mut file =
                fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&draft, &self.path)?;
            fs::File::open(self.path.parent().unwrap_or(Path::new("/")))?.sync_all()
        };
        writing().map_err(|error| StoreError::Files { path: self.path.clone(), error })
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
