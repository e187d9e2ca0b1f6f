//! Passwords: from a file or from the environment, never from a policy and never into a log.

use std::{env, path::PathBuf};

use lango_files::{FileError, read_secret};
use zeroize::Zeroizing;

/// Where a password stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Password {
    /// In a file, whose one line it is.
    File(PathBuf),
    /// In a variable of the environment.
    Environment(String),
}

/// Why there is no password.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The file cannot be read, or others may read it.
    #[error("the password file {0}")]
    File(#[from] FileError),
    /// The file holds something else than text.
    #[error("the password file `{}` is not text in UTF-8", .0.display())]
    NotText(PathBuf),
    /// The variable is not set.
    #[error("the environment does not have the variable `{0}` that should hold the password")]
    Environment(String),
    /// There is nothing there.
    #[error("the password is empty")]
    Empty,
}

impl Password {
    /// The password itself; wiped when dropped. A line's end is not part of it.
    pub fn read(&self) -> Result<Zeroizing<String>, PasswordError> {
        let text = match self {
            Self::File(path) => {
                let bytes = read_secret(path)?;
                let text = std::str::from_utf8(&bytes).map_err(|_| PasswordError::NotText(path.clone()))?;
                Zeroizing::new(text.to_owned())
            }
            Self::Environment(name) => {
                Zeroizing::new(env::var(name).map_err(|_| PasswordError::Environment(name.clone()))?)
            }
        };
        let password = text.trim_end_matches(['\r', '\n']);
        if password.is_empty() { Err(PasswordError::Empty) } else { Ok(Zeroizing::new(password.to_owned())) }
    }
}
