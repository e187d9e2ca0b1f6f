//! The C library's allocator, held to giving large blocks back.

use std::{env, ffi::OsString, os::unix::process::CommandExt, process::Command};

/// What the GNU C library reads as a program starts, and never again.
const VARIABLE: &str = "GLIBC_TUNABLES";
const THRESHOLD: &str = "glibc.malloc.mmap_threshold";
/// In bytes: the library's own value, which it raises with every larger block that is given back unless it is set.
const HELD: &str = "131072";

/// Starts a server's program anew as the same process, with the threshold of large blocks held where it is
/// (docs/decisions/0026-allocator.md). Returns where somebody has set it, and where the program cannot be started: then a server
/// keeps more memory than it needs, and nothing else changes.
pub fn hold_threshold() {
    let set = env::var_os(VARIABLE).unwrap_or_default();
    if set.to_string_lossy().contains(THRESHOLD) {
        return;
    }
    let mut tunables = set;
    if !tunables.is_empty() {
        tunables.push(":");
    }
    tunables.push(format!("{THRESHOLD}={HELD}"));
    let mut words = env::args_os();
    let name = words.next().unwrap_or_else(|| OsString::from("lango"));
    if let Ok(program) = env::current_exe() {
        // It comes back only if it failed.
        let _ = Command::new(program).arg0(name).args(words).env(VARIABLE, tunables).exec();
    }
}
