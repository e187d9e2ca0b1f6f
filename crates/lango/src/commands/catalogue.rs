//! `lango catalogue`: what may be asked, of which offices.

use std::time::Duration;

use clap::Args;
use lango_analyst::{Client, MemberCatalogue, NoAnswer};
use lango_document::nearest;

use super::serving;
use crate::{
    analyst::{ask, catalogue::CatalogueReport, connection::Connection},
    failure::Failure,
    output::{Format, foreign},
};

/// The code of an office that has no such dataset, or none that is open to the asker.
const DATASET_UNKNOWN: &str = "dataset-unknown";

#[derive(Debug, Args)]
pub struct CatalogueCommand {
    /// The dataset, of which every code is shown; every dataset that is open to you by default.
    #[arg(value_name = "DATASET")]
    dataset: Option<String>,
    /// These offices: GHA,TGO; every member by default.
    #[arg(long, value_name = "OFFICE", value_delimiter = ',')]
    office: Vec<String>,
    #[command(flatten)]
    connection: Connection,
    /// How many seconds the offices are waited for. What has come by then is printed.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

impl CatalogueCommand {
    pub fn run(self) -> Result<(), Failure> {
        serving::runtime()?.block_on(self.ask())
    }

    async fn ask(self) -> Result<(), Failure> {
        let patience = Duration::from_secs(self.timeout);
        let client = self.connection.open(patience).await?;
        let catalogue = ask::catalogue(&client, &self.office, self.dataset.as_deref(), patience).await?;
        if let (Some(dataset), true) = (&self.dataset, catalogue.described.is_empty()) {
            self.is_meant(&client, dataset, &catalogue).await?;
        }
        CatalogueReport { catalogue: &catalogue, is_whole: self.dataset.is_some() }.print(self.format)?;
        match catalogue.described.is_empty() {
            true => Err(Failure::Failed("no office said what is open to you".to_owned())),
            false => Ok(()),
        }
    }

    /// Says which dataset was most likely meant by a name that offices do not know.
    async fn is_meant(
        &self,
        client: &Client,
        dataset: &str,
        catalogue: &MemberCatalogue,
    ) -> Result<(), Failure> {
        let unknown = |(_, why): &(String, NoAnswer)| match why {
            NoAnswer::Refused(refusal) => refusal.code == DATASET_UNKNOWN,
            NoAnswer::Missing(_) => false,
        };
        if !catalogue.undescribed.iter().any(unknown) {
            return Ok(());
        }
        let patience = Duration::from_secs(self.timeout);
        let whole = ask::catalogue(client, &self.office, None, patience).await?;
        let datasets = whole.described.values().flat_map(|description| &description.datasets);
        let names: Vec<&str> = datasets.map(|dataset| dataset.name.as_str()).collect();
        let same = names.iter().copied().find(|name| name.eq_ignore_ascii_case(dataset));
        match same.or_else(|| nearest(dataset, names.iter().copied())) {
            Some(meant) => Err(Failure::Usage(format!(
                "no office has a dataset `{}` that is open to you: did you mean `{meant}`?",
                foreign(dataset)
            ))),
            None => Ok(()),
        }
    }
}
