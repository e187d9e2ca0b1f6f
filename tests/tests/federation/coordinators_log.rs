//! The coordinator's own log: what it passes on is on record before it goes on, its members cosign it, and auditors read it.

use std::{fs, path::Path, time::Duration};

use lango_access_log::{
    LogEntry, LogEvent, MemberOutcome, NoteKey, RequestDecision, SignatureType, SignedCheckpoint, log_origin,
};
use lango_coordinator::CoordinatorServeError;
use lango_gateway::LogError;
use lango_identity::{Expected, PayloadType, Role, SpiffeId, client_config};
use lango_store::{CheckpointKind, Examined, Location};
use lango_testkit::{
    Caller, Mode, Office, Policy, Register, TestCoordinator, TestIdentity, TestRegion, persons,
};
use lango_wire::{
    Act, Audit, AuditLookup,
    client::AuditClient,
    pb::{self, audit_service_audit_response::Found},
};
use tonic::{Code, Status};

const EVERY: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(60);

struct World {
    region: TestRegion,
    offices: Vec<Office>,
    identity: TestIdentity,
    folder: tempfile::TempDir,
}

impl World {
    async fn start() -> Self {
        let region = TestRegion::new();
        let mut offices = Vec::new();
        for name in ["BEN", "GHA"] {
            offices.push(Office::start(&region, &Policy::of(name), &Register::sample(5)).await);
        }
        let identity = region.identity(Role::Coordinator, "main");
        Self { region, offices, identity, folder: tempfile::tempdir().unwrap() }
    }

    async fn coordinator(&self) -> TestCoordinator {
        let members = self.offices.iter().map(|office| (office.id.clone(), office.address())).collect();
        let auditors = vec![self.region.id(Role::Auditor, "ina")];
        let kept = (self.folder.path(), EVERY);
        TestCoordinator::start_logging(&self.region, &self.identity, members, kept, auditors).await
    }

    fn audience(&self) -> Vec<&SpiffeId> {
        self.offices.iter().map(|office| &office.id).collect()
    }

    fn store(&self) -> std::path::PathBuf {
        self.folder.path().join("log.sqlite")
    }
}

/// The entries of a store's log, as they are on the disk.
async fn entries(store: &Path) -> Vec<LogEntry> {
    let mut store = Examined::readable(&Location::File(store.to_owned())).await.unwrap();
    let leaves = store.leaves(0, 1_000).await.unwrap();
    leaves.iter().map(|leaf| LogEntry::read(leaf).unwrap()).collect()
}

/// The checkpoint that members cosigned last.
async fn cosigned(store: &Path) -> Option<SignedCheckpoint> {
    let mut store = Examined::readable(&Location::File(store.to_owned())).await.unwrap();
    store.checkpoint(CheckpointKind::Witnessed).await.unwrap().map(|(_, note)| note.parse().unwrap())
}

async fn lookup(
    caller: &Caller,
    coordinator: &TestCoordinator,
    envelope: pb::Envelope,
) -> Result<Found, Status> {
    let config = client_config(&caller.tls, &caller.region, Expected::Id(coordinator.id.clone())).unwrap();
    let address = format!("https://{}", coordinator.address()).parse().unwrap();
    let channel = lango_transport::connect(&address, config, Duration::from_secs(10)).await.unwrap();
    Ok(AuditClient::new(channel).audit(envelope).await?.found.unwrap())
}

