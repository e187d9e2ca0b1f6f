//! Connections that this side opens.

use std::{io, time::Duration};

use hyper_util::rt::TokioIo;
use tokio::{io::AsyncBufReadExt, net::TcpStream, time::timeout};
use tokio_rustls::{
    TlsConnector, client, rustls,
    rustls::{ClientConfig, pki_types::CertificateDer},
};
use tonic::{
    codegen::http::Uri,
    transport::{Channel, Endpoint},
};

use crate::{
    Address, TlsSettings,
    limits::{ANSWER_HEADER_BYTES_MAX, KEEPALIVE_ANSWER_MAX, KEEPALIVE_EVERY},
    recall::Recallable,
};

/// What a peer may send of an answer before that is read, and of all that are not read: more answers begin to come at once than
/// are read at once.
const ANSWER_WINDOW_BYTES: u32 = 64 << 10;
const ANSWERS_WINDOW_BYTES: u32 = 16 << 20;

/// A channel that connects when it is first used, and again whenever the connection was lost. It is for a server that many are
/// asked beside: what it sends waits with it until it is read.
///
/// A call that fails for want of a connection has a `Status` whose sources hold what [`connect`] would have failed
/// with, so that `lango_identity::explain_handshake` finds it. `connect_time_max` is for everything up to the server's
/// first word. A connection whose server is recalled breaks.
pub fn channel(
    address: &Address,
    tls: impl Into<TlsSettings<ClientConfig>>,
    connect_time_max: Duration,
) -> Channel {
    let dial = Dial { address: address.clone(), tls: tls.into(), time_max: connect_time_max };
    let endpoint = dial
        .endpoint()
        .initial_stream_window_size(ANSWER_WINDOW_BYTES)
        .initial_connection_window_size(ANSWERS_WINDOW_BYTES);
    endpoint.connect_with_connector_lazy(dial.connector())
}

/// As [`channel`], but connected already: what is wrong with address or certificates shows here.
///
/// # Errors
/// tonic's, with the `io::Error` among its sources, and in that the `rustls::Error` where TLS failed.
pub async fn connect(
    address: &Address,
    tls: impl Into<TlsSettings<ClientConfig>>,
    connect_time_max: Duration,
) -> Result<Channel, tonic::transport::Error> {
    let dial = Dial { address: address.clone(), tls: tls.into(), time_max: connect_time_max };
    dial.endpoint().connect_with_connector(dial.connector()).await
}

/// The certificates that the server at an address shows, its own first, which TLS has verified as `tls` says.
///
/// # Errors
/// The connection's, with the `rustls::Error` among its sources where TLS failed.
pub async fn peer_certificates(
    address: &Address,
    tls: impl Into<TlsSettings<ClientConfig>>,
    connect_time_max: Duration,
) -> io::Result<Vec<CertificateDer<'static>>> {
    let dial = Dial { address: address.clone(), tls: tls.into(), time_max: connect_time_max };
    Ok(shown_by(&within(dial.time_max, "the connection", dial.shake()).await?))
}

/// The certificates that the server showed.
fn shown_by(stream: &client::TlsStream<TcpStream>) -> Vec<CertificateDer<'static>> {
    let shown = stream.get_ref().1.peer_certificates().unwrap_or_default();
    shown.iter().map(|certificate| certificate.clone().into_owned()).collect()
}

/// How to open a connection.
#[derive(Clone)]
struct Dial {
    address: Address,
    tls: TlsSettings<ClientConfig>,
    time_max: Duration,
}

/// A connection as HTTP/2 takes it.
type Connected = TokioIo<Recallable<client::TlsStream<TcpStream>>>;

impl Dial {
    fn endpoint(&self) -> Endpoint {
        Endpoint::from(self.address.plain.clone())
            .origin(self.address.uri.clone())
            .http2_max_header_list_size(ANSWER_HEADER_BYTES_MAX)
            .http2_keep_alive_interval(KEEPALIVE_EVERY)
            .keep_alive_timeout(KEEPALIVE_ANSWER_MAX)
            .keep_alive_while_idle(true)
    }

    fn connector(
        &self,
    ) -> impl tower::Service<
        Uri,
        Response = Connected,
        Error = io::Error,
        Future = impl Future<Output = io::Result<Connected>> + Send + 'static,
    > + Send
    + 'static {
        let dial = self.clone();
        tower::service_fn(move |_: Uri| {
            let dial = dial.clone();
            async move { within(dial.time_max, "the connection", dial.open()).await.map(TokioIo::new) }
        })
    }

    /// A connection that breaks when the server is recalled.
    async fn open(&self) -> io::Result<Recallable<client::TlsStream<TcpStream>>> {
        let watched = self.tls.recall().watch();
        let stream = self.shake().await?;
        let shown = shown_by(&stream);
        Ok(Recallable::new(stream, watched.recalled(shown)))
    }

    async fn shake(&self) -> io::Result<client::TlsStream<TcpStream>> {
        let stream = no_delay(TcpStream::connect((self.address.host.as_str(), self.address.port)).await?);
        let connector = TlsConnector::from(self.tls.config());
        let mut stream = connector.connect(self.address.name.clone(), stream).await?;
        // In TLS 1.3 the client is done before the server has checked the client's certificate; a refusal comes as
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

pub(crate) fn no_delay(stream: TcpStream) -> TcpStream {
    // Without it small messages wait for one another; with a failure they merely do.
    drop(stream.set_nodelay(true));
    stream
}

pub(crate) async fn within<T>(
    time: Duration,
    what: &str,
    work: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, format!("{what} took more than {time:?}"));
    timeout(time, work).await.map_err(late)?
}
