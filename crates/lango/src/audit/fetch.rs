//! Fetching a log into a folder: what is new of it, verified before it counts. What the folder holds counts up to its checkpoint;
//! what lies beyond is of a run that was cut short, and is read instead of fetched again.

use std::collections::BTreeSet;

use indicatif::ProgressBar;
use lango_access_log::{
    LogEntry, LogEvent, SignedCheckpoint, TILE_WIDTH, TileEdge, TileId, TileLevel, TreeHash, append_entry,
    read_bundle,
};
use lango_analyst::now;
use lango_audit::LedgerBalances;
use lango_gateway::{policy_digest, standing_files};
use lango_identity::{Role, certificate_to_pem};
use lango_policy::canonical_bytes;

use super::{
    certificates::{verify_signed, verify_signed_by_any},
    folder::LogFolder,
    head::Head,
    office::AuditedOffice,
};
use crate::{
    failure::Failure,
    output::{bar, count},
};

const WIDTH: u64 = TILE_WIDTH as u64;

/// What came of a fetch.
pub struct Fetched {
    /// How many entries are held now.
    pub size: u64,
    /// How many of them are new.
    pub new: u64,
    /// How many policies are new.
    pub policies: u64,
    /// Policies that entries name and the office does not have.
    pub unknown: Vec<String>,
    /// Whether the ledger's balances are of this log's length, so that they can be compared; true where there is no ledger.
    pub with_balances: bool,
}

/// Fetches what is new of an office's log.
pub async fn fetch(office: &mut AuditedOffice, folder: &LogFolder) -> Result<Fetched, Failure> {
    let held = folder.checkpoint()?;
    // Before the log's end is asked for, so that the log is as long as the ledger was.
    let balances = match office.id().role() {
        // A coordinator charges nothing.
        Role::Coordinator => None,
        _ => Some(office.balances().await?),
    };
    let head = office.head().await?;
    let key = verify_signed(&head.checkpoint, &head.chain, office.region(), now())?;
    check_goes_on(held.as_ref(), &head.checkpoint)?;
    // What witnesses saw is of this log too.
    check_goes_on(head.witnessed.as_ref(), &head.checkpoint)?;
    let held_size = held.as_ref().map_or(0, |held| held.unverified().size);
    let edge = folder.edge(held_size)?;
    if let Some(held) = &held
        && edge.root() != held.unverified().root
    {
        let why = "its files are not what its checkpoint signs: run `lango audit verify` on it, and fetch into another folder";
        return Err(Failure::of(folder.path().display(), why));
    }
    let size = head.checkpoint.unverified().size;
    let progress = bar("fetching {bar:30} {human_pos} of {human_len} entries  {eta}", size);
    progress.set_position(held_size);
    let mut growing = Growing {
        folder,
        edge,
        bundle: held_bundle(folder, held_size)?,
        policies: BTreeSet::new(),
        wrong: None,
    };
    let grown = growing.grow(office, size, &progress).await;
    progress.finish_and_clear();
    grown?;
    let other_root = || {
        let held = match held_size {
            0 => "nothing of it was held before".to_owned(),
            held => format!("the first {} are those that were held", count(held)),
        };
        format!("its {} entries do not lead to the root that it signed; {held}", count(size))
    };
    let is_signed = growing.edge.root() == head.checkpoint.unverified().root;
    let wrong = growing.wrong.clone().or_else(|| (!is_signed).then(other_root));
    if let Some(wrong) = wrong {
        let refused = refuse(office, folder, &head, &key, (held_size, &growing)).await?;
        return Err(Failure::of(
            format!("the log of {}", office.id()),
            format!(
                "{wrong}. What was held stays. What came is in {}: `lango audit verify` on it says what of it holds",
                refused.path().display()
            ),
        ));
    }
    let Growing { policies, .. } = growing;
    let (new_policies, unknown) = fetch_policies(office, folder, policies).await?;
    let with_balances = balances.as_ref().is_none_or(|balances| balances.size <= size);
    keep(office, folder, (&head, &key), balances.as_ref().filter(|_| with_balances))?;
    folder.forget_partial(held_size, size)?;
    Ok(Fetched { size, new: size - held_size, policies: new_policies, unknown, with_balances })
}

