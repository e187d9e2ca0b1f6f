use std::io::{Read as _, Write as _};
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, ClientConnection, ServerConnection};

use super::*;
use crate::authority::{Issued, Lifetime};
use crate::certificate::CertificateFault;
use crate::fixture::{World, id};
use crate::peer::peer_id;
use lango_principal::Role;

const GHA: &str = "spiffe://lango.example/office/GHA";
const HUB: &str = "spiffe://lango.example/coordinator/hub";

/// rustls asks the system for the time.
pub(crate) fn clock() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

pub(crate) fn today() -> Lifetime {
    Lifetime::days(clock(), 1)
}

pub(crate) fn yesterday() -> Lifetime {
    Lifetime { not_before: clock() - 200_000, not_after: clock() - 100_000 }
}

pub(crate) fn identity(issued: &Issued) -> TlsIdentity {
    TlsIdentity::from_pem(issued.certificate_pem.as_bytes(), issued.key_pem.as_bytes()).unwrap()
}

pub(crate) fn tls(world: &World, uri: &str, lifetime: Lifetime) -> TlsIdentity {
    identity(&world.authority.issue_tls(&id(uri), lifetime, &["localhost"]).unwrap())
}

/// The first error on either side, once both sides have nothing more to say.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) client: Option<rustls::Error>,
    pub(crate) server: Option<rustls::Error>,
}

/// A handshake over byte buffers.
pub(crate) fn connect(client: &mut ClientConnection, server: &mut ServerConnection) -> Outcome {
    let mut outcome = Outcome::default();
    for _ in 0..8 {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() && outcome.server.is_none() {
            let read = server.read_tls(&mut rest).map_err(|error| rustls::Error::General(error.to_string()));
            outcome.server = read.and_then(|_| server.process_new_packets()).err();
        }
        bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        rest = bytes.as_slice();
        while !rest.is_empty() && outcome.client.is_none() {
            let read = client.read_tls(&mut rest).map_err(|error| rustls::Error::General(error.to_string()));
            outcome.client = read.and_then(|_| client.process_new_packets()).err();
        }
    }
    outcome
}

fn pair(client: Arc<ClientConfig>, server: Arc<ServerConfig>) -> (ClientConnection, ServerConnection) {
    let name = ServerName::try_from("no-such-host.invalid").unwrap();
    (ClientConnection::new(client, name).unwrap(), ServerConnection::new(server).unwrap())
}

pub(crate) fn handshake(client: Arc<ClientConfig>, server: Arc<ServerConfig>) -> Outcome {
    let (mut client, mut server) = pair(client, server);
    connect(&mut client, &mut server)
}

fn office() -> Expected {
    Expected::Role(Role::Office)
}

