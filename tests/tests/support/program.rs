//! The built program: found beside the test, and built first, so that no test runs an older one.

// Each test uses its own part of it.
#![allow(dead_code)]

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

/// The folder that holds the workspace's `Cargo.toml`.
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The folder of the profile under test: `target/release`.
pub fn built() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().to_owned()
}

/// Whether the tests were built in the profile of `cargo build --release`.
pub fn is_release() -> bool {
    built().ends_with("release")
}

/// A command without the variables of the `cargo test` that starts it.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let of_tests = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "LANGO_"];
        if of_tests.iter().any(|prefix| name.starts_with(prefix)) || name == "LD_LIBRARY_PATH" {
            command.env_remove(name);
        }
    }
    command
}

/// How a command ended, and what it printed on both streams.
pub fn said(done: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (done.status.code(), text(&done.stdout), text(&done.stderr))
}

/// Compares what was printed with the file of `tests/testdata` that holds it; `LANGO_RENEW=1` writes the file anew.
pub fn is_kept(name: &str, found: &str) {
    let file = project().join("tests/testdata").join(name);
    if std::env::var_os("LANGO_RENEW").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, found).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(found, kept, "{name}: LANGO_RENEW=1 writes it anew");
}

/// Lets everybody read a file.
pub fn open_to_others(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o644)).unwrap();
}

/// The cargo that builds the workspace.
pub fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// The program `lango`, as it is now.
pub fn lango() -> PathBuf {
    static LANGO: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let built = built();
        let mut cargo = command(cargo());
        cargo.args(["build", "--quiet", "--package", "lango"]).current_dir(project());
        match built.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => {}
            Some(profile) => drop(cargo.args(["--profile", profile])),
        }
        assert!(cargo.status().unwrap().success(), "lango does not build");
        let lango = built.join("lango");
        assert!(lango.exists(), "{} is not where it should be", lango.display());
        lango
    };
    LANGO.get_or_init(build).clone()
}

/// Every file of a folder, at any depth, whose name ends so; in the order of their names.
pub fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, end));
        } else if path.to_string_lossy().ends_with(end) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Sends a signal to a process that the test started. The shell's own `kill`: the program of this name is not on every machine.
pub fn signal(name: &str, process: u32) {
    let sent = Command::new("sh").args(["-c", &format!("kill -s {name} {process}")]).status();
    assert!(sent.unwrap().success(), "process {process} is gone");
}
