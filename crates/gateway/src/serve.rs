//! Serving: mutual TLS, health, reflection, and the services for analysts and for administrators.

use std::sync::Arc;

use lango_identity::{TlsError, server_config};
use lango_wire::{
    limits::{ANSWER_BYTES_MAX, REQUEST_BYTES_MAX, SHOWN_BYTES_MAX},
    pb::{
        administration_service_server::AdministrationServiceServer,
        gateway_service_server::GatewayServiceServer,
    },
    reflection,
};
use tokio::{net::TcpListener, time::timeout};
use tonic::service::Routes;

use crate::{Gateway, service::Service};

/// Why a gateway does not serve.
#[derive(Debug, thiserror::Error)]
pub enum GatewayServeError {
    /// Its certificate cannot be used.
    #[error("{0}")]
    Tls(#[from] TlsError),
    /// The reflection service cannot be built.
    #[error("the reflection service cannot be built: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Serves until `shutdown` is done, then lets what is under way finish, as long as the limits allow. A question that takes longer
/// stays reserved: its charge is durable, and the same question goes on from there.
pub async fn serve(
    gateway: impl Into<Arc<Gateway>>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<(), GatewayServeError> {
    let gateway = gateway.into();
    let tls = server_config(&gateway.tls, &gateway.region)?;
    let service = Service(Arc::clone(&gateway));
    let administration = AdministrationServiceServer::new(service.clone())
        .max_decoding_message_size(REQUEST_BYTES_MAX)
        .max_encoding_message_size(SHOWN_BYTES_MAX);
    let service = GatewayServiceServer::new(service)
        .max_decoding_message_size(REQUEST_BYTES_MAX)
        .max_encoding_message_size(ANSWER_BYTES_MAX);
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<GatewayServiceServer<Service>>().await;
    health.set_serving::<AdministrationServiceServer<Service>>().await;
    let (reflection, reflection_alpha) = reflection::services()?;
    let routes = Routes::new(service)
        .add_service(administration)
        .add_service(health_service)
        .add_service(reflection)
        .add_service(reflection_alpha);
    // Nothing can fail any more, so that what is begun here is ended here.
    let keeping = tokio::spawn({
        let gateway = Arc::clone(&gateway);
        async move {
            if let Some(anchoring) = &gateway.anchoring {
                anchoring.keep(&gateway.store).await;
            }
        }
    });
    let limits = (&gateway.limits, gateway.capacity.pressure());
    lango_transport::serve(listener, tls, routes, limits, shutdown).await;
    keeping.abort();
    let closing = async {
        if let Some(anchoring) = &gateway.anchoring {
            anchoring.renew(&gateway.store).await;
        }
        gateway.store.close().await;
    };
    if timeout(gateway.limits.close(), closing).await.is_err() {
        tracing::warn!(
            "a question is under way, so the store is left as it is: what is charged is on the disk"
        );
    }
    Ok(())
}
