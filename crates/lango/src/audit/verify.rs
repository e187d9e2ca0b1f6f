//! Verifying a held log: one counted line a claim.

use std::path::Path;

use lango_access_log::{
    Checkpoint, FsckFault, LogEntry, LogProof, SignedCheckpoint, TileEdge, TileId, TileLevel, TreeHash,
    Unwitnessed, WitnessPolicy, entries, verify_inclusion,
};
use lango_analyst::now;
use lango_audit::{AuditReport, Digests, FaultAt, LogAudit, PairedAnswers, ProvenClaim};
use lango_identity::{PayloadType, Region, digest, sha256};
use serde::Serialize;

use super::{
    certificates::verify_signed_by_any,
    folder::{HeldCheckpoint, LogFolder, files_in},
    read::{LogReading, read_log},
};
use crate::{
    commands::entries::minute,
    config::verifying_region,
    failure::Failure,
    output::{count, day, foreign},
};

/// A claim as it is printed.
#[derive(Debug, Serialize)]
pub struct ClaimLine {
    /// The log's name.
    pub log: String,
    /// The word for it.
    pub claim: &'static str,
    /// How much of it is proven; none where nothing was to be proven.
    pub proven: Option<u64>,
    /// How much there is to prove.
    pub of: Option<u64>,
    /// Whether all of it is proven.
    pub holds: bool,
    /// In words.
    pub says: String,
    /// The first entry that is wrong, from 0.
    pub entry: Option<u64>,
    /// Its time (UTC).
    pub at: Option<String>,
    /// What is wrong.
    pub wrong: Option<String>,
}

/// What a verification came to.
pub struct VerifiedLog {
    pub origin: String,
    pub size: u64,
    pub report: Option<AuditReport>,
    pub lines: Vec<ClaimLine>,
}

impl VerifiedLog {
    /// The claims that do not hold.
    pub fn failed(&self) -> impl Iterator<Item = &'static str> {
        self.lines.iter().filter(|line| !line.holds).map(|line| line.claim)
    }

    /// Leaves out the lines of what a coordinator does not do, unless its log says that it did: it decides and charges nothing.
    pub fn leave_out_decisions(&mut self) {
        const OF_OFFICES: [&str; 5] = ["charges", "balances", "policies", "decisions", "releases"];
        self.lines.retain(|line| line.of.unwrap_or_default() > 0 || !OF_OFFICES.contains(&line.claim));
    }

    /// Adds what was found beside.
    pub fn add(&mut self, lines: impl IntoIterator<Item = ClaimLine>) {
        let log = &self.origin;
        self.lines.extend(lines.into_iter().map(|line| ClaimLine { log: log.clone(), ..line }));
    }
}

/// The region that certificates are verified with, and who says that it is the one.
pub struct VerifyingRegion {
    region: Region,
    is_own: bool,
}

impl VerifyingRegion {
    /// That of a folder of keys where one is given, else the one that the log was fetched with.
    pub fn of(identity: Option<&Path>, folder: &LogFolder) -> Result<Self, Failure> {
        let region = match identity {
            Some(identity) => verifying_region(&identity.join("identity.toml"))?,
            None => folder.region()?,
        };
        Ok(Self { region, is_own: identity.is_some() })
    }

    /// By what the rest of the lines is proven: the one who hands a folder over chooses the region in it.
    fn line(&self) -> ClaimLine {
        let authority = |der: &[u8]| hex::encode(sha256(der).get(..16).unwrap_or_default());
        let authorities: Vec<String> = self.region.authorities().iter().map(|der| authority(der)).collect();
        let whose = if self.is_own { "of your keys" } else { "of this folder" };
        let says = format!(
            "region {} {whose}; authority {}",
            foreign(self.region.trust_domain()),
            authorities.join(", ")
        );
        ClaimLine::plain("region", true, says)
    }
}

/// How digests are made here.
pub fn digests() -> Digests {
    Digests {
        question: |bytes| digest(PayloadType::Text, bytes),
        policy: |bytes| digest(PayloadType::Policy, bytes),
    }
}

