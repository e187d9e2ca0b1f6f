//! A log as `lango audit fetch` lays it out and an entry as `lango audit prove` proves it, before a walker of tiles in Python.

use std::{
    fs,
    path::{Path, PathBuf},
};

use lango_store::{Decision, Location, Record, Store};
use lango_testkit::{Office, Policy, Register, TestRegion, persons};
use tempfile::TempDir;

use crate::{program, program::said, python::python};

/// An office's log of some hundred entries, so that a tile is full, and the proof of one of them.
async fn fetched() -> TempDir {
    let world = TestRegion::new();
    let mut office = Office::start(&world, &Policy::of("GHA"), &Register::sample(5)).await;
    world.analyst().ask(&office, &persons("by sex", "0.25")).await.unwrap();
    let config = office.write_config(&world);
    office.down().await;
    let store = Store::open(&Location::File(office.store())).await.unwrap();
    let policy = store.kept_policy().await.unwrap().unwrap().digest;
    for number in 0..600 {
        let mut record =
            Record::of(office.id.to_string(), (1_780_000_000 + number, policy), Decision::Inspected);
        record.reason = format!("test {number}");
        store.append(&record, None).await.unwrap();
    }
    store.close().await;
    office.up().await.unwrap();
    office.down().await;
    let folder = tempfile::tempdir().unwrap();
    let done = |words: &[&Path]| {
        let (code, _, stderr) =
            said(&program::command(program::lango()).arg("audit").args(words).output().unwrap());
        assert_eq!(code, Some(0), "{stderr}");
    };
    let (log, proof) = (folder.path().join("log"), folder.path().join("entry.tlog-proof"));
    done(&[Path::new("fetch"), Path::new("--to"), &log, Path::new("--config"), &config]);
    done(&[Path::new("prove"), &log, Path::new("3"), Path::new("--out"), &proof]);
    folder
}

fn walked(folder: &Path) -> (Option<i32>, String, String) {
    let at = |name: &str| -> PathBuf { folder.join(name) };
    let words = ["entry.key", "log", "entry.tlog-proof", "entry.json"].map(at);
    said(&python("log_walker.py", &words.each_ref().map(PathBuf::as_path)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_derives_the_root_from_entries_and_tiles_and_verifies_a_proof() {
    let folder = fetched().await;
    let (code, stdout, stderr) = walked(folder.path());
    assert_eq!(code, Some(0), "{stderr}");
    let note = fs::read_to_string(folder.path().join("log/checkpoint")).unwrap();
    let size: u64 = note.lines().nth(1).unwrap().parse().unwrap();
    assert!(size > 600, "{size}");
    let expected = format!(
        "checkpoint of {size} entries\n{size} entries and 4 tiles lead to the root\nentry 3 of {size} is in it\n"
    );
    assert_eq!(stdout, expected);

    // What it takes above is not what it takes of everybody.
    let last = format!("log/tile/entries/002.p/{}", size % 256);
    for (name, at, said) in [
        ("entry.key", 30, ""),
        ("log/checkpoint", 45, ""),
        ("log/tile/entries/000", 700, "do not lead to the root"),
        (last.as_str(), 90, "do not lead to the root"),
        ("log/tile/0/001", 33, "tile 1 of level 0"),
        ("log/tile/1/000.p/2", 33, "tile 0 of level 1"),
        ("entry.tlog-proof", 60, ""),
        ("entry.json", 90, "entry 3 is not in it"),
    ] {
        let path = folder.path().join(name);
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        bad[at] = if bad[at] == b'A' { b'B' } else { b'A' };
        fs::write(&path, &bad).unwrap();
        let (code, stdout, stderr) = walked(folder.path());
        assert!(code == Some(1) && stderr.contains(said), "{name}: {stdout}{stderr}");
        assert!(stderr.starts_with("not proven: "), "{name}: {stderr}");
        fs::write(&path, &good).unwrap();
    }
    assert_eq!(walked(folder.path()).0, Some(0));
}
