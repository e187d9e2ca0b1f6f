//! What the program shows at its own port for metrics, and where it does not.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    time::{Duration, Instant},
};

use lango_identity::Role;
use lango_testkit::{EKU, Office, Policy, Register, TestRegion, persons};

use crate::{
    process::{Process, fails},
    program,
};

/// A configuration with one key more in its first table.
fn with_metrics(config: &Path, address: &str) {
    let text = fs::read_to_string(config).unwrap();
    fs::write(config, format!("metrics = \"{address}\"\n{text}")).unwrap();
}

fn prepared(world: &TestRegion) -> (Office, std::path::PathBuf) {
    let office = Office::prepare(world, "GHA", &Policy::of("GHA"), &Register::sample(5));
    let config = office.write_config(world);
    (office, config)
}

/// Where a server says that its metrics are read.
fn port(log: &str) -> SocketAddr {
    let line = log.lines().find(|line| line.contains("metrics are read")).expect("it says where");
    line.trim().rsplit("address=").next().unwrap().parse().unwrap()
}

fn read(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("text/plain; version=0.0.4"), "{head}");
    body.to_owned()
}

/// Reads until the text holds a line that begins so.
fn until(address: SocketAddr, start: &str) -> String {
    let begun = Instant::now();
    loop {
        let text = read(address);
        if text.lines().any(|line| line.starts_with(start)) {
            return text;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "no `{start}`: {text}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_shows_numbers_on_the_loopback_whatever_their_readers_do() {
    let world = TestRegion::new();
    let (mut office, config) = prepared(&world);
    with_metrics(&config, "127.0.0.1:0");
    let gateway = Process::start(&config);
    office.listens_at(gateway.address);
    let address = port(&gateway.log());
    // Nobody reads an answer, and nobody sends a request; questions are answered, and honest readers get theirs.
    let silent: Vec<TcpStream> = (0..300)
        .map(|which| {
            let mut stream = TcpStream::connect(address).unwrap();
            let head: &[u8] =
                if which % 2 == 0 { b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" } else { b"GET" };
            drop(stream.write_all(head));
            stream
        })
        .collect();
    let analyst = world.analyst();
    analyst.ask(&office, &persons("by sex", "0.5")).await.unwrap();
    analyst.estimate(&office, &persons("by sex", "0.25")).await.unwrap();
    let query = "lango_calls_total{rpc_system_name=\"grpc\",rpc_method=\"lango.v1.GatewayService/Query\",rpc_response_status_code=\"OK\"} 1";
    let text = tokio::task::spawn_blocking(move || until(address, query)).await.unwrap();
    for start in [
        "target_info{service_name=\"lango-gateway\",service_version=\"",
        "lango_log_entries ",
        "lango_log_kept_timestamp_seconds ",
        "lango_revocation_lists 0",
        "lango_store_failed_transactions_total 0",
        "rpc_server_call_duration_seconds_count{rpc_system_name=\"grpc\",rpc_method=\"lango.v1.GatewayService/Estimate\"",
    ] {
        assert!(text.lines().any(|line| line.starts_with(start)), "no `{start}`: {text}");
    }
    keep("gateway.txt", &text);
    drop(silent);
    let (_, ended, log) = gateway.stop();
    assert!(ended, "{log}");
}

#[test]
fn metrics_are_shown_on_the_loopback_alone() {
    let world = TestRegion::new();
    let (_office, config) = prepared(&world);
    let plain = fs::read_to_string(&config).unwrap();
    for (address, words) in [
        ("0.0.0.0:9464", "`metrics` is an address of the loopback"),
        ("[::]:9464", "`metrics` is an address of the loopback"),
        ("192.0.2.1:9464", "write one such as \"127.0.0.1:9464\""),
        ("9464", "`metrics` is an address and a port"),
        ("localhost:9464", "`metrics` is an address and a port"),
    ] {
        fs::write(&config, &plain).unwrap();
        with_metrics(&config, address);
        let (code, said) = fails(&config);
        assert!(code == Some(1) && said.contains(words), "{address}: {code:?} {said}");
    }
    // Where nothing is said, nothing is shown.
    fs::write(&config, &plain).unwrap();
    let gateway = Process::start(&config);
    assert!(!gateway.log().contains("metrics"), "{}", gateway.log());
    let (_, ended, log) = gateway.stop();
    assert!(ended, "{log}");
    for loopback in ["[::1]:0", "127.9.9.9:0"] {
        fs::write(&config, &plain).unwrap();
        with_metrics(&config, loopback);
        let gateway = Process::start(&config);
        assert!(read(port(&gateway.log())).contains("lango_connections 0"), "{loopback}");
        drop(gateway);
    }
}

#[test]
fn a_coordinator_shows_its_members() {
    let world = TestRegion::new();
    let folder = tempfile::tempdir().unwrap();
    world.identity(Role::Coordinator, "main").save(&folder.path().join("identity"));
    fs::write(folder.path().join("authority.pem"), world.authority.to_pem().certificate_pem).unwrap();
    let config = folder.path().join("coordinator.toml");
    let region = format!("name = \"ecowas.example\"\nauthority = \"authority.pem\"\nsigning_eku = \"{EKU}\"");
    let member =
        |office: &str| format!("[[member]]\noffice = \"{office}\"\naddress = \"https://127.0.0.1:1\"\n");
    let members = ["BEN", "GHA"].map(member).concat();
    let text =
        format!("listen = \"127.0.0.1:0\"\nidentity = \"identity\"\n\n[region]\n{region}\n\n{members}");
    fs::write(&config, text).unwrap();
    with_metrics(&config, "127.0.0.1:0");
    let coordinator = Process::start_coordinator(&config);
    let text = until(port(&coordinator.log()), "lango_members{lango_state=\"unasked\"} 2");
    assert!(text.contains("service_name=\"lango-coordinator\"") && !text.contains("lango_log_"), "{text}");
    keep("coordinator.txt", &text);
}

/// For a parser that others wrote: `tests/run` reads what lies here.
fn keep(name: &str, text: &str) {
    let folder = program::project().join("target/metrics");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), text).unwrap();
}
