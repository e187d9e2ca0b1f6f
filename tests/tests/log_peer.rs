//! A log of Lango's before a verifier of others: a small program on Go's own `sumdb/note` and `sumdb/tlog`, in `tests/go/log`.

// What a test needs and does not get is its failure, in its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/program.rs"]
mod program;
#[path = "support/log_verifier.rs"]
mod verifier;

use std::{collections::BTreeMap, fs, path::Path, process::Output};

use ed25519_dalek::{Signer as _, SigningKey};
use lango_access_log::{
    Actor, ActorRole, Amount, Checkpoint, EntryFormat, GatewayStop, Hex, LogEntry, LogEvent, LogProof,
    NoteKey, SignatureType, SignedCheckpoint, TileEdge, TileId, TileLevel, TreeHash, append_entry,
    prove_consistency, prove_inclusion,
};
use program::command;
use tempfile::TempDir;
use verifier::verifier;

const ORIGIN: &str = "ecowas.example/office/GHA";
fn secret() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn key() -> NoteKey {
    NoteKey::new(ORIGIN, SignatureType::Ed25519, secret().verifying_key().to_bytes()).unwrap()
}

fn signed(size: u64, root: TreeHash) -> SignedCheckpoint {
    let sign = |message: &[u8]| secret().sign(message).to_bytes();
    Checkpoint::new(ORIGIN, size, root).sign(&key(), sign).unwrap()
}

fn entry(number: u64) -> Vec<u8> {
    let actor = Actor {
        certificate: Some(Hex([1; 32])),
        principal: format!("spiffe://{ORIGIN}"),
        role: ActorRole::Office,
    };
    let event = LogEvent::Stop(GatewayStop { instance: Hex([2; 16]) });
    let left_out = Amount(number);
    LogEntry { actor, at: 1_780_000_000, event, format: EntryFormat, left_out, policy: None, trace: None }
        .leaf()
        .unwrap()
}

/// Lays a log of `size` entries out in a folder, with proofs from and of its earlier and inner parts.
fn lay_out(older: u64, size: u64, index: u64) -> TempDir {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    let (mut edge, mut tiles, mut old) = (TileEdge::default(), Vec::new(), None);
    for number in 0..size {
        edge.append(TreeHash::of_leaf(&entry(number)), &mut tiles);
        if edge.size() == older {
            old = Some(signed(older, edge.root()));
        }
    }
    let tiles: BTreeMap<TileId, Vec<u8>> = tiles.into_iter().chain(edge.partial()).collect();
    tiles.iter().for_each(|(id, bytes)| write(&id.to_string(), bytes));
    for id in TileId::of_tree(size).filter(|id| id.level() == TileLevel::Entries) {
        let mut bundle = Vec::new();
        let first = id.index() * 256;
        let entries = first..first + u64::from(id.width());
        entries.for_each(|number| append_entry(&mut bundle, &entry(number)).unwrap());
        write(&id.to_string(), &bundle);
    }
    let fetch = |id: TileId| tiles.get(&id).cloned().ok_or(id);
    let checkpoint = signed(size, edge.root());
    let lines: Vec<String> =
        prove_consistency(older, size, fetch).unwrap().iter().map(ToString::to_string).collect();
    let hashes = prove_inclusion(index, size, fetch).unwrap();
    write("key", key().to_string().as_bytes());
    write("older", old.unwrap().to_string().as_bytes());
    write("checkpoint", checkpoint.to_string().as_bytes());
    write("consistency", lines.join("\n").as_bytes());
    write("entry", &entry(index));
    write("entry.tlog-proof", LogProof { extra: None, index, hashes, checkpoint }.to_string().as_bytes());
    folder
}

fn verify(folder: &Path) -> Output {
    command(verifier()).arg(folder).output().unwrap()
}

#[test]
fn go_verifies_checkpoints_proofs_and_tiles() {
    for (older, size, index) in
        [(1, 1, 0), (1, 2, 1), (5, 8, 5), (255, 256, 255), (256, 257, 256), (300, 1_000, 17)]
    {
        let folder = lay_out(older, size, index);
        let output = verify(folder.path());
        let printed = String::from_utf8(output.stdout).unwrap();
        let expected = format!(
            "checkpoint of {size} entries\nconsistent with the one of {older}\nentry {index} is in it\n{size} entries of \
             {size} lead to the root\n"
        );
        assert_eq!(printed, expected, "{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success());
    }
}

#[test]
fn go_takes_a_large_log() {
    let folder = lay_out(65_536, 70_000, 69_999);
    let output = verify(folder.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8(output.stdout).unwrap().ends_with("70000 entries of 70000 lead to the root\n"));
}

/// So that what the program takes above is not what it takes of everybody.
#[test]
fn go_refuses_what_was_changed() {
    let folder = lay_out(300, 600, 17);
    for (name, at, expected) in [
        ("checkpoint", 40, "checkpoint: "),
        ("older", 40, "older: "),
        ("consistency", 3, "consistency: "),
        ("entry", 90, "inclusion: "),
        ("entry.tlog-proof", 40, "inclusion: "),
        ("tile/0/001", 33, ""),
        ("tile/entries/000", 90, "entry 0 "),
    ] {
        let path = folder.path().join(name);
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        bad[at] = if bad[at] == b'A' { b'B' } else { b'A' };
        fs::write(&path, &bad).unwrap();
        let output = verify(folder.path());
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && errors.starts_with(expected), "{name}: {errors}");
        fs::write(&path, &good).unwrap();
    }
    assert!(verify(folder.path()).status.success());
}
