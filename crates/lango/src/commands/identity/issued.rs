//! The authority's folder: its key, its certificate, the region, and what it has issued to whom.
//!
//! The bundles themselves say what was issued: `issued/ROLE/NAME/1.pem` and on, of which the last is the present one. What they
//! say is read from the certificates, so no second list can differ from them. What was taken back is in the revocation lists that
//! were signed, `lists/1.crl` and on, of which the last is the present one, and `region.crl` a copy of it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use lango_files::{FileError, create, exchange, make_folder, read, read_secret};
use lango_gateway::system_clock;
use lango_identity::{
    Authority, Bundle, Facts, Region, RevocationList, Role, SpiffeId, decrypt_key, is_encrypted,
};

use super::{
    passphrase::Passphrase,
    region_file::{self, RegionFile},
};
use crate::{config::REVOCATIONS, failure::Failure};

pub const KEY: &str = "authority.key";
pub const CERTIFICATE: &str = "authority.pem";
pub const ISSUED: &str = "issued";
const LISTS: &str = "lists";
/// The revocation list of the authority that this one succeeds, as it was last brought.
const BEFORE: &str = "predecessor.crl";

/// An authority's folder.
pub struct AuthorityFolder {
    folder: PathBuf,
    pub file: RegionFile,
}

/// A principal's certificate that was issued.
pub struct IssuedCertificate {
    pub facts: Facts,
    /// What it is for, in a word.
    pub purpose: &'static str,
}

/// What was issued to a principal last.
pub struct IssuedLast {
    pub number: u32,
    pub bundle: Bundle,
    pub text: String,
}

