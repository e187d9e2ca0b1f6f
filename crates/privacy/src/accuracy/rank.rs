//! How far from the asked rank a chosen candidate may lie.

use super::Level;

/// The rank error beyond the best candidate's that is not exceeded at the level, in records.
///
/// Of a candidate that is `d` records worse than the best, the exponential mechanism (McSherry and Talwar 2007) and
/// permute-and-flip (McKenna and Sheldon 2020) return it with probability at most `exp(-decay d)`: the one divides by at
/// least the best one's weight 1, the other must throw that coin first. So `P(excess > r)` is at most
/// `(candidates - 1) exp(-decay r)`, of which this is the least whole `r` that suffices. `decay` is
/// `epsilon / (2 sensitivity)`, with the utility's sensitivity in records.
pub fn rank_bound(candidates: u64, decay: f64, level: Level) -> u64 {
    let others = candidates.saturating_sub(1) as f64;
    let most = (others / (1.0 - level.0)).ln().max(0.0) / decay;
    // No decay says nothing, unless there is nothing to choose.
    if decay > 0.0 || others == 0.0 { most.ceil() as u64 } else { u64::MAX }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_the_least_whole_one_that_holds() {
        for (candidates, decay, level) in
            [(2, 0.25, "0.95"), (111, 0.25, "0.95"), (5_000_001, 0.5, "0.95"), (10_000, 0.01, "0.999")]
        {
            let level: Level = level.parse().unwrap();
            let exceeded = |r: f64| (candidates - 1) as f64 * (-decay * r).exp();
            let bound = rank_bound(candidates, decay, level) as f64;
            assert!(exceeded(bound) <= 1.0 - level.get(), "{candidates} {decay}");
            assert!(exceeded(bound - 1.0) > 1.0 - level.get(), "{candidates} {decay}");
        }
        assert_eq!(rank_bound(1, 0.25, Level::USUAL), 0);
        assert_eq!(rank_bound(2, f64::INFINITY, Level::USUAL), 0);
        assert_eq!(
            (rank_bound(2, 0.0, Level::USUAL), rank_bound(2, f64::NAN, Level::USUAL)),
            (u64::MAX, u64::MAX)
        );
    }

    #[test]
    fn both_mechanisms_keep_within_the_bound_in_exact_probabilities() {
        // Rank errors of eleven candidates on both sides of the quantile, the best one 0.5 records off.
        let errors = [40.5, 31.0, 22.5, 9.0, 4.0, 0.5, 3.0, 8.5, 17.0, 29.5, 60.0];
        for (decay, level) in [(0.1, "0.5"), (0.25, "0.9"), (0.25, "0.99"), (1.0, "0.95")] {
            let level: Level = level.parse().unwrap();
            let weights: Vec<f64> = errors.iter().map(|error| (-decay * (error - 0.5f64)).exp()).collect();
            let bound = rank_bound(errors.len() as u64, decay, level) as f64;
            let beyond = |chosen: &[f64]| {
                errors
                    .iter()
                    .zip(chosen)
                    .filter(|(error, _)| **error - 0.5 > bound)
                    .map(|(_, p)| p)
                    .sum::<f64>()
            };
            let total: f64 = weights.iter().sum();
            let exponential: Vec<f64> = weights.iter().map(|weight| weight / total).collect();
            assert!(beyond(&exponential) <= 1.0 - level.get(), "{decay}");
            assert!(beyond(&permute_and_flip(&weights)) <= 1.0 - level.get(), "{decay}");
        }
    }

    /// The probabilities with which candidates are returned that are visited in random order, each accepted with its weight:
    /// `w_i` times the integral over the time of visit `t` of the others' `1 - t w_j`.
    fn permute_and_flip(weights: &[f64]) -> Vec<f64> {
        let steps = 20_000;
        let others = |i: usize, t: f64| -> f64 {
            weights.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, weight)| 1.0 - t * weight).product()
        };
        let chosen: Vec<f64> = (0..weights.len())
            .map(|i| {
                let middles = (0..steps).map(|step| (f64::from(step) + 0.5) / f64::from(steps));
                weights[i] * middles.map(|t| others(i, t)).sum::<f64>() / f64::from(steps)
            })
            .collect();
        assert!((chosen.iter().sum::<f64>() - 1.0).abs() < 1e-6);
        chosen
    }
}
