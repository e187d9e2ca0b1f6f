//! Who gets a place before a request was made.

use std::{
    io,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{sleep, timeout},
};
use tonic::{
    Code,
    body::Body,
    codegen::{Service, http::Request},
    server::NamedService,
    service::Routes,
};
use tower::ServiceExt;
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    ServerLimits,
    limits::{UNSIGNED_BYTES, UNSIGNED_BYTES_EACH},
    tests::{
        raw::{GOAWAY, Raw, dial, is_closed},
        world::{Echo, SOON, World, code},
    },
};

const AT_ONCE: Duration = Duration::from_millis(20);

async fn open(connections: &mut [TcpStream]) -> usize {
    let mut open = 0;
    for connection in connections {
        open += usize::from(!is_closed(connection, AT_ONCE).await);
    }
    open
}

#[tokio::test]
async fn half_open_connections_shut_out_neither_their_own_address_nor_another() {
    let world = World::new();
    let limits = ServerLimits {
        first_byte: Duration::from_secs(600),
        waiting_per_address: 8,
        waiting: 12,
        ..ServerLimits::default()
    };
    let gateway = world.gateway(limits).await;
    let mut silent = Vec::new();
    for number in 0..200 {
        silent.push(dial(if number % 2 == 0 { "127.0.0.1" } else { "127.0.0.3" }, gateway).await);
        if number % 50 == 49 {
            let begun = Instant::now();
            for honest in ["127.0.0.1", "127.0.0.2", "127.0.0.3"] {
                assert!(Raw::connect(&world, honest, gateway).await.is_some(), "{honest} after {number}");
            }
            assert!(begun.elapsed() < SOON);
        }
    }
    assert!(open(&mut silent).await <= limits.waiting);
}

#[tokio::test]
async fn a_connection_that_sends_nothing_is_closed_in_time() {
    let world = World::new();
    let limits = ServerLimits { first_byte: Duration::from_millis(300), ..ServerLimits::default() };
    let gateway = world.gateway(limits).await;
    let (mut silent, begun) = (dial("127.0.0.1", gateway).await, Instant::now());
    assert!(is_closed(&mut silent, SOON).await);
    assert!(begun.elapsed() >= Duration::from_millis(250));
}

/// Sends the head of a TLS record and then one byte after another.
async fn byte_by_byte(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]).await?;
    loop {
        sleep(Duration::from_millis(20)).await;
        stream.write_all(&[0]).await?;
    }
}

#[tokio::test]
async fn a_handshake_that_comes_byte_by_byte_is_broken_off() {
    let world = World::new();
    let limits = ServerLimits { handshake: Duration::from_millis(300), ..ServerLimits::default() };
    let gateway = world.gateway(limits).await;
    let (mut slow, begun) = (dial("127.0.0.1", gateway).await, Instant::now());
    let ended = tokio::time::timeout(SOON, byte_by_byte(&mut slow)).await;
    assert!(ended.expect("the connection is closed").is_err());
    assert!(begun.elapsed() >= Duration::from_millis(250));
}

#[tokio::test]
async fn slow_handshakes_shut_out_neither_their_own_address_nor_another() {
    let world = World::new();
    let limits = ServerLimits {
        handshake: Duration::from_secs(600),
        handshakes_per_address: 4,
        handshakes: 6,
        ..ServerLimits::default()
    };
    let gateway = world.gateway(limits).await;
    let mut slow = Vec::new();
    for number in 0..40 {
        let mut stream = dial(if number % 2 == 0 { "127.0.0.1" } else { "127.0.0.3" }, gateway).await;
        stream.write_all(&[0x16, 3, 1, 2, 0]).await.unwrap();
        slow.push(stream);
    }
    sleep(Duration::from_millis(100)).await;
    for honest in ["127.0.0.1", "127.0.0.2", "127.0.0.3"] {
        assert!(Raw::connect(&world, honest, gateway).await.is_some(), "{honest}");
    }
    assert!(open(&mut slow).await <= limits.handshakes);
}

