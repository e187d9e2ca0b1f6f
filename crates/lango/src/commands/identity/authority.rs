//! `lango identity authority`: the region's own authority, made offline and kept there.

use std::path::PathBuf;

use clap::Args;
use lango_files::make_filled_folder;
use lango_gateway::system_clock;
use lango_identity::{Authority, KeyKind, Lifetime, Oid, Region, certificates_from_pem, encrypt_key};

use super::{
    input,
    issued::{AuthorityFolder, CERTIFICATE, KEY},
    passphrase::Passphrase,
    region_file::{self, RegionFile, check_address},
    words,
};
use crate::{
    failure::Failure,
    output::{day, print},
};

/// What an authority is called in its certificate.
const NAME: &str = "Authority of the region";

#[derive(Debug, Args)]
pub struct MakeAuthority {
    /// The region's name, which every principal's URI begins with: ecowas.example.
    #[arg(long, value_name = "DOMAIN", required_unless_present = "succeeds")]
    region: Option<String>,
    /// Succeed the authority in this folder: region.toml names both, and what that one issued is renewed here.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["certificates", "region", "coordinator", "signing_eku"])]
    succeeds: Option<PathBuf>,
    /// The folder to make.
    #[arg(long, value_name = "DIR", default_value = "authority")]
    dir: PathBuf,
    /// Make no key: trust the authorities whose certificates this PEM file holds, and write region.toml alone.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "days", "key", "no_passphrase", "passphrase_file"])]
    certificates: Option<PathBuf>,
    /// The coordinator's address, for region.toml: https://HOST:PORT.
    #[arg(long, value_name = "URL")]
    coordinator: Option<String>,
    /// The extended key usage of certificates that sign: an object identifier of the region's own.
    #[arg(long, value_name = "OID", default_value = "1.3.6.1.4.1.32473.1.1")]
    signing_eku: Oid,
    /// The authority's name in its certificate: by default "Authority of the region", and of a successor the day too.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// How many days the authority's certificate is valid; nothing that it issues is valid longer.
    #[arg(long, value_name = "N", default_value_t = 3650, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
    /// The kind of the authority's key: p256, p384 or ed25519.
    #[arg(long, value_name = "KIND", default_value_t = KeyKind::P256)]
    key: KeyKind,
    /// Keep the key unencrypted, where the folder itself is: on an encrypted disk in a safe, say.
    #[arg(long, conflicts_with = "passphrase_file")]
    no_passphrase: bool,
    #[command(flatten)]
    passphrase: Passphrase,
}

impl MakeAuthority {
    pub fn run(self) -> Result<(), Failure> {
        if let Some(address) = &self.coordinator {
            check_address(address).map_err(|error| Failure::Usage(format!("--coordinator: {error}")))?;
        }
        match &self.certificates {
            Some(file) => self.name_authorities(file),
            None => self.make(),
        }
    }

    /// A region of authorities that there are.
    fn name_authorities(&self, file: &std::path::Path) -> Result<(), Failure> {
        let pem = input::read_text(file)?;
        let authorities =
            certificates_from_pem(pem.as_bytes()).map_err(|error| Failure::of(file.display(), error))?;
        let region = Region::new(self.domain(), authorities, self.signing_eku.clone())
            .map_err(|error| Failure::of(file.display(), error))?;
        let region = RegionFile { region, coordinator: self.coordinator.clone() };
        make_filled_folder(&self.dir, &[(region_file::NAME, region.text().as_bytes())])?;
        print(&words::paragraph(&format!(
            "named the authority of {}: give {} to everyone in the region. What it has to issue stands in docs/IDENTITIES.md.",
            self.domain(),
            self.dir.join(region_file::NAME).display()
        )))
    }

    /// As it was named; clap asks for it where none is succeeded.
    fn domain(&self) -> &str {
        self.region.as_deref().unwrap_or_default()
    }

    fn make(&self) -> Result<(), Failure> {
        let now = system_clock()();
        let lifetime = Lifetime::days(now, self.days);
        let before = self.succeeds.as_deref().map(AuthorityFolder::open).transpose()?;
        let domain = before.as_ref().map_or(self.domain(), |before| before.file.region.trust_domain());
        let name = self.name.clone().unwrap_or_else(|| match &before {
            // Other programs show two of one name alike.
            Some(_) => format!("{NAME} since {}", day(now)),
            None => NAME.to_owned(),
        });
        let authority = Authority::of_kind(self.key, domain, &name, lifetime)?;
        let region = match &before {
            Some(before) => succeeding(&authority, &before.file)?,
            None => RegionFile {
                region: authority.region(self.signing_eku.clone())?,
                coordinator: self.coordinator.clone(),
            },
        };
        // Before a passphrase is thought of for nothing.
        if self.dir.exists() && std::fs::read_dir(&self.dir)?.next().is_some() {
            return Err(lango_files::FileError::Exists(self.dir.clone()).into());
        }
        let pem = authority.to_pem();
        let key = match self.no_passphrase {
            true => pem.key_pem.clone(),
            false => encrypt_key(&pem.key_pem, &self.passphrase.choose()?)?,
        };
        let handed_over = before.as_ref().map(AuthorityFolder::handed_over).transpose()?.unwrap_or_default();
        let text = region.text();
        let files = [
            (KEY, key.as_bytes()),
            (CERTIFICATE, pem.certificate_pem.as_bytes()),
            (region_file::NAME, text.as_bytes()),
        ];
        let others = handed_over.iter().map(|(name, text)| (name.as_str(), text.as_bytes()));
        make_filled_folder(&self.dir, &files.into_iter().chain(others).collect::<Vec<_>>())?;
        let file = |name: &str| self.dir.join(name).display().to_string();
        let at_rest = match self.no_passphrase {
            true => "not encrypted: who reads it can be the authority",
            false => "encrypted under the passphrase",
        };
        let mut advice = format!(
            "Now keep {} offline, with a copy in a second place: who has its key can be anyone in the region, and without it nobody gets \
             a certificate. Give {} to everyone in the region.",
            self.dir.display(),
            file(region_file::NAME)
        );
        if let Some(before) = &self.succeeds {
            advice += &format!(
                " It names both authorities: what {} issued stays good, and is renewed here. Keep that one until it is: it alone takes \
                 back what it issued. docs/IDENTITIES.md says what comes next.",
                before.display()
            );
        }
        print(&format!(
            "made the authority of {}, until {}\n\n{}\n{}",
            region.region.trust_domain(),
            day(lifetime.not_after),
            words::facts(&[
                (&file(KEY), format!("the key, {at_rest}")),
                (&file(CERTIFICATE), "its certificate".to_owned()),
                (&file(region_file::NAME), "the region, for everyone".to_owned()),
            ]),
            words::paragraph(&advice)
        ))
    }
}

/// The region of an authority that succeeds another: it has both, and is else as before.
fn succeeding(authority: &Authority, before: &RegionFile) -> Result<RegionFile, Failure> {
    let old = &before.region;
    let authorities = [vec![authority.certificate().clone()], old.authorities().to_vec()].concat();
    let region = Region::new(old.trust_domain(), authorities, old.signing_eku().clone())?;
    Ok(RegionFile {
        region: region.with_revocation(old.revocation()),
        coordinator: before.coordinator.clone(),
    })
}
