//! What the file of an SQLite write-ahead log holds, read without SQLite, which empties a log that it cannot use.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// Bytes of the file's header, and of each frame's.
const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// The first word, whose last bit says in which order the words of the sums are.
const MAGIC: u32 = 0x377f_0682;

/// The log of a store's main file.
pub(crate) fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

/// What a log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WalContents {
    /// At least one committed transaction.
    Committed,
    /// None: it was begun anew, over a log that is in the main file, and its first write was not finished.
    BegunAnew,
    /// Nothing that can be used: it is missing, cut short or damaged.
    Nothing,
}

/// Reads a log.
pub(crate) fn read(path: &Path) -> Result<WalContents, std::io::Error> {
    match fs::read(path) {
        Ok(log) => Ok(contents(&log)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(WalContents::Nothing),
        Err(error) => Err(error),
    }
}

/// A running sum as SQLite makes it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Sum {
    is_big_endian: bool,
    halves: (u32, u32),
}

impl Sum {
    fn add(mut self, bytes: &[u8]) -> Self {
        let (pairs, _) = bytes.as_chunks::<8>();
        for &[a, b, c, d, e, f, g, h] in pairs {
            let word = if self.is_big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
            let (first, second) = self.halves;
            let first = first.wrapping_add(word([a, b, c, d])).wrapping_add(second);
            self.halves = (first, second.wrapping_add(word([e, f, g, h])).wrapping_add(first));
        }
        self
    }
}

fn contents(log: &[u8]) -> WalContents {
    let Some((header, frames)) = log.split_at_checked(HEADER) else { return WalContents::Nothing };
    let (words, _) = header.as_chunks::<4>();
    let words: Vec<u32> = words.iter().copied().map(u32::from_be_bytes).collect();
    let &[magic, _, page, _, salt, other_salt, first, second] = words.as_slice() else {
        return WalContents::Nothing;
    };
    let summed = header.get(..HEADER - 8).unwrap_or_default();
    let mut sum = Sum { is_big_endian: magic & 1 == 1, halves: (0, 0) }.add(summed);
    let page = usize::try_from(page).unwrap_or_default();
    if magic & !1 != MAGIC || sum.halves != (first, second) || !(512..=65_536).contains(&page) {
        return WalContents::Nothing;
    }
    let (mut is_whole, mut is_first) = (true, true);
    let mut frames = frames.chunks_exact(FRAME_HEADER + page);
    // The log before, which is in the main file, held a frame at least.
    if frames.len() == 0 {
        return WalContents::Nothing;
    }
    for frame in &mut frames {
        let (head, data) = frame.split_at_checked(FRAME_HEADER).unwrap_or_default();
        let (words, _) = head.as_chunks::<4>();
        let words: Vec<u32> = words.iter().copied().map(u32::from_be_bytes).collect();
        let &[_, commit, frame_salt, frame_other_salt, first, second] = words.as_slice() else {
            return WalContents::Nothing;
        };
        let is_of_this_log = (frame_salt, frame_other_salt) == (salt, other_salt);
        sum = sum.add(head.get(..8).unwrap_or_default()).add(data);
        is_whole &= is_of_this_log && sum.halves == (first, second);
        if is_of_this_log && commit != 0 {
            if is_whole {
                return WalContents::Committed;
            }
            // Of the first write, which is one page, nothing is needed. This one comes after it, so that was whole once.
            if !is_first {
                return WalContents::Nothing;
            }
        }
        is_first = false;
    }
    WalContents::BegunAnew
}
