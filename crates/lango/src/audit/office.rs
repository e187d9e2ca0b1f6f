//! Where a log is fetched from: an office's gateway, a coordinator, or the store of either where it is.

use std::path::{Path, PathBuf};

use clap::Args;
use lango_access_log::{SignedCheckpoint, TileId};
use lango_audit::LedgerBalances;
use lango_identity::{Region, SpiffeId};

use super::{folder::LogFolder, gateway::AuditedGateway, head::Head, store::AuditedStore};
use crate::{failure::Failure, reach::ServerAt};

#[derive(Debug, Args)]
pub struct Whose {
    /// The gateway, https://HOST:PORT: for an auditor whom its configuration lists.
    #[arg(long, value_name = "URL", required_unless_present_any = ["config", "coordinator"], conflicts_with = "config")]
    gateway: Option<String>,
    /// The region's coordinator in the place of a gateway, https://HOST:PORT: it has a log of its own.
    #[arg(long, value_name = "URL", conflicts_with_all = ["config", "gateway", "office"])]
    coordinator: Option<String>,
    /// The folder with the auditor's keys and certificates: needed with --gateway and --coordinator.
    #[arg(long, value_name = "DIR", env = "LANGO_IDENTITY")]
    identity: Option<PathBuf>,
    /// The office that the gateway must be of, by its name: any other one is refused.
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    office: Option<String>,
    /// The configuration file of the gateway or the coordinator: where its store is.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// An office whose log is fetched.
pub enum AuditedOffice {
    Gateway(Box<AuditedGateway>),
    Store(Box<AuditedStore>),
}

impl Whose {
    pub async fn open(&self) -> Result<AuditedOffice, Failure> {
        let reached = self.gateway.as_deref().map(ServerAt::gateway);
        let reached = reached.or(self.coordinator.as_deref().map(ServerAt::coordinator));
        match (&self.config, reached, &self.identity) {
            (Some(config), _, _) => {
                Ok(AuditedOffice::Store(Box::new(AuditedStore::open(config).await?)))
            }
            (None, Some(reached), Some(identity)) => {
                let gateway = AuditedGateway::open(reached, identity, self.office.as_deref()).await?;
                Ok(AuditedOffice::Gateway(Box::new(gateway)))
            }
            (None, _, _) => Err(Failure::Usage(
                "name --gateway or --coordinator, with the folder of your keys as --identity DIR or in LANGO_IDENTITY; or --config where the store is".to_owned(),
            )),
        }
    }
}

impl AuditedOffice {
    /// The checkpoint with the auditor's cosignature; as it is where nobody's keys are at hand.
    pub fn cosigned(&self, checkpoint: SignedCheckpoint) -> Result<SignedCheckpoint, Failure> {
        match self {
            Self::Gateway(gateway) => gateway.cosign(checkpoint),
            Self::Store(_) => Ok(checkpoint),
        }
    }

    /// Where it was reached; none of a store.
    pub fn address(&self) -> Option<&str> {
        match self {
            Self::Gateway(gateway) => Some(gateway.address()),
            Self::Store(_) => None,
        }
    }

    /// Opens what a log was fetched from before.
    pub async fn again(folder: &LogFolder, identity: &Path) -> Result<Self, Failure> {
        let origin = folder.held()?.unverified().origin.clone();
        let address = folder.address()?.ok_or_else(|| {
            let why = "does not say where its log is from: fetch it once with --gateway or --coordinator";
            Failure::of(folder.path().display(), why)
        })?;
        let name = origin.rsplit('/').next();
        let server = match origin.contains("/coordinator/") {
            true => ServerAt::coordinator(&address),
            false => ServerAt::gateway(&address),
        };
        Ok(Self::Gateway(Box::new(AuditedGateway::open(server, identity, name).await?)))
    }

    pub fn id(&self) -> &SpiffeId {
        match self {
            Self::Gateway(gateway) => gateway.office(),
            Self::Store(store) => &store.office,
        }
    }

    pub fn region(&self) -> &Region {
        match self {
            Self::Gateway(gateway) => gateway.region(),
            Self::Store(store) => &store.region,
        }
    }

    pub async fn balances(&mut self) -> Result<LedgerBalances, Failure> {
        match self {
            Self::Gateway(gateway) => gateway.balances().await,
            Self::Store(store) => store.balances().await,
        }
    }

    pub async fn head(&mut self) -> Result<Head, Failure> {
        match self {
            Self::Gateway(gateway) => gateway.head().await,
            Self::Store(store) => store.head().await,
        }
    }

    /// Entries from a number on, one at least where there is one.
    pub async fn entries(&mut self, first: u64, most: u64) -> Result<Vec<Vec<u8>>, Failure> {
        match self {
            Self::Gateway(gateway) => gateway.entries(first, most).await,
            Self::Store(store) => store.entries(first, most).await,
        }
    }

    /// The bytes of a policy; none where the office does not have them.
    pub async fn policy(&mut self, digest: [u8; 32]) -> Result<Option<Vec<u8>>, Failure> {
        match self {
            Self::Gateway(gateway) => gateway.policy(digest).await,
            Self::Store(store) => store.policy(&digest).await,
        }
    }

    /// A tile as the office keeps it, where it shows that.
    pub async fn tile(&mut self, id: TileId) -> Result<Option<Vec<u8>>, Failure> {
        match self {
            Self::Gateway(_) => Ok(None),
            Self::Store(store) => store.tile(id).await,
        }
    }
}