/// Verifies all that a folder holds; with a policy of witnesses, and a folder of saved answers, where they are given. `observe`
/// sees each entry with its number.
pub fn verify(
    folder: &LogFolder,
    by: &VerifyingRegion,
    (witnesses, answers): (Option<&WitnessPolicy>, Option<&Path>),
    mut observe: impl FnMut(u64, &LogEntry),
) -> Result<VerifiedLog, Failure> {
    let region = &by.region;
    let signed = folder.held()?;
    let checkpoint = signed.unverified().clone();
    let held = folder.checkpoints()?;
    let texts = |digest: &[u8; 32]| folder.policy(digest);
    // A fetch that was cut short may have left balances of a longer log than the one that is held.
    let balances = folder.balances()?.filter(|balances| balances.size <= checkpoint.size);
    let mut audit = LogAudit::new(&texts, digests(), balances);
    let mut times = Times::of(&held, &checkpoint);
    let reading = read_log(folder, &checkpoint, |number, entry| {
        audit.take(entry);
        times.take(number, entry);
        observe(number, entry);
    })?;
    let mut lines = vec![by.line(), hashes(folder, &reading, checkpoint.size)];
    lines.push(checkpoints(folder, region, &signed, &held, &times)?);
    lines.push(witnessed(&signed, &held, witnesses));
    let mut report = None;
    let found = audit.finish();
    match &reading {
        LogReading::Whole(_) => {
            lines.push(consistent(folder, &held, &checkpoint));
            lines.extend(recomputed(&found));
            if let Some(answers) = answers {
                lines.push(paired(folder, answers, region, checkpoint.size)?);
            }
            report = Some(found);
        }
        // All entries were read, and are not those that were signed: what does not follow from them may say which.
        LogReading::Broken { fault: FsckFault::Root { .. }, .. } => lines.extend(recomputed(&found)),
        LogReading::Broken { .. } => {
            let says =
                "what follows from the entries was not examined: the log itself does not hold".to_owned();
            lines.push(ClaimLine::plain("entries", false, says));
        }
    }
    let mut verified =
        VerifiedLog { origin: checkpoint.origin, size: checkpoint.size, report, lines: Vec::new() };
    verified.add(lines);
    Ok(verified)
}

/// When the logs of the held checkpoints ended, in Unix seconds: what their keys must have been good at.
struct Times {
    /// Sizes, rising, and the time of the last entry of each, once it was read.
    of: Vec<(u64, Option<i64>)>,
    next: usize,
}

impl Times {
    fn of(held: &[HeldCheckpoint], last: &Checkpoint) -> Self {
        let sizes = held.iter().map(|held| held.signed.unverified().size).chain([last.size]);
        let mut of: Vec<(u64, Option<i64>)> = sizes.map(|size| (size, None)).collect();
        of.sort_unstable();
        of.dedup();
        of.retain(|(size, _)| *size > 0);
        Self { of, next: 0 }
    }

    fn take(&mut self, number: u64, entry: &LogEntry) {
        if let Some((size, at)) = self.of.get_mut(self.next)
            && *size == number + 1
        {
            *at = Some(entry.at);
            self.next += 1;
        }
    }

    /// The time of a log's last entry; now of one without entries, and of one that was not read so far.
    fn at(&self, size: u64) -> i64 {
        self.of.iter().find(|(of, _)| *of == size).and_then(|(_, at)| *at).unwrap_or_else(now)
    }
}

impl ClaimLine {
    fn plain(claim: &'static str, holds: bool, says: String) -> Self {
        Self {
            log: String::new(),
            claim,
            proven: None,
            of: None,
            holds,
            says,
            entry: None,
            at: None,
            wrong: None,
        }
    }

    fn counted(claim: &'static str, (proven, of): (u64, u64), says: &str) -> Self {
        let says = format!("{} of {}{says}", count(proven), count(of));
        let says = format!("{claim} {says}");
        let (proven, of) = (Some(proven), Some(of));
        Self { proven, of, ..Self::plain(claim, proven == of, says) }
    }

