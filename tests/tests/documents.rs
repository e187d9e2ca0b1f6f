//! The documents do what they say: every `sh` block runs, every `toml` and `json` block is read.
//!
//! Blocks of one document share a temporary folder and run in order. An HTML comment before a block says what it is: of a `toml`
//! block what reads it, or where it is saved; of an `sh` block that it is `refused`; of a `text` block that it `prints` what the
//! commands before it printed, to the letter or `with other numbers`.

// What a test needs and does not get is its failure, in its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "documents/blocks.rs"]
mod blocks;
#[path = "documents/epsilon.rs"]
mod epsilon;
#[path = "documents/morning.rs"]
mod morning;
#[path = "documents/printed.rs"]
mod printed;
#[path = "support/program.rs"]
mod program;
#[path = "documents/terminal.rs"]
mod terminal;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use blocks::blocks;
use lango_document::Document;
use lango_policy::PolicySet;
use program::{command, files, lango, project};
use terminal::{Terminal, saved_as};

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
        // It has a test of its own.
        let is_morning = document.ends_with("docs/MORNING.md");
        if is_morning || blocks.iter().all(|block| block.language != "sh") {
            continue;
        }
        let mut terminal = Terminal::open().with_policies();
        for block in blocks {
            let at = format!("{}:{}", document.display(), block.line);
            eprintln!("{at}");
            terminal.follow(&block, &at);
            count += usize::from(block.language == "sh");
        }
    }
    assert!(count >= 4, "{count} blocks");
}

#[test]
fn every_other_block_is_what_it_says() {
    for document in documents() {
        let name = document.display().to_string();
        let mut parts = String::new();
        let mut saved = Vec::new();
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
                ("toml", about) if saved_as(about).is_some() => saved.push(Document::new(at, block.text)),
                ("toml", "gateway configuration") => parses("gateway", &at, &block.text, ".pem"),
                ("toml", "coordinator configuration") => parses("coordinator", &at, &block.text, ".pem"),
                ("toml", "query file") => parses("query", &at, &block.text, "nobody"),
                (language, about) => panic!("{at}: a block of language `{language}`, said to be `{about}`"),
            }
        }
        if !parts.is_empty() {
            loads(&name, parts);
        }
        if !saved.is_empty() {
            is_policy(&saved);
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
    is_policy(&[Document::new(at, text)]);
}

fn is_policy(documents: &[Document]) {
    let set = PolicySet::read(documents).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(set.run_trials(), []);
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
