//! A principal's folder: its keys and certificates, as gateways, coordinators and analysts read them.

use std::path::Path;

use lango_identity::{Described, Region, SpiffeId, TlsIdentity};

use super::region_file::RegionFile;
use crate::{
    config::{self, region::revocation_lines},
    failure::Failure,
    request_file::RequestFile,
};

pub const TLS_KEY: &str = "tls.key";
pub const TLS: &str = "tls.pem";
pub const SIGNING_KEY: &str = "signing.key";
pub const SIGNING: &str = "signing.pem";
pub const AUTHORITY: &str = "authority.pem";
pub const IDENTITY: &str = "identity.toml";
/// The folder within it for keys whose certificates are still to come.
pub const RENEWAL: &str = "renewal";
/// The folder within it for keys and certificates of before.
pub const REPLACED: &str = "replaced";

/// The region of a file that is named, else of the folder.
pub fn region(folder: &Path, file: Option<&Path>) -> Result<RegionFile, Failure> {
    if let Some(file) = file {
        return RegionFile::read(file);
    }
    let identity = folder.join(IDENTITY);
    if !identity.exists() {
        let why = "holds no identity.toml, so that its region is not known: name --region";
        return Err(Failure::of(folder.display(), why));
    }
    config::identity_region(&identity).map(|(region, coordinator)| RegionFile { region, coordinator })
}

/// The files about the region that a folder has: what `identity.toml` and `authority.pem` hold.
pub fn region_texts(file: &RegionFile) -> (String, String) {
    let (name, eku) = (file.region.trust_domain(), file.region.signing_eku());
    let coordinator = file
        .coordinator
        .as_ref()
        .map(|address| format!("coordinator = \"{address}\"\n\n"))
        .unwrap_or_default();
    let table = format!(
        "{coordinator}[region]\nname        = \"{name}\"\nauthority   = \"{AUTHORITY}\"\nsigning_eku = \"{eku}\"\n{}",
        revocation_lines(file.region.revocation())
    );
    (table, file.region.authorities_pem())
}

/// What a folder for a fresh request holds beside the keys.
pub struct IdentityTexts {
    identity: String,
    authority: String,
    request: String,
}

impl IdentityTexts {
    pub fn of(region: &RegionFile, file: &RequestFile) -> Self {
        let (identity, authority) = region_texts(region);
        Self { identity, authority, request: file.text(&region.region) }
    }

    /// All files of the folder, with its keys.
    pub fn files<'a>(
        &'a self,
        tls_key: &'a str,
        signing_key: Option<&'a str>,
    ) -> Vec<(&'static str, &'a [u8])> {
        let mut files = vec![
            (TLS_KEY, tls_key.as_bytes()),
            (AUTHORITY, self.authority.as_bytes()),
            (IDENTITY, self.identity.as_bytes()),
            (crate::request_file::NAME, self.request.as_bytes()),
        ];
        files.extend(signing_key.map(|key| (SIGNING_KEY, key.as_bytes())));
        files
    }
}

/// The files of a folder for a fresh request: all of them, or none is made.
pub fn make(
    folder: &Path,
    region: &RegionFile,
    file: &RequestFile,
    tls_key: &str,
    signing_key: Option<&str>,
) -> Result<(), Failure> {
    let texts = IdentityTexts::of(region, file);
    Ok(lango_files::make_filled_folder(folder, &texts.files(tls_key, signing_key))?)
}

/// The principal of the certificate for TLS that a folder has, and the certificate's hosts.
pub fn present(folder: &Path) -> Result<(SpiffeId, Vec<String>), Failure> {
    let failed = |why: &dyn std::fmt::Display| Failure::of(folder.join(TLS).display(), why);
    let tls = TlsIdentity::load(folder)?;
    let own = tls.chain().first().ok_or_else(|| failed(&"holds no certificate"))?;
    let hosts = Described::read(own).map_err(|error| failed(&error))?.hosts;
    Ok((tls.id().map_err(|error| failed(&error))?, hosts))
}

/// The region as a server's configuration names it, for a folder beside the configuration.
pub fn configuration(folder: &Path, region: &Region) -> String {
    let name =
        folder.file_name().map_or_else(|| "identity".to_owned(), |name| name.to_string_lossy().into_owned());
    format!(
        "identity = \"{name}\"\n\n[region]\nname        = \"{}\"\nauthority   = \"{name}/{AUTHORITY}\"\nsigning_eku = \"{}\"\n{}",
        region.trust_domain(),
        region.signing_eku(),
        revocation_lines(region.revocation())
    )
}
