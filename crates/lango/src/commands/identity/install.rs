//! `lango identity install`: checks that certificates fit the keys, and puts them in place.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use lango_files::{create, exchange, make_folder, move_over, read, read_secret};
use lango_gateway::system_clock;
use lango_identity::{Bundle, Facts, Role, certificates_from_pem};
use zeroize::Zeroizing;

use super::{
    folder::{self, AUTHORITY, IDENTITY, RENEWAL, REPLACED, SIGNING, SIGNING_KEY, TLS, TLS_KEY},
    input,
    mailbox::Mailbox,
    region_file::RegionFile,
    words,
};
use crate::{
    failure::Failure,
    output::print,
    request_file::{self, RequestFile},
};

#[derive(Debug, Args)]
pub struct InstallCertificates {
    /// The bundle, or the PEM files that another authority issued: for TLS, for signing, each with what stands above it.
    #[arg(value_name = "BUNDLE", required_unless_present = "mailbox", conflicts_with = "mailbox")]
    bundle: Vec<PathBuf>,
    /// The folder with the keys.
    #[arg(long, value_name = "DIR", default_value = "identity")]
    dir: PathBuf,
    /// The region's file, where the folder has none or an old one: region.toml.
    #[arg(long, value_name = "FILE")]
    region: Option<PathBuf>,
    #[command(flatten)]
    mailbox: Mailbox,
}

/// A key's file, with what is read from it.
struct KeyFile {
    folder: PathBuf,
    pem: Zeroizing<Vec<u8>>,
}

impl InstallCertificates {
    pub fn run(self) -> Result<(), Failure> {
        let now = system_clock()();
        let renewal = self.dir.join(RENEWAL);
        let file = match (&self.region, renewal.join(IDENTITY).exists()) {
            (Some(file), _) => RegionFile::read(file)?,
            (None, true) => folder::region(&renewal, None)?,
            (None, false) => folder::region(&self.dir, None)?,
        };
        let bundle = self.read(&file)?;
        self.check_principal(&bundle)?;
        let tls = self.key(TLS_KEY, &|pem| bundle.fits_tls(pem))?;
        let signing = match bundle.signing_pem() {
            Some(_) => Some(self.key(SIGNING_KEY, &|pem| bundle.fits_signing(pem))?),
            None => None,
        };
        let signing_pem = signing.as_ref().map(|key| key.pem.as_slice());
        bundle.check(&tls.pem, signing_pem, &file.region, now).map_err(|fault| self.failed(&fault))?;
        // All is known to be good: from here on, what a run that was stopped has left is finished by the next one.
        self.place(&tls, TLS_KEY, TLS, &bundle.tls_pem())?;
        if let (Some(key), Some(pem)) = (&signing, bundle.signing_pem()) {
            self.place(key, SIGNING_KEY, SIGNING, &pem)?;
        }
        self.place_region(&file)?;
        self.leave_renewal(&renewal)?;
        print(&self.done(&bundle, &file, now)?)
    }

    fn failed(&self, why: &dyn std::fmt::Display) -> Failure {
        if self.mailbox.is_used() {
            return Failure::of("the certificates in the mailbox", why);
        }
        let names = self.bundle.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
        Failure::of(names, why)
    }

    fn read(&self, file: &RegionFile) -> Result<Bundle, Failure> {
        let mut text = String::new();
        if self.mailbox.is_used() {
            let (principal, _) = folder::present(&self.dir)?;
            text = self.mailbox.collect(&self.dir, file, &principal)?;
        }
        for path in &self.bundle {
            let part = input::read_text(path)?;
            certificates_from_pem(part.as_bytes()).map_err(|error| Failure::of(path.display(), error))?;
            text += &part;
            text.push('\n');
        }
        Bundle::read(text.as_bytes(), &file.region).map_err(|fault| self.failed(&fault))
    }

    /// The certificates are those of the principal that the folder is of, as far as it says.
    fn check_principal(&self, bundle: &Bundle) -> Result<(), Failure> {
        let requests =
            [self.dir.join(RENEWAL), self.dir.clone()].map(|folder| folder.join(request_file::NAME));
        let asked = requests.iter().find_map(|path| RequestFile::principal(&input::read_text(path).ok()?));
        let present = folder::present(&self.dir).ok().map(|(principal, _)| principal);
        match asked.or(present) {
            Some(own) if own != *bundle.principal() => Err(self.failed(&format!(
                "the certificates are of `{}`, and {} is of `{own}`: install those that were issued for it",
                bundle.principal(),
                self.dir.display()
            ))),
            _ => Ok(()),
        }
    }

    /// The key that a certificate is for: of the renewal that is under way, or the present one.
    fn key(&self, name: &str, fits: &dyn Fn(&[u8]) -> bool) -> Result<KeyFile, Failure> {
        let mut found = false;
        for folder in [self.dir.join(RENEWAL), self.dir.clone()] {
            let path = folder.join(name);
            if path.exists() {
                found = true;
                let pem = read_secret(&path)?;
                if fits(&pem) {
                    return Ok(KeyFile { folder, pem });
                }
            }
        }
        let dir = self.dir.display();
        Err(match found {
            true if self.mailbox.is_used() => {
                self.failed(&"they are of an earlier request: the authority's answer to the present one has not come")
            }
            true => self.failed(&format!(
                "the certificate is not of the key {dir}/{name}: it was issued for another request. Install it where that was made"
            )),
            false => Failure::of(dir, format!("holds no {name}: name the folder in which the request was made, with --dir")),
        })
    }

