//! The log of the store as a server has read it: its tree, the checkpoints that its owner signs, and receipts.
//!
//! What is kept here follows from the entries: nothing is lost with it, and several servers of one store each have their own.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    convert::Infallible,
    sync::OnceLock,
};

use lango_access_log::{
    Checkpoint, CheckpointError, KeyFault, LogProof, NoteKey, SignatureType, SignedCheckpoint, TileEdge,
    TileError, TileId, TileLevel, TreeHash, consistency_tiles, inclusion_tiles, log_origin,
    prove_consistency, prove_inclusion, tile_root, verify_consistency,
};
use lango_identity::Signer;
use lango_store::{CheckpointKind, FullTile, Store, StoreError};
use tokio::sync::{Mutex, Notify};

/// Entries that are read at once.
const READ_AT_ONCE: u32 = 1_000;
/// Full tiles that are held: those whose hashes the proofs of the last entries take.
const HELD_TILES: usize = 8;
/// Checkpoints that witnesses may still cosign after others were shown: as many as there are witnesses that come at once.
const SHOWN_MOST: usize = 16;

/// Tiles with their hashes, by their levels and places.
type HeldTiles = BTreeMap<(TileLevel, u64), Vec<u8>>;

/// The log of a server's store.
#[derive(Debug)]
pub struct Sealing {
    /// Its name.
    origin: String,
    tree: Mutex<Tree>,
    /// What a witness has shown of the log that the store does not hold: nothing is served any more.
    broken: OnceLock<Rollback>,
    broke: Notify,
}

/// The tree over the entries that were read.
#[derive(Debug, Default)]
struct Tree {
    edge: TileEdge,
    /// Full tiles that are not kept yet.
    unkept: Vec<(TileId, Vec<u8>)>,
    /// The last full tiles.
    held: Vec<(TileId, Vec<u8>)>,
    /// The checkpoints that witnesses were shown last, the newest at the end.
    shown: VecDeque<Checkpoint>,
}

/// The receipt of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The entry as it is hashed: canonical JSON.
    pub entry: Vec<u8>,
    /// A C2SP `tlog-proof` of it.
    pub proof: String,
    /// The certificate of the key that signed the proof's checkpoint, and those above it: DER.
    pub certificates: Vec<Vec<u8>>,
}

/// A log's present end, as auditors get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogHead {
    /// The checkpoint, signed by the log.
    pub checkpoint: String,
    /// The certificate of the key that signed it, and those above it: DER.
    pub certificates: Vec<Vec<u8>>,
    /// The last checkpoint that was cosigned; empty where none was.
    pub cosigned: String,
}

/// A log to its end, as witnesses are shown it.
#[derive(Debug)]
pub struct Present {
    /// Signed by the log.
    pub checkpoint: SignedCheckpoint,
    tiles: HeldTiles,
}

/// Why a log does not go on.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing key signs no checkpoints.
    #[error("the signing key signs no checkpoint: {0}")]
    Key(#[from] KeyFault),
    /// A checkpoint cannot be made or read.
    #[error("a checkpoint of the log cannot be used: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// A tile does not fit.
    #[error("a tile of the log does not fit the others: {0}")]
    Tile(#[from] TileError<Infallible>),
    /// Entries that were signed for are gone.
    #[error(
        "the store's log has {found} entries, and {signed} were signed for: this is an older copy of the store, or entries were \
         deleted. Nothing is served from it, for what was recorded is missing: docs/LEDGER.md, \"Restoring a store\""
    )]
    CutBack {
        /// As the store has them.
        found: u64,
        /// As was signed.
        signed: u64,
    },
    /// Entries are others than were signed for.
    #[error(
        "the first {signed} entries of the store's log are not those that were signed for: an older copy of the store was put back \
         and ran on, an entry was changed, or the store is another's. Nothing is served from it: docs/LEDGER.md, \"Restoring a \
         store\""
    )]
    Changed {
        /// As many as were signed for.
        signed: u64,
    },
}

/// How a log does not go on where it was signed for.
#[derive(Debug, Clone, Copy)]
enum Rollback {
    CutBack { found: u64, signed: u64 },
    Changed { signed: u64 },
}

impl Rollback {
    fn error(&self) -> LogError {
        match *self {
            Self::CutBack { found, signed } => LogError::CutBack { found, signed },
            Self::Changed { signed } => LogError::Changed { signed },
        }
    }
}

