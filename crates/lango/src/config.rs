//! Configuration files: TOML, unknown keys refused, paths relative to the file that holds them.

mod administration;
mod audit;
mod database;
mod deciding;
pub mod documents;
mod limits;
mod loopback;
mod mailbox;
pub mod positive;
pub mod region;

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    net::SocketAddr,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use lango_analyst::Credentials;
use lango_document::{Diagnostics, Document, FromDocument, ValueForm, WrittenValue, table};
use lango_gateway::{Activation, Administrators, system_clock};
use lango_identity::{Region, Role, Signer, SpiffeId, TlsIdentity, check_apart, check_own, sha256};
use lango_policy::PolicySet;
use lango_privacy::Dataset;
use lango_sealing::SignerInUse;
use lango_source::Source;
use lango_store::{Anchor, Examined, Location, Store, StoreError};
use lango_transport::ServerLimits;
use tokio::sync::watch;

use self::{
    administration::AdministrationTable,
    audit::AuditTable,
    database::{DatabaseTable, StoreValue},
    limits::Limits,
    loopback::Loopback,
    mailbox::MailboxTable,
    positive::Positive,
    region::RegionTable,
};
use crate::failure::Failure;
pub use region::REVOCATIONS;

/// A gateway's configuration file.
#[derive(Debug)]
pub struct GatewayFile {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where metrics are read.
    metrics: Option<Loopback>,
    /// The folder with the office's keys and certificates.
    identity: PathBuf,
    /// The folder with the policy files.
    policies: PathBuf,
    /// Where the ledger, the releases and the access records are kept.
    store: StoreValue,
    /// The file, in another place, that holds which store it is and how far it has come.
    anchor: Option<PathBuf>,
    /// The longest life of a request.
    request_life_max_s: Option<Positive>,
    region: RegionTable,
    /// Who administers it over the wire.
    administration: AdministrationTable,
    audit: AuditTable,
    /// The connections that policies name.
    source: BTreeMap<String, DatabaseTable>,
    limits: Limits,
    pub log: LogTable,
}

/// How to log.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogTable {
    pub format: LogFormat,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// A coordinator's configuration file.
#[derive(Debug)]
pub struct CoordinatorFile {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where metrics are read.
    metrics: Option<Loopback>,
    identity: PathBuf,
    member_deadline_s: Option<Positive>,
    connect_timeout_s: Option<Positive>,
    region: RegionTable,
    member: Vec<MemberTable>,
    /// Where its log is kept.
    store: Option<StoreValue>,
    witness: Option<WitnessTable>,
    mailbox: Option<MailboxTable>,
    audit: AuditTable,
    limits: Limits,
    pub log: LogTable,
}

/// Where a coordinator's other keys and certificates are put in.
#[derive(Debug, Clone)]
pub struct ChangingKeys {
    tls: watch::Sender<TlsIdentity>,
    signer: Option<Arc<SignerInUse>>,
}

impl ChangingKeys {
    /// Takes the keys of a folder into use, if they are good; else those of before stay.
    pub fn take(&self, folder: &Path, region: &Region) -> Result<(), Failure> {
        let now = system_clock()();
        let (tls, signer) = match &self.signer {
            None => (TlsIdentity::load(folder)?, None),
            Some(in_use) => {
                let (tls, signer) = keys(folder)?;
                signer
                    .check(region, now)
                    .map_err(|fault| Failure::of(folder.join("signing.pem").display(), fault))?;
                if signer.principal() != in_use.now().principal() {
                    let why = format!(
                        "it is of {}, and the log is of {}",
                        signer.principal(),
                        in_use.now().principal()
                    );
                    return Err(Failure::of(folder.join("signing.pem").display(), why));
                }
                (tls, Some((in_use, signer)))
            }
        };
        check_own(&tls, region, now).map_err(|fault| Failure::of(&fault, fault.advice()))?;
        if let Some((in_use, signer)) = signer {
            in_use.replace(signer);
        }
        self.tls.send_replace(tls);
        Ok(())
    }
}

/// How a coordinator witnesses its members' logs.
#[derive(Debug)]
struct WitnessTable {
    folder: PathBuf,
    every_s: Option<Positive>,
}

#[derive(Debug)]
struct MemberTable {
    office: String,
    address: String,
}

