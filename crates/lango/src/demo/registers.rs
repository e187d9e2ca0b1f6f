//! Draws every office's register, two at a time, with a bar.

use std::{
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use lango_registers::{Draw, OFFICES, PARTIAL_SUFFIX, targets, write_register};

use crate::{failure::Failure, output::bar};

/// Draws the registers that are not there yet, each at its office's place; each appears whole or not at all.
pub fn draw(draw: &Draw, place: &(dyn Fn(&str) -> PathBuf + Sync)) -> Result<(), Failure> {
    let mut missing = Vec::new();
    let mut persons = 0;
    for office in OFFICES {
        remove_partial(&place(office))?;
        if !place(office).exists() {
            persons += targets(office, draw.scale)?.iter().map(|(_, _, persons)| persons).sum::<u64>();
            missing.push(office);
        }
    }
    let bar = bar("drawing registers  {bar:30} {human_pos}/{human_len} persons  {eta} left  {msg}", persons);
    let next = AtomicUsize::new(0);
    let failed: Mutex<Option<Failure>> = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(office) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let drawn = AtomicUsize::new(0);
                    let advance = |persons: u64| {
                        let before = drawn
                            .swap(usize::try_from(persons).unwrap_or(usize::MAX), Ordering::Relaxed)
                            as u64;
                        bar.inc(persons.saturating_sub(before));
                        ControlFlow::Continue(())
                    };
                    bar.set_message(*office);
                    if let Err(error) = write_register(&place(office), office, draw, &advance) {
                        failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error.into());
                        return;
                    }
                }
            });
        }
    });
    bar.finish_and_clear();
    failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

/// What a killed run left behind.
fn remove_partial(register: &Path) -> Result<(), Failure> {
    let folder = register.parent().unwrap_or(Path::new("."));
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(PARTIAL_SUFFIX) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
