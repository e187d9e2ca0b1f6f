//! What is wrong with a file, and what to do about it.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// Why a file is not read or written. It never holds any of its content.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system says no.
    #[error("`{}`: {source}", path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file is there where a new one was to be made.
    #[error("`{}` is there already, and nothing is overwritten: name another place, or move it away", .0.display())]
    Exists(PathBuf),
    /// Others than its owner may read or write a secret's file.
    #[error("{0}")]
    Exposed(Exposed),
}

/// What the name leads to is no file.
#[derive(Debug, thiserror::Error)]
#[error("is not a file: a folder, a pipe or a device is not read")]
pub struct NotRegular;

impl NotRegular {
    /// Whether this is why a file was not opened.
    #[must_use]
    pub fn is_cause(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Self>())
    }
}

impl FileError {
    pub(crate) fn system(path: &Path, source: io::Error) -> Self {
        Self::System { path: path.to_owned(), source }
    }

    /// The command that cures it, where there is one.
    #[must_use]
    pub fn command(&self) -> Option<String> {
        match self {
            Self::System { .. } | Self::Exists(_) => None,
            Self::Exposed(exposed) => Some(exposed.command()),
        }
    }
}

/// A file that others than its owner may read or write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposed {
    pub(crate) path: PathBuf,
    pub(crate) mode: u32,
    /// The user who has to own it, where somebody else does.
    pub(crate) new_owner: Option<u32>,
}

impl Exposed {
    /// The command that keeps it from them.
    #[must_use]
    pub fn command(&self) -> String {
        let path = shell_quoted(&self.path);
        match self.new_owner {
            Some(user) => format!("chown {user} {path} && chmod 600 {path}"),
            None => format!("chmod 600 {path}"),
        }
    }
}

impl fmt::Display for Exposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, mode, .. } = self;
        let (path, command) = (path.display(), self.command());
        write!(f, "`{path}` is open to others than its owner (mode {mode:04o}): run `{command}`")
    }
}

/// A path as a shell takes it.
#[must_use]
pub fn shell_quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%=".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
