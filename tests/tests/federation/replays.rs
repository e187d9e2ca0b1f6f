//! A9: a signed request is worked on once and answered once, no matter who sends it again, and to which gateway.

use std::time::Duration;

use lango_identity::PayloadType;
use lango_testkit::{Caller, Mode, Office, Policy, Register, TestRegion, at_once, persons};
use lango_wire::{Lookup, Object, Question, pb, status::retry_after};
use tonic::{Code, Status};

const PRICE: i64 = 500_000_000;

pub(crate) fn question() -> String {
    persons("by age,country_of_birth", "0.5")
}

pub(crate) async fn query(
    caller: &Caller,
    office: &Office,
    envelope: &pb::Envelope,
) -> Result<pb::Release, Status> {
    let request = pb::GatewayServiceQueryRequest { query: Some(envelope.clone()) };
    Ok(caller.gateway(office).await.query(request).await?.into_inner().release.unwrap())
}

pub(crate) async fn price(
    caller: &Caller,
    office: &Office,
    envelope: &pb::Envelope,
) -> Result<pb::Estimate, Status> {
    let request = pb::GatewayServiceEstimateRequest { estimate: Some(envelope.clone()) };
    Ok(caller.gateway(office).await.estimate(request).await?.into_inner().estimate.unwrap())
}

pub(crate) async fn describe(
    caller: &Caller,
    office: &Office,
    envelope: &pb::Envelope,
) -> Result<pb::Description, Status> {
    let request = pb::GatewayServiceDescribeRequest { lookup: Some(envelope.clone()) };
    Ok(caller.gateway(office).await.describe(request).await?.into_inner().description.unwrap())
}

async fn fetch(caller: &Caller, office: &Office, envelope: &pb::Envelope) -> Result<pb::Release, Status> {
    let request = pb::GatewayServiceGetReleaseRequest { lookup: Some(envelope.clone()) };
    Ok(caller.gateway(office).await.get_release(request).await?.into_inner().release.unwrap())
}

pub(crate) fn signed(caller: &Caller, office: &Office, text: &str) -> pb::Envelope {
    caller.sign(PayloadType::Query, caller.question(&[&office.id], text).encode())
}

/// A status as far as it travels.
fn parts(status: &Status) -> (Code, String, Vec<u8>) {
    (status.code(), status.message().to_owned(), status.details().to_vec())
}

