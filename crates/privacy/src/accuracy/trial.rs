//! What the tests of intervals share: laws by brute force, and draws.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use crate::{Mechanism, Noise};

pub(super) fn laplace(scale: f64) -> Noise {
    Noise { mechanism: Mechanism::DiscreteLaplace, scale }
}

pub(super) fn gaussian(scale: f64) -> Noise {
    Noise { mechanism: Mechanism::DiscreteGaussian, scale }
}

/// The mass function by brute force, at `-reach..=reach`.
pub(super) fn mass(noise: Noise, reach: i64) -> Vec<f64> {
    let weight = |k: i64| match noise.mechanism {
        Mechanism::DiscreteLaplace => (-(k.abs() as f64) / noise.scale).exp(),
        Mechanism::DiscreteGaussian => (-((k * k) as f64) / (2.0 * noise.scale * noise.scale)).exp(),
    };
    let total: f64 = (-reach..=reach).map(weight).sum();
    (-reach..=reach).map(|k| weight(k) / total).collect()
}

pub(super) fn convolve(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; a.len() + b.len() - 1];
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            out[i + j] += x * y;
        }
    }
    out
}

/// The values of the sum of `times` independent noises of one law and their probabilities, but for 1e-11 of them.
pub(super) fn atoms(noise: Noise, times: u64) -> Vec<(f64, f64)> {
    let reach = match noise.mechanism {
        Mechanism::DiscreteLaplace => 28.0 * noise.scale,
        Mechanism::DiscreteGaussian => 7.0 * noise.scale,
    };
    let one = mass(noise, reach.ceil() as i64 + 1);
    let all = (1..times).fold(one.clone(), |sum, _| convolve(&sum, &one));
    let middle = (all.len() / 2) as f64;
    let atoms = all.into_iter().enumerate().map(|(at, p)| (at as f64 - middle, p));
    atoms.filter(|(_, p)| *p > 1e-14).collect()
}

/// Draws from a seed, by inverting distribution functions.
pub(super) struct Draws(ChaCha8Rng);

/// The distribution function of a noise, to draw from.
pub(super) struct Drawn(Vec<(f64, f64)>);

impl Drawn {
    pub(super) fn of(noise: Noise) -> Self {
        let mut below = 0.0;
        let step = |(value, p): (f64, f64)| {
            below += p;
            (value, below)
        };
        Self(atoms(noise, 1).into_iter().map(step).collect())
    }
}

impl Draws {
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub(super) fn draw(&mut self, from: &Drawn) -> f64 {
        let uniform = (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        from.0[from.0.partition_point(|(_, below)| *below <= uniform).min(from.0.len() - 1)].0
    }
}

/// Fails where `hits` in `trials` would come once in a thousand million at that probability or a higher one.
pub(super) fn assert_covers(hits: u32, trials: u32, level: f64, what: &str) {
    let (share, trials) = (f64::from(hits) / f64::from(trials), f64::from(trials));
    let six = 6.0 * (level * (1.0 - level) / trials).sqrt();
    assert!(share >= level - six, "{what}: {share} of {trials}");
}
