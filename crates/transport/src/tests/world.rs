//! A region, a server of it, and those who call.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

use hyper::body::{Body as _, Bytes, Frame};
use lango_identity::{
    Authority, Expected, Lifetime, Region, SpiffeId, TlsIdentity, client_config, server_config,
};
use lango_metrics::Metrics;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_rustls::rustls::ClientConfig;
use tonic::{
    body::Body,
    codegen::http::{Request, Response},
    server::NamedService,
    service::Routes,
    transport::Channel,
};
use tower::{Service, ServiceExt};

use crate::{Address, Pressure, ServerLimits, connect, serve};

pub(super) const SOON: Duration = Duration::from_secs(5);
pub(super) const GATEWAY: &str = "spiffe://lango.example/office/GHA";
pub(super) const CALLER: &str = "spiffe://lango.example/coordinator/main";

pub(super) fn now() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64
}

pub(super) fn address(socket: SocketAddr) -> Address {
    format!("https://{socket}").parse().unwrap()
}

pub(super) struct World {
    pub authority: Authority,
    pub region: Region,
}

impl World {
    pub fn new() -> Self {
        let validity = Lifetime::days(now(), 10);
        let authority = Authority::new("lango.example", "Test authority", validity).unwrap();
        let region = authority.region("1.3.6.1.4.1.32473.1.1".parse().unwrap()).unwrap();
        Self { authority, region }
    }

    pub fn identity(&self, uri: &str, validity: Lifetime) -> TlsIdentity {
        let id: SpiffeId = uri.parse().unwrap();
        let issued = self.authority.issue_tls(&id, validity, &["127.0.0.1"]).unwrap();
        TlsIdentity::from_pem(issued.certificate_pem.as_bytes(), issued.key_pem.as_bytes()).unwrap()
    }

    pub fn today(&self, uri: &str) -> TlsIdentity {
        self.identity(uri, Lifetime::days(now(), 1))
    }

    pub fn client(&self, own: &TlsIdentity, expected: &str) -> Arc<ClientConfig> {
        client_config(own, &self.region, Expected::Id(expected.parse().unwrap())).unwrap()
    }

    /// A gateway without services.
    pub async fn gateway(&self, limits: ServerLimits) -> SocketAddr {
        let never = std::future::pending();
        self.serving(limits, Routes::default(), never).await.0
    }

    /// A gateway with a service, and its end.
    pub async fn serving(
        &self,
        limits: ServerLimits,
        routes: Routes,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> (SocketAddr, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = listener.local_addr().unwrap();
        let config = server_config(&self.today(GATEWAY), &self.region).unwrap();
        (
            socket,
            tokio::spawn(async move {
                let metrics = Metrics::of_gateway(&[]);
                serve(listener, config, routes, (&limits, &Pressure::default(), &metrics), shutdown).await
            }),
        )
    }

    /// A caller that is connected.
    pub async fn caller(&self, gateway: SocketAddr) -> Channel {
        self.try_caller(gateway).await.unwrap()
    }

    pub async fn try_caller(&self, gateway: SocketAddr) -> Result<Channel, tonic::transport::Error> {
        connect(&address(gateway), self.client(&self.today(CALLER), GATEWAY), SOON).await
    }
}

/// Reads its requests to their ends, and answers.
#[derive(Clone, Default)]
pub(super) struct Echo {
    at_once: Arc<AtomicUsize>,
    pub at_once_most: Arc<AtomicUsize>,
}

/// How large the answer of `/test.Echo/big` is: more than a client takes unread.
pub(super) const BIG: usize = 8 << 20;

impl NamedService for Echo {
    const NAME: &'static str = "test.Echo";
}

impl Service<Request<Body>> for Echo {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let echo = self.clone();
        Box::pin(async move {
            let at_once = echo.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            echo.at_once_most.fetch_max(at_once, Ordering::SeqCst);
            let (parts, mut body) = request.into_parts();
            let read = loop {
                match std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
                    Some(Ok(_)) => {}
                    Some(Err(status)) => break Err(status),
                    None => break Ok(()),
                }
            };
            let wait = match parts.uri.path().rsplit('/').next() {
                Some("never") => Duration::MAX,
                Some("wait") => Duration::from_millis(400),
                _ => Duration::ZERO,
            };
            tokio::time::sleep(wait).await;
            let answer = if parts.uri.path().ends_with("big") { vec![0; BIG] } else { vec![1] };
            echo.at_once.fetch_sub(1, Ordering::SeqCst);
            Ok(match read {
                Ok(()) => Response::new(Body::new(Sent(Some(answer.into()), false))),
                Err(status) => status.into_http(),
            })
        })
    }
}

/// A body of one piece that ends, or never does.
pub(super) struct Sent(pub Option<Bytes>, pub bool);

impl hyper::body::Body for Sent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match (self.0.take(), self.1) {
            (Some(piece), _) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            (None, true) => Poll::Pending,
            (None, false) => Poll::Ready(None),
        }
    }
}

/// Calls `/test.Echo/METHOD` with this many bytes, which end or do not.
pub(super) async fn call(
    channel: &Channel,
    method: &str,
    bytes: usize,
    is_endless: bool,
) -> Result<Response<Body>, tonic::transport::Error> {
    let body = Body::new(Sent(Some(vec![0; bytes].into()), is_endless));
    let request = Request::post(format!("/test.Echo/{method}")).body(body).unwrap();
    channel.clone().oneshot(request).await
}

/// The gRPC status of a response, where it is one.
pub(super) fn code(response: &Response<Body>) -> Option<tonic::Code> {
    let status = response.headers().get("grpc-status")?;
    Some(tonic::Code::from_bytes(status.as_bytes()))
}