/// Whether a checkpoint can be one of the log that is held.
fn check_goes_on(held: Option<&SignedCheckpoint>, new: &SignedCheckpoint) -> Result<(), Failure> {
    let Some(held) = held.map(SignedCheckpoint::unverified) else { return Ok(()) };
    let new = new.unverified();
    let what = || format!("the log of {}", new.origin);
    if held.origin != new.origin {
        return Err(Failure::Usage(format!(
            "the folder holds the log of {}: name another one for that of {}",
            held.origin, new.origin
        )));
    }
    if new.size < held.size {
        let (new, held) = (count(new.size), count(held.size));
        let why =
            format!("it was cut back: it has {new} entries, and {held} of it are held. What was held stays");
        return Err(Failure::of(what(), why));
    }
    if new.size == held.size && new.root != held.root {
        return Err(Failure::of(
            what(),
            "it was changed: it is as long as what is held, and is another. What was held stays",
        ));
    }
    Ok(())
}

/// The entries of the bundle that is not full yet.
fn held_bundle(folder: &LogFolder, size: u64) -> Result<Vec<u8>, Failure> {
    match TileId::at(TileLevel::Entries, size / WIDTH, size) {
        None => Ok(Vec::new()),
        Some(bundle) => Ok(folder.tile_there(bundle)?),
    }
}

/// A log that grows in its folder.
struct Growing<'f> {
    folder: &'f LogFolder,
    edge: TileEdge,
    /// The entries of the bundle that is not full yet.
    bundle: Vec<u8>,
    /// The policies that the new entries name.
    policies: BTreeSet<[u8; 32]>,
    /// The first thing that is wrong.
    wrong: Option<String>,
}

impl Growing<'_> {
    async fn grow(
        &mut self,
        office: &mut AuditedOffice,
        size: u64,
        progress: &ProgressBar,
    ) -> Result<(), Failure> {
        while self.edge.size() < size {
            if !self.take_left(size)? {
                let first = self.edge.size();
                let entries = office.entries(first, size - first).await?;
                if entries.is_empty() {
                    let (size, first) = (count(size), count(first));
                    self.wrong.get_or_insert_with(|| format!("it signed {size} entries, and has {first}"));
                    break;
                }
                for entry in entries.iter().take(usize::try_from(size - first).unwrap_or(usize::MAX)) {
                    let number = self.edge.size();
                    match LogEntry::read(entry) {
                        Ok(read) => self.policies.extend(named(&read)),
                        Err(cause) => {
                            self.wrong.get_or_insert_with(|| format!("its entry {number} is none: {cause}"));
                        }
                    }
                    self.append(entry)?;
                }
            }
            progress.set_position(self.edge.size());
        }
        self.write_partial()
    }

    /// Writes what is not full yet.
    fn write_partial(&self) -> Result<(), Failure> {
        let size = self.edge.size();
        if let Some(bundle) = TileId::at(TileLevel::Entries, size / WIDTH, size).filter(|id| !id.is_full()) {
            self.folder.write_tile(bundle, &self.bundle)?;
        }
        self.edge.partial().try_for_each(|(id, hashes)| self.folder.write_tile(id, &hashes))
    }

    /// Takes the next full bundle where an earlier run has left it, all of it or nothing.
    fn take_left(&mut self, size: u64) -> Result<bool, Failure> {
        let first = self.edge.size();
        let index = first / WIDTH;
        let whole = TileId::at(TileLevel::Entries, index, (index + 1) * WIDTH)
            .filter(|_| (index + 1) * WIDTH <= size);
        let Some(bundle) = whole else { return Ok(false) };
        let Some(bytes) = self.folder.tile(bundle)? else { return Ok(false) };
        // It begins with what is held, or it is fetched again.
        let Some(rest) = bytes.strip_prefix(self.bundle.as_slice()) else { return Ok(false) };
        let Ok(read) = read_bundle(bundle, &bytes) else { return Ok(false) };
        let skipped = usize::try_from(first % WIDTH).unwrap_or_default();
        let width = TILE_WIDTH - u16::try_from(skipped).unwrap_or_default();
        let Ok(entries) = lango_access_log::entries(rest, width) else { return Ok(false) };
        for (entry, (_, read)) in entries.into_iter().zip(read.iter().skip(skipped)) {
            self.policies.extend(named(read));
            self.append(entry)?;
        }
        Ok(true)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        append_entry(&mut self.bundle, bytes)?;
        let mut full = Vec::new();
        self.edge.append(TreeHash::of_leaf(bytes), &mut full);
        let size = self.edge.size();
        if size.is_multiple_of(WIDTH)
            && let Some(bundle) = TileId::at(TileLevel::Entries, (size - 1) / WIDTH, size)
        {
            self.folder.write_tile(bundle, &self.bundle)?;
            self.bundle.clear();
        }
        for (id, hashes) in full {
            self.folder.write_tile(id, &hashes)?;
        }
        Ok(())
    }
}

