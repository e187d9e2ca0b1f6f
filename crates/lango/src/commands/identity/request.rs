//! `lango identity request`: keys that stay here, and the request for their certificates.

use std::path::{Path, PathBuf};

use clap::Args;
use lango_identity::{IdentityRequest, KeyKind, Role, SpiffeId};

use super::{folder, region_file::RegionFile, words};
use crate::{
    failure::Failure,
    output::print,
    request_file::{self, RequestFile},
};

#[derive(Debug, Args)]
pub struct MakeRequest {
    /// The region's file, as its authority gives it to everyone: region.toml.
    #[arg(long, value_name = "FILE")]
    region: PathBuf,
    /// What the principal does: office, coordinator, analyst, auditor or administrator.
    #[arg(long, value_name = "ROLE")]
    role: Role,
    /// Its name: for an office the country's ISO 3166-1 alpha-3 code, else a person's or a machine's name.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// A name or address under which a server is reached, for programs that go by it. May be repeated.
    #[arg(long, value_name = "HOST")]
    host: Vec<String>,
    /// The folder to make for the keys and, later, the certificates.
    #[arg(long, value_name = "DIR", default_value = "identity")]
    dir: PathBuf,
    /// The kind of the key for TLS: p256, p384 or ed25519. The key that signs is an Ed25519 key.
    #[arg(long, value_name = "KIND", default_value_t = KeyKind::P256)]
    tls_key: KeyKind,
}

impl MakeRequest {
    pub fn run(self) -> Result<(), Failure> {
        let file = RegionFile::read(&self.region)?;
        let principal = SpiffeId::new(file.region.trust_domain(), self.role, &self.name)?;
        let new = IdentityRequest::make(&file.region, &principal, &self.host, self.tls_key)?;
        let made = RequestFile { request: new.request, renewal: None };
        folder::make(&self.dir, &file, &made, &new.tls_key_pem, Some(new.signing_key_pem.as_str()))?;
        print(&asked(&self.dir, &made, &file, &self.dir))
    }
}

/// What is printed of a request that is read over the telephone.
pub fn asked(folder: &Path, made: &RequestFile, file: &RegionFile, installed: &Path) -> String {
    let request = folder.join(request_file::NAME);
    let send = format!(
        "1. Send {} to the authority of {}, and nothing else of this folder.",
        request.display(),
        file.region.trust_domain()
    );
    format!(
        "made keys and a request for {}\n\n{}\n2. Telephone them, at a number that you know already, and read out:\n\n{}\n\n3. Put \
         what they send back in place:\n   lango identity install BUNDLE --dir {}",
        made.request.principal(),
        words::paragraph(&send),
        words::fingerprint(&made.request.fingerprint(&file.region)),
        installed.display()
    )
}
