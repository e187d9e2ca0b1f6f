//! What tests share: trees as RFC 6962 defines them, by recursion over all leaves, and keys from fixed seeds.

use std::collections::BTreeMap;

use ed25519_dalek::{Signer as _, SigningKey};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};

use crate::{NoteKey, SignatureType, TileEdge, TileId, TreeHash};

/// The hash of the leaf of this number.
pub fn leaf(number: u64) -> TreeHash {
    TreeHash::of_leaf(format!("entry {number}").as_bytes())
}

pub fn leaves(size: u64) -> Vec<TreeHash> {
    (0..size).map(leaf).collect()
}

/// The Merkle tree hash of RFC 6962, section 2.1, word for word.
pub fn mth(leaves: &[TreeHash]) -> TreeHash {
    match leaves {
        [] => TreeHash::EMPTY,
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            TreeHash::of_node(&mth(left), &mth(right))
        }
    }
}

/// The largest power of two below a number above one.
pub fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}

/// A tree with all its tiles of hashes.
pub struct Tree {
    pub edge: TileEdge,
    pub tiles: BTreeMap<TileId, Vec<u8>>,
}

impl Tree {
    pub fn new(size: u64) -> Self {
        let (mut edge, mut tiles) = (TileEdge::default(), Vec::new());
        (0..size).for_each(|number| edge.append(leaf(number), &mut tiles));
        tiles.extend(edge.partial());
        Self { edge, tiles: tiles.into_iter().collect() }
    }

    pub fn fetch(&self, id: TileId) -> Result<Vec<u8>, TileId> {
        self.tiles.get(&id).cloned().ok_or(id)
    }
}

pub fn random(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// A key of tests, and what signs with it.
pub struct Pair {
    pub key: NoteKey,
    secret: SigningKey,
}

impl Pair {
    pub fn new(name: &str, signature_type: SignatureType, seed: u8) -> Self {
        let secret = SigningKey::from_bytes(&[seed; 32]);
        let key = NoteKey::new(name, signature_type, secret.verifying_key().to_bytes()).unwrap();
        Self { key, secret }
    }

    pub fn log(name: &str, seed: u8) -> Self {
        Self::new(name, SignatureType::Ed25519, seed)
    }

    pub fn witness(name: &str, seed: u8) -> Self {
        Self::new(name, SignatureType::Cosignature, seed)
    }

    pub fn signs(&self) -> impl Fn(&[u8]) -> [u8; 64] + '_ {
        |message| self.secret.sign(message).to_bytes()
    }
}