    fn of(claim: &'static str, found: &ProvenClaim, says: &str) -> Self {
        let line = Self::counted(claim, (found.proven, found.of), says);
        match &found.first {
            None => line,
            Some(FaultAt { entry, at, fault }) => {
                let at = at.and_then(|at| minute(at).ok());
                Self { entry: *entry, at, wrong: Some(foreign(&fault.to_string())), ..line }
            }
        }
    }

    /// The claim, and below it what is wrong.
    pub fn text(&self) -> Vec<String> {
        let mut lines = vec![self.says.clone()];
        if let Some(wrong) = &self.wrong {
            let place = match (self.entry, &self.at) {
                (Some(entry), Some(at)) => format!("entry {} of {at}: ", count(entry)),
                (Some(entry), None) => format!("entry {}: ", count(entry)),
                (None, _) => String::new(),
            };
            lines.push(format!("  {place}{wrong}"));
        }
        lines
    }
}

fn hashes(folder: &LogFolder, reading: &LogReading, size: u64) -> ClaimLine {
    match reading {
        LogReading::Whole(log) => {
            let tiles = if log.tiles == 1 { "tile" } else { "tiles" };
            let says = format!("; {} {tiles} and the root derived again", count(log.tiles));
            ClaimLine::counted("hashes", (log.entries, size), &says)
        }
        LogReading::Broken { read, fault } => {
            let entry = match fault {
                FsckFault::Entry { index, .. } | FsckFault::Leaf { index, .. } => Some(*index),
                FsckFault::Bundle { .. }
                | FsckFault::Tile { .. }
                | FsckFault::Missing { .. }
                | FsckFault::Size { .. }
                | FsckFault::Root { .. } => None,
            };
            let proven = entry.unwrap_or(match fault {
                FsckFault::Root { .. } => 0,
                FsckFault::Bundle { .. }
                | FsckFault::Entry { .. }
                | FsckFault::Leaf { .. }
                | FsckFault::Tile { .. }
                | FsckFault::Missing { .. }
                | FsckFault::Size { .. } => *read,
            });
            let at = entry.and_then(|index| time_of(folder, index, size));
            let line = ClaimLine::counted("hashes", (proven, size), "");
            ClaimLine { entry, at, wrong: Some(foreign(&fault.to_string())), ..line }
        }
    }
}

/// The time that an entry says, whether or not it is what was signed.
fn time_of(folder: &LogFolder, index: u64, size: u64) -> Option<String> {
    let bytes = entry_bytes(folder, index, size).ok()??;
    minute(time_in(&bytes)?).ok()
}

/// The time that an entry's bytes say, in Unix seconds.
pub fn time_in(entry: &[u8]) -> Option<i64> {
    serde_json::from_slice::<serde_json::Value>(entry).ok()?.get("at")?.as_i64()
}

/// The bytes of an entry of the log of a size; none where it has none.
pub fn entry_bytes(folder: &LogFolder, index: u64, size: u64) -> Result<Option<Vec<u8>>, Failure> {
    let Some(bundle) = TileId::at(TileLevel::Entries, index / 256, size).filter(|_| index < size) else {
        return Ok(None);
    };
    let bytes = folder.tile_there(bundle)?;
    let within = usize::try_from(index % 256)?;
    Ok(entries(&bytes, bundle.width())?.get(within).map(|entry| entry.to_vec()))
}

