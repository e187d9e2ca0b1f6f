//! The server: mutual TLS, the service, health and reflection.

use std::sync::Arc;

use lango_identity::{
    ClientConfig, Expected, OwnFault, PeerFault, Region, Role, ServerConfig, SpiffeId, TlsError, TlsIdentity,
    check_own, client_config, server_config, stands,
};
use lango_transport::{ANSWER_HEADER_BYTES_MAX, Most, Recall, Rooms, TlsSettings};
use lango_wire::{
    MESSAGE_BYTES_MAX,
    client::GatewayClient,
    limits::{PASSED_ON_BYTES_MAX, REFUSAL_HEADER_BYTES_MAX, REQUEST_BYTES_MAX, REVOCATIONS_BYTES_MAX},
    pb::coordinator_service_server::CoordinatorServiceServer,
    reflection,
};
use tokio::{net::TcpListener, sync::watch};
use tonic::service::Routes;

use crate::{
    CoordinatorConfig, MembersError,
    ask::{Asker, MemberGateway},
    clock::now,
    members::Members,
    memory::Memory,
    question::Door,
    service::Service,
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
    let (witnessing, mut members) = witnessing(&config, &own)?.unzip();
    let (service, asked) = service(config, &own)?;
    members.get_or_insert_default().extend(asked);
    let pressure = service.asker.memory.pressure().clone();
    let metrics = service.asker.metrics.clone();
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<CoordinatorServiceServer<Service>>().await;
    let (reflection, reflection_alpha) = reflection::services()?;
    let service = CoordinatorServiceServer::new(service)
        .max_decoding_message_size(QUESTION_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let routes = Routes::new(service)
        .add_service(health_service)
        .add_service(reflection)
        .add_service(reflection_alpha);
    // Nothing can fail any more, so that what is begun here is ended here.
    let witnessing = witnessing.map(tokio::spawn);
    let renewing = tokio::spawn(renew(changing, region, shown, members.unwrap_or_default()));
    lango_transport::serve(listener, tls, routes, (&limits, &pressure, &metrics), shutdown).await;
    renewing.abort();
    witnessing.iter().for_each(|witnessing| witnessing.abort());
    Ok(())
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

/// What witnesses the members' logs, over connections of its own.
fn witnessing(
    config: &CoordinatorConfig,
    own: &TlsIdentity,
) -> Result<Option<(impl Future<Output = ()> + Send + 'static, Vec<MemberTls>)>, TlsError> {
    let Some(witness) = config.witness.clone() else { return Ok(None) };
    let recall = recall(&config.region);
    let (mut channels, mut settings) = (Vec::new(), Vec::new());
    for member in &config.members {
        let tls = client_config(own, &config.region, Expected::Id(member.uri.clone()))?;
        let (changing, tls) = watch::channel(tls);
        settings.push((member.uri.clone(), changing));
        let tls = TlsSettings::new(tls, recall.clone());
        let channel = lango_transport::channel(&member.address, tls, config.connect_timeout);
        channels.push((member.uri.clone(), channel));
    }
    Ok(Some((witness::keep(witness, config.region.clone(), channels), settings)))
}

fn service(
    config: CoordinatorConfig,
    own: &TlsIdentity,
) -> Result<(Service, Vec<MemberTls>), CoordinatorServeError> {
    let CoordinatorConfig { region, tls, members, member_deadline, connect_timeout, limits, metrics, .. } =
        config;
    let mut settings = Vec::new();
    let recall = recall(&region);
    let gateway = |member: crate::MemberAddress| {
        let config = client_config(own, &region, Expected::Id(member.uri.clone()))?;
        let (changing, config) = watch::channel(config);
        settings.push((member.uri.clone(), changing));
        let config = TlsSettings::new(config, recall.clone());
        let channel = lango_transport::channel(&member.address, config, connect_timeout);
        Ok::<_, TlsError>((member.uri, MemberGateway::new(GatewayClient::new(channel))))
    };
    let members = members.into_iter().map(gateway).collect::<Result<Vec<_>, _>>()?;
    let members = Members::new(members, region.trust_domain())?;
    let service = Service {
        members,
        asker: Arc::new(Asker { region, tls, deadline: member_deadline, memory: Memory::default(), metrics }),
        pages: Rooms::new(PAGES_BYTES, Most::Always(PAGES_BYTES_EACH)),
        door: Door::new(&limits),
    };
    Ok((service, settings))
}
