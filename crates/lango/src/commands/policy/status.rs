//! `lango policy status | sign`: which policy is in force, and what a change of it waits for.

use std::path::{Path, PathBuf};

use clap::Args;
use lango_gateway::{Activation, PolicyStanding, SignedBy, WaitingPolicy, policy_digest};
use lango_policy::PolicySet;
use lango_store::Examined;
use serde_json::json;

use crate::{
    administrator::{
        desk::{Desk, Reached},
        gateway::OfficeGateway,
    },
    commands::{
        entries::{in_region, minute},
        serving,
    },
    config::{GatewayFile, documents},
    failure::Failure,
    output::{print, print_json},
};

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum StatusFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
}

#[derive(Debug, Args)]
pub struct PolicyStatus {
    #[command(flatten)]
    desk: Desk,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: StatusFormat,
}

#[derive(Debug, Args)]
pub struct PolicySign {
    /// The policy: your copy of its folder, or its digest of 64 letters.
    #[arg(value_name = "FOLDER|DIGEST")]
    policy: String,
    /// The gateway, https://HOST:PORT.
    #[arg(long, value_name = "URL")]
    gateway: String,
    /// The folder with your keys and certificates.
    #[arg(long, value_name = "DIR", env = "LANGO_IDENTITY")]
    identity: PathBuf,
}

impl PolicyStatus {
    pub fn run(self) -> Result<(), Failure> {
        let standing = serving::runtime()?.block_on(async {
            match self.desk.open().await? {
                Reached::Files(config, file) => in_office(&file, config).await,
                Reached::Gateway(gateway) => gateway.policy().await,
            }
        })?;
        match self.format {
            StatusFormat::Table => print(&shown(&standing)?),
            StatusFormat::Json => print_json(&as_json(&standing)),
        }
    }
}

impl PolicySign {
    pub fn run(self) -> Result<(), Failure> {
        let digest = digest_of(&self.policy)?;
        let standing = serving::runtime()?.block_on(async {
            OfficeGateway::open(&self.gateway, &self.identity).await?.sign(digest).await
        })?;
        print(&shown(&standing)?)
    }
}

/// The digest that is written, or that of a folder's policy.
fn digest_of(policy: &str) -> Result<[u8; 32], Failure> {
    let mut digest = [0; 32];
    if hex::decode_to_slice(policy, &mut digest).is_ok() {
        return Ok(digest);
    }
    Ok(policy_digest(&documents::policies(Path::new(policy))?))
}

/// How the policy stands as far as the office's files say: what was activated last, and what of the folder waits or is wrong.
async fn in_office(file: &GatewayFile, config: &Path) -> Result<PolicyStanding, Failure> {
    let administrators = file.administrators(config)?;
    let mut store = file.readable_store(config).await?;
    let in_force = store.kept_policy().await?.map(|kept| kept.digest).or(store.last_policy);
    let read = file.policies(config).and_then(|read| PolicySet::read(&read).map(|_| policy_digest(&read)));
    let (waiting, refused) = match read {
        Err(wrong) => (None, wrong.iter().map(ToString::to_string).collect()),
        Ok(digest) => {
            let waits = administrators.activation == Activation::Two && in_force != Some(digest);
            let waiting = match waits {
                true => Some(WaitingPolicy { digest, signed: signed_by(&mut store, &digest).await? }),
                false => None,
            };
            (waiting, Vec::new())
        }
    };
    Ok(PolicyStanding {
        in_force,
        signatures_needed: administrators.activation.signatures_needed(),
        administrators: administrators.listed.iter().map(ToString::to_string).collect(),
        waiting,
        refused,
    })
}

/// Who signed a policy that waits, by the store.
pub async fn signed_by(store: &mut Examined, digest: &[u8; 32]) -> Result<Vec<SignedBy>, Failure> {
    let signed = store.policy_signatures(digest).await?.into_iter();
    Ok(signed.map(|one| SignedBy { administrator: one.administrator, at: one.signed_at }).collect())
}

fn shown(standing: &PolicyStanding) -> Result<String, Failure> {
    let PolicyStanding { in_force, signatures_needed, administrators, waiting, refused } = standing;
    let in_force = in_force.as_ref().map_or_else(|| "nothing has been decided yet".to_owned(), hex::encode);
    let administrators: Vec<String> = administrators.iter().map(|one| in_region(one)).collect();
    let mut rows = vec![
        ("in force", in_force),
        (
            "changes",
            match signatures_needed {
                0 => "come into force when they are saved".to_owned(),
                needed => format!("wait until {needed} administrators have signed them"),
            },
        ),
        (
            "listed",
            match administrators.as_slice() {
                [] => "no administrator: nobody is served over the wire".to_owned(),
                listed => listed.join(", "),
            },
        ),
    ];
    match waiting {
        None if refused.is_empty() => rows.push(("waiting", "nothing".to_owned())),
        None => rows.push(("waiting", "nothing: the folder is refused".to_owned())),
        Some(WaitingPolicy { digest, signed }) => {
            rows.push(("waiting", hex::encode(digest)));
            if signed.is_empty() {
                rows.push(("signed", "by nobody yet".to_owned()));
            }
            for (number, SignedBy { administrator, at }) in signed.iter().enumerate() {
                let name = if number == 0 { "signed" } else { "" };
                rows.push((name, format!("by {}, {}", in_region(administrator), minute(*at)?)));
            }
        }
    }
    let rows = rows.iter().map(|(name, value)| format!("{name:<9} {value}").trim_end().to_owned());
    let refused = refused.iter().map(|wrong| format!("\n{}", lango_words::lines(wrong)));
    Ok(rows.chain(refused).collect::<Vec<_>>().join("\n"))
}

fn as_json(standing: &PolicyStanding) -> serde_json::Value {
    let PolicyStanding { in_force, signatures_needed, administrators, waiting, refused } = standing;
    let signed =
        |SignedBy { administrator, at }: &SignedBy| json!({ "administrator": administrator, "at": at });
    json!({
        "in_force": in_force.as_ref().map(hex::encode),
        "signatures_needed": signatures_needed,
        "administrators": administrators,
        "waiting": waiting.as_ref().map(|WaitingPolicy { digest, signed: by }| json!({
            "digest": hex::encode(digest),
            "signed": by.iter().map(signed).collect::<Vec<_>>(),
        })),
        "refused": refused,
    })
}
