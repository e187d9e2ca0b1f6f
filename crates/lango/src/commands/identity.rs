//! `lango identity`: keys and certificates of a region's principals, and the authority that issues them.

mod authority;
pub mod folder;
mod input;
mod install;
mod issue;
mod issued;
mod mailbox;
mod passphrase;
pub mod region_file;
mod renew;
pub mod request;
mod revoke;
mod show;
pub mod words;

use clap::Subcommand;

use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub enum IdentityCommand {
    /// Make the region's authority, or name one that there is, and the file about the region that everyone gets.
    Authority(authority::MakeAuthority),
    /// Make keys, which stay here, and a request for their certificates.
    Request(request::MakeRequest),
    /// Check a request and issue its certificates: where the authority is.
    Issue(issue::IssueCertificates),
    /// Put the certificates that were issued in place, if they fit the keys.
    Install(install::InstallCertificates),
    /// Make the next keys and a request that the present signing key signs.
    Renew(renew::RenewIdentity),
    /// Take certificates back: where the authority is, which signs the list of them.
    Revoke(revoke::RevokeCertificates),
    /// Explain certificates, requests, regions and the folders of either, in plain words.
    Show(show::ShowIdentity),
}

impl IdentityCommand {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Self::Authority(authority) => authority.run(),
            Self::Request(request) => request.run(),
            Self::Issue(issue) => issue.run(),
            Self::Install(install) => install.run(),
            Self::Renew(renew) => renew.run(),
            Self::Revoke(revoke) => revoke.run(),
            Self::Show(show) => show.run(),
        }
    }
}
