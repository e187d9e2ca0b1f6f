//! The passphrase under which an authority's key rests.

use std::{io, path::PathBuf};

use clap::Args;
use lango_files::read_secret;
use zeroize::Zeroizing;

use crate::failure::Failure;

#[derive(Debug, Args)]
pub struct Passphrase {
    /// Read the passphrase from the one line of this file, which is its owner's alone, instead of asking for it.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl Passphrase {
    /// The passphrase of a key that there is.
    pub fn read(&self) -> Result<Zeroizing<String>, Failure> {
        match &self.passphrase_file {
            Some(_) => self.in_file(),
            None => ask("Passphrase of the authority's key: "),
        }
    }

    /// The passphrase of a key to be made: asked for twice.
    pub fn choose(&self) -> Result<Zeroizing<String>, Failure> {
        if self.passphrase_file.is_some() {
            return self.in_file();
        }
        let chosen = ask("A passphrase for the authority's key, of several words: ")?;
        if *chosen != *ask("The same again: ")? {
            return Err(Failure::Failed("the two passphrases differ: nothing was made".to_owned()));
        }
        Ok(chosen)
    }

    fn in_file(&self) -> Result<Zeroizing<String>, Failure> {
        let Some(path) = &self.passphrase_file else { return Ok(Zeroizing::default()) };
        let bytes = read_secret(path)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| Failure::of(path.display(), "is not a text"))?;
        let mut lines = text.lines();
        match (lines.next(), lines.next()) {
            (Some(line), None) if !line.is_empty() => Ok(Zeroizing::new(line.to_owned())),
            _ => Err(Failure::of(path.display(), "must hold one line, the passphrase")),
        }
    }
}

fn ask(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(|error: io::Error| {
        Failure::of("no passphrase can be asked for here, so name --passphrase-file", error)
    })
}
