//! The way of a connection to its establishment: it waits for its first byte in a cheap room, then it shakes hands.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use lango_metrics::{Door, Metrics};
use tokio::{net::TcpStream, sync::watch};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::CertificateDer},
    server::TlsStream,
};
use tonic::service::Routes;

use crate::{
    LogRate, Most, Pressure, Rooms, ServerLimits, TlsSettings,
    bytes::RequestBytes,
    client::{no_delay, within},
    connection::{Connection, stopping},
    limits::{UNSIGNED_BYTES_EACH, UNSIGNED_BYTES_MOST},
    peer::Peer,
    places::{Place, Places, Room},
};

/// What all connections of a server share.
pub(crate) struct House {
    limits: ServerLimits,
    tls: TlsSettings<ServerConfig>,
    routes: Routes,
    waiting: Places,
    handshakes: Places,
    established: Places,
    bytes: RequestBytes,
    unsigned: Arc<Rooms>,
    pressure: Pressure,
    metrics: Metrics,
    failed: LogRate,
    turned_away: LogRate,
}

impl House {
    pub(crate) fn new(
        tls: TlsSettings<ServerConfig>,
        routes: Routes,
        (limits, pressure, metrics): (&ServerLimits, &Pressure, &Metrics),
    ) -> Self {
        let places = |per_address, in_all| Places::new(Room { per_address, in_all });
        Self {
            limits: *limits,
            tls,
            routes: routes.prepare(),
            waiting: places(limits.waiting_per_address, limits.waiting),
            handshakes: places(limits.handshakes_per_address, limits.handshakes),
            established: places(limits.connections_per_address, limits.connections),
            bytes: RequestBytes::new(limits),
            unsigned: Rooms::new(UNSIGNED_BYTES_MOST, Most::Always(UNSIGNED_BYTES_EACH)),
            pressure: pressure.clone(),
            metrics: metrics.clone(),
            failed: LogRate::new("handshakes", limits.log_lines_per_second),
            turned_away: LogRate::new("connections turned away", limits.log_lines_per_second),
        }
    }

    /// Where a connection from there waits for its first byte. Taken before anything else is done for it, so that those who wait
    /// are bounded at every moment.
    pub(crate) fn waiting_place(&self, from: IpAddr) -> Place {
        self.waiting.take(Peer::of(from))
    }

    /// Takes a connection through all rooms, until it ends or the server stops.
    pub(crate) async fn admit(
        self: Arc<Self>,
        stream: TcpStream,
        from: SocketAddr,
        place: Place,
        mut stops: watch::Receiver<bool>,
    ) {
        let begun = tokio::select! {
            begun = self.first_byte(&stream, place) => begun,
            () = stopping(&mut stops) => return,
        };
        match begun {
            // A probe of a load balancer, say: it came and went.
            Ok(false) => return,
            Ok(true) => {}
            Err(error) => {
                self.metrics.turned_away(Door::Silent);
                return self.turned_away.line(|| {
                    tracing::info!(peer = %from, reason = %error, "a connection was closed before its first byte");
                });
            }
        }
        let peer = Peer::of(from.ip());
        if !self.established.has_unused(peer) {
            return self.full(from);
        }
        let watched = self.tls.recall().watch();
        let shaken = tokio::select! {
            // Boxed, so that those who wait are small.
            shaken = Box::pin(self.handshake(stream, peer)) => shaken,
            () = stopping(&mut stops) => return,
        };
        let stream = match shaken {
            Ok(stream) => stream,
            Err(error) => {
                self.metrics.turned_away(Door::Handshake);
                return self.failed.line(|| {
                    tracing::warn!(peer = %from, reason = %error, "a TLS handshake failed");
                });
            }
        };
        let Some(place) = self.established.take_unused(peer) else { return self.full(from) };
        let connection = Connection {
            routes: self.routes.clone(),
            limits: self.limits,
            peer,
            purse: self.bytes.purse(peer),
            place,
            unsigned: Arc::clone(&self.unsigned),
            metrics: self.metrics.clone(),
            pressed: self.pressure.watch(),
            stopping: stops,
        };
        let shown = shown_by(&stream);
        Box::pin(async {
            tokio::select! {
                () = connection.serve(stream) => {}
                () = watched.recalled(shown) => {
                    self.metrics.turned_away(Door::Revoked);
                    tracing::warn!(peer = %from, "a connection was cut: its peer's certificate was revoked");
                }
            }
        })
        .await;
    }

    /// Whether a first byte came; false where the peer has gone.
    async fn first_byte(&self, stream: &TcpStream, mut place: Place) -> io::Result<bool> {
        let mut byte = [0];
        tokio::select! {
            first = within(self.limits.first_byte, "the first byte", stream.peek(&mut byte)) => Ok(first? > 0),
            () = place.lost() => Err(lost()),
        }
    }

    async fn handshake(&self, stream: TcpStream, peer: Peer) -> io::Result<TlsStream<TcpStream>> {
        let mut place = self.handshakes.take(peer);
        let acceptor = TlsAcceptor::from(self.tls.config());
        tokio::select! {
            shaken = within(self.limits.handshake, "the TLS handshake", acceptor.accept(no_delay(stream))) => shaken,
            () = place.lost() => Err(lost()),
        }
    }

    fn full(&self, from: SocketAddr) {
        self.metrics.turned_away(Door::Full);
        self.turned_away.line(|| {
            tracing::warn!(peer = %from, "a connection was turned away: its address or the server has as many as it may");
        });
    }
}

/// The certificates that the peer showed.
fn shown_by(stream: &TlsStream<TcpStream>) -> Vec<CertificateDer<'static>> {
    let shown = stream.get_ref().1.peer_certificates().unwrap_or_default();
    shown.iter().map(|certificate| certificate.clone().into_owned()).collect()
}

fn lost() -> io::Error {
    io::Error::other("a later connection of the address that had the most took its place")
}
