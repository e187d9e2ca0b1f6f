//! The mechanisms: calibrated so that OpenDP's own map is at most the price, and the one place that adds noise.

use std::fmt;

use opendp::{
    domains::{AtomDomain, VectorDomain},
    measurements::{make_gaussian, make_laplace},
    measures::{MaxDivergence, ZeroConcentratedDivergence},
    metrics::{L1Distance, L2Distance},
};

use crate::{Plan, loss::at_most};

/// The scales that a plan may have. Below, the noise would be none at the highest price there is; above, it would drown
/// whatever a table can hold.
pub(crate) const SCALES: std::ops::RangeInclusive<f64> = 0.005..=1e10;

/// A noise law over whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mechanism {
    /// `P(k)` proportional to `exp(-|k| / scale)`.
    DiscreteLaplace,
    /// `P(k)` proportional to `exp(-k^2 / (2 scale^2))`.
    DiscreteGaussian,
}

impl Mechanism {
    /// The word for it in plans.
    pub fn word(self) -> &'static str {
        match self {
            Self::DiscreteLaplace => "discrete-laplace",
            Self::DiscreteGaussian => "discrete-gaussian",
        }
    }

    /// The mechanism of that word.
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::DiscreteLaplace, Self::DiscreteGaussian].into_iter().find(|mechanism| mechanism.word() == word)
    }
}

/// A mechanism at a scale: what an interval needs to know.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// The law.
    pub mechanism: Mechanism,
    /// Its scale; finite and above 0.
    pub scale: f64,
}

impl fmt::Display for Noise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rust prints the shortest decimal that reads back to the same float.
        write!(f, "{} scale {}", self.mechanism.word(), self.scale)
    }
}

/// Whole numbers as they came from the office's database.
///
/// Deliberately without `Debug`, `Serialize`, `Clone` or a way to look inside: only [`measure`] consumes it.
pub struct Exact<T>(T);

impl<T> Exact<T> {
    /// Takes what the database counted out of sight.
    pub fn new(counted: T) -> Self {
        Self(counted)
    }
}

/// Why nothing could be measured. Holds nothing that depends on the data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MeasureError {
    /// The database returned another number of integers than the plan fetches.
    #[error("the plan fetches {planned} integers and got {fetched}")]
    Shape {
        /// As planned.
        planned: usize,
        /// As fetched.
        fetched: usize,
    },
    /// OpenDP refused.
    #[error("the noise could not be drawn")]
    Noise,
}

type Integers = VectorDomain<AtomDomain<i64>>;

fn integers() -> Integers {
    VectorDomain::new(AtomDomain::<i64>::default())
}

impl Noise {
    /// Laplace noise whose epsilon at an L1 sensitivity is at most `epsilon_nano` billionths, by OpenDP's map.
    pub(crate) fn laplace(l1: u64, epsilon_nano: u64) -> Option<Self> {
        let noise = |scale| Self { mechanism: Mechanism::DiscreteLaplace, scale };
        rounded_up(l1 as f64 * 1e9 / epsilon_nano as f64, epsilon_nano, |scale| noise(scale).epsilon(l1))
            .map(noise)
    }

    /// Gaussian noise whose rho at a squared L2 sensitivity is at most `rho_nano` billionths, by OpenDP's map.
    pub(crate) fn gaussian(l2_squared: u64, rho_nano: u64) -> Option<Self> {
        let noise = |scale| Self { mechanism: Mechanism::DiscreteGaussian, scale };
        let start = (l2_squared as f64 * 1e9 / (2.0 * rho_nano as f64)).sqrt();
        rounded_up(start, rho_nano, |scale| noise(scale).rho(l2_squared)).map(noise)
    }

    /// OpenDP's epsilon for this noise at an L1 sensitivity.
    fn epsilon(&self, l1: u64) -> Option<f64> {
        let metric = L1Distance::<i64>::default();
        let measurement = make_laplace::<_, _, MaxDivergence>(integers(), metric, self.scale, None).ok()?;
        measurement.map(&i64::try_from(l1).ok()?).ok()
    }

    /// OpenDP's rho for this noise at a squared L2 sensitivity.
    fn rho(&self, l2_squared: u64) -> Option<f64> {
        let metric = L2Distance::<f64>::default();
        let measurement =
            make_gaussian::<_, _, ZeroConcentratedDivergence>(integers(), metric, self.scale, None).ok()?;
        let root = (l2_squared as f64).sqrt();
        let root = if root * root < l2_squared as f64 { root.next_up() } else { root };
        measurement.map(&root).ok()
    }

