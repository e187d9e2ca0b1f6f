//! `lango audit verify`: whether fetched logs hold, what follows from each, and whether both ends say the same.

use std::{cmp::Reverse, collections::BTreeSet, path::PathBuf};

use clap::Args;
use lango_access_log::{Checkpoint, LogEntry, WitnessPolicy};
use lango_audit::{Pairing, PassedOn};
use lango_identity::Region;

use crate::{
    audit::{
        folder::LogFolder,
        verify::{ClaimLine, VerifiedLog, VerifyingRegion, compared, paired_lines, verify, witness_policy},
    },
    commands::entries::minute,
    failure::Failure,
    output::{Format, bar, count, foreign, report},
};

#[derive(Debug, Args)]
pub struct AuditVerify {
    /// The folders that hold the logs: one or more. Where one is a coordinator's, the answers of the others are held against
    /// it; where two are of one log, they are held against each other.
    #[arg(value_name = "DIR", default_value = ".")]
    dirs: Vec<PathBuf>,
    /// The folder of your keys, whose region the log's certificates are verified with; by default the region that the log was
    /// fetched with. Name it for a folder that somebody else gave you.
    #[arg(long, value_name = "DIR", env = "LANGO_IDENTITY")]
    identity: Option<PathBuf>,
    /// A file that says which witnesses must have cosigned (C2SP tlog-policy).
    #[arg(long, value_name = "FILE")]
    witnesses: Option<PathBuf>,
    /// A folder with receipts that an analyst saved, each a file NAME.tlog-proof with its entry as NAME.json: whether they are of
    /// this log. With one folder alone.
    #[arg(long, value_name = "DIR")]
    answers: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

impl AuditVerify {
    pub fn run(self) -> Result<(), Failure> {
        if self.answers.is_some() && self.dirs.len() > 1 {
            return Err(Failure::Usage("--answers goes with one folder: receipts are of one log".to_owned()));
        }
        let witnesses = self.witnesses.as_deref().map(witness_policy).transpose()?;
        let mut folders = Vec::new();
        for dir in &self.dirs {
            let folder = LogFolder::new(dir);
            let held = folder.held()?;
            let Checkpoint { origin, size, .. } = held.unverified();
            folders.push((folder, origin.clone(), *size));
        }
        // What coordinators passed on is needed for the others.
        folders.sort_by_key(|(_, origin, _)| office_of(origin).is_some());
        // Of several copies of one log, the longest says it.
        let longest = |of: &str| {
            let copies = folders.iter().enumerate().filter(|(_, (_, origin, _))| origin == of);
            copies.max_by_key(|(at, (_, _, size))| (*size, Reverse(*at))).map(|(at, _)| at)
        };
        let longest: Vec<Option<usize>> = folders.iter().map(|(_, origin, _)| longest(origin)).collect();
        let folders: Vec<(LogFolder, String)> =
            folders.into_iter().map(|(folder, origin, _)| (folder, origin)).collect();
        self.check_one_region(&folders)?;
        let (mut passed_on, mut logs) = (None, Vec::new());
        for (at, (folder, origin)) in folders.iter().enumerate() {
            let is_longest = longest.get(at).copied().flatten() == Some(at);
            logs.push(match office_of(origin) {
                None => {
                    let passed: &mut PassedOn = passed_on.get_or_insert_default();
                    let mut log = self.verify(folder, witnesses.as_ref(), |number, entry| {
                        if is_longest {
                            passed.take(number, entry);
                        }
                    })?;
                    log.leave_out_decisions();
                    log
                }
                Some(office) => self.paired(folder, witnesses.as_ref(), (office, passed_on.as_ref()))?,
            });
        }
        for at in 1..folders.len() {
            let (before, rest) = folders.split_at(at);
            let Some((folder, origin)) = rest.first() else { continue };
            if let Some((other, _)) = before.iter().find(|(_, other)| other == origin)
                && let Some(log) = logs.get_mut(at)
            {
                log.add([compared(folder, other)?]);
            }
        }
        let lines: Vec<&ClaimLine> = logs.iter().flat_map(|log| &log.lines).collect();
        report(self.format, &lines, |_| {
            let several = (logs.len() > 1).then(|| summary(&logs));
            logs.iter().map(shown).chain(several).collect::<Vec<_>>().join("\n\n")
        })?;
        let failed: Vec<String> = match logs.as_slice() {
            [log] => log.failed().map(str::to_owned).collect(),
            logs => {
                let failed = |log: &VerifiedLog| {
                    let claims: Vec<&str> = log.failed().collect();
                    (!claims.is_empty()).then(|| format!("{} of {}", claims.join(", "), foreign(&log.origin)))
                };
                logs.iter().filter_map(failed).collect()
            }
        };
        match failed.is_empty() {
            true => Ok(()),
            false => Err(Failure::Failed(format!("not all is proven: {}", failed.join("; ")))),
        }
    }

