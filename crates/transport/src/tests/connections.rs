//! Connections: who gets one, and that a refusal can be explained at the refused end.

use std::{error::Error, time::Duration};

use lango_identity::{
    Expected, Lifetime, Region, Role, TlsIdentity, client_config, explain_handshake, server_config,
};
use lango_metrics::Metrics;
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tonic::service::Routes;
use tower::ServiceExt;

use crate::{
    Address, Pressure, ServerLimits, channel, connect, serve,
    tests::world::{CALLER, GATEWAY, SOON, World, address, now},
};

#[tokio::test]
async fn members_of_the_region_are_connected() {
    let world = World::new();
    let gateway = address(world.gateway(ServerLimits::default()).await);
    let own = world.today(CALLER);
    connect(&gateway, world.client(&own, GATEWAY), SOON).await.unwrap();
    let role = client_config(&own, &world.region, Expected::Role(Role::Office)).unwrap();
    let channel = channel(&gateway, role, SOON);
    let request = tonic::codegen::http::Request::builder().uri("/x/y").body(tonic::body::Body::empty());
    assert_eq!(channel.oneshot(request.unwrap()).await.unwrap().status(), 200);
}

/// The errors that the client of a failed connection gets.
async fn refused(world: &World, gateway: &Address, own: &TlsIdentity, expected: &str) -> [String; 2] {
    let config = world.client(own, expected);
    let say = |error: &(dyn Error + 'static)| explain_handshake(error, own, &world.region, now());
    let eager = connect(gateway, config.clone(), SOON).await.unwrap_err();
    let request = tonic::codegen::http::Request::builder().uri("/x/y").body(tonic::body::Body::empty());
    let lazy = channel(gateway, config, SOON).oneshot(request.unwrap()).await.unwrap_err();
    let status = tonic::Status::from_error(Box::new(lazy));
    assert_eq!(status.code(), tonic::Code::Unavailable);
    [say(&eager), say(&status)]
}

#[tokio::test]
async fn a_refused_certificate_is_explained_to_its_owner() {
    let (world, other) = (World::new(), World::new());
    let gateway = address(world.gateway(ServerLimits::default()).await);
    let old = world.identity(CALLER, Lifetime { not_before: now() - 1_000, not_after: now() - 500 });
    for (own, expected, said) in [
        (old, GATEWAY, "expired"),
        (world.today(CALLER), CALLER, "the peer is `spiffe://lango.example/office/GHA` instead of"),
        (other.today(CALLER), GATEWAY, "authority"),
    ] {
        for explained in refused(&world, &gateway, &own, expected).await {
            assert!(explained.contains(said), "{explained}");
        }
    }
    // The client's own certificate is fine by its own region: only the gateway's alert says what is wrong.
    let stranger = World::new();
    let mixed = Region::new(
        "lango.example",
        [world.region.authorities(), stranger.region.authorities()].concat(),
        "1.3.6.1.4.1.32473.1.1".parse().unwrap(),
    );
    let mixed = World { authority: stranger.authority, region: mixed.unwrap() };
    let own = mixed.today(CALLER);
    for explained in refused(&mixed, &gateway, &own, GATEWAY).await {
        assert!(explained.contains("the peer does not know the authority"), "{explained}");
    }
}

#[tokio::test]
async fn nobody_there_and_nobody_speaking_are_different_errors() {
    let world = World::new();
    let own = world.today(CALLER);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = listener.local_addr().unwrap();
    let config = world.client(&own, GATEWAY);
    let late = connect(&address(silent), config.clone(), Duration::from_millis(200)).await.unwrap_err();
    assert!(explain_handshake(&late, &own, &world.region, now()).contains("the connection took more than"));
    drop(listener);
    let gone = connect(&address(silent), config, SOON).await.unwrap_err();
    assert!(explain_handshake(&gone, &own, &world.region, now()).contains("refused"));
}

#[tokio::test]
async fn a_server_that_stops_listens_no_more() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let socket = listener.local_addr().unwrap();
    let config = server_config(&world.today(GATEWAY), &world.region).unwrap();
    let stopped = Box::pin(tokio::time::sleep(Duration::from_millis(20)));
    let metrics = Metrics::of_gateway(&[]);
    let limits = (&ServerLimits::default(), &Pressure::default(), &metrics);
    serve(listener, config, Routes::default(), limits, stopped).await;
    assert!(timeout(SOON, TcpStream::connect(socket)).await.unwrap().is_err());
}

#[test]
fn an_address_has_a_host_and_a_port_and_nothing_else() {
    for (text, host) in [
        ("https://127.0.0.1:50051", Some("127.0.0.1")),
        ("https://[::1]:50051", Some("::1")),
        ("https://gha.example:443/", Some("gha.example")),
        ("http://gha.example:443", None),
        ("https://gha.example", None),
        ("https://gha.example:443/path", None),
        ("https://gha.example:443?x", None),
        ("https://user@gha.example:443", None),
        ("https://gha_.example-:x", None),
        ("gha.example:443", None),
        ("", None),
    ] {
        let read = text.parse::<Address>();
        assert_eq!(read.as_ref().ok().map(|address| address.host.as_str()), host, "{text}");
        if let Ok(address) = read {
            assert_eq!(address.to_string(), text.trim_end_matches('/'));
        }
    }
}
