//! A folder that holds a fetched log, as static files of C2SP's `tlog-tiles`, with what it speaks of beside them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use lango_access_log::{SignedCheckpoint, TileEdge, TileId, TileLevel};
use lango_audit::LedgerBalances;
use lango_files::{make_folder, settle, write_over};
use lango_identity::{Region, certificates_from_pem};

use crate::{config, failure::Failure};

/// Where the log's last checkpoint is.
const ADDRESS: &str = "address";
const CHECKPOINT: &str = "checkpoint";
/// What the region is, as the auditor knew it.
const REGION: &str = "region.toml";
const AUTHORITY: &str = "authority.pem";
const BALANCES: &str = "balances.json";
const MONITORED: &str = "monitored";

/// A folder of a log.
#[derive(Debug, Clone)]
pub struct LogFolder(PathBuf);

/// A checkpoint that is held, and when it was fetched, in Unix seconds.
pub struct HeldCheckpoint {
    pub signed: SignedCheckpoint,
    pub fetched_at: i64,
}

impl LogFolder {
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The last checkpoint; none where nothing was fetched yet.
    pub fn checkpoint(&self) -> Result<Option<SignedCheckpoint>, Failure> {
        let Some(note) = self.read(CHECKPOINT)? else { return Ok(None) };
        Ok(Some(read_checkpoint(&self.at(CHECKPOINT), &note)?))
    }

    /// The same, of a folder that must have one.
    pub fn held(&self) -> Result<SignedCheckpoint, Failure> {
        let none =
            || Failure::of(self.0.display(), "holds no log: fetch one with `lango audit fetch --to DIR`");
        self.checkpoint()?.ok_or_else(none)
    }

    /// Every checkpoint that was fetched, by its size.
    pub fn checkpoints(&self) -> Result<Vec<HeldCheckpoint>, Failure> {
        let mut found = Vec::new();
        for path in files_in(&self.at("checkpoints"))? {
            let is_finished = path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.'));
            if is_finished {
                let signed = read_checkpoint(&path, &fs::read(&path)?)?;
                let fetched = fs::metadata(&path)?.modified()?.duration_since(std::time::UNIX_EPOCH);
                let fetched_at = fetched.ok().and_then(|since| i64::try_from(since.as_secs()).ok());
                found.push(HeldCheckpoint { signed, fetched_at: fetched_at.unwrap_or_default() });
            }
        }
        found.sort_by_key(|held| held.signed.unverified().size);
        Ok(found)
    }

