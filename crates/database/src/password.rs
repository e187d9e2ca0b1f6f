//! Passwords: from a file or from the environment, never from a policy and never into a log.

use std::{env, fs, path::PathBuf};

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
    /// The file cannot be read.
    #[error("the password file {} cannot be read: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
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
                let read = fs::read_to_string(path);
                read.map_err(|error| PasswordError::File { path: path.clone(), error })?
            }
            Self::Environment(name) => {
                env::var(name).map_err(|_| PasswordError::Environment(name.clone()))?
            }
        };
        let text = Zeroizing::new(text);
        let password = text.trim_end_matches(['\r', '\n']);
        if password.is_empty() { Err(PasswordError::Empty) } else { Ok(Zeroizing::new(password.to_owned())) }
    }
}