#[tokio::test]
async fn connections_at_work_keep_their_places_and_idle_ones_give_them_up() {
    let world = World::new();
    let limits = ServerLimits { connections_per_address: 2, connections: 3, ..ServerLimits::default() };
    let routes = Routes::new(Echo::default());
    let (gateway, _) = world.serving(limits, routes, std::future::pending()).await;
    let at_work = async |from: &str| {
        let mut raw = Raw::connect(&world, from, gateway).await?;
        raw.ask("/test.Echo/never").await;
        Some(raw)
    };
    let first = at_work("127.0.0.1").await.unwrap();
    let second = at_work("127.0.0.1").await.unwrap();
    sleep(Duration::from_millis(200)).await;
    assert!(Raw::connect(&world, "127.0.0.1", gateway).await.is_none(), "two of one address");
    let mut idle = Raw::connect(&world, "127.0.0.2", gateway).await.unwrap();
    assert!(Raw::connect(&world, "127.0.0.3", gateway).await.is_none(), "three in all");
    drop(first);
    let again = async {
        while Raw::connect(&world, "127.0.0.2", gateway).await.is_none() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(SOON, again).await.unwrap();
    drop(second);
    // An address comes with all that it may have and asks for nothing: a newcomer is served all the same.
    let mut crowd = Vec::new();
    for _ in 0..6 {
        crowd.extend(Raw::connect(&world, "127.0.0.2", gateway).await);
    }
    assert!(idle.rest(SOON).await.contains(&GOAWAY));
    assert!(crowd.len() >= 4, "{}", crowd.len());
    at_work("127.0.0.3").await.unwrap();
    at_work("127.0.0.4").await.unwrap();
}

#[tokio::test]
async fn calls_that_nobody_signs_for_are_bounded_for_each_address() {
    let world = World::new();
    let routes = Routes::new(Unsigned(Echo::default()));
    let (gateway, _) = world.serving(ServerLimits::default(), routes, std::future::pending()).await;
    let caller = world.caller(gateway).await;
    let ask = || {
        let caller = caller.clone();
        async move {
            let request = Request::post("/grpc.test.Echo/never").body(Body::empty()).unwrap();
            match timeout(Duration::from_millis(500), caller.oneshot(request)).await {
                Ok(response) => code(&response.unwrap()),
                Err(_) => None,
            }
        }
    };
    let most = UNSIGNED_BYTES_EACH / UNSIGNED_BYTES;
    // Those that are gone have given their parts back.
    for _ in 0..2 {
        let calls: Vec<_> = (0..24).map(|_| tokio::spawn(ask())).collect();
        let mut refused = 0;
        for call in calls {
            refused += usize::from(call.await.unwrap() == Some(Code::ResourceExhausted));
        }
        assert_eq!(refused, 24 - most);
        sleep(Duration::from_millis(100)).await;
    }
}

/// An echo of a name that nobody signs for.
#[derive(Clone)]
struct Unsigned(Echo);

impl NamedService for Unsigned {
    const NAME: &'static str = "grpc.test.Echo";
}

impl Service<Request<Body>> for Unsigned {
    type Response = <Echo as Service<Request<Body>>>::Response;
    type Error = <Echo as Service<Request<Body>>>::Error;
    type Future = <Echo as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.0.call(request)
    }
}

/// What is logged, as text.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn failed_handshakes_write_a_bounded_number_of_lines_and_one_with_the_count_of_the_rest() {
    const FAILED: usize = 60;
    let lines = Lines::default();
    let log = tracing_subscriber::fmt().with_writer(lines.clone()).with_ansi(false).finish();
    let _log = tracing::subscriber::set_default(log);
    let world = World::new();
    let limits = ServerLimits { log_lines_per_second: 3, ..ServerLimits::default() };
    let gateway = world.gateway(limits).await;
    for _ in 0..FAILED {
        let mut stream = dial("127.0.0.1", gateway).await;
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert!(is_closed(&mut stream, SOON).await);
    }
    sleep(Duration::from_millis(1_200)).await;
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let written = text.matches("a TLS handshake failed").count();
    let left_out: usize = text
        .lines()
        .filter(|line| line.contains("log lines were left out"))
        .map(|line| line.split_once("lines=").unwrap().1.split(' ').next().unwrap().parse::<usize>().unwrap())
        .sum();
    assert_eq!(written + left_out, FAILED, "{text}");
    // Sixty failures may take a second or two.
    assert!((3..20).contains(&written), "{text}");
}
