//! What `--help` prints of every command stands in `tests/testdata/help`, so that a change of it is seen where it is reviewed.
//! `LANGO_RENEW=1 cargo test --release --test help` writes the files anew.

// What a test needs and does not get is its failure, in its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/program.rs"]
mod program;

use std::{collections::BTreeMap, fs, path::PathBuf};

use program::{command, files, is_kept, lango, project};

fn folder() -> PathBuf {
    project().join("tests/testdata/help")
}

/// The commands that a text of help lists below itself.
fn commands(help: &str) -> Vec<&str> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    // The list ends with an empty line. What is indented further goes on about the command above.
    let names = listed.take_while(|line| !line.is_empty()).filter_map(|line| line.strip_prefix("  "));
    names.filter(|line| !line.starts_with(' ')).filter_map(|line| line.split(' ').next()).collect()
}

/// The help of a command and of every command below it, by the name of the file.
fn walk(words: &[String], found: &mut BTreeMap<String, String>) {
    let printed = command(lango()).args(words).arg("--help").env_remove("COLUMNS").output().unwrap();
    assert!(printed.status.success() && printed.stderr.is_empty(), "{words:?}: {printed:?}");
    let help = String::from_utf8(printed.stdout).unwrap();
    for name in commands(&help) {
        // clap's own, of which there is one below every command that has commands.
        if name != "help" {
            walk(&[words, &[name.to_owned()]].concat(), found);
        }
    }
    let name: Vec<&str> = std::iter::once("lango").chain(words.iter().map(String::as_str)).collect();
    found.insert(format!("{}.txt", name.join("-")), help);
}

#[test]
fn help_is_what_it_was() {
    let mut found = BTreeMap::new();
    walk(&[], &mut found);
    assert!(found.len() > 10, "{:?}", found.keys());
    let renew = std::env::var_os("LANGO_RENEW").is_some();
    if renew {
        fs::create_dir_all(folder()).unwrap();
    }
    for file in files(&folder(), "") {
        let name = file.file_name().unwrap().to_str().unwrap();
        if renew && !found.contains_key(name) {
            fs::remove_file(&file).unwrap();
        } else {
            assert!(found.contains_key(name), "{name} is of no command: LANGO_RENEW=1 removes it");
        }
    }
    for (name, help) in found {
        is_kept(&format!("help/{name}"), &help);
    }
}

#[test]
fn commands_are_found_in_a_text_of_help() {
    for (help, expected) in [
        ("Does things\n\nUsage: x\n\nOptions:\n  -h  Print help\n", vec![]),
        (
            "Usage: x <COMMAND>\n\nCommands:\n  run   Runs\n        and runs\n  help  Print this\n\nOptions:\n  -h\n",
            vec!["run", "help"],
        ),
    ] {
        assert_eq!(commands(help), expected);
    }
}
