//! An audit: whether what is released distinguishes two neighbouring tables better than its price allows.

use std::collections::HashMap;

use lango_privacy::{
    Accounting, Counted, Exact, Measured, Mechanism, Noise, NoiseError, Plan, PlannedMargin, measure,
};

use crate::{
    ALPHA,
    statistics::{self, Scores},
};

/// What is promised of a release.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Claim {
    /// Pure epsilon.
    Epsilon(f64),
    /// Rho under zCDP, but with probability delta.
    Rho { rho: f64, delta: f64 },
    /// Something that has probability 0 without the unit has at most this with it.
    Delta(f64),
}

impl Claim {
    /// The figure that is claimed.
    pub fn figure(&self) -> f64 {
        match self {
            Self::Epsilon(claimed) | Self::Delta(claimed) => *claimed,
            Self::Rho { rho, .. } => *rho,
        }
    }

    /// A figure of the claim's kind as it is printed: an epsilon; the epsilon that a rho guarantees at a delta of 1e-6, and
    /// that rho; a delta.
    pub fn write(&self, figure: f64) -> String {
        match self {
            Self::Epsilon(_) => format!("{figure:.2}"),
            Self::Rho { .. } => {
                let account = Accounting::Zcdp { delta_e18: 1_000_000_000_000 };
                let epsilon =
                    account.epsilon_of((figure * 1e9) as u64).map_or(f64::INFINITY, |nano| nano as f64 / 1e9);
                format!("{epsilon:.2} (rho {figure:.2})")
            }
            Self::Delta(_) => format!("delta {figure:.4}"),
        }
    }
}

/// Two neighbouring tables as they were counted, and the plan that is to hide which one it was.
#[derive(Clone)]
pub struct Neighbours {
    pub plan: Plan,
    /// With all rows of one unit.
    pub with: Vec<Counted>,
    /// Without them.
    pub without: Vec<Counted>,
}

/// What turns exact counts into a release.
pub type Release<'a> = dyn Fn(&Plan, Vec<Counted>) -> Result<Measured, NoiseError> + Sync + 'a;

/// The product's own.
pub fn product(plan: &Plan, counted: Vec<Counted>) -> Result<Measured, NoiseError> {
    measure(plan, Exact::new(counted))
}

/// The figure that is certain except with probability [`ALPHA`], from `draws` releases of either table.
pub fn found(neighbours: &Neighbours, claim: &Claim, release: &Release<'_>, draws: usize) -> f64 {
    let witness = Witness::of(neighbours);
    let see = |with: bool| {
        let counted = if with { &neighbours.with } else { &neighbours.without };
        witness.score(&release(&neighbours.plan, counted.clone()).unwrap())
    };
    found_by(&see, claim, draws)
}

/// The same, of whatever is seen with the unit or without it.
pub fn found_by(see: &dyn Fn(bool) -> Seen, claim: &Claim, draws: usize) -> f64 {
    let (first, second) = (Pair::draw(see, draws / 3), Pair::draw(see, draws - draws / 3));
    let learnt = first.learn();
    let (first, second) = (first.scores(&learnt), second.scores(&learnt));
    match claim {
        Claim::Epsilon(_) => statistics::epsilon(&first, &second, ALPHA),
        Claim::Rho { delta, .. } => statistics::rho(&first, &second, *delta, ALPHA),
        Claim::Delta(_) => statistics::delta(&second, ALPHA),
    }
}

/// What is compared in a release: a score that is known beforehand, and what was chosen, whose likelihood is learnt from
/// the first draws. `None` where the release has another shape than is planned.
pub type Seen = Option<(f64, Vec<i64>)>;

/// What was seen of many releases with the unit and without it.
struct Pair {
    with: Vec<Seen>,
    without: Vec<Seen>,
}

impl Pair {
    fn draw(see: &dyn Fn(bool) -> Seen, draws: usize) -> Self {
        let seen = |with| (0..draws).map(|_| see(with)).collect();
        Self { with: seen(true), without: seen(false) }
    }

    /// The logarithm of how much likelier each choice is with the unit, smoothed by half a draw.
    fn learn(&self) -> HashMap<Vec<i64>, f64> {
        let mut counts: HashMap<&Vec<i64>, [f64; 2]> = HashMap::new();
        for (side, seen) in [&self.with, &self.without].into_iter().enumerate() {
            for (_, choice) in seen.iter().flatten() {
                counts.entry(choice).or_insert([0.5; 2])[side] += 1.0;
            }
        }
        counts.into_iter().map(|(choice, [with, without])| (choice.clone(), (with / without).ln())).collect()
    }