    /// A tile or bundle; none where it is not there.
    pub fn tile(&self, id: TileId) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.at(&id.to_string())) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The same of one that must be there.
    pub fn tile_there(&self, id: TileId) -> io::Result<Vec<u8>> {
        self.tile(id)?.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("`{id}` is not there")))
    }

    /// The edge of the tree of a size, from its tiles.
    pub fn edge(&self, size: u64) -> Result<TileEdge, Failure> {
        let edge = TileEdge::open(size, |id| self.tile_there(id));
        edge.map_err(|error| Failure::of(self.0.display(), error))
    }

    /// The bytes of a policy; none where it is not held.
    pub fn policy(&self, digest: &[u8; 32]) -> Option<Vec<u8>> {
        fs::read(self.at("policies").join(hex::encode(digest))).ok()
    }

    /// What the ledger held; none where that was not fetched.
    pub fn balances(&self) -> Result<Option<LedgerBalances>, Failure> {
        let Some(bytes) = self.read(BALANCES)? else { return Ok(None) };
        let read = serde_json::from_slice(&bytes);
        read.map(Some).map_err(|error| Failure::of(self.at(BALANCES).display(), error))
    }

    /// The chains of certificates of the log's keys.
    pub fn chains(&self) -> Result<Vec<Vec<Vec<u8>>>, Failure> {
        let mut found = Vec::new();
        for path in files_in(&self.at("certificates"))? {
            let pem = certificates_from_pem(&fs::read(&path)?);
            let chain = pem.map_err(|error| Failure::of(path.display(), error))?;
            found.push(chain.iter().map(|der| der.to_vec()).collect());
        }
        Ok(found)
    }

    /// The region as the auditor knew it when the log was fetched.
    pub fn region(&self) -> Result<Region, Failure> {
        let file = self.at(REGION);
        if !file.exists() {
            let why = "is not there: copy the whole folder, or name your own keys with --identity DIR";
            return Err(Failure::of(file.display(), why));
        }
        config::verifying_region(&file)
    }

    /// Where the log was fetched from; none where it was its office's store.
    pub fn address(&self) -> Result<Option<String>, Failure> {
        let Some(address) = self.read(ADDRESS)? else { return Ok(None) };
        Ok(Some(String::from_utf8(address)?.trim_end().to_owned()))
    }

    pub fn write_address(&self, address: &str) -> Result<(), Failure> {
        self.write(ADDRESS, format!("{address}\n").as_bytes())
    }

    /// As many entries as `lango audit monitor` has said; none where it never ran.
    pub fn monitored(&self) -> Result<Option<u64>, Failure> {
        let Some(text) = self.read(MONITORED)? else { return Ok(None) };
        let number = std::str::from_utf8(&text).ok().and_then(|text| text.trim_end().parse().ok());
        let why = "is no number of entries: remove it, and what is held now counts as said";
        number.map(Some).ok_or_else(|| Failure::of(self.at(MONITORED).display(), why))
    }

    pub fn write_monitored(&self, entries: u64) -> Result<(), Failure> {
        self.write(MONITORED, format!("{entries}\n").as_bytes())
    }

    pub fn write_region(&self, region: &Region) -> Result<(), Failure> {
        let text = format!(
            "# The region as it was when this log was fetched: what its certificates were verified with.\n[region]\nname = \"{}\"\n\
             authority = \"{AUTHORITY}\"\nsigning_eku = \"{}\"\n",
            region.trust_domain(),
            region.signing_eku()
        );
        self.write(AUTHORITY, region.authorities_pem().as_bytes())?;
        let lists = region.revocations().to_pem();
        if !lists.is_empty() {
            self.write(config::REVOCATIONS, lists.as_bytes())?;
        }
        self.write(REGION, text.as_bytes())
    }

    pub fn write_chain(&self, key: &[u8; 32], chain: &[Vec<u8>], pem: &str) -> Result<(), Failure> {
        let certificate = chain.first().map(|der| hex::encode(lango_identity::sha256(der)));
        let short = |digits: String| digits.chars().take(16).collect::<String>();
        let name = format!("{}-{}.pem", short(hex::encode(key)), short(certificate.unwrap_or_default()));
        self.write(&format!("certificates/{name}"), pem.as_bytes())
    }

    pub fn write_policy(&self, digest: &[u8; 32], bytes: &[u8]) -> Result<(), Failure> {
        self.write(&format!("policies/{}", hex::encode(digest)), bytes)
    }

    pub fn write_balances(&self, balances: &LedgerBalances) -> Result<(), Failure> {
        self.write(BALANCES, &serde_json::to_vec_pretty(balances)?)
    }

    pub fn write_tile(&self, id: TileId, bytes: &[u8]) -> Result<(), Failure> {
        self.write(&id.to_string(), bytes)
    }

    /// Keeps a checkpoint as the last one. All that it signs is on the disk before it has its name.
    pub fn write_checkpoint(&self, signed: &SignedCheckpoint) -> Result<(), Failure> {
        let note = signed.to_string();
        self.write(&format!("checkpoints/{}", signed.unverified().size), note.as_bytes())?;
        settle(&self.0)?;
        self.write(CHECKPOINT, note.as_bytes())?;
        Ok(settle(&self.0)?)
    }

    /// Keeps a checkpoint that witnesses cosigned, with that of the log's end that was fetched with it.
    pub fn write_witnessed(&self, signed: &SignedCheckpoint) -> Result<(), Failure> {
        self.write(&format!("checkpoints/{}", signed.unverified().size), signed.to_string().as_bytes())
    }

    /// Removes the partial tiles of an earlier tree that the present one does not have.
    pub fn forget_partial(&self, old_size: u64, size: u64) -> Result<(), Failure> {
        let of = |size: u64| {
            let bundle = TileId::at(TileLevel::Entries, size / 256, size);
            TileEdge::tiles(size).chain(bundle).filter(|id| !id.is_full())
        };
        let kept: Vec<TileId> = of(size).collect();
        for id in of(old_size).filter(|id| !kept.contains(id)) {
            match fs::remove_file(self.at(&id.to_string())) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// An empty folder within it for what is refused, with this log's tiles in it.
    pub fn refused(&self) -> Result<Self, Failure> {
        let refused = Self(self.at("refused"));
        match fs::remove_dir_all(&refused.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        make_folder(&refused.0)?;
        for name in ["tile", "policies", "checkpoints"] {
            link_all(&self.at(name), &refused.at(name))?;
        }
        Ok(refused)
    }

    /// Removes a tile or bundle that the log turned out not to have.
    pub fn remove_tile(&self, id: TileId) -> Result<(), Failure> {
        match fs::remove_file(self.at(&id.to_string())) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        match fs::read(self.at(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::of(self.at(name).display(), error)),
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.at(name);
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        Ok(write_over(&path, bytes)?)
    }
}

fn read_checkpoint(path: &Path, note: &[u8]) -> Result<SignedCheckpoint, Failure> {
    let failed = |why: &dyn std::fmt::Display| {
        let what = "copy the folder again, byte by byte, or fetch the log into another one";
        Failure::of(path.display(), format!("{why}: {what}"))
    };
    let note = std::str::from_utf8(note).map_err(|error| failed(&error))?;
    note.parse().map_err(|error| failed(&error))
}

/// The files of a folder, in the order of their names; none where it is not there.
pub fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Failure::of(folder.display(), error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Gives every file below a folder a second name below another, or a copy where the file system knows no second names.
fn link_all(from: &Path, to: &Path) -> Result<(), Failure> {
    let entries = match fs::read_dir(from) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Failure::of(from.display(), error)),
    };
    make_folder(to)?;
    for entry in entries {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            link_all(&entry.path(), &target)?;
        } else if fs::hard_link(entry.path(), &target).is_err() {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
