//! `region.toml`: what everyone in a region holds of it. Nothing in it is secret.

use std::path::Path;

use lango_document::{Document, table};
use lango_identity::{Oid, Region};

use super::input;
use crate::{
    config::{
        positive::Positive,
        region::{RevocationWord, revocation_lines},
    },
    failure::Failure,
};

pub const NAME: &str = "region.toml";

/// The file as it is written.
#[derive(Debug)]
struct RegionText {
    name: String,
    signing_eku: String,
    coordinator: Option<String>,
    revocation: RevocationWord,
    revocation_age_max_s: Option<Positive>,
    authorities: String,
}

table!(RegionText => "a region" {
    required name "name",
    required signing_eku "signing_eku",
    optional coordinator "coordinator",
    or_default revocation "revocation",
    optional revocation_age_max_s "revocation_age_max_s",
    required authorities "authorities",
});

/// A region, and where its coordinator is.
pub struct RegionFile {
    pub region: Region,
    pub coordinator: Option<String>,
}

impl RegionFile {
    pub fn read(path: &Path) -> Result<Self, Failure> {
        Self::parse(path, input::read_text(path)?)
    }

    pub fn parse(path: &Path, text: String) -> Result<Self, Failure> {
        let text: RegionText = Document::new(path.display().to_string(), text).read()?;
        let eku: Oid = text
            .signing_eku
            .parse()
            .map_err(|error| Failure::of(format!("{}: signing_eku", path.display()), error))?;
        let region = Region::from_pem(&text.name, text.authorities.as_bytes(), eku)
            .map_err(|error| Failure::of(path.display(), error))?;
        let age_max_s = text.revocation_age_max_s.map(|age| age.get().into());
        let region = region.with_revocation(text.revocation.rule(age_max_s));
        if let Some(address) = &text.coordinator {
            check_address(address)
                .map_err(|error| Failure::of(format!("{}: coordinator", path.display()), error))?;
        }
        Ok(Self { region, coordinator: text.coordinator })
    }

    pub fn text(&self) -> String {
        let (name, eku) = (self.region.trust_domain(), self.region.signing_eku());
        let coordinator = self
            .coordinator
            .as_ref()
            .map(|address| format!("coordinator = \"{address}\"\n"))
            .unwrap_or_default();
        let revocation = revocation_lines(self.region.revocation());
        format!(
            "# The region {name}. Give this file to everyone in it: nothing here is secret. Whether it is the right one is seen when\n\
             # the words of a request are read over the telephone.\n\
             name        = \"{name}\"\nsigning_eku = \"{eku}\"\n{coordinator}{revocation}\n# Whose certificates are believed.\n\
             authorities = \"\"\"\n{}\"\"\"\n",
            self.region.authorities_pem()
        )
    }
}

/// Refuses what is no coordinator's address.
pub fn check_address(address: &str) -> Result<(), lango_transport::AddressError> {
    address.parse::<lango_transport::Address>().map(|_| ())
}
