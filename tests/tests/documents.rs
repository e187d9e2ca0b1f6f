//! The documents do what they say: every `sh` block runs, every `toml` and `json` block is read.
//!
//! Blocks of one document share a temporary folder and run in order, with `lango` on the path and a `cargo` that builds
//! the checkout without being in it. A `lango demo` without `--once` stays up for the blocks after it, which find the
//! address of its coordinator in `LANGO_COORDINATOR`. An HTML comment before a `toml` block says what it is.

// What a test needs and does not get is its failure, in its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/program.rs"]
mod program;

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use lango_document::Document;
use lango_policy::PolicySet;
use program::{built, cargo, command, files, is_release, lango, project, signal};

/// Drawing registers and starting sixteen servers, in a build that may not be optimised.
const UP_TIME_MAX: Duration = Duration::from_secs(300);
const DOWN_TIME_MAX: Duration = Duration::from_secs(60);

/// A fenced block.
struct Block {
    line: usize,
    language: String,
    /// The text of the comment before it.
    about: String,
    text: String,
}

fn blocks(document: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut about = String::new();
    let mut lines = document.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            if let Some(comment) = line.strip_prefix("<!-- ") {
                about = comment.trim_end_matches("-->").trim().to_owned();
            } else if !line.is_empty() {
                about.clear();
            }
            continue;
        };
        let body = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
        let text = body.map(|line| format!("{line}\n")).collect();
        let about = std::mem::take(&mut about);
        blocks.push(Block { line: index + 1, language: language.to_owned(), about, text });
    }
    blocks
}

fn documents() -> Vec<PathBuf> {
    let mut documents = files(&project().join("docs"), ".md");
    documents.extend(
        ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| project().join(name)),
    );
    documents
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_sh_block_runs() {
    let mut count = 0;
    for document in documents() {
        let blocks = blocks(&read(&document));
        let commands: Vec<&Block> = blocks.iter().filter(|block| block.language == "sh").collect();
        if commands.is_empty() {
            continue;
        }
        let mut terminal = Terminal::open();
        for block in commands {
            eprintln!("{}:{}", document.display(), block.line);
            terminal.run(block, &document);
            count += 1;
        }
    }
    assert!(count >= 4, "{count} blocks");
}

/// A reader who follows a document in a folder of their own.
struct Terminal {
    folder: tempfile::TempDir,
    path: String,
    demo: Option<Demo>,
}

impl Terminal {
    fn open() -> Self {
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
        Self { folder, path, demo: None }
    }

    fn run(&mut self, block: &Block, document: &Path) {
        let at = format!("{}:{}", document.display(), block.line);
        let lines: Vec<&str> = block.text.lines().filter(|line| !line.starts_with('#')).collect();
        match lines.as_slice() {
            // It is what runs this test.
            ["tests/run" | "tests/run --long"] => {
                let script = fs::metadata(project().join("tests/run")).unwrap();
                assert!(script.permissions().mode() & 0o111 == 0o111, "{at}: not executable");
            }
            [demo] if demo.starts_with("lango demo") && !demo.contains("--once") => {
                assert!(self.demo.is_none(), "{at}: a demo is running already");
                self.demo = Some(Demo::start(self.shell(demo)));
            }
            _ => {
                let done = self.shell(&block.text).output().unwrap();
                let said = String::from_utf8_lossy(&done.stderr);
                assert!(done.status.success(), "{at}: {}\n{said}", done.status);
            }
        }
    }

    fn shell(&self, text: &str) -> std::process::Command {
        let mut shell = command("sh");
        shell.args(["-euc", text]).current_dir(self.folder.path().join("work")).env("PATH", &self.path);
        shell.env("CARGO_TARGET_DIR", built().parent().unwrap()).stdin(Stdio::null());
        if let Some(demo) = &self.demo {
            shell.env("LANGO_COORDINATOR", &demo.coordinator);
        }
        shell
    }
}

/// A demo that is up until it is dropped.
struct Demo {
    process: Child,
    coordinator: String,
}

impl Demo {
    fn start(mut shell: std::process::Command) -> Self {
        // `exec`, so that the process is the demo and not its shell.
        let text = shell.get_args().last().unwrap().to_string_lossy().into_owned();
        let mut exec = command("sh");
        exec.args(["-euc", &format!("exec {text}")]).current_dir(shell.get_current_dir().unwrap());
        for (name, value) in shell.get_envs() {
            if let Some(value) = value {
                exec.env(name, value);
            }
        }
        shell = exec;
        let mut process =
            shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = lines(process.stdout.take().unwrap());
        let errors = tail(process.stderr.take().unwrap());
        let mut demo = Self { process, coordinator: String::new() };
        let deadline = Instant::now() + UP_TIME_MAX;
        let mut up = false;
        while demo.coordinator.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = lines.recv_timeout(left) else {
                panic!(
                    "the demo does not come up: {}",
                    errors.recv_timeout(DOWN_TIME_MAX).unwrap_or_default()
                );
            };
            up |= line.contains("the federation is up");
            if up && let Some((_, rest)) = line.split_once("https://127.0.0.1:") {
                let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
                demo.coordinator = format!("https://127.0.0.1:{port}");
            }
        }
        demo
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        signal("INT", self.process.id());
        let deadline = Instant::now() + DOWN_TIME_MAX;
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.process.try_wait() {
                assert!(status.success() || thread::panicking(), "the demo ended with {status}");
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        drop(self.process.kill());
        drop(self.process.wait());
        assert!(thread::panicking(), "the demo does not stop at Ctrl-C");
    }
}