    fn scores(&self, learnt: &HashMap<Vec<i64>, f64>) -> Scores {
        let score = |seen: &Seen| match seen {
            Some((score, choice)) => score + learnt.get(choice).copied().unwrap_or(0.0),
            None => f64::NEG_INFINITY,
        };
        Scores {
            with: self.with.iter().map(score).collect(),
            without: self.without.iter().map(score).collect(),
        }
    }
}

/// Where the two tables differ: what to compare in a release, margin by margin.
pub struct Witness(Vec<Difference>);

/// How the counts of a margin differ.
enum Difference {
    /// Places, what is counted there with and without the unit, under this noise; and how many places there are.
    Noisy(Vec<(usize, i64, i64)>, Noise, usize),
    /// Nothing is added to these many: they are chosen.
    Chosen(usize),
    /// Keys from the data, in how many units with and without the one.
    Keys(Vec<(String, i64, i64)>, Noise),
}

impl Difference {
    fn of(margin: &PlannedMargin, integers: usize, with: &Counted, without: &Counted) -> Self {
        match (with, without, margin.text.measurement.noise()) {
            (Counted::Cells(with), Counted::Cells(without), Some(noise)) => {
                let places = with.iter().copied().zip(without.iter().copied()).enumerate();
                let places = places.map(|(at, (with, without))| (at, with, without));
                Self::Noisy(places.filter(|(_, with, without)| with != without).collect(), noise, with.len())
            }
            (Counted::Keys(with), Counted::Keys(without), Some(noise)) => {
                let units = |key: &String| without.get(key).copied().unwrap_or(0);
                let keys = with.iter().map(|(key, with)| (key.clone(), *with, units(key)));
                Self::Keys(keys.filter(|(_, with, without)| with != without).collect(), noise)
            }
            _ => Self::Chosen(integers),
        }
    }
}

impl Witness {
    pub fn of(neighbours: &Neighbours) -> Self {
        let Neighbours { plan, with, without } = neighbours;
        let margins = plan.margins.iter().zip(plan.layout.margins()).zip(with.iter().zip(without));
        let difference = margins.map(|((margin, layout), (with, without))| {
            Difference::of(margin, plan.layout.integers_of(layout), with, without)
        });
        Self(difference.collect())
    }

    /// The logarithm of how much likelier the release is with the unit, by the noise that is claimed, and all that was chosen.
    pub fn score(&self, measured: &Measured) -> Seen {
        let mut rest = measured.integers.as_slice();
        let (mut score, mut choice) = (0.0, Vec::new());
        for (difference, layout) in self.0.iter().zip(measured.layout.margins()) {
            let (integers, others) = rest.split_at_checked(measured.layout.integers_of(layout))?;
            rest = others;
            match difference {
                Difference::Noisy(_, _, planned) | Difference::Chosen(planned)
                    if *planned != integers.len() =>
                {
                    return None;
                }
                Difference::Noisy(differing, noise, _) => {
                    score +=
                        differing.iter().map(|(at, a, b)| ratio(noise, integers[*at], *a, *b)).sum::<f64>();
                }
                Difference::Chosen(_) => choice.extend_from_slice(integers),
                Difference::Keys(differing, noise) => {
                    let keyed = layout.values.iter().flatten().map(|key| key.as_str()).zip(integers);
                    for (key, noisy) in keyed {
                        let known = differing.iter().find(|(differing, ..)| differing == key);
                        score += known.map_or(0.0, |(_, a, b)| ratio(noise, *noisy, *a, *b));
                    }
                }
            }
        }
        Some((score, choice))
    }
}

/// `ln P(noisy | a) / P(noisy | b)` for a noisy count.
fn ratio(noise: &Noise, noisy: i64, a: i64, b: i64) -> f64 {
    let (from_a, from_b) = (noisy.abs_diff(a) as f64, noisy.abs_diff(b) as f64);
    match noise.mechanism {
        Mechanism::DiscreteLaplace => (from_b - from_a) / noise.scale,
        Mechanism::DiscreteGaussian => {
            (from_b - from_a) * (from_b + from_a) / (2.0 * noise.scale * noise.scale)
        }
    }
}
