//! Envelopes that prove nothing: the caller learns no more than that; the gateway's log says why.

use lango_identity::{PayloadType, Role, digest};
use lango_testkit::{Caller, Office, Policy, Register, TestLedger, TestRegion, persons};
use lango_wire::{Object, pb};
use tonic::{Code, Status};

use crate::log::Log;

#[derive(Debug, Clone, Copy)]
enum Call {
    Query,
    Estimate,
    Describe,
    GetRelease,
}

async fn call(caller: &Caller, office: &Office, call: Call, envelope: Option<pb::Envelope>) -> Status {
    let mut gateway = caller.gateway(office).await;
    let failed = match call {
        Call::Query => gateway.query(pb::GatewayServiceQueryRequest { query: envelope }).await.err(),
        Call::Estimate => {
            gateway.estimate(pb::GatewayServiceEstimateRequest { estimate: envelope }).await.err()
        }
        Call::Describe => {
            gateway.describe(pb::GatewayServiceDescribeRequest { lookup: envelope }).await.err()
        }
        Call::GetRelease => {
            gateway.get_release(pb::GatewayServiceGetReleaseRequest { lookup: envelope }).await.err()
        }
    };
    failed.expect("the envelope proves nothing")
}

#[tokio::test]
async fn an_envelope_that_proves_nothing_is_refused_without_a_word_why() {
    let (world, stranger) = (TestRegion::new(), TestRegion::new());
    let office = Office::start(&world, &Policy::of("GHA"), &Register::sample(1)).await;
    let analyst = world.analyst();
    let question = analyst.question(&[&office.id], &persons("by sex", "1")).encode();
    let sign = |kind| analyst.sign(kind, question.clone());
    let lookup = |object| analyst.sign(PayloadType::Lookup, analyst.lookup(&[&office.id], object).encode());
    let relabelled = |from, to: PayloadType| pb::Envelope { r#type: to.media_type().into(), ..sign(from) };
    let mut flipped_signature = sign(PayloadType::Query);
    flipped_signature.signature[10] ^= 1;
    let mut flipped_payload = sign(PayloadType::Query);
    *flipped_payload.payload.last_mut().unwrap() ^= 1;
    // The strangers' own signature is good: their authority is not the region's.
    let foreign = stranger.analyst().sign(PayloadType::Query, question.clone());
    let old = world.identity_of(&analyst.id, world.lifetime(), world.past());
    let expired = world.caller_with(&old).sign(PayloadType::Query, question.clone());
    let tls: Vec<Vec<u8>> = analyst.tls.chain().iter().map(|der| der.to_vec()).collect();
    let tls = pb::Envelope { certificates: tls, ..sign(PayloadType::Query) };
    let swapped = world.caller(Role::Analyst, "kofi").sign(PayloadType::Query, Vec::new()).certificates;
    let swapped = pb::Envelope { certificates: swapped, ..sign(PayloadType::Query) };
    let nobody = pb::Envelope { certificates: Vec::new(), ..sign(PayloadType::Query) };
    let many = pb::Envelope {
        certificates: vec![sign(PayloadType::Query).certificates[0].clone(); 5],
        ..sign(PayloadType::Query)
    };
    let large = analyst.sign(PayloadType::Query, vec![0; 257 * 1024]);

    let log = Log::new();
    for (what, on, envelope, logged) in [
        (
            "a price enquiry as a question",
            Call::Query,
            Some(sign(PayloadType::Estimate)),
            "of type `application/vnd.lango.estimate.v1`",
        ),
        (
            "the same, relabelled",
            Call::Query,
            Some(relabelled(PayloadType::Estimate, PayloadType::Query)),
            "signature",
        ),
        ("a lookup as a question", Call::Query, Some(lookup(Object::Describe(None))), "lango.lookup.v1`"),
        (
            "a lookup as a price enquiry",
            Call::Estimate,
            Some(lookup(Object::Release([1; 16]))),
            "lango.lookup.v1`",
        ),
        ("a question as a price enquiry", Call::Estimate, Some(sign(PayloadType::Query)), "lango.query.v1`"),
        (
            "the same, relabelled",
            Call::Estimate,
            Some(relabelled(PayloadType::Query, PayloadType::Estimate)),
            "signature",
        ),
        ("a question as a lookup", Call::Describe, Some(sign(PayloadType::Query)), "lango.query.v1`"),
        (
            "the same, relabelled",
            Call::GetRelease,
            Some(relabelled(PayloadType::Query, PayloadType::Lookup)),
            "signature",
        ),
        (
            "a price enquiry as a lookup",
            Call::GetRelease,
            Some(sign(PayloadType::Estimate)),
            "lango.estimate.v1`",
        ),
        ("a changed signature", Call::Query, Some(flipped_signature), "signature"),
        ("a changed payload", Call::Query, Some(flipped_payload), "signature"),
        ("another authority's certificate", Call::Query, Some(foreign), "authority"),
        ("an expired certificate", Call::Query, Some(expired), "expired"),
        ("a TLS certificate", Call::Query, Some(tls), "is for TLS"),
        ("another's certificate", Call::Query, Some(swapped), "signature"),
        ("no certificate", Call::Query, Some(nobody), "certificate"),
        ("five certificates", Call::Query, Some(many), "chain of 5 certificates"),
        ("a large payload", Call::Query, Some(large), "263168 bytes is too large"),
        (
            "no type",
            Call::Query,
            Some(pb::Envelope { r#type: String::new(), ..sign(PayloadType::Query) }),
            "of type ``",
        ),
        ("an empty envelope", Call::Query, Some(pb::Envelope::default()), "of type ``"),
        ("no envelope", Call::Query, None, "of type ``"),
        ("no envelope", Call::Describe, None, "of type ``"),
    ] {
        log.take();
        let status = call(&analyst, &office, on, envelope).await;
        let lines = log.take();
        assert_eq!(status.code(), Code::Unauthenticated, "{what} by {on:?}: {status}");
        assert_eq!(status.message(), "the request is not authenticated", "{what}");
        assert!(status.details().is_empty(), "{what}");
        assert!(lines.contains("an envelope was not authenticated"), "{what}: {lines}");
        assert!(lines.contains(logged), "{what}: {lines}");
    }
    assert_eq!((office.ledger(), office.records()), (TestLedger::default(), Vec::new()));
    analyst.send(&office, &sign(PayloadType::Query)).await.unwrap();
}

#[tokio::test]
async fn a_coordinator_that_calls_has_no_say_over_the_question() {
    let world = TestRegion::new();
    let office = Office::start(&world, &Policy::of("GHA"), &Register::sample(1)).await;
    let (analyst, coordinator) = (world.analyst(), world.caller(Role::Coordinator, "main"));
    let question = analyst.question(&[&office.id], &persons("by sex", "1"));

    // It relays what the analyst signed, over its own connection.
    let envelope = analyst.sign(PayloadType::Query, question.encode());
    let request = pb::GatewayServiceQueryRequest { query: Some(envelope) };
    coordinator.gateway(&office).await.query(request).await.unwrap();
    assert_eq!(office.records()[0].principal, analyst.id.to_string());

    // What it signs itself is authentic and refused: it is no analyst.
    let own = coordinator.sign(PayloadType::Query, question.encode());
    let request_digest = digest(PayloadType::Query, &own.payload);
    let request = pb::GatewayServiceQueryRequest { query: Some(own) };
    let status = coordinator.gateway(&office).await.query(request).await.unwrap_err();
    assert_eq!(coordinator.failed(status, &office.id, &request_digest).refusal(), "role");
}
