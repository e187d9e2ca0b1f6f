//! `lango audit fetch`: what is new of an office's log.

use std::path::PathBuf;

use clap::Args;

use crate::{
    audit::{fetch::fetch, folder::LogFolder, office::Whose},
    commands::serving,
    failure::Failure,
    output::say,
};

#[derive(Debug, Args)]
pub struct AuditFetch {
    /// The folder that holds the log, or will.
    #[arg(long = "to", value_name = "DIR")]
    to: PathBuf,
    #[command(flatten)]
    whose: Whose,
}

impl AuditFetch {
    pub fn run(self) -> Result<(), Failure> {
        let folder = LogFolder::new(&self.to);
        let fetched = serving::runtime()?.block_on(async {
            let mut office = self.whose.open().await?;
            fetch(&mut office, &folder).await
        })?;
        say(&fetched.words());
        Ok(())
    }
}
