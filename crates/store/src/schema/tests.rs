//! Schemas: unknown ones are refused, old ones brought up to date, new ones made once.

use lango_ledger::Holder;

use super::*;
use crate::fixture::{Engine, Fixture, Place, account, on_both_engines};

on_both_engines! {
    a_schema_of_another_version_is_refused,
    a_step_that_fails_leaves_the_store_as_it_was,
    a_store_of_the_first_schema_is_brought_up_to_date_with_all_it_holds,
    gateways_that_open_an_empty_store_at_once_make_its_tables_once,
}

async fn a_schema_of_another_version_is_refused(engine: Engine) {
    for found in [SCHEMA + 1, 0, -1, i64::MAX] {
        let fixture = Fixture::new(engine).await;
        fixture.store.close().await;
        let update = Statement::new("UPDATE schema_version SET version = $1").bind(found);
        fixture.place.connect().await.all(update).await.unwrap();
        let error = Store::open(&fixture.place.location()).await.unwrap_err();
        assert!(matches!(error, StoreError::Schema { found: told } if told == found), "{error}");
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
    let version = other.one(Statement::new("SELECT version FROM schema_version")).await.unwrap();
    assert_eq!(version.get::<i64>("version").unwrap(), 1);
}

async fn a_store_of_the_first_schema_is_brought_up_to_date_with_all_it_holds(engine: Engine) {
    let place = Place::fresh(engine).await;
    let mut old = place.connect().await;
    old.raw(match engine {
        Engine::Sqlite => SQLITE.first,
        Engine::Postgres => POSTGRES.first,
    })
    .await
    .unwrap();
    old.raw("INSERT INTO account VALUES ('residents', '', '2026', 7, 1, 0)").await.unwrap();
    old.close().await.unwrap();
    for _ in 0..2 {
        let store = place.open().await;
        assert_eq!(store.balance(&account(Holder::Pool)).await.unwrap().pure_nano, Some(7));
        store.bounding_secret("residents", "1", [3; 32], 0).await.unwrap();
        store.close().await;
    }
}

async fn gateways_that_open_an_empty_store_at_once_make_its_tables_once(engine: Engine) {
    let place = Place::fresh(engine).await;
    let opening = (0..6).map(|_| {
        let location = place.location();
        tokio::spawn(async move { Store::open(&location).await.unwrap() })
    });
    for task in opening.collect::<Vec<_>>() {
        task.await.unwrap().close().await;
    }
    let versions =
        place.connect().await.all(Statement::new("SELECT version FROM schema_version")).await.unwrap();
    assert_eq!(versions.len(), 1);
}
