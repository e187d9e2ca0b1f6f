//! The mechanisms: calibrated so that OpenDP's own map is at most the price, and the one place that adds noise.

use std::{collections::HashMap, fmt, num::NonZero, thread};

use opendp::{
    domains::{AtomDomain, VectorDomain},
    measurements::{make_gaussian, make_laplace},
    measures::{MaxDivergence, ZeroConcentratedDivergence},
    metrics::{L1Distance, L2Distance},
};

use crate::{
    Code, Fetch, Layout, Measure, Plan, PlannedMargin,
    loss::at_most,
    plan::{CELLS_MOST, fractions},
};

pub use discovery::Discovery;
pub use selection::{Selection, SelectionLaw, rank_scores};

mod discovery;
mod selection;

/// The most keys that a release names of those that are found in the data.
pub const FOUND_KEYS_MOST: usize = 10_000;
/// The scales that a plan may have. Below, the noise would be none at the highest price there is; above, it would drown
/// whatever a table can hold.
pub(crate) const SCALES: std::ops::RangeInclusive<f64> = 0.005..=1e13;
/// How many cells are worth a thread of their own.
const CELLS_PER_THREAD: usize = 4_096;

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

/// How the figures of a margin are made from what was counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measurement {
    /// Noise is added to every integer.
    Noise(Noise),
    /// A candidate is chosen, by the ranks of all.
    Selection(Selection),
    /// Values that enough units have are named.
    Discovery(Discovery),
}

impl Measurement {
    /// The noise of every integer, where there is one.
    pub fn noise(&self) -> Option<Noise> {
        match self {
            Self::Noise(noise) | Self::Discovery(Discovery { noise, .. }) => Some(*noise),
            Self::Selection(_) => None,
        }
    }

    /// The measurement of these words, if it is within what a plan may have.
    pub(crate) fn of_words(mechanism: &str, scale: &str, threshold: Option<&str>) -> Option<Self> {
        let scale: f64 = scale.parse().ok().filter(|scale: &f64| SCALES.contains(scale))?;
        let noise = Mechanism::of_word(mechanism).map(|mechanism| Noise { mechanism, scale });
        match (noise, SelectionLaw::of_word(mechanism), threshold) {
            (Some(noise), _, None) => Some(Self::Noise(noise)),
            (None, Some(law), None) => Some(Self::Selection(Selection { law, scale })),
            (Some(noise), _, Some(threshold)) => {
                Some(Self::Discovery(Discovery { noise, threshold: threshold.parse().ok()? }))
            }
            (None, None, _) | (None, Some(_), Some(_)) => None,
        }
    }
}

impl fmt::Display for Measurement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Noise(noise) | Self::Discovery(Discovery { noise, .. }) => noise.fmt(f),
            Self::Selection(selection) => selection.fmt(f),
        }
    }
}

/// What the database counted for one margin.
#[derive(Clone, PartialEq, Eq)]
pub enum Counted {
    /// For every cell the integers of the margin's fetch, innermost.
    Cells(Vec<i64>),
    /// The units of each value that there is.
    Keys(HashMap<String, i64>),
}

/// Whole numbers as they came from the office's database.
///
/// Deliberately without `Debug`, `Serialize`, `Clone` or a way to read it: only [`measure`] consumes it.
pub struct Exact<T>(T);

impl<T> Exact<T> {
    /// Takes what the database counted out of sight.
    pub fn new(counted: T) -> Self {
        Self(counted)
    }
}