/// What an identity's folder says of its region.
#[derive(Debug)]
struct IdentityFile {
    coordinator: Option<String>,
    region: RegionTable,
}

/// The longest life of a request where the file says nothing.
const EIGHT_DAYS: Positive = Positive(8 * 24 * 3600);
/// How long a coordinator waits for a member where its file says nothing.
const ONE_MINUTE: Positive = Positive(60);
/// How long it waits for a connection.
const FIVE_SECONDS: Positive = Positive(5);

table!(GatewayFile => "a gateway's configuration" {
    required listen "listen",
    optional metrics "metrics",
    required identity "identity",
    required policies "policies",
    required store "store",
    optional anchor "anchor",
    optional request_life_max_s "request_life_max_s",
    required region "region",
    or_default administration "administration",
    or_default audit "audit",
    required source "source",
    or_default limits "limits",
    or_default log "log",
});

table!(CoordinatorFile => "a coordinator's configuration" {
    required listen "listen",
    optional metrics "metrics",
    required identity "identity",
    optional member_deadline_s "member_deadline_s",
    optional connect_timeout_s "connect_timeout_s",
    required region "region",
    required member "member",
    optional store "store",
    optional witness "witness",
    optional mailbox "mailbox",
    or_default audit "audit",
    or_default limits "limits",
    or_default log "log",
});

table!(WitnessTable => "the table of the witness" { required folder "folder", optional every_s "every_s" });

table!(LogTable => "the table of the log" { or_default format "format" });

impl FromDocument for LogFormat {
    const FORM: ValueForm = ValueForm::Text;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        written.word(&[("text", Self::Text), ("json", Self::Json)])
    }
}

table!(MemberTable => "a member" { required office "office", required address "address" });

table!(IdentityFile => "an identity" { required region "region", optional coordinator "coordinator" });

/// Whether a configuration is a coordinator's: it alone names members.
pub fn names_members(path: &Path) -> Result<bool, Failure> {
    let table: toml::Table = read(path)?.parse().map_err(|error| Failure::of(path.display(), error))?;
    Ok(table.contains_key("member"))
}

/// Reads a file; the error names it.
pub fn read(path: &Path) -> Result<String, Failure> {
    let failed = |error| Failure::of(path.display(), error);
    io::read_to_string(lango_files::open(path).map_err(failed)?).map_err(failed)
}

/// Reads a TOML file strictly.
pub fn read_toml<T: FromDocument>(path: &Path) -> Result<T, Failure> {
    Ok(documents::document(path)?.read()?)
}

/// Whether two paths lead to one file, by whatever names.
fn is_same(one: &Path, other: &Path) -> bool {
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => one == other,
    }
}

fn beside(file: &Path, path: &Path) -> PathBuf {
    // Without the `.` of `identity = "."`: messages name the path.
    file.parent().unwrap_or(Path::new("")).join(path).components().collect()
}

impl GatewayFile {
    /// Where metrics are read; nowhere where it does not say.
    pub fn metrics(&self) -> Option<SocketAddr> {
        self.metrics.map(|address| address.0)
    }

    /// What the gateway gives to its peers.
    pub fn limits(&self) -> ServerLimits {
        self.limits.0
    }

    /// Everything that the file leads to; `file` is where it was read.
    pub fn load(&self, file: &Path) -> Result<lango_gateway::GatewayConfig, Failure> {
        let (tls, signer) = keys(&beside(file, &self.identity))?;
        let administrators = self.administrators(file)?;
        let policies = match (administrators.activation, self.policies(file)) {
            (Activation::One, Err(wrong)) => return Err(wrong.into()),
            // The gateway may have another one to decide by.
            (Activation::One | Activation::Two, policies) => policies,
        };
        let source = |(name, table): (&String, &DatabaseTable)| {
            Ok((name.clone(), table.source(file, &format!("source.{name}"))?))
        };
        Ok(lango_gateway::GatewayConfig {
            region: self.region.load(file)?,
            tls,
            signer,
            policies,
            sources: self.source.iter().map(source).collect::<Result<HashMap<_, _>, Failure>>()?,
            store: self.store_location(file)?,
            configuration: sha256(read(file)?.as_bytes()),
            anchor: self.anchor.as_ref().map(|path| beside(file, path)),
            administrators,
            auditors: self.audit.load(file, self.region.name())?,
            request_life_max: self.request_life_max_s.unwrap_or(EIGHT_DAYS).seconds(),
            limits: self.limits(),
            clock: system_clock(),
        })
    }
}

