//! How long the log takes: entries appended in batches, a whole log verified, one proof, one checkpoint.
//!
//! Usage: cargo run --release --package lango-tests --example access_log [ENTRIES]
//!
//! Lays a log of ENTRIES (1,000,000) out in a temporary folder, a request to an entry, and checks it again from its files with
//! two threads. Prints seconds, rates and the peak of the resident memory after each step.

// What a measurement needs and does not get is its failure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use ed25519_dalek::{Signer as _, SigningKey};
use lango_access_log::{
    Actor, ActorRole, Amount, Checkpoint, DecidedRequest, EntryFormat, Fsck, FsckFault, Hex, LogEntry,
    LogEvent, LoggedAccount, LoggedCharge, LoggedLoss, LoggedQuestion, LoggedRelease, NoteKey,
    RequestDecision, SignatureType, TileEdge, TileId, TileLevel, TreeHash, append_entry, check_bundle,
    prove_consistency, prove_inclusion, verify_inclusion,
};

/// Entries of a batch: what the requests of a moment are.
const BATCH: u64 = 64;
/// Bundles that each thread checks before the fold takes them.
const BUNDLES: usize = 16;
const QUESTION: &str = "lango-query 1\ndataset residents\nmeasure mean(income)\nby country_of_birth,sex\nmeasure persons\nby\n\
                        by age,country_of_birth,sex\nwhere age from 15 to 64\nprice epsilon 0.5\n";

fn entry(number: u64) -> LogEntry {
    let loss = |times: u64| LoggedLoss {
        delta_e18: Amount(0),
        pure_nano: Some(Amount(times * 500_000_000)),
        rho_nano: Amount(times * 125_000_000),
    };
    let account = |name: &str| LoggedAccount {
        after: loss(number + 1),
        before: loss(number),
        name: name.to_owned(),
        period: "2026".to_owned(),
        since: 1_767_225_600,
    };
    let mut digest = [7; 32];
    digest[..8].copy_from_slice(&number.to_be_bytes());
    let request = DecidedRequest {
        agreement: Some("ecowas-2026".to_owned()),
        charge: Some(LoggedCharge {
            grant: account("regional-analysts"),
            loss: loss(1),
            pool: account("residents"),
        }),
        dataset: Some("residents".to_owned()),
        decision: RequestDecision::Released,
        envelope: Some(Hex(digest)),
        given_back: None,
        purpose: "official-statistics".to_owned(),
        question: Some(LoggedQuestion::of(digest, QUESTION)),
        reason: None,
        release: Some(LoggedRelease { envelope: Some(Hex(digest)), id: Hex([5; 16]) }),
        request: Hex(digest),
        rule: Some("regional-analysts".to_owned()),
        version: Some("2024-07-01".to_owned()),
    };
    LogEntry {
        actor: Actor {
            certificate: Some(Hex([1; 32])),
            principal: "spiffe://ecowas.example/analyst/awa".to_owned(),
            role: ActorRole::Analyst,
        },
        at: 1_780_000_000,
        event: LogEvent::Request(Box::new(request)),
        format: EntryFormat,
        left_out: Amount(0),
        policy: Some(Hex([2; 32])),
        trace: Some(Hex([8; 16])),
    }
}

fn path(folder: &Path, id: TileId) -> PathBuf {
    folder.join(id.to_string())
}

fn write(folder: &Path, id: TileId, bytes: &[u8]) {
    let path = path(folder, id);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// The most memory that was ever resident, in MB.
fn peak_mb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1_024
}

fn say(what: &str, count: u64, took: Duration) {
    let seconds = took.as_secs_f64();
    println!("{what}: {seconds:.3} s, {:.0} a second; peak {} MB", count as f64 / seconds, peak_mb());
}

