//! Cubes: several margins of the same dimensions, measured at one price, and estimated together so that they add up.
//!
//! A margin is a set of dimensions, a bit for each position. A table splits into effects, one for each set of dimensions, and
//! every margin that contains the set has measured its effect. Nothing distinguishes effects that the same margins know of, so
//! they are counted together: by the *intersections* of margins, of which there are few. This is the structure in which the
//! residual planner is optimal (Xiao, He, Zhang and Kifer, arXiv 2305.08175).

use std::collections::BTreeSet;

mod consistent;
mod curve;
mod model;
mod newton;
mod split;
mod weights;

pub use weights::Weight;

/// The most dimensions of a cube.
const DIMENSIONS_MOST: usize = 16;
/// The most margins of a cube.
const MARGINS_MOST: usize = 64;
/// The most different intersections of its margins.
const SETS_MOST: usize = 512;
/// The least variance that differs from none, and the greatest that differs from no measurement.
const VARIANCES: std::ops::RangeInclusive<f64> = 1e-200..=1e200;

/// Which margins of which dimensions are measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Cube {
    sizes: Vec<usize>,
    margins: Vec<u32>,
    /// Every intersection of margins, each after those that it contains.
    sets: Vec<Set>,
    /// The set of each margin.
    own: Vec<usize>,
    /// The set of each intersection of two margins.
    meets: Vec<Vec<usize>>,
}

/// An intersection of margins.
#[derive(Debug, Clone, PartialEq)]
struct Set {
    mask: u32,
    cells: f64,
    /// `1 / cells^2`.
    scale: f64,
    /// How many numbers of its table are free once the tables of all smaller sets are known.
    freedom: f64,
    /// The sets that it contains, itself last.
    below: Vec<usize>,
    /// The margins that contain it.
    above: Vec<usize>,
}

/// What a split of the price makes as small as it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objective {
    /// The sum of the variances of all cells of all margins.
    Sum,
    /// The largest variance of a cell.
    Largest,
}

impl Cube {
    /// The cube of dimensions of these sizes, in keys, and of these margins; `None` if there is no margin, if there are more than
    /// 16 dimensions, 64 margins or 512 intersections of margins, if a margin stands twice or has a dimension that is none,
    /// or if a dimension has no key or a margin more cells than can be counted.
    pub fn new(sizes: Vec<usize>, margins: Vec<u32>) -> Option<Self> {
        let mut masks: BTreeSet<u32> = margins.iter().copied().collect();
        let unknown = |margin: &u32| u64::from(*margin) >> sizes.len() != 0;
        if sizes.len() > DIMENSIONS_MOST || !(1..=MARGINS_MOST).contains(&margins.len()) {
            return None;
        }
        if masks.len() < margins.len() || margins.iter().any(unknown) || sizes.contains(&0) {
            return None;
        }
        for margin in &margins {
            let met: Vec<u32> = masks.iter().map(|mask| mask & margin).collect();
            masks.extend(met);
            if masks.len() > SETS_MOST {
                return None;
            }
        }
        let mut masks: Vec<u32> = masks.into_iter().collect();
        masks.sort_by_key(|mask| (mask.count_ones(), *mask));
        let sets = sets(&sizes, &margins, &masks)?;
        let find = |mask: u32| masks.iter().position(|other| *other == mask);
        let met = |margin: &u32| margins.iter().map(|other| find(margin & other)).collect();
        let own = margins.iter().map(|margin| find(*margin)).collect::<Option<_>>()?;
        let meets = margins.iter().map(met).collect::<Option<_>>()?;
        Some(Self { sizes, margins, sets, own, meets })
    }

    /// The number of keys of each dimension.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// The margins: bit `i` stands for the dimension at position `i`.
    pub fn margins(&self) -> &[u32] {
        &self.margins
    }

    /// Every intersection of margins, each after those that it contains.
    pub fn intersections(&self) -> impl Iterator<Item = u32> {
        self.sets.iter().map(|set| set.mask)
    }

    /// The number of cells of a table by these dimensions; `None` if it cannot be counted.
    pub fn cells(&self, mask: u32) -> Option<usize> {
        cells(&self.sizes, mask)
    }

    /// Which cell of the table by `to` each cell of the table by `from` adds to. Tables are row-major with their dimensions
    /// in the order of positions; dimensions of `to` that `from` has not are passed over.
    pub fn places(&self, from: u32, to: u32) -> Vec<usize> {
        let mut stride = 1;
        let mut steps = Vec::new();
        for (at, size) in self.sizes.iter().enumerate().rev().filter(|(at, _)| from >> at & 1 == 1) {
            let kept = to >> at & 1 == 1;
            steps.push((*size, if kept { stride } else { 0 }));
            stride *= if kept { *size } else { 1 };
        }
        steps.iter().rev().fold(vec![0], |starts, (size, step)| {
            starts.iter().flat_map(|start| (0..*size).map(move |key| start + key * step)).collect()
        })
    }

