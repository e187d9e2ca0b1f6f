//! Programs in Python that are none of Lango's, with packages of others.

use std::{
    path::{Path, PathBuf},
    process::Output,
};

use crate::program::{command, project};

/// What the programs of `tests/python` import, as `tests/run` installs it.
pub const PACKAGES: [&str; 5] = [
    "cryptography==50.0.2",
    "grpcio==1.85.3",
    "grpcio-health-checking==1.85.1",
    "grpcio-reflection==1.85.1",
    "grpcio-status==1.85.3",
];

/// Runs a program of `tests/python`.
pub fn python(program: &str, words: &[&Path]) -> Output {
    let python: PathBuf = project().join("target/tools/bin/python");
    let has_all = command(&python)
        .args(["-c", "import cryptography, grpc, grpc_health, grpc_reflection, grpc_status"])
        .output()
        .is_ok_and(|output| output.status.success());
    let packages = PACKAGES.join(" ");
    assert!(
        has_all,
        "Python's packages are missing: tests/run installs them, and so does `python3 -m venv target/tools && \
         target/tools/bin/python -m pip install {packages}`"
    );
    command(python).arg(project().join("tests/python").join(program)).args(words).output().unwrap()
}
