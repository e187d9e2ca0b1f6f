//! The policy folder of a gateway that runs: read again when it has changed and is at rest, from time to time, and on SIGHUP.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use lango_document::{DiagnosticCode, Document};
use lango_gateway::{Gateway, PolicyChange, PolicyError};
use tokio::{signal::unix::Signal, task::spawn_blocking, time::Instant};

use crate::config::documents::{self, Moments};

/// How often the folder is compared with what it was.
const POLL: Duration = Duration::from_millis(250);
/// A folder that has changed is read when nothing in it has changed for this time: a file may be saved in pieces.
const REST: Duration = Duration::from_secs(1);
/// It is read this often whatever its files' times say, for some file systems say little; and what was refused because of a
/// database may be taken now.
const EVERY: Duration = Duration::from_secs(60);
/// How often a folder that changes while it is read is read anew on SIGHUP.
const TRIES: usize = 5;

/// What was found of the folder, and since when it is so.
#[derive(Debug)]
struct Watch {
    moments: Moments,
    since: Instant,
    /// When the folder was read last, or when the watch began.
    read_at: Instant,
    /// Whether it was read since it became what it is.
    is_read: bool,
}

impl Watch {
    /// A folder that was never read.
    fn begin(moments: Moments, now: Instant) -> Self {
        Self { moments, since: now, read_at: now, is_read: false }
    }

    /// Compares the folder with what it was; whether it is to be read. One that never rests is read as often as one that does not
    /// change.
    fn is_due(&mut self, moments: Moments, now: Instant) -> bool {
        if moments != self.moments {
            (self.moments, self.since, self.is_read) = (moments, now, false);
        }
        let is_at_rest = !self.is_read && now.duration_since(self.since) >= REST;
        is_at_rest || now.duration_since(self.read_at) >= EVERY
    }

    /// Whether it is due without having rested: it has been changing for as long as one that rests is left alone.
    fn is_restless(&self, now: Instant) -> bool {
        !self.is_read && now.duration_since(self.since) < REST
    }

    /// The folder was read.
    fn was_read(&mut self, now: Instant) {
        (self.read_at, self.is_read) = (now, true);
    }

    /// Its files are being saved: it is read when they are.
    fn is_being_saved(&mut self, now: Instant) {
        (self.since, self.is_read) = (now, false);
    }
}

/// Keeps a gateway's policy at what its folder holds, for as long as it is awaited.
pub(super) async fn keep(gateway: Arc<Gateway>, folder: PathBuf, mut hang_up: Signal) {
    for warning in documents::writable_by_all(&folder) {
        tracing::warn!("{warning}");
    }
    let mut refused = String::new();
    let mut watch = Watch::begin(moments(&folder).await, Instant::now());
    loop {
        let is_asked = tokio::select! {
            asked = hang_up.recv() => asked.is_some(),
            () = tokio::time::sleep(POLL) => false,
        };
        let found = moments(&folder).await;
        if !watch.is_due(found, Instant::now()) && !is_asked {
            continue;
        }
        // What waits for signatures waits no longer where nobody can say what the folder holds.
        let is_last_word = is_asked || watch.is_restless(Instant::now());
        let taken = take(&gateway, &folder, if is_last_word { TRIES } else { 1 }).await;
        watch.was_read(Instant::now());
        match taken {
            Ok(PolicyChange::Same) if is_asked => {
                tracing::info!("the policy in the folder is in force already")
            }
            Ok(PolicyChange::Waits { digest }) => {
                if is_asked {
                    tracing::info!(policy = %hex::encode(digest), "the policy in the folder waits for signatures");
                }
                refused.clear();
            }
            Ok(PolicyChange::Same | PolicyChange::Activated { .. }) => refused.clear(),
            Err(error) if !is_last_word && is_changing(&error) => watch.is_being_saved(Instant::now()),
            Err(error) => {
                let words = error.to_string();
                // What is refused again for the same reason is said once.
                if is_asked || words != refused {
                    log(&error);
                }
                refused = words;
            }
        }
    }
}

