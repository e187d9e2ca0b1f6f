//! The demo's folder, laid out as offices, coordinator and analysts would have theirs.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
};

use lango_analyst::now;
use lango_files::{make_folder, replace};
use lango_identity::{Authority, Lifetime, Oid, Role, SpiffeId};
use lango_registers::{Draw, OFFICES};
use lango_store::{Location, Store, StoreError};
use serde::Serialize;

use super::registers;
use crate::{
    commands::identity::region_file::{self, RegionFile},
    config,
    failure::Failure,
    output::say,
};

pub const REGION: &str = "ecowas.example";
pub const ANALYST: &str = "awa";
const AUDITOR: &str = "zainab";
/// An object identifier for signing certificates, in the arc that is set aside for examples (RFC 5612).
/// The persons: (role, the folder of all with it, name).
const PERSONS: [(Role, &str, &str); 3] = [
    (Role::Analyst, "analysts", ANALYST),
    (Role::Administrator, "administrators", "kofi"),
    (Role::Auditor, "auditors", AUDITOR),
];
const IDENTITY_FILE: &str = "identity.toml";
const SIGNING_EKU: &str = "1.3.6.1.4.1.32473.1.1";
const STATE: &str = "demo.toml";
const LEDGER: &str = "state/ledger.sqlite";
const LOG: &str = "state/log.sqlite";
const DAYS: u32 = 365;

/// A folder that is complete.
pub struct Folder {
    pub root: PathBuf,
    pub draw: Draw,
}

/// What the folder says of itself.
#[derive(Debug, Serialize)]
struct FolderState {
    scale: u32,
    seed: u64,
    complete: bool,
}

lango_document::table!(FolderState => "the demo's state" {
    required scale "scale",
    required seed "seed",
    required complete "complete",
});

impl Folder {
    /// Makes the folder, or uses the one that is there; one that was left half done is finished.
    pub fn prepare(root: &Path, scale: Option<u32>, seed: Option<u64>) -> Result<Self, Failure> {
        let file = root.join(STATE);
        let existing: Option<FolderState> =
            if file.exists() { Some(config::read_toml(&file)?) } else { None };
        let folder = Self {
            root: root.to_owned(),
            draw: Draw {
                scale: scale.or(existing.as_ref().map(|state| state.scale)).unwrap_or(100),
                seed: seed.or(existing.as_ref().map(|state| state.seed)).unwrap_or(1),
            },
        };
        match existing {
            Some(state) if (state.scale, state.seed) != (folder.draw.scale, folder.draw.seed) => {
                let drawn =
                    format!("{} was drawn at scale {} with seed {}", root.display(), state.scale, state.seed);
                return Err(Failure::Failed(format!(
                    "{drawn}: leave --scale and --seed out, or name another --dir"
                )));
            }
            Some(state) if state.complete => {
                say(&format!(
                    "using {} again: its registers, keys and ledgers are as the last run left them",
                    root.display()
                ));
                folder.free_ports()?;
                return Ok(folder);
            }
            Some(_) => say(&format!("finishing {}, which an earlier run left half done", root.display())),
            None if fs::read_dir(root).is_ok_and(|mut entries| entries.next().is_some()) => {
                return Err(Failure::Failed(format!(
                    "{} is there and is no demo: name another --dir",
                    root.display()
                )));
            }
            None => say(&format!(
                "making {}: keys, policies and registers of {} offices",
                root.display(),
                OFFICES.len()
            )),
        }
        folder.mark(false)?;
        folder.lay_out()?;
        registers::draw(&folder.draw, &|office| folder.register(office))?;
        folder.make_ledgers()?;
        folder.mark(true)?;
        Ok(folder)
    }

    pub fn office(&self, office: &str) -> PathBuf {
        self.root.join("offices").join(office)
    }

    pub fn register(&self, office: &str) -> PathBuf {
        self.office(office).join("register.sqlite")
    }

    pub fn coordinator(&self) -> PathBuf {
        self.root.join("coordinator")
    }

    pub fn analyst(&self) -> PathBuf {
        self.root.join("analysts").join(ANALYST)
    }

    fn mark(&self, complete: bool) -> Result<(), Failure> {
        let state = FolderState { scale: self.draw.scale, seed: self.draw.seed, complete };
        write(&self.root.join(STATE), &toml::to_string(&state)?)
    }

    /// Everything but the registers.
    fn lay_out(&self) -> Result<(), Failure> {
        let lifetime = Lifetime::days(now(), DAYS);
        let authority = Authority::new(REGION, "Demonstration authority of the region", lifetime)?;
        let pem = authority.to_pem();
        let region = self.root.join("region");
        make_folder(&region)?;
        pem.save(&region, "authority")?;
        let eku: Oid = SIGNING_EKU.parse()?;
        let issue = |role: Role, name: &str, folder: &Path| -> Result<(), Failure> {
            let id = SpiffeId::new(REGION, role, name)?;
            make_folder(folder)?;
            let tls = authority.issue_tls(&id, lifetime, &["localhost", "127.0.0.1"])?;
            let signing = authority.issue_signing(&id, lifetime, &eku)?;
            tls.save(folder, "tls")?;
            signing.save(folder, "signing")?;
            // As the authority's own commands enter it, so that they renew it and take it back.
            let issued = region.join("issued").join(role.as_str()).join(name);
            write(&issued.join("1.pem"), &(tls.certificate_pem + &signing.certificate_pem))
        };
        let ports = ports(OFFICES.len() + 1)?;
        let mut members = String::new();
        for (office, port) in OFFICES.iter().zip(&ports) {
            let folder = self.office(office);
            issue(Role::Office, office, &folder.join("identity"))?;
            write(&folder.join("authority.pem"), &pem.certificate_pem)?;
            for (name, policy) in policies(office) {
                write(&folder.join("policies").join(name), &policy)?;
            }
            write(&folder.join("gateway.toml"), &gateway(*port))?;
            members +=
                &format!("\n[[member]]\noffice = \"{office}\"\naddress = \"https://127.0.0.1:{port}\"\n");
        }
        let folder = self.coordinator();
        issue(Role::Coordinator, "region", &folder.join("identity"))?;
        write(&folder.join("authority.pem"), &pem.certificate_pem)?;
        let port = ports.last().copied().unwrap_or_default();
        let for_all = RegionFile {
            region: authority.region(eku.clone())?,
            coordinator: Some(format!("https://127.0.0.1:{port}")),
        };
        write(&region.join(region_file::NAME), &for_all.text())?;
        write(&folder.join("coordinator.toml"), &(coordinator(port) + &members))?;
        for (role, plural, name) in PERSONS {
            let folder = self.root.join(plural).join(name);
            issue(role, name, &folder)?;
            write(&folder.join("authority.pem"), &pem.certificate_pem)?;
            write(&folder.join(IDENTITY_FILE), &identity(port))?;
        }
        Ok(())
    }

