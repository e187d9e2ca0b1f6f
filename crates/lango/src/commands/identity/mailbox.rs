//! The way to the coordinator's mailbox, where requests wait for the region's authority, which is offline.

use std::{path::Path, time::Duration};

use clap::Args;
use lango_identity::{Expected, RevocationRule, Role, SpiffeId, TlsIdentity, client_config};
use lango_transport::{Address, channel};
use lango_wire::client::CoordinatorClient;
use tonic::{Code, Status};

use super::region_file::RegionFile;
use crate::{commands::serving::runtime, failure::Failure};

/// How long a call may take.
const TIME_MAX: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub struct Mailbox {
    /// Send it through the coordinator, whose operator carries it to the authority and back.
    #[arg(long)]
    mailbox: bool,
    /// The coordinator of --mailbox, https://HOST:PORT, where region.toml names none or another one is meant.
    #[arg(long, value_name = "URL", env = "LANGO_COORDINATOR")]
    coordinator: Option<String>,
}

impl Mailbox {
    pub const fn is_used(&self) -> bool {
        self.mailbox
    }

    /// Leaves a request there; `folder` has the present keys.
    pub fn leave(&self, folder: &Path, file: &RegionFile, request: String) -> Result<(), Failure> {
        runtime()?.block_on(async {
            let (client, address) = self.client(folder, file)?;
            client.leave_renewal(request).await.map_err(|status| failed(&address, &status))
        })
    }

    /// Collects what was issued to a principal.
    pub fn collect(&self, folder: &Path, file: &RegionFile, whose: &SpiffeId) -> Result<String, Failure> {
        runtime()?.block_on(async {
            let (client, address) = self.client(folder, file)?;
            let found = client.collect_certificates(whose).await;
            let found = found.map_err(|status| failed(&address, &status))?;
            let none = "the authority's answer is not in its mailbox yet: ask again later";
            found.ok_or_else(|| Failure::of(format!("the coordinator {address}"), none))
        })
    }

    fn client(&self, folder: &Path, file: &RegionFile) -> Result<(CoordinatorClient, String), Failure> {
        let named = self.coordinator.as_ref().or(file.coordinator.as_ref());
        let unnamed = || Failure::Usage("name the --coordinator: region.toml says none".to_owned());
        let named = named.ok_or_else(unnamed)?.clone();
        let address: Address = named.parse().map_err(|error: lango_transport::AddressError| {
            Failure::Usage(format!("the coordinator `{named}`: {error}"))
        })?;
        // What it is given proves itself, and so does what comes back: a list that is required need not be here.
        let met = file.region.clone().with_revocation(RevocationRule::default());
        let config = client_config(&TlsIdentity::load(folder)?, &met, Expected::Role(Role::Coordinator))?;
        Ok((CoordinatorClient::new(channel(&address, config, TIME_MAX)), named))
    }
}

fn failed(address: &str, status: &Status) -> Failure {
    let why = match status.code() {
        Code::Unimplemented => "it keeps no mailbox: send the request by another way".to_owned(),
        Code::InvalidArgument => format!("it does not take the request: {}", status.message()),
        Code::Unavailable => format!("it cannot be reached, or cannot use its mailbox: {}", status.message()),
        code => format!("{}: {}", code.description(), status.message()),
    };
    Failure::of(format!("the coordinator {address}"), why)
}
