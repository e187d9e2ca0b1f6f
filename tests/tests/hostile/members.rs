//! Members that send whatever costs most, beside one that answers.

use std::{sync::Arc, time::Duration};

use lango_analyst::{Client, Credentials, NoAnswer};
use lango_identity::{PayloadType, Role};
use lango_testkit::{TestCoordinator, TestRegion, persons};
use lango_wire::{pb, pb::member_answer, pb::member_estimate};
use tonic::{Code, Status};

use crate::{
    memory::Measured,
    raw::{Script, Step, field, send, serve, varint},
    signed::{LAYOUT, description, release},
};

const DEADLINE: Duration = Duration::from_secs(5);
const MIB: usize = 1024 * 1024;

/// The bytes of the envelope of a signed question, without prost.
fn payload(request: &[u8]) -> Vec<u8> {
    // `query = 1`, then in the envelope `type = 1` and `payload = 2`.
    let read = |bytes: &[u8], wanted: u8| -> Option<Vec<u8>> {
        let mut rest = bytes;
        while let [tag, tail @ ..] = rest {
            let (mut length, mut at) = (0usize, 0);
            for (index, byte) in tail.iter().enumerate() {
                length |= usize::from(byte & 0x7f) << (7 * index);
                at = index + 1;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            let value = tail.get(at..at + length)?;
            if tag >> 3 == wanted {
                return Some(value.to_vec());
            }
            rest = tail.get(at + length..)?;
        }
        None
    };
    read(&read(request, 1).unwrap(), 2).unwrap()
}

/// A gateway's answer with this release, and with more packed integers than it has.
fn answer(release: pb::Release, more: usize) -> Vec<Step> {
    let behind_its_length = lango_wire::sealed::in_one_field(&[release]);
    let length = behind_its_length.iter().take_while(|byte| **byte >= 0x80).count() + 1;
    let more = if more == 0 { Vec::new() } else { field(4, &vec![0; more]) };
    send(field(1, &[&behind_its_length[length..], &more].concat()))
}

/// How TGO is reported, and whether GHA answered beside it, to a question and to a price enquiry.
async fn beside(script: impl Fn(&TestRegion) -> Script) -> (String, String) {
    let world = TestRegion::new();
    let gha = world.identity(Role::Office, "GHA");
    let (signer, office) = (gha.signer(), gha.id.clone());
    let answers: Script = Arc::new(move |method: &str, request: &[u8]| match method {
        "Query" => answer(release(&signer, &office, &payload(request), LAYOUT, &[1, 2, 3, 4]), 0),
        _ => vec![Step::Fail(Status::unavailable("no prices here"))],
    });
    let good = serve(&world, Role::Office, "GHA", answers).await;
    let bad = serve(&world, Role::Office, "TGO", script(&world)).await;
    let member = |name, socket| (world.id(Role::Office, name), format!("https://{socket}").parse().unwrap());
    let coordinator =
        TestCoordinator::start(&world, vec![member("GHA", good), member("TGO", bad)], DEADLINE).await;
    let analyst = world.analyst();
    let audience = [&world.id(Role::Office, "GHA"), &world.id(Role::Office, "TGO")];
    let question = analyst.question(&audience, &persons("by sex", "1")).encode();

    let relayed =
        analyst.relay(&coordinator, &analyst.sign(PayloadType::Query, question.clone()), false).await;
    let relayed = relayed.unwrap();
    let coverage = relayed.result.coverage.unwrap();
    assert_eq!(coverage.answered, ["GHA"], "{:?}", relayed.members);
    let member = relayed.members.iter().find(|member| member.office == "TGO").unwrap();
    let of_query = match member.outcome.as_ref().unwrap() {
        member_answer::Outcome::Release(_) => "answered".to_owned(),
        member_answer::Outcome::Refusal(refusal) => refusal.reason.clone(),
        member_answer::Outcome::Missing(missing) => missing.reason.clone(),
    };

    // An identifier is good for one payload, as one kind.
    let question = analyst.question(&audience, &persons("by sex", "1")).encode();
    let estimate = Some(analyst.sign(PayloadType::Estimate, question));
    let mut client = analyst.coordinator(&coordinator).await;
    let request = pb::CoordinatorServiceEstimateRequest { estimate };
    let mut events = client.estimate(request).await.unwrap().into_inner();
    let mut of_price = String::new();
    while let Some(event) = events.message().await.unwrap() {
        let member = event.member.unwrap();
        if let (true, Some(member_estimate::Outcome::Missing(missing))) =
            (member.office == "TGO", member.outcome)
        {
            of_price = missing.reason;
        }
    }
    (of_query, of_price)
}

/// A script that sends the same whatever it is asked.
fn always(steps: Vec<Step>) -> impl Fn(&TestRegion) -> Script {
    move |_| {
        let steps = steps.clone();
        Arc::new(move |_: &str, _: &[u8]| steps.clone())
    }
}

fn words(query: &str, price: &str) -> (String, String) {
    (query.to_owned(), price.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_empty_earlier_releases_costs_the_coordinator_nothing() {
    let measured = Measured::begin().await;
    // As the old protocol had them: `earlier = 8`, two bytes each; and as this one has them.
    for number in [8u8, 9] {
        let many = [number << 3 | 2, 0].repeat(4_000_000);
        let message = field(1, &many);
        assert_eq!(beside(always(send(message))).await, words("too-large", "too-large"), "{number}");
        let fewer = [number << 3 | 2, 0].repeat(500_000);
        // A price has a flag in field 8, so that a list there is no message at all.
        let price = if number == 8 { "unsigned" } else { "unverified" };
        assert_eq!(beside(always(send(field(1, &fewer)))).await, words("unverified", price), "{number}");
    }
    let nested = field(9, &[vec![0; 3 * MIB]].concat());
    assert_eq!(beside(always(send(field(1, &nested)))).await, words("unverified", "too-large"));
    measured.check("a list of earlier releases");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_larger_than_any_answer_is_dropped_before_it_is_read() {
    let measured = Measured::begin().await;
    for (what, message) in [
        ("64 MiB of zeros", field(1, &field(4, &vec![0; 64 * MIB]))),
        ("a text of 32 MiB", field(1, &field(2, &vec![b'x'; 32 * MIB]))),
    ] {
        assert_eq!(beside(always(send(message))).await, words("too-large", "too-large"), "{what}");
    }
    drop(measured);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_that_grow_when_they_are_decoded_are_not_decoded() {
    let measured = Measured::begin().await;
    let certificates = field(1, &[0x22, 0].repeat(1_900_000));
    let zeros = field(4, &vec![0; 3 * MIB + MIB / 2]);
    let unpacked = [0x20u8, 0].repeat(1_900_000);
    let unknown = [0x7au8, 0].repeat(1_900_000);
    let groups = vec![0x0b; MIB];
    let losses = field(5, &[0x10, 0].repeat(1_900_000));
    for (what, inner) in [
        ("empty certificates", certificates),
        ("zeros", zeros),
        ("zeros that are not packed", unpacked),
        ("unknown fields", unknown),
        ("groups within groups", groups),
        ("one field again and again", losses),
    ] {
        let (query, price) = beside(always(send(field(1, &inner)))).await;
        assert!(["unverified", "unsigned"].contains(&query.as_str()), "{what}: {query}");
        assert!(["unverified", "unsigned", "too-large"].contains(&price.as_str()), "{what}: {price}");
    }
    measured.check("lists that grow");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_member_signs_itself_is_held_to_what_can_be_planned() {
    let measured = Measured::begin().await;
    let codes: String = (0..240_000).map(|code| format!("{code:x},")).collect();
    let many = "1,".repeat(500_000);
    for (what, layout, zeros) in [
        ("three million zeros", LAYOUT.to_owned(), 3_000_000),
        ("a layout of half a million keys", LAYOUT.replace("F,M,", &many), 500_002),
        ("a layout of a quarter of a million keys", LAYOUT.replace("F,M,", &codes), 100),
    ] {
        let script = move |world: &TestRegion| -> Script {
            let tgo = world.identity(Role::Office, "TGO");
            let (signer, office, layout) = (tgo.signer(), tgo.id.clone(), layout.clone());
            Arc::new(move |method: &str, request: &[u8]| match method {
                "Query" => answer(release(&signer, &office, &payload(request), &layout, &[]), zeros),
                _ => vec![Step::Fail(Status::unavailable("no prices here"))],
            })
        };
        assert_eq!(beside(script).await.0, "unverified", "{what}");
    }
    measured.check("signed nonsense");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_would_burst_the_tables_is_passed_on_and_left_out_of_them() {
    let codes: String = (0..160_000).map(|code| format!("{code:x},")).collect();
    let layout = LAYOUT.replace("F,M,", &codes);
    let script = move |world: &TestRegion| -> Script {
        let tgo = world.identity(Role::Office, "TGO");
        let (signer, office, layout) = (tgo.signer(), tgo.id.clone(), layout.clone());
        let cells = vec![1; 160_002];
        Arc::new(move |method: &str, request: &[u8]| match method {
            "Query" => answer(release(&signer, &office, &payload(request), &layout, &cells), 0),
            _ => vec![Step::Fail(Status::unavailable("no prices here"))],
        })
    };
    // What it signed is the analyst's to see; `beside` holds that the tables are of the other office alone.
    assert_eq!(beside(script).await.0, "answered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_and_trailers_without_end_are_bounded() {
    let measured = Measured::begin().await;
    let details = vec![0x1a; 4 * MIB];
    let large = Status::with_details(Code::Internal, "x", details.into());
    let long = Status::new(Code::Internal, "x".repeat(4 * MIB));
    // Not signed, and of an envelope of many certificates.
    let envelope = field(4, &[]).repeat(4_000);
    let any = [field(1, b"type.googleapis.com/lango.v1.Envelope"), field(2, &envelope)].concat();
    let many = [varint(0x08), varint(7), field(3, &any)].concat();
    let certificates = Status::with_details(Code::PermissionDenied, "x", many.into());
    for (what, status) in [("details", large), ("words", long), ("certificates", certificates)] {
        let (query, price) = beside(always(vec![Step::Fail(status)])).await;
        let expected = ["unsigned", "unverified", "unreachable"];
        assert!(
            expected.contains(&query.as_str()) && expected.contains(&price.as_str()),
            "{what}: {query} {price}"
        );
    }
    measured.check("refusals");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_never_ends_is_given_up_at_the_deadline() {
    let measured = Measured::begin().await;
    assert_eq!(beside(always(vec![Step::Wait])).await, words("deadline", "deadline"));
    // More messages after the first are thrown away, one by one.
    let repeated = vec![Step::Repeat(Arc::new(field(1, &field(2, &vec![b'x'; MIB]))))];
    let (query, price) = beside(always(repeated)).await;
    assert!(["deadline", "unverified", "unsigned"].contains(&query.as_str()), "{query}");
    assert!(["deadline", "unverified", "unsigned"].contains(&price.as_str()), "{price}");
    measured.check("a stream without end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_with_large_headers_costs_the_coordinator_little() {
    let measured = Measured::begin().await;
    // In base64: within what the largest signed refusal may have, above it, and so far above it that the connection ends.
    for bytes in [80 * 1024, 100 * 1024, 4 * MIB] {
        let status = Status::with_details(Code::PermissionDenied, "no", vec![7; bytes].into());
        let (query, price) = beside(always(vec![Step::Fail(status)])).await;
        let expected: &[&str] = if bytes < MIB { &["unsigned"] } else { &["unsigned", "unreachable"] };
        assert!(
            expected.contains(&query.as_str()) && expected.contains(&price.as_str()),
            "{bytes}: {query} {price}"
        );
    }
    measured.check("large headers");
}

/// Who described what is open, and why TGO did not, where GHA describes nothing beside it.
async fn described_beside(script: impl Fn(&TestRegion) -> Script) -> (Vec<String>, String) {
    let world = TestRegion::new();
    let gha = world.identity(Role::Office, "GHA");
    let (signer, office) = (gha.signer(), gha.id.clone());
    let answers: Script =
        Arc::new(move |_: &str, request: &[u8]| send(description(&signer, &office, &payload(request), &[])));
    let good = serve(&world, Role::Office, "GHA", answers).await;
    let bad = serve(&world, Role::Office, "TGO", script(&world)).await;
    let member = |name, socket| (world.id(Role::Office, name), format!("https://{socket}").parse().unwrap());
    let coordinator =
        TestCoordinator::start(&world, vec![member("GHA", good), member("TGO", bad)], DEADLINE).await;
    let awa = world.identity(Role::Analyst, "awa");
    let credentials = Credentials { region: world.region.clone(), tls: awa.tls(), signer: awa.signer() };
    let address = format!("https://{}", coordinator.address()).parse().unwrap();
    let client = Client::connect(credentials, &address, 2 * DEADLINE).await.unwrap();
    let mut describing = client.describe(&[], None, 2 * DEADLINE).await.unwrap();
    while describing.next().await.unwrap().is_some() {}
    let catalogue = describing.finish();
    let why = catalogue.undescribed.iter().map(|(office, why)| match why {
        NoAnswer::Missing(absence) => format!("{office} {absence}"),
        NoAnswer::Refused(refusal) => format!("{office} refused {}", refusal.code),
    });
    (catalogue.described.into_keys().collect(), why.collect::<Vec<_>>().join(", "))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_description_costs_others_nothing() {
    let measured = Measured::begin().await;
    let beside = |bytes: Vec<u8>| described_beside(always(send(bytes)));
    for (what, bytes, expected) in [
        ("nothing", Vec::new(), "TGO unverified"),
        ("2 MiB of zeros", field(2, &field(2, &vec![0; 2 * MIB])), "TGO too-large"),
        ("empty certificates", field(2, &field(1, &[0x22, 0].repeat(250_000))), "TGO unverified"),
        ("datasets that nobody signed", field(2, &field(2, &[0x0a, 0].repeat(250_000))), "TGO unverified"),
        ("what was sent before it was signed", field(1, &field(1, b"residents")), "TGO unverified"),
    ] {
        assert_eq!(beside(bytes).await, (vec!["GHA".to_owned()], expected.to_owned()), "{what}");
    }
    // What it signs itself: no datasets at all, an answer to another request, and in another office's name.
    for (what, datasets, flip, signer) in [
        ("empty datasets", [0x0a, 0].repeat(200_000), 0, "TGO"),
        ("no message", vec![0xff; 500_000], 0, "TGO"),
        ("more than a description may have", vec![0; 513 * 1024], 0, "TGO"),
        ("another request", Vec::new(), 1, "TGO"),
        ("another office", Vec::new(), 0, "NGA"),
    ] {
        let script = move |world: &TestRegion| -> Script {
            let identity = world.identity(Role::Office, signer);
            let (signer, office, datasets) = (identity.signer(), identity.id.clone(), datasets.clone());
            Arc::new(move |_: &str, request: &[u8]| {
                let mut payload = payload(request);
                payload[0] ^= flip;
                send(description(&signer, &office, &payload, &datasets))
            })
        };
        let found = described_beside(script).await;
        assert_eq!(found, (vec!["GHA".to_owned()], "TGO unverified".to_owned()), "{what}");
    }
    assert_eq!(described_beside(always(vec![Step::Wait])).await.1, "TGO deadline");
    measured.check("descriptions");
}