impl GatewayFile {
    /// A dataset of the policy, and the SQLite file of its source. Needs no key and no certificate.
    pub fn register(&self, file: &Path, dataset: &str) -> Result<(Dataset, PathBuf), Failure> {
        let (dataset, table) = self.declared(file, dataset)?;
        let register = table.file(file).ok_or_else(|| {
            let what = format!("{}: source.{}", file.display(), dataset.source);
            Failure::of(
                what,
                "files are imported into a source with `sqlite`; a server has its own tools for that",
            )
        })?;
        Ok((dataset, register))
    }

    /// A dataset of the policy, and its source. Needs no key and no certificate.
    pub fn dataset(&self, file: &Path, dataset: &str) -> Result<(Dataset, Arc<dyn Source>), Failure> {
        let (dataset, table) = self.declared(file, dataset)?;
        let source = table.source(file, &format!("source.{}", dataset.source))?;
        Ok((dataset, source))
    }

    /// The source of a name.
    pub fn source(&self, file: &Path, name: &str) -> Result<Arc<dyn Source>, Failure> {
        let named = self.source.get(name).ok_or_else(|| {
            let names = self.source.keys().cloned().collect::<Vec<_>>().join(", ");
            Failure::of(file.display(), format!("has no source `{name}`: there is {names}"))
        })?;
        named.source(file, &format!("source.{name}"))
    }

    /// The ledger, the releases and the access records.
    pub async fn store(&self, file: &Path) -> Result<Store, Failure> {
        let opened = Store::open(&self.store_location(file)?).await;
        Ok(opened.map_err(|error| self.missing(file, error))?)
    }

    /// The store, to be read as it is and not changed.
    pub async fn readable_store(&self, file: &Path) -> Result<Examined, Failure> {
        let examined = Examined::readable(&self.store_location(file)?).await;
        Ok(examined.map_err(|error| self.missing(file, error))?)
    }

    /// The same error, and where there is no store and an anchor, that there was one.
    pub fn missing(&self, file: &Path, error: StoreError) -> StoreError {
        error.with_anchor(self.anchor.as_ref().map(|path| beside(file, path)).as_deref())
    }

    /// The folder with the office's keys and certificates.
    pub fn identity_folder(&self, file: &Path) -> PathBuf {
        beside(file, &self.identity)
    }

    /// Where the region's coordinator is: as the configuration says, else the folder of keys.
    pub fn coordinator(&self, file: &Path) -> Option<String> {
        let named = self.region.coordinator().map(str::to_owned);
        named.or_else(|| coordinator_of(&self.identity_folder(file)))
    }

    /// What the region is; no revocation list is read.
    pub fn region(&self, file: &Path) -> Result<Region, Failure> {
        self.region.read(file)
    }

    /// Where the region's revocation lists are put.
    pub fn revocations_file(&self, file: &Path) -> PathBuf {
        self.region.revocations_file(file)
    }

    /// Who administers the gateway over the wire.
    pub fn administrators(&self, file: &Path) -> Result<Administrators, Failure> {
        self.administration.load(file, self.region.name())
    }

    /// The region's name.
    pub fn region_name(&self) -> &str {
        self.region.name()
    }

    /// The policy files.
    pub fn policies(&self, file: &Path) -> Result<Vec<Document>, Diagnostics> {
        documents::policies(&beside(file, &self.policies))
    }

    /// The folder with the policy files.
    pub fn policy_folder(&self, file: &Path) -> PathBuf {
        beside(file, &self.policies)
    }

    /// The file of a source, where it is one.
    pub fn source_file(&self, file: &Path, name: &str) -> Option<PathBuf> {
        self.source.get(name)?.file(file)
    }

