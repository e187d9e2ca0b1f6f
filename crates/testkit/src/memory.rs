//! The memory of a process, by the kernel's count.

/// A size of a process in kilobytes, by its name in `/proc/PROCESS/status`: `VmRSS` is what it has now, `VmHWM` the most that it
/// has had.
pub fn memory_kb(process: &str, size: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(size)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
