//! The revocation lists of a server that runs: from its file as soon as that changes, and from the region's coordinator.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use lango_gateway::system_clock;
use lango_identity::{
    Expected, Region, RevocationList, RevocationListFault, RevocationRule, Role, TlsIdentity, check_age,
    client_config,
};
use lango_transport::{Address, channel};
use lango_wire::client::CoordinatorClient;
use tokio::{task::spawn_blocking, time::timeout};

use super::identity::words;
use crate::{
    config::documents,
    failure::Failure,
    output::{ago, counted},
};

/// How often the file is compared with what it was. It is read when it has changed and is the same the next time.
const POLL: Duration = Duration::from_millis(200);
/// How often the coordinator is asked.
const FETCH_EVERY: Duration = Duration::from_secs(30);
/// How long it is waited for.
const FETCH_TIME_MAX: Duration = Duration::from_secs(10);
/// How often it is seen to whether a list is past its end.
const AGES_EVERY: Duration = Duration::from_secs(60);

/// Where a server's revocation lists come from.
pub struct RevocationSources {
    pub region: Region,
    /// The file that an operator puts in place.
    pub file: PathBuf,
    /// The coordinator that passes lists on, and who asks it.
    pub coordinator: Option<(Address, TlsIdentity)>,
}

impl RevocationSources {
    /// The sources of a gateway or a coordinator; `coordinator` is an address as `identity.toml` writes it.
    pub fn new(
        region: Region,
        file: PathBuf,
        coordinator: Option<(String, TlsIdentity)>,
    ) -> Result<Self, Failure> {
        let parsed = coordinator.map(|(address, tls)| match address.parse() {
            Ok(address) => Ok((address, tls)),
            Err(error) => Err(Failure::of(format!("the coordinator's address `{address}`"), error)),
        });
        Ok(Self { region, file, coordinator: parsed.transpose()? })
    }

    /// Keeps the lists of a region at what its sources have, for as long as it is awaited. What is refused is said in the log,
    /// and what was in use stays.
    pub async fn keep(self) {
        let fetching = async {
            if let Some((address, tls)) = &self.coordinator {
                fetch(&self.region, &self.file, address, tls).await;
            }
        };
        tokio::join!(watch(&self.region, &self.file), fetching, ages(&self.region));
    }
}

/// Reads the file whenever it has changed and is at rest.
async fn watch(region: &Region, file: &Path) {
    // As if it had never been read: it may have come since the server read it.
    let (mut read, mut before) = (None, moment(file).await);
    loop {
        tokio::time::sleep(POLL).await;
        let found = moment(file).await;
        let is_at_rest = found == before;
        before = found;
        if found == read || !is_at_rest {
            continue;
        }
        read = found;
        if read.is_none() {
            tracing::warn!(file = %file.display(), "the file of revocation lists is gone: what it held stays in use");
            continue;
        }
        let path = file.to_owned();
        let pem = match spawn_blocking(move || lango_files::read(&path)).await {
            Ok(Ok(pem)) => pem,
            Ok(Err(error)) => {
                tracing::error!(%error, "the file of revocation lists cannot be read: what was in use stays");
                continue;
            }
            // The server stops.
            Err(_) => return,
        };
        match region.take_revocations(&pem, system_clock()()) {
            Ok(taken) => said(&taken, "a file"),
            Err(fault) => tracing::error!(
                file = %file.display(), %fault,
                "the revocation list in the file is refused: what was in use stays"
            ),
        }
    }
}

/// Asks the coordinator for its lists from time to time. They are signed, so that it need not be believed.
async fn fetch(region: &Region, file: &Path, address: &Address, tls: &TlsIdentity) {
    // Without a list, one that is required could never come this way.
    let met = region.clone().with_revocation(RevocationRule::default());
    let config = match client_config(tls, &met, Expected::Role(Role::Coordinator)) {
        Ok(config) => config,
        Err(error) => return tracing::error!(%error, "revocation lists cannot be fetched"),
    };
    let client = CoordinatorClient::new(channel(address, config, FETCH_TIME_MAX));
    let mut refused = String::new();
    loop {
        match timeout(FETCH_TIME_MAX, client.get_revocations()).await {
            Ok(Ok(lists)) if lists.is_empty() => {}
            Ok(Ok(lists)) => match region.take_revocations(lists.as_bytes(), system_clock()()) {
                Ok(taken) => {
                    said(&taken, "the coordinator");
                    if !taken.is_empty() {
                        store(region, file).await;
                    }
                    refused.clear();
                }
                // The office was given the newer one by other ways.
                Err(RevocationListFault::Older { .. }) => refused.clear(),
                Err(fault) => {
                    let words = fault.to_string();
                    // What is refused again for the same reason is said once.
                    if words != refused {
                        tracing::error!(%fault, "the coordinator's revocation list is refused: what was in use stays");
                    }
                    refused = words;
                }
            },
            Ok(Err(status)) => {
                tracing::debug!(code = ?status.code(), "the coordinator passes no revocation lists on");
            }
            Err(_) => tracing::debug!("the coordinator passes no revocation lists on in time"),
        }
        tokio::time::sleep(FETCH_EVERY).await;
    }
}

/// Keeps fetched lists for the next start, where the server may write there.
async fn store(region: &Region, file: &Path) {
    let (pem, path) = (region.revocations().to_pem(), file.to_owned());
    if let Ok(Err(error)) = spawn_blocking(move || lango_files::exchange(&path, pem.as_bytes())).await {
        tracing::debug!(%error, "fetched revocation lists are not kept: they are fetched again after a start");
    }
}

/// Says once of each list that it is past its end or its age.
async fn ages(region: &Region) {
    let mut said = Vec::new();
    let mut is_first = true;
    loop {
        let now = system_clock()();
        let rule = region.revocation();
        if is_first && let Err(fault) = region.check_lists(now) {
            tracing::warn!(%fault, "nobody of the region is believed until a revocation list comes");
        }
        is_first = false;
        for list in region.revocations().lists().iter() {
            let id = (list.issuer().to_owned(), list.number());
            if let Err(fault) = check_age(list, rule, now)
                && !said.contains(&id)
            {
                tracing::warn!(%fault, is_required = rule.is_required, "a revocation list is no longer of the present");
                said.push(id);
            }
        }
        tokio::time::sleep(AGES_EVERY).await;
    }
}

fn said(taken: &[RevocationList], from: &str) {
    for list in taken {
        tracing::info!(
            number = %list.number(), issuer = list.issuer(), revoked = list.revoked().count(),
            next = %words::moment(list.next_update()), from,
            "a revocation list is in use"
        );
    }
}

async fn moment(file: &Path) -> Option<documents::Moment> {
    let file = file.to_owned();
    spawn_blocking(move || documents::moment(&file)).await.unwrap_or_default()
}

/// A list in a few words: its number, what it holds, and until when.
pub fn in_words(list: &RevocationList, now: i64) -> String {
    format!(
        "number {} of `{}`, {}, signed {}, the next one by {}",
        list.number(),
        list.issuer(),
        match list.revoked().count() {
            0 => "nothing is revoked".to_owned(),
            1 => "1 certificate is revoked".to_owned(),
            count => format!("{} are revoked", counted(count, "certificate")),
        },
        ago(list.this_update(), now),
        words::moment(list.next_update())
    )
}