impl Sealing {
    /// Reads the log's end, and holds it against the last checkpoint that was signed and the store keeps, and against the
    /// last that a witness has shown.
    pub async fn open(store: &Store, signer: &Signer) -> Result<Self, LogError> {
        let origin = log_origin(&signer.principal().to_string()).ok_or(KeyFault::Name)?;
        NoteKey::new(&origin, SignatureType::Ed25519, signer.public_key())?;
        let mut signed = Vec::new();
        for kind in [CheckpointKind::Kept, CheckpointKind::Witnessed] {
            if let Some((_, note)) = store.checkpoint(kind).await? {
                signed.push(note.parse::<SignedCheckpoint>()?.unverified().clone());
            }
        }
        signed.sort_by_key(|checkpoint| checkpoint.size);
        let least = signed.first().map_or(u64::MAX, |checkpoint| checkpoint.size);
        let mut tree = Tree::open(store, least).await?;
        for Checkpoint { size, root, .. } in signed {
            tree.read(store, Some(size)).await?;
            if tree.edge.size() < size {
                return Err(Rollback::CutBack { found: tree.edge.size(), signed: size }.error());
            }
            if tree.edge.root() != root {
                return Err(Rollback::Changed { signed: size }.error());
            }
        }
        tree.read(store, None).await?;
        Ok(Self { origin, tree: Mutex::new(tree), broken: OnceLock::new(), broke: Notify::new() })
    }

    /// The receipt of an entry of this number, from 0: the entry, and the proof that it is the last of a tree which its
    /// owner signs. It is the same whenever it is made, so that it shows nothing of what was done since.
    pub async fn receipt(&self, store: &Store, signer: &Signer, index: u64) -> Result<Receipt, LogError> {
        let tiles = {
            let mut tree = self.tree.lock().await;
            if tree.edge.size() <= index {
                tree.read(store, None).await?;
            }
            // Others need not wait for what this one still has to read.
            tree.tiles()
        };
        let size = index + 1;
        let tiles = with_tiles(store, inclusion_tiles(index, size), tiles).await?;
        let hashes = prove_inclusion(index, size, |id| Ok::<_, Infallible>(beginning(&tiles, id)))?;
        let entry = store.leaves(index, 1).await?.pop().ok_or(StoreError::Damaged("record"))?;
        let root =
            hashes.iter().fold(TreeHash::of_leaf(&entry), |right, left| TreeHash::of_node(left, &right));
        let checkpoint = self.sign(Checkpoint::new(&self.origin, size, root), signer)?;
        let proof = LogProof { extra: None, index, hashes, checkpoint };
        Ok(Receipt { entry, proof: proof.to_string(), certificates: signer.certificates() })
    }

    /// The checkpoint of the log to its end.
    pub async fn checkpoint(&self, store: &Store, signer: &Signer) -> Result<SignedCheckpoint, LogError> {
        let mut tree = self.tree.lock().await;
        tree.read(store, None).await?;
        Ok(self.sign(tree.end(&self.origin), signer)?)
    }

    /// The log's end for an auditor.
    pub async fn head(&self, store: &Store, signer: &Signer) -> Result<LogHead, LogError> {
        let checkpoint = self.checkpoint(store, signer).await?.to_string();
        let witnessed = store.checkpoint(CheckpointKind::Witnessed).await?;
        let cosigned = witnessed.map(|(_, note)| note).unwrap_or_default();
        Ok(LogHead { checkpoint, certificates: signer.certificates(), cosigned })
    }

    /// Entries from a number on, at most `most` of them and no more than `bytes_most`, but one where there is one.
    pub async fn entries(
        store: &Store,
        (first, most): (u64, u32),
        bytes_most: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        const PAGE: u32 = 256;
        let (mut entries, mut bytes) = (Vec::new(), 0_usize);
        while let left @ 1.. = most.saturating_sub(u32::try_from(entries.len()).unwrap_or(u32::MAX)) {
            let after = first.saturating_add(entries.len() as u64);
            let found = store.leaves(after, left.min(PAGE)).await?;
            let is_end = found.is_empty();
            for entry in found {
                bytes = bytes.saturating_add(entry.len());
                if bytes > bytes_most && !entries.is_empty() {
                    return Ok(entries);
                }
                entries.push(entry);
            }
            if is_end {
                break;
            }
        }
        Ok(entries)
    }

    /// Keeps the checkpoint of the log to its end: what the next start is held against.
    pub async fn keep(&self, store: &Store, signer: &Signer) -> Result<(), LogError> {
        let checkpoint = self.checkpoint(store, signer).await?;
        let size = checkpoint.unverified().size;
        Ok(store.keep_checkpoint(CheckpointKind::Kept, size, checkpoint.to_string()).await?)
    }

