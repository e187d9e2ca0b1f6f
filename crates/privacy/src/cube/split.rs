//! The split of a price among the margins.
//!
//! Where a noise's variance falls like `1 / share`, the objective is convex and one descent finds its minimum. Where it
//! falls faster, as under pure epsilon, it pays to leave margins nearly unmeasured and to add up finer ones instead; every
//! choice of margins has minima of its own, and many choices are tried.

use super::{
    Cube, Objective,
    curve::Curve,
    model::Model,
    newton::{Effort, Newton, Split},
};

/// The part of the price that is spread evenly over the margins, so that each is measured.
const SPREAD: f64 = 2e-4;
/// The most choices of margins that are compared.
const CHOICES_MOST: u64 = 256;
/// The power of the share up to which information may grow for the objective to count as convex.
const CONVEX_MOST: f64 = 1.1;
/// How the choices are narrowed down: steps taken with each, and how many are kept.
const ROUNDS: [(usize, usize); 4] = [(0, 48), (2, 20), (3, 8), (4, 4)];

/// The doublings of the power that stands for the largest variance: where splits are found, and where they are compared.
const BLUNT: u32 = 6;
const SHARP: u32 = 10;

struct Search<'a> {
    newton: Newton<'a>,
    /// The margins that others contain.
    optional: Vec<usize>,
    /// The margins without which some effect would not be measured.
    needed: Vec<usize>,
    convex: bool,
}

/// The shares of the margins, which sum to 1, in which the objective is least.
pub(super) fn shares(cube: &Cube, variance: &dyn Fn(usize, f64) -> f64, objective: Objective) -> Vec<f64> {
    let mut search = Search::new(cube, variance, objective);
    let mut splits = if search.convex { vec![search.even()] } else { search.screened(objective) };
    splits.iter_mut().for_each(|split| search.refine(split));
    let best = splits.into_iter().min_by(|a, b| a.value.total_cmp(&b.value));
    best.map(|split| split.shares).unwrap_or_default()
}

impl<'a> Search<'a> {
    fn new(cube: &'a Cube, variance: &dyn Fn(usize, f64) -> f64, objective: Objective) -> Self {
        let count = cube.margins.len();
        let floor = SPREAD / count as f64;
        // Only ratios matter, and variances far out of the way of others are cut off, so that nothing overflows.
        let even = (0..count).map(|margin| variance(margin, 1.0 / count as f64));
        let unit = even.fold(1e-280, f64::max).min(1e280);
        let curve = |(margin, cells): (usize, f64)| {
            Curve::new(floor, |share| 1.0 / (cells * (variance(margin, share) / unit).clamp(1e-30, 1e30)))
        };
        let curves: Vec<Curve> = cube.own_sets().map(|set| set.cells).enumerate().map(curve).collect();
        let convex = curves.iter().all(|curve| curve.power < CONVEX_MOST);
        let (optional, needed) = (0..count).partition(|margin| is_contained(cube, *margin));
        Self { newton: Newton::new(Model::new(cube, curves, objective), floor), optional, needed, convex }
    }

    /// Weights of the margins by their sizes, with more for those that are needed.
    fn weights(&self, power: f64, needed: f64) -> Vec<f64> {
        // A little apart, because from equal weights margins alike in all else would stay equal.
        let apart = |margin: usize| 1.0 + 0.1 * (margin as f64 * 0.618).fract();
        let more = |margin: usize| if self.needed.contains(&margin) { needed } else { 1.0 };
        let sizes = self.newton.model.cube.own_sets().map(|set| set.cells).enumerate();
        sizes.map(|(margin, cells)| cells.powf(power) * apart(margin) * more(margin)).collect()
    }

    /// All margins alike, and from there some way down.
    fn even(&mut self) -> Split {
        let weights = self.weights(0.0, 1.0);
        let mut split = Split::new((0..weights.len()).collect(), self.newton.floor, &weights);
        self.newton.descend(&mut split, Effort { doublings: BLUNT / 2, steps: 30, tolerance: 1e-3 });
        split
    }

