//! `lango audit fetch | verify`: an office's log, for auditors.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::failure::Failure;

mod fetch;
mod verify;

use fetch::AuditFetch;
use verify::AuditVerify;

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Fetch what is new of an office's log into a folder, verified as it comes. A log that was cut back or changed is refused,
    /// and what the folder holds stays.
    Fetch(AuditFetch),
    /// Verify a fetched log, without a network: that nothing in it was changed, that balances, decisions and answers follow from
    /// it. One counted line for each claim; exit code 0 only if all is proven.
    Verify(AuditVerify),
}

/// A folder that holds a fetched log.
#[derive(Debug, Args)]
pub struct Held {
    /// The folder that holds the log.
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

impl AuditCommand {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Self::Fetch(fetch) => fetch.run(),
            Self::Verify(verify) => verify.run(),
        }
    }
}
