//! Several gateways on one store, and connections that end at the worst moment.

use lango_privacy::Loss;

use crate::{
    Decision, Reserved, Settled, StoreError, Stored,
    engine::Run,
    fixture::{Engine, Fixture, Place, ask, on_both_engines, record, release},
    statement::statement,
};

statement! {
    /// The identifier of a question's reservation.
    IdOf { query_digest } = "SELECT id FROM reservation WHERE query_digest = :query_digest"
}

statement! {
    /// What all live reservations hold.
    HeldSum = "SELECT CAST(sum(pure_nano) AS BIGINT) AS sum FROM reservation WHERE state <> 'voided'"
}

statement! {
    /// A setting of the session.
    Setting = "SELECT current_setting('idle_in_transaction_session_timeout') AS time"
}

on_both_engines! {
    many_at_two_gateways_never_overspend_and_leave_no_gap_in_the_records,
    of_two_gateways_that_answer_one_question_the_first_to_settle_is_believed,
    a_gateway_that_fails_before_reading_gives_nothing_back_while_another_reads,
    a_write_that_fails_spoils_no_other,
}

async fn many_at_two_gateways_never_overspend_and_leave_no_gap_in_the_records(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let stores = [fixture.store.clone(), fixture.place.open().await];
    let tasks = (0..80u8).map(|number| {
        let store = stores[usize::from(number % 2)].clone();
        let ask = ask(number / 2, Loss::pure(1));
        tokio::spawn(async move { store.reserve(&ask, &record(Decision::Reserved)).await.unwrap() })
    });
    let mut charged = 0;
    for task in tasks.collect::<Vec<_>>() {
        if let Reserved::Held(held) = task.await.unwrap() {
            charged += held.charged.pure_nano.unwrap();
        }
    }
    assert_eq!((charged, fixture.charged().await), (6, (6, 6)));
    let sequences: Vec<i64> = fixture.decisions().await.into_iter().map(|(sequence, _)| sequence).collect();
    assert_eq!(sequences, [1, 2, 3, 4, 5, 6]);
}

async fn of_two_gateways_that_answer_one_question_the_first_to_settle_is_believed(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let other = fixture.place.open().await;
    let first = fixture.held(1, 4).await;
    let Reserved::Held(second) =
        other.reserve(&ask(1, Loss::pure(4)), &record(Decision::Reserved)).await.unwrap()
    else {
        panic!("it is resumed");
    };
    assert_eq!((second.id, second.charged.pure_nano), (first.id, Some(0)));
    let settled = other.settle(second.id, &release(2), &record(Decision::Released)).await.unwrap();
    assert_eq!(settled, Settled::Stored);
    let late = fixture.store.settle(first.id, &release(1), &record(Decision::Released)).await.unwrap();
    assert_eq!(late, Settled::Earlier);
    let key = ask(1, Loss::pure(4)).key;
    assert_eq!(fixture.store.find(&key).await.unwrap(), Some(release(2)));
    assert_eq!(fixture.store.release(&[1; 16]).await.unwrap(), None);
    assert_eq!(fixture.charged().await, (4, 4));
    let decisions: Vec<String> =
        fixture.decisions().await.into_iter().map(|(_, decision)| decision).collect();
    assert_eq!(decisions, ["reserved", "released"]);
}

async fn a_gateway_that_fails_before_reading_gives_nothing_back_while_another_reads(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    let other = fixture.place.open().await;
    let first = fixture.held(1, 4).await;
    other.reserve(&ask(1, Loss::pure(4)), &record(Decision::Reserved)).await.unwrap();
    fixture
        .store
        .fail(first.id, &crate::fixture::accounts(), false, &record(Decision::Failed))
        .await
        .unwrap();
    assert_eq!(fixture.charged().await, (4, 4));
    let settled = other.settle(first.id, &release(1), &record(Decision::Released)).await.unwrap();
    assert_eq!(settled, Settled::Stored);
    // And one that fails after the other has settled takes nothing away.
    fixture
        .store
        .fail(first.id, &crate::fixture::accounts(), false, &record(Decision::Failed))
        .await
        .unwrap();
    assert_eq!(fixture.charged().await, (4, 4));
    assert!(fixture.store.find(&ask(1, Loss::pure(4)).key).await.unwrap().is_some());
}

