//! How do bytes travel: mutual TLS under HTTP/2, at the server's and at the client's end.
//!
//! Who may be at the other end is `lango_identity`'s business, whose TLS settings are handed in here.

use std::{io, sync::Arc, time::Duration};

use hyper_util::rt::TokioIo;
use tokio::{
    io::AsyncBufReadExt,
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
    time::timeout,
};
use tokio_rustls::{
    TlsAcceptor, TlsConnector, client, rustls,
    rustls::{ClientConfig, ServerConfig, pki_types::ServerName},
    server,
};
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::{
    codegen::http::Uri,
    transport::{Channel, Endpoint, Server},
};

/// A peer that takes longer to shake hands is dropped.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);
/// At most so many handshakes at once; further connections wait in the kernel's queue.
const HANDSHAKES_AT_ONCE_MAX: usize = 256;
/// After a failure to accept, which is nearly always a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// How often an idle connection is tried, and how long the peer may take to say that it is there.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(30);
const KEEPALIVE_ANSWER_MAX: Duration = Duration::from_secs(10);

/// A tonic server with the settings that gateways and coordinators share.
pub fn server() -> Server {
    Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_EVERY))
        .http2_keepalive_timeout(Some(KEEPALIVE_ANSWER_MAX))
        .max_concurrent_streams(256)
}

/// Connections with a finished handshake, for `serve_with_incoming_shutdown`. It never ends and never fails: a failed
/// handshake is logged with the peer's address and the reason. Dropping it stops accepting.
///
/// MUST be called within a tokio runtime.
pub fn incoming(
    listener: TcpListener,
    config: Arc<ServerConfig>,
) -> impl Stream<Item = io::Result<server::TlsStream<TcpStream>>> {
    let (ready, connections) = mpsc::channel(64);
    tokio::spawn(accept(listener, TlsAcceptor::from(config), ready));
    ReceiverStream::new(connections)
}

type Ready = mpsc::Sender<io::Result<server::TlsStream<TcpStream>>>;

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, ready: Ready) {
    let places = Arc::new(Semaphore::new(HANDSHAKES_AT_ONCE_MAX));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ready.closed() => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (acceptor, ready) = (acceptor.clone(), ready.clone());
        tokio::spawn(async move {
            let _place = place;
            match within(HANDSHAKE_TIME_MAX, "the TLS handshake", acceptor.accept(no_delay(stream))).await {
                // Nobody receives any more: the server is shutting down.
                Ok(stream) => drop(ready.send(Ok(stream)).await),
                Err(error) => tracing::warn!(%peer, reason = %error, "a TLS handshake failed"),
            }
        });
    }
}

fn no_delay(stream: TcpStream) -> TcpStream {
    // Without it small messages wait for one another; with a failure they merely do.
    drop(stream.set_nodelay(true));
    stream
}

async fn within<T>(time: Duration, what: &str, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, format!("{what} took more than {time:?}"));
    timeout(time, work).await.map_err(late)?
}

/// A text that is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address: https://HOST:PORT")]
pub struct AddressError(String);

/// Where a gateway or a coordinator listens: `https://HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    uri: Uri,
    /// The same under http, for tonic, which refuses https unless it does the TLS itself.
    plain: Uri,
    host: String,
    port: u16,
    name: ServerName<'static>,
}

impl std::str::FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let read = || {
            let uri: Uri = text.parse().ok()?;
            let bare =
                uri.scheme_str() == Some("https") && matches!(uri.path(), "/" | "") && uri.query().is_none();
            let authority = uri.authority().filter(|authority| bare && !authority.as_str().contains('@'))?;
            let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
            let port = authority.port_u16()?;
            let name = ServerName::try_from(host.clone()).ok()?;
            let plain = format!("http://{authority}").parse().ok()?;
            Some(Self { uri, plain, host, port, name })
        };
        read().ok_or_else(|| AddressError(text.to_owned()))
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A URI prints its empty path as `/`.
        f.write_str(self.uri.to_string().trim_end_matches('/'))
    }
}

/// A channel that connects when it is first used, and again whenever the connection was lost.
///
/// A call that fails for want of a connection has a `Status` whose sources hold what [`connect`] would have failed
/// with, so that `lango_identity::explain_handshake` finds it. `connect_time_max` is for everything up to the server's
/// first word.
pub fn channel(address: &Address, config: Arc<ClientConfig>, connect_time_max: Duration) -> Channel {
    let dial = Dial { address: address.clone(), config, time_max: connect_time_max };
    dial.endpoint().connect_with_connector_lazy(dial.connector())
}

/// As [`channel`], but connected already: what is wrong with address or certificates shows here.
///
/// # Errors
/// tonic's, with the `io::Error` among its sources, and in that the `rustls::Error` where TLS failed.
pub async fn connect(
    address: &Address,
    config: Arc<ClientConfig>,
    connect_time_max: Duration,
) -> Result<Channel, tonic::transport::Error> {
    let dial = Dial { address: address.clone(), config, time_max: connect_time_max };
    dial.endpoint().connect_with_connector(dial.connector()).await
}

/// How to open a connection.
#[derive(Clone)]
struct Dial {
    address: Address,
    config: Arc<ClientConfig>,
    time_max: Duration,
}

impl Dial {
    fn endpoint(&self) -> Endpoint {
        Endpoint::from(self.address.plain.clone())
            .origin(self.address.uri.clone())
            .http2_keep_alive_interval(KEEPALIVE_EVERY)
            .keep_alive_timeout(KEEPALIVE_ANSWER_MAX)
            .keep_alive_while_idle(true)
    }

    fn connector(
        &self,
    ) -> impl tower::Service<
        Uri,
        Response = TokioIo<client::TlsStream<TcpStream>>,
        Error = io::Error,
        Future = impl Future<Output = io::Result<TokioIo<client::TlsStream<TcpStream>>>> + Send + 'static,
    > + Send
    + 'static {
        let dial = self.clone();
        tower::service_fn(move |_: Uri| {
            let dial = dial.clone();
            async move { within(dial.time_max, "the connection", dial.open()).await.map(TokioIo::new) }
        })
    }

    async fn open(&self) -> io::Result<client::TlsStream<TcpStream>> {
        let stream = no_delay(TcpStream::connect((self.address.host.as_str(), self.address.port)).await?);
        let connector = TlsConnector::from(self.config.clone());
        let mut stream = connector.connect(self.address.name.clone(), stream).await?;
        // In TLS 1.3 the client is done before the server has looked at the client's certificate; a refusal comes as
        // the answer to the first read. So wait for the server's SETTINGS, which every HTTP/2 server sends unasked.
        if stream.fill_buf().await?.is_empty() {
            let closed = "the peer closed the connection after the TLS handshake";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, closed));
        }
        if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(io::Error::other(rustls::Error::NoApplicationProtocol));
        }
        Ok(stream)
    }
}

#[cfg(test)]
mod tests;
