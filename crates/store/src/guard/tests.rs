//! A main file whose log is gone is refused; one that lost nothing is not.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use lango_privacy::Loss;

use crate::{
    Decision, Examined, Location, LogState, Reserved, Store, StoreError,
    fixture::{ask, declared, record},
    wal::log_of,
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
    let mut asked = ask(query, Loss::pure(1));
    for charge in [&mut asked.pool, &mut asked.share] {
        charge.limit.amount_nano = 1_000;
    }
    let reserved = store.reserve(&asked, &record(Decision::Reserved)).await.unwrap();
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
    assert_eq!(examined.log, LogState::Lost);
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
    store.declare(&[declared()], None, None).await.unwrap();
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

/// Bytes of a frame of the log: its header and a page.
const FRAME: usize = 24 + 4_096;

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_holds_nothing_is_as_lost_as_a_missing_one() {
    let (folder, _, store) = opened().await;
    charge(&store, 1).await;
    let (_both, both) = left(&folder.path().join("ledger.sqlite"), true);
    store.close().await;
    let Location::File(path) = &both else { unreachable!() };
    let whole = fs::read(super::log_of(path)).unwrap();
    let main = fs::read(path).unwrap();
    let flipped = |at: usize| {
        let mut log = whole.clone();
        log[at] ^= 1;
        log
    };
    let zeroed = |from: usize, to: usize| {
        let mut log = whole.clone();
        log[from..to].fill(0);
        log
    };
    for (what, log) in [
        ("empty", vec![]),
        ("its header alone", whole[..32].to_vec()),
        ("cut in its header", whole[..20].to_vec()),
        ("cut in its first frame", whole[..2_000].to_vec()),
        ("cut a byte before the first frame ends", whole[..32 + FRAME - 1].to_vec()),
        ("zeros", vec![0; whole.len()]),
        ("zeros for a header", zeroed(0, 32)),
        ("zeros for a first frame", zeroed(32, 32 + FRAME)),
        ("a bit of its header flipped", flipped(17)),
        ("a bit of its first frame's header flipped", flipped(32 + 20)),
        ("a bit of its first page flipped", flipped(100)),
    ] {
        fs::write(super::log_of(path), &log).unwrap();
        refused(&both).await;
        assert_eq!(fs::read(super::log_of(path)).unwrap(), log, "{what}: it is left as it was");
        assert_eq!(fs::read(path).unwrap(), main, "{what}");
    }
    fs::write(super::log_of(path), &whole).unwrap();
    assert_eq!(records(&both).await.unwrap(), 1);
}

/// The header of a log that SQLite begins anew over this one.
fn begun_anew(log: &mut [u8]) {
    let word = |log: &[u8], at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
    let salts = [word(log, 16).wrapping_add(1), word(log, 20) ^ 0x5a5a_5a5a];
    for (at, salt) in [16, 20].into_iter().zip(salts) {
        log[at..at + 4].copy_from_slice(&salt.to_be_bytes());
    }
    let is_big_endian = word(log, 0) & 1 == 1;
    let (mut first, mut second) = (0_u32, 0_u32);
    for at in (0..24).step_by(8) {
        let native = |at| if is_big_endian { word(log, at) } else { word(log, at).swap_bytes() };
        first = first.wrapping_add(native(at)).wrapping_add(second);
        second = second.wrapping_add(native(at + 4)).wrapping_add(first);
    }
    log[24..28].copy_from_slice(&first.to_be_bytes());
    log[28..32].copy_from_slice(&second.to_be_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_killed_between_the_writes_of_a_checkpoint_starts_again() {
    let (folder, _, store) = opened().await;
    charge(&store, 1).await;
    // The charge is in the main file by then, and the second write alone in a log that was begun anew.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let (_both, both) = left(&folder.path().join("ledger.sqlite"), true);
    store.close().await;
    let Location::File(path) = &both else { unreachable!() };
    let (main, log) = (fs::read(path).unwrap(), fs::read(super::log_of(path)).unwrap());
    let mut before_its_frame = log.clone();
    begun_anew(&mut before_its_frame);
    let mut within_its_frame = log.clone();
    within_its_frame[2_000..32 + FRAME].fill(0);
    for (what, log) in
        [("before its frame", before_its_frame), ("within its frame", within_its_frame), ("after", log)]
    {
        fs::write(path, &main).unwrap();
        fs::write(super::log_of(path), log).unwrap();
        assert_eq!(Examined::open(&both).await.unwrap().unwrap().log, LogState::Whole, "{what}");
        let _ = fs::remove_file(path.with_extension("sqlite-shm"));
        assert_eq!(records(&both).await.unwrap(), 1, "{what}");
    }
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
    store.declare(&[declared()], None, None).await.unwrap();
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

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_beside_a_newer_log_is_refused_and_both_are_left_as_they_are() {
    let mut refused = 0;
    for charges in [2, 20, 60, 120] {
        let (folder, location, store) = opened().await;
        let file = folder.path().join("ledger.sqlite");
        charge(&store, 0).await;
        let (_backup, backup) = left(&file, true);
        // As SQLite's own backup makes it: the copy holds all that its log did.
        records(&backup).await.unwrap();
        for query in 1..=charges {
            charge(&store, query).await;
        }
        // After a checkpoint the log begins anew.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        charge(&store, 255).await;
        let (_torn, torn) = left(&file, true);
        let (Location::File(main), Location::File(backup)) = (&torn, &backup) else { unreachable!() };
        fs::copy(backup, main).unwrap();
        let read = || (fs::read(main).unwrap(), fs::read(log_of(main)).unwrap());
        let before = read();
        let found = Examined::open(&torn).await.unwrap().unwrap().log;
        assert_eq!(read(), before, "{charges}");
        match found {
            LogState::OfAnother => {
                refused += 1;
                for _ in 0..2 {
                    let error = records(&torn).await.unwrap_err();
                    assert!(matches!(error, StoreError::LogOfAnother { .. }), "{charges}: {error}");
                }
                assert_eq!(read(), before, "{charges}");
            }
            // Where the log holds every page that has changed, nothing is lacking.
            LogState::Whole => {
                let kept = Store::open(&torn).await.unwrap();
                for query in (0..=charges).chain([255]) {
                    let mut asked = ask(query, Loss::pure(1));
                    asked.share.limit.amount_nano = 0;
                    let again = kept.reserve(&asked, &record(Decision::Reserved)).await.unwrap();
                    let Reserved::Held(held) = again else { panic!("{charges} {query}: {again:?}") };
                    assert_eq!(held.charged, Loss::pure(0), "{charges} {query}");
                }
                kept.close().await;
            }
            LogState::Lost => panic!("{charges}: the log is there"),
        }
        store.close().await;
        assert!(records(&location).await.is_ok());
    }
    assert!(refused >= 2, "{refused}");
}
