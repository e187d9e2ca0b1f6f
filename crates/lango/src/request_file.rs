//! `request.toml`: what a principal sends to its authority. Nothing in it is secret.

use std::path::Path;

use lango_document::{Document, table};
use lango_identity::{IdentityRequest, Region, SignedRenewal, SpiffeId};

use crate::failure::Failure;

pub const NAME: &str = "request.toml";
const VERSION: u32 = 1;

/// The file as it is written.
#[derive(Debug)]
struct RequestText {
    version: u32,
    principal: String,
    /// The region that it was made with: which one differs is known before the words do.
    region: String,
    tls: String,
    signing: Option<String>,
    renewal: Option<RenewalTable>,
}

table!(RequestText => "a request" {
    required version "version",
    required principal "principal",
    required region "region",
    required tls "tls",
    optional signing "signing",
    optional renewal "renewal",
});

#[derive(Debug)]
struct RenewalTable {
    signature: String,
    certificates: String,
}

table!(RenewalTable => "a renewal" { required signature "signature", required certificates "certificates" });

/// A request, and the signature of the key before, if it is a renewal.
pub struct RequestFile {
    pub request: IdentityRequest,
    pub renewal: Option<SignedRenewal>,
}

impl RequestFile {
    /// Reads a request to the authority of a region and checks all that can be checked without knowing who sent it.
    pub fn parse(path: &Path, text: String, region: &Region) -> Result<Self, Failure> {
        let failed = |why: &dyn std::fmt::Display| Failure::of(path.display(), why);
        let text: RequestText = Document::new(path.display().to_string(), text).read()?;
        if text.version != VERSION {
            let why = format!(
                "is a request of version {}, and this program reads {VERSION}: update it",
                text.version
            );
            return Err(failed(&why));
        }
        let principal: SpiffeId = text.principal.parse().map_err(|error| failed(&error))?;
        let request = IdentityRequest::read(region, &principal, &text.tls, text.signing.as_deref());
        let request = request.map_err(|error| failed(&error))?;
        if text.region != hex::encode(region.digest()) {
            let why = format!(
                "was made with another file about the region `{}` than this authority's: give who asks the present region.toml \
                 and have the request made anew. If you did so, somebody gave them another one",
                region.trust_domain()
            );
            return Err(failed(&why));
        }
        let renewal =
            text.renewal.map(|table| SignedRenewal::read(&table.signature, &table.certificates)).transpose();
        Ok(Self { request, renewal: renewal.map_err(|error| failed(&error))? })
    }

    /// Whose a request is that a key of theirs signed which is certified at a moment, in Unix seconds; else what is wrong.
    pub fn signed_by(text: &str, region: &Region, at: i64) -> Result<SpiffeId, String> {
        let read = Self::parse(Path::new("the request"), text.to_owned(), region);
        let file = read.map_err(|failure| failure.to_string())?;
        let unsigned =
            "no present key signed it: send it by another way, and read its words out over the telephone";
        let renewal = file.renewal.as_ref().ok_or(unsigned)?;
        renewal.check_signed(&file.request, region, at).map_err(|fault| fault.to_string())?;
        Ok(file.request.principal().clone())
    }

    /// Whose request a file is, if it is one. Nothing is checked.
    pub fn principal(text: &str) -> Option<SpiffeId> {
        let text: RequestText = Document::new(NAME, text).read().ok()?;
        text.principal.parse().ok()
    }

    pub fn text(&self, region: &Region) -> String {
        let request = &self.request;
        let (name, principal) = (region.trust_domain(), request.principal());
        let signing = format!("signing = \"\"\"\n{}\"\"\"\n", request.signing_pem());
        let renewal = self.renewal.as_ref().map(|renewal| {
            format!(
                "\n# Signed by the present key.\n[renewal]\nsignature = \"{}\"\ncertificates = \"\"\"\n{}\"\"\"\n",
                renewal.signature(),
                renewal.certificates_pem()
            )
        });
        format!(
            "# A request to the authority of {name} for the certificates of\n# {principal}\n# Send this file alone: nothing in it is \
             secret. The keys stay where they are.\nversion   = {VERSION}\nprincipal = \"{principal}\"\nregion    = \"{}\"\n\
             tls = \"\"\"\n{}\"\"\"\n{signing}{}",
            hex::encode(region.digest()),
            request.tls_pem(),
            renewal.unwrap_or_default()
        )
    }
}