    /// The ledgers that an earlier run has not made. A folder that is complete gets none anew: a ledger never begins by itself.
    fn make_ledgers(&self) -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let ledgers = OFFICES.iter().map(|office| self.office(office).join(LEDGER));
        for file in ledgers.chain([self.coordinator().join(LOG)]) {
            let location = Location::File(file);
            match runtime.block_on(Store::create(&location)) {
                Ok(()) | Err(StoreError::Exists { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Where every server listens: (its configuration file, its port).
    pub fn listeners(&self) -> Result<Vec<(PathBuf, u16)>, Failure> {
        let offices = OFFICES.iter().map(|office| self.office(office).join("gateway.toml"));
        let files = offices.chain([self.coordinator().join("coordinator.toml")]);
        files
            .map(|file| {
                let table: toml::Table = config::read(&file)?.parse()?;
                let listen = table
                    .get("listen")
                    .and_then(toml::Value::as_str)
                    .and_then(|listen| listen.rsplit(':').next());
                let port = listen.and_then(|port| port.parse().ok());
                let port = port.ok_or_else(|| Failure::of(file.display(), "`listen` holds no port"))?;
                Ok((file, port))
            })
            .collect()
    }

    /// Moves servers whose port somebody else took since the last run; nothing else in their files is touched.
    fn free_ports(&self) -> Result<(), Failure> {
        for (file, taken) in self.listeners()? {
            if TcpListener::bind(("127.0.0.1", taken)).is_ok() {
                continue;
            }
            let free = ports(1)?.first().copied().unwrap_or_default();
            let persons =
                PERSONS.map(|(_, plural, name)| self.root.join(plural).join(name).join(IDENTITY_FILE));
            let files = [file, self.coordinator().join("coordinator.toml")].into_iter().chain(persons);
            for file in files {
                let text = config::read(&file)?
                    .replace(&format!("127.0.0.1:{taken}\""), &format!("127.0.0.1:{free}\""));
                write(&file, &text)?;
            }
        }
        Ok(())
    }
}

/// Ports that are free now.
fn ports(count: usize) -> Result<Vec<u16>, Failure> {
    let listeners = (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<Vec<_>, _>>()?;
    listeners.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = file.parent() {
        make_folder(folder)?;
    }
    Ok(replace(file, text.as_bytes())?)
}

fn region_table(authority: &str) -> String {
    format!("[region]\nname = \"{REGION}\"\nauthority = \"{authority}\"\nsigning_eku = \"{SIGNING_EKU}\"\n")
}

/// What a person's folder says of the region and of the way to its coordinator.
fn identity(port: u16) -> String {
    format!("coordinator = \"https://127.0.0.1:{port}\"\n\n{}", region_table("authority.pem"))
}

fn gateway(port: u16) -> String {
    format!(
        "listen = \"127.0.0.1:{port}\"\nidentity = \"identity\"\npolicies = \"policies\"\nstore = \"{LEDGER}\"\n\n{}\n\
         [source.register]\nsqlite = \"register.sqlite\"\n\n[audit]\nauditors = [\"{AUDITOR}\"]\n\n[log]\nformat = \"json\"\n",
        region_table("authority.pem")
    )
}

fn coordinator(port: u16) -> String {
    format!(
        "listen = \"127.0.0.1:{port}\"\nidentity = \"identity\"\nmember_deadline_s = 120\nstore = \"{LOG}\"\n\n{}\n\
         [witness]\nfolder = \"witnessed\"\nevery_s = 10\n\n[mailbox]\nfolder = \"mailbox\"\n\n[audit]\nauditors = [\"{AUDITOR}\"]\n\n[log]\nformat = \"json\"\n",
        region_table("authority.pem")
    )
}

/// The policy files of a demonstration office.
fn policies(office: &str) -> [(&'static str, String); 2] {
    let files = [
        ("movements.toml", include_str!("movements.toml")),
        ("residents.toml", include_str!("residents.toml")),
    ];
    files.map(|(name, text)| (name, text.replace("GHA", office)))
}

#[cfg(test)]
mod tests {
    use lango_document::Document;
    use lango_policy::PolicySet;

    #[test]
    fn the_policy_of_every_office_loads_and_passes_its_tests() {
        for office in lango_registers::OFFICES {
            let documents = super::policies(office).map(|(name, text)| Document::new(name, text));
            let set = PolicySet::read(&documents).unwrap();
            assert_eq!((set.office.as_str(), set.run_trials()), (office, vec![]));
        }
    }
}