    /// The names of the sources.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.source.keys().map(String::as_str)
    }

    /// Where the preparations of a source are kept, in words.
    pub fn prepared_place(&self, file: &Path, source: &str) -> String {
        self.source.get(source).map(|table| table.prepared_place(file)).unwrap_or_default()
    }

    /// Whether a source has a place for preparations.
    pub fn can_prepare(&self, source: &str) -> bool {
        self.source.get(source).is_some_and(DatabaseTable::can_prepare)
    }

    /// Where the store is kept. Makes nothing.
    pub fn store_location(&self, file: &Path) -> Result<Location, Failure> {
        let location = self.store.location(file)?;
        if let Location::File(store) = &location
            && let Some(source) =
                self.sources().find(|name| self.source_file(file, name).is_some_and(|of| is_same(&of, store)))
        {
            let words = format!("is the file of the source `{source}`: give the ledger a file of its own");
            return Err(Failure::of(format!("{}: store", file.display()), words));
        }
        Ok(location)
    }

    /// The file of the store's anchor, where the file names one.
    pub fn anchor_file(&self, file: &Path) -> Option<PathBuf> {
        self.anchor.as_ref().map(|path| beside(file, path))
    }

    /// The store's anchor, where the file names one.
    pub fn anchor(&self, file: &Path) -> Result<Option<Anchor>, Failure> {
        let Some(path) = &self.anchor else { return Ok(None) };
        Ok(Some(Anchor::at(beside(file, path), &self.store_location(file)?)?))
    }

    fn declared(&self, file: &Path, dataset: &str) -> Result<(Dataset, &DatabaseTable), Failure> {
        let set = PolicySet::read(&documents::policies(&beside(file, &self.policies))?)?;
        let names = || set.datasets.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let declared = set.datasets.values().find(|declared| declared.name.as_str() == dataset);
        let declared = declared.ok_or_else(|| {
            Failure::Failed(format!("the policy declares no dataset `{dataset}`: there is {}", names()))
        })?;
        let source = self.source.get(&declared.source).ok_or_else(|| {
            let lacks = format!("has no source `{}`, which dataset `{dataset}` names", declared.source);
            Failure::of(file.display(), format!("{lacks}: add `[source.{}]`", declared.source))
        })?;
        Ok((declared.clone(), source))
    }
}

/// What a principal who signs has for connections and for signatures: two keys.
pub fn keys(folder: &Path) -> Result<(TlsIdentity, Signer), Failure> {
    let tls = TlsIdentity::load(folder)?;
    let signer =
        Signer::load(folder).map_err(|error| Failure::of(folder.join("signing.key").display(), error))?;
    check_apart(&tls, &signer).map_err(|error| Failure::of(folder.display(), error))?;
    Ok((tls, signer))
}

impl CoordinatorFile {
    /// Everything that the file leads to, and where other keys and certificates are put in; `file` is where it was read.
    pub fn load(&self, file: &Path) -> Result<(lango_coordinator::CoordinatorConfig, ChangingKeys), Failure> {
        let region = self.region.load(file)?;
        let signer = match self.signs() {
            true => Some(Arc::new(SignerInUse::new(keys(&self.identity_folder(file))?.1))),
            false => None,
        };
        let (changing, tls) = watch::channel(TlsIdentity::load(&self.identity_folder(file))?);
        let config = lango_coordinator::CoordinatorConfig {
            tls,
            members: self.members(file, &region)?,
            member_deadline: self.member_deadline_s.unwrap_or(ONE_MINUTE).seconds(),
            connect_timeout: self.connect_timeout_s.unwrap_or(FIVE_SECONDS).seconds(),
            limits: self.limits.0,
            witness: self.witness(file, signer.as_ref()),
            log: self.kept_log(file, signer.as_ref())?,
            mailbox: self.mailbox.as_ref().map(|table| table.load(file)),
            metrics: lango_coordinator::CoordinatorConfig::metrics_of(self.member.len()),
            region,
        };
        Ok((config, ChangingKeys { tls: changing, signer }))
    }

    /// Whether it needs a key for signatures.
    fn signs(&self) -> bool {
        self.witness.is_some() || self.store.is_some()
    }

    /// Where metrics are read; nowhere where it does not say.
    pub fn metrics(&self) -> Option<SocketAddr> {
        self.metrics.map(|address| address.0)
    }

    /// How it witnesses its members' logs, where the file says so.
    fn witness(
        &self,
        file: &Path,
        signer: Option<&Arc<SignerInUse>>,
    ) -> Option<lango_coordinator::WitnessConfig> {
        let (table, signer) = self.witness.as_ref().zip(signer)?;
        Some(lango_coordinator::WitnessConfig {
            signer: Arc::clone(signer),
            folder: beside(file, &table.folder),
            every: self.witness_every(),
        })
    }

