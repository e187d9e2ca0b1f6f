//! The way to an office's gateway, or to a coordinator with a log, for those who sign what they ask of it.

use std::{path::Path, time::Duration};

use lango_analyst::{Credentials, now};
use lango_identity::{
    Expected, PayloadType, Role, SpiffeId, check_own, client_config, digest, explain_handshake, peer_id,
};
use lango_transport::{AddressError, connect, peer_certificates};
use lango_wire::{Inquiry, pb, status::refusal_envelope};
use tokio::time::timeout;
use tonic::{Status, transport::Channel};

use crate::{
    analyst::ask::refused,
    config,
    failure::Failure,
    output::{foreign, say},
};

const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
/// How long an answer is waited for.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);
/// How long a signed act lives, in seconds.
const LIFE_S: u64 = 600;

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

/// What each signed act has once.
pub struct Stamp {
    pub request_id: [u8; 16],
    pub issued_at: u64,
    pub expires_at: u64,
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
            let why = format!("is of the {} {}, not of {expected}", office.role(), office.name());
            return Err(Failure::of(format!("the {noun} at {address}"), why));
        }
        say(&format!("the {noun} of {office}"));
        let channel =
            connect(&address, client_config(tls, region, Expected::Id(office.clone()))?, CONNECT_TIME_MAX);
        let channel =
            channel.await.map_err(|error| unreachable(explain_handshake(&error, tls, region, now())))?;
        Ok(Self { credentials, office, channel })
    }

    /// What each signed act has once: its number, when it was signed and until when it lives, in Unix seconds. The life is for
    /// clocks that differ, and no more.
    pub fn stamp(&self) -> Result<Stamp, Failure> {
        let mut request_id = [0; 16];
        getrandom::fill(&mut request_id)?;
        let issued_at = u64::try_from(now()).unwrap_or_default();
        Ok(Stamp { request_id, issued_at, expires_at: issued_at + LIFE_S })
    }

    /// Signs a payload and has `call` send it. A refusal is put in words that are made from what the office signed; else they are
    /// what the connection says.
    pub async fn ask<T>(
        &self,
        kind: PayloadType,
        payload: Vec<u8>,
        call: impl AsyncFnOnce(pb::Envelope) -> Result<T, Status>,
    ) -> Result<T, Failure> {
        let Credentials { signer, region, .. } = &self.credentials;
        let request_digest = digest(kind, &payload);
        let envelope = signer.sign(kind, payload).into();
        let noun = if self.office.role() == Role::Coordinator { "coordinator" } else { "gateway" };
        let slow =
            |_| Failure::of(format!("the {noun}"), format!("has not answered within {ANSWER_TIME_MAX:?}"));
        let answered = timeout(ANSWER_TIME_MAX, call(envelope)).await.map_err(slow)?;
        answered.map_err(|status| {
            let inquiry = Inquiry { region, now: now(), request_digest: &request_digest, question: None };
            let signed = refusal_envelope(&status);
            match signed.and_then(|envelope| inquiry.refusal_in(&envelope, &self.office).ok()) {
                Some(refusal) => {
                    Failure::Failed(format!("{} refuses: {}", self.office.name(), refused(&refusal)))
                }
                None => {
                    let (code, said) = (status.code(), foreign(status.message()));
                    let words = format!("the {noun} failed, and nobody signed its words ({code:?}): {said}");
                    Failure::Failed(words)
                }
            }
        })
    }

    /// The failure of a server that answers something else.
    pub fn astray(&self) -> Failure {
        Failure::of(
            &self.office,
            "its server answers something else than was asked: the two are of other versions",
        )
    }
}
