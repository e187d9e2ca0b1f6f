//! The way to an office's gateway, for those who sign what they ask of it.

use std::{path::Path, time::Duration};

use lango_analyst::{Credentials, now};
use lango_identity::{Expected, Role, SpiffeId, check_own, client_config, explain_handshake, peer_id};
use lango_transport::{AddressError, connect, peer_certificates};
use tonic::transport::Channel;

use crate::{config, failure::Failure, output::say};

const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// A connection to an office's gateway, and who signs.
pub struct OfficeDoor {
    pub credentials: Credentials,
    /// The gateway's own, as its certificate says.
    pub office: SpiffeId,
    pub channel: Channel,
}

impl OfficeDoor {
    /// Connects with the keys of somebody of a role, finds out which office it is, and says so; one that is not the expected
    /// one is sent nothing.
    pub async fn open(
        address: &str,
        identity: &Path,
        role: Role,
        expected: Option<&str>,
    ) -> Result<Self, Failure> {
        let address =
            address.parse().map_err(|error: AddressError| Failure::Usage(format!("--gateway: {error}")))?;
        let credentials = config::credentials(identity)?;
        let Credentials { region, tls, signer } = &credentials;
        if signer.principal().role() != role {
            let why = format!("holds the keys of {}: name the folder of an {role}", signer.principal());
            return Err(Failure::of(identity.display(), why));
        }
        check_own(tls, region, now()).map_err(|fault| Failure::of(&fault, fault.advice()))?;
        signer.check(region, now()).map_err(|fault| Failure::of("the signing certificate", fault))?;
        let unreachable = |why: String| Failure::of(format!("cannot reach the gateway at {address}"), why);
        let any = client_config(tls, region, Expected::Role(Role::Office))?;
        let chain = peer_certificates(&address, any, CONNECT_TIME_MAX).await;
        let chain = chain.map_err(|error| unreachable(explain_handshake(&error, tls, region, now())))?;
        let office = peer_id(&chain).map_err(|fault| unreachable(fault.to_string()))?;
        if let Some(expected) = expected.filter(|expected| *expected != office.name()) {
            let why = format!("is of the office {}, not of {expected}", office.name());
            return Err(Failure::of(format!("the gateway at {address}"), why));
        }
        say(&format!("the gateway of {office}"));
        let channel =
            connect(&address, client_config(tls, region, Expected::Id(office.clone()))?, CONNECT_TIME_MAX);
        let channel =
            channel.await.map_err(|error| unreachable(explain_handshake(&error, tls, region, now())))?;
        Ok(Self { credentials, office, channel })
    }
}