/// The lines of a stream as they come; read to the end, so that the writer never waits.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            drop(send.send(line));
        }
    });
    receive
}

/// All of a stream, once it ends.
fn tail(mut stream: ChildStderr) -> Receiver<String> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        drop(stream.read_to_string(&mut text));
        drop(send.send(text));
    });
    receive
}

#[test]
fn every_other_block_is_what_it_says() {
    for document in documents() {
        let name = document.display().to_string();
        let mut parts = String::new();
        for block in blocks(&read(&document)) {
            let at = format!("{name}:{}", block.line);
            match (block.language.as_str(), block.about.as_str()) {
                ("sh" | "text", _) => {}
                ("json", _) => {
                    let read = serde_json::from_str::<serde_json::Value>(&block.text);
                    assert!(read.is_ok(), "{at}: {read:?}");
                }
                ("toml", "policy") => loads(&at, block.text),
                ("toml", "policy, in parts") => parts += &block.text,
                ("toml", "gateway configuration") => parses("gateway", &at, &block.text, ".pem"),
                ("toml", "coordinator configuration") => parses("coordinator", &at, &block.text, ".pem"),
                ("toml", "query file") => parses("query", &at, &block.text, "nobody"),
                (language, about) => panic!("{at}: a block of language `{language}`, said to be `{about}`"),
            }
        }
        if !parts.is_empty() {
            loads(&name, parts);
        }
    }
}

#[test]
fn every_shipped_question_is_one() {
    let questions = files(&project().join("policies/queries"), ".toml");
    assert!(questions.len() >= 3, "{questions:?}");
    for question in questions {
        parses("query", &question.display().to_string(), &read(&question), "nobody");
    }
}

fn loads(at: &str, text: String) {
    let set = PolicySet::read(&[Document::new(at, text)]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(set.run_trials(), [], "{at}");
}

/// The program reads the whole file before it opens what the file leads to: `next` is what it misses first.
fn parses(subcommand: &str, at: &str, text: &str, next: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("block.toml");
    fs::write(&file, text).unwrap();
    let mut program = command(lango());
    match subcommand {
        "query" => {
            let words = ["query", "run", "--all", "--coordinator", "https://127.0.0.1:1", "--identity"];
            program.args(words).arg(folder.path().join("nobody")).arg(&file)
        }
        server => program.args([server, "--config"]).arg(&file),
    };
    let done = program.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(!done.status.success() && said.contains(next) && !said.contains("block.toml:"), "{at}: {said}");
}

#[test]
fn blocks_are_found_with_what_is_said_of_them() {
    let found =
        blocks("a\n<!-- policy -->\n\n```toml\nx = 1\n```\n<!-- policy -->\ntext\n```sh\n\nls\n```\n");
    let blocks: Vec<_> = found
        .iter()
        .map(|block| (block.line, block.language.as_str(), block.about.as_str(), block.text.as_str()))
        .collect();
    assert_eq!(blocks, [(4, "toml", "policy", "x = 1\n"), (9, "sh", "", "\nls\n")]);
}

#[test]
fn links_between_documents_lead_somewhere() {
    for document in documents() {
        let text = read(&document);
        let targets =
            text.match_indices("](").filter_map(|(start, _)| text.get(start + 2..)?.split_once(')'));
        for (target, _) in targets.filter(|(target, _)| !target.starts_with("https://")) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { document.clone() } else { document.parent().unwrap().join(file) };
            let at = format!("{}: {target}", document.display());
            assert!(path.exists(), "{at}");
            assert!(heading.is_empty() || anchors(&read(&path)).iter().any(|name| name == heading), "{at}");
        }
    }
}

/// The names by which a document's headings are linked: small letters, blanks as hyphens, no other punctuation.
fn anchors(document: &str) -> Vec<String> {
    let prose = document.split("\n```").step_by(2);
    let headings = prose.flat_map(str::lines).filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[test]
fn headings_have_the_names_that_links_use() {
    let text = "# A gateway's `key`\n\n```sh\n# no heading\n```\n## Is all in place?\n";
    assert_eq!(anchors(text), ["a-gateways-key", "is-all-in-place"]);
}

/// What stands between backticks and can only be a path of the project: it has a slash, and no space, place-holder or host.
fn paths(document: &str) -> Vec<&str> {
    let outside = document.split("```").step_by(2);
    let spans = outside.flat_map(|text| text.split('`').skip(1).step_by(2));
    let is_path = |span: &&str| {
        let plain = span.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
        plain && span.contains('/') && !span.starts_with('/') && !span.contains("NAME")
    };
    spans.filter(is_path).collect()
}

#[test]
fn every_path_that_contributors_read_is_there() {
    for (name, least) in [("CONTRIBUTING.md", 50), ("docs/ADVISORIES.md", 1)] {
        let text = read(&project().join(name));
        let paths = paths(&text);
        assert!(paths.len() >= least, "{name}: {paths:?}");
        let gone: Vec<_> = paths.into_iter().filter(|path| !project().join(path).exists()).collect();
        assert!(gone.is_empty(), "{name} names what is not there: {gone:?}");
    }
    let text = read(&project().join("CONTRIBUTING.md"));
    let recipes = text.lines().filter(|line| line.starts_with("### To add ")).count();
    assert!(recipes >= 10, "{recipes} recipes");
}

#[test]
fn paths_are_found_in_prose() {
    let text =
        "`a/b.rs` and `a b/c`, `crates/NAME`, `/etc/x`, `c.rs`\n```sh\n`d/e`\n```\n`tests/run`, `x::y/z`";
    assert_eq!(paths(text), ["a/b.rs", "tests/run"]);
}
