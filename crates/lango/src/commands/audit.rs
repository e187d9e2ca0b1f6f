//! `lango audit fetch | verify | monitor | list | prove | export | create`: the logs of offices and coordinators, for auditors.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::failure::Failure;

mod create;
mod export;
mod fetch;
mod list;
mod monitor;
mod prove;
mod verify;

use create::AuditCreate;
use export::AuditExport;
use fetch::AuditFetch;
use list::AuditList;
use monitor::AuditMonitor;
use prove::AuditProve;
use verify::AuditVerify;

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Fetch what is new of a log, an office's or the coordinator's, into a folder, verified as it comes. A log that was cut
    /// back or changed is refused, and what the folder holds stays.
    Fetch(AuditFetch),
    /// Verify fetched logs, without a network: that nothing in them was changed, that balances, decisions and answers follow from
    /// them, and that offices and coordinator say the same. One counted line for each claim; exit code 0 only if all is proven.
    Verify(AuditVerify),
    /// Follow fetched logs: fetch what is new again and again, cosign it, and print the new entries of named principals,
    /// purposes or rules.
    Monitor(AuditMonitor),
    /// List the entries of fetched logs, oldest first: who asked what, for what purpose, what was decided by which rule, and the
    /// price; and what else happened.
    List(AuditList),
    /// Prove that an entry is in a fetched log: a file that anybody verifies who has the log's key, with nothing of ours.
    Prove(AuditProve),
    /// Write a fetched log in a form that others read: JSON Lines, CSV, OCSF, a register of processing activities, or one page
    /// for a parliament's committee.
    Export(AuditExport),
    /// Make the store of a coordinator's log, once, before its first start with one. Refused where there is one.
    Create(AuditCreate),
}

/// A folder that holds a fetched log.
#[derive(Debug, Args)]
pub struct LogDir {
    /// The folder that holds the log.
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

impl AuditCommand {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Self::Fetch(fetch) => fetch.run(),
            Self::Verify(verify) => verify.run(),
            Self::Monitor(monitor) => monitor.run(),
            Self::List(list) => list.run(),
            Self::Prove(prove) => prove.run(),
            Self::Export(export) => export.run(),
            Self::Create(create) => create.run(),
        }
    }
}