impl AuthorityFolder {
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        let file = folder.join(region_file::NAME);
        if !folder.join(KEY).exists() {
            let why = "holds no authority: name the folder that `lango identity authority` made, with --dir";
            return Err(Failure::of(folder.display(), why));
        }
        let opened = Self { folder: folder.to_owned(), file: RegionFile::read(&file)? };
        // What a key signs that was taken back renews nothing.
        for (path, text) in opened.last_list_text()?.into_iter().chain(opened.before()?) {
            let taken = opened.file.region.take_revocations(text.as_bytes(), system_clock()());
            taken.map_err(|fault| Failure::of(path.display(), fault))?;
        }
        Ok(opened)
    }

    /// The region of this authority alone.
    pub fn own_region(&self) -> Result<Region, Failure> {
        let path = self.folder.join(CERTIFICATE);
        let failed = |why: &dyn std::fmt::Display| Failure::of(path.display(), why);
        let pem = read(&path)?;
        let region = &self.file.region;
        Region::from_pem(region.trust_domain(), &pem, region.signing_eku().clone())
            .map_err(|error| failed(&error))
    }

    /// What an authority that succeeds this one takes over, by the names of the files: what was issued, and what was taken back.
    pub fn handed_over(&self) -> Result<Vec<(String, String)>, Failure> {
        let mut found = Vec::new();
        for principal in self.principals()? {
            for number in numbers(&self.of(&principal), ".pem")? {
                let (role, name) = (principal.role(), principal.name());
                let text = self.bundle(&principal, number)?.text;
                found.push((format!("{ISSUED}/{role}/{name}/{number}.pem"), text));
            }
        }
        // The lists of all that came before, one behind the other.
        let own = self.last_list_text()?.map(|(_, text)| text);
        let lists: String = own.into_iter().chain(self.before()?.map(|(_, text)| text)).collect();
        if !lists.is_empty() {
            found.push((BEFORE.to_owned(), lists));
        }
        Ok(found)
    }

    /// The present revocation list.
    pub fn last_list(&self, now: i64) -> Result<Option<RevocationList>, Failure> {
        let Some((path, text)) = self.last_list_text()? else { return Ok(None) };
        let own = self.own_region()?;
        let lists = RevocationList::read(text.as_bytes(), own.authorities(), now);
        Ok(lists.map_err(|fault| Failure::of(path.display(), fault))?.pop())
    }

    /// What the authorities before this one took back.
    fn before(&self) -> Result<Option<(PathBuf, String)>, Failure> {
        let path = self.folder.join(BEFORE);
        if !path.exists() {
            return Ok(None);
        }
        let text = super::input::read_text(&path)?;
        Ok(Some((path, text)))
    }

    fn last_list_text(&self) -> Result<Option<(PathBuf, String)>, Failure> {
        let folder = self.folder.join(LISTS);
        let Some(number) = numbers(&folder, ".crl")?.into_iter().max() else { return Ok(None) };
        let path = folder.join(format!("{number}.crl"));
        let text = super::input::read_text(&path)?;
        Ok(Some((path, text)))
    }

    /// Enters a revocation list, and makes it the present one; returns where that is. Two that are signed at once get one number,
    /// and the second is refused.
    pub fn enter_list(&self, number: u128, text: &str) -> Result<PathBuf, Failure> {
        let folder = self.folder.join(LISTS);
        make_folder(&folder).map_err(|error| Failure::of(folder.display(), error))?;
        match create(&folder.join(format!("{number}.crl")), text.as_bytes()) {
            Err(FileError::Exists(path)) => {
                let why = "a list was signed at the same time, or this one's copy is missing: do it again";
                return Err(Failure::of(path.display(), why));
            }
            done => done?,
        }
        let present = self.folder.join(REVOCATIONS);
        exchange(&present, text.as_bytes())?;
        Ok(present)
    }

    /// Every certificate of a principal that this authority issued: what it took over, it cannot take back.
    pub fn certificates(&self) -> Result<Vec<IssuedCertificate>, Failure> {
        let (mut found, own) = (Vec::new(), self.own_region()?);
        for principal in self.principals()? {
            let folder = self.of(&principal);
            let mut bundles = numbers(&folder, ".pem")?;
            bundles.sort_unstable();
            for number in bundles {
                let bundle = self.bundle(&principal, number)?.bundle;
                if !bundle.is_of(&own) {
                    continue;
                }
                found.push(IssuedCertificate { facts: bundle.tls_facts()?, purpose: "TLS" });
                let signing = bundle.signing_facts()?;
                found.extend(signing.map(|facts| IssuedCertificate { facts, purpose: "signing" }));
            }
        }
        Ok(found)
    }

    /// The authority, with its key decrypted.
    pub fn unlock(&self, passphrase: &Passphrase) -> Result<Authority, Failure> {
        let path = self.folder.join(KEY);
        let failed = |why: &dyn std::fmt::Display| Failure::of(path.display(), why);
        let bytes = read_secret(&path)?;
        let key = std::str::from_utf8(&bytes).map_err(|_| failed(&"is not PEM"))?;
        let certificate = read(&self.folder.join(CERTIFICATE))?;
        let certificate = String::from_utf8_lossy(&certificate);
        let authority = if is_encrypted(key) {
            let decrypted = decrypt_key(key, &passphrase.read()?).map_err(|error| failed(&error))?;
            Authority::from_pem(&certificate, &decrypted)
        } else {
            Authority::from_pem(&certificate, key)
        };
        let authority = authority.map_err(|error| failed(&error))?;
        if !self.file.region.authorities().contains(authority.certificate()) {
            let why = "is not of an authority that region.toml names: what it issued would be refused";
            return Err(failed(&why));
        }
        Ok(authority)
    }

    /// What a principal was issued last.
    pub fn last(&self, principal: &SpiffeId) -> Result<Option<IssuedLast>, Failure> {
        match numbers(&self.of(principal), ".pem")?.into_iter().max() {
            Some(number) => self.bundle(principal, number).map(Some),
            None => Ok(None),
        }
    }

    /// What a principal was issued under a number.
    fn bundle(&self, principal: &SpiffeId, number: u32) -> Result<IssuedLast, Failure> {
        let path = self.of(principal).join(format!("{number}.pem"));
        let text = super::input::read_text(&path)?;
        let bundle = Bundle::read(text.as_bytes(), &self.file.region)
            .map_err(|error| Failure::of(path.display(), error))?;
        if bundle.principal() != principal {
            return Err(Failure::of(
                path.display(),
                format!("is of `{}`: put it back where it was", bundle.principal()),
            ));
        }
        Ok(IssuedLast { number, bundle, text })
    }

    /// A name, of whatever role, that differs from this one in capitals alone, which people would take for it.
    pub fn lookalike(&self, principal: &SpiffeId) -> Result<Option<String>, Failure> {
        let is_like = |name: &String| name.eq_ignore_ascii_case(principal.name()) && name != principal.name();
        for role in Role::ALL {
            let found = names(&self.folder.join(ISSUED).join(role.as_str()))?.into_iter().find(is_like);
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Everyone who was issued something, with what was issued last.
    pub fn everyone(&self) -> Result<Vec<IssuedLast>, Failure> {
        let mut found = Vec::new();
        for principal in self.principals()? {
            found.extend(self.last(&principal)?);
        }
        Ok(found)
    }

    /// Everyone who has a folder.
    fn principals(&self) -> Result<Vec<SpiffeId>, Failure> {
        let mut found = Vec::new();
        for role in Role::ALL {
            let folder = self.folder.join(ISSUED).join(role.as_str());
            for name in names(&folder)? {
                // What is no folder of a principal is not the authority's: `.DS_Store`, `Thumbs.db`.
                let principal = SpiffeId::new(self.file.region.trust_domain(), role, &name);
                if let (Ok(principal), true) = (principal, folder.join(&name).is_dir()) {
                    found.push(principal);
                }
            }
        }
        Ok(found)
    }

    /// Enters what is issued, which is what issues it: two at once get one number, and the second is refused.
    pub fn enter(&self, principal: &SpiffeId, number: u32, text: &str) -> Result<(), Failure> {
        let folder = self.of(principal);
        make_folder(&folder).map_err(|error| Failure::of(folder.display(), error))?;
        match create(&folder.join(format!("{number}.pem")), text.as_bytes()) {
            Err(FileError::Exists(_)) => Err(Failure::Failed(format!(
                "`{principal}` was issued certificates at the same time: see `lango identity show {}`",
                self.folder.display()
            ))),
            done => Ok(done?),
        }
    }

    fn of(&self, principal: &SpiffeId) -> PathBuf {
        self.folder.join(ISSUED).join(principal.role().as_str()).join(principal.name())
    }
}

/// The names of what a folder holds, in their order; none where there is no folder.
fn names(folder: &Path) -> Result<Vec<String>, Failure> {
    let failed = |error| Failure::of(folder.display(), error);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

fn numbers(folder: &Path, extension: &str) -> Result<Vec<u32>, Failure> {
    // Not `+1.pem`, and no `._1.pem`.
    let number = |name: String| {
        let digits = name.strip_suffix(extension)?;
        let is_number = digits.bytes().all(|digit| digit.is_ascii_digit());
        digits.parse().ok().filter(|_| is_number)
    };
    Ok(names(folder)?.into_iter().filter_map(number).collect())
}
