//! Connections: which principals get one, what the others see on their own side, and what every connection serves.

use std::{error::Error, sync::Arc, time::Duration};

use lango_identity::{
    Expected, Lifetime, PayloadType, Region, Role, TlsIdentity, client_config, explain_handshake,
};
use lango_testkit::{EKU, Office, Policy, Register, TestCoordinator, TestRegion, persons};
use lango_transport::{self as transport, Address};
use lango_wire::pb;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::{Code, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

const SOON: Duration = Duration::from_secs(10);

/// A client that shows no certificate.
fn bare(region: &Region) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    region.authorities().iter().for_each(|authority| roots.add(authority.clone()).unwrap());
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

/// What the owner of a certificate sees after trying to connect with it.
async fn explained(
    address: &Address,
    config: Arc<ClientConfig>,
    own: &TlsIdentity,
    region: &Region,
    now: i64,
) -> String {
    let error = transport::connect(address, config, SOON).await.expect_err("the handshake fails");
    explain_handshake(&error as &(dyn Error + 'static), own, region, now)
}

#[tokio::test]
async fn a_handshake_that_fails_is_explained_on_the_failing_side() {
    let (world, stranger) = (TestRegion::new(), TestRegion::new());
    let office = Office::start(&world, &Policy::of("GHA"), &Register::sample(1)).await;
    let coordinator =
        TestCoordinator::start(&world, vec![(office.id.clone(), office.address())], Duration::from_secs(5))
            .await;
    let awa = world.id(Role::Analyst, "awa");
    let (life, past) = (world.lifetime(), world.past());
    let good = world.identity_of(&awa, life, life).tls();
    let expired = world.identity_of(&awa, past, life).tls();
    let early =
        Lifetime { not_before: world.clock.get() + 86_400, not_after: world.clock.get() + 2 * 86_400 };
    let early = world.identity_of(&awa, early, life).tls();
    let foreign = stranger.identity_of(&awa, life, life).tls();
    // A client whose own region knows both authorities finds nothing wrong at home: the gateway's alert must say it.
    let both = [world.region.authorities(), stranger.region.authorities()].concat();
    let both = Region::new("ecowas.example", both, EKU.parse().unwrap()).unwrap();
    let signing = world.identity(Role::Analyst, "awa");
    let signing =
        TlsIdentity::from_pem(signing.signing.certificate_pem.as_bytes(), signing.signing.key_pem.as_bytes())
            .unwrap();
    let here: Address = format!("https://{}", coordinator.address()).parse().unwrap();

    for (address, id) in [(office.address(), &office.id), (here, &coordinator.id)] {
        let expect = || Expected::Id(id.clone());
        let config = |own: &TlsIdentity, region: &Region| client_config(own, region, expect()).unwrap();
        let wrong = client_config(&good, &world.region, Expected::Id(world.id(Role::Office, "TGO"))).unwrap();
        for (what, own, region, config, said) in [
            (
                "no certificate",
                &good,
                &world.region,
                bare(&world.region),
                "the peer wants a certificate and was shown none",
            ),
            (
                "an expired one",
                &expired,
                &world.region,
                config(&expired, &world.region),
                "this side's own certificate: the certificate expired at ",
            ),
            (
                "one not yet valid",
                &early,
                &world.region,
                config(&early, &world.region),
                "this side's own certificate: ",
            ),
            (
                "another authority's",
                &foreign,
                &both,
                config(&foreign, &both),
                "the peer does not know the authority of this side's certificate",
            ),
            (
                "another authority's, at home",
                &foreign,
                &stranger.region,
                config(&foreign, &stranger.region),
                "not from the region's authority",
            ),
            (
                "one for signing",
                &signing,
                &world.region,
                config(&signing, &world.region),
                "must not serve TLS",
            ),
            (
                "somebody else at the other end",
                &good,
                &world.region,
                wrong,
                "instead of `spiffe://ecowas.example/office/TGO`",
            ),
        ] {
            let explained = explained(&address, config, own, region, world.clock.get()).await;
            assert!(explained.contains(said), "{what}: {explained}");
        }
        transport::connect(&address, config(&good, &world.region), SOON).await.unwrap();
    }
    world.analyst().ask(&office, &persons("by sex", "1")).await.unwrap();
}

async fn healthy(channel: Channel, service: &str) -> Result<i32, Code> {
    let request = HealthCheckRequest { service: service.to_owned() };
    let answer = HealthClient::new(channel).check(request).await;
    answer.map(|answer| answer.into_inner().status).map_err(|status| status.code())
}

async fn services(channel: Channel) -> Vec<String> {
    let message_request = Some(MessageRequest::ListServices(String::new()));
    let request = ServerReflectionRequest { host: String::new(), message_request };
    let mut client = ServerReflectionClient::new(channel);
    let answers = client.server_reflection_info(tokio_stream::iter([request])).await.unwrap();
    match answers.into_inner().message().await.unwrap().unwrap().message_response {
        Some(MessageResponse::ListServicesResponse(list)) => {
            list.service.into_iter().map(|service| service.name).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn health_and_reflection_answer_every_principal_of_the_region() {
    let world = TestRegion::new();
    let office = Office::start(&world, &Policy::of("GHA"), &Register::sample(1)).await;
    let coordinator =
        TestCoordinator::start(&world, vec![(office.id.clone(), office.address())], Duration::from_secs(5))
            .await;
    let administrator = world.caller(Role::Administrator, "yaw");
    let gateway = administrator.connect(&office).await;
    let address: Address = format!("https://{}", coordinator.address()).parse().unwrap();
    let config =
        client_config(&administrator.tls, &world.region, Expected::Id(coordinator.id.clone())).unwrap();
    let relay = transport::connect(&address, config, SOON).await.unwrap();
    for (channel, service) in [(gateway, "lango.v1.GatewayService"), (relay, "lango.v1.CoordinatorService")] {
        for (asked, expected) in [
            ("", Ok(ServingStatus::Serving as i32)),
            (service, Ok(ServingStatus::Serving as i32)),
            ("x", Err(Code::NotFound)),
        ] {
            assert_eq!(healthy(channel.clone(), asked).await, expected, "{service} {asked}");
        }
        let listed = services(channel).await;
        for expected in [service, "grpc.health.v1.Health"] {
            assert!(listed.iter().any(|name| name == expected), "{listed:?}");
        }
    }
}

#[tokio::test]
async fn what_is_no_request_leaves_the_gateway_up() {
    let world = TestRegion::new();
    let office = Office::start(&world, &Policy::of("GHA"), &Register::sample(1)).await;
    let analyst = world.analyst();
    let address = office.address().to_string();
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0x16, 0x03, 0x01, 0xff, 0xff], &[]] {
        let mut stream = TcpStream::connect(address.trim_start_matches("https://")).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        // The gateway ends the connection, with an alert or without.
        drop(stream.read_to_end(&mut Vec::new()).await);
    }
    // A message above the limit is not even read.
    let envelope = analyst.sign(PayloadType::Query, vec![0; 600 * 1024]);
    let request = pb::GatewayServiceQueryRequest { query: Some(envelope) };
    let status = analyst.gateway(&office).await.query(request).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status}");
    assert!(office.records().is_empty());
    analyst.ask(&office, &persons("by sex", "1")).await.unwrap();
}
