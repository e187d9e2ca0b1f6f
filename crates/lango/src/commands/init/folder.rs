//! The folder that is made: keys and request in `identity`, beside what the role needs.

use std::path::{Path, PathBuf};

use clap::Args;
use lango_identity::{IdentityRequest, KeyKind, Role, SpiffeId};

use super::asked::{Need, need};
use crate::{
    commands::identity::{folder as identity, region_file::RegionFile, request, words},
    config::region::revocation_lines,
    failure::Failure,
    output,
    request_file::RequestFile,
};

/// The folder of the keys, within the folder that is made.
pub const IDENTITY: &str = "identity";

#[derive(Debug, Args)]
pub struct InitOptions {
    /// The region's file, as its authority gives it to everyone: region.toml.
    #[arg(long, value_name = "FILE")]
    region: PathBuf,
    /// The name: of an office the country's ISO 3166-1 alpha-3 code, else a person's or a machine's name.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The folder to make; the role's name by default.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The kind of the key for TLS: p256, p384 or ed25519. The key that signs is an Ed25519 key.
    #[arg(long, value_name = "KIND", default_value_t = KeyKind::P256)]
    tls_key: KeyKind,
}

/// A folder that is about to be made.
pub struct NewFolder {
    pub region: RegionFile,
    pub principal: SpiffeId,
    pub dir: PathBuf,
    tls_key: KeyKind,
}

/// What is left to do: in words, and the commands for it.
pub struct NextStep {
    words: String,
    commands: Vec<String>,
}

/// A step with its commands, each a line of its own.
pub fn step(words: &str, commands: &[&str]) -> NextStep {
    NextStep {
        words: words.to_owned(),
        commands: commands.iter().map(|command| (*command).to_owned()).collect(),
    }
}

impl InitOptions {
    /// Reads the region and finds out who the folder is for.
    pub fn begin(&self, role: Role) -> Result<NewFolder, Failure> {
        let region = RegionFile::read(&self.region)?;
        let dir = self.dir.clone().unwrap_or_else(|| PathBuf::from(role.as_str()));
        if dir.read_dir().map_or(dir.exists(), |mut entries| entries.next().is_some()) {
            return Err(Failure::of(dir.display(), "is there already: name another folder with --dir"));
        }
        let question = match role {
            Role::Office => "The office: its country's ISO 3166-1 alpha-3 code, such as GHA",
            Role::Coordinator => "A name for the coordinator",
            Role::Analyst | Role::Auditor | Role::Administrator => {
                "The name in certificates and records: letters, digits, `.`, `-` and `_`, such as awa"
            }
        };
        let default = (role == Role::Coordinator).then_some("region");
        let domain = region.region.trust_domain();
        let principal = need(self.name.as_deref(), Need { question, option: "--name", default }, |name| {
            let principal = SpiffeId::new(domain, role, name).map_err(|error| error.to_string())?;
            // A request says whether the name will do; this one is made for nothing else.
            let request = IdentityRequest::make(&region.region, &principal, &[], KeyKind::Ed25519);
            request.map(|_| principal).map_err(|error| error.to_string())
        })?;
        Ok(NewFolder { principal, dir, tls_key: self.tls_key, region })
    }
}

impl NewFolder {
    /// Makes the keys, the request and the folder with these files: all of it or nothing. Then prints what to do next.
    pub fn make(
        self,
        hosts: &[String],
        files: &[(String, String)],
        next: &[NextStep],
    ) -> Result<(), Failure> {
        let Self { region, principal, dir, tls_key } = self;
        let new = IdentityRequest::make(&region.region, &principal, hosts, tls_key)?;
        let made = RequestFile { request: new.request, renewal: None };
        let signing = Some(new.signing_key_pem.as_str());
        let texts = identity::IdentityTexts::of(&region, &made);
        let own = texts.files(&new.tls_key_pem, signing);
        let mut all: Vec<(String, &[u8])> =
            own.into_iter().map(|(name, bytes)| (format!("{IDENTITY}/{name}"), bytes)).collect();
        all.extend(files.iter().map(|(name, text)| (name.clone(), text.as_bytes())));
        let all: Vec<(&str, &[u8])> = all.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
        lango_files::make_filled_folder(&dir, &all)?;
        let keys = dir.join(IDENTITY);
        let mut text =
            format!("made the folder {}\n\n{}", dir.display(), request::asked(&keys, &made, &region, &keys));
        for (number, NextStep { words, commands }) in next.iter().enumerate() {
            text += &format!("\n{}", words::paragraph(&format!("{}. {words}", number + 4)));
            text.extend(commands.iter().map(|command| format!("\n   {command}")));
        }
        output::print(&text)
    }
}

/// A path as a command in a step names it.
pub fn within(dir: &Path, name: &str) -> String {
    dir.join(name).display().to_string()
}

/// A text as TOML writes it.
pub fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// `[region]` of a server's configuration.
pub fn region_table(region: &RegionFile) -> String {
    format!(
        "[region]\nname        = \"{}\"\nauthority   = \"{IDENTITY}/authority.pem\"\nsigning_eku = \"{}\"\n{}",
        region.region.trust_domain(),
        region.region.signing_eku(),
        revocation_lines(region.region.revocation())
    )
}