#[test]
fn both_sides_learn_whom_they_talk_to() {
    let world = World::new();
    for expected in [office(), Expected::Id(id(GHA))] {
        let server = server_config(&tls(&world, GHA, today()), &world.region).unwrap();
        let client = client_config(&tls(&world, HUB, today()), &world.region, expected).unwrap();
        let (mut client, mut server) = pair(client, server);
        let outcome = connect(&mut client, &mut server);
        assert!(outcome.client.is_none() && outcome.server.is_none(), "{outcome:?}");
        assert_eq!(peer_id(client.peer_certificates().unwrap()), Ok(id(GHA)));
        assert_eq!(peer_id(server.peer_certificates().unwrap()), Ok(id(HUB)));
        assert_eq!(client.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
        assert_eq!(server.alpn_protocol(), Some(&b"h2"[..]));

        client.writer().write_all(b"hello").unwrap();
        assert!(connect(&mut client, &mut server).server.is_none());
        let mut received = [0; 5];
        server.reader().read_exact(&mut received).unwrap();
        assert_eq!(&received, b"hello");
    }
}

#[test]
fn a_client_without_a_certificate_is_refused() {
    let world = World::new();
    let server = server_config(&tls(&world, GHA, today()), &world.region).unwrap();
    let client = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(world.region.roots().unwrap())
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
    let mut server = ServerConnection::new(server).unwrap();
    let outcome = connect(&mut client, &mut server);
    assert_eq!(outcome.server, Some(rustls::Error::NoCertificatesPresented));
    assert_eq!(outcome.client, Some(rustls::Error::AlertReceived(AlertDescription::CertificateRequired)));
}

#[test]
fn a_client_that_speaks_tls_1_2_only_is_refused() {
    let world = World::new();
    let server = server_config(&tls(&world, GHA, today()), &world.region).unwrap();
    let mut server = ServerConnection::new(server).unwrap();
    // A ClientHello of version 1.2: random, no session, one cipher suite, no compression, signature_algorithms only.
    let extensions = [0, 13, 0, 4, 0, 2, 4, 3];
    let hello = [&[3, 3][..], &[7; 32], &[0], &[0, 2, 0xc0, 0x2b], &[1, 0], &[0, 8], &extensions].concat();
    let length = u8::try_from(hello.len()).unwrap();
    let record = [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &hello].concat();
    server.read_tls(&mut record.as_slice()).unwrap();
    let refused = server.process_new_packets().unwrap_err();
    assert!(matches!(refused, rustls::Error::PeerIncompatible(_)), "{refused:?}");
}

#[test]
fn a_client_whose_certificate_breaks_a_rule_is_refused() {
    let world = World::new();
    let foreign = World::of("other.example");
    let mut params = world.authority.principal(&id(HUB), today()).unwrap();
    let no_purpose = world.authority.issue(&params, &rcgen::KeyPair::generate().unwrap()).unwrap();
    params.extended_key_usages =
        vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth, rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    params.subject_alt_names.push(params.subject_alt_names[0].clone());
    let two_names = world.authority.issue(&params, &rcgen::KeyPair::generate().unwrap()).unwrap();
    params.subject_alt_names =
        vec![rcgen::SanType::URI("spiffe://other.example/coordinator/hub".try_into().unwrap())];
    let other_domain = world.authority.issue(&params, &rcgen::KeyPair::generate().unwrap()).unwrap();
    let signing = world.authority.issue_signing(&id(HUB), today(), world.region.signing_eku()).unwrap();

    let cases: Vec<(TlsIdentity, &str, AlertDescription)> = vec![
        (tls(&World::new(), HUB, today()), "BadSignature", AlertDescription::DecryptError),
        (
            tls(&foreign, "spiffe://other.example/coordinator/hub", today()),
            "UnknownIssuer",
            AlertDescription::UnknownCA,
        ),
        (tls(&world, HUB, yesterday()), "ExpiredContext", AlertDescription::CertificateExpired),
        (identity(&signing), "InvalidPurposeContext", AlertDescription::UnsupportedCertificate),
        (identity(&no_purpose), "NoTlsPurpose", AlertDescription::CertificateUnknown),
        (identity(&two_names), "UriNames { count: 2 }", AlertDescription::CertificateUnknown),
        (identity(&other_domain), "TrustDomain", AlertDescription::CertificateUnknown),
    ];
    for (own, expected, alert) in cases {
        let server = server_config(&tls(&world, GHA, today()), &world.region).unwrap();
        let outcome = handshake(client_config(&own, &world.region, office()).unwrap(), server);
        let Some(rustls::Error::InvalidCertificate(fault)) = outcome.server else { panic!("{outcome:?}") };
        assert!(format!("{fault:?}").contains(expected), "{fault:?}");
        assert_eq!(outcome.client, Some(rustls::Error::AlertReceived(alert)), "{expected}");
    }
}

#[test]
fn a_server_that_is_not_the_expected_one_is_refused() {
    let world = World::new();
    let sen = "spiffe://lango.example/office/SEN";
    let cases: Vec<(TlsIdentity, Expected, &str)> = vec![
        (
            tls(&world, HUB, today()),
            office(),
            "the peer `spiffe://lango.example/coordinator/hub` is not of role `office`",
        ),
        (
            tls(&world, GHA, today()),
            Expected::Id(id(sen)),
            "the peer is `spiffe://lango.example/office/GHA` instead of `spiffe://lango.example/office/SEN`",
        ),
    ];
    for (own, expected, words) in cases {
        let client = client_config(&tls(&world, HUB, today()), &world.region, expected).unwrap();
        let outcome = handshake(client, server_config(&own, &world.region).unwrap());
        let Some(rustls::Error::InvalidCertificate(CertificateError::Other(fault))) = outcome.client else {
            panic!("{outcome:?}")
        };
        assert_eq!(fault.to_string(), words);
    }
}

#[test]
fn a_server_whose_certificate_breaks_a_rule_is_refused() {
    let world = World::new();
    let cases: Vec<(TlsIdentity, &str)> = vec![
        (tls(&World::new(), GHA, today()), "BadSignature"),
        (tls(&world, GHA, yesterday()), "ExpiredContext"),
        (
            identity(&world.authority.issue_signing(&id(GHA), today(), world.region.signing_eku()).unwrap()),
            "InvalidPurposeContext",
        ),
    ];
    for (own, expected) in cases {
        let client = client_config(&tls(&world, HUB, today()), &world.region, office()).unwrap();
        let outcome = handshake(client, server_config(&own, &world.region).unwrap());
        assert!(format!("{:?}", outcome.client).contains(expected), "{outcome:?}");
    }
}

#[test]
fn an_identity_is_read_from_its_directory_and_prints_no_key() {
    let world = World::new();
    let dir = tempfile::tempdir().unwrap();
    assert!(TlsIdentity::load(dir.path()).unwrap_err().to_string().contains("tls.pem"));
    world.tls(GHA).save(dir.path(), "tls").unwrap();
    let own = TlsIdentity::load(dir.path()).unwrap();
    assert_eq!(own.id(), Ok(id(GHA)));
    assert_eq!(format!("{own:?}"), "TlsIdentity { chain: 1, .. }");
}

#[test]
fn a_key_of_another_certificate_makes_no_settings() {
    let world = World::new();
    let (one, other) = (world.tls(GHA), world.tls(GHA));
    let own = TlsIdentity::from_pem(one.certificate_pem.as_bytes(), other.key_pem.as_bytes()).unwrap();
    assert!(matches!(server_config(&own, &world.region), Err(TlsError::Rustls(_))));
    assert!(matches!(client_config(&own, &world.region, office()), Err(TlsError::Rustls(_))));
}

#[test]
fn a_peer_that_shows_nothing_or_no_principal_has_no_id() {
    assert_eq!(peer_id(&[]), Err(PeerFault::NoCertificate));
    let refused = peer_id(&[CertificateDer::from(vec![0x30])]);
    assert!(matches!(refused, Err(PeerFault::Certificate(CertificateFault::Encoding(_)))));
}
