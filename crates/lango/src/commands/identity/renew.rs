//! `lango identity renew`: the next keys, and a request that the present signing key signs.

use std::path::{Path, PathBuf};

use clap::Args;
use lango_gateway::system_clock;
use lango_identity::{IdentityRequest, KeyKind, SignedRenewal, Signer, SpiffeId};

use super::{folder, input, mailbox::Mailbox, region_file::RegionFile, request::asked};
use crate::{
    failure::Failure,
    output::print,
    request_file::{self, RequestFile},
};

#[derive(Debug, Args)]
pub struct RenewIdentity {
    /// The folder with the present keys and certificates. They stay in use until the next ones are installed.
    #[arg(long, value_name = "DIR", default_value = "identity")]
    dir: PathBuf,
    /// The region's file, where the folder's is no longer the present one: region.toml.
    #[arg(long, value_name = "FILE")]
    region: Option<PathBuf>,
    /// A server's name or address, in place of those of the present certificate. May be repeated.
    #[arg(long, value_name = "HOST")]
    host: Vec<String>,
    /// The kind of the key for TLS: p256, p384 or ed25519.
    #[arg(long, value_name = "KIND", default_value_t = KeyKind::P256)]
    tls_key: KeyKind,
    /// Sign nothing and read the words over the telephone: where the signing certificate has expired.
    #[arg(long)]
    #[arg(conflicts_with = "mailbox")]
    by_telephone: bool,
    #[command(flatten)]
    mailbox: Mailbox,
}

impl RenewIdentity {
    pub fn run(self) -> Result<(), Failure> {
        let file = folder::region(&self.dir, self.region.as_deref())?;
        let (principal, hosts) = folder::present(&self.dir)?;
        let hosts = if self.host.is_empty() { hosts } else { self.host.clone() };
        let to = self.dir.join(folder::RENEWAL);
        if to.exists() && self.mailbox.is_used() && self.host.is_empty() {
            return self.leave(&to, &file, &principal);
        }
        if to.exists() {
            let why = "is there already: install what the authority issued for it, or remove the folder to begin anew";
            return Err(Failure::of(to.display(), why));
        }
        let signer = match !self.by_telephone {
            true => Some(self.signer(&file.region)?),
            false => None,
        };
        let new = IdentityRequest::make(&file.region, &principal, &hosts, self.tls_key)?;
        let renewal = signer.map(|signer| SignedRenewal::sign(&new.request, &file.region, &signer));
        let by_key = renewal.is_some();
        let made = RequestFile { request: new.request, renewal };
        let signing_key = Some(new.signing_key_pem.as_str());
        folder::make(&to, &file, &made, &new.tls_key_pem, signing_key)?;
        if !by_key {
            return print(&format!(
                "{}\n\nThe authority says --replace, for no key signed this request.",
                asked(&to, &made, &file, &self.dir)
            ));
        }
        if self.mailbox.is_used() {
            print(&format!(
                "made the next keys and a request for {principal}, which the present key signed"
            ))?;
            return self.leave(&to, &file, &principal);
        }
        print(&format!(
            "made the next keys and a request for {principal}, which the present key signed\n\n1. Send {} to the authority of {}. No \
             telephone is needed.\n2. Put what they send back in place:\n   lango identity install BUNDLE --dir {}\n\nThe present keys \
             and certificates stay in use until then.",
            to.join(request_file::NAME).display(),
            file.region.trust_domain(),
            self.dir.display()
        ))
    }

    /// Leaves the request of a renewal that is under way in the coordinator's mailbox.
    fn leave(&self, renewal: &Path, file: &RegionFile, principal: &SpiffeId) -> Result<(), Failure> {
        let request = input::read_text(&renewal.join(request_file::NAME))?;
        self.mailbox.leave(&self.dir, file, request)?;
        let dir = self.dir.display();
        print(&format!(
            "the request of {principal} lies in the coordinator's mailbox. Put what the authority sends back in place:\n   lango \
             identity install --mailbox --dir {dir}\n\nThe present keys and certificates stay in use until then."
        ))
    }

    /// The present key, if its signature is believed.
    fn signer(&self, region: &lango_identity::Region) -> Result<Signer, Failure> {
        let failed = |why: String| Failure::of(self.dir.join(folder::SIGNING).display(), why);
        let signer = Signer::load(&self.dir).map_err(|error| {
            failed(format!("{error}. If there is no such key, say --by-telephone and read the words out"))
        })?;
        signer.check(region, system_clock()()).map_err(|error| {
            failed(format!(
                "{error}: its signature would be refused; say --by-telephone and read the words out"
            ))
        })?;
        Ok(signer)
    }
}
