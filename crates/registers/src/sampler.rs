//! Small samplers for invented persons: fast, reproducible and slightly biased. Never use them for privacy noise.
//!
//! Only additions, multiplications and square roots touch floating point, which every platform rounds alike.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

use crate::target::Draw;

/// A stream of random values that depends on its label, the office, the scale and the seed alone.
pub(crate) struct Sampler(ChaCha8Rng);

impl Sampler {
    pub(crate) fn new(label: &str, office: &str, draw: &Draw) -> Self {
        let mut hash = Sha256::new();
        hash.update(format!("lango-registers 1\n{label}\n{office}\n{}\n{}\n", draw.scale, draw.seed));
        Self(ChaCha8Rng::from_seed(hash.finalize().into()))
    }

    /// Any 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A whole number below `end`, or zero if `end` is zero.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        let product = u128::from(self.0.next_u32()) * u128::from(end);
        u64::try_from(product >> 32).unwrap_or(0)
    }

    /// True with a probability of `per_mille` thousandths.
    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// A number strictly between 0 and 1, one of 2^32.
    pub(crate) fn uniform(&mut self) -> f64 {
        (f64::from(self.0.next_u32()) + 0.5) / 4_294_967_296.0
    }

    /// An index of `weights`, drawn in proportion to them; 0 if there is none.
    pub(crate) fn weighted(&mut self, weights: &[u64]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (index, weight) in weights.iter().enumerate() {
            if left < *weight {
                return index;
            }
            left -= weight;
        }
        0
    }

    /// About standard normal: the sum of twelve uniforms of 16 bits, less its mean (Irwin-Hall).
    pub(crate) fn normal(&mut self) -> f64 {
        let mut sum = 0.0;
        for _ in 0..3 {
            let bits = self.bits();
            for shift in [0, 16, 32, 48] {
                sum += (((bits >> shift) & 0xffff) as f64 + 0.5) / 65_536.0;
            }
        }
        sum - 6.0
    }

    /// A discrete Pareto number from 1 to `cap`: P(n or more) = n^-1.5. With a cap of some hundreds its mean is near 2.5.
    pub(crate) fn pareto(&mut self, cap: u32) -> u32 {
        let u = self.uniform();
        let at_least = |n: u32| u * f64::from(n) * f64::from(n).sqrt() <= 1.0;
        (2..=cap).take_while(|n| at_least(*n)).last().unwrap_or(1)
    }
}

/// About e^x for |x| below 8, as (1 + x / 2^16)^(2^16).
pub(crate) fn exp(x: f64) -> f64 {
    (0..16).fold(1.0 + x / 65_536.0, |power, _| power * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(seed: u64) -> Sampler {
        Sampler::new("test", "GHA", &Draw { scale: 1, seed })
    }

    #[test]
    fn streams_differ_by_label_office_scale_and_seed() {
        let first = |label, office, scale, seed| Sampler::new(label, office, &Draw { scale, seed }).bits();
        let base = first("a", "GHA", 1, 1);
        assert_eq!(base, first("a", "GHA", 1, 1));
        for other in [("b", "GHA", 1, 1), ("a", "TGO", 1, 1), ("a", "GHA", 2, 1), ("a", "GHA", 1, 2)] {
            assert_ne!(base, first(other.0, other.1, other.2, other.3));
        }
    }

    /// The stream is part of what a seed promises: it must not change between versions or platforms.
    #[test]
    fn the_stream_is_pinned() {
        assert_eq!(sampler(1).bits(), 110_278_404_200_089_873);
    }

    #[test]
    fn moments_are_near_the_documented_ones() {
        let mut sampler = sampler(1);
        let n = 100_000;
        let normals: Vec<f64> = (0..n).map(|_| sampler.normal()).collect();
        let mean = normals.iter().sum::<f64>() / f64::from(n);
        let variance = normals.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(n);
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");

        let counts: Vec<u32> = (0..n).map(|_| sampler.pareto(400)).collect();
        let mean = f64::from(counts.iter().sum::<u32>()) / f64::from(n);
        assert!((2.2..2.8).contains(&mean) && *counts.iter().max().unwrap() == 400, "{mean}");

        let sixes = (0..n).filter(|_| sampler.below(6) == 5).count();
        assert!((16_000..17_400).contains(&sixes), "{sixes}");
        let second = (0..n).filter(|_| sampler.weighted(&[1, 2, 1]) == 1).count();
        assert!((49_000..51_000).contains(&second), "{second}");
    }

    #[test]
    fn exp_is_near_the_true_one() {
        for x in [-5.0_f64, -1.0, 0.0, 0.5, 3.0, 5.0] {
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-3, "{x}");
        }
    }
}
