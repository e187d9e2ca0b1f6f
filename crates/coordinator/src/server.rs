//! The server: mutual TLS, the service, health and reflection.

use std::{sync::Arc, time::Duration};

use lango_identity::{
    ClientConfig, Expected, OwnFault, PeerFault, Region, Role, ServerConfig, SpiffeId, TlsError, TlsIdentity,
    check_own, client_config, server_config, stands,
};
use lango_sealing::LogError;
use lango_transport::{ANSWER_HEADER_BYTES_MAX, Most, Recall, Rooms, TlsSettings};
use lango_wire::{
    MESSAGE_BYTES_MAX,
    client::{GatewayClient, WitnessClient},
    limits::{
        AUDITED_BYTES_MAX, PASSED_ON_BYTES_MAX, REFUSAL_HEADER_BYTES_MAX, REQUEST_BYTES_MAX,
        REVOCATIONS_BYTES_MAX,
    },
    pb::{audit_service_server::AuditServiceServer, coordinator_service_server::CoordinatorServiceServer},
    reflection,
};
use tokio::{net::TcpListener, sync::watch, task::JoinSet, time::timeout};
use tonic::{service::Routes, transport::Channel};

use crate::{
    CoordinatorConfig, MemberAddress, MembersError,
    ask::{Asker, MemberGateway},
    audit::Auditing,
    clock::now,
    cosigned,
    log::Log,
    members::Members,
    memory::Memory,
    question::Door,
    service::Service,
    visit::{Visited, Visitor},
    witness,
};

/// A question as gateways take it, in its frame.
const QUESTION_BYTES_MAX: usize = REQUEST_BYTES_MAX + PASSED_ON_BYTES_MAX;
// INVARIANT (a signed refusal reaches its asker): headers may be as large as the largest refusal.
const _: () = assert!(REFUSAL_HEADER_BYTES_MAX <= ANSWER_HEADER_BYTES_MAX as usize);
/// What all pages of members and all revocation lists hold that are not taken yet, and those of one address.
const PAGES_BYTES: usize = 4 << 20;
const PAGES_BYTES_EACH: usize = 1 << 20;
// INVARIANT (each address may fetch the lists): a page of its own is as large as any.
const _: () = assert!(REVOCATIONS_BYTES_MAX <= PAGES_BYTES_EACH);

