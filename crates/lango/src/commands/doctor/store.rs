//! The store: whether it is there, is of this version, may be written to and keeps what it acknowledges.

use std::{collections::HashMap, path::Path, sync::Arc};

use lango_access_log::SignedCheckpoint;
use lango_gateway::DeclareError;
use lango_policy::PolicySet;
use lango_source::Source;
use lango_store::{
    Anchored, CheckpointKind, Examined, Location, LogState, Moved, StoreAbsence, StoreError, Written,
};

use super::{report::DoctorReport, surroundings};
use crate::{
    config::{CoordinatorFile, GatewayFile},
    output::{ago, day},
};

/// A record that is younger than the clock by more than this was not made by a clock that agrees with it.
const AHEAD_S: i64 = 300;
/// A witness comes every minute. One that has not come for longer than a day is away.
const UNWITNESSED_MOST_S: i64 = 86_400;

/// Examines the store of a coordinator's log, where the configuration names one.
pub async fn examine_log(file: &CoordinatorFile, config: &Path, report: &mut DoctorReport) {
    let location = match file.store_location(config) {
        Ok(Some(location)) => location,
        Ok(None) => {
            return report.warning(
                "log",
                "the coordinator keeps none: nobody can hold its word against that of the offices",
                "add `store = \"log.sqlite\"` to the configuration, and make it with `lango audit create`",
            );
        }
        Err(failure) => return report.failed("log", failure, "fix `store` in the configuration"),
    };
    match Examined::open(&location).await {
        Ok(Some(_)) => report.ok("log", format!("{location}")),
        Ok(None) => report.failed(
            "log",
            format!("there is none at {location}"),
            "make it with `lango audit create`, before the first start; after it, see that its disk is mounted",
        ),
        Err(error) => report.failed("log", error, "check that the coordinator's user may read the file, and that it is a store"),
    }
}

/// Examines the store, and returns it where there is one.
pub async fn examine(
    file: &GatewayFile,
    config: &Path,
    now: i64,
    report: &mut DoctorReport,
) -> Option<Examined> {
    let location = match file.store_location(config) {
        Ok(location) => location,
        Err(failure) => {
            report.failed("store", failure, "fix `store` in the configuration");
            return None;
        }
    };
    let mut examined = match Examined::open(&location).await {
        Ok(Some(examined)) => examined,
        Ok(None) => {
            written(file, config, &location, Written::Absent(StoreAbsence::Nothing), report);
            return None;
        }
        Err(error) => {
            let advice = match location {
                Location::File(_) => {
                    "check that the gateway's user may read the file, and that it is a store"
                }
                Location::Postgres { .. } => {
                    "check that the server runs, its address, the user, the password and `tls_authority`"
                }
            };
            report.failed("store", error, advice);
            return None;
        }
    };
    written(file, config, &location, examined.written, report);
    match examined.log {
        LogState::Whole => {}
        LogState::Lost => report.failed(
            "store's log",
            format!("{location} lacks the log that lay beside it, with its last charges"),
            "put the file and its -wal back together, or restore the store: docs/LEDGER.md",
        ),
        LogState::OfAnother => report.failed(
            "store's log",
            format!("{location} and the log beside it do not belong together"),
            "change neither; put the files of one moment together, or restore the store: docs/LEDGER.md",
        ),
    }
    anchored(file, config, &examined, report);
    if let Location::File(path) = &location {
        report.kept("store's file", path);
        surroundings::beside("store's folder", path, report);
    }
    if let Some(anchor) = file.anchor_file(config) {
        surroundings::beside("anchor's folder", &anchor, report);
    }
    if !examined.is_writable {
        report.failed("store's rights", "it may not be written to", "let the gateway's user write it");
    }
    if !examined.undurable.is_empty() {
        let found = format!("off on its server: {}", examined.undurable.join(", "));
        report.warning(
            "store's durability",
            found,
            "switch them on: a power cut may undo charges, and the budget would be spent twice",
        );
    } else if let Location::Postgres { .. } = location {
        report.ok("store's durability", "what it acknowledges is on the server's disk");
    }
    if let Some(at) = examined.last_record_at
        && at > now + AHEAD_S
    {
        let found = format!("the last request was recorded on {}, later than it is", day(at));
        report.failed("clock and store", found, "set the machine's clock, and keep it by NTP");
    }
    witnessed(&mut examined, now, report).await;
    Some(examined)
}