    fn add(&self, values: Vec<i64>) -> Result<Vec<i64>, MeasureError> {
        fn drawn<T, E>(result: Result<T, E>) -> Result<T, MeasureError> {
            result.map_err(|_| MeasureError::Noise)
        }
        match self.mechanism {
            Mechanism::DiscreteLaplace => {
                let metric = L1Distance::<i64>::default();
                drawn(
                    drawn(make_laplace::<_, _, MaxDivergence>(integers(), metric, self.scale, None))?
                        .invoke(&values),
                )
            }
            Mechanism::DiscreteGaussian => {
                let metric = L2Distance::<f64>::default();
                let measurement =
                    make_gaussian::<_, _, ZeroConcentratedDivergence>(integers(), metric, self.scale, None);
                drawn(drawn(measurement)?.invoke(&values))
            }
        }
    }
}

/// The least float from `start` on at which the loss is at most the price.
fn rounded_up(start: f64, price_nano: u64, loss: impl Fn(f64) -> Option<f64>) -> Option<f64> {
    let mut scale = start;
    for _ in 0..64 {
        if at_most(loss(scale)?, price_nano) {
            return Some(scale);
        }
        scale = scale.next_up();
    }
    None
}

/// Adds the plan's noise to what was counted: the noisy integers, margin by margin, as the layout orders them.
///
/// The caller must have reserved the plan's loss durably; the result must not leave before it is stored.
pub fn measure(plan: &Plan, counted: Exact<Vec<Vec<i64>>>) -> Result<Vec<i64>, MeasureError> {
    let planned = plan.layout.cells();
    let fetched = counted.0.iter().map(Vec::len).sum();
    let shaped = plan.margins.len() == counted.0.len()
        && plan
            .margins
            .iter()
            .zip(&counted.0)
            .all(|(margin, values)| plan.layout.cells_of(&margin.by) == values.len());
    if !shaped {
        return Err(MeasureError::Shape { planned, fetched });
    }
    let mut cells = Vec::with_capacity(planned);
    for (margin, values) in plan.margins.iter().zip(counted.0) {
        cells.extend(margin.noise.add(values)?);
    }
    Ok(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_is_the_least_whose_map_is_at_most_the_price() {
        for (sensitivity, nano) in
            [(1, 500_000_000), (1, 100_000_000), (3, 1), (1, 333_333_333), (7, 100_000_000_000)]
        {
            let laplace = Noise::laplace(sensitivity, nano).unwrap();
            assert!(at_most(laplace.epsilon(sensitivity).unwrap(), nano));
            let ideal = sensitivity as f64 * 1e9 / nano as f64;
            assert!((laplace.scale / ideal - 1.0).abs() < 1e-12, "{laplace}");
            let gaussian = Noise::gaussian(sensitivity, nano).unwrap();
            assert!(at_most(gaussian.rho(sensitivity).unwrap(), nano));
        }
        assert_eq!(Noise::laplace(1, 500_000_000).unwrap().to_string(), "discrete-laplace scale 2");
    }

    #[test]
    fn noise_is_drawn_around_the_counts_with_the_declared_spread() {
        for mechanism in [Mechanism::DiscreteLaplace, Mechanism::DiscreteGaussian] {
            let noise = Noise { mechanism, scale: 4.0 };
            let drawn = noise.add(vec![1_000; 20_000]).unwrap();
            let mean = drawn.iter().map(|v| (*v - 1_000) as f64).sum::<f64>() / 20_000.0;
            let variance = drawn.iter().map(|v| ((*v - 1_000) as f64).powi(2)).sum::<f64>() / 20_000.0;
            let declared = crate::NoiseSum::of([noise]).variance();
            // Six standard errors: fails once in 500 million runs of right code.
            assert!(mean.abs() < 6.0 * (declared / 20_000.0).sqrt(), "{mean}");
            let kurtosis = if mechanism == Mechanism::DiscreteLaplace { 6.0 } else { 3.0 };
            assert!(
                (variance - declared).abs() < 6.0 * declared * ((kurtosis - 1.0) / 20_000.0f64).sqrt(),
                "{variance} {declared}"
            );
        }
    }
}
