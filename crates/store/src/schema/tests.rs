//! Schemas: unknown ones are refused, old ones brought up to date, new ones made once and on purpose.

use lango_ledger::Holder;

use super::*;
use crate::{
    Decision, Reserved,
    fixture::{Engine, Fixture, Place, account, ask, on_both_engines, record},
};

on_both_engines! {
    a_schema_of_another_version_is_refused,
    a_step_that_fails_leaves_the_store_as_it_was,
    a_store_of_the_first_schema_is_brought_up_to_date_with_all_it_holds,
    a_store_is_made_once_and_never_by_opening_it,
}

async fn a_schema_of_another_version_is_refused(engine: Engine) {
    for found in [SCHEMA + 1, 0, -1, i64::MAX] {
        let fixture = Fixture::new(engine).await;
        fixture.store.close().await;
        fixture.place.connect().await.all(SetSchemaVersion { version: found.into() }.into()).await.unwrap();
        let error = Store::open(&fixture.place.location()).await.unwrap_err();
        assert!(
            matches!(error, StoreError::Schema { found: named, own: SCHEMA } if named == found),
            "{error}"
        );
    }
}

async fn a_step_that_fails_leaves_the_store_as_it_was(engine: Engine) {
    let fixture = Fixture::new(engine).await;
    fixture.store.close().await;
    let mut other = fixture.place.connect().await;
    // What the step makes is there already, so it cannot be taken.
    other.raw("UPDATE schema_version SET version = 1").await.unwrap();
    for _ in 0..2 {
        let error = Store::open(&fixture.place.location()).await.unwrap_err();
        assert!(matches!(error, StoreError::Database(_)), "{error}");
    }
    let version = other.one(SchemaVersion.into()).await.unwrap();
    assert_eq!(version.get::<i64>("version").unwrap(), 1);
}

async fn a_store_of_the_first_schema_is_brought_up_to_date_with_all_it_holds(engine: Engine) {
    let place = Place::fresh(engine).await;
    if let Location::File(path) = place.location() {
        std::fs::write(path, "").unwrap();
    }
    let mut old = place.connect().await;
    old.raw(match engine {
        Engine::Sqlite => SQLITE.first,
        Engine::Postgres => POSTGRES.first,
    })
    .await
    .unwrap();
    // The reservation is held, and the sum of its pool was forgotten.
    old.raw(match engine {
        Engine::Sqlite => OLD_SQLITE,
        Engine::Postgres => OLD_POSTGRES,
    })
    .await
    .unwrap();
    old.close().await.unwrap();
    let mut identities = Vec::new();
    for _ in 0..2 {
        let store = place.open().await;
        identities.push(store.identity());
        store.declare(&[crate::fixture::declared()]).await.unwrap();
        let share = account(Holder::Grant("analysts".into()));
        assert_eq!(store.balance(&share).await.unwrap().pure_nano, Some(7));
        assert_eq!(store.balance(&account(Holder::Pool)).await.unwrap().pure_nano, Some(4));
        store.bounding_secret("residents", "1", [3; 32], 0).await.unwrap();
        let resumed = store.reserve(&ask(1, lango_privacy::Loss::pure(4)), &record(Decision::Reserved)).await;
        assert!(matches!(resumed.unwrap(), Reserved::Held(held) if held.charged == crate::fixture::FREE));
        store.close().await;
    }
    assert_eq!(identities[0], identities[1]);
}

const OLD_SQLITE: &str = "INSERT INTO account VALUES ('residents', 'analysts', '2026', 7, 1, 0); \
    INSERT INTO reservation VALUES (1, zeroblob(32), '1', zeroblob(32), 'q', 'residents', 'others', '2026', 'p', 0, 0, 0, 0, 'spent'); \
    INSERT INTO reservation VALUES (2, unhex(replace(hex(zeroblob(32)), '00', '01')), '1', \
    unhex(replace(hex(zeroblob(32)), '00', '09')), 'q', 'residents', 'analysts', '2026', 'p', 4, 0, 0, 1800000000, 'pending')";
const OLD_POSTGRES: &str = "INSERT INTO account VALUES ('residents', 'analysts', '2026', 7, 1, 0); \
    INSERT INTO reservation (query_digest, dataset_version, terms_digest, query, dataset, grant_id, period, plan, pure_nano, \
    rho_nano, delta_e18, reserved_at, state) VALUES (decode(repeat('01', 32), 'hex'), '1', decode(repeat('09', 32), 'hex'), 'q', \
    'residents', 'analysts', '2026', 'p', 4, 0, 0, 1800000000, 'pending')";

async fn a_store_is_made_once_and_never_by_opening_it(engine: Engine) {
    let place = Place::fresh(engine).await;
    let location = place.location();
    let opened = Store::open(&location).await.unwrap_err();
    assert!(matches!(&opened, StoreError::Missing { .. }), "{opened}");
    assert!(opened.to_string().contains("lango ledger create --config FILE"), "{opened}");
    if let Location::File(path) = &location {
        assert!(!path.exists(), "opening makes nothing");
    }
    let making = (0..6).map(|_| {
        let location = location.clone();
        tokio::spawn(async move { Store::create(&location).await })
    });
    let mut made = 0;
    for task in making.collect::<Vec<_>>() {
        match task.await.unwrap() {
            Ok(()) => made += 1,
            Err(error) => assert!(matches!(error, StoreError::Exists { .. }), "{error}"),
        }
    }
    assert_eq!(made, 1);
    let (one, other) = (place.open().await, place.open().await);
    assert_eq!(one.identity(), other.identity());
    assert_ne!(one.opened_by(), other.opened_by());
    one.close().await;
    other.close().await;
}
