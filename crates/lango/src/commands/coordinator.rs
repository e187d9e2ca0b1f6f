//! `lango coordinator`: the coordinator of a region's gateways.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{allocator, renewals, revocations::RevocationSources, serving};
use crate::{
    config::{CoordinatorFile, read_toml},
    failure::Failure,
};

#[derive(Debug, Args)]
pub struct CoordinatorCommand {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Stop when standard input ends: for a program that starts the coordinator as a child.
    #[arg(long, hide = true)]
    with_stdin: bool,
}

impl CoordinatorCommand {
    pub fn run(self) -> Result<(), Failure> {
        allocator::hold_threshold();
        let file: CoordinatorFile = read_toml(&self.config)?;
        serving::log(file.log);
        let (config, changing) = file.load(&self.config)?;
        let limits = config.limits;
        serving::run(serving::runtime()?, &limits, async {
            let lists = file.revocations_file(&self.config);
            let lists = RevocationSources::new(config.region.clone(), lists, None)?;
            let listener = serving::listen(file.listen).await?;
            let showing = serving::metrics(file.metrics(), &config.metrics, &config.region).await?;
            let stop = serving::stop(self.with_stdin, &limits)?;
            serving::ready("coordinator", listener.local_addr()?);
            let keeping = tokio::spawn(lists.keep());
            let showing = tokio::spawn(showing);
            let region = config.region.clone();
            let take = move |folder: &Path| changing.take(folder, &region);
            let renewing = tokio::spawn(renewals::keep(file.identity_folder(&self.config), take));
            let served = lango_coordinator::serve(config, listener, stop).await;
            keeping.abort();
            showing.abort();
            renewing.abort();
            Ok(served?)
        })
    }
}