async fn a_write_that_fails_spoils_no_other(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    for query in 1..=6 {
        fixture.held(query, 1).await;
    }
    // The identifier is taken, which only the database finds out.
    let (store, ids) = (fixture.store.clone(), fixture.place.connect().await);
    let id = |query: u8| IdOf { query_digest: (&DIGESTS[usize::from(query)]).into() };
    let mut connection = ids;
    let mut tasks = Vec::new();
    for query in 1..=6u8 {
        let id: i64 = connection.one(id(query).into()).await.unwrap().get("id").unwrap();
        let store = store.clone();
        let release = Stored { release_id: [query % 5; 16], ..release(0) };
        tasks.push(async move { store.settle(id, &release, &record(Decision::Released)).await });
    }
    let mut settled = 0;
    let running: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
    for task in running {
        match task.await.unwrap() {
            Ok(done) => settled += u32::from(done == Settled::Stored),
            Err(error) => assert!(matches!(error, StoreError::Transaction { .. }), "{error}"),
        }
    }
    assert_eq!(settled, 5);
    let sequences: Vec<i64> = fixture.decisions().await.into_iter().map(|(sequence, _)| sequence).collect();
    assert_eq!(sequences, (1..=11).collect::<Vec<_>>());
}

const DIGESTS: [[u8; 32]; 7] = [[0; 32], [1; 32], [2; 32], [3; 32], [4; 32], [5; 32], [6; 32]];

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_ended_are_made_anew_and_undercharge_nothing() {
    let fixture = Fixture::new(Engine::Postgres).await;
    let Place::Database(database) = &fixture.place else { unreachable!() };
    fixture.held(1, 1).await;
    database.interrupt().await;
    assert_eq!(fixture.held(1, 1).await.charged.pure_nano, Some(0));
    // While nobody is let in nothing is granted; afterwards everything goes on.
    database.admit(false).await;
    database.interrupt().await;
    let refused = fixture.store.reserve(&ask(2, Loss::pure(1)), &record(Decision::Reserved)).await;
    assert!(matches!(refused, Err(StoreError::Transaction { .. })), "{refused:?}");
    database.admit(true).await;
    fixture.held(2, 1).await;
    assert_eq!(fixture.charged().await, (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_ended_while_many_ask_undercharge_nothing() {
    let fixture = Fixture::new(Engine::Postgres).await;
    let Place::Database(database) = &fixture.place else { unreachable!() };
    let mut answered = 0;
    for round in 0..8u8 {
        let tasks = (0..30u8).map(|number| {
            let store = fixture.store.clone();
            let mut ask = ask(number, Loss::pure(1));
            ask.key.terms_digest = [round; 32];
            for charge in [&mut ask.pool, &mut ask.share] {
                charge.limit.amount_nano = 100;
            }
            tokio::spawn(async move { store.reserve(&ask, &record(Decision::Reserved)).await })
        });
        let tasks: Vec<_> = tasks.collect();
        database.interrupt().await;
        for task in tasks {
            if let Ok(Reserved::Held(held)) = task.await.unwrap() {
                answered += held.charged.pure_nano.unwrap();
            }
        }
    }
    let (pool, share) = fixture.charged().await;
    assert!(answered <= pool && pool == share && pool <= 100, "{answered} {pool} {share}");
    let sum: i64 = fixture.place.connect().await.one(HeldSum.into()).await.unwrap().get("sum").unwrap();
    assert_eq!(u64::try_from(sum).unwrap(), pool);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_vanishes_in_a_transaction_sets_the_others_free() {
    let fixture = Fixture::new(Engine::Postgres).await;
    let mut vanishing = fixture.place.connect().await;
    let time: String = vanishing.one(Setting.into()).await.unwrap().get("time").unwrap();
    assert_eq!(time, "15s");
    vanishing.raw("SET idle_in_transaction_session_timeout = '500ms'").await.unwrap();
    vanishing.begin().await.unwrap();
    vanishing.raw("INSERT INTO account VALUES ('residents', '', '2026', 9, 0, 0)").await.unwrap();
    // It keeps its connection open and says nothing more.
    fixture.held(1, 4).await;
    assert_eq!(fixture.charged().await, (4, 4));
    assert!(vanishing.raw("COMMIT").await.is_err());
}
