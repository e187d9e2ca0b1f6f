//! A server that sends whatever bytes a test wants, with good certificates.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use lango_identity::{Role, server_config};
use lango_testkit::TestRegion;
use lango_transport::{Pressure, ServerLimits};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Request, Response, Status,
    body::Body,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::{BoxFuture, Service, http},
    server::{Grpc, NamedService, ServerStreamingService},
    service::Routes,
};

/// What a server does, step by step.
#[derive(Debug, Clone)]
pub enum Step {
    /// Sends a message.
    Send(Arc<Vec<u8>>),
    /// Sends a message again and again, for as long as anybody reads.
    Repeat(Arc<Vec<u8>>),
    /// Says nothing for longer than anybody waits.
    Wait,
    /// Fails.
    Fail(Status),
}

/// What it does for each call: the method's name, the request's bytes.
pub type Script = Arc<dyn Fn(&str, &[u8]) -> Vec<Step> + Send + Sync>;

/// A message that is sent once.
pub fn send(message: Vec<u8>) -> Vec<Step> {
    vec![Step::Send(Arc::new(message))]
}

/// A length-delimited field.
pub fn field(number: u32, bytes: &[u8]) -> Vec<u8> {
    [varint(u64::from(number << 3 | 2)), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

/// A varint.
pub fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// Serves a script in the name of an office or of a coordinator.
pub async fn serve(world: &TestRegion, role: Role, name: &str, script: Script) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let socket = listener.local_addr().unwrap();
    let config = server_config(&world.identity(role, name).tls(), &world.region).unwrap();
    let (gateway, coordinator) = (Raw::<false>(script.clone()), Raw::<true>(script));
    let routes = Routes::new(gateway).add_service(coordinator);
    tokio::spawn(async move {
        let limits = ServerLimits::default();
        let metrics = lango_metrics::Metrics::of_gateway(&[]);
        let limits = (&limits, &Pressure::default(), &metrics);
        lango_transport::serve(listener, config, routes, limits, std::future::pending()).await;
    });
    socket
}

#[derive(Clone)]
struct Raw<const COORDINATOR: bool>(Script);

impl NamedService for Raw<false> {
    const NAME: &'static str = "lango.v1.GatewayService";
}

impl NamedService for Raw<true> {
    const NAME: &'static str = "lango.v1.CoordinatorService";
}

impl<const COORDINATOR: bool> Service<http::Request<Body>> for Raw<COORDINATOR> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        let acted = Acted(self.0.clone(), method);
        Box::pin(async move { Ok(Grpc::new(Bytewise).server_streaming(acted, request).await) })
    }
}

struct Acted(Script, String);

impl ServerStreamingService<Vec<u8>> for Acted {
    type Response = Arc<Vec<u8>>;
    type ResponseStream = ReceiverStream<Result<Arc<Vec<u8>>, Status>>;
    type Future = BoxFuture<Response<Self::ResponseStream>, Status>;

    fn call(&mut self, request: Request<Vec<u8>>) -> Self::Future {
        let steps = (self.0)(&self.1, request.get_ref());
        Box::pin(async move {
            let (sender, stream) = mpsc::channel(1);
            tokio::spawn(act(steps, sender));
            Ok(Response::new(ReceiverStream::new(stream)))
        })
    }
}

async fn act(steps: Vec<Step>, sender: mpsc::Sender<Result<Arc<Vec<u8>>, Status>>) {
    for step in steps {
        let sent = match step {
            Step::Send(message) => sender.send(Ok(message)).await,
            Step::Fail(status) => sender.send(Err(status)).await,
            Step::Wait => {
                tokio::time::sleep(Duration::from_secs(300)).await;
                Ok(())
            }
            Step::Repeat(message) => {
                while sender.send(Ok(message.clone())).await.is_ok() {}
                return;
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Messages as they are.
#[derive(Clone)]
struct Bytewise;

impl Codec for Bytewise {
    type Encode = Arc<Vec<u8>>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Bytewise {
    type Item = Arc<Vec<u8>>;
    type Error = Status;

    fn encode(&mut self, item: Arc<Vec<u8>>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put_slice(to, &item);
        Ok(())
    }
}

impl Decoder for Bytewise {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let length = bytes::Buf::remaining(from);
        Ok(Some(bytes::Buf::copy_to_bytes(from, length).to_vec()))
    }
}