    /// The most promising of many choices of margins.
    fn screened(&mut self, objective: Objective) -> Vec<Split> {
        // Right for margins without a common effect, and a variance that falls like `1 / share^2`.
        let power = match objective {
            Objective::Sum => 1.0 / 3.0,
            Objective::Largest => 0.0,
        };
        let starts = [self.weights(power, 1.0), self.weights(power + 0.08, 1.5)];
        let floor = self.newton.floor;
        let mut splits: Vec<Split> = choices(&self.needed, &self.optional)
            .flat_map(|free| starts.iter().map(move |weights| Split::new(free.clone(), floor, weights)))
            .collect();
        for (steps, kept) in ROUNDS {
            for split in &mut splits {
                self.newton.descend(split, Effort { doublings: BLUNT, steps, tolerance: 1e-3 });
            }
            splits.sort_by(|a, b| a.value.total_cmp(&b.value));
            splits.truncate(kept);
        }
        splits
    }

    /// Goes to the minimum near a split, over to others that differ in one margin where they are better, and then to the
    /// sharpest power.
    fn refine(&mut self, split: &mut Split) {
        self.newton.descend(split, Effort { doublings: BLUNT, steps: 30, tolerance: 1e-3 });
        for margin in self.optional.clone() {
            if let Some(better) = self.toggled(split, margin) {
                *split = better;
            }
        }
        for doublings in [BLUNT + 2, SHARP] {
            self.newton.descend(split, Effort { doublings, steps: 30, tolerance: 1e-5 });
        }
    }

    /// The split with a margin taken up or left, where that is better. Where the objective is convex, leaving never is.
    fn toggled(&mut self, split: &Split, margin: usize) -> Option<Split> {
        let floor = self.newton.floor;
        let (mut free, mut weights) = (split.free.clone(), split.slacks(floor));
        match free.iter().position(|other| *other == margin) {
            Some(_) if self.convex => return None,
            Some(at) => drop(free.swap_remove(at)),
            None => {
                free.push(margin);
                weights.get_mut(margin).into_iter().for_each(|weight| *weight = 1.0 / free.len() as f64);
            }
        }
        let mut other = Split::new(free, floor, &weights);
        let glance = Effort { doublings: BLUNT, steps: 5, tolerance: 1e-3 };
        self.newton.descend(&mut other, glance);
        if other.value < split.value + 0.05 {
            self.newton.descend(&mut other, Effort { steps: 30, ..glance });
        }
        (other.value < split.value - 1e-3).then_some(other)
    }
}

/// Whether another margin measures all that this one does. Of margins that differ only in dimensions with one key, all but
/// one are contained.
fn is_contained(cube: &Cube, margin: usize) -> bool {
    let grouped = |mask: &u32| {
        let several = cube.sizes.iter().enumerate().filter(|(_, size)| **size > 1);
        several.map(|(at, _)| mask & 1 << at).sum::<u32>()
    };
    let own = cube.margins.get(margin).map(grouped).unwrap_or_default();
    cube.margins
        .iter()
        .map(grouped)
        .enumerate()
        .any(|(at, other)| other & own == own && (other != own || at < margin))
}

/// Choices of margins: the needed ones, and of the optional ones every subset where they are few, else none, all, and some.
fn choices(needed: &[usize], optional: &[usize]) -> impl Iterator<Item = Vec<usize>> {
    let all = 1u64.checked_shl(optional.len() as u32).unwrap_or(u64::MAX);
    let choice = move |number: u64| match number {
        _ if all <= CHOICES_MOST => number,
        0 => 0,
        1 => u64::MAX,
        // An odd multiplier near 2^64 over the golden ratio scatters the bits.
        _ => number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32),
    };
    (0..all.min(CHOICES_MOST)).map(choice).map(|choice| {
        let chosen = optional.iter().enumerate().filter(|(bit, _)| choice >> bit & 1 == 1);
        needed.iter().copied().chain(chosen.map(|(_, margin)| *margin)).collect()
    })
}