    /// The present checkpoint for a witness, and the proof that it goes on where the one ended that the witness holds.
    pub async fn witnessed(
        &self,
        store: &Store,
        signer: &Signer,
        held: Option<&str>,
    ) -> Result<(SignedCheckpoint, Vec<TreeHash>), LogError> {
        let present = self.present(store, signer).await?;
        let proof = self.goes_on(store, signer, (&present, held)).await?;
        Ok((present.checkpoint, proof))
    }

    /// The log to its end, for witnesses.
    pub async fn present(&self, store: &Store, signer: &Signer) -> Result<Present, LogError> {
        let mut tree = self.tree.lock().await;
        tree.read(store, None).await?;
        let checkpoint = self.sign(tree.end(&self.origin), signer)?;
        let shown = checkpoint.unverified();
        if !tree.shown.contains(shown) {
            tree.shown.push_back(shown.clone());
        }
        if tree.shown.len() > SHOWN_MOST {
            tree.shown.pop_front();
        }
        Ok(Present { checkpoint, tiles: tree.tiles() })
    }

    /// The proof that the log goes on where the checkpoint ended that a witness holds. Empty where that is none of this log.
    ///
    /// INVARIANT (a store that was rolled back does not serve): where the owner signed what the witness holds, and the store's
    /// log does not go on there, that is kept, and the server stops, now and at each start from this store.
    pub async fn goes_on(
        &self,
        store: &Store,
        signer: &Signer,
        (present, held): (&Present, Option<&str>),
    ) -> Result<Vec<TreeHash>, LogError> {
        let Some(held) = held.and_then(|note| note.parse::<SignedCheckpoint>().ok()) else {
            return Ok(Vec::new());
        };
        let (old, new) = (held.unverified(), present.checkpoint.unverified());
        let goes_on = if old.size > new.size {
            let mut tree = self.tree.lock().await;
            tree.read(store, None).await?;
            if tree.edge.size() >= old.size {
                // Another server on the store has shown more meanwhile. Whether the log goes on there, the next visit shows.
                return Ok(Vec::new());
            }
            Err(Rollback::CutBack { found: tree.edge.size(), signed: old.size })
        } else {
            let needed = consistency_tiles(old.size, new.size);
            let tiles = with_tiles(store, needed, present.tiles.clone()).await?;
            let proof =
                prove_consistency(old.size, new.size, |id| Ok::<_, Infallible>(beginning(&tiles, id)))?;
            match verify_consistency(old.size, old.root, new.size, new.root, &proof) {
                Ok(()) => Ok(proof),
                Err(_) => Err(Rollback::Changed { signed: old.size }),
            }
        };
        match goes_on {
            Ok(proof) => Ok(proof),
            // What another key signed, one of before or nobody's, ends no service: the witness says what it sees.
            Err(_) if held.verify(&self.key(signer)?).is_err() => Ok(Vec::new()),
            Err(rollback) => {
                store.keep_checkpoint(CheckpointKind::Witnessed, u64::MAX, held.to_string()).await?;
                tracing::error!(error = %rollback.error(), "a witness holds what the store's log does not");
                // The first that was shown is as good as any.
                let _ = self.broken.set(rollback);
                self.broke.notify_waiters();
                Ok(Vec::new())
            }
        }
    }

    /// The log's key for cosignatures of other logs.
    pub fn witness_key(&self, signer: &Signer) -> Result<NoteKey, KeyFault> {
        NoteKey::new(&self.origin, SignatureType::Cosignature, signer.public_key())
    }

    /// Keeps what a witness has cosigned, if it is one of the checkpoints that were shown last; false where it is another.
    pub async fn cosigned(
        &self,
        store: &Store,
        signer: &Signer,
        (note, witness): (&str, &NoteKey),
    ) -> Result<bool, LogError> {
        let cosigned: SignedCheckpoint = note.parse()?;
        let is_shown = {
            let tree = self.tree.lock().await;
            tree.shown.contains(cosigned.unverified())
        };
        let is_good = cosigned.verify(&self.key(signer)?).is_ok()
            && cosigned.cosigned(&[witness]).is_ok_and(|witnesses| !witnesses.is_empty());
        if !is_shown || !is_good {
            return Ok(false);
        }
        let size = cosigned.unverified().size;
        store.keep_checkpoint(CheckpointKind::Witnessed, size, cosigned.to_string()).await?;
        Ok(true)
    }

    /// Returns when a witness has shown that the store was rolled back.
    pub async fn broken(&self) {
        loop {
            let broke = self.broke.notified();
            if self.broken.get().is_some() {
                return;
            }
            broke.await;
        }
    }

    /// Why nothing is served any more.
    pub fn why_broken(&self) -> Option<LogError> {
        self.broken.get().map(Rollback::error)
    }

