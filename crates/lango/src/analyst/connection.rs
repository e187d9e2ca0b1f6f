//! The way to a coordinator, as options name it.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use lango_analyst::Client;

use crate::{analyst::ask, config, failure::Failure};

#[derive(Debug, Args)]
pub struct Connection {
    /// The coordinator, https://HOST:PORT, where identity.toml names none or another one is meant.
    #[arg(long, value_name = "URL", env = "LANGO_COORDINATOR")]
    coordinator: Option<String>,
    /// The folder with your keys and certificates.
    #[arg(long, value_name = "DIR", env = "LANGO_IDENTITY")]
    identity: PathBuf,
}

impl Connection {
    /// The coordinator's address: the one that is named, else the one of the region.
    fn address(&self) -> Result<String, Failure> {
        let named = match &self.coordinator {
            Some(address) => Some(address.clone()),
            None => config::identity_region(&self.identity.join("identity.toml"))?.1,
        };
        named.ok_or_else(|| Failure::Usage("name the --coordinator: identity.toml says none".to_owned()))
    }

    /// Connects; nothing that is asked takes longer than `time_max`.
    pub async fn open(&self, time_max: Duration) -> Result<Client, Failure> {
        let address = self.address()?.parse().map_err(|error: lango_transport::AddressError| {
            Failure::Usage(format!("--coordinator: {error}"))
        })?;
        Client::connect(config::credentials(&self.identity)?, &address, time_max).await.map_err(ask::failure)
    }
}