/// Reads the folder and gives it to the gateway; one that changes meanwhile is read anew.
async fn take(gateway: &Gateway, folder: &Path, tries: usize) -> Result<PolicyChange, PolicyError> {
    let mut left = tries;
    loop {
        left = left.saturating_sub(1);
        let taken = match read(folder).await {
            Ok(read) => gateway.change_policy(read).await,
            Err(error) => {
                let is_changing = is_changing(&error) && (left > 0 || tries == 1);
                if !is_changing {
                    gateway.policy_unread(&error).await;
                }
                Err(error)
            }
        };
        match taken {
            Err(error) if left > 0 && is_changing(&error) => tokio::time::sleep(POLL).await,
            taken => return taken,
        }
    }
}

async fn read(folder: &Path) -> Result<Vec<Document>, PolicyError> {
    let folder = folder.to_owned();
    let read = spawn_blocking(move || documents::policies(&folder)).await;
    read.map_err(|_| PolicyError::CutShort(lango_transport::CutShort))?.map_err(PolicyError::Wrong)
}

async fn moments(folder: &Path) -> Moments {
    let folder = folder.to_owned();
    spawn_blocking(move || documents::moments(&folder)).await.unwrap_or_default()
}

/// Whether files changed while they were read.
fn is_changing(error: &PolicyError) -> bool {
    let found = error.diagnostics();
    found.is_some_and(|found| found.iter().any(|found| found.code == DiagnosticCode::Changed))
}

/// A line for each mistake, and one that says what follows.
fn log(error: &PolicyError) {
    match error.diagnostics() {
        Some(found) => {
            for found in found.iter() {
                tracing::error!(code = %found.code, "{found}");
            }
        }
        None => tracing::error!("{error}"),
    }
    tracing::error!("the policy in the folder is refused: the one before stays in force");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_read_when_it_has_changed_and_is_at_rest() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.toml");
        let save = |text: &str| std::fs::write(&file, text).unwrap();
        let begun = Instant::now();
        let at = |milliseconds: u64| begun + Duration::from_millis(milliseconds);
        save("one");
        let found = || documents::moments(folder.path());
        let mut watch = Watch::begin(found(), begun);
        assert!(!watch.is_due(found(), at(999)));
        assert!(
            watch.is_due(found(), at(1_000)),
            "what was saved between the start and the first comparison"
        );
        watch.was_read(at(1_000));
        assert!(!watch.is_due(found(), at(30_000)));
        // Saved in pieces, each within a second of the one before.
        for (milliseconds, text) in [(30_500, "pol"), (31_200, "policy"), (31_900, "policy = 2\n")] {
            save(text);
            assert!(!watch.is_due(found(), at(milliseconds)), "{text}");
        }
        assert!(!watch.is_due(found(), at(32_800)));
        assert!(watch.is_due(found(), at(32_900)));
        watch.was_read(at(32_900));
        // Whatever the times of its files say.
        assert!(!watch.is_due(found(), at(92_800)));
        assert!(watch.is_due(found(), at(92_900)));
        watch.was_read(at(92_900));
        // One that never rests is read all the same.
        for milliseconds in (93_000..152_900).step_by(500) {
            save(&milliseconds.to_string());
            assert!(!watch.is_due(found(), at(milliseconds)), "{milliseconds}");
        }
        save("policy = 2 # saved once more");
        assert!(watch.is_due(found(), at(152_900)));
        assert!(watch.is_restless(at(152_900)), "what it holds is said to be unknown");
        watch.was_read(at(152_900));
        assert!(!watch.is_restless(at(153_000)));
        // One that is gone is a change too.
        std::fs::remove_file(&file).unwrap();
        assert!(!watch.is_due(found(), at(153_000)));
        assert!(watch.is_due(found(), at(154_000)));
    }
}