    /// The log's key: that of the moment.
    fn key(&self, signer: &Signer) -> Result<NoteKey, KeyFault> {
        NoteKey::new(&self.origin, SignatureType::Ed25519, signer.public_key())
    }

    fn sign(&self, checkpoint: Checkpoint, signer: &Signer) -> Result<SignedCheckpoint, CheckpointError> {
        checkpoint.sign(&self.key(signer)?, |message| signer.sign_message(message))
    }
}

impl Tree {
    /// The tree as far as its tiles are kept, and no further than a size.
    async fn open(store: &Store, size_most: u64) -> Result<Self, LogError> {
        let width = u64::from(lango_access_log::TILE_WIDTH);
        let tiles = store.full_tiles(0).await?.min(size_most / width);
        let size = tiles * width;
        let mut partial = BTreeMap::new();
        for id in TileEdge::tiles(size) {
            let TileLevel::Hashes(level) = id.level() else { continue };
            let below = level.saturating_sub(1);
            let roots = store.tile_roots(below, id.index() * width, id.width().into()).await?;
            partial.insert(id, roots);
        }
        let bytes = |id| Ok::<_, Infallible>(partial.get(&id).cloned().unwrap_or_default());
        match TileEdge::open(size, bytes) {
            Ok(edge) => Ok(Self { edge, ..Self::default() }),
            Err(error) => {
                tracing::warn!(%error, "the log's tiles are made anew from its entries");
                Ok(Self::default())
            }
        }
    }

    /// Reads what entries there are, up to a size.
    async fn read(&mut self, store: &Store, until: Option<u64>) -> Result<(), StoreError> {
        loop {
            let left = until.map_or(u64::MAX, |until| until.saturating_sub(self.edge.size()));
            let most = u32::try_from(left).unwrap_or(READ_AT_ONCE).min(READ_AT_ONCE);
            if most == 0 {
                return Ok(());
            }
            let leaves = store.leaves(self.edge.size(), most).await?;
            for leaf in &leaves {
                self.edge.append(TreeHash::of_leaf(leaf), &mut self.unkept);
            }
            let are_all = leaves.len() < usize::try_from(most).unwrap_or(usize::MAX);
            if !self.unkept.is_empty() {
                self.hold();
                self.keep(store).await?;
            }
            if are_all {
                return Ok(());
            }
        }
    }

    /// Holds the last full tiles.
    fn hold(&mut self) {
        self.held.extend(self.unkept.iter().cloned());
        self.held.drain(..self.held.len().saturating_sub(HELD_TILES));
    }

    /// Keeps the full tiles. They follow from the entries: where that fails they are kept later.
    async fn keep(&mut self, store: &Store) -> Result<(), StoreError> {
        if !self.unkept.is_empty() {
            store.keep_tiles(full_tiles(&self.unkept)).await?;
            self.unkept.clear();
        }
        Ok(())
    }

    /// The checkpoint of what was read.
    fn end(&self, origin: &str) -> Checkpoint {
        Checkpoint::new(origin, self.edge.size(), self.edge.root())
    }

    /// The tiles that are held, by their levels and places.
    fn tiles(&self) -> HeldTiles {
        let tiles = self.held.iter().cloned().chain(self.edge.partial());
        tiles.map(|(id, bytes)| ((id.level(), id.index()), bytes)).collect()
    }
}

/// What tiles are needed, those among them that are not held read from the store.
async fn with_tiles(
    store: &Store,
    needed: BTreeSet<TileId>,
    mut tiles: HeldTiles,
) -> Result<HeldTiles, StoreError> {
    for id in needed {
        let place = (id.level(), id.index());
        if let (false, TileLevel::Hashes(level)) = (tiles.contains_key(&place), id.level()) {
            let kept = store.log_tile(level, id.index()).await?;
            tiles.insert(place, kept.unwrap_or_default());
        }
    }
    Ok(tiles)
}

/// A tile as a smaller tree has it: the beginning of the one that is there now.
fn beginning(tiles: &HeldTiles, id: TileId) -> Vec<u8> {
    let tile = tiles.get(&(id.level(), id.index()));
    tile.and_then(|tile| tile.get(..usize::from(id.width()) * 32)).unwrap_or_default().to_vec()
}

/// Full tiles as the store keeps them.
fn full_tiles(tiles: &[(TileId, Vec<u8>)]) -> Vec<FullTile> {
    let tile = |(id, hashes): &(TileId, Vec<u8>)| match id.level() {
        TileLevel::Hashes(level) => {
            let root = tile_root(hashes)?;
            Some(FullTile { level, number: id.index(), hashes: hashes.clone(), root: root.0 })
        }
        TileLevel::Entries => None,
    };
    tiles.iter().filter_map(tile).collect()
}
