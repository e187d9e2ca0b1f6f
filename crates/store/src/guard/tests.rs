//! A main file whose log is gone is refused; one that lost nothing is not.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use lango_privacy::Loss;

use crate::{
    Decision, Examined, Location, Reserved, Store, StoreError,
    fixture::{ask, declared, record},
};

/// The files of a store as a power cut, or a kill, would leave them now: copied while it is open.
fn left(store: &Path, log: bool) -> (tempfile::TempDir, Location) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("ledger.sqlite");
    fs::copy(store, &copy).unwrap();
    if log {
        fs::copy(super::log_of(store), super::log_of(&copy)).unwrap();
    }
    (folder, Location::File(copy))
}

async fn charge(store: &Store, query: u8) {
    let reserved = store.reserve(&ask(query, Loss::pure(1)), &record(Decision::Reserved)).await.unwrap();
    assert!(matches!(reserved, Reserved::Held(_)), "{reserved:?}");
}

async fn records(location: &Location) -> Result<i64, StoreError> {
    let store = Store::open(location).await?;
    let sequence = store.last_sequence().await;
    store.close().await;
    sequence
}

async fn refused(location: &Location) {
    let examined = Examined::open(location).await.unwrap().unwrap();
    assert!(examined.log_is_lost);
    drop(examined);
    for _ in 0..2 {
        let error = records(location).await.unwrap_err();
        assert!(matches!(error, StoreError::LogLost { .. }), "{error}");
    }
}

async fn opened() -> (tempfile::TempDir, Location, Store) {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::File(folder.path().join("ledger.sqlite"));
    Store::create(&location).await.unwrap();
    let store = Store::open(&location).await.unwrap();
    store.declare(&[declared()]).await.unwrap();
    (folder, location, store)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_its_log_is_refused_whenever_it_was_lost() {
    let (folder, location, store) = opened().await;
    let path = folder.path().join("ledger.sqlite");
    // (when, how many records there are by then)
    for (when, charges, records_then) in [("at once", 0, 0), ("after a charge", 1, 1), ("after many", 5, 6)] {
        for query in 0..charges {
            charge(&store, charges * 10 + query).await;
        }
        for idle in [false, true] {
            if idle {
                tokio::time::sleep(Duration::from_millis(1_500)).await;
            }
            let (_alone, alone) = left(&path, false);
            refused(&alone).await;
            let (_both, both) = left(&path, true);
            assert_eq!(records(&both).await.unwrap(), records_then, "{when}, idle {idle}");
        }
    }
    // Emptied, which is what a program leaves that opens the main file without its log.
    let (_empty, empty) = left(&path, false);
    if let Location::File(path) = &empty {
        fs::write(super::log_of(path), "").unwrap();
    }
    refused(&empty).await;
    store.close().await;
    assert!(!super::log_of(&path).exists(), "a store that is closed is one file");
    let (_closed, closed) = left(&path, false);
    assert_eq!((records(&closed).await.unwrap(), records(&location).await.unwrap()), (6, 6));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_whose_log_another_program_brought_home_is_whole() {
    let (folder, _, store) = opened().await;
    charge(&store, 1).await;
    let (_both, both) = left(&folder.path().join("ledger.sqlite"), true);
    let Location::File(path) = &both else { unreachable!() };
    // As `sqlite3 ledger.sqlite` does when it ends, if nobody else has it open.
    let other = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut other = sqlx::ConnectOptions::connect(&other).await.unwrap();
    sqlx::query("SELECT count(*) FROM access_record").fetch_all(&mut other).await.unwrap();
    sqlx::Connection::close(other).await.unwrap();
    assert!(!super::log_of(path).exists());
    assert_eq!(records(&both).await.unwrap(), 1);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gateways_that_share_a_file_come_and_go_and_it_stays_guarded() {
    let (folder, location, store) = opened().await;
    let path = folder.path().join("ledger.sqlite");
    for query in 0..3 {
        let other = Store::open(&location).await.unwrap();
        charge(&other, query).await;
        other.close().await;
        let (_alone, alone) = left(&path, false);
        refused(&alone).await;
    }
    store.close().await;
    assert_eq!(records(&location).await.unwrap(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_a_store_are_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::File(folder.path().join("state/ledger.sqlite"));
    Store::create(&location).await.unwrap();
    let store = Store::open(&location).await.unwrap();
    store.declare(&[declared()]).await.unwrap();
    charge(&store, 1).await;
    for (name, mode) in [
        ("state", 0o700),
        ("state/ledger.sqlite", 0o600),
        ("state/ledger.sqlite-wal", 0o600),
        ("state/ledger.sqlite-shm", 0o600),
    ] {
        let found = fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{name}");
    }
    store.close().await;
}

#[tokio::test]
async fn a_log_without_its_main_file_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    fs::write(super::log_of(&path), "charges").unwrap();
    let error = Store::create(&Location::File(path.clone())).await.unwrap_err();
    assert!(matches!(error, StoreError::Exists { .. }), "{error}");
    assert!(!path.exists());
}