    /// Several folders are held against each other only where one authority vouches for all of them, and each is named once.
    fn check_one_region(&self, folders: &[(LogFolder, String)]) -> Result<(), Failure> {
        let named = |folder: &LogFolder| foreign(&folder.path().display().to_string());
        let mut found = BTreeSet::new();
        let mut first: Option<(&LogFolder, Region)> = None;
        for (folder, _) in folders {
            if !found.insert(folder.path().canonicalize()?) {
                return Err(Failure::Usage(format!("{} is named twice", named(folder))));
            }
            if self.identity.is_some() {
                continue;
            }
            let region = folder.region()?;
            let Some((other, known)) = &first else {
                first = Some((folder, region));
                continue;
            };
            if !region.authorities().iter().any(|authority| known.authorities().contains(authority)) {
                return Err(Failure::Usage(format!(
                    "{} and {} are of regions with different authorities: verify those of each region by themselves",
                    named(other),
                    named(folder)
                )));
            }
        }
        Ok(())
    }

    /// Verifies an office's log, and holds it against what its coordinator passed on.
    fn paired(
        &self,
        folder: &LogFolder,
        witnesses: Option<&WitnessPolicy>,
        (office, passed_on): (&str, Option<&PassedOn>),
    ) -> Result<VerifiedLog, Failure> {
        let mut pairing = passed_on.map(|passed_on| Pairing::new(passed_on, office));
        let mut verified = self.verify(folder, witnesses, |number, entry| {
            if let Some(pairing) = &mut pairing {
                pairing.take(number, entry);
            }
        })?;
        if let Some(pairing) = pairing {
            verified.add(paired_lines(&pairing.finish()));
        }
        Ok(verified)
    }

    fn verify(
        &self,
        folder: &LogFolder,
        witnesses: Option<&WitnessPolicy>,
        mut observe: impl FnMut(u64, &LogEntry),
    ) -> Result<VerifiedLog, Failure> {
        let region = VerifyingRegion::of(self.identity.as_deref(), folder)?;
        let size = folder.held()?.unverified().size;
        let progress = bar("verifying {bar:30} {human_pos} of {human_len} entries  {eta}", size);
        let verified = verify(folder, &region, (witnesses, self.answers.as_deref()), |number, entry| {
            if number % 10_000 == 0 {
                progress.set_position(number);
            }
            observe(number, entry);
        });
        progress.finish_and_clear();
        verified
    }
}

/// The name of the office whose log this is; none of a coordinator's.
fn office_of(origin: &str) -> Option<&str> {
    let (_, office) = origin.split_once("/office/")?;
    Some(office)
}

/// What all logs come to together.
fn summary(logs: &[VerifiedLog]) -> String {
    let proven = logs.iter().filter(|log| log.failed().next().is_none()).count();
    let entries = logs.iter().map(|log| log.size).sum::<u64>();
    format!("{proven} of {} logs proven: {} entries", logs.len(), count(entries))
}

fn shown(verified: &VerifiedLog) -> String {
    let mut head = format!("the log of {}: {} entries", foreign(&verified.origin), count(verified.size));
    let span = verified.report.as_ref().and_then(|report| report.span);
    if let Some((Ok(first), Ok(last))) = span.map(|(first, last)| (minute(first), minute(last))) {
        head += &format!(", from {first} to {last} (UTC)");
    }
    let lines = verified.lines.iter().flat_map(ClaimLine::text);
    [head].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}
