//! `[audit]`: who may read an office's log over the wire.

use std::path::Path;

use lango_document::table;
use lango_identity::{Role, SpiffeId};

use crate::failure::Failure;

/// The table as it is written.
#[derive(Debug, Default)]
pub struct AuditTable {
    /// Their names in the region: `spiffe://REGION/auditor/NAME`.
    auditors: Vec<String>,
}

table!(AuditTable => "the table of the audit" { required auditors "auditors" });

impl AuditTable {
    /// The auditors of a region's office; `file` is where the table was read.
    pub fn load(&self, file: &Path, region: &str) -> Result<Vec<SpiffeId>, Failure> {
        let at = format!("{}: audit.auditors", file.display());
        let mut listed: Vec<SpiffeId> = Vec::new();
        for name in &self.auditors {
            let id = SpiffeId::new(region, Role::Auditor, name).map_err(|error| Failure::of(&at, error))?;
            if listed.contains(&id) {
                return Err(Failure::of(at, format!("lists `{name}` twice")));
            }
            listed.push(id);
        }
        Ok(listed)
    }
}

#[cfg(test)]
mod tests {
    use lango_document::Document;

    use super::*;

    #[test]
    fn auditors_are_listed_by_their_names_each_once() {
        let read = |text: &str| -> Result<Vec<String>, String> {
            let table: AuditTable =
                Document::new("g.toml", text).read().map_err(|wrong| wrong.to_string())?;
            let found =
                table.load(Path::new("g.toml"), "r.example").map_err(|failure| failure.to_string())?;
            Ok(found.iter().map(ToString::to_string).collect())
        };
        assert_eq!(read("auditors = [\"ina\"]").unwrap(), ["spiffe://r.example/auditor/ina"]);
        for (text, said) in [
            ("auditors = [\"ina\", \"ina\"]", "lists `ina` twice"),
            ("auditors = [\"a b\"]", "g.toml: audit.auditors: "),
            ("", "`auditors`"),
        ] {
            let wrong = read(text).unwrap_err();
            assert!(wrong.contains(said), "{text}: {wrong}");
        }
    }
}
