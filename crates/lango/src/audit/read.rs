//! Reading a held log: bundles on as many threads as there are processors, entries in order.

use std::{
    num::NonZero,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, sync_channel},
    },
    thread,
};

use lango_access_log::{
    CheckedLog, Checkpoint, Fsck, FsckError, FsckFault, LogEntry, TileId, TileLevel, TreeHash, read_bundle,
};

use super::folder::LogFolder;
use crate::failure::Failure;

/// Bundles that a thread reads before it hands them over.
const BUNDLES: usize = 4;
/// How many such groups of a thread wait at most.
const GROUPS: usize = 2;

/// What was read at once: entries with their hashes.
type Group = Result<Vec<(TreeHash, LogEntry)>, Unread>;

/// Why a group was not read.
enum Unread {
    File(Failure),
    Log(FsckFault),
}

/// What a reading came to.
pub enum Reading {
    /// All entries lead to the root that was signed.
    Whole(CheckedLog),
    /// The log does not hold; so many entries before the fault were read.
    Broken { read: u64, fault: FsckFault },
}

/// Reads the entries of a log up to a checkpoint, in order, each with its number, and verifies tiles and root.
pub fn read_log(
    folder: &LogFolder,
    checkpoint: &Checkpoint,
    mut each: impl FnMut(u64, &LogEntry),
) -> Result<Reading, Failure> {
    let bundles: Vec<TileId> =
        TileId::of_tree(checkpoint.size).take_while(|id| id.level() == TileLevel::Entries).collect();
    let groups: Vec<&[TileId]> = bundles.chunks(BUNDLES).collect();
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(groups.len().max(1));
    let stopped = AtomicBool::new(false);
    thread::scope(|scope| {
        let mut receivers: Vec<Receiver<Group>> = Vec::new();
        for number in 0..threads {
            let (sender, receiver) = sync_channel(GROUPS);
            let (groups, stopped) = (&groups, &stopped);
            scope.spawn(move || {
                for group in groups.iter().skip(number).step_by(threads) {
                    // Nobody waits for it where the reading has ended.
                    if stopped.load(Ordering::Relaxed) || sender.send(read_group(folder, group)).is_err() {
                        return;
                    }
                }
            });
            receivers.push(receiver);
        }
        let kept = |id: TileId| folder.tile(id);
        let (mut fsck, mut read) = (Fsck::default(), 0);
        let broken = |read: u64, error: FsckError<std::io::Error>| match error {
            FsckError::Fetch { tile, cause } => Err(Failure::of(tile, cause)),
            FsckError::Log(fault) => Ok(Reading::Broken { read, fault }),
        };
        let fold = || {
            for (_, receiver) in groups.iter().zip(receivers.iter().cycle()) {
                let Ok(group) = receiver.recv() else {
                    return Err(Failure::of(folder.path().display(), "a thread that reads it has ended"));
                };
                let group = match group {
                    Ok(group) => group,
                    Err(Unread::File(failure)) => return Err(failure),
                    Err(Unread::Log(fault)) => return Ok(Reading::Broken { read, fault }),
                };
                let hashes: Vec<TreeHash> = group.iter().map(|(hash, _)| *hash).collect();
                if let Err(error) = fsck.take(&hashes, kept) {
                    return broken(read, error);
                }
                for (_, entry) in &group {
                    each(read, entry);
                    read += 1;
                }
            }
            fsck.finish(checkpoint, kept)
                .map_or_else(|error| broken(read, error), |log| Ok(Reading::Whole(log)))
        };
        let reading = fold();
        stopped.store(true, Ordering::Relaxed);
        reading
    })
}

fn read_group(folder: &LogFolder, bundles: &[TileId]) -> Group {
    let mut entries = Vec::new();
    for bundle in bundles {
        let bytes = folder.tile(*bundle).map_err(|error| Unread::File(Failure::of(bundle, error)))?;
        let bytes = bytes.ok_or(Unread::Log(FsckFault::Missing { tile: *bundle }))?;
        entries.extend(read_bundle(*bundle, &bytes).map_err(Unread::Log)?);
    }
    Ok(entries)
}
