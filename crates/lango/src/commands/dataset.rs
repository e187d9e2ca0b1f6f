//! `lango dataset`: what a gateway answers from.

mod import;

use clap::Subcommand;

use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub enum Dataset {
    /// Import a file that the office exported into the gateway's register.
    Import(import::Import),
}

impl Dataset {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Self::Import(import) => import.run(),
        }
    }
}
