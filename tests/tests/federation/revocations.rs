//! Certificates that were taken back: before a connection, on one that is open, and where nothing says whether they were.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use lango_identity::{
    Expected, Lifetime, PayloadType, Region, RevocationRule, Role, client_config, explain_handshake,
};
use lango_testkit::{Caller, Federation, Office, Policy, Register, TestIdentity, TestRegion, persons};
use lango_transport as transport;
use lango_wire::pb::{self, member_answer::Outcome};
use tonic::Code;

/// How long a peer that was taken back may have: a second is promised, and machines are slow.
const AT_MOST: Duration = Duration::from_secs(3);
const SOON: Duration = Duration::from_secs(10);
const REQUIRED: RevocationRule = RevocationRule { is_required: true, age_max_s: None };

async fn office(world: &TestRegion) -> Office {
    Office::start(world, &Policy::of("GHA"), &Register::sample(1)).await
}

/// What somebody with these certificates reads who connects.
async fn explained(whose: &TestIdentity, office: &Office, region: &Region, now: i64) -> String {
    let own = whose.tls();
    let config = client_config(&own, region, Expected::Id(office.id.clone())).unwrap();
    match transport::connect(&office.address(), config, SOON).await {
        Ok(_) => String::new(),
        Err(error) => explain_handshake(&error as &(dyn Error + 'static), &own, region, now),
    }
}

fn query(caller: &Caller, office: &Office) -> pb::GatewayServiceQueryRequest {
    let question = caller.question(&[&office.id], &persons("by sex", "0.5"));
    pb::GatewayServiceQueryRequest { query: Some(caller.sign(PayloadType::Query, question.encode())) }
}

#[tokio::test]
async fn an_analyst_who_was_taken_back_before_a_connection_gets_none() {
    let world = TestRegion::new();
    let office = office(&world).await;
    let (awa, kofi) = (world.identity(Role::Analyst, "awa"), world.identity(Role::Analyst, "kofi"));
    let at_home = world.elsewhere(RevocationRule::default());
    let said = async |who| explained(who, &office, &at_home, world.clock.get()).await;
    assert_eq!((said(&awa).await.as_str(), said(&kofi).await.as_str()), ("", ""));
    world.revoke(&[&awa.tls]);
    assert!(said(&awa).await.starts_with("the peer has this side's certificate on its revocation list"));
    assert_eq!(said(&kofi).await, "");
    // Who has the list too learns it before anything is sent.
    let said = explained(&awa, &office, &world.region, world.clock.get()).await;
    assert!(said.starts_with("this side's own certificate: the certificate with serial"), "{said}");
}

/// How many requests are on record; a list that comes into use is a record too.
fn asked(office: &Office) -> usize {
    office.records().iter().filter(|record| record.decision != "key").count()
}

#[tokio::test]
async fn an_analyst_who_is_taken_back_loses_the_connection_that_is_open() {
    let world = TestRegion::new();
    let office = office(&world).await;
    let (awa, kofi) = (world.identity(Role::Analyst, "awa"), world.identity(Role::Analyst, "kofi"));
    let (one, other) = (world.caller_with(&awa), world.caller_with(&kofi));
    let (mut client, mut others) = (one.gateway(&office).await, other.gateway(&office).await);
    client.query(query(&one, &office)).await.unwrap();
    others.query(query(&other, &office)).await.unwrap();
    let recorded = asked(&office);

    let begun = Instant::now();
    world.revoke(&[&awa.tls, &awa.signing]);
    let refused = loop {
        match client.query(query(&one, &office)).await {
            Ok(_) => assert!(begun.elapsed() < AT_MOST, "still answered"),
            Err(status) => break status,
        }
    };
    let took = begun.elapsed();
    assert!(took < AT_MOST, "{took:?}");
    assert!(refused.code() != Code::Ok && asked(&office) == recorded, "{refused:?}");
    // Nobody else loses anything.
    others.query(query(&other, &office)).await.unwrap();
}

#[tokio::test]
async fn a_question_signed_by_a_key_that_was_taken_back_is_unauthenticated_and_says_no_more() {
    let world = TestRegion::new();
    let office = office(&world).await;
    let awa = world.identity(Role::Analyst, "awa");
    let caller = world.caller_with(&awa);
    let mut client = caller.gateway(&office).await;
    let before = query(&caller, &office);
    client.query(before.clone()).await.unwrap();
    let recorded = asked(&office);
    world.revoke(&[&awa.signing]);
    for request in [query(&caller, &office), before] {
        let refused = client.query(request).await.unwrap_err();
        assert_eq!((refused.code(), refused.details().len()), (Code::Unauthenticated, 0), "{refused:?}");
        assert!(!refused.message().contains("revo"), "{refused:?}");
    }
    assert_eq!(asked(&office), recorded);
}

#[tokio::test]
async fn the_coordinator_relays_nothing_of_who_was_taken_back_and_leaves_out_an_office_that_was() {
    let world = TestRegion::new();
    let mut offices = vec![office(&world).await];
    offices.push(Office::start(&world, &Policy::of("TGO"), &Register::sample(2)).await);
    let federation = Federation::start(&world, offices, SOON).await;
    let (awa, kofi) = (world.analyst(), world.identity(Role::Analyst, "kofi"));
    let envelope = |who: &Caller| {
        let question = who.question(&federation.audience(), &persons("by sex", "0.5"));
        who.sign(PayloadType::Query, question.encode())
    };
    let relayed = awa.relay(&federation.coordinator, &envelope(&awa), false).await.unwrap();
    assert_eq!(relayed.result.coverage.unwrap().answered, ["GHA", "TGO"]);

    // Its connection to the coordinator was opened by the coordinator.
    world.revoke(&[&federation.offices[1].identity.tls]);
    let relayed = awa.relay(&federation.coordinator, &envelope(&awa), false).await.unwrap();
    assert_eq!(relayed.result.coverage.unwrap().answered, ["GHA"]);
    let missing = relayed.members.iter().find(|member| member.office == "TGO").unwrap();
    let Some(Outcome::Missing(missing)) = &missing.outcome else { panic!("{missing:?}") };
    assert_eq!(missing.reason, "unreachable");
    assert!(missing.message.contains("the peer's certificate was revoked"), "{}", missing.message);

    // What its signing key signs is believed by nobody, though its connection stands.
    let signing = &federation.offices[0].identity.signing;
    world.revoke(&[signing]);
    let relayed = awa.relay(&federation.coordinator, &envelope(&awa), false).await.unwrap();
    let first = relayed.members.iter().find(|member| member.office == "GHA").unwrap();
    let Some(Outcome::Missing(missing)) = &first.outcome else { panic!("{first:?}") };
    assert_eq!(missing.reason, "unverified");
    assert!(missing.message.contains("was revoked at"), "{}", missing.message);

    let caller = world.caller_with(&kofi);
    world.revoke(&[&kofi.signing]);
    let refused = caller.relay(&federation.coordinator, &envelope(&caller), false).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn where_a_list_is_required_nobody_is_believed_without_one_of_the_present() {
    let world = TestRegion::new();
    let now = world.clock.get();
    let life = |from: i64, to: i64| Lifetime { not_before: now + from, not_after: now + to };
    let aged = RevocationRule { is_required: true, age_max_s: Some(600) };
    for (what, rule, list, is_let_in) in [
        ("absent and optional", RevocationRule::default(), None, true),
        ("absent", REQUIRED, None, false),
        ("stale and optional", RevocationRule::default(), Some(life(-9_000, -1_000)), true),
        ("stale", REQUIRED, Some(life(-9_000, -1_000)), false),
        ("of the present", REQUIRED, Some(life(-9_000, 9_000)), true),
        ("too old", aged, Some(life(-9_000, 9_000)), false),
        ("young enough", aged, Some(life(-500, 9_000)), true),
    ] {
        let region = world.elsewhere(rule);
        if let Some(life) = list {
            region.take_revocations(world.revocation_list(&[], life).as_bytes(), now).unwrap();
        }
        let mut office = Office::prepare(&world, "GHA", &Policy::of("GHA"), &Register::sample(1));
        office.region = region.clone();
        // A gateway starts without a list, which may come.
        office.up().await.unwrap();
        let awa = world.identity(Role::Analyst, "awa");
        let said = explained(&awa, &office, &world.region, now).await;
        assert_eq!(said.is_empty(), is_let_in, "{what}: {said}");
        if !is_let_in {
            let said = explained(&awa, &office, &region, now).await;
            assert!(said.contains("put the authority's present `region.crl` in place"), "{what}: {said}");
            // It comes, and all is well without a restart.
            world.revoke(&[]);
            region.take_revocations(world.revoke(&[]).as_bytes(), now).unwrap();
            assert_eq!(explained(&awa, &office, &region, now).await, "", "{what}");
            world.caller_with(&awa).ask(&office, &persons("by sex", "0.5")).await.unwrap();
        }
    }
}

#[tokio::test]
async fn the_coordinator_passes_its_lists_on_to_everybody_of_the_region() {
    let world = TestRegion::new();
    let federation = Federation::start(&world, vec![office(&world).await], SOON).await;
    let fetch = async |caller: &Caller| {
        let mut client = caller.coordinator(&federation.coordinator).await;
        client
            .get_revocations(pb::CoordinatorServiceGetRevocationsRequest {})
            .await
            .unwrap()
            .into_inner()
            .lists
    };
    let (awa, auditor) = (world.analyst(), world.caller(Role::Auditor, "zainab"));
    assert_eq!(fetch(&awa).await, "");
    let kofi = world.identity(Role::Analyst, "kofi");
    world.revoke(&[&kofi.tls]);
    for caller in [&awa, &auditor] {
        let elsewhere = world.elsewhere(REQUIRED);
        let lists = fetch(caller).await;
        let taken = elsewhere.take_revocations(lists.as_bytes(), world.clock.get()).unwrap();
        assert_eq!((taken.len(), taken[0].revoked().count()), (1, 1));
        assert_eq!(elsewhere.check_lists(world.clock.get()), Ok(()));
    }
}
