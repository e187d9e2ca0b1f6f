//! `[administration]`: who administers an office's gateway over the wire, and how many of them a change of the policy takes.

use std::path::Path;

use lango_document::{FromDocument, ValueForm, WrittenValue, table};
use lango_gateway::{Activation, Administrators};
use lango_identity::{Role, SpiffeId};

use crate::failure::Failure;

/// The table as it is written.
#[derive(Debug, Default)]
pub struct AdministrationTable {
    /// Their names in the region: `spiffe://REGION/administrator/NAME`.
    administrators: Vec<String>,
    activation: ActivationWord,
}

#[derive(Debug, Clone, Copy, Default)]
struct ActivationWord(Activation);

table!(AdministrationTable => "the table of the administration" {
    required administrators "administrators",
    or_default activation "activation",
});

impl FromDocument for ActivationWord {
    const FORM: ValueForm = ValueForm::Text;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        written.word(&[("one", Self(Activation::One)), ("two", Self(Activation::Two))])
    }
}

impl AdministrationTable {
    /// The administrators of a region's office; `file` is where the table was read.
    pub fn load(&self, file: &Path, region: &str) -> Result<Administrators, Failure> {
        let at = format!("{}: administration.administrators", file.display());
        let mut listed = Vec::new();
        for name in &self.administrators {
            let id = SpiffeId::new(region, Role::Administrator, name);
            let id = id.map_err(|error| Failure::of(&at, error))?;
            if listed.iter().any(|other: &SpiffeId| other.name().eq_ignore_ascii_case(id.name())) {
                return Err(Failure::of(at, format!("lists `{name}` twice, capitals apart")));
            }
            listed.push(id);
        }
        let ActivationWord(activation) = self.activation;
        let needed = activation.signatures_needed();
        if listed.len() < needed {
            let found = listed.len();
            let why = format!("lists {found}, and `activation = \"two\"` takes {needed} who sign: list more");
            return Err(Failure::of(at, why));
        }
        Ok(Administrators { listed, activation })
    }
}

#[cfg(test)]
mod tests {
    use lango_document::Document;

    use super::*;

    fn read(text: &str) -> Result<Administrators, String> {
        let table: AdministrationTable =
            Document::new("g.toml", text).read().map_err(|wrong| wrong.to_string())?;
        table.load(Path::new("g.toml"), "r.example").map_err(|failure| failure.to_string())
    }

    #[test]
    fn two_who_sign_are_listed_by_their_names() {
        let found = read("administrators = [\"ama\", \"kofi\"]\nactivation = \"two\"").unwrap();
        let listed: Vec<String> = found.listed.iter().map(ToString::to_string).collect();
        assert_eq!(listed, ["spiffe://r.example/administrator/ama", "spiffe://r.example/administrator/kofi"]);
        assert_eq!(found.activation, Activation::Two);
        assert_eq!(read("administrators = [\"ama\"]").unwrap().activation, Activation::One);
        for (text, said) in [
            (
                "administrators = [\"ama\"]\nactivation = \"two\"",
                "lists 1, and `activation = \"two\"` takes 2",
            ),
            ("administrators = [\"ama\", \"ama\"]\nactivation = \"two\"", "lists `ama` twice"),
            ("administrators = [\"ama\", \"Ama\"]\nactivation = \"two\"", "lists `Ama` twice"),
            ("administrators = [\"a b\"]", "g.toml: administration.administrators: "),
            ("administrators = [\"ama\"]\nactivation = \"three\"", "`one` or `two`"),
            ("activation = \"two\"", "`administrators`"),
        ] {
            let wrong = read(text).unwrap_err();
            assert!(wrong.contains(said), "{text}: {wrong}");
        }
    }
}