/// When a witness cosigned the log last, where one did.
async fn witnessed(examined: &mut Examined, now: i64, report: &mut DoctorReport) {
    const SUBJECT: &str = "log's witness";
    if !matches!(examined.written, Written::Current) {
        return;
    }
    let (size, note) = match examined.checkpoint(CheckpointKind::Witnessed).await {
        Ok(Some(kept)) => kept,
        Ok(None) => return,
        Err(error) => return report.failed(SUBJECT, error, "restore the store: docs/LEDGER.md"),
    };
    let at = note.parse::<SignedCheckpoint>().ok().and_then(|signed| signed.cosigned_at());
    let Some(at) = at.and_then(|at| i64::try_from(at).ok()) else { return };
    let found = format!("it cosigned the log to entry {size}, {}", ago(at, now));
    if now.saturating_sub(at) <= UNWITNESSED_MOST_S {
        return report.ok(SUBJECT, found);
    }
    let advice = "see that the gateway runs, and ask who runs the coordinator whether that witnesses it: docs/decisions/0039-witnesses.md";
    report.warning(SUBJECT, found, advice);
}

fn written(
    file: &GatewayFile,
    config: &Path,
    location: &Location,
    written: Written,
    report: &mut DoctorReport,
) {
    match written {
        Written::Current => report.ok("store", "it opens, and has this version's schema"),
        Written::Absent(absence) => {
            let missing = StoreError::Missing { place: location.to_string(), absence };
            // The error says what to do in the order in which to do it.
            let words = file.missing(config, missing).to_string();
            let (found, advice) = words.split_once(": ").unwrap_or((&words, ""));
            report.failed("store", found, advice);
        }
        Written::Earlier(schema) => report.warning(
            "store",
            format!("it has schema {schema}; a gateway brings it up to date when it starts"),
            "copy it before: earlier versions do not read it any more then",
        ),
        Written::Unknown(schema) => report.failed(
            "store",
            format!("it has schema {schema}, which this version does not read"),
            "run the version that wrote it, or restore its backup",
        ),
    }
}

/// Whether the anchor holds, where there is one.
fn anchored(file: &GatewayFile, config: &Path, examined: &Examined, report: &mut DoctorReport) {
    let Some(position) = examined.position else { return };
    let checked = file.anchor(config).and_then(|anchor| match anchor {
        Some(anchor) => match anchor.check(position)? {
            Anchored::Holds => Ok(Some(Anchored::Holds)),
            Anchored::NotYet => Ok(anchor.check_new().map(|()| Some(Anchored::NotYet))?),
        },
        None => Ok(None),
    });
    match checked {
        Ok(Some(Anchored::Holds)) => {
            report.ok("store's anchor", "the store is the one that the anchor names, and no older")
        }
        Ok(Some(Anchored::NotYet)) => {
            report.ok("store's anchor", "there is none yet; the gateway makes it when it starts")
        }
        Ok(None) => report.warning(
            "store's anchor",
            "there is none: an older copy of the store would go unnoticed",
            "name a file on another disk with `anchor` in the configuration: docs/LEDGER.md",
        ),
        Err(failure) => report.failed("store's anchor", failure, "docs/LEDGER.md says what each case needs"),
    }
}

/// Whether a gateway would start with the policy on what has been charged before.
pub async fn pools(
    store: &mut Examined,
    policy: &PolicySet,
    sources: &HashMap<String, Arc<dyn Source>>,
    report: &mut DoctorReport,
) {
    match store.written {
        Written::Current | Written::Earlier(_) => {}
        Written::Absent(_) | Written::Unknown(_) => return,
    }
    let mut declared = lango_gateway::declared_members(policy);
    match lango_gateway::reached_members(policy, sources).await {
        Ok(reached) => declared.extend(reached),
        Err(error @ DeclareError::OneTable { .. }) => {
            return report.failed(
                "policy's pools",
                error,
                "a gateway does not start before it is said: docs/POLICIES.md",
            );
        }
        // What stands against a source is said of the source.
        Err(DeclareError::Source { .. } | DeclareError::Store(_)) => {}
    }
    match store.moves(&declared).await {
        Ok(moves) if moves.is_empty() => report.ok("policy's pools", "every charge stays in its pool"),
        Ok(moves) => {
            for Moved { from, to } in moves {
                report.warning(
                    "policy's pools",
                    format!("what was charged to the pool `{from}` will count in the pool `{to}`"),
                    "let it, if the policy is meant to name the same persons anew: docs/POLICIES.md",
                );
            }
        }
        Err(error @ StoreError::Pools(_)) => report.failed(
            "policy's pools",
            error,
            "a gateway does not start with a policy that gives budget back: docs/POLICIES.md",
        ),
        Err(error) => report.failed("policy's pools", error, "see the store"),
    }
}
