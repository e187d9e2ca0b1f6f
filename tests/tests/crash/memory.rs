//! How large the gateway's process becomes, by the kernel's count, under what takes most of it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lango_identity::{Expected, PayloadType, Role, client_config};
use lango_testkit::{Caller, Office, Policy, Register, TestRegion, at_once, largest, persons};
use lango_transport::{self as transport, ServerLimits};
use lango_wire::client::GatewayClient;
use rustls::ClientConfig;
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::process::Process;

/// What a gateway takes at most, in megabytes.
const MEGABYTES_MOST: u64 = 150;
const SOON: Duration = Duration::from_secs(10);
/// As many requests as one principal may have under way.
const AT_ONCE: usize = 16;

/// A gateway with the usual limits, whose register has many cells.
fn office(world: &TestRegion) -> (Office, Process) {
    let policy = Policy::of("GHA").of_all_countries();
    let mut office = Office::prepare(world, "GHA", &policy, &Register::sample(5));
    office.limits = ServerLimits::default();
    let gateway = Process::start(&office.write_config(world));
    office.listens_at(gateway.address);
    (office, gateway)
}

fn question(measures: &str, epsilon: &str) -> String {
    format!("lango-query 1\ndataset residents\n{measures}price epsilon {epsilon}\n")
}

/// As heavy as a question may be: five million integers to count.
fn heavy(epsilon: &str) -> String {
    let shares: String =
        (1..=18).map(|at| format!("measure quantile(income,0.{at:02})\nby country_of_birth\n")).collect();
    question(&shares.replace("0.10", "0.1"), epsilon)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_stays_small_whatever_is_asked_and_not_taken() {
    let world = TestRegion::new();
    let (office, gateway) = office(&world);
    let analysts = |names: [&str; 3]| names.map(|name| world.caller(Role::Analyst, name));
    let (idlers, callers, other) =
        (analysts(["ama", "efua", "kofi"]), analysts(["abla", "esi", "yaw"]), world.analyst());
    let large_answer = other.ask(&office, &largest("0.001")).await.unwrap();
    assert!(large_answer.cells.len() > 150_000, "{}", large_answer.cells.len());
    let before = gateway.megabytes();

    // Answers that nobody takes.
    let untaken = idlers.iter().flat_map(|caller| {
        let config = client_config(&caller.tls, &world.region, Expected::Id(office.id.clone())).unwrap();
        // Its connection takes 64 KiB of an answer, and that is never read.
        let client = GatewayClient::new(transport::channel(&office.address(), config, SOON));
        let office = &office;
        (0..AT_ONCE).map(move |_| {
            let question = caller.question(&[&office.id], &largest("0.001"));
            let (client, signed) = (client.clone(), caller.sign(PayloadType::Query, question.encode()));
            // Those for which there is no memory wait.
            async move { timeout(Duration::from_secs(5), client.query(signed)).await }
        })
    });
    let untaken: Vec<_> = at_once(untaken).await.into_iter().flatten().collect();
    let begun = untaken.iter().filter(|asked| asked.is_ok()).count();
    assert!(begun >= idlers.len(), "{begun} answers began to leave");
    let with_untaken = gateway.megabytes();

    // Heavy questions on top, of other principals at once.
    let epsilon = |whose: usize, at: usize| format!("0.0{}1", 1 + whose * 5 + at);
    let heavies = callers.iter().enumerate().flat_map(|(whose, caller)| {
        let office = &office;
        (0..5).map(move |at| (caller, office, heavy(&epsilon(whose, at))))
    });
    let heavies: Vec<_> = heavies.collect();
    let asked = heavies
        .iter()
        .map(|(caller, office, text)| timeout(Duration::from_secs(60), caller.ask(office, text)));
    let (asked, small) = tokio::join!(at_once(asked), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        timeout(SOON, other.ask(&office, &persons("by sex", "1"))).await
    });
    small.expect("another principal waits for nobody's answers").unwrap();
    for answer in asked {
        answer.expect("heavy questions have their turns").unwrap();
    }
    let after = gateway.megabytes();
    println!(
        "{before} MB before, {with_untaken} MB with {begun} untaken answers, {after} MB with heavy questions"
    );
    assert!(after <= MEGABYTES_MOST, "{before} MB, {with_untaken} MB, {after} MB");
    drop(untaken);
    let (_, ended_well, log) = gateway.stop();
    assert!(ended_well, "{log}");
}

/// A connection from an address of the loopback to a gateway, with the certificate of a principal.
async fn connected(from: &str, office: &Office, tls: Arc<ClientConfig>) -> TlsStream<TcpStream> {
    let stream = dialled(from, office).await;
    let name = "127.0.0.1".try_into().unwrap();
    timeout(SOON, TlsConnector::from(tls).connect(name, stream)).await.unwrap().unwrap()
}

async fn dialled(from: &str, office: &Office) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    let gateway = office.address().to_string().trim_start_matches("https://").parse().unwrap();
    timeout(SOON, socket.connect(gateway)).await.unwrap().unwrap()
}

/// Sends bytes one by one, until nobody takes them any more.
async fn drip(mut stream: impl AsyncWrite + Unpin, bytes: Vec<u8>) {
    for byte in bytes {
        if stream.write_all(&[byte]).await.is_err() || stream.flush().await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    std::future::pending().await
}

/// The median time of small questions that are asked one after the other, each of another price.
async fn median(asker: &Caller, office: &Office, first: u32) -> Duration {
    let mut took = Vec::new();
    for price in first..first + 60 {
        let begun = Instant::now();
        asker.ask(office, &persons("by sex", &format!("0.0{price}1"))).await.unwrap();
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    took[took.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_stays_small_and_serves_beside_500_idle_and_50_slow_connections() {
    let world = TestRegion::new();
    let (office, gateway) = office(&world);
    let honest = world.analyst();
    let alone = median(&honest, &office, 101).await;
    let before = gateway.megabytes();

    let tls = |name: &str| {
        let caller = world.caller(Role::Analyst, name);
        client_config(&caller.tls, &world.region, Expected::Id(office.id.clone())).unwrap()
    };
    // An address may have 128 connections, and a gateway 512.
    let config = tls("idle");
    let mut idle = Vec::new();
    for number in 0..500 {
        idle.push(connected(&format!("127.0.0.{}", 2 + number / 100), &office, config.clone()).await);
    }
    let config = tls("slow");
    // The beginning of a message of TLS, and of a request with headers that never end.
    let hello = [&[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3][..], &[7; 500]].concat();
    let headers =
        [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\x40\0\x01\0\0\0\0\x01"[..], &[0; 500]]
            .concat();
    let mut slow = JoinSet::new();
    for number in 0..50 {
        let from = format!("127.0.0.{}", 10 + number % 5);
        if number % 2 == 0 {
            slow.spawn(drip(dialled(&from, &office).await, hello.clone()));
        } else {
            slow.spawn(drip(connected(&from, &office, config.clone()).await, headers.clone()));
        }
    }
    let beside = median(&honest, &office, 201).await;
    let with_slow = gateway.megabytes();
    println!(
        "{before} MB and {alone:?} alone, {with_slow} MB and {beside:?} beside idle and slow connections"
    );
    assert!(with_slow < 100, "{before} MB alone, {with_slow} MB");
    drop((idle, slow));
    let (_, ended_well, log) = gateway.stop();
    assert!(ended_well, "{log}");
}
