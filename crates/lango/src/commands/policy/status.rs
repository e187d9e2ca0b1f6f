//! `lango policy status | sign`: which policy is in force, and what a change of it waits for.

use std::path::{Path, PathBuf};

use clap::Args;
use lango_gateway::{Activation, PolicyStanding, SignedBy, WaitingPolicy, policy_digest};
use lango_policy::PolicySet;
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
    output::{print, print_json, say},
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
    /// The office that the gateway must be of, by its name: any other one is sent nothing.
    #[arg(long, value_name = "NAME")]
    office: Option<String>,
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
            let office = self.office.as_deref();
            OfficeGateway::open(&self.gateway, &self.identity, office).await?.sign(digest).await
        })?;
        print(&shown(&standing)?)?;
        came_of_it(&digest, &standing)
    }
}

/// Says what came of a signature.
fn came_of_it(digest: &[u8; 32], standing: &PolicyStanding) -> Result<(), Failure> {
    if standing.in_force.as_ref() == Some(digest) {
        let signed = standing.signed.iter().filter(|policy| policy.digest == *digest);
        let by: Vec<_> =
            signed.flat_map(|policy| &policy.signed).map(|one| in_region(&one.administrator)).collect();
        say(&format!("the policy is in force now, signed by {}", by.join(" and ")));
        return Ok(());
    }
    match &standing.waiting {
        Some(waiting) if waiting.digest == *digest => {
            let left = standing.signatures_needed.saturating_sub(waiting.signed.len());
            say(&format!(
                "your signature is kept for seven days: the policy comes into force when {} signed it",
                match left {
                    1 => "one administrator more has".to_owned(),
                    left => format!("{left} administrators more have"),
                }
            ));
            Ok(())
        }
        Some(_) | None => Err(Failure::Failed(
            "your signature is kept, and it was the last that was needed, but the policy cannot come into force yet: see above \
             why. The gateway tries again as long as the folder holds it and the signatures count; they end when another policy is \
             saved there"
                .to_owned(),
        )),
    }
}

/// The digest that is written, or that of a folder's policy.
fn digest_of(policy: &str) -> Result<[u8; 32], Failure> {
    let mut digest = [0; 32];
    if hex::decode_to_slice(policy, &mut digest).is_ok() {
        return Ok(digest);
    }
    if !Path::new(policy).exists() {
        let why = format!(
            "is neither a folder that is there nor a digest: a digest has 64 letters from 0 to 9 and a to f, this has {}",
            policy.chars().count()
        );
        return Err(Failure::of(policy, why));
    }
    Ok(policy_digest(&documents::policies(Path::new(policy))?))
}

/// How the policy stands as far as the office's files say: what was activated last, and what of the folder waits or is wrong.
async fn in_office(file: &GatewayFile, config: &Path) -> Result<PolicyStanding, Failure> {
    let administrators = file.administrators(config)?;
    let mut store = file.readable_store(config).await?;
    let kept = store.kept_policy().await?.map(|kept| kept.digest);
    let in_force = match administrators.activation {
        Activation::One => kept.or(store.last_policy),
        Activation::Two => kept,
    };
    let read = file.policies(config);
    let read = read.and_then(|read| PolicySet::read(&read).map(|set| (set.office, policy_digest(&read))));
    let (waiting, signed, refused) = match read {
        Err(wrong) => (None, Vec::new(), wrong.iter().map(ToString::to_string).collect()),
        Ok((office, digest)) => {
            let waits = administrators.activation == Activation::Two && in_force != Some(digest);
            let signed = file.signed(config, &office, &mut store).await?;
            let (waiting, signed) = WaitingPolicy::parted(waits.then_some(digest), signed);
            (waiting, signed, Vec::new())
        }
    };
    Ok(PolicyStanding {
        in_force,
        signatures_needed: administrators.activation.signatures_needed(),
        administrators: administrators.listed.iter().map(ToString::to_string).collect(),
        waiting,
        signed,
        refused,
    })
}

fn shown(standing: &PolicyStanding) -> Result<String, Failure> {
    let PolicyStanding { in_force, signatures_needed, administrators, waiting, signed, refused } = standing;
    let others = signed.iter().filter(|policy| Some(policy.digest) != *in_force);
    let in_force = in_force.as_ref();
    let in_force = in_force.map_or_else(|| "no policy yet: nothing is granted".to_owned(), hex::encode);
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
            rows.extend(signers(signed)?);
        }
    }
    for WaitingPolicy { digest, signed } in others {
        rows.push(("besides", hex::encode(digest)));
        rows.extend(signers(signed)?);
    }
    let rows = rows.iter().map(|(name, value)| format!("{name:<9} {value}").trim_end().to_owned());
    let refused = refused.iter().map(|wrong| format!("\n{}", lango_words::lines(wrong)));
    Ok(rows.chain(refused).collect::<Vec<_>>().join("\n"))
}

/// A line for each who signed a policy.
fn signers(signed: &[SignedBy]) -> Result<Vec<(&'static str, String)>, Failure> {
    let line = |(number, SignedBy { administrator, at }): (usize, &SignedBy)| {
        let name = if number == 0 { "signed" } else { "" };
        Ok((name, format!("by {}, {}", in_region(administrator), minute(*at)?)))
    };
    signed.iter().enumerate().map(line).collect()
}

fn as_json(standing: &PolicyStanding) -> serde_json::Value {
    let PolicyStanding { in_force, signatures_needed, administrators, waiting, signed, refused } = standing;
    let by = |SignedBy { administrator, at }: &SignedBy| json!({ "administrator": administrator, "at": at });
    let policy = |WaitingPolicy { digest, signed }: &WaitingPolicy| json!({ "digest": hex::encode(digest), "signed": signed.iter().map(by).collect::<Vec<_>>() });
    json!({
        "in_force": in_force.as_ref().map(hex::encode),
        "signatures_needed": signatures_needed,
        "administrators": administrators,
        "waiting": waiting.as_ref().map(policy),
        "signed": signed.iter().map(policy).collect::<Vec<_>>(),
        "refused": refused,
    })
}