pub(crate) fn reason(status: &Status) -> Option<String> {
    lango_wire::status::reason(status)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_sent_again_gets_the_bytes_of_its_first_answer_and_leaves_no_trace() {
    let world = TestRegion::new();
    let mut office = Office::start(&world, &Policy::of("GHA"), &Register::sample(5)).await;
    let analyst = world.analyst();
    let asked = signed(&analyst, &office, &question());
    let mean = signed(&analyst, &office, &question().replace("persons", "mean(income)").replace("0.5", "1"));
    let counts = signed(&analyst, &office, &question().replace("persons", "rows(income)"));
    let refused = signed(&analyst, &office, &persons("by village", "0.5"));
    let estimated = analyst
        .sign(PayloadType::Estimate, analyst.question(&[&office.id], &persons("by sex", "1")).encode());
    let lookup = |object| analyst.sign(PayloadType::Lookup, analyst.lookup(&[&office.id], object).encode());
    let described = lookup(Object::Describe(None));
    let unknown = lookup(Object::Release([7; 16]));

    let first = query(&analyst, &office, &asked).await.unwrap();
    // A mean that a released count is divided by travels with that count.
    query(&analyst, &office, &counts).await.unwrap();
    let of_mean = query(&analyst, &office, &mean).await.unwrap();
    assert!(!of_mean.earlier.is_empty());
    let no = query(&analyst, &office, &refused).await.unwrap_err();
    let cost = price(&analyst, &office, &estimated).await.unwrap();
    let datasets = describe(&analyst, &office, &described).await.unwrap();
    let nothing = fetch(&analyst, &office, &unknown).await.unwrap_err();
    let stored = analyst.send(&office, &asked).await.unwrap().statement.release_id;
    let fetched = lookup(Object::Release(stored));
    let again = fetch(&analyst, &office, &fetched).await.unwrap();
    let (records, ledger) = (office.records(), office.ledger());

    for round in 0..3 {
        world.clock.advance(60);
        if round == 2 {
            // Nor does a restart with another policy change anything.
            office
                .restart(&Policy { title: "Another".into(), version: "2031".into(), ..Policy::of("GHA") })
                .await;
        }
        assert_eq!(query(&analyst, &office, &asked).await.unwrap(), first);
        assert_eq!(query(&analyst, &office, &mean).await.unwrap(), of_mean);
        assert_eq!(parts(&query(&analyst, &office, &refused).await.unwrap_err()), parts(&no));
        assert_eq!(price(&analyst, &office, &estimated).await.unwrap(), cost);
        assert_eq!(describe(&analyst, &office, &described).await.unwrap(), datasets);
        assert_eq!(parts(&fetch(&analyst, &office, &unknown).await.unwrap_err()), parts(&nothing));
        assert_eq!(fetch(&analyst, &office, &fetched).await.unwrap(), again);
        let mut since = office.records();
        since.retain(|record| record.decision != "activated");
        assert_eq!(since, records, "replays are no accesses");
        assert_eq!(office.ledger(), ledger);
    }
    assert_eq!(reason(&no).as_deref(), Some("dimension-not-granted"));
    assert_eq!(reason(&nothing).as_deref(), Some("release-unknown"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_identifier_is_good_for_one_payload() {
    let world = TestRegion::new();
    let office = Office::start(&world, &Policy::of("GHA"), &Register::sample(5)).await;
    let (analyst, other) = (world.analyst(), world.caller(lango_identity::Role::Analyst, "kofi"));
    let first = analyst.question(&[&office.id], &question());
    let sealed = analyst.sign(PayloadType::Query, first.encode());
    let answer = query(&analyst, &office, &sealed).await.unwrap();
    let with = |text: &str| Question { query: text.to_owned(), ..first.clone() };
    let as_query = |question: Question| analyst.sign(PayloadType::Query, question.encode());
    let reused = |status: Status| {
        assert_eq!(
            (reason(&status).as_deref(), status.code()),
            (Some("request-id-reused"), Code::InvalidArgument)
        );
    };
    for (what, envelope) in [
        ("another text", as_query(with(&persons("by sex", "0.5")))),
        ("another purpose", as_query(Question { purpose: "research".into(), ..first.clone() })),
        ("another nonce", as_query(Question { blind: [9; 32], ..first.clone() })),
        ("another life", as_query(Question { expires_at: first.expires_at + 1, ..first.clone() })),
    ] {
        let status = query(&analyst, &office, &envelope).await.expect_err(what);
        reused(status);
    }
    // As a price enquiry and as a lookup too.
    let estimate = analyst.sign(PayloadType::Estimate, first.encode());
    reused(price(&analyst, &office, &estimate).await.unwrap_err());
    let lookup = analyst.lookup(&[&office.id], Object::Describe(None));
    let same = Lookup { request_id: first.request_id, ..lookup.clone() };
    reused(describe(&analyst, &office, &analyst.sign(PayloadType::Lookup, same.encode())).await.unwrap_err());
    // What was answered in one call is no answer in another.
    let described = analyst.sign(PayloadType::Lookup, lookup.encode());
    describe(&analyst, &office, &described).await.unwrap();
    reused(fetch(&analyst, &office, &described).await.unwrap_err());
    // Two prices under one identifier.
    let first_price = analyst.question(&[&office.id], &persons("by sex", "0.001"));
    let second_price = Question { query: persons("by age", "0.001"), ..first_price.clone() };
    price(&analyst, &office, &analyst.sign(PayloadType::Estimate, first_price.encode())).await.unwrap();
    reused(
        price(&analyst, &office, &analyst.sign(PayloadType::Estimate, second_price.encode()))
            .await
            .unwrap_err(),
    );
    // Identifiers are a principal's own.
    let others = Question { analyst: other.id.clone(), ..first.clone() };
    query(&other, &office, &other.sign(PayloadType::Query, others.encode())).await.unwrap();
    assert_eq!(query(&analyst, &office, &sealed).await.unwrap(), answer);
    assert_eq!(office.ledger().pure_nano(""), PRICE);
    let refused = office.records().into_iter().filter(|record| record.reason == "request-id-reused").count();
    assert_eq!(refused, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_resent_over_version_changes_is_charged_once() {
    let world = TestRegion::new();
    let policy = |version: &str| Policy { version: version.into(), ..Policy::of("GHA") };
    let mut office = Office::start(&world, &policy("2026-01"), &Register::sample(5)).await;
    let analyst = world.analyst();
    let envelope = signed(&analyst, &office, &question());
    let first = query(&analyst, &office, &envelope).await.unwrap();
    for version in ["2026-02", "2026-03", "2026-04"] {
        office.restart(&policy(version)).await;
        assert_eq!(query(&analyst, &office, &envelope).await.unwrap(), first, "{version}");
        assert_eq!((office.ledger().pure_nano(""), office.ledger().releases), (PRICE, 1), "{version}");
    }
    // A new request is of the new version.
    query(&analyst, &office, &signed(&analyst, &office, &question())).await.unwrap();
    assert_eq!(office.ledger().pure_nano(""), 2 * PRICE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_charged_under_one_version_is_not_charged_under_the_next() {
    for (rows_were_read, charged) in [(true, PRICE), (false, 0)] {
        let world = TestRegion::new();
        let policy = |version: &str| Policy { version: version.into(), ..Policy::of("GHA") };
        let mut office = Office::start(&world, &policy("1"), &Register::sample(5)).await;
        let analyst = world.analyst();
        let envelope = signed(&analyst, &office, &question());
        office.gate.set(Mode::Fail { rows_were_read });
        for _ in 0..2 {
            let failed = query(&analyst, &office, &envelope).await.unwrap_err();
            assert_eq!(failed.code(), Code::Unavailable);
        }
        office.gate.set(Mode::Open);
        office.restart(&policy("2")).await;
        let refused = query(&analyst, &office, &envelope).await.unwrap_err();
        assert_eq!(reason(&refused).as_deref(), Some("version-not-live"));
        assert_eq!(parts(&query(&analyst, &office, &envelope).await.unwrap_err()), parts(&refused));
        assert_eq!(office.ledger().pure_nano(""), charged);
        // Back under its version a request sent anew resumes the charge; the old one keeps its answer.
        office.restart(&policy("1")).await;
        assert_eq!(parts(&query(&analyst, &office, &envelope).await.unwrap_err()), parts(&refused));
        query(&analyst, &office, &signed(&analyst, &office, &question())).await.unwrap();
        assert_eq!(office.ledger().pure_nano(""), PRICE);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_failed_is_worked_on_again() {
    let world = TestRegion::new();
    let office = Office::start(&world, &Policy::of("GHA"), &Register::sample(5)).await;
    let analyst = world.analyst();
    let envelope = signed(&analyst, &office, &question());
    office.gate.set(Mode::Fail { rows_were_read: true });
    assert_eq!(query(&analyst, &office, &envelope).await.unwrap_err().code(), Code::Unavailable);
    office.gate.set(Mode::Open);
    let answer = query(&analyst, &office, &envelope).await.unwrap();
    assert_eq!((answer.charged.unwrap().pure_nano, answer.repeated), (Some(0), false));
    assert_eq!(query(&analyst, &office, &envelope).await.unwrap(), answer);
    assert_eq!(office.ledger().pure_nano(""), PRICE);
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_of_a_request_that_fails_are_worked_on_ever_more_seldom() {
    for rows_were_read in [false, true] {
        let world = TestRegion::new();
        let office = Office::start(&world, &Policy::of("GHA"), &Register::sample(5)).await;
        let analyst = world.analyst();
        let envelope = signed(&analyst, &office, &question());
        office.gate.set(Mode::Fail { rows_were_read });
        let began = tokio::time::Instant::now();
        let (mut failed, mut waits) = (0, Vec::new());
        for _ in 0..60 {
            let status = query(&analyst, &office, &envelope).await.unwrap_err();
            match reason(&status).as_deref() {
                Some("unavailable") => failed += 1,
                Some("too-many-requests") => waits.push(retry_after(&status).unwrap()),
                other => panic!("{other:?}"),
            }
        }
        // At once, once more, and after each pause: of 1 s, 2 s, ..
        let paused = began.elapsed().as_secs().checked_ilog2().map_or(0, |doublings| doublings as usize + 1);
        assert!((2..=2 + paused).contains(&failed), "{failed} in {:?}", began.elapsed());
        assert!(waits.iter().all(|wait| *wait > Duration::ZERO && *wait <= Duration::from_secs(60)));
        let records = office.records();
        let worked_on = records.iter().filter(|record| record.decision == "failed").count();
        assert_eq!(worked_on, failed, "a copy within the pause does not touch the source");
        assert!(records.len() <= 2 * failed + waits.len());
        // Another request of the same principal is worked on.
        let other = query(&analyst, &office, &signed(&analyst, &office, &question())).await.unwrap_err();
        assert_eq!(reason(&other).as_deref(), Some("unavailable"));
        // The pause over, the request is worked on again and charged once.
        office.gate.set(Mode::Open);
        tokio::time::sleep(*waits.last().unwrap()).await;
        let answer = query(&analyst, &office, &envelope).await.unwrap();
        assert_eq!(query(&analyst, &office, &envelope).await.unwrap(), answer);
        assert_eq!(office.ledger().pure_nano(""), PRICE);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_at_once_of_a_request_that_fails_are_worked_on_twice() {
    let world = TestRegion::new();
    let office = Office::start(&world, &Policy::of("GHA"), &Register::sample(5)).await;
    let analyst = world.analyst();
    let envelope = signed(&analyst, &office, &question());
    office.gate.set(Mode::Fail { rows_were_read: true });
    let answers = at_once((0..12).map(|_| query(&analyst, &office, &envelope))).await;
    assert!(answers.iter().all(Result::is_err));
    let worked_on = office.records().iter().filter(|record| record.decision == "failed").count();
    assert_eq!(worked_on, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_admitted_no_more_is_forgotten_and_still_not_answered() {
    let world = TestRegion::new();
    let office = Office::start(&world, &Policy::of("GHA"), &Register::sample(5)).await;
    let analyst = world.analyst();
    let envelope = signed(&analyst, &office, &question());
    query(&analyst, &office, &envelope).await.unwrap();
    let number = |sql: &str| {
        let ledger = rusqlite::Connection::open(office.store()).unwrap();
        ledger.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let expires_at = number("SELECT expires_at FROM request");
    let is_kept = || number(&format!("SELECT count(*) FROM request WHERE expires_at = {expires_at}")) == 1;
    assert!(is_kept());
    // It expires after an hour, and is purged by one of the next sixteen requests once no clock of the region could admit it.
    for (later, stays) in [(3_600, true), (299, true), (2, false)] {
        world.clock.advance(later);
        for _ in 0..16 {
            analyst.ask(&office, &question()).await.unwrap();
        }
        assert_eq!(is_kept(), stays, "{later}");
        let late = query(&analyst, &office, &envelope).await.unwrap_err();
        assert_eq!(reason(&late).as_deref(), Some("time"));
    }
    assert_eq!(office.ledger().pure_nano(""), PRICE);
}