fn checkpoints(
    folder: &LogFolder,
    region: &Region,
    last: &SignedCheckpoint,
    held: &[HeldCheckpoint],
    times: &Times,
) -> Result<ClaimLine, Failure> {
    let chains = folder.chains()?;
    let is_listed = held.iter().any(|held| held.signed.unverified() == last.unverified());
    let all = held.iter().map(|held| &held.signed).chain(Some(last).filter(|_| !is_listed));
    let (mut proven, mut of, mut wrong) = (0, 0, None);
    for signed in all {
        of += 1;
        let size = signed.unverified().size;
        let verified = match signed.unverified().origin == last.unverified().origin {
            true => verify_signed_by_any(signed, &chains, region, times.at(size)),
            false => Err(Failure::Failed(format!("it is of the log `{}`", signed.unverified().origin))),
        };
        match verified {
            Ok(_) => proven += 1,
            Err(failure) => {
                wrong.get_or_insert_with(|| format!("the checkpoint of {} entries: {failure}", count(size)));
            }
        }
    }
    let wrong = wrong.map(|wrong| foreign(&wrong));
    Ok(ClaimLine { wrong, ..ClaimLine::counted("checkpoints", (proven, of), " signed") })
}

/// Whether as many witnesses as their policy asks for have cosigned a checkpoint that is held: the newest that they did.
fn witnessed(
    last: &SignedCheckpoint,
    held: &[HeldCheckpoint],
    witnesses: Option<&WitnessPolicy>,
) -> ClaimLine {
    let Some(policy) = witnesses else {
        let says = "witnesses: no policy of witnesses is given: --witnesses FILE".to_owned();
        return ClaimLine::plain("witnesses", true, says);
    };
    let all = u64::try_from(policy.witnesses().len()).unwrap_or(u64::MAX);
    let number = |cosigned: usize| u64::try_from(cosigned).unwrap_or(u64::MAX);
    // In the order of their sizes.
    let mut all_held = held.iter().rev().map(|held| &held.signed);
    let signed = all_held.find(|signed| policy.verify(signed).is_ok()).unwrap_or(last);
    match policy.verify(signed) {
        Ok(witnessed) => {
            let who: Vec<&str> = witnessed.cosigned.iter().map(|(name, _)| *name).collect();
            let by = if who.is_empty() { String::new() } else { format!(": {}", who.join(", ")) };
            let size = signed.unverified().size;
            let behind = match last.unverified().size.saturating_sub(size) {
                0 => String::new(),
                behind => format!("; the {} behind them are not cosigned yet", count(behind)),
            };
            let says = format!("; the quorum is reached, at {} entries{by}{behind}", count(size));
            // A quorum may be fewer than all.
            let line = ClaimLine::counted("witnesses", (number(who.len()), all), &says);
            ClaimLine { holds: true, ..line }
        }
        Err(unwitnessed) => {
            let cosigned = match &unwitnessed {
                Unwitnessed::Quorum { cosigned, .. } => number(*cosigned),
                Unwitnessed::Log { .. } | Unwitnessed::Checkpoint(_) => 0,
            };
            let line = ClaimLine::counted("witnesses", (cosigned, all), "");
            ClaimLine { holds: false, wrong: Some(foreign(&unwitnessed.to_string())), ..line }
        }
    }
}

/// Whether every earlier checkpoint is of the beginning of the log.
fn consistent(folder: &LogFolder, held: &[HeldCheckpoint], last: &Checkpoint) -> ClaimLine {
    const CLAIM: &str = "consistent";
    let earlier: Vec<&HeldCheckpoint> = held.iter().filter(|held| held.signed.unverified() != last).collect();
    let wrong = earlier.iter().find(|held| {
        let of = held.signed.unverified();
        of.origin != last.origin || root_at(folder, last, of.size) != Some(of.root)
    });
    if let Some(wrong) = wrong {
        let of = wrong.signed.unverified();
        let says = format!("NOT consistent with what I held on {}", day(wrong.fetched_at));
        let why = if of.size > last.size {
            format!("{} entries were held then, and there are {} now", count(of.size), count(last.size))
        } else {
            format!("the first {} entries are not those that were held then", count(of.size))
        };
        return ClaimLine { wrong: Some(why), ..ClaimLine::plain(CLAIM, false, says) };
    }
    let says = match earlier.as_slice() {
        [] => "consistent: nothing was held before".to_owned(),
        [one] => format!("consistent with what I held on {}", day(one.fetched_at)),
        [first, later @ ..] => {
            let first = day(first.fetched_at);
            format!("consistent with what I held on {first}, and {} more times since", later.len())
        }
    };
    let number = u64::try_from(earlier.len()).ok();
    ClaimLine { proven: number, of: number, ..ClaimLine::plain(CLAIM, true, says) }
}