/// The policies that an entry names. Those of records from before the log were not kept.
fn named(entry: &LogEntry) -> Vec<[u8; 32]> {
    match &entry.event {
        LogEvent::Earlier(_) => Vec::new(),
        LogEvent::Policy(policy) => vec![policy.digest.0],
        LogEvent::Request(_)
        | LogEvent::Review(_)
        | LogEvent::Inspection(_)
        | LogEvent::Start(_)
        | LogEvent::Stop(_)
        | LogEvent::Configuration(_)
        | LogEvent::PolicySignature(_)
        | LogEvent::Key(_)
        | LogEvent::Import(_)
        | LogEvent::Preparation(_)
        | LogEvent::Version(_)
        | LogEvent::Failure(_)
        | LogEvent::Relay(_)
        | LogEvent::Answer(_) => entry.policy.iter().map(|digest| digest.0).collect(),
    }
}

/// Fetches the policies that are not held: how many came, and which the office does not have.
async fn fetch_policies(
    office: &mut AuditedOffice,
    folder: &LogFolder,
    named: BTreeSet<[u8; 32]>,
) -> Result<(u64, Vec<String>), Failure> {
    let (mut came, mut unknown) = (0, Vec::new());
    for digest in named.into_iter().filter(|digest| folder.policy(digest).is_none()) {
        let found = match office.policy(digest).await? {
            Some(found) => Some(found),
            None => nothing(office.id().name(), &digest),
        };
        match found
            .filter(|bytes| lango_identity::digest(lango_identity::PayloadType::Policy, bytes) == digest)
        {
            Some(bytes) => {
                folder.write_policy(&digest, &bytes)?;
                came += 1;
            }
            None => unknown.push(hex::encode(digest)),
        }
    }
    Ok((came, unknown))
}

/// The policy that grants nothing, by which an office decides before its first came into force.
fn nothing(office: &str, digest: &[u8; 32]) -> Option<Vec<u8>> {
    let files = standing_files(None, office)?;
    (policy_digest(&files) == *digest).then(|| canonical_bytes(&files))
}

/// Keeps what belongs to a checkpoint, and then the checkpoint.
fn keep(
    office: &AuditedOffice,
    folder: &LogFolder,
    (head, key): (&Head, &[u8; 32]),
    balances: Option<&LedgerBalances>,
) -> Result<(), Failure> {
    folder.write_region(office.region())?;
    let pem: String = head.chain.iter().map(|der| certificate_to_pem(der)).collect();
    folder.write_chain(key, &head.chain, &pem)?;
    if let Some(balances) = balances {
        folder.write_balances(balances)?;
    }
    if let Some(address) = office.address() {
        folder.write_address(address)?;
    }
    folder.write_checkpoint(&office.cosigned(head.checkpoint.clone())?)?;
    // One beyond the log's end is of a log that was cut back, and an end that is cosigned says more than the same end alone.
    let witnessed = head
        .witnessed
        .iter()
        .filter(|witnessed| witnessed.unverified().size <= head.checkpoint.unverified().size);
    // One that a key signed whose certificate never came can be proven by nobody.
    let chains = folder.chains()?;
    let region = office.region();
    let mut witnessed =
        witnessed.filter(|witnessed| verify_signed_by_any(witnessed, &chains, region, now()).is_ok());
    witnessed.try_for_each(|witnessed| folder.write_witnessed(witnessed))
}

/// Moves what came of a log that is wrong into a folder of its own, with the tiles as the office keeps them, where it shows them.
async fn refuse(
    office: &mut AuditedOffice,
    folder: &LogFolder,
    head: &Head,
    key: &[u8; 32],
    (held_size, growing): (u64, &Growing<'_>),
) -> Result<LogFolder, Failure> {
    let size = growing.edge.size();
    let refused = folder.refused()?;
    for id in TileId::new_in(held_size, size) {
        if let Some(kept) = office.tile(id).await? {
            refused.write_tile(id, &kept)?;
        }
        folder.remove_tile(id)?;
    }
    let named = growing.policies.clone();
    fetch_policies(office, &refused, named).await?;
    keep(office, &refused, (head, key), None)?;
    Ok(refused)
}

impl Fetched {
    /// What came, in words.
    pub fn words(&self) -> String {
        let held = if self.size == 1 { "entry is" } else { "entries are" };
        let mut words = format!("{} {held} held, {} of them new", count(self.size), count(self.new));
        match self.policies {
            0 => {}
            1 => words += "; 1 policy came",
            policies => words += &format!("; {policies} policies came"),
        }
        if !self.unknown.is_empty() {
            words += &format!("\nthe office does not have the policies {}", self.unknown.join(", "));
        }
        if !self.with_balances {
            words += "\nthe ledger is ahead of the log's last checkpoint: its balances are not held";
        }
        words
    }
}
