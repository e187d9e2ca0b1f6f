//! How a command ends badly: what was wrong, and the exit code that says so.

use std::fmt;

/// A command that did not do what was asked.
#[derive(Debug)]
pub enum Failure {
    /// Refused, or failed on the way: exit code 1.
    Failed(String),
    /// Asked for something that makes no sense: exit code 2.
    Usage(String),
}

impl Failure {
    /// A failure with what led to it.
    pub fn of(what: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self::Failed(format!("{what}: {why}"))
    }

    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(message) | Self::Usage(message) => f.write_str(message),
        }
    }
}

/// Any error of a library or a crate is a failure whose words are the error's own.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.to_string())
    }
}
