//! `[region]`: whom a configuration believes, and what it asks for of revocation lists.

use std::path::{Path, PathBuf};

use lango_document::{FromDocument, ValueForm, WrittenValue, table};
use lango_gateway::system_clock;
use lango_identity::{Oid, Region, RevocationRule};

use super::{beside, positive::Positive};
use crate::failure::Failure;

/// Where revocation lists are put, beside the authority, if no other file is named: the present ones, for everyone.
pub const REVOCATIONS: &str = "region.crl";

#[derive(Debug)]
pub struct RegionTable {
    name: String,
    authority: PathBuf,
    signing_eku: String,
    /// The file of the authorities' revocation lists.
    revocations: Option<PathBuf>,
    /// Whether anybody is believed without a list.
    revocation: RevocationWord,
    /// The greatest age of a list.
    revocation_age_max_s: Option<Positive>,
    /// The address of the coordinator, which passes lists on.
    coordinator: Option<String>,
}

/// Whether a region requires revocation lists, as its files say it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RevocationWord {
    /// What is on a list is taken back; where there is none, nothing is.
    #[default]
    Optional,
    /// Without a list of the present nobody is believed.
    Required,
}

table!(RegionTable => "a region" {
    required name "name",
    required authority "authority",
    required signing_eku "signing_eku",
    optional revocations "revocations",
    or_default revocation "revocation",
    optional revocation_age_max_s "revocation_age_max_s",
    optional coordinator "coordinator",
});

impl FromDocument for RevocationWord {
    const FORM: ValueForm = ValueForm::Text;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        written.word(&[("optional", Self::Optional), ("required", Self::Required)])
    }
}

impl RevocationWord {
    /// The rule of a region whose file says this.
    pub fn rule(self, age_max_s: Option<u64>) -> RevocationRule {
        RevocationRule { is_required: self == Self::Required, age_max_s }
    }
}

/// The lines of a region's table that say what it asks for of revocation lists, where it is not the default.
pub fn revocation_lines(rule: RevocationRule) -> String {
    let required = if rule.is_required { "revocation  = \"required\"\n" } else { "" };
    let age = rule.age_max_s.map(|age| format!("revocation_age_max_s = {age}\n")).unwrap_or_default();
    format!("{required}{age}")
}

impl RegionTable {
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The coordinator's address, where the table says one.
    pub fn coordinator(&self) -> Option<&str> {
        self.coordinator.as_deref()
    }

    /// The region, without revocation lists.
    pub fn read(&self, file: &Path) -> Result<Region, Failure> {
        let authority = beside(file, &self.authority);
        let pem = lango_files::read(&authority)?;
        let eku: Oid = self
            .signing_eku
            .parse()
            .map_err(|error| Failure::of(format!("{}: region.signing_eku", file.display()), error))?;
        let region = Region::from_pem(&self.name, &pem, eku)
            .map_err(|error| Failure::of(format!("{}: region", file.display()), error))?;
        let age_max_s = self.revocation_age_max_s.map(|age| age.get().into());
        Ok(region.with_revocation(self.revocation.rule(age_max_s)))
    }

    /// The region, with the revocation lists that lie where they are put.
    pub fn load(&self, file: &Path) -> Result<Region, Failure> {
        let region = self.read(file)?;
        take_lists(&region, &self.revocations_file(file))?;
        Ok(region)
    }

    /// Where the revocation lists are put.
    pub fn revocations_file(&self, file: &Path) -> PathBuf {
        let authority = beside(file, &self.authority);
        match &self.revocations {
            Some(named) => beside(file, named),
            None => beside(&authority, Path::new(REVOCATIONS)),
        }
    }
}

/// Takes the revocation lists of a file into use, if it is there.
///
/// # Errors
/// It is no list of the region. A server that starts on it would believe whom the list takes back.
pub fn take_lists(region: &Region, file: &Path) -> Result<(), Failure> {
    if !file.exists() {
        return Ok(());
    }
    let pem = lango_files::read(file)?;
    let taken = region.take_revocations(&pem, system_clock()());
    taken.map(drop).map_err(|fault| Failure::of(file.display(), fault))
}
