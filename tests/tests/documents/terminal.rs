//! A reader who follows a document in a folder of their own, with `lango` on the path and a `cargo` that builds the checkout
//! without being in it.
//!
//! Servers stay up in windows of their own until the reader has done with the document. A `lango demo` without `--once` is one.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use crate::{
    blocks::Block,
    printed::{shows, shows_with_other_numbers},
    program::{built, cargo, command, is_release, lango, project, signal},
};

/// Drawing registers and starting sixteen servers, in a build that may not be optimised.
const UP_TIME_MAX: Duration = Duration::from_secs(300);
const DOWN_TIME_MAX: Duration = Duration::from_secs(60);
/// Commands that stay up.
const SERVERS: [&str; 3] = ["lango demo", "lango gateway", "lango coordinator"];

pub struct Terminal {
    folder: tempfile::TempDir,
    path: String,
    windows: Vec<Window>,
    /// What the last block of commands printed.
    printed: String,
}

impl Terminal {
    pub fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let programs = folder.path().join("bin");
        fs::create_dir(&programs).unwrap();
        std::os::unix::fs::symlink(lango(), programs.join("lango")).unwrap();
        let manifest = project().join("Cargo.toml");
        // The tests of a debug build try what a reader types on that build.
        let release = if is_release() { "" } else { "[ \"$word\" = --release ] && continue\n" };
        let shim = format!(
            "#!/bin/sh\nset -eu\nsubcommand=$1\nshift\nwords=\nfor word in \"$@\"; do\n{release}\
             words=\"$words '$word'\"\ndone\n\
             eval exec '{}' '\"$subcommand\"' --manifest-path '\"{}\"' \"$words\"\n",
            cargo().display(),
            manifest.display()
        );
        let cargo = programs.join("cargo");
        fs::write(&cargo, shim).unwrap();
        fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        fs::create_dir(folder.path().join("work")).unwrap();
        Self { folder, path, windows: Vec::new(), printed: String::new() }
    }

    /// Puts the shipped policies where a reader in the checkout has them.
    pub fn with_policies(self) -> Self {
        let work = self.folder.path().join("work");
        std::os::unix::fs::symlink(project().join("policies"), work.join("policies")).unwrap();
        self
    }

    /// Does what a block says, or compares what it shows with what was printed.
    pub fn follow(&mut self, block: &Block, at: &str) {
        match (block.language.as_str(), block.about.as_str()) {
            ("sh", about) => self.run(&block.text, about == "refused", at),
            ("text", "prints") => self.has_printed(shows, block, at),
            ("text", "prints, with other numbers") => self.has_printed(shows_with_other_numbers, block, at),
            ("text", "a window says") => {
                let window = self.windows.first().unwrap_or_else(|| panic!("{at}: no server runs"));
                window.wait(|line| shows(&block.text, line).then_some(()));
            }
            ("toml", about) => {
                if let Some(file) = saved_as(about) {
                    fs::write(self.folder.path().join("work").join(file), &block.text).unwrap();
                }
            }
            (_, _) => {}
        }
    }

    fn run(&mut self, text: &str, is_refused: bool, at: &str) {
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let stays = |line: &&str| SERVERS.iter().any(|server| line.starts_with(server));
        match lines.as_slice() {
            // It is what runs this test.
            ["tests/run" | "tests/run --long"] => {
                let script = fs::metadata(project().join("tests/run")).unwrap();
                assert!(script.permissions().mode() & 0o111 == 0o111, "{at}: not executable");
            }
            [server] if stays(server) && !server.contains("--once") => {
                let window = Window::open(self.shell(&format!("exec {server}")));
                if server.starts_with("lango demo") {
                    window.wait(|line| line.contains("the federation is up").then_some(()));
                } else {
                    self.printed = window.wait(|line| line.contains(" is ready ").then(|| line.to_owned()));
                }
                self.windows.push(window);
            }
            _ => {
                let (mut read, write) = std::io::pipe().unwrap();
                let mut shell = self.shell(text);
                let mut process = shell.stdout(write.try_clone().unwrap()).stderr(write).spawn().unwrap();
                drop(shell);
                self.printed.clear();
                read.read_to_string(&mut self.printed).unwrap();
                let status = process.wait().unwrap();
                assert_eq!(status.success(), !is_refused, "{at}: {status}\n{}", self.printed);
            }
        }
    }

    fn has_printed(&self, shows: impl Fn(&str, &str) -> bool, block: &Block, at: &str) {
        let Self { printed, .. } = self;
        assert!(shows(&block.text, printed), "{at} shows\n{}\nand this was printed:\n{printed}", block.text);
    }

    fn shell(&self, text: &str) -> Command {
        let mut shell = command("sh");
        shell.args(["-euc", text]).current_dir(self.folder.path().join("work")).env("PATH", &self.path);
        shell.env("CARGO_TARGET_DIR", built().parent().unwrap()).stdin(Stdio::null());
        shell
    }
}

/// The file that a comment says a block is saved as.
pub fn saved_as(about: &str) -> Option<&str> {
    about.strip_prefix("policy, saved as ")
}

/// A server that is up until it is dropped.
struct Window {
    process: Child,
    /// The lines of both streams as they come; read to the end, so that the writer never waits.
    lines: Receiver<String>,
}

impl Window {
    fn open(mut shell: Command) -> Self {
        let (read, write) = std::io::pipe().unwrap();
        let process = shell.stdout(write.try_clone().unwrap()).stderr(write).spawn().unwrap();
        drop(shell);
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(read).lines().map_while(Result::ok) {
                drop(send.send(line));
            }
        });
        Self { process, lines }
    }

    /// Reads lines until one is what is waited for.
    fn wait<T>(&self, mut found: impl FnMut(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + UP_TIME_MAX;
        let mut before = String::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("it never came:\n{before}"));
            if let Some(found) = found(&line) {
                return found;
            }
            before += &format!("{line}\n");
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        signal("INT", self.process.id());
        let deadline = Instant::now() + DOWN_TIME_MAX;
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.process.try_wait() {
                assert!(status.success() || thread::panicking(), "a server ended with {status}");
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        drop(self.process.kill());
        drop(self.process.wait());
        assert!(thread::panicking(), "a server does not stop at Ctrl-C");
    }
}
