//! A shuffle of many numbers that keeps none of them in memory.

/// A bijection of the numbers below `size`: a balanced Feistel network on the next larger power of four, walked
/// until it lands below `size`. It hides an order from the eye; it is no cipher.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Permutation {
    size: u64,
    half_bits: u32,
    keys: [u64; 4],
}

impl Permutation {
    pub(crate) fn new(size: u64, keys: [u64; 4]) -> Self {
        let bits = u64::BITS - size.saturating_sub(1).leading_zeros();
        Self { size, half_bits: bits.div_ceil(2).max(1), keys }
    }

    /// The image of `index`, which must be below the size.
    pub(crate) fn apply(&self, index: u64) -> u64 {
        let mut image = self.network(index);
        while image >= self.size && index < self.size {
            image = self.network(image);
        }
        image
    }

    fn network(&self, value: u64) -> u64 {
        let mask = (1 << self.half_bits) - 1;
        let (left, right) = self
            .keys
            .iter()
            .fold((value >> self.half_bits, value & mask), |(l, r), key| (r, l ^ (mix(r ^ key) & mask)));
        left << self.half_bits | right
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_hit_once() {
        for size in [1, 2, 3, 4, 5, 16, 17, 150, 1000, 4097] {
            let permutation = Permutation::new(size, [1, 2, 3, 4]);
            let mut images: Vec<_> = (0..size).map(|index| permutation.apply(index)).collect();
            images.sort_unstable();
            assert!(images.into_iter().eq(0..size), "{size}");
        }
    }

    #[test]
    fn neighbours_are_torn_apart() {
        let permutation = Permutation::new(10_000, [7, 8, 9, 10]);
        let near = (1..10_000).filter(|i| permutation.apply(*i).abs_diff(permutation.apply(i - 1)) < 100);
        assert!(near.count() < 400);
    }
}
