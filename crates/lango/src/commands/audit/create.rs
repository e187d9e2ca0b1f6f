//! `lango audit create`: the store of a coordinator's log.

use std::path::PathBuf;

use clap::Args;
use lango_store::{Store, StoreError};

use crate::{
    commands::serving,
    config::{CoordinatorFile, read_toml},
    failure::Failure,
    output::say,
};

#[derive(Debug, Args)]
pub struct AuditCreate {
    /// The coordinator's configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Leave a store that is there as it is.
    #[arg(long)]
    if_missing: bool,
}

impl AuditCreate {
    pub fn run(self) -> Result<(), Failure> {
        let file: CoordinatorFile = read_toml(&self.config)?;
        let location = file.log_location(&self.config)?;
        match serving::runtime()?.block_on(Store::create(&location)) {
            Err(StoreError::Exists { .. }) if self.if_missing => return Ok(()),
            made => made?,
        }
        say(&format!("made the store {location} for the coordinator's log"));
        Ok(())
    }
}
