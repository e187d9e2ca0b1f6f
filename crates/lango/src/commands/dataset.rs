//! `lango dataset`: what a gateway answers from.

mod check;
mod describe;
mod files;
mod import;
mod prepare;
mod progress;
mod recorded;
mod skeleton;
mod suggestion;

use clap::Subcommand;

use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub enum DatasetCommand {
    /// Import a file that the office exported into the gateway's register.
    Import(import::Import),
    /// Say what tables a source has, by its catalogue alone, or what stands in files; or write a policy's skeleton.
    Describe(describe::Describe),
    /// Count what stands in a dataset's table as the policy reads it: for the office's own eyes, never for those who ask.
    Check(check::Check),
    /// Write down the rows that survive a dataset's bounds, so that questions need not rank them anew.
    Prepare(prepare::Prepare),
}

impl DatasetCommand {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Self::Import(import) => import.run(),
            Self::Describe(describe) => describe.run(),
            Self::Check(check) => check.run(),
            Self::Prepare(prepare) => prepare.run(),
        }
    }
}
