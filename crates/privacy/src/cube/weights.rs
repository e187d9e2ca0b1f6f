//! What an estimated cell is made of: for its exact interval.

use std::collections::BTreeMap;

use super::{Cube, Set};

/// How one estimated cell depends on the measured cells of one margin that stand to it alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weight {
    /// The measured margin.
    pub margin: usize,
    /// The factor of each of its cells.
    pub weight: f64,
    /// How many cells have it.
    pub times: u64,
}

impl Cube {
    /// The estimate of a cell of `margin` as a sum over the measured cells; it is the same for each of its cells, up to
    /// their order. The weights differ by which dimensions of the measured cell agree with the estimated one. Cells of
    /// weight 0 are left out.
    pub fn weights(&self, variances: &[f64], margin: usize) -> Vec<Weight> {
        let information = self.information(variances);
        let known = self.known(&information);
        let Some(own) = self.own_set(margin) else { return Vec::new() };
        let met = self.meets.get(margin).into_iter().flatten().filter_map(|at| self.sets.get(*at));
        let each = information.iter().zip(met).zip(self.own_sets()).enumerate();
        each.flat_map(|(measured, ((information, met), set))| {
            let found = self.met_weights(met, &known, information / own.cells, set.cells / met.cells);
            found.into_iter().map(move |(weight, times)| Weight { margin: measured, weight, times })
        })
        .collect()
    }

    /// The weights, and how often each occurs, of a measured margin that meets the estimated one in `met`.
    ///
    /// The estimate is the sum, over the sets `c` in `met`, of what the measured table summed to `c` says of the effects
    /// of `c`; written by tables instead of effects, each counts with the inversion of `1 / known`.
    fn met_weights(&self, met: &Set, known: &[f64], factor: f64, times: f64) -> Vec<(f64, u64)> {
        let certainty =
            |at: usize| known.get(at).filter(|known| **known > 0.0).map_or(0.0, |known| 1.0 / known);
        let tables = met.below.iter().filter_map(|at| self.sets.get(*at)).zip(self.inverted(met, certainty));
        let tables: Vec<(u32, f64)> =
            tables.map(|(set, part)| (set.mask, factor * set.cells * part)).collect();
        let classes = self.classes(met.mask, &tables);
        let mut found = BTreeMap::<u64, f64>::new();
        for choice in 0..1u32 << classes.len() {
            let agreeing = |at: usize| choice >> at & 1 == 1;
            let agreed: u32 =
                classes.iter().enumerate().filter(|(at, _)| agreeing(*at)).map(|(_, class)| class.0).sum();
            let differing = classes.iter().enumerate().filter(|(at, _)| !agreeing(*at));
            let times = times * differing.map(|(_, class)| class.1 - 1.0).product::<f64>();
            let weight: f64 =
                tables.iter().filter(|(mask, _)| mask & agreed == *mask).map(|(_, part)| part).sum();
            if times > 0.0 && weight != 0.0 {
                *found.entry(weight.to_bits()).or_default() += times;
            }
        }
        found.into_iter().map(|(bits, times)| (f64::from_bits(bits), times as u64)).collect()
    }

    /// The dimensions of a mask, those together that are in the same tables; with the cells of a table by them.
    fn classes(&self, mask: u32, tables: &[(u32, f64)]) -> Vec<(u32, f64)> {
        let mut classes = BTreeMap::<Vec<bool>, (u32, f64)>::new();
        for (at, size) in self.sizes.iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1) {
            let within = tables.iter().map(|(table, _)| table >> at & 1 == 1).collect();
            let class = classes.entry(within).or_insert((0, 1.0));
            *class = (class.0 | 1 << at, class.1 * *size as f64);
        }
        classes.into_values().collect()
    }
}