fn signed(caller: &Caller, log: &SpiffeId, lookup: AuditLookup) -> pb::Envelope {
    let audit = Audit {
        request_id: caller.act(log, Act::Policy).request_id,
        auditor: caller.id.clone(),
        log: log.clone(),
        lookup,
        issued_at: caller.now(),
        expires_at: caller.now() + 600,
    };
    caller.sign(PayloadType::Audit, audit.encode())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_passed_on_and_what_comes_back_stands_in_both_logs() {
    let world = World::start().await;
    let coordinator = world.coordinator().await;
    let analyst = world.region.analyst();
    let question = analyst.question(&world.audience(), &persons("by sex", "0.25"));
    let envelope = analyst.sign(PayloadType::Query, question.encode());
    analyst.relay(&coordinator, &envelope, false).await.unwrap();
    // One that is refused at the coordinator is on record too, and at no office.
    let late = lango_wire::Question { expires_at: question.issued_at, ..question.clone() };
    let late = analyst.sign(PayloadType::Query, late.encode());
    assert!(analyst.relay(&coordinator, &late, false).await.is_err());

    let logged = entries(&world.store()).await;
    let mut relayed = Vec::new();
    let mut answers = Vec::new();
    for entry in &logged {
        match &entry.event {
            LogEvent::Relay(event) => relayed.push((entry.actor.principal.clone(), event)),
            LogEvent::Answer(event) => answers.push(event),
            LogEvent::Start(_) => assert_eq!(entry.actor.principal, coordinator.id.to_string()),
            event => panic!("{event:?}"),
        }
    }
    assert_eq!(relayed.len(), 2);
    let (who, first) = &relayed[0];
    assert_eq!(*who, analyst.id.to_string());
    assert_eq!(first.audience.lines, ["BEN", "GHA"]);
    assert_eq!(first.question.as_ref().unwrap().text, question.query);
    assert_eq!((&first.purpose, first.refusal.as_deref()), (&question.purpose, None));
    assert_eq!(relayed[1].1.refusal.as_deref(), Some("time"));

    answers.sort_by(|one, other| one.office.cmp(&other.office));
    assert_eq!(answers.len(), 2);
    for (answer, office) in answers.iter().zip(&world.offices) {
        let of_office = entries(&office.store()).await;
        let given = of_office.iter().find_map(|entry| match &entry.event {
            LogEvent::Request(request) if request.decision == RequestDecision::Released => {
                Some((request.request, request.envelope, request.release.unwrap().envelope))
            }
            _ => None,
        });
        assert_eq!(answer.outcome, MemberOutcome::Answered);
        assert_eq!(given.unwrap(), (answer.request, Some(first.envelope), answer.envelope), "{}", office.id);
    }
    coordinator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_cosign_the_log_and_one_that_was_rolled_back_serves_no_more() {
    let world = World::start().await;
    let coordinator = world.coordinator().await;
    let analyst = world.region.analyst();
    let ask = async |coordinator: &TestCoordinator, by: &str| {
        let question = analyst.question(&world.audience(), &persons(by, "0.25"));
        let envelope = analyst.sign(PayloadType::Query, question.encode());
        analyst.relay(coordinator, &envelope, false).await
    };
    ask(&coordinator, "by sex").await.unwrap();
    coordinator.stop().await;
    let backup = fs::read(world.store()).unwrap();

    let coordinator = world.coordinator().await;
    ask(&coordinator, "by age").await.unwrap();
    let begun = std::time::Instant::now();
    let keys: Vec<NoteKey> = world
        .offices
        .iter()
        .map(|office| {
            let key = office.identity.signer().public_key();
            let name = log_origin(&office.id.to_string()).unwrap();
            NoteKey::new(&name, SignatureType::Cosignature, key).unwrap()
        })
        .collect();
    let keys: Vec<&NoteKey> = keys.iter().collect();
    let checkpoint = loop {
        assert!(begun.elapsed() < PATIENCE, "no member has cosigned");
        if let Some(checkpoint) = cosigned(&world.store()).await
            && checkpoint.unverified().size >= 8
        {
            break checkpoint;
        }
        tokio::time::sleep(EVERY).await;
    };
    assert_eq!(checkpoint.cosigned(&keys).unwrap().len(), 2);
    coordinator.stop().await;

    // Yesterday's copy is consistent in itself; the members hold more.
    fs::write(world.store(), &backup).unwrap();
    for _ in 0..2 {
        let coordinator = world.coordinator().await;
        while coordinator.why_stopped().is_none() {
            assert!(begun.elapsed() < PATIENCE, "the coordinator serves from a log that was cut back");
            tokio::time::sleep(EVERY).await;
        }
        match coordinator.why_stopped() {
            Some(CoordinatorServeError::Log(LogError::CutBack { found, signed })) => assert!(found < signed),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn auditors_that_are_listed_read_the_log_and_nobody_else() {
    let world = World::start().await;
    let coordinator = world.coordinator().await;
    let ina = world.region.caller(Role::Auditor, "ina");
    let head = signed(&ina, &coordinator.id, AuditLookup::Head);
    let Found::Head(found) = lookup(&ina, &coordinator, head.clone()).await.unwrap() else { panic!() };
    let checkpoint: SignedCheckpoint = found.checkpoint.parse().unwrap();
    let origin = log_origin(&coordinator.id.to_string()).unwrap();
    let key = world.identity.signer().public_key();
    checkpoint.verify(&NoteKey::new(&origin, SignatureType::Ed25519, key).unwrap()).unwrap();
    let page = signed(&ina, &coordinator.id, AuditLookup::Entries { first: 0, most: 10 });
    let Found::Entries(page) = lookup(&ina, &coordinator, page).await.unwrap() else { panic!() };
    let events: Vec<_> = page.entries.iter().map(|leaf| LogEntry::read(leaf).unwrap().event).collect();
    // The start, and each look-up, before it is answered.
    assert!(matches!(events[..], [LogEvent::Start(_), LogEvent::Inspection(_), LogEvent::Inspection(_)]));

    let eve = world.region.caller(Role::Auditor, "eve");
    let analyst = world.region.analyst();
    let office = &world.offices[0].id;
    for (what, caller, envelope, code) in [
        ("again", &ina, head, Code::AlreadyExists),
        ("another auditor", &eve, signed(&eve, &coordinator.id, AuditLookup::Head), Code::PermissionDenied),
        (
            "an analyst",
            &analyst,
            signed(&analyst, &coordinator.id, AuditLookup::Head),
            Code::PermissionDenied,
        ),
        ("for another log", &ina, signed(&ina, office, AuditLookup::Head), Code::PermissionDenied),
    ] {
        let refused = lookup(caller, &coordinator, envelope).await.unwrap_err();
        assert_eq!(refused.code(), code, "{what}: {refused:?}");
    }
    coordinator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_recorded_is_passed_on_to_nobody() {
    let world = World::start().await;
    let coordinator = world.coordinator().await;
    let analyst = world.region.analyst();
    // It has opened its log when it answers.
    let ina = world.region.caller(Role::Auditor, "ina");
    lookup(&ina, &coordinator, signed(&ina, &coordinator.id, AuditLookup::Head)).await.unwrap();
    rusqlite::Connection::open(world.store())
        .unwrap()
        .execute_batch("PRAGMA busy_timeout = 10000; ALTER TABLE access_record RENAME TO gone")
        .unwrap();
    let question = analyst.question(&world.audience(), &persons("by sex", "0.25"));
    let envelope = analyst.sign(PayloadType::Query, question.encode());
    let refused = analyst.relay(&coordinator, &envelope, false).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    for office in &world.offices {
        assert!(office.ledger().accounts.is_empty(), "{}", office.id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_whose_asker_has_gone_is_on_record_as_passed_on_to_nobody() {
    let world = World::start().await;
    let coordinator = world.coordinator().await;
    let analyst = world.region.analyst();
    world.offices.iter().for_each(|office| office.gate.set(Mode::Shut));
    let question = analyst.question(&world.audience(), &persons("by sex", "0.25"));
    let envelope = analyst.sign(PayloadType::Query, question.encode());
    let reached = async {
        for office in &world.offices {
            office.gate.reached().await;
        }
    };
    tokio::select! {
        answered = analyst.relay(&coordinator, &envelope, false) => panic!("{:?}", answered.is_ok()),
        () = reached => {}
    }
    world.offices.iter().for_each(|office| office.gate.set(Mode::Open));
    let begun = std::time::Instant::now();
    let mut gone = loop {
        assert!(begun.elapsed() < PATIENCE, "nothing is on record");
        let logged = entries(&world.store()).await;
        let gone: Vec<String> = logged
            .iter()
            .filter_map(|entry| match &entry.event {
                LogEvent::Answer(answer) => {
                    assert_eq!((answer.outcome, answer.envelope), (MemberOutcome::Missing, None));
                    assert_eq!(answer.reason.as_deref(), Some("asker-gone"));
                    Some(answer.office.clone())
                }
                _ => None,
            })
            .collect();
        if gone.len() == world.offices.len() {
            break gone;
        }
        tokio::time::sleep(EVERY).await;
    };
    gone.sort();
    assert_eq!(gone, ["BEN", "GHA"]);
    coordinator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_coordinators_on_one_store_are_cosigned_and_neither_takes_the_other_for_a_roll_back() {
    let world = World::start().await;
    let coordinators = [world.coordinator().await, world.coordinator().await];
    let analyst = world.region.analyst();
    for round in 1..=10 {
        for (coordinator, of) in coordinators.iter().zip([0, 1]) {
            let price = format!("0.{}1", 10 + 2 * round + of);
            let question = analyst.question(&world.audience(), &persons("by sex", &price));
            let envelope = analyst.sign(PayloadType::Query, question.encode());
            analyst.relay(coordinator, &envelope, false).await.unwrap();
        }
    }
    let size = entries(&world.store()).await.len() as u64;
    let begun = std::time::Instant::now();
    while cosigned(&world.store()).await.is_none_or(|checkpoint| checkpoint.unverified().size < size) {
        assert!(begun.elapsed() < PATIENCE, "no member has cosigned");
        tokio::time::sleep(EVERY).await;
    }
    for coordinator in coordinators {
        assert!(coordinator.why_stopped().is_none(), "{:?}", coordinator.why_stopped());
        coordinator.stop().await;
    }
}