    /// Puts a key and its chain in place; what was there before is kept.
    fn place(&self, key: &KeyFile, key_name: &str, name: &str, pem: &str) -> Result<(), Failure> {
        let to = self.dir.join(name);
        if read(&to).is_ok_and(|there| there.as_slice() == pem.as_bytes()) && key.folder == self.dir {
            return Ok(());
        }
        if key.folder == self.dir && !to.exists() {
            return Ok(create(&to, pem.as_bytes())?);
        }
        let waiting = self.dir.join(RENEWAL).join(name);
        if key.folder == self.dir {
            make_folder(&self.dir.join(RENEWAL))?;
        }
        if waiting.exists() {
            fs::remove_file(&waiting)?;
        }
        create(&waiting, pem.as_bytes())?;
        self.keep(key_name, name)?;
        if key.folder != self.dir {
            move_over(&key.folder.join(key_name), &self.dir.join(key_name))?;
        }
        Ok(move_over(&waiting, &to)?)
    }

    /// Copies the present key and chain to a folder of their own, by the serial number of the certificate.
    fn keep(&self, key_name: &str, name: &str) -> Result<(), Failure> {
        let Ok(present) = read(&self.dir.join(name)) else { return Ok(()) };
        let serial = certificates_from_pem(&present).ok().and_then(|chain| Facts::read(chain.first()?).ok());
        let serial = serial.map_or_else(|| "unreadable".to_owned(), |facts| facts.serial);
        let folder = self.dir.join(REPLACED).join(serial);
        make_folder(&folder)?;
        for (file, bytes) in [(name, present), (key_name, read_secret(&self.dir.join(key_name))?)] {
            let kept = folder.join(file);
            // Of a run that was stopped.
            if !kept.exists() {
                create(&kept, &bytes)?;
            }
        }
        Ok(())
    }

    /// The region as it is now, where the folder holds none or another one. What somebody wrote there otherwise stays.
    fn place_region(&self, file: &RegionFile) -> Result<(), Failure> {
        let is_there = folder::region(&self.dir, None)
            .is_ok_and(|there| there.region == file.region && there.coordinator == file.coordinator);
        if is_there {
            return Ok(());
        }
        let (identity, authority) = folder::region_texts(file);
        self.renew_text(AUTHORITY, &authority)?;
        self.renew_text(IDENTITY, &identity)
    }

    /// A file about the region, in the place of the one before.
    fn renew_text(&self, name: &str, text: &str) -> Result<(), Failure> {
        let path = self.dir.join(name);
        if read(&path).is_ok_and(|there| there.as_slice() == text.as_bytes()) {
            return Ok(());
        }
        Ok(exchange(&path, text.as_bytes())?)
    }

    /// Ends a renewal, once its keys are in place.
    fn leave_renewal(&self, renewal: &Path) -> Result<(), Failure> {
        let holds = |name: &str| renewal.join(name).exists();
        if !renewal.exists() || holds(TLS_KEY) || holds(SIGNING_KEY) {
            return Ok(());
        }
        if holds(request_file::NAME) {
            move_over(&renewal.join(request_file::NAME), &self.dir.join(request_file::NAME))?;
        }
        // What leads to the rest goes first.
        if holds(IDENTITY) {
            fs::remove_file(renewal.join(IDENTITY))?;
        }
        fs::remove_dir_all(renewal).map_err(|error| Failure::of(renewal.display(), error))
    }

    fn done(&self, bundle: &Bundle, file: &RegionFile, now: i64) -> Result<String, Failure> {
        let principal = bundle.principal();
        let mut facts =
            vec![("for TLS", format!("until {}", words::until(bundle.tls_facts()?.not_after, now)))];
        if let Some(signing) = bundle.signing_facts()? {
            facts.push(("for signing", format!("until {}", words::until(signing.not_after, now))));
        }
        let next = match principal.role() {
            Role::Office => format!(
                "The gateway's configuration beside the folder names it so; start or restart the gateway:\n\n{}",
                folder::configuration(&self.dir, &file.region)
            ),
            Role::Coordinator => format!(
                "The coordinator's configuration beside the folder names it so; start or restart it:\n\n{}",
                folder::configuration(&self.dir, &file.region)
            ),
            Role::Analyst => format!("Ask with it: lango query run --identity {}", self.dir.display()),
            Role::Administrator => format!(
                "Once the office's gateway lists `{}` under `[administration]`: lango policy status --gateway https://HOST:PORT \
                 --identity {}",
                principal.name(),
                self.dir.display()
            ),
            Role::Auditor => String::new(),
        };
        let replaced = self.dir.join(REPLACED);
        let before = match replaced.exists() {
            true => {
                format!("\nThe keys of before are in {}: remove them once all is well.", replaced.display())
            }
            false => String::new(),
        };
        Ok(format!(
            "installed the certificates of {principal} in {}\n\n{}\n{next}{before}",
            self.dir.display(),
            words::facts(&facts)
        ))
    }
}