    /// How to split a price among the margins, in parts that sum to 1, so that the objective is least after least squares.
    ///
    /// `variance(margin, share)` is the variance of a cell's noise at a share of the price, and falls as the share grows; it
    /// may be infinite where a share is too small to be measured with. Every margin gets at least its part of 1/5000 of the
    /// price. Where the variance falls like `1 / share` the split is within 0.1 % of the optimum; where it falls faster,
    /// there are many local optima, of which one of the best is found. The same question always gets the same split.
    pub fn shares(&self, variance: &dyn Fn(usize, f64) -> f64, objective: Objective) -> Vec<f64> {
        split::shares(self, variance, objective)
    }

    /// The variance of a cell of each margin after least squares, from the variances of the margins' noises. Infinite ones
    /// stand for margins that are not measured.
    pub fn cell_variances(&self, variances: &[f64]) -> Vec<f64> {
        let known = self.known(&self.information(variances));
        let spread =
            |at: &usize| self.sets.get(*at).zip(known.get(*at)).map(|(set, known)| set.freedom / known);
        let variance = |set: &Set| set.below.iter().filter_map(spread).sum::<f64>() * set.scale;
        self.own_sets().map(variance).collect()
    }

    /// What each margin's measurement says of one number of its table, as `1 / (cells * variance)`: the information that
    /// it adds about every effect that it contains, in a unit common to all margins.
    fn information(&self, variances: &[f64]) -> Vec<f64> {
        let of = |(set, variance): (&Set, &f64)| match *variance {
            variance if variance <= *VARIANCES.end() => 1.0 / (set.cells * variance.max(*VARIANCES.start())),
            _ => 0.0,
        };
        self.own_sets().zip(variances).map(of).collect()
    }

    /// By set: the information about its effects from all margins.
    fn known(&self, information: &[f64]) -> Vec<f64> {
        let of_margin = |margin: &usize| information.get(*margin);
        self.sets.iter().map(|set| set.above.iter().filter_map(of_margin).sum()).collect()
    }

    fn own_set(&self, margin: usize) -> Option<&Set> {
        self.own.get(margin).and_then(|at| self.sets.get(*at))
    }

    /// The set of each margin.
    fn own_sets(&self) -> impl Iterator<Item = &Set> {
        self.own.iter().filter_map(|at| self.sets.get(*at))
    }

    /// The sets in which a margin meets others.
    fn met(&self, margin: usize, others: &[usize]) -> impl Iterator<Item = usize> {
        let meets = self.meets.get(margin).map_or(&[][..], Vec::as_slice);
        others.iter().map(|other| meets.get(*other).copied().unwrap_or_default())
    }

    /// Inverts sums over larger sets: the numbers of which `value` of a set is the sum over the sets between it and the set
    /// at `top`. In the order of the sets below `top`.
    fn inverted(&self, top: &Set, value: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut found: Vec<(u32, f64)> = Vec::new();
        for at in top.below.iter().rev() {
            let Some(set) = self.sets.get(*at) else { continue };
            let above: f64 =
                found.iter().filter(|(mask, _)| mask & set.mask == set.mask).map(|(_, part)| part).sum();
            found.push((set.mask, value(*at) - above));
        }
        found.into_iter().rev().map(|(_, part)| part).collect()
    }
}

fn cells(sizes: &[usize], mask: u32) -> Option<usize> {
    let kept = sizes.iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1);
    kept.map(|(_, size)| *size).try_fold(1usize, usize::checked_mul)
}

/// The sets of these masks, of which each comes after those that it contains.
fn sets(sizes: &[usize], margins: &[u32], masks: &[u32]) -> Option<Vec<Set>> {
    let mut freedoms: Vec<usize> = Vec::new();
    let mut sets = Vec::new();
    for (at, mask) in masks.iter().enumerate() {
        let smaller = masks.iter().take(at).enumerate().filter(|(_, other)| *other & mask == **other);
        let mut below: Vec<usize> = smaller.map(|(at, _)| at).collect();
        let cells = cells(sizes, *mask)?;
        // The tables of the smaller sets have as many free numbers together as their freedoms sum to.
        let freedom = cells - below.iter().filter_map(|at| freedoms.get(*at)).sum::<usize>();
        freedoms.push(freedom);
        below.push(at);
        let above = margins.iter().enumerate().filter(|(_, margin)| *margin & mask == *mask);
        let (scale, above) = (1.0 / (cells as f64 * cells as f64), above.map(|(margin, _)| margin).collect());
        sets.push(Set { mask: *mask, cells: cells as f64, scale, freedom: freedom as f64, below, above });
    }
    Some(sets)
}

#[cfg(test)]
mod tests;
