//! A verifier of logs that is none of Lango's: a small program on Go's own libraries, in `tests/go/log`.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use crate::program::{built, command, project};

/// Where Debian's packages of Go libraries lie.
const LIBRARIES: &str = "/usr/share/gocode";

/// The program, built without a network, once.
pub fn verifier() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let library = Path::new(LIBRARIES).join("src/golang.org/x/mod/sumdb/tlog");
        assert!(
            command("go").arg("version").output().is_ok() && library.is_dir(),
            "Go or its library of logs is missing: apt-get install golang-go golang-golang-x-mod-dev"
        );
        let program = built().join("log-verifier");
        let built = command("go")
            .args(["build", "-o"])
            .arg(&program)
            .arg(project().join("tests/go/log/main.go"))
            .env("GO111MODULE", "off")
            .env("GOPATH", LIBRARIES)
            .env("GOCACHE", built().join("log-verifier.cache"))
            .env("GOFLAGS", "")
            .env("GOPROXY", "off")
            .env("GOTOOLCHAIN", "local")
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        program
    })
}
