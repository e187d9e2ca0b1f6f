//! The way to an office's gateway, or to a coordinator with a log, for those who sign what they ask of it.

use std::{path::Path, time::Duration};

use lango_analyst::{Credentials, now};
use lango_identity::{Expected, Role, SpiffeId, check_own, client_config, explain_handshake, peer_id};
use lango_transport::{AddressError, connect, peer_certificates};
use tonic::transport::Channel;

use crate::{config, failure::Failure, output::say};

const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// A server that somebody signs for: its address, and the role that it must have.
#[derive(Debug, Clone, Copy)]
pub struct ServerAt<'a> {
    pub address: &'a str,
    pub role: Role,
}

impl<'a> ServerAt<'a> {
    /// An office's gateway.
    pub fn gateway(address: &'a str) -> Self {
        Self { address, role: Role::Office }
    }

    /// A coordinator.
    pub fn coordinator(address: &'a str) -> Self {
        Self { address, role: Role::Coordinator }
    }

    fn noun(&self) -> &'static str {
        if self.role == Role::Coordinator { "coordinator" } else { "gateway" }
    }
}

/// A connection to a server, and who signs.
pub struct OfficeDoor {
    pub credentials: Credentials,
    /// The server's own, as its certificate says.
    pub office: SpiffeId,
    pub channel: Channel,
}

impl OfficeDoor {
    /// Connects with the keys of somebody of a role, finds out whose server it is, and says so; one that is not the expected
    /// one is sent nothing.
    pub async fn open(
        reached: ServerAt<'_>,
        identity: &Path,
        role: Role,
        expected: Option<&str>,
    ) -> Result<Self, Failure> {
        let noun = reached.noun();
        let wrong = |error: AddressError| Failure::Usage(format!("--{noun}: {error}"));
        let address = reached.address.parse().map_err(wrong)?;
        let credentials = config::credentials(identity)?;
        let Credentials { region, tls, signer } = &credentials;
        if signer.principal().role() != role {
            let why = format!("holds the keys of {}: name the folder of an {role}", signer.principal());
            return Err(Failure::of(identity.display(), why));
        }
        check_own(tls, region, now()).map_err(|fault| Failure::of(&fault, fault.advice()))?;
        signer.check(region, now()).map_err(|fault| Failure::of("the signing certificate", fault))?;
        let unreachable = |why: String| Failure::of(format!("cannot reach the {noun} at {address}"), why);
        let any = client_config(tls, region, Expected::Role(reached.role))?;
        let chain = peer_certificates(&address, any, CONNECT_TIME_MAX).await;
        let chain = chain.map_err(|error| unreachable(explain_handshake(&error, tls, region, now())))?;
        let office = peer_id(&chain).map_err(|fault| unreachable(fault.to_string()))?;
        if let Some(expected) = expected.filter(|expected| *expected != office.name()) {
            let why = format!("is of {} {}, not of {expected}", office.role(), office.name());
            return Err(Failure::of(format!("the {noun} at {address}"), why));
        }
        say(&format!("the {noun} of {office}"));
        let channel =
            connect(&address, client_config(tls, region, Expected::Id(office.clone()))?, CONNECT_TIME_MAX);
        let channel =
            channel.await.map_err(|error| unreachable(explain_handshake(&error, tls, region, now())))?;
        Ok(Self { credentials, office, channel })
    }
}
