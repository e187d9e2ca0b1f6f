//! `lango doctor`: everything that a gateway needs, checked without making or changing anything.

mod certificates;
mod policies;
mod report;
mod sources;
mod store;

use std::path::PathBuf;

use clap::Args;
use lango_document::Diagnostics;
use lango_gateway::system_clock;
use time::{Date, OffsetDateTime};

use self::report::DoctorReport;
use crate::{
    commands::serving,
    config::{GatewayFile, documents::document},
    failure::Failure,
    output::Format,
};

#[derive(Debug, Args)]
pub struct DoctorCommand {
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

impl DoctorCommand {
    pub fn run(self) -> Result<(), Failure> {
        let mut report = DoctorReport::default();
        match document(&self.config)
            .map_err(Diagnostics::from)
            .and_then(|document| document.read::<GatewayFile>())
        {
            Ok(file) => {
                report.ok("configuration", self.config.display().to_string());
                serving::runtime()?.block_on(self.examine(&file, &mut report));
            }
            Err(wrong) => {
                for wrong in wrong.iter() {
                    report.failed("configuration", wrong, "fix the file: docs/OPERATIONS.md");
                }
            }
        }
        report.print(self.format)?;
        report.outcome()
    }

    /// Each part is examined whatever became of the others.
    async fn examine(&self, file: &GatewayFile, report: &mut DoctorReport) {
        let now = system_clock()();
        let office = certificates::examine(file, &self.config, now, report);
        let today = OffsetDateTime::from_unix_timestamp(now).map_or(Date::MIN, OffsetDateTime::date);
        let policy = policies::examine(file, &self.config, office.as_ref(), today, report);
        let mut store = store::examine(file, &self.config, now, report).await;
        if let (Some((_, digest)), Some(store)) = (&policy, &store) {
            policies::in_force(*digest, store.last_policy, report);
        }
        let policy = policy.map(|(set, _)| set);
        let sources = sources::examine(file, &self.config, policy.as_ref(), store.as_mut(), report).await;
        if let (Some(store), Some(policy)) = (store.as_mut(), policy.as_ref()) {
            store::pools(store, policy, &sources, report).await;
        }
    }
}