/// The root of the first entries of a log that is held, of this number.
fn root_at(folder: &LogFolder, last: &Checkpoint, size: u64) -> Option<TreeHash> {
    // A tile that was partial then is the beginning of the one that is there now.
    let tile = |id: TileId| {
        let now = TileId::at(id.level(), id.index(), last.size).unwrap_or(id);
        let mut bytes = folder.tile_there(now)?;
        bytes.truncate(32 * usize::from(id.width()));
        Ok::<_, std::io::Error>(bytes)
    };
    if size > last.size {
        return None;
    }
    TileEdge::open(size, tile).ok().map(|edge| edge.root())
}

/// Whether what somebody else holds of the same log is its beginning, or goes on from it.
pub fn compared(folder: &LogFolder, other: &LogFolder) -> Result<ClaimLine, Failure> {
    const CLAIM: &str = "the same log";
    let (own, others) = (folder.held()?, other.held()?);
    let (own, others) = (own.unverified(), others.unverified());
    let (longer, last, of) =
        if own.size < others.size { (other, others, own) } else { (folder, own, others) };
    let path = foreign(&other.path().display().to_string());
    if root_at(longer, last, of.size) == Some(of.root) {
        let says = format!("the same log as in {path}, as far as both reach: {} entries", count(of.size));
        return Ok(ClaimLine::plain(CLAIM, true, says));
    }
    let differs = first_difference((folder, own.size), (other, others.size));
    let says = format!("NOT the same log as in {path}");
    let wrong = Some("it says something else there".to_owned());
    Ok(ClaimLine { entry: differs, wrong, ..ClaimLine::plain(CLAIM, false, says) })
}

/// The first entry that two folders hold differently, as far as both have all entries.
fn first_difference(one: (&LogFolder, u64), other: (&LogFolder, u64)) -> Option<u64> {
    for bundle in 0..one.1.min(other.1).div_ceil(256) {
        let held = |(folder, size): (&LogFolder, u64)| {
            let id = TileId::at(TileLevel::Entries, bundle, size)?;
            Some((folder.tile_there(id).ok()?, id.width()))
        };
        let ((one, one_width), (other, other_width)) = (held(one)?, held(other)?);
        let (one, other) = (entries(&one, one_width).ok()?, entries(&other, other_width).ok()?);
        if let Some(within) = one.iter().zip(&other).position(|(one, other)| one != other) {
            return Some(bundle * 256 + u64::try_from(within).ok()?);
        }
    }
    None
}

/// What was recomputed from the entries.
fn recomputed(report: &AuditReport) -> Vec<ClaimLine> {
    let opened = match report.opened {
        0 => String::new(),
        opened => format!(
            "; {} balances open with charges from before the log, for which nothing vouches",
            count(opened)
        ),
    };
    let mut lines = vec![ClaimLine::of("charges", &report.charges, &format!(" recomputed{opened}"))];
    lines.push(match &report.balances {
        Some(claim) => ClaimLine::of("balances", claim, " equal the ledger's"),
        None => {
            ClaimLine::plain("balances", true, "balances: what the ledger held was not fetched".to_owned())
        }
    });
    lines.push(ClaimLine::of("policies", &report.policies, " known by digest"));
    let apart: Vec<String> =
        report.apart.iter().map(|(what, number)| format!("{} {what}", count(*number))).collect();
    let mut beside = Vec::new();
    if report.open > 0 {
        beside.push(format!("{} hang on a price that is not in the log", count(report.open)));
    }
    if !apart.is_empty() {
        beside.push(format!("no policy decides {}", apart.join(", ")));
    }
    let beside = if beside.is_empty() { String::new() } else { format!("; {}", beside.join("; ")) };
    lines.push(ClaimLine::of(
        "decisions",
        &report.decisions,
        &format!(" follow from their policies{beside}"),
    ));
    lines.push(ClaimLine::of("releases", &report.releases, " were reserved before, or released before"));
    let mut beside = Vec::new();
    if report.earlier > 0 {
        beside.push(format!("{} entries are records from before the log", count(report.earlier)));
    }
    if report.left_out > 0 {
        beside
            .push(format!("{} refusals were not recorded, for there were too many", count(report.left_out)));
    }
    if !beside.is_empty() {
        lines.push(ClaimLine::plain("beside", true, beside.join("; ")));
    }
    lines
}

