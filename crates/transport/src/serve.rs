//! A server from its first connection to its last.

use std::{sync::Arc, time::Duration};

use lango_metrics::Metrics;
use tokio::{net::TcpListener, sync::watch, task::JoinSet, time::timeout};
use tokio_rustls::rustls::ServerConfig;
use tonic::service::Routes;

use crate::{LogRate, Pressure, ServerLimits, TlsSettings, accept::House};

/// After a failure to accept, which is nearly always a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Serves until `shutdown` is done. From then on no connection is accepted; requests under way have [`ServerLimits::drain`] to
/// end, then what is left is cut. A peer that is recalled is cut at once. Work that a service gave to tasks of its own goes on.
/// `pressure` is where the services say that somebody waits for memory which answers take, and `metrics` shows what is done.
pub async fn serve(
    listener: TcpListener,
    tls: impl Into<TlsSettings<ServerConfig>>,
    routes: Routes,
    (limits, pressure, metrics): (&ServerLimits, &Pressure, &Metrics),
    shutdown: impl Future<Output = ()>,
) {
    let house = Arc::new(House::new(tls.into(), routes, (limits, pressure, metrics)));
    let (stop, stopping) = watch::channel(false);
    let mut connections = JoinSet::new();
    tokio::select! {
        () = accept(&listener, &house, &stopping, &mut connections, limits) => {}
        () = shutdown => {}
    }
    drop(listener);
    stop.send_replace(true);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if timeout(limits.drain(), all_ended).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "connections were cut, for their requests took too long"
        );
        connections.shutdown().await;
    }
}

/// Accepts for ever.
async fn accept(
    listener: &TcpListener,
    house: &Arc<House>,
    stopping: &watch::Receiver<bool>,
    connections: &mut JoinSet<()>,
    limits: &ServerLimits,
) {
    let failed = LogRate::new("failures to accept", limits.log_lines_per_second);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // Those that have ended are let go.
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        match accepted {
            Ok((stream, from)) => {
                let place = house.waiting_place(from.ip());
                connections.spawn(house.clone().admit(stream, from, place, stopping.clone()));
            }
            Err(error) => {
                failed.line(|| tracing::warn!(%error, "a connection could not be accepted"));
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
