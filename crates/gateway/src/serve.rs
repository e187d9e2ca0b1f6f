//! Serving: mutual TLS, health, reflection, and the services for analysts and for administrators.

use std::{sync::Arc, time::Duration};

use lango_access_log::SignedCheckpoint;
use lango_metrics::{LogStanding, Standing};
use lango_sealing::LogError;
use lango_store::{CheckpointKind, StoreError};
use lango_transport::TlsSettings;
use lango_wire::{
    limits::{ANSWER_BYTES_MAX, AUDITED_BYTES_MAX, REQUEST_BYTES_MAX, SHOWN_BYTES_MAX},
    pb::{
        administration_service_server::AdministrationServiceServer, audit_service_server::AuditServiceServer,
        gateway_service_server::GatewayServiceServer, witness_service_server::WitnessServiceServer,
    },
    reflection,
};
use tokio::{net::TcpListener, time::timeout};
use tonic::service::Routes;

use crate::{Gateway, recall::recall, service::Service, started::stopped};

/// Why a gateway does not serve.
#[derive(Debug, thiserror::Error)]
pub enum GatewayServeError {
    /// The store was rolled back, as a witness has shown.
    #[error("{0}")]
    Log(LogError),
    /// The reflection service cannot be built.
    #[error("the reflection service cannot be built: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// How often a checkpoint of the log is kept.
const SEAL_EVERY: Duration = Duration::from_secs(60);

impl Gateway {
    async fn keep_anchor(&self) {
        if let Some(anchoring) = &self.anchoring {
            anchoring.keep(&self.store).await;
        }
    }

    /// Keeps a checkpoint of the log, again and again, and shows how far it has come: that and no more often, for the log grows
    /// when an answer is made, and not when it leaves.
    async fn keep_log(&self) {
        let mut standing = Standing::default();
        loop {
            let kept_at = self.seal().await.then(|| self.now());
            match self.log_standing(kept_at).await {
                // What could not be kept is as old as it was.
                Ok(log) => standing.log = LogStanding { kept: log.kept.or(standing.log.kept), ..log },
                Err(error) => tracing::warn!(%error, "the log's standing could not be read"),
            }
            standing.store_failures = self.store.failed_transactions();
            self.metrics.stand(&standing);
            tokio::time::sleep(SEAL_EVERY).await;
        }
    }

    /// How far the log is kept, which was done just now, and cosigned.
    async fn log_standing(&self, kept_at: Option<i64>) -> Result<LogStanding, StoreError> {
        let kept = self.store.checkpoint(CheckpointKind::Kept).await?;
        let cosigned = self.log_cosigned().await?;
        Ok(LogStanding { kept: kept.map(|(size, _)| size).zip(kept_at), cosigned })
    }

    /// How far witnesses have cosigned the log, and when the last of them did, in Unix seconds.
    pub(crate) async fn log_cosigned(&self) -> Result<Option<(u64, i64)>, StoreError> {
        let cosigned = self.store.checkpoint(CheckpointKind::Witnessed).await?;
        Ok(cosigned.and_then(|(size, note)| {
            let seconds = note.parse::<SignedCheckpoint>().ok()?.cosigned_at()?;
            Some((size, i64::try_from(seconds).ok()?))
        }))
    }

    /// Whether a checkpoint could be kept.
    async fn seal(&self) -> bool {
        let kept = self.sealing.keep(&self.store, &self.signer.now()).await;
        if let Err(error) = &kept {
            tracing::error!(%error, "a checkpoint of the log could not be kept");
        }
        kept.is_ok()
    }

    /// Records that the gateway stops, and keeps a checkpoint of its log to the end.
    async fn log_stop(&self) {
        let record = stopped(&self.office, (self.now(), self.policy().digest), &self.store);
        if let Err(error) = self.store.append(&record, None).await {
            tracing::error!(%error, "the stop could not be recorded");
        }
        self.seal().await;
    }
}

/// Serves until `shutdown` is done, then lets what is under way finish, as long as the limits allow. A question that takes longer
/// stays reserved: its charge is durable, and the same question goes on from there.
pub async fn serve(
    gateway: impl Into<Arc<Gateway>>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<(), GatewayServeError> {
    let gateway = gateway.into();
    let tls = TlsSettings::new(gateway.tls.subscribe(), recall(&gateway.region));
    let service = Service(Arc::clone(&gateway));
    let administration = AdministrationServiceServer::new(service.clone())
        .max_decoding_message_size(REQUEST_BYTES_MAX)
        .max_encoding_message_size(SHOWN_BYTES_MAX);
    let audit = AuditServiceServer::new(service.clone())
        .max_decoding_message_size(REQUEST_BYTES_MAX)
        .max_encoding_message_size(AUDITED_BYTES_MAX);
    let witness = WitnessServiceServer::new(service.clone())
        .max_decoding_message_size(REQUEST_BYTES_MAX)
        .max_encoding_message_size(REQUEST_BYTES_MAX);
    let service = GatewayServiceServer::new(service)
        .max_decoding_message_size(REQUEST_BYTES_MAX)
        .max_encoding_message_size(ANSWER_BYTES_MAX);
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<GatewayServiceServer<Service>>().await;
    health.set_serving::<AdministrationServiceServer<Service>>().await;
    health.set_serving::<AuditServiceServer<Service>>().await;
    health.set_serving::<WitnessServiceServer<Service>>().await;
    let (reflection, reflection_alpha) = reflection::services()?;
    let routes = Routes::new(service)
        .add_service(administration)
        .add_service(audit)
        .add_service(witness)
        .add_service(health_service)
        .add_service(reflection)
        .add_service(reflection_alpha);
    // Nothing can fail any more, so that what is begun here is ended here.
    let keeping = tokio::spawn({
        let gateway = Arc::clone(&gateway);
        async move { tokio::join!(gateway.keep_anchor(), gateway.keep_log(), gateway.log_lists()) }
    });
    let limits = (&gateway.limits, gateway.capacity.pressure(), &gateway.metrics);
    let shutdown = async {
        tokio::select! {
            () = shutdown => {}
            () = gateway.sealing.broken() => {}
        }
    };
    lango_transport::serve(listener, tls, routes, limits, shutdown).await;
    keeping.abort();
    if let Some(error) = gateway.sealing.why_broken() {
        // What is not closed in time is on the disk.
        let _ = timeout(gateway.limits.close(), gateway.store.close()).await;
        return Err(GatewayServeError::Log(error));
    }
    let closing = async {
        gateway.log_stop().await;
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
