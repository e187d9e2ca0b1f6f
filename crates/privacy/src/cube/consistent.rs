//! Least squares: tables that add up, from measured ones that do not.

use super::{Cube, Set};

impl Cube {
    /// The least-squares estimates of the margins' tables from the measured ones, whose noises have these variances (an
    /// infinite one stands for a margin that was not measured, as does a table of another size than its margin's).
    ///
    /// Tables are row-major, their dimensions in the order of positions. Finer estimates add up to coarser ones. An effect
    /// that no margin measured is estimated as none.
    pub fn consistent(&self, variances: &[f64], tables: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let fits = |(set, table): (&Set, &Vec<f64>)| table.len() as f64 == set.cells;
        let fitting = self.own_sets().zip(tables).map(fits).chain(std::iter::repeat(false));
        let information = self.information(variances).into_iter().zip(fitting);
        let information: Vec<f64> = information.map(|(value, fits)| if fits { value } else { 0.0 }).collect();

        let mut estimates: Vec<Vec<f64>> = Vec::with_capacity(self.sets.len());
        for (set, mean) in self.sets.iter().zip(self.means(&information, tables)) {
            let estimate = self.corrected(set, mean, &estimates);
            estimates.push(estimate);
        }
        self.own.iter().filter_map(|at| estimates.get(*at).cloned()).collect()
    }

    /// The set's table corrected by all that smaller sets say of it, by inclusion and exclusion.
    fn corrected(&self, set: &Set, table: Vec<f64>, estimates: &[Vec<f64>]) -> Vec<f64> {
        let own = set.below.last();
        let parts = self.inverted(set, |at| if Some(&at) == own { 1.0 } else { 0.0 });
        let mut corrected = table.clone();
        for (at, part) in set.below.iter().zip(parts).filter(|(at, part)| Some(*at) != own && *part != 0.0) {
            let (Some(smaller), Some(estimate)) = (self.sets.get(*at), estimates.get(*at)) else { continue };
            let places = self.places(set.mask, smaller.mask);
            let mut missing = estimate.clone();
            add(&table, &places, -1.0, &mut missing);
            let scale = -part * smaller.cells / set.cells;
            for (cell, missing) in corrected.iter_mut().zip(places.iter().map(|place| missing.get(*place))) {
                *cell += scale * missing.unwrap_or(&0.0);
            }
        }
        corrected
    }

    /// By set: the mean of its table as the margins that contain it measured it, weighted by their information.
    fn means(&self, information: &[f64], tables: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let known = self.known(information);
        let mut means: Vec<Vec<f64>> = self.sets.iter().map(|set| vec![0.0; set.cells as usize]).collect();
        let measured =
            self.own_sets().zip(tables).zip(information).filter(|(_, information)| **information > 0.0);
        for ((own, table), information) in measured {
            for (at, sum) in self.sums(own, table) {
                let weight = information / known.get(at).unwrap_or(&f64::INFINITY);
                let mean = means.get_mut(at).into_iter().flatten();
                mean.zip(sum).for_each(|(mean, sum)| *mean += weight * sum);
            }
        }
        means
    }

    /// A margin's table summed to each set that the margin contains, by the set's place.
    fn sums(&self, own: &Set, table: &[f64]) -> Vec<(usize, Vec<f64>)> {
        let mut sums: Vec<(usize, &Set, Vec<f64>)> = Vec::new();
        for (at, set) in own.below.iter().rev().filter_map(|at| Some((*at, self.sets.get(*at)?))) {
            // From the smallest table at hand.
            let from = sums.iter().rev().find(|(_, larger, _)| larger.mask & set.mask == set.mask);
            let sum = match from {
                None => table.to_vec(),
                Some((_, larger, table)) => {
                    let mut sum = vec![0.0; set.cells as usize];
                    add(table, &self.places(larger.mask, set.mask), 1.0, &mut sum);
                    sum
                }
            };
            sums.push((at, set, sum));
        }
        sums.into_iter().map(|(at, _, sum)| (at, sum)).collect()
    }
}

/// Adds `times` each cell of a table to the sum in its place.
fn add(table: &[f64], places: &[usize], times: f64, sums: &mut [f64]) {
    for (cell, place) in table.iter().zip(places) {
        if let Some(sum) = sums.get_mut(*place) {
            *sum += times * cell;
        }
    }
}
