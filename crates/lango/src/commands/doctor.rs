//! `lango doctor`: everything that a principal needs, checked without making or changing anything.

mod certificates;
mod policies;
mod report;
mod revocations;
mod sources;
mod store;
mod surroundings;
mod way;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use clap::Args;
use lango_document::{Diagnostics, Document, FromDocument};
use lango_gateway::system_clock;
use lango_identity::{Region, Role, SpiffeId, TlsIdentity, check_own};
use time::{Date, OffsetDateTime};

use self::{report::DoctorReport, way::Traveller};
use crate::{
    commands::serving,
    config::{self, CoordinatorFile, GatewayFile, coordinator_of, documents::document},
    failure::Failure,
    output::{Format, counted},
};

#[derive(Debug, Args)]
pub struct DoctorCommand {
    /// The configuration file of a gateway or of a coordinator.
    #[arg(long, value_name = "FILE", required_unless_present = "identity")]
    config: Option<PathBuf>,
    /// The folder with the keys and certificates of an analyst, an auditor or an administrator; with --config, the one that a
    /// service manager hands over as the folder which the file names.
    #[arg(long, value_name = "DIR")]
    identity: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

impl DoctorCommand {
    pub fn run(self) -> Result<(), Failure> {
        let mut report = DoctorReport::default();
        serving::runtime()?.block_on(async {
            match (&self.config, &self.identity) {
                (Some(config), _) => self.server(config, &mut report).await,
                (None, Some(folder)) => person(folder, &mut report).await,
                // The command line asks for one of them.
                (None, None) => {}
            }
        });
        report.print(self.format)?;
        report.outcome()
    }

    async fn server(&self, config: &Path, report: &mut DoctorReport) {
        let read = document(config).map_err(Diagnostics::from);
        match read {
            Ok(document) if is_coordinators(&document) => {
                if let Some(file) = of_file::<CoordinatorFile>(&document, report) {
                    self.coordinator(&file, config, report).await;
                }
            }
            Ok(document) => {
                if let Some(file) = of_file::<GatewayFile>(&document, report) {
                    self.gateway(&file, config, report).await;
                }
            }
            Err(wrong) => unread(&wrong, report),
        }
    }

    /// Each part is examined whatever became of the others.
    async fn gateway(&self, file: &GatewayFile, config: &Path, report: &mut DoctorReport) {
        let now = system_clock()();
        certificates::clock(now, report);
        surroundings::log_level(report);
        let folder = self.identity.clone().unwrap_or_else(|| file.identity_folder(config));
        let region = file.region(config);
        revocations::examine(&region, &file.revocations_file(config), now, report);
        let office = certificates::examine(&folder, &region, (Some(Role::Office), now), report);
        let today = OffsetDateTime::from_unix_timestamp(now).map_or(Date::MIN, OffsetDateTime::date);
        let policy = policies::examine(file, config, office.as_ref(), today, report);
        let mut store = store::examine(file, config, now, report).await;
        let administrators = policies::administrators(file, config, report);
        if let (Some((set, digest)), Some(store)) = (&policy, store.as_mut()) {
            let policy = (set.office.as_str(), *digest);
            policies::in_force((file, config), policy, store, administrators.activation, report).await;
        }
        let policy = policy.map(|(set, _)| set);
        let sources = sources::examine(file, config, policy.as_ref(), store.as_mut(), report).await;
        if let (Some(store), Some(policy)) = (store.as_mut(), policy.as_ref()) {
            store::pools(store, policy, &sources, report).await;
        }
        if let (Some(traveller), Some(office)) = (traveller(&folder, region, now), office) {
            traveller.listens(&office, file.listen, report).await;
            if let Some(address) = coordinator_of(&folder) {
                traveller.to_coordinator(&address, Some(&office), report).await;
            }
        }
    }

    async fn coordinator(&self, file: &CoordinatorFile, config: &Path, report: &mut DoctorReport) {
        let now = system_clock()();
        certificates::clock(now, report);
        surroundings::log_level(report);
        let folder = self.identity.clone().unwrap_or_else(|| file.identity_folder(config));
        let region = file.region(config);
        revocations::examine(&region, &file.revocations_file(config), now, report);
        let own = certificates::examine(&folder, &region, (Some(Role::Coordinator), now), report);
        store::examine_log(file, config, report).await;
        let members = match region.as_ref().map(|region| file.members(config, region)) {
            Ok(Ok(members)) => members,
            Ok(Err(failure)) => {
                report.failed("members", failure, "fix `[[member]]` in the configuration");
                return;
            }
            // What stands against the region is said.
            Err(_) => return,
        };
        let mut seen = BTreeSet::new();
        match members.iter().find(|member| !seen.insert(member.uri.to_string())) {
            None => report.ok("members", counted(members.len(), "office")),
            Some(twice) => {
                let found = format!("office `{}` is listed twice", twice.uri.name());
                report.failed("members", found, "take one of them out of the configuration");
            }
        }
        if let (Some(traveller), Some(own)) = (traveller(&folder, region, now), own) {
            traveller.listens(&own, file.listen, report).await;
            for member in &members {
                traveller.to_member(&member.uri, &member.address, report).await;
            }
        }
    }
}

/// Examines a folder of keys and certificates by itself.
async fn person(folder: &Path, report: &mut DoctorReport) {
    let now = system_clock()();
    certificates::clock(now, report);
    let identity = config::identity_region(&folder.join("identity.toml"));
    let (region, coordinator) = match identity {
        Ok((region, coordinator)) => (Ok(region), coordinator),
        Err(failure) => (Err(failure), None),
    };
    if let Ok(file) = config::identity_revocations(&folder.join("identity.toml")) {
        revocations::examine(&region, &file, now, report);
    }
    let Some(own) = certificates::examine(folder, &region, (None, now), report) else { return };
    match own.role() {
        Role::Analyst => match config::credentials(folder) {
            Ok(credentials) => way::there_and_back(credentials, coordinator.as_deref(), report).await,
            // What stands against the certificates is said.
            Err(_) => report.warning("way to the coordinator", "not tried", "see the certificates"),
        },
        Role::Office | Role::Coordinator | Role::Auditor | Role::Administrator => {
            if let (Some(traveller), Some(address)) = (traveller(folder, region, now), coordinator) {
                traveller.to_coordinator(&address, None::<&SpiffeId>, report).await;
            }
        }
    }
}

/// Who goes the way, where the certificate for TLS is good.
fn traveller(folder: &Path, region: Result<Region, Failure>, now: i64) -> Option<Traveller> {
    let (tls, region) = (TlsIdentity::load(folder).ok()?, region.ok()?);
    check_own(&tls, &region, now).ok()?;
    Some(Traveller { tls, region, now })
}

/// Whether a configuration is a coordinator's, by what only one of the two has.
fn is_coordinators(document: &Document) -> bool {
    let has = |key: &str| document.text.parse::<toml::Table>().is_ok_and(|table| table.contains_key(key));
    has("member") && !has("policies") && !has("source")
}

fn of_file<T: FromDocument>(document: &Document, report: &mut DoctorReport) -> Option<T> {
    match document.read() {
        Ok(file) => {
            report.ok("configuration", &document.file);
            Some(file)
        }
        Err(wrong) => {
            unread(&wrong, report);
            None
        }
    }
}

fn unread(wrong: &Diagnostics, report: &mut DoctorReport) {
    for wrong in wrong.iter() {
        report.failed("configuration", wrong, "fix the file: docs/INSTALLING.md");
    }
}
