//! `lango doctor`: everything that a gateway needs, looked at without making or changing anything.

mod certificates;
mod policies;
mod report;
mod sources;
mod store;

use std::path::PathBuf;

use clap::Args;
use lango_gateway::system_clock;

use self::report::Report;
use crate::{
    commands::serving,
    config::{GatewayFile, read_toml},
    failure::Failure,
    output::Format,
};

#[derive(Debug, Args)]
pub struct Doctor {
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

impl Doctor {
    pub fn run(self) -> Result<(), Failure> {
        let mut report = Report::default();
        match read_toml::<GatewayFile>(&self.config) {
            Ok(file) => {
                report.ok("configuration", self.config.display().to_string());
                serving::runtime()?.block_on(self.look(&file, &mut report));
            }
            Err(failure) => report.failed("configuration", failure, "mend the file: docs/OPERATIONS.md"),
        }
        report.print(self.format)?;
        report.outcome()
    }

    /// Each part is looked at whatever became of the others.
    async fn look(&self, file: &GatewayFile, report: &mut Report) {
        let now = system_clock()();
        let office = certificates::look(file, &self.config, now, report);
        let policy = policies::look(file, &self.config, office.as_ref(), report);
        let mut store = store::look(file, &self.config, now, report).await;
        sources::look(file, &self.config, policy.as_ref(), store.as_mut(), report).await;
    }
}
