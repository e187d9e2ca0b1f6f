//! SIGTERM ends a server in time, whatever is open.

use std::{net::SocketAddr, time::Duration};

use lango_identity::{Expected, PayloadType, Role, SpiffeId, client_config};
use lango_testkit::{Caller, Office, Register, TestLedger, TestRegion, persons};
use lango_transport as transport;
use tokio::{io::AsyncWriteExt, net::TcpStream};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{BODY, fill_as, policy, process::Process, until};

const SHUTDOWN: Duration = Duration::from_secs(1);
/// The machine may have other work.
const SLACK: Duration = Duration::from_secs(2);

/// Connections in every state, held until they are dropped: silent, half through the handshake, and with a stream that never
/// ends.
async fn hold_open(
    world: &TestRegion,
    caller: &Caller,
    address: SocketAddr,
    id: &SpiffeId,
    service: &str,
) -> (Vec<TcpStream>, tonic::Streaming<tonic_health::pb::HealthCheckResponse>) {
    let mut held = Vec::new();
    for first in [&[][..], &[0x16, 3, 1, 2, 0]] {
        for _ in 0..20 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(first).await.unwrap();
            held.push(stream);
        }
    }
    let config = client_config(&caller.tls, &world.region, Expected::Id(id.clone())).unwrap();
    let address = format!("https://{address}").parse().unwrap();
    let channel = transport::connect(&address, config, Duration::from_secs(10)).await.unwrap();
    let request = HealthCheckRequest { service: service.to_owned() };
    let mut watch = HealthClient::new(channel).watch(request).await.unwrap().into_inner();
    watch.message().await.unwrap().unwrap();
    (held, watch)
}

#[tokio::test]
async fn a_gateway_ends_in_time_whatever_is_open_and_its_charge_stays_reserved() {
    let world = TestRegion::new();
    let mut office = Office::prepare(&world, "GHA", &policy(), &Register::default());
    office.limits.shutdown = SHUTDOWN;
    // Rows that must be ranked, so that the question takes longer than the stop on a fast machine too.
    fill_as(&office, "INTEGER");
    office.write_policy(&policy().text().replace("rows_at_most = 1", "rows_at_most = 3"));
    let config = office.write_config(&world);
    let analyst = world.analyst();
    let gateway = Process::start(&config);
    office.listens_at(gateway.address);
    let _held = hold_open(&world, &analyst, gateway.address, &office.id, "lango.v1.GatewayService").await;

    let question = analyst.question(&[&office.id], &persons(BODY, "30"));
    let envelope = analyst.sign(PayloadType::Query, question.encode());
    let stopped = async {
        until("a pending reservation", || TestLedger::read(&office.store()).reservations == ["pending"])
            .await;
        tokio::task::spawn_blocking(|| gateway.stop()).await.unwrap()
    };
    let (answer, (took, is_well, log)) = tokio::join!(analyst.send(&office, &envelope), stopped);
    assert!(answer.is_err(), "the question took longer than the stop");
    assert!(took < SHUTDOWN + SLACK && is_well, "{took:?}: {log}");
    assert!(log.contains("connections were cut"), "{log}");
    let charged = office.ledger();
    assert_eq!(
        (charged.pure_nano(""), charged.reservations.as_slice()),
        (30_000_000_000, &["pending".to_owned()][..])
    );

    // The same question goes on from there, at no second charge.
    let gateway = Process::start(&config);
    office.listens_at(gateway.address);
    let answer = analyst.send(&office, &envelope).await.unwrap();
    assert_eq!(answer.charged.pure_nano, Some(0));
    assert_eq!(office.ledger().accounts, charged.accounts);
}

#[tokio::test]
async fn a_coordinator_ends_in_time_whatever_is_open() {
    let world = TestRegion::new();
    let office = Office::prepare(&world, "GHA", &policy(), &Register::sample(1));
    office.write_config(&world);
    let identity = world.identity(Role::Coordinator, "main");
    identity.save(&office.folder().join("coordinator"));
    // A member that accepts and never says a word.
    let member = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = office.folder().join("coordinator.toml");
    let (region, eku) = (world.region.trust_domain(), world.region.signing_eku());
    let text = format!(
        "listen = \"127.0.0.1:0\"\nidentity = \"coordinator\"\nconnect_timeout_s = 60\n\n[region]\nname = \"{region}\"\n\
         authority = \"authority.pem\"\nsigning_eku = \"{eku}\"\n\n[[member]]\noffice = \"GHA\"\naddress = \"https://{}\"\n\n\
         [limits]\nshutdown_s = {}\n",
        member.local_addr().unwrap(),
        SHUTDOWN.as_secs()
    );
    std::fs::write(&config, text).unwrap();
    let coordinator = Process::start_coordinator(&config);
    let analyst = world.analyst();
    let service = "lango.v1.CoordinatorService";
    let _held = hold_open(&world, &analyst, coordinator.address, &identity.id, service).await;
    let (took, is_well, log) = tokio::task::spawn_blocking(|| coordinator.stop()).await.unwrap();
    assert!(took < SHUTDOWN + SLACK && is_well, "{took:?}: {log}");
    assert!(log.contains("connections were cut"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_hung_up_on_while_it_starts_goes_on_starting() {
    let world = TestRegion::new();
    let office = Office::prepare(&world, "GHA", &policy(), &Register::sample(5));
    let (_, ended, log) = Process::start_hung_up(&office.write_config(&world)).stop();
    assert!(ended, "{log}");
}
