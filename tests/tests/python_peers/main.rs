//! Peers in Python that are none of Lango's: a walker of a log's static files, and gRPC's own packages at a gateway and a
//! coordinator.

mod grpc;
mod log;
#[path = "../support/program.rs"]
mod program;
#[path = "../support/python.rs"]
mod python;

/// What is installed is what these programs were written for.
#[test]
fn the_packages_are_those_that_the_script_installs() {
    let script = std::fs::read_to_string(program::project().join("tests/run")).unwrap();
    for package in python::PACKAGES {
        assert!(script.contains(package), "tests/run does not install {package}");
    }
}
