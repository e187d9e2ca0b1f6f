//! `lango init analyst | auditor | administrator`: a person's folder.

use clap::Args;
use lango_identity::Role;

use super::folder::{IDENTITY, InitOptions, step, within};
use crate::failure::Failure;

/// A question to begin with.
const QUESTION: &str = include_str!("question.toml");

#[derive(Debug, Args)]
pub struct InitPerson {
    #[command(flatten)]
    options: InitOptions,
}

impl InitPerson {
    pub fn run(&self, role: Role) -> Result<(), Failure> {
        let new = self.options.begin(role)?;
        let keys = within(&new.dir, IDENTITY);
        let doctor = step("See whether all is in place:", &[&format!("lango doctor --identity {keys}")]);
        let (files, next) = match role {
            Role::Analyst => {
                let question = within(&new.dir, "question.toml");
                let coordinator = match new.region.coordinator {
                    Some(_) => "",
                    None => " --coordinator https://HOST:PORT",
                };
                let price = format!("lango query estimate {question} --all --identity {keys}{coordinator}");
                let price = step("Ask for the price of a question, which costs nothing:", &[&price]);
                (vec![("question.toml".to_owned(), QUESTION.to_owned())], vec![doctor, price])
            }
            Role::Administrator => {
                let status = format!("lango policy status --gateway https://HOST:PORT --identity {keys}");
                let words =
                    "See how the office's gateway stands, once it lists you under `[administration]`:";
                (Vec::new(), vec![doctor, step(words, &[&status])])
            }
            Role::Office | Role::Coordinator | Role::Auditor => (Vec::new(), vec![doctor]),
        };
        new.make(&[], &files, &next)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_first_question_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("question.toml");
        std::fs::write(&file, super::QUESTION).unwrap();
        let read = crate::analyst::question::read_file(Path::new(&file));
        assert!(read.is_ok(), "{:?}", read.err().map(|failure| failure.to_string()));
    }
}