/// What came of holding an office's log against its coordinator's.
pub fn paired_lines(found: &PairedAnswers) -> [ClaimLine; 2] {
    let PairedAnswers { answers, passed_on, missed, cut_short, beyond } = found;
    let orphans = answers.of - answers.proven;
    let mut says = format!(" paired with the coordinator's; orphans {}", count(orphans));
    for (number, what) in [
        (missed, "came too late there"),
        (cut_short, "were on their way when it started again"),
        (beyond, "of times that one of the logs does not reach"),
    ] {
        if *number > 0 {
            says += &format!("; {} {what}", count(*number));
        }
    }
    let line = ClaimLine::of("answers", answers, &says);
    let line = match found.are_apart() {
        // The one who chooses which log to show chooses what is held against it.
        true => ClaimLine {
            holds: false,
            wrong: Some("none of its answers is of a time that both logs reach: fetch both again".to_owned()),
            ..line
        },
        false => line,
    };
    [line, ClaimLine::of("passed on", passed_on, " by the coordinator are in this log")]
}

/// Whether saved receipts are of entries of the log: each a `NAME.tlog-proof` with the entry beside it as `NAME.json`.
fn paired(folder: &LogFolder, answers: &Path, region: &Region, size: u64) -> Result<ClaimLine, Failure> {
    let chains = folder.chains()?;
    let (mut proven, mut of, mut later, mut wrong) = (0, 0, 0, None);
    for path in
        files_in(answers)?.iter().filter(|path| path.extension().is_some_and(|end| end == "tlog-proof"))
    {
        match pair(folder, path, &chains, region, size) {
            Ok(true) => (proven, of) = (proven + 1, of + 1),
            Ok(false) => later += 1,
            Err(failure) => {
                of += 1;
                wrong.get_or_insert_with(|| foreign(&format!("{}: {failure}", path.display())));
            }
        }
    }
    let later = if later == 0 {
        String::new()
    } else {
        format!("; {} are of entries that were not fetched yet", count(later))
    };
    let line = ClaimLine::counted("receipts", (proven, of), &format!(" are of this log{later}"));
    Ok(ClaimLine { wrong, ..line })
}

/// Whether a receipt is of an entry of the log; false where the log does not reach it.
fn pair(
    folder: &LogFolder,
    path: &Path,
    chains: &[Vec<Vec<u8>>],
    region: &Region,
    size: u64,
) -> Result<bool, Failure> {
    let proof: LogProof = String::from_utf8(lango_files::read(path)?.to_vec())?.parse()?;
    let entry = lango_files::read(&path.with_extension("json"))?;
    verify_signed_by_any(&proof.checkpoint, chains, region, time_in(&entry).unwrap_or_default())?;
    let signed = proof.checkpoint.unverified();
    verify_inclusion(TreeHash::of_leaf(&entry), proof.index, signed.size, signed.root, &proof.hashes)?;
    match entry_bytes(folder, proof.index, size)? {
        None => Ok(false),
        Some(held) if held == **entry => Ok(true),
        Some(_) => Err(Failure::Failed(format!(
            "entry {} of the log is another one: two logs were shown",
            proof.index
        ))),
    }
}

/// The policy of witnesses in a file.
pub fn witness_policy(file: &Path) -> Result<WitnessPolicy, Failure> {
    let text = String::from_utf8(lango_files::read(file)?.to_vec())?;
    WitnessPolicy::read(&text).map_err(|error| Failure::of(file.display(), error))
}
