use std::{collections::BTreeMap, convert::Infallible};

use super::*;
use crate::{Actor, ActorRole, Amount, EntryFormat, GatewayStop, Hex, LogEvent, append_entry, fixture::leaf};

fn entry(number: u64) -> Vec<u8> {
    let actor = Actor {
        certificate: None,
        principal: "spiffe://ecowas.example/office/GHA".to_owned(),
        role: ActorRole::Office,
    };
    let mut instance = [0; 16];
    instance[8..].copy_from_slice(&number.to_be_bytes());
    let event = LogEvent::Stop(GatewayStop { instance: Hex(instance) });
    LogEntry { actor, at: 1, event, format: EntryFormat, left_out: Amount(0), policy: None, trace: None }
        .leaf()
        .unwrap()
}

/// A log as it lies in files: bundles, tiles, checkpoint.
#[derive(Clone)]
struct Files {
    kept: BTreeMap<TileId, Vec<u8>>,
    checkpoint: Checkpoint,
}

impl Files {
    fn of(entries: &[Vec<u8>]) -> Self {
        let size = entries.len() as u64;
        let (mut edge, mut tiles) = (TileEdge::default(), Vec::new());
        entries.iter().for_each(|entry| edge.append(TreeHash::of_leaf(entry), &mut tiles));
        let mut kept: BTreeMap<TileId, Vec<u8>> = tiles.into_iter().chain(edge.partial()).collect();
        for (entries, index) in entries.chunks(256).zip(0..) {
            let mut bundle = Vec::new();
            entries.iter().for_each(|entry| append_entry(&mut bundle, entry).unwrap());
            kept.insert(TileId::at(TileLevel::Entries, index, size).unwrap(), bundle);
        }
        Self { kept, checkpoint: Checkpoint::new("log.example", size, edge.root()) }
    }

    fn new(size: u64) -> Self {
        Self::of(&(0..size).map(entry).collect::<Vec<_>>())
    }

    fn check(&self) -> Result<CheckedLog, FsckError<Infallible>> {
        let kept = |id: TileId| Ok(self.kept.get(&id).cloned());
        let mut fsck = Fsck::default();
        for id in TileId::of_tree(self.checkpoint.size).filter(|id| id.level() == TileLevel::Entries) {
            let bytes = self.kept.get(&id).ok_or(FsckFault::Missing { tile: id })?;
            fsck.take(&check_bundle(id, bytes)?, kept)?;
        }
        fsck.finish(&self.checkpoint, kept)
    }

    fn spoilt(&self, tile: &str, at: usize) -> Result<CheckedLog, FsckError<Infallible>> {
        let mut other = self.clone();
        other.kept.get_mut(&tile.parse().unwrap()).unwrap()[at] ^= 1;
        other.check()
    }
}

#[test]
fn a_whole_log_is_counted() {
    for size in [0, 1, 255, 256, 257, 1_000] {
        let tiles = TileId::of_tree(size).filter(|id| id.level() != TileLevel::Entries).count() as u64;
        assert_eq!(Files::new(size).check(), Ok(CheckedLog { entries: size, tiles }), "{size}");
    }
}

#[test]
fn the_first_bad_entry_is_named() {
    let files = Files::new(600);
    let length = entry(0).len() + 2;
    // Another digit of an instance: still an entry, and another one.
    let digit = entry(0).windows(8).position(|bytes| bytes == b"00000000").unwrap() + 2;
    let tile: TileId = "tile/0/001".parse().unwrap();
    let changed = FsckFault::Leaf { index: 256 + 10, tile };
    assert_eq!(files.spoilt("tile/entries/001", 10 * length + digit), Err(changed.clone().into()));
    assert_eq!(files.spoilt("tile/0/001", 10 * 32), Err(changed.into()));
    let unreadable = files.spoilt("tile/entries/002.p/88", 5 * length + 2);
    assert!(matches!(unreadable, Err(FsckError::Log(FsckFault::Entry { index: 517, .. }))), "{unreadable:?}");
    let cut = files.spoilt("tile/entries/000", 0);
    assert!(matches!(cut, Err(FsckError::Log(FsckFault::Bundle { .. }))), "{cut:?}");
    let above = FsckFault::Tile { tile: "tile/1/000.p/2".parse().unwrap(), hash: 1 };
    assert_eq!(files.spoilt("tile/1/000.p/2", 33), Err(above.into()));
}

#[test]
fn what_was_removed_added_or_swapped_is_found() {
    let files = Files::new(300);
    let whole: Vec<Vec<u8>> = (0..300).map(entry).collect();
    let mut swapped = whole.clone();
    swapped.swap(20, 21);
    let swapped = Files { checkpoint: files.checkpoint.clone(), ..Files::of(&swapped) };
    assert!(matches!(swapped.check(), Err(FsckError::Log(FsckFault::Root { size: 300, .. }))));
    let mut kept = swapped.kept;
    kept.extend(
        files
            .kept
            .iter()
            .filter(|(id, _)| id.level() != TileLevel::Entries)
            .map(|(id, bytes)| (*id, bytes.clone())),
    );
    let tile: TileId = "tile/0/000".parse().unwrap();
    let swapped = Files { checkpoint: files.checkpoint.clone(), kept };
    assert_eq!(swapped.check(), Err(FsckFault::Leaf { index: 20, tile }.into()));
    let mut fsck = Fsck::default();
    let kept = |id: TileId| Ok::<_, Infallible>(files.kept.get(&id).cloned());
    fsck.take(&[leaf(0)], kept).unwrap();
    assert_eq!(fsck.finish(&files.checkpoint, kept), Err(FsckFault::Size { entries: 1, size: 300 }.into()));
    for tile in ["tile/entries/001.p/44", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"] {
        let mut other = files.clone();
        other.kept.remove(&tile.parse().unwrap()).unwrap();
        assert_eq!(other.check(), Err(FsckFault::Missing { tile: tile.parse().unwrap() }.into()), "{tile}");
    }
    let mut short = files.clone();
    short.kept.get_mut(&tile).unwrap().truncate(32 * 9);
    assert_eq!(short.check(), Err(FsckFault::Leaf { index: 9, tile }.into()));
    let mut fsck = Fsck::default();
    let gone = fsck.take(&(0..256).map(leaf).collect::<Vec<_>>(), |_| Err("gone"));
    assert_eq!(gone, Err(FsckError::Fetch { tile, cause: "gone" }));
}