    /// How it keeps a log of its own, where the file says so.
    fn kept_log(
        &self,
        file: &Path,
        signer: Option<&Arc<SignerInUse>>,
    ) -> Result<Option<lango_coordinator::LogConfig>, Failure> {
        let auditors = self.audit.load(file, self.region.name())?;
        let Some((store, signer)) = self.store_location(file)?.zip(signer) else {
            return match auditors.is_empty() {
                true => Ok(None),
                false => Err(Failure::of(
                    format!("{}: audit.auditors", file.display()),
                    "there is no log to read: add `store = \"log.sqlite\"`, and make it with `lango audit create`",
                )),
            };
        };
        Ok(Some(lango_coordinator::LogConfig {
            store,
            signer: Arc::clone(signer),
            configuration: sha256(read(file)?.as_bytes()),
            auditors,
            every: self.witness_every(),
        }))
    }

    fn witness_every(&self) -> Duration {
        let every = self.witness.as_ref().and_then(|table| table.every_s);
        every.unwrap_or(ONE_MINUTE).seconds()
    }

    /// Where its log is kept.
    pub fn store_location(&self, file: &Path) -> Result<Option<Location>, Failure> {
        self.store.as_ref().map(|store| store.location(file)).transpose()
    }

    /// Where the store of its log is, which it must name.
    pub fn log_location(&self, file: &Path) -> Result<Location, Failure> {
        self.store_location(file)?
            .ok_or_else(|| Failure::of(file.display(), "names no log: add `store = \"log.sqlite\"`"))
    }

    /// The folder with the coordinator's key and certificate.
    pub fn identity_folder(&self, file: &Path) -> PathBuf {
        beside(file, &self.identity)
    }

    /// What the region is; no revocation list is read.
    pub fn region(&self, file: &Path) -> Result<Region, Failure> {
        self.region.read(file)
    }

    /// Where the region's revocation lists are put.
    pub fn revocations_file(&self, file: &Path) -> PathBuf {
        self.region.revocations_file(file)
    }

    /// The offices of the region that are listed, and where their gateways are.
    pub fn members(
        &self,
        file: &Path,
        region: &Region,
    ) -> Result<Vec<lango_coordinator::MemberAddress>, Failure> {
        let member = |table: &MemberTable| {
            let at =
                |error: String| Failure::of(format!("{}: member `{}`", file.display(), table.office), error);
            let uri = SpiffeId::new(region.trust_domain(), Role::Office, &table.office)
                .map_err(|error| at(error.to_string()))?;
            let address = table
                .address
                .parse()
                .map_err(|error: lango_transport::AddressError| at(error.to_string()))?;
            Ok(lango_coordinator::MemberAddress { uri, address })
        };
        self.member.iter().map(member).collect()
    }
}

/// The region that an `identity.toml` names, and the address of its coordinator where it says one; no revocation list is read.
pub fn identity_region(file: &Path) -> Result<(Region, Option<String>), Failure> {
    let table: IdentityFile = read_toml(file)?;
    Ok((table.region.read(file)?, table.coordinator))
}

/// The region that an `identity.toml` names, with its revocation lists: what certificates of any time are verified with.
pub fn verifying_region(file: &Path) -> Result<Region, Failure> {
    let table: IdentityFile = read_toml(file)?;
    table.region.load(file)
}

/// Where the coordinator is, as far as a folder of keys says.
pub fn coordinator_of(folder: &Path) -> Option<String> {
    identity_region(&folder.join("identity.toml")).ok()?.1
}

/// Where the revocation lists of the region that an `identity.toml` names are put.
pub fn identity_revocations(file: &Path) -> Result<PathBuf, Failure> {
    let table: IdentityFile = read_toml(file)?;
    Ok(table.region.revocations_file(file))
}

/// Loads the folder of an analyst or an administrator: `identity.toml`, `tls.pem`, `tls.key`, `signing.pem` and `signing.key`.
pub fn credentials(folder: &Path) -> Result<Credentials, Failure> {
    if !folder.join("signing.key").exists() {
        let message = "holds no signing key: what analysts ask and administrators decide is signed, and only they have the key for it";
        return Err(Failure::of(folder.display(), message));
    }
    let file = folder.join("identity.toml");
    let table: IdentityFile = read_toml(&file)?;
    let (tls, signer) = keys(folder)?;
    Ok(Credentials { region: table.region.load(&file)?, tls, signer })
}
