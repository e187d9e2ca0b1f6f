//! How audits are run side by side and printed, a line each.

use std::{
    io::Write,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// Prints lines in columns as wide as they need, in one call, so that what other tests print does not come between.
pub fn print<const N: usize>(heading: [&str; N], lines: &[[String; N]]) {
    let heading = heading.map(str::to_owned);
    let all = || std::iter::once(&heading).chain(lines);
    let widths: [usize; N] =
        std::array::from_fn(|column| all().map(|line| line[column].len()).max().unwrap_or_default());
    let write = |line: &[String; N]| {
        let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let text = all().map(write).collect::<Vec<_>>().join("\n");
    // The test harness keeps what `println!` prints to itself; these lines are what the tests are run for.
    writeln!(std::io::stdout().lock(), "\n{text}\n").unwrap();
}

/// The results of some work on each of these, in their order, on as many threads as there are cores.
pub fn each<'a, T: Sync, R: Send>(of: &'a [T], work: impl Fn(&'a T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(one) = of.get(at) else { return done };
            done.push((at, work(one)));
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}