/// Lays the log out; the time is that of leaves, hashes, tiles and bundles, without that of files.
fn lay_out(folder: &Path, size: u64) -> TileEdge {
    let (mut edge, mut bundle, mut took) = (TileEdge::default(), Vec::new(), Duration::ZERO);
    for first in (0..size).step_by(BATCH as usize) {
        let entries: Vec<LogEntry> = (first..size.min(first + BATCH)).map(entry).collect();
        let began = Instant::now();
        let mut full = Vec::new();
        for entry in &entries {
            let leaf = entry.leaf().unwrap();
            edge.append(TreeHash::of_leaf(&leaf), &mut full);
            append_entry(&mut bundle, &leaf).unwrap();
        }
        // What a store writes behind each batch.
        let root = edge.root();
        let partial: Vec<_> = edge.partial().collect();
        took += began.elapsed();
        assert!(root != TreeHash::EMPTY && partial.len() < 8);
        if edge.size() % 256 == 0 || edge.size() == size {
            let id = TileId::at(TileLevel::Entries, (edge.size() - 1) / 256, edge.size()).unwrap();
            write(folder, id, &bundle);
            bundle.clear();
        }
        full.iter().for_each(|(id, bytes)| write(folder, *id, bytes));
    }
    edge.partial().for_each(|(id, bytes)| write(folder, id, &bytes));
    say("append", size, took);
    edge
}

fn check(folder: &Path, checkpoint: &Checkpoint) {
    let began = Instant::now();
    let kept = |id: TileId| fs::read(path(folder, id)).map(Some);
    let mut fsck = Fsck::default();
    let bundles: Vec<TileId> =
        TileId::of_tree(checkpoint.size).take_while(|id| id.level() == TileLevel::Entries).collect();
    let hashes = |bundles: &[TileId]| -> Result<Vec<TreeHash>, FsckFault> {
        let hashes = bundles.iter().map(|id| check_bundle(*id, &fs::read(path(folder, *id)).unwrap()));
        Ok(hashes.collect::<Result<Vec<_>, _>>()?.concat())
    };
    for pair in bundles.chunks(2 * BUNDLES) {
        let (ours, theirs) = pair.split_at(BUNDLES.min(pair.len()));
        let (ours, theirs) = thread::scope(|scope| {
            let theirs = scope.spawn(|| hashes(theirs));
            (hashes(ours), theirs.join().unwrap())
        });
        fsck.take(&ours.unwrap(), kept).unwrap();
        fsck.take(&theirs.unwrap(), kept).unwrap();
    }
    let checked = fsck.finish(checkpoint, kept).unwrap();
    say("verify", checked.entries, began.elapsed());
}

fn prove(folder: &Path, checkpoint: &Checkpoint) {
    let fetch = |id: TileId| fs::read(path(folder, id));
    let (size, rounds) = (checkpoint.size, 200);
    let began = Instant::now();
    for round in 0..rounds {
        let index = round * 7_919 % size;
        let proof = prove_inclusion(index, size, fetch).unwrap();
        let leaf = TreeHash::of_leaf(&entry(index).leaf().unwrap());
        verify_inclusion(leaf, index, size, checkpoint.root, &proof).unwrap();
        prove_consistency(index + 1, size, fetch).unwrap();
    }
    say("inclusion and consistency", rounds, began.elapsed());
}

fn sign(checkpoint: &Checkpoint) {
    let secret = SigningKey::from_bytes(&[7; 32]);
    let key =
        NoteKey::new(&checkpoint.origin, SignatureType::Ed25519, secret.verifying_key().to_bytes()).unwrap();
    let (began, rounds) = (Instant::now(), 1_000);
    for _ in 0..rounds {
        checkpoint.clone().sign(&key, |message| secret.sign(message).to_bytes()).unwrap();
    }
    say("checkpoint, signed and verified twice", rounds, began.elapsed());
}

fn main() {
    let size: u64 = std::env::args().nth(1).map_or(1_000_000, |number| number.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    println!("{size} entries of {} bytes", entry(size).leaf().unwrap().len());
    let edge = lay_out(folder.path(), size);
    let checkpoint = Checkpoint::new("ecowas.example/office/GHA", size, edge.root());
    check(folder.path(), &checkpoint);
    prove(folder.path(), &checkpoint);
    sign(&checkpoint);
}
