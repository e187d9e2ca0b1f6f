//! `lango dataset prepare`: the rows that survive a dataset's bounds, written down once for its version.

use std::{path::PathBuf, time::Instant};

use clap::Args;
use lango_gateway::{bounding_secret, system_clock};
use lango_privacy::Dataset;
use lango_source::{PreparedRows, Source, SourceError};
use lango_store::Store;

use super::recorded;
use crate::{
    commands::serving,
    config::{GatewayFile, read_toml},
    failure::Failure,
    output::{foreign, grouped, print, spinner, table},
};

#[derive(Debug, Args)]
pub struct Prepare {
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The dataset, as the policy names it.
    #[arg(long, value_name = "NAME")]
    dataset: String,
}

const PROMISE: &str = "Rows that change under the same version are not seen: the version is the office's promise. \
                       Raise it in the policy\nwhen the data change, and prepare again.";

impl Prepare {
    pub fn run(self) -> Result<(), Failure> {
        serving::runtime()?.block_on(self.prepare())
    }

    async fn prepare(self) -> Result<(), Failure> {
        let file: GatewayFile = read_toml(&self.config)?;
        let begun = Instant::now();
        // The source has pools, which belong to the runtime.
        let (dataset, source) = file.dataset(&self.config, &self.dataset)?;
        source.check(&dataset).await.map_err(|error| failed(&error))?;
        let store = file.store(&self.config).await?;
        let spinner = spinner(format!("preparing `{}`", dataset.name));
        let mut made = prepared(&store, source.as_ref(), &dataset).await;
        if let Ok(Some(_)) = &made
            && let Err(failure) = recorded::prepared(&file, &self.config, &dataset, &store).await
        {
            made = Err(failure);
        }
        spinner.finish_and_clear();
        store.close().await;
        match made? {
            None => print(&format!(
                "the catalogue vouches for one row per unit in table `{}`: there is nothing to prepare",
                dataset.table
            )),
            Some(rows) => {
                let place = file.prepared_place(&self.config, &dataset.source);
                print(&report(&dataset, rows, &place, begun.elapsed().as_secs_f64()))
            }
        }
    }
}

/// The rows that were written; `None` where that is not needed.
async fn prepared(
    store: &Store,
    source: &dyn Source,
    dataset: &Dataset,
) -> Result<Option<PreparedRows>, Failure> {
    let secret = bounding_secret(store, source, dataset, system_clock()()).await?;
    match source.prepare(dataset, &secret).await {
        Ok(rows) => Ok(Some(rows)),
        Err(SourceError::NothingToPrepare(_)) => Ok(None),
        Err(error) => Err(failed(&error)),
    }
}

fn failed(error: &SourceError) -> Failure {
    Failure::Failed(foreign(&error.to_string()))
}

fn report(dataset: &Dataset, rows: PreparedRows, place: &str, seconds: f64) -> String {
    let PreparedRows { kept, all } = rows;
    let rows = [
        ("version", dataset.version.to_string()),
        ("rows kept", format!("{} of {}", grouped(kept.cast_signed()), grouped(all.cast_signed()))),
        ("where", foreign(place)),
        ("seconds", format!("{seconds:.1}")),
    ];
    let rows = rows.map(|(name, value)| vec![name.to_owned(), value]);
    format!("{}\n{PROMISE}", table(&["dataset", dataset.name.as_str()], &[], rows))
}
