//! Where the invented tables come from: fixed seeds, or fresh ones in long runs.

use std::{
    env,
    hash::{BuildHasher, Hasher, RandomState},
    sync::OnceLock,
};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Whether this run takes fresh seeds and more draws.
pub fn is_long() -> bool {
    env::var("LANGO_LONG").is_ok_and(|long| long == "1")
}

/// `usually` repetitions, ten times as many in a long run.
pub fn times(usually: usize) -> usize {
    if is_long() { 10 * usually } else { usually }
}

/// The seed of this run; a fresh one is printed, and `LANGO_SEED` repeats it.
fn seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    *SEED.get_or_init(|| match env::var("LANGO_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed,
        None if is_long() => {
            let seed = RandomState::new().build_hasher().finish();
            println!("LANGO_SEED={seed}");
            seed
        }
        None => 2_026,
    })
}

/// A stream of values that depends on the run's seed and its label alone.
pub struct Seeds(ChaCha8Rng);

impl Seeds {
    /// The stream of this label.
    pub fn of(label: &str) -> Self {
        // FNV-1a: the label only has to part the streams.
        let hash = label.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(ChaCha8Rng::seed_from_u64(seed() ^ hash))
    }

    /// A whole number from one to another, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + (self.0.next_u64() % (high.abs_diff(low) + 1)) as i64
    }

    /// Any 32 bytes.
    pub fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// One of these.
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.between(0, of.len() as i64 - 1) as usize]
    }
}
