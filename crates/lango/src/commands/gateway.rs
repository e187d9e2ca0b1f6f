//! `lango gateway`: the gateway beside an office's database.

mod watch;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::{allocator, renewals, revocations::RevocationSources, serving};
use crate::{
    config::{GatewayFile, keys, read_toml},
    failure::Failure,
};

#[derive(Debug, Args)]
pub struct GatewayCommand {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Stop when standard input ends: for a program that starts the gateway as a child.
    #[arg(long, hide = true)]
    with_stdin: bool,
}

impl GatewayCommand {
    pub fn run(self) -> Result<(), Failure> {
        allocator::hold_threshold();
        let runtime = serving::runtime()?;
        // Before anything that takes time: until then SIGHUP ends a process.
        let hang_up = {
            let _within = runtime.enter();
            signal(SignalKind::hangup())?
        };
        let file: GatewayFile = read_toml(&self.config)?;
        serving::log(file.log);
        let limits = file.limits();
        serving::run(runtime, &limits, async {
            // Within the runtime: the pools of servers' connections belong to it.
            let config = file.load(&self.config)?;
            let coordinator = file.coordinator(&self.config).map(|address| (address, config.tls.clone()));
            let lists = file.revocations_file(&self.config);
            let lists = RevocationSources::new(config.region.clone(), lists, coordinator)?;
            let region = config.region.clone();
            let gateway = Arc::new(lango_gateway::Gateway::open(config).await?);
            let listener = serving::listen(file.listen).await?;
            let showing = serving::metrics(file.metrics(), gateway.metrics(), &region).await?;
            let stop = serving::stop(self.with_stdin, &limits)?;
            serving::ready("gateway", listener.local_addr()?);
            let folder = file.policy_folder(&self.config);
            let watching = tokio::spawn(watch::keep(Arc::clone(&gateway), folder, hang_up));
            let keeping = tokio::spawn(lists.keep());
            let showing = tokio::spawn(showing);
            let renewed = Arc::clone(&gateway);
            let take = move |folder: &Path| -> Result<(), Failure> {
                let (tls, signer) = keys(folder)?;
                // On a thread that may wait.
                Ok(tokio::runtime::Handle::current().block_on(renewed.renew(&tls, signer))?)
            };
            let renewing = tokio::spawn(renewals::keep(file.identity_folder(&self.config), take));
            let served = lango_gateway::serve(gateway, listener, stop).await;
            watching.abort();
            keeping.abort();
            showing.abort();
            renewing.abort();
            Ok(served?)
        })
    }
}
