//! A9 where several gateways of an office share a store: whose a request is, and what is kept of it.

use std::time::Duration;

use lango_identity::{PayloadType, digest};
use lango_ledger::Claimed;
use lango_store::{Claiming, Decision, Location, OfRequest, Record, Step, Store};
use lango_testkit::{
    Caller, Engine, Mode, Office, Policy, Register, TestDatabase, TestRegion, at_once, persons,
};
use lango_wire::{Object, Question, pb, status::retry_after};

use crate::replays::{describe, price, query, question, reason, signed};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_of_free_answers_is_bounded_for_each_principal() {
    const MIB: usize = 1 << 20;
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = TestRegion::new();
        let ([one, other], database) = pair(&world, engine).await;
        let (analyst, kofi) = (world.analyst(), world.caller(lango_identity::Role::Analyst, "kofi"));
        let store = Store::open(&location(&one, database.as_ref())).await.unwrap();
        let described = analyst.lookup(&[&one.id], Object::Describe(None));
        let before = analyst.sign(PayloadType::Lookup, described.encode());
        let first = describe(&analyst, &one, &before).await.unwrap();
        for number in 0..32 {
            let claiming = Claiming {
                principal: analyst.id.to_string(),
                id: [number; 16],
                digest: [number; 32],
                expires_at: i64::try_from(described.expires_at).unwrap() - 600,
                forget_before: 0,
            };
            let step = Step::Answered(vec![number; MIB]);
            let record = Record { request: Some(OfRequest { id: claiming.id, step }), ..failed(&analyst) };
            store.append(&record, Some(&claiming)).await.unwrap();
        }
        // A gateway counts what it finds when it first sees a principal, and what it keeps from then on.
        let lookup =
            || analyst.sign(PayloadType::Lookup, analyst.lookup(&[&one.id], Object::Describe(None)).encode());
        let estimated = || analyst.question(&[&one.id], &persons("by sex", "1")).encode();
        let refused = [
            describe(&analyst, &other, &lookup()).await.unwrap_err(),
            price(&analyst, &other, &analyst.sign(PayloadType::Estimate, estimated())).await.unwrap_err(),
            query(&analyst, &other, &signed(&analyst, &other, &question())).await.unwrap_err(),
            query(&analyst, &other, &signed(&analyst, &other, &persons("by village", "1")))
                .await
                .unwrap_err(),
        ];
        let left = Duration::from_secs(described.expires_at - described.issued_at - 600 + 300);
        for status in refused {
            assert_eq!(reason(&status).as_deref(), Some("too-many-requests"), "{engine:?}");
            let wait = retry_after(&status).unwrap();
            assert!(
                wait + Duration::from_secs(60) >= left && wait <= left + Duration::from_secs(60),
                "{wait:?}"
            );
        }
        // What has its answer keeps it, and others are not concerned.
        assert_eq!(describe(&analyst, &other, &before).await.unwrap(), first);
        let others = kofi.lookup(&[&one.id], Object::Describe(None));
        describe(&kofi, &other, &kofi.sign(PayloadType::Lookup, others.encode())).await.unwrap();
        // Once the oldest have expired there is room again.
        world.clock.advance(i64::try_from(left.as_secs()).unwrap() + 60);
        describe(&analyst, &other, &lookup()).await.unwrap();
        store.close().await;
    }
}

/// An answer but for its receipt, which is signed by the key of the gateway that sends it.
fn unreceipted(release: &pb::Release) -> pb::Release {
    pb::Release { receipt: None, ..release.clone() }
}

