//! `lango gateway` as a process of its own.

use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use lango_testkit::memory_kb;

use crate::program;

/// A running server; killed when dropped.
pub(crate) struct Process {
    pub(crate) address: SocketAddr,
    child: Child,
    /// Reads the log: a full pipe would stop the gateway.
    log: Option<JoinHandle<()>>,
    said: Arc<Mutex<String>>,
}

fn command(config: &Path) -> Command {
    command_of("gateway", config)
}

fn command_of(server: &str, config: &Path) -> Command {
    let mut command = program::command(program::lango());
    command.arg(server).arg("--config").arg(config);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

impl Process {
    /// Returns once it says that it is ready, and where.
    pub(crate) fn start(config: &Path) -> Self {
        Self::start_logging(config, "info")
    }

    /// As [`Process::start`], with a log as talkative as `LANGO_LOG` says.
    pub(crate) fn start_logging(config: &Path, level: &str) -> Self {
        Self::await_ready(command(config).env("LANGO_LOG", level))
    }

    /// A coordinator.
    pub(crate) fn start_coordinator(config: &Path) -> Self {
        Self::await_ready(&mut command_of("coordinator", config))
    }

    /// One whose files cannot grow beyond this number of blocks of 512 bytes: what it writes then fails, as on a full disk.
    #[allow(dead_code, reason = "another test's")]
    pub(crate) fn start_within_file_size(config: &Path, blocks: u32) -> Self {
        let mut command = program::command("sh");
        // Without the signal, a write that is too long fails with an error.
        command.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")]);
        command.arg(program::lango()).arg("gateway").arg("--config").arg(config);
        Self::await_ready(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()))
    }

    fn await_ready(command: &mut Command) -> Self {
        Self::ready(command.spawn().unwrap())
    }

    fn ready(mut child: Child) -> Self {
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let address = loop {
            let before = said.len();
            assert!(log.read_line(&mut said).unwrap() > 0, "the server ended: {said}");
            let line = &said[before..];
            if line.contains(" is ready") {
                let address = line.trim().rsplit("address=").next().unwrap();
                break address.parse().unwrap_or_else(|_| panic!("no address in {line}"));
            }
        };
        let said = Arc::new(Mutex::new(said));
        let so_far = Arc::clone(&said);
        let log = std::thread::spawn(move || {
            let mut line = String::new();
            while log.read_line(&mut line).unwrap() > 0 {
                so_far.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        Self { address, child, log: Some(log), said }
    }

    /// Starts a gateway and sends it SIGHUP as soon as it catches that, which it must before it catches what ends it: those it
    /// catches when it has opened everything.
    pub(crate) fn start_hung_up(config: &Path) -> Self {
        let mut program = command(config);
        let child = program.spawn().unwrap();
        let caught = |number: u32| {
            let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
            let signals =
                status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap().trim().to_owned();
            u64::from_str_radix(&signals, 16).unwrap() & (1 << (number - 1)) != 0
        };
        let begun = std::time::Instant::now();
        let (hang_up, terminate) = (1, 15);
        while !caught(hang_up) {
            assert!(!caught(terminate), "SIGTERM is caught before SIGHUP");
            assert!(begun.elapsed().as_secs() < 20, "SIGHUP is not caught");
        }
        crate::program::signal("HUP", child.id());
        Self::ready(child)
    }

    /// The most memory that it has had, in megabytes.
    pub(crate) fn megabytes(&self) -> u64 {
        memory_kb(&self.child.id().to_string(), "VmHWM") / 1024
    }

    /// What it has written to its log so far.
    pub(crate) fn log(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        program::signal(name, self.child.id());
    }

    /// SIGTERM: how long it takes to end, whether it ended well, and its log.
    pub(crate) fn stop(mut self) -> (Duration, bool, String) {
        let begun = Instant::now();
        self.signal("TERM");
        let status = self.child.wait().unwrap();
        (begun.elapsed(), status.success(), self.whole_log())
    }

    /// SIGKILL: it has no say in it. Returns all that it has written to its log.
    pub(crate) fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.whole_log()
    }

    /// Its log, once it has ended.
    fn whole_log(&mut self) -> String {
        self.log.take().unwrap().join().unwrap();
        self.log()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The exit code and the last words of a gateway that does not start.
pub(crate) fn fails(config: &Path) -> (Option<i32>, String) {
    let mut child = command(config).spawn().unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    (child.wait().unwrap().code(), stderr)
}
