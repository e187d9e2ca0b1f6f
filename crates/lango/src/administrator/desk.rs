//! Where an administrator works: on the office's files, or at its gateway.

use std::path::{Path, PathBuf};

use clap::Args;

use super::gateway::OfficeGateway;
use crate::{
    config::{GatewayFile, read_toml},
    failure::Failure,
};

#[derive(Debug, Args)]
pub struct Desk {
    /// The gateway's configuration file: for who works on the office's own files.
    #[arg(long, value_name = "FILE", required_unless_present = "gateway", conflicts_with = "gateway")]
    config: Option<PathBuf>,
    /// The gateway, https://HOST:PORT: for an administrator whom its configuration lists.
    #[arg(long, value_name = "URL")]
    gateway: Option<String>,
    /// The folder with the administrator's keys and certificates: needed with --gateway.
    #[arg(long, value_name = "DIR", env = "LANGO_IDENTITY")]
    identity: Option<PathBuf>,
    /// The office that the gateway must be of, by its name: any other one is refused.
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    office: Option<String>,
}

/// What a desk leads to.
pub enum Reached<'a> {
    /// The office's files: the configuration, and where it was read.
    Files(&'a Path, Box<GatewayFile>),
    /// Its gateway.
    Gateway(Box<OfficeGateway>),
}

impl Desk {
    pub async fn open(&self) -> Result<Reached<'_>, Failure> {
        match (&self.config, &self.gateway, &self.identity) {
            (Some(config), _, _) => Ok(Reached::Files(config, Box::new(read_toml(config)?))),
            (None, Some(address), Some(identity)) => {
                let office = self.office.as_deref();
                Ok(Reached::Gateway(Box::new(OfficeGateway::open(address, identity, office).await?)))
            }
            (None, _, _) => Err(Failure::Usage("name --config; or --gateway, with the folder of your keys as --identity DIR or in LANGO_IDENTITY".to_owned())),
        }
    }
}
