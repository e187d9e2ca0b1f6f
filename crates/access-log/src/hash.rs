//! The hashes of RFC 6962, section 2.1, over SHA-256.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

/// The hash of a leaf, of an inner node or of a whole tree. It prints in base64, as checkpoints and proofs write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeHash(pub [u8; 32]);

impl TreeHash {
    /// The root of the tree without leaves: SHA-256 of nothing.
    pub const EMPTY: Self = Self([
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
        0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
    ]);

    /// The hash of an entry.
    #[must_use]
    pub fn of_leaf(entry: &[u8]) -> Self {
        Self(Sha256::new().chain_update([0]).chain_update(entry).finalize().into())
    }

    /// The hash of the node above two others.
    #[must_use]
    pub fn of_node(left: &Self, right: &Self) -> Self {
        let mut bytes = [1; 65];
        let halves = left.0.iter().chain(&right.0);
        bytes.iter_mut().skip(1).zip(halves).for_each(|(byte, half)| *byte = *half);
        Self(Sha256::digest(bytes).into())
    }

    /// The hashes that stand one behind the other in a tile.
    ///
    /// # Errors
    /// [`HashError`] where the bytes are no whole number of hashes.
    pub fn all_of(tile: &[u8]) -> Result<Vec<Self>, HashError> {
        let (hashes, rest) = tile.as_chunks::<32>();
        if rest.is_empty() { Ok(hashes.iter().map(|hash| Self(*hash)).collect()) } else { Err(HashError) }
    }

    /// The bytes of a tile.
    #[must_use]
    pub fn tile(hashes: &[Self]) -> Vec<u8> {
        hashes.iter().flat_map(|hash| hash.0).collect()
    }
}

impl fmt::Display for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl FromStr for TreeHash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        let bytes = STANDARD.decode(text).ok();
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(HashError)
    }
}

/// Why something is no hash of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hash has 32 bytes, in text as base64 with its padding")]
pub struct HashError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_sets_leaves_and_nodes_apart() {
        let (left, right) = (TreeHash::of_leaf(b"a"), TreeHash::of_leaf(b"b"));
        let node = TreeHash::of_node(&left, &right);
        assert_eq!(node.0, <[u8; 32]>::from(Sha256::digest([&[1][..], &left.0, &right.0].concat())));
        assert_ne!(node, TreeHash::of_leaf(&[left.0, right.0].concat()));
        assert_eq!(TreeHash::EMPTY.0, <[u8; 32]>::from(Sha256::digest([])));
        // The leaf without bytes, as RFC 6962 implementations test it.
        let empty_leaf = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
        assert_eq!(hex::encode(TreeHash::of_leaf(b"").0), empty_leaf);
    }

    #[test]
    fn a_hash_is_read_as_it_is_written_and_not_otherwise() {
        let hash = TreeHash::of_leaf(b"entry");
        let text = hash.to_string();
        assert_eq!(text.parse(), Ok(hash));
        let loose = text.trim_end_matches('=').to_owned();
        // The last character before the padding has two bits that belong to no byte.
        let spare = format!("{}{}=", &text[..42], if text.as_bytes()[42] == b'A' { 'B' } else { 'D' });
        for wrong in [String::new(), loose, spare, format!("{text}\n"), format!(" {text}"), "AAAA".to_owned()]
        {
            assert_eq!(wrong.parse::<TreeHash>(), Err(HashError), "{wrong}");
        }
        assert_eq!(
            TreeHash::all_of(&TreeHash::tile(&[hash, TreeHash::EMPTY])),
            Ok(vec![hash, TreeHash::EMPTY])
        );
        assert_eq!(TreeHash::all_of(&[0; 33]), Err(HashError));
    }
}
