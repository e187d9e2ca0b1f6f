//! Keys from data: the values that enough units have, each with a noisy count above a threshold.

use std::collections::HashMap;

use opendp::{
    domains::{AtomDomain, MapDomain},
    measurements::make_gaussian_threshold,
    measures::{Approximate, ZeroConcentratedDivergence},
    metrics::{AbsoluteDistance, L02InfDistance},
};

use super::{Mechanism, Noise, NoiseError};
use crate::loss::at_most_parts;

/// A value is named if its noisy count of units is at least the threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Discovery {
    /// The noise of each count.
    pub noise: Noise,
    /// What a noisy count must reach.
    pub threshold: i64,
}

type Counts = MapDomain<AtomDomain<String>, AtomDomain<i64>>;
type Bounded = L02InfDistance<AbsoluteDistance<i64>>;
type Approximated = Approximate<ZeroConcentratedDivergence>;

fn counts() -> Counts {
    MapDomain::new(AtomDomain::<String>::default(), AtomDomain::<i64>::default())
}

impl Discovery {
    /// Gaussian noise within rho, and the least threshold within delta, for units that each have at most `values` values;
    /// both by OpenDP's map (Rogers, arXiv 2309.09170).
    pub(crate) fn calibrated(values: u64, rho_nano: u64, delta_e18: u64) -> Option<Self> {
        let noise = Noise::gaussian(values.into(), rho_nano)?;
        let fits = |threshold: i64| {
            let (_, delta) = Self { noise, threshold }.loss(values)?;
            Some(at_most_parts(delta, delta_e18, 1_000_000_000_000_000_000))
        };
        let mut high = 2i64;
        while !fits(high)? {
            high = high.checked_mul(2)?;
        }
        let mut low = high / 2;
        while low + 1 < high {
            let middle = low.midpoint(high);
            if fits(middle)? { high = middle } else { low = middle }
        }
        Some(Self { noise, threshold: high })
    }

    /// OpenDP's rho and delta.
    ///
    /// Its map bounds the chance that a value is named above the threshold, while its function names those at the threshold
    /// too (opendp/opendp#2922): the map is asked about one less.
    pub(crate) fn loss(&self, values: u64) -> Option<(f64, f64)> {
        let values = u32::try_from(values).ok()?;
        let above = Self { threshold: self.threshold.checked_sub(1)?, ..*self };
        // A unit changes as many counts as it has values, by one each.
        above.measurement()?.map(&(values, i64::from(values), 1)).ok()
    }

    fn measurement(
        &self,
    ) -> Option<opendp::core::Measurement<Counts, Bounded, Approximated, HashMap<String, i64>>> {
        let Noise { mechanism: Mechanism::DiscreteGaussian, scale } = self.noise else { return None };
        make_gaussian_threshold(counts(), Bounded::default(), scale, self.threshold, None).ok()
    }

    /// The values that reach the threshold, with their noisy counts.
    pub(super) fn find(&self, counted: &HashMap<String, i64>) -> Result<HashMap<String, i64>, NoiseError> {
        self.measurement().and_then(|measurement| measurement.invoke(counted).ok()).ok_or(NoiseError::Noise)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_the_least_whose_delta_is_granted() {
        for (values, rho_nano, delta_e18) in [
            (1, 24_356_000, 1_000_000_000_000),
            (5, 24_356_000, 1_000_000_000),
            (1, 1_000_000_000, 1_000_000_000),
        ] {
            let found = Discovery::calibrated(values, rho_nano, delta_e18).unwrap();
            let delta = |threshold| Discovery { threshold, ..found }.loss(values).unwrap().1;
            assert!(delta(found.threshold) <= delta_e18 as f64 / 1e18, "{found:?}");
            assert!(delta(found.threshold - 1) > delta_e18 as f64 / 1e18, "{found:?}");
        }
    }

    #[test]
    fn repro_a_value_of_one_unit_is_named_no_more_often_than_delta_at_the_threshold_too() {
        for delta_e18 in [1_000_000_000, 1_000_000_000_000, 50_000_000_000_000_000] {
            for (values, rho_nano) in
                [(1, 24_356_000), (1, 500_000_000), (3, 500_000_000), (1, 4_000_000_000)]
            {
                let found = Discovery::calibrated(values, rho_nano, delta_e18).unwrap();
                let weight = |k: i64| (-0.5 * (k as f64 / found.noise.scale).powi(2)).exp();
                let reach = (40.0 * found.noise.scale) as i64 + 8;
                let reaching: f64 = (found.threshold - 1..reach).map(weight).sum();
                let reaching = reaching / (-reach..=reach).map(weight).sum::<f64>();
                let any = 1.0 - (1.0 - reaching).powi(values as i32);
                assert!(any <= delta_e18 as f64 / 1e18, "{found:?} {values} {any}");
            }
        }
    }

    #[test]
    fn a_value_of_few_units_is_not_named_and_one_of_many_is() {
        let found = Discovery::calibrated(1, 1_000_000_000, 1_000_000_000).unwrap();
        let counted = HashMap::from([("rare".to_owned(), 1), ("usual".to_owned(), 10_000)]);
        for _ in 0..50 {
            let named = found.find(&counted).unwrap();
            assert_eq!(named.keys().collect::<Vec<_>>(), ["usual"]);
        }
    }
}
