use std::sync::Arc;

use super::*;
use crate::fixture::{World, id};
use crate::peer::Expected;
use crate::tls::tests::{clock, handshake, identity, tls, today, yesterday};
use crate::tls::{client_config, server_config};
use lango_principal::Role;

const GHA: &str = "spiffe://lango.example/office/GHA";
const HUB: &str = "spiffe://lango.example/coordinator/hub";

/// The client's explanation of a handshake with the server, both in the client's region.
fn explained(world: &World, own: &TlsIdentity, server: &TlsIdentity, expected: Expected) -> String {
    let client = client_config(own, &world.region, expected).unwrap();
    let error = handshake(client, server_config(server, &world.region).unwrap()).client.unwrap();
    explain_handshake(&error, own, &world.region, clock())
}

#[test]
fn the_certificate_at_fault_is_named() {
    let world = World::new();
    let good = |uri| tls(&world, uri, today());
    let role = || Expected::Role(Role::Office);
    let signing =
        identity(&world.authority.issue_signing(&id(HUB), today(), world.region.signing_eku()).unwrap());
    let cases: Vec<(TlsIdentity, TlsIdentity, Expected, &str)> = vec![
        (
            tls(&world, HUB, yesterday()),
            good(GHA),
            role(),
            "this side's own certificate: the certificate expired at 20",
        ),
        (
            tls(&World::new(), HUB, today()),
            good(GHA),
            role(),
            "this side's own certificate: the certificate is not from the region's authority; check that `tls.pem`",
        ),
        (signing, good(GHA), role(), "this side's own certificate: the certificate is for signing"),
        (good(HUB), tls(&world, GHA, yesterday()), role(), "the peer's certificate expired at 20"),
        (
            good(HUB),
            tls(&World::new(), GHA, today()),
            role(),
            "the peer's certificate is not from the region's authority; check the address",
        ),
        (
            good(HUB),
            good(GHA),
            Expected::Id(id("spiffe://lango.example/office/SEN")),
            "the peer is `spiffe://lango.example/office/GHA` instead of `spiffe://lango.example/office/SEN`; check",
        ),
        (
            good(HUB),
            good(HUB),
            role(),
            "the peer `spiffe://lango.example/coordinator/hub` is not of role `office`; check",
        ),
        (
            tls(&world, HUB, yesterday()),
            good(HUB),
            role(),
            "the peer `spiffe://lango.example/coordinator/hub` is not of role `office`; check the address, and who is \
             expected there; also, this side's own certificate: the certificate expired",
        ),
    ];
    for (own, server, expected, words) in cases {
        let explained = explained(&world, &own, &server, expected);
        assert!(explained.starts_with(words), "{explained}\n{words}");
    }
}

#[test]
fn own_certificate_and_key_are_checked_without_a_connection() {
    let world = World::new();
    let future = crate::Lifetime { not_before: clock() + 1000, not_after: clock() + 2000 };
    let (one, other) = (world.authority.issue_tls(&id(GHA), today(), &[]).unwrap(), world.tls(GHA));
    let mixed = TlsIdentity::from_pem(one.certificate_pem.as_bytes(), other.key_pem.as_bytes()).unwrap();
    let check = |own: &TlsIdentity| check_own(own, &world.region, clock());
    assert!(check(&tls(&world, GHA, today())).is_ok());
    assert!(matches!(
        check(&tls(&world, GHA, yesterday())),
        Err(OwnFault::Chain(ChainFault::Expired { .. }))
    ));
    assert!(matches!(check(&tls(&world, GHA, future)), Err(OwnFault::Chain(ChainFault::NotYetValid { .. }))));
    let foreign = World::of("other.example");
    let foreign = tls(&foreign, "spiffe://other.example/office/GHA", today());
    assert!(matches!(check(&foreign), Err(OwnFault::Certificate(CertificateFault::TrustDomain { .. }))));
    assert!(matches!(check(&mixed), Err(OwnFault::Key(_))));
}

#[test]
fn an_alert_is_explained_when_this_side_is_in_order() {
    let world = World::new();
    let own = tls(&world, HUB, today());
    for (alert, words) in [
        (AlertDescription::CertificateRequired, "the peer wants a certificate and was shown none"),
        (AlertDescription::UnknownCA, "the peer does not know the authority of this side's certificate"),
        (AlertDescription::CertificateExpired, "the peer takes this side's certificate for expired"),
        (
            AlertDescription::HandshakeFailure,
            "the peer ended the TLS connection with the alert HandshakeFailure",
        ),
    ] {
        let explained = explain_handshake(&rustls::Error::AlertReceived(alert), &own, &world.region, clock());
        assert!(explained.starts_with(words), "{explained}");
    }
}

#[test]
fn the_tls_error_is_found_at_any_depth() {
    #[derive(Debug, thiserror::Error)]
    #[error("transport error")]
    struct Transport(#[source] io::Error);

    let world = World::new();
    let own = tls(&world, HUB, today());
    let explained = |inner: io::Error| explain_handshake(&Transport(inner), &own, &world.region, clock());
    let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
    let nested = io::Error::other(Transport(io::Error::new(io::ErrorKind::InvalidData, unknown)));
    assert!(explained(nested).starts_with("the peer's certificate is not from the region's authority"));
    assert_eq!(explained(io::Error::other("connection refused")), "transport error: connection refused");
}

#[test]
fn a_client_is_explained_to_a_server_too() {
    let world = World::new();
    let own = tls(&world, GHA, today());
    let server = server_config(&own, &world.region).unwrap();
    let client = tls(&world, HUB, yesterday());
    let client = client_config(&client, &world.region, Expected::Role(Role::Office)).unwrap();
    let error = handshake(client, Arc::clone(&server)).server.unwrap();
    let explained = explain_handshake(&error, &own, &world.region, clock());
    assert!(explained.starts_with("the peer's certificate expired at 20"), "{explained}");
}
