//! Certificates that are good, and not for this: each is refused at the handshake or by the envelope, and nothing is recorded or
//! charged.

use std::time::Duration;

use lango_identity::{
    Expected, PayloadType, Role, TlsIdentity, client_config, explain_handshake, server_config,
};
use lango_testkit::{Caller, Office, Policy, Register, TestLedger, TestRegion, persons};
use lango_transport::{self as transport, Address, Pressure, ServerLimits};
use lango_wire::pb;
use tonic::{Code, service::Routes};

const SOON: Duration = Duration::from_secs(10);

/// Whether an office lets somebody in with this certificate, by what the other side's TLS says: the first call fails where the
/// handshake looked well from here.
async fn is_let_in(office: &Office, world: &TestRegion, tls: &TlsIdentity) -> bool {
    // This side takes whatever it is given: it is the office that refuses.
    let config = client_config(tls, &world.region, Expected::Id(office.id.clone())).unwrap();
    transport::connect(&office.address(), config, SOON).await.is_ok()
}

#[tokio::test]
async fn a_certificate_of_another_region_a_self_signed_one_and_none_of_the_right_kind_get_no_connection() {
    let world = TestRegion::new();
    let office = Office::start(&world, &Policy::of("GHA"), &Register::sample(1)).await;
    let pem = |issued: &lango_identity::Issued| {
        TlsIdentity::from_pem(issued.certificate_pem.as_bytes(), issued.key_pem.as_bytes()).unwrap()
    };
    let other = TestRegion::of("sadc.example");
    let itself = TestRegion::new().authority.to_pem();
    let own_authority = world.authority.to_pem();
    let awa = world.identity(Role::Analyst, "awa");
    for (what, tls, is_good) in [
        ("good", awa.tls(), true),
        ("of another region", other.identity(Role::Analyst, "awa").tls(), false),
        ("self-signed", pem(&itself), false),
        ("the authority's own", pem(&own_authority), false),
        ("for signing", pem(&awa.signing), false),
    ] {
        assert_eq!(is_let_in(&office, &world, &tls).await, is_good, "{what}");
    }
    assert_eq!((office.ledger(), office.records()), (TestLedger::default(), Vec::new()));
}

#[tokio::test]
async fn what_is_signed_in_another_region_by_the_authority_itself_or_by_a_key_for_tls_proves_nothing() {
    let world = TestRegion::new();
    let office = Office::start(&world, &Policy::of("GHA"), &Register::sample(1)).await;
    let awa = world.analyst();
    let good = awa.sign(PayloadType::Query, awa.question(&[&office.id], &persons("by sex", "1")).encode());
    let other = TestRegion::of("sadc.example").analyst();
    let chain = |tls: &TlsIdentity| tls.chain().iter().map(|der| der.to_vec()).collect::<Vec<_>>();
    let authority = vec![world.authority.certificate().to_vec()];
    for (what, envelope) in [
        ("another region's", other.sign(PayloadType::Query, good.payload.clone())),
        ("the authority's certificate", pb::Envelope { certificates: authority, ..good.clone() }),
        ("a certificate for TLS", pb::Envelope { certificates: chain(&awa.tls), ..good.clone() }),
    ] {
        let mut gateway = awa.gateway(&office).await;
        let request = pb::GatewayServiceQueryRequest { query: Some(envelope) };
        let status = gateway.query(request).await.unwrap_err();
        assert_eq!((status.code(), status.details()), (Code::Unauthenticated, &[][..]), "{what}");
    }
    assert_eq!((office.ledger(), office.records()), (TestLedger::default(), Vec::new()));
    awa.send(&office, &good).await.unwrap();
}

#[tokio::test]
async fn an_analyst_is_no_office_neither_at_the_other_end_nor_under_an_answer() {
    let world = TestRegion::new();
    let office = Office::start(&world, &Policy::of("GHA"), &Register::sample(1)).await;
    let awa = world.analyst();
    // A server that shows an analyst's certificate is connected to by nobody who looks for the office, whatever its name is.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: Address = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
    let tls = server_config(&world.identity(Role::Analyst, "GHA").tls(), &world.region).unwrap();
    tokio::spawn(async move {
        let metrics = lango_metrics::Metrics::of_gateway(&[]);
        let limits = (&ServerLimits::default(), &Pressure::default(), &metrics);
        transport::serve(listener, tls, Routes::default(), limits, std::future::pending()).await;
    });
    for expected in [Expected::Id(office.id.clone()), Expected::Role(Role::Office)] {
        let config = client_config(&awa.tls, &world.region, expected).unwrap();
        let error = transport::connect(&address, config, SOON).await.expect_err("an analyst is no office");
        let said = explain_handshake(&error, &awa.tls, &world.region, world.clock.get());
        assert!(said.contains("analyst/GHA"), "{said}");
    }

    // What an analyst signs in its name is believed by nobody.
    let question = awa.question(&[&office.id], &persons("by sex", "1"));
    let envelope = awa.sign(PayloadType::Query, question.encode());
    let request = pb::GatewayServiceQueryRequest { query: Some(envelope.clone()) };
    let release = awa.gateway(&office).await.query(request).await.unwrap().into_inner().release.unwrap();
    let forged = |signer: &Caller| {
        let payload = release.envelope.clone().unwrap().payload;
        pb::Release { envelope: Some(signer.sign(PayloadType::Release, payload)), ..release.clone() }
    };
    let request_digest = lango_identity::digest(PayloadType::Query, &envelope.payload);
    let inquiry = awa.inquiry(&request_digest, None);
    assert!(inquiry.release(release.clone(), &office.id).is_ok());
    for role in [Role::Analyst, Role::Coordinator, Role::Auditor, Role::Administrator] {
        let error = inquiry.release(forged(&world.caller(role, "GHA")), &office.id).unwrap_err().to_string();
        assert!(error.contains("GHA"), "{role:?}: {error}");
    }
    let other = inquiry.release(forged(&world.caller(Role::Office, "TGO")), &office.id);
    assert!(other.is_err(), "another office's");
    assert_eq!(office.ledger().reservations, ["spent"]);
}
