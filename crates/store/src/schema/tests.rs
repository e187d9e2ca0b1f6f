//! Schemas: unknown ones are refused, old ones brought up to date, new ones made once and on purpose.

use lango_ledger::Holder;

use super::*;
use crate::version::SchemaVersion;
use crate::{
    Decision, Examined, Reserved,
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
        store.declare(&[crate::fixture::declared()], None, None).await.unwrap();
        let share = account(Holder::Grant("analysts".into()));
        assert_eq!(store.balance(&share).await.unwrap().pure_nano, Some(7));
        assert_eq!(store.balance(&account(Holder::Pool)).await.unwrap().pure_nano, Some(4));
        store.bounding_secret("residents", "1", [3; 32], None, 0).await.unwrap();
        let resumed = store.reserve(&ask(1, lango_privacy::Loss::pure(4)), &record(Decision::Reserved)).await;
        assert!(matches!(resumed.unwrap(), Reserved::Held(held) if held.charged == crate::fixture::FREE));
        let records = store.records(0, 10).await.unwrap();
        assert_eq!((records[0].rule.as_deref(), records[0].agreement.as_deref()), (Some("analysts"), None));
        store.close().await;
    }
    assert_eq!(identities[0], identities[1]);
}

const OLD_SQLITE: &str = "INSERT INTO account VALUES ('residents', 'analysts', '2026', 7, 1, 0); \
    INSERT INTO reservation VALUES (1, zeroblob(32), '1', zeroblob(32), 'q', 'residents', 'others', '2026', 'p', 0, 0, 0, 0, 'spent'); \
    INSERT INTO reservation VALUES (2, unhex(replace(hex(zeroblob(32)), '00', '01')), '1', \
    unhex(replace(hex(zeroblob(32)), '00', '09')), 'q', 'residents', 'analysts', '2026', 'p', 4, 0, 0, 1800000000, 'pending'); \
    INSERT INTO access_record (at, principal, purpose, request_digest, decision, reason, rule, policy_digest, rho_nano, delta_e18) \
    VALUES (1800000000, 'spiffe://ecowas.example/analyst/awa', 'q', zeroblob(32), 'reserved', '', 'analysts', zeroblob(32), 0, 0)";
const OLD_POSTGRES: &str = "INSERT INTO account VALUES ('residents', 'analysts', '2026', 7, 1, 0); \
    INSERT INTO reservation (query_digest, dataset_version, terms_digest, query, dataset, grant_id, period, plan, pure_nano, \
    rho_nano, delta_e18, reserved_at, state) VALUES (decode(repeat('01', 32), 'hex'), '1', decode(repeat('09', 32), 'hex'), 'q', \
    'residents', 'analysts', '2026', 'p', 4, 0, 0, 1800000000, 'pending'); \
    INSERT INTO access_record (sequence, at, principal, purpose, request_digest, decision, reason, rule, policy_digest, rho_nano, \
    delta_e18) VALUES (1, 1800000000, 'spiffe://ecowas.example/analyst/awa', 'q', decode(repeat('01', 32), 'hex'), 'reserved', '', 'analysts', \
    decode(repeat('02', 32), 'hex'), 0, 0)";

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

/// The bytes of a path's file and of what SQLite would make beside it.
fn bytes_of(path: &std::path::Path) -> [Option<Vec<u8>>; 3] {
    ["", "-wal", "-shm"].map(|suffix| std::fs::read(format!("{}{suffix}", path.display())).ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_store_is_named_for_what_it_is_and_left_as_it_is() {
    const REGISTER: &str = "CREATE TABLE residents (person_id TEXT); INSERT INTO residents VALUES ('GHA-1')";
    // Another program's, whose migrations are kept in a table of the same name.
    const MIGRATED: &str =
        "CREATE TABLE schema_version (version TEXT); INSERT INTO schema_version VALUES ('1.0')";
    const EMPTIED: &str = "CREATE TABLE t (a); DROP TABLE t";
    let database = |sql: &'static str, mode: &'static str| {
        move |path: std::path::PathBuf| async move {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
            let options = options.pragma("journal_mode", mode);
            let mut connection = crate::engine::Options::Sqlite(Box::new(options)).connect().await.unwrap();
            connection.raw(sql).await.unwrap();
            connection.close().await.unwrap();
        }
    };
    for (what, sql, mode, absence, can_become_one) in [
        ("an empty file", None, "", StoreAbsence::Empty, true),
        ("a database without a table", Some(EMPTIED), "delete", StoreAbsence::Empty, true),
        ("what a refused start of an earlier version left", Some(EMPTIED), "wal", StoreAbsence::Empty, true),
        ("a register", Some(REGISTER), "delete", StoreAbsence::Another, false),
        ("a register with a log", Some(REGISTER), "wal", StoreAbsence::Another, false),
        ("another program's", Some(MIGRATED), "delete", StoreAbsence::Another, false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("there.sqlite");
        match sql {
            Some(sql) => database(sql, mode)(path.clone()).await,
            None => std::fs::write(&path, "").unwrap(),
        }
        let (location, before) = (Location::File(path.clone()), bytes_of(&path));
        for _ in 0..2 {
            for error in [
                Store::open(&location).await.unwrap_err(),
                Examined::readable(&location).await.err().unwrap(),
            ] {
                assert!(
                    matches!(&error, StoreError::Missing { absence: found, .. } if *found == absence),
                    "{what}: {error}"
                );
            }
            assert_eq!(bytes_of(&path), before, "{what}");
        }
        let made = Store::create(&location).await;
        if can_become_one {
            made.unwrap();
            Store::open(&location).await.unwrap().close().await;
        } else {
            assert!(matches!(made, Err(StoreError::Occupied { .. })), "{what}");
            assert_eq!(bytes_of(&path), before, "{what}");
        }
    }
    // What is no database at all.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    std::fs::write(&path, "policy = 2\n".repeat(200)).unwrap();
    let (location, before) = (Location::File(path.clone()), bytes_of(&path));
    assert!(matches!(Store::create(&location).await, Err(StoreError::Occupied { .. })));
    assert!(matches!(Store::open(&location).await, Err(StoreError::Database(_))));
    assert_eq!(bytes_of(&path), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_gone_is_named_with_the_anchor_that_remembers_it() {
    let folder = tempfile::tempdir().unwrap();
    let (location, anchor) = (Location::File(folder.path().join("gone")), folder.path().join("anchor"));
    let words = |error: StoreError| error.with_anchor(Some(&anchor)).to_string();
    let never = words(Store::open(&location).await.unwrap_err());
    let [disk, create] =
        ["see that its disk is mounted", "lango ledger create"].map(|said| never.find(said).unwrap());
    assert!(disk < create, "{never}");
    std::fs::write(&anchor, "").unwrap();
    let gone = words(Store::open(&location).await.unwrap_err());
    assert!(gone.contains("says that there was one: see that its disk is mounted"), "{gone}");
    assert!(!gone.contains("lango ledger create"), "{gone}");
}