/// Two gateways of one office on one store.
async fn pair(world: &TestRegion, engine: Engine) -> ([Office; 2], Option<TestDatabase>) {
    let prepare = || Office::prepare(world, "GHA", &Policy::of("GHA"), &Register::sample(5));
    let (mut one, mut other) = (prepare(), prepare());
    let database = match engine {
        Engine::Postgres => {
            let database = TestDatabase::fresh(Engine::Postgres);
            one.keep_in(&database.owner());
            other.keep_in(&database.owner());
            Some(database)
        }
        Engine::Sqlite | Engine::MariaDb => {
            other.share(&one);
            None
        }
    };
    one.up().await.unwrap();
    other.up().await.unwrap();
    ([one, other], database)
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_at_once_wait_for_one_answer_in_one_gateway_and_in_two() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = TestRegion::new();
        let (offices, _database) = pair(&world, engine).await;
        let analyst = world.analyst();
        for gateways in [1, 2] {
            let text = persons("by age,country_of_birth", &format!("0.{gateways}"));
            let envelope = signed(&analyst, &offices[0], &text);
            let fetches = || offices.iter().map(|office| office.gate.fetches()).sum::<usize>();
            let before = fetches();
            offices.iter().for_each(|office| office.gate.set(Mode::Shut));
            let asked = (0..8).map(|n| query(&analyst, &offices[n % gateways], &envelope));
            let opened = async {
                tokio::time::sleep(Duration::from_millis(700)).await;
                offices.iter().for_each(|office| office.gate.set(Mode::Open));
            };
            let (answers, ()) = tokio::join!(at_once(asked), opened);
            let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
            let unreceipted: Vec<_> = answers.iter().map(unreceipted).collect();
            assert!(unreceipted.iter().all(|answer| *answer == unreceipted[0]), "{engine:?} {gateways}");
            assert_eq!(answers[0].charged.unwrap().pure_nano, Some(100_000_000 * gateways as u64));
            assert_eq!(fetches(), before + 1, "{engine:?} {gateways}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_of_a_dead_gateway_is_taken_over_and_one_of_a_living_gateway_is_not() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = TestRegion::new();
        let ([one, _other], database) = pair(&world, engine).await;
        let analyst = world.analyst();
        let third = Store::open(&location(&one, database.as_ref())).await.unwrap();
        // (how often it shows that it lives, for how long at least the request waits): the second request of a gateway that was
        // taken for dead waits for one sign of life, and one that lives again keeps its claim.
        for (number, (beats, waits)) in [(0, 7), (0, 2), (5, 10)].into_iter().enumerate() {
            let question = analyst.question(&[&one.id], &persons("by sex", &format!("0.0{}", number + 1)));
            let envelope = analyst.sign(PayloadType::Query, question.encode());
            let claiming = claiming(&analyst, &question, &envelope);
            assert_eq!(third.claim(&claiming, None).await.unwrap(), Claimed::Fresh);
            let began = tokio::time::Instant::now();
            let living = async {
                for _ in 0..beats {
                    tokio::time::sleep(Duration::from_secs(2)).await;
                    third.beat(&claiming.principal, claiming.id).await.unwrap();
                }
                if beats > 0 {
                    let request = Some(OfRequest { id: claiming.id, step: Step::Freed });
                    third.append(&Record { request, ..failed(&analyst) }, None).await.unwrap();
                }
            };
            let (answer, ()) = tokio::join!(query(&analyst, &one, &envelope), living);
            assert!(began.elapsed() >= Duration::from_secs(waits), "{engine:?} {beats}");
            assert!(began.elapsed() < Duration::from_secs(waits + 5), "{engine:?} {beats}");
            let again = query(&analyst, &one, &envelope).await.unwrap();
            assert_eq!(unreceipted(&again), unreceipted(&answer.unwrap()));
        }
        third.close().await;
    }
}

/// Where a pair keeps its store.
fn location(office: &Office, database: Option<&TestDatabase>) -> Location {
    match database {
        Some(database) => Location::Postgres { server: database.owner(), connections: 2 },
        None => Location::File(office.store()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_waits_for_another_gateway_no_longer_than_it_lives() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = TestRegion::new();
        let ([one, _other], database) = pair(&world, engine).await;
        let analyst = world.analyst();
        let third = Store::open(&location(&one, database.as_ref())).await.unwrap();
        let question = analyst.question(&[&one.id], &persons("by sex", "1"));
        let envelope = analyst.sign(PayloadType::Query, question.encode());
        let claiming = claiming(&analyst, &question, &envelope);
        assert_eq!(third.claim(&claiming, None).await.unwrap(), Claimed::Fresh);
        let expires = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            world.clock.advance(i64::try_from(question.expires_at - question.issued_at).unwrap());
        };
        let waited = tokio::time::timeout(Duration::from_secs(6), query(&analyst, &one, &envelope));
        let (refused, ()) = tokio::join!(waited, expires);
        assert_eq!(reason(&refused.unwrap().unwrap_err()).as_deref(), Some("time"), "{engine:?}");
        // The claim of the other one stays its own.
        third.beat(&claiming.principal, claiming.id).await.unwrap();
        assert!(matches!(third.claim(&claiming, None).await.unwrap(), Claimed::Free));
        third.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_waits_for_a_locked_store_is_not_taken_for_dead() {
    let world = TestRegion::new();
    let ([one, other], _) = pair(&world, Engine::Sqlite).await;
    let analyst = world.analyst();
    let envelope = signed(&analyst, &one, &question());
    [&one, &other].into_iter().for_each(|office| office.gate.set(Mode::Shut));
    let at_other = async {
        one.gate.reached().await;
        query(&analyst, &other, &envelope).await
    };
    let locked = async {
        one.gate.reached().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let lock = rusqlite::Connection::open(one.store()).unwrap();
        lock.busy_timeout(Duration::from_secs(5)).unwrap();
        lock.execute_batch("BEGIN IMMEDIATE").unwrap();
        tokio::time::sleep(Duration::from_secs(11)).await;
        lock.execute_batch("ROLLBACK").unwrap();
        tokio::time::sleep(Duration::from_secs(4)).await;
        [&one, &other].into_iter().for_each(|office| office.gate.set(Mode::Open));
    };
    let (first, copy, ()) = tokio::join!(query(&analyst, &one, &envelope), at_other, locked);
    assert_eq!(unreceipted(&first.unwrap()), unreceipted(&copy.unwrap()));
    assert_eq!((one.gate.fetches(), other.gate.fetches()), (1, 0));
}

/// What claims a question.
fn claiming(analyst: &Caller, question: &Question, envelope: &pb::Envelope) -> Claiming {
    Claiming {
        principal: analyst.id.to_string(),
        id: question.request_id,
        digest: digest(PayloadType::Query, &envelope.payload),
        expires_at: i64::try_from(question.expires_at).unwrap(),
        forget_before: 0,
    }
}

fn failed(analyst: &Caller) -> Record {
    let record = Record::of(analyst.id.to_string(), (0, [0; 32]), Decision::Failed);
    Record { reason: "unavailable".into(), ..record }
}

/// Requests of one principal that two gateways have at once, each to both: those that find that the other gateway has answered
/// wait for memory of kept answers while they hold memory of their own.
#[tokio::test(flavor = "multi_thread")]
async fn copies_of_many_requests_at_two_gateways_all_end() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = TestRegion::new();
        let ([one, other], _database) = pair(&world, engine).await;
        let analyst = world.analyst();
        let texts: Vec<String> = (1..=8).map(|at| persons("by sex", &format!("0.{at}"))).collect();
        let asked: Vec<pb::Envelope> = texts.iter().map(|text| signed(&analyst, &one, text)).collect();
        let twice = asked.iter().flat_map(|envelope| [(&one, envelope), (&other, envelope)]);
        let answers = at_once(twice.map(|(office, envelope)| query(&analyst, office, envelope)));
        let answers = tokio::time::timeout(Duration::from_secs(60), answers).await.expect("all of them end");
        for pair in answers.chunks(2) {
            let [one, other] = [0, 1].map(|at: usize| unreceipted(pair[at].as_ref().unwrap()));
            assert_eq!(one, other, "{engine:?}");
        }
    }
}
