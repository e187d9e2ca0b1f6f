//! Reading a held log: bundles on as many threads as there are processors, entries in order.

use std::{
    num::NonZero,
    ops::ControlFlow,
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
const BUNDLES: u64 = 4;
/// How many such groups of a thread wait at most.
const GROUPS: usize = 2;

/// What was read at once: entries with their hashes.
type Group = Vec<(TreeHash, LogEntry)>;

/// Why a group was not read.
enum Unread {
    File(Failure),
    Log(FsckFault),
}

/// What a reading came to.
pub enum LogReading {
    /// All entries lead to the root that was signed.
    Whole(CheckedLog),
    /// The log does not hold; this number of entries before the fault were read.
    Broken { read: u64, fault: FsckFault },
}

/// Reads the entries of a log up to a checkpoint, in order, each with its number, and verifies tiles and root.
pub fn read_log(
    folder: &LogFolder,
    checkpoint: &Checkpoint,
    mut each: impl FnMut(u64, &LogEntry),
) -> Result<LogReading, Failure> {
    let kept = |id: TileId| folder.tile(id);
    let (mut fsck, mut read) = (Fsck::default(), 0);
    let broken = |read: u64, error: FsckError<std::io::Error>| match error {
        FsckError::Fetch { tile, cause } => Err(Failure::of(tile, cause)),
        FsckError::Log(fault) => Ok(LogReading::Broken { read, fault }),
    };
    let mut wrong = None;
    let ended = read_groups(folder, checkpoint.size, 0, |_, group| {
        let hashes: Vec<TreeHash> = group.iter().map(|(hash, _)| *hash).collect();
        if let Err(error) = fsck.take(&hashes, kept) {
            wrong = Some(error);
            return ControlFlow::Break(());
        }
        for (_, entry) in &group {
            each(read, entry);
            read += 1;
        }
        ControlFlow::Continue(())
    })?;
    match (wrong, ended) {
        (Some(error), _) => broken(read, error),
        (None, Some(fault)) => Ok(LogReading::Broken { read, fault }),
        (None, None) => match fsck.finish(checkpoint, kept) {
            Ok(log) => Ok(LogReading::Whole(log)),
            Err(error) => broken(read, error),
        },
    }
}

/// Reads entries of a log from a number on, in order, each with its number, until there is no more or `each` ends it. Whether
/// they lead to the root is not asked.
pub fn read_entries(
    folder: &LogFolder,
    size: u64,
    first: u64,
    mut each: impl FnMut(u64, &LogEntry) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let fault = read_groups(folder, size, first / 256, |start, group| {
        for ((_, entry), number) in group.iter().zip(start..) {
            if number >= first {
                each(number, entry)?;
            }
        }
        ControlFlow::Continue(())
    })?;
    fault.map_or(Ok(()), |fault| Err(Failure::of(folder.path().display(), fault)))
}

/// Reads bundles from one on, and hands over what they hold with the number of its first entry, in order. Returns the fault of
/// the bundle that is none.
fn read_groups(
    folder: &LogFolder,
    size: u64,
    first_bundle: u64,
    mut each: impl FnMut(u64, Group) -> ControlFlow<()>,
) -> Result<Option<FsckFault>, Failure> {
    // A checkpoint may claim any size before its tiles are there: nothing here grows with it.
    let bundles = size.div_ceil(256);
    let groups = bundles.saturating_sub(first_bundle).div_ceil(BUNDLES);
    let start_of = |group: u64| first_bundle + group * BUNDLES;
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let stopped = AtomicBool::new(false);
    thread::scope(|scope| {
        let mut receivers: Vec<Receiver<Result<Group, Unread>>> = Vec::new();
        for number in 0..threads {
            let (sender, receiver) = sync_channel(GROUPS);
            let stopped = &stopped;
            scope.spawn(move || {
                for group in (0..groups).skip(number).step_by(threads) {
                    let start = start_of(group);
                    let ids = (start..bundles.min(start + BUNDLES))
                        .filter_map(|index| TileId::at(TileLevel::Entries, index, size));
                    // Nobody waits for it where the reading has ended.
                    if stopped.load(Ordering::Relaxed) || sender.send(read_group(folder, ids)).is_err() {
                        return;
                    }
                }
            });
            receivers.push(receiver);
        }
        let mut fold = || {
            for (group, receiver) in (0..groups).zip(receivers.iter().cycle()) {
                let start = start_of(group) * 256;
                match receiver.recv() {
                    Ok(Ok(read)) => {
                        if each(start, read).is_break() {
                            return Ok(None);
                        }
                    }
                    Ok(Err(Unread::File(failure))) => return Err(failure),
                    Ok(Err(Unread::Log(fault))) => return Ok(Some(fault)),
                    Err(_) => {
                        return Err(Failure::of(folder.path().display(), "a thread that reads it has ended"));
                    }
                }
            }
            Ok(None)
        };
        let ended = fold();
        stopped.store(true, Ordering::Relaxed);
        ended
    })
}

fn read_group(folder: &LogFolder, bundles: impl Iterator<Item = TileId>) -> Result<Group, Unread> {
    let mut entries = Vec::new();
    for bundle in bundles {
        let bytes = folder.tile(bundle).map_err(|error| Unread::File(Failure::of(bundle, error)))?;
        let bytes = bytes.ok_or(Unread::Log(FsckFault::Missing { tile: bundle }))?;
        entries.extend(read_bundle(bundle, &bytes).map_err(Unread::Log)?);
    }
    Ok(entries)
}