/// Why a coordinator does not serve.
#[derive(Debug, thiserror::Error)]
pub enum CoordinatorServeError {
    /// The members are no federation.
    #[error(transparent)]
    Members(#[from] MembersError),
    /// Identity or region cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Its own certificate is none that gateways and analysts take.
    #[error("the TLS certificate is not good: {fault}; {}", .fault.advice())]
    Own {
        /// What a peer would refuse it for.
        #[from]
        fault: OwnFault,
    },
    /// Its own certificate names nobody.
    #[error("the TLS certificate is not good: {0}")]
    Nobody(#[from] PeerFault),
    /// Its own certificate is of somebody else.
    #[error("the TLS certificate is not good: it is of {0}, and analysts take a coordinator's alone")]
    Role(SpiffeId),
    /// Its log does not go on, or cannot be opened.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The compiled protocol cannot be served.
    #[error("the protocol's description cannot be served: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Serves until `shutdown`, then until the questions under way are answered, as long as the limits allow. Members are connected
/// when they are first asked, so that a start does not depend on them.
///
/// # Errors
/// [`CoordinatorServeError`], before anything is served.
pub async fn serve(
    config: CoordinatorConfig,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), CoordinatorServeError> {
    let own = config.tls.borrow().clone();
    check_identity(&own, &config.region)?;
    let (region, changing, limits) = (config.region.clone(), config.tls.clone(), config.limits);
    let (shown, settings) = watch::channel(server_config(&own, &region)?);
    let tls = TlsSettings::new(settings, recall(&region));
    let mut settings = Vec::new();
    let visited = visited(&config, &own, &mut settings)?;
    let (every, log) = match config.log.clone() {
        Some(log) => (log.every, Some(Arc::new(Log::open(log).await?))),
        None => (Duration::MAX, None),
    };
    let witnessing = config.witness.clone().map(|witness| {
        let visitor = Visitor { signer: Arc::clone(&witness.signer), region: region.clone() };
        witness::keep(visitor, witness, visited.clone(), log.clone())
    });
    let served = async {
        let service = service(config, &own, &mut settings, log.clone())?;
        let auditing = log.clone().map(|log| {
            let auditing = Auditing { log, region: region.clone(), door: Arc::clone(&service.door) };
            AuditServiceServer::new(auditing)
                .max_decoding_message_size(REQUEST_BYTES_MAX)
                .max_encoding_message_size(AUDITED_BYTES_MAX)
        });
        let pressure = service.asker.memory.pressure().clone();
        let metrics = service.asker.metrics.clone();
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_serving::<CoordinatorServiceServer<Service>>().await;
        let (reflection, reflection_alpha) = reflection::services()?;
        let service = CoordinatorServiceServer::new(service)
            .max_decoding_message_size(QUESTION_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        let mut routes = Routes::new(service)
            .add_service(health_service)
            .add_service(reflection)
            .add_service(reflection_alpha);
        if let Some(auditing) = auditing {
            health.set_serving::<AuditServiceServer<Auditing>>().await;
            routes = routes.add_service(auditing);
        }
        // Nothing can fail any more, so that what is begun here is ended here.
        let mut tasks = JoinSet::new();
        if let Some(witnessing) = witnessing {
            tasks.spawn(witnessing);
        }
        if let Some(log) = log.clone() {
            let visitor = Visitor { signer: Arc::clone(&log.signer), region: region.clone() };
            tasks.spawn(cosigned::keep(visitor, log, visited, every));
        }
        tasks.spawn(renew(changing, region, shown, settings));
        let broken = async {
            match &log {
                Some(log) => log.sealing.broken().await,
                None => std::future::pending().await,
            }
        };
        let shutdown = async {
            tokio::select! {
                () = shutdown => {}
                () = broken => {}
            }
        };
        lango_transport::serve(listener, tls, routes, (&limits, &pressure, &metrics), shutdown).await;
        tasks.shutdown().await;
        Ok(())
    };
    let served: Result<(), CoordinatorServeError> = served.await;
    let Some(log) = log else { return served };
    if timeout(limits.close(), log.close()).await.is_err() {
        tracing::warn!("the log is left as it is: what is recorded is on the disk");
    }
    match log.sealing.why_broken() {
        Some(error) => Err(error.into()),
        None => served,
    }
}

/// Has new connections show other keys and certificates as soon as there are others. Those that are open stay.
async fn renew(
    mut own: watch::Receiver<TlsIdentity>,
    region: Region,
    shown: watch::Sender<Arc<ServerConfig>>,
    members: Vec<MemberTls>,
) {
    while own.changed().await.is_ok() {
        let own = own.borrow_and_update().clone();
        let renewed = check_identity(&own, &region).and_then(|()| {
            shown.send_replace(server_config(&own, &region)?);
            for (office, config) in &members {
                config.send_replace(client_config(&own, &region, Expected::Id(office.clone()))?);
            }
            Ok(())
        });
        match renewed {
            Ok(()) => tracing::info!("other keys and certificates are in use"),
            Err(error) => {
                tracing::error!(%error, "other keys and certificates are refused: those of before stay")
            }
        }
    }
    std::future::pending().await
}

/// A peer goes when a list that comes into use holds its certificate.
fn recall(region: &Region) -> Recall {
    let of = region.clone();
    Recall::new(move |shown| stands(shown, &of), |notice| region.revocations().on_change(notice))
}

/// Refuses what gateways and analysts would refuse.
fn check_identity(tls: &TlsIdentity, region: &Region) -> Result<(), CoordinatorServeError> {
    check_own(tls, region, now())?;
    let id = tls.id()?;
    if id.role() == Role::Coordinator { Ok(()) } else { Err(CoordinatorServeError::Role(id)) }
}

/// The settings of connections to a member, which may change.
type MemberTls = (SpiffeId, watch::Sender<Arc<ClientConfig>>);

/// A connection to a member, whose settings may change.
fn channel(
    config: &CoordinatorConfig,
    own: &TlsIdentity,
    member: &MemberAddress,
    settings: &mut Vec<MemberTls>,
) -> Result<Channel, TlsError> {
    let tls = client_config(own, &config.region, Expected::Id(member.uri.clone()))?;
    let (changing, tls) = watch::channel(tls);
    settings.push((member.uri.clone(), changing));
    let tls = TlsSettings::new(tls, recall(&config.region));
    Ok(lango_transport::channel(&member.address, tls, config.connect_timeout))
}

/// The members as they are visited for their logs and for the coordinator's, over connections of their own.
fn visited(
    config: &CoordinatorConfig,
    own: &TlsIdentity,
    settings: &mut Vec<MemberTls>,
) -> Result<Vec<Visited>, TlsError> {
    if config.witness.is_none() && config.log.is_none() {
        return Ok(Vec::new());
    }
    let visited = |member: &MemberAddress| {
        let client = WitnessClient::new(channel(config, own, member, settings)?);
        Ok(Visited { office: member.uri.clone(), client })
    };
    config.members.iter().map(visited).collect()
}

fn service(
    config: CoordinatorConfig,
    own: &TlsIdentity,
    settings: &mut Vec<MemberTls>,
    log: Option<Arc<Log>>,
) -> Result<Service, CoordinatorServeError> {
    let gateway = |member: &MemberAddress| {
        let client = GatewayClient::new(channel(&config, own, member, settings)?);
        Ok::<_, TlsError>((member.uri.clone(), MemberGateway::new(client)))
    };
    let members = config.members.iter().map(gateway).collect::<Result<Vec<_>, _>>()?;
    let CoordinatorConfig { region, tls, member_deadline, limits, metrics, mailbox, .. } = config;
    let members = Members::new(members, region.trust_domain())?;
    Ok(Service {
        members,
        asker: Arc::new(Asker { region, tls, deadline: member_deadline, memory: Memory::default(), metrics }),
        pages: Rooms::new(PAGES_BYTES, Most::Always(PAGES_BYTES_EACH)),
        door: Arc::new(Door::new(&limits)),
        log,
        mailbox,
    })
}
