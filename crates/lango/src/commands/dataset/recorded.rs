//! What the office's log says of its data: that they were imported, or prepared.

use std::path::Path;

use lango_access_log::{Amount, ImportedRegister, LogEvent, MadePreparation};
use lango_gateway::system_clock;
use lango_identity::{Role, SpiffeId};
use lango_policy::PolicySet;
use lango_privacy::Dataset;
use lango_store::{Decision, Record, Store, StoreError};

use crate::{
    config::{GatewayFile, documents},
    failure::Failure,
};

/// Records that files became the register of a dataset; nothing where there is no store yet, for then there is no log.
pub async fn imported(
    file: &GatewayFile,
    config: &Path,
    dataset: &Dataset,
    files: usize,
) -> Result<(), Failure> {
    let store = match file.store(config).await {
        Ok(store) => store,
        Err(_) if !is_there(file, config)? => return Ok(()),
        Err(failure) => return Err(failure),
    };
    let event = LogEvent::Import(ImportedRegister {
        dataset: dataset.name.to_string(),
        files: Amount(u64::try_from(files).unwrap_or(u64::MAX)),
        version: dataset.version.to_string(),
    });
    let recorded = record(file, config, &store, (Decision::Imported, dataset, event)).await;
    store.close().await;
    recorded
}

/// Whether there is something at the store's place.
fn is_there(file: &GatewayFile, config: &Path) -> Result<bool, Failure> {
    Ok(match file.store_location(config)? {
        lango_store::Location::File(path) => path.exists(),
        lango_store::Location::Postgres { .. } => true,
    })
}

/// Records that a dataset's prepared rows were made.
pub async fn prepared(
    file: &GatewayFile,
    config: &Path,
    dataset: &Dataset,
    store: &Store,
) -> Result<(), Failure> {
    let (name, version) = (dataset.name.to_string(), dataset.version.to_string());
    let event = LogEvent::Preparation(MadePreparation { dataset: name, version });
    record(file, config, store, (Decision::Prepared, dataset, event)).await
}

async fn record(
    file: &GatewayFile,
    config: &Path,
    store: &Store,
    (decision, dataset, event): (Decision, &Dataset, LogEvent),
) -> Result<(), Failure> {
    let set = PolicySet::read(&documents::policies(&file.policy_folder(config))?)?;
    let office = SpiffeId::new(file.region_name(), Role::Office, &set.office)
        .map_err(|error| Failure::of(config.display(), error))?;
    let record = Record {
        dataset: Some(dataset.name.to_string()),
        reason: dataset.version.to_string(),
        event: Some(event),
        ..Record::of(office.to_string(), (system_clock()(), Record::NO_POLICY), decision)
    };
    let unrecorded =
        |error: StoreError| Failure::of("it is done, and could not be recorded in the office's log", error);
    store.append(&record, None).await.map(drop).map_err(unrecorded)
}