/// Why nothing could be measured. Holds nothing that depends on the data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoiseError {
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
    pub(crate) fn gaussian(l2_squared: u128, rho_nano: u64) -> Option<Self> {
        let noise = |scale| Self { mechanism: Mechanism::DiscreteGaussian, scale };
        let start = (l2_squared as f64 * 1e9 / (2.0 * rho_nano as f64)).sqrt();
        rounded_up(start, rho_nano, |scale| noise(scale).rho(l2_squared)).map(noise)
    }

    /// OpenDP's epsilon for this noise at an L1 sensitivity.
    pub fn epsilon(&self, l1: u64) -> Option<f64> {
        let metric = L1Distance::<i64>::default();
        let measurement = make_laplace::<_, _, MaxDivergence>(integers(), metric, self.scale, None).ok()?;
        measurement.map(&i64::try_from(l1).ok()?).ok()
    }

    /// OpenDP's rho for this noise at a squared L2 sensitivity.
    pub fn rho(&self, l2_squared: u128) -> Option<f64> {
        let metric = L2Distance::<f64>::default();
        let measurement =
            make_gaussian::<_, _, ZeroConcentratedDivergence>(integers(), metric, self.scale, None).ok()?;
        measurement.map(&root_above(l2_squared)).ok()
    }

    /// Adds the noise, on several threads where there is much to do.
    fn add(&self, values: &[i64]) -> Result<Vec<i64>, NoiseError> {
        in_threads(values, CELLS_PER_THREAD, &|values| self.add_here(values.to_vec()))
    }

    fn add_here(&self, values: Vec<i64>) -> Result<Vec<i64>, NoiseError> {
        fn drawn<T, E>(result: Result<T, E>) -> Result<T, NoiseError> {
            result.map_err(|_| NoiseError::Noise)
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

/// What a thread does with its part of the values.
type Work<'a> = dyn Fn(&[i64]) -> Result<Vec<i64>, NoiseError> + Sync + 'a;

/// Does the work on several threads, each with a whole number of times `least` values.
fn in_threads(values: &[i64], least: usize, work: &Work<'_>) -> Result<Vec<i64>, NoiseError> {
    // Asking for the number of cores reads several files: longer than the noise of a few cells takes.
    if values.len() <= least {
        return work(values);
    }
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let chunk = values.len().div_ceil(threads).div_ceil(least).saturating_mul(least);
    let done = thread::scope(|scope| {
        let threads: Vec<_> = values.chunks(chunk).map(|values| scope.spawn(move || work(values))).collect();
        let joined = threads.into_iter().map(|thread| thread.join().map_err(|_| NoiseError::Noise)?);
        joined.collect::<Result<Vec<_>, _>>()
    });
    Ok(done?.concat())
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

/// A float that is not below the square root.
fn root_above(squared: u128) -> f64 {
    let root = squared.isqrt();
    if root * root == squared && root < 1 << 53 {
        return root as f64;
    }
    let root = (squared as f64).sqrt();
    if squared < 1 << 53 && root * root >= squared as f64 { root } else { root.next_up().next_up() }
}

/// What a plan measures: the layout, with the keys that were found in the data, and its integers as it orders them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// Which integer stands for which cell.
    pub layout: Layout,
    /// The integers.
    pub integers: Vec<i64>,
}

/// Draws the plan's noise over what was counted, margin by margin.
///
/// The caller must have reserved the plan's loss durably; the result must not leave before it is stored.
pub fn measure(plan: &Plan, counted: Exact<Vec<Counted>>) -> Result<Measured, NoiseError> {
    let (planned, fetched) = (plan.margins.len(), counted.0.len());
    if planned != fetched {
        return Err(NoiseError::Shape { planned, fetched });
    }
    let mut integers = Vec::with_capacity(plan.layout.integers());
    let mut found = Vec::with_capacity(planned);
    let searches = plan.margins.iter().filter(|margin| matches!(margin.fetch, Fetch::Keys(_))).count();
    for (margin, counted) in plan.margins.iter().zip(counted.0) {
        let named = match (counted, margin.text.measurement) {
            (Counted::Cells(counted), measurement) => {
                let planned = plan.layout.cells_of(&margin.text.by) * margin.fetch.width(&plan.dataset);
                if planned != counted.len() {
                    return Err(NoiseError::Shape { planned, fetched: counted.len() });
                }
                integers.extend(match measurement {
                    Measurement::Noise(noise) => noise.add(&counted)?,
                    Measurement::Selection(selection) => select(plan, margin, selection, &counted)?,
                    Measurement::Discovery(_) => return Err(NoiseError::Shape { planned: 0, fetched: 1 }),
                });
                None
            }
            (Counted::Keys(counted), Measurement::Discovery(discovery)) => {
                let mut reached: Vec<(Code, i64)> = discovery
                    .find(&counted)?
                    .into_iter()
                    .filter_map(|(key, units)| Some((key.parse().ok()?, units)))
                    .collect();
                // What a release holds is bounded, and which keys are left out depends on nothing but noisy counts.
                reached.sort_by(|(a, many), (b, few)| few.cmp(many).then_with(|| a.cmp(b)));
                let room = CELLS_MOST.saturating_sub(plan.layout.integers());
                reached.truncate(room.min(FOUND_KEYS_MOST / searches.max(1)));
                reached.sort();
                integers.extend(reached.iter().map(|(_, units)| units));
                Some(reached.into_iter().map(|(key, _)| key).collect())
            }
            (Counted::Keys(_), _) => return Err(NoiseError::Shape { planned: 1, fetched: 0 }),
        };
        found.push(named);
    }
    Ok(Measured { layout: plan.layout.clone().with_found(found), integers })
}

/// The chosen candidate for each share of each cell.
fn select(
    plan: &Plan,
    margin: &PlannedMargin,
    selection: Selection,
    ranks: &[i64],
) -> Result<Vec<i64>, NoiseError> {
    let Measure::Quantile(_, shares) = &margin.text.measure else { return Err(NoiseError::Noise) };
    let (candidates, shares) = (margin.fetch.candidates(), fractions(shares).ok_or(NoiseError::Noise)?);
    let width = margin.fetch.width(&plan.dataset);
    let chosen = |ranks: &[i64]| -> Result<Vec<i64>, NoiseError> {
        let mut chosen = Vec::new();
        for ranks in ranks.chunks_exact(width) {
            for share in &shares {
                let place = selection.choose(&rank_scores(ranks, *share))?;
                chosen.push(*candidates.get(place).ok_or(NoiseError::Noise)?);
            }
        }
        Ok(chosen)
    };
    // Groups of about as many candidates as are worth a thread.
    let groups = CELLS_PER_THREAD.div_ceil(width.saturating_mul(shares.len()).max(1));
    in_threads(ranks, groups.saturating_mul(width).max(1), &chosen)
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
            let gaussian = Noise::gaussian(sensitivity.into(), nano).unwrap();
            assert!(at_most(gaussian.rho(sensitivity.into()).unwrap(), nano));
        }
        assert_eq!(Noise::laplace(1, 500_000_000).unwrap().to_string(), "discrete-laplace scale 2");
    }

    #[test]
    fn noise_is_drawn_around_the_counts_with_the_declared_spread() {
        for mechanism in [Mechanism::DiscreteLaplace, Mechanism::DiscreteGaussian] {
            let noise = Noise { mechanism, scale: 4.0 };
            let drawn = noise.add(&vec![1_000; 20_000]).unwrap();
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
