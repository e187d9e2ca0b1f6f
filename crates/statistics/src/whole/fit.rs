//! The nearest tables that have no cell below zero.

use lango_privacy::Cube;

/// The most rounds over the tables that a table must add up to.
const ROUNDS_MOST: usize = 100;

/// What a table must add up to.
struct Sums<'a> {
    /// By cell of the table: the sum that it adds to.
    places: Vec<usize>,
    totals: &'a [f64],
}

/// The grand total and the joint table, with no cell below zero. Each node comes after those within it; a table of the chain
/// adds up to the one before it in the chain, and to others within it as nearly as that allows.
pub(super) fn non_negative(
    cube: &Cube,
    tables: &[Vec<f64>],
    nodes: &[u32],
    chain: &[u32],
) -> Option<(f64, Vec<f64>)> {
    let mut fitted: Vec<(u32, Vec<f64>)> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let inside = |mask: u32, other: u32| mask != other && mask & other == mask;
        let between =
            |mask: u32| fitted.iter().any(|(other, _)| inside(mask, *other) && inside(*other, *node));
        let widest = fitted.iter().filter(|(mask, _)| inside(*mask, *node) && !between(*mask));
        let mut widest: Vec<_> = widest.collect();
        // What comes last is met to the last digit.
        widest.sort_by_key(|(mask, _)| chain.contains(mask) && chain.contains(node));
        let sums: Vec<Sums> = widest
            .into_iter()
            .map(|(mask, totals)| Sums { places: cube.places(*node, *mask), totals })
            .collect();
        let table = match estimated(cube, tables, *node) {
            Some(table) => nearest(table, &sums),
            None => nearest(
                proportional(cube.cells(*node)?, &sums),
                sums.last().map_or(&[], std::slice::from_ref),
            ),
        };
        fitted.push((*node, table));
    }
    let total = fitted.first().and_then(|(_, table)| table.first().copied())?;
    fitted.pop().map(|(_, finest)| (total, finest))
}

/// The node's table as estimated: summed from the smallest margin that holds it, if one does.
fn estimated(cube: &Cube, tables: &[Vec<f64>], node: u32) -> Option<Vec<f64>> {
    let holding = cube.margins().iter().zip(tables).filter(|(margin, _)| *margin & node == node);
    let (margin, table) = holding.min_by_key(|(_, table)| table.len())?;
    let mut sums = vec![0.0; cube.cells(node)?];
    add(table.iter().copied(), &cube.places(*margin, node), &mut sums);
    Some(sums)
}

/// The table with no cell below zero that is nearest to this one among those with these sums: it is this table with each
/// cell shifted by a number for each of its sums, and cut off at zero. The shifts are found for one kind of sums after the
/// other (Dykstra's projections, which for one kind are done at once).
fn nearest(mut table: Vec<f64>, sums: &[Sums]) -> Vec<f64> {
    let mut shifts: Vec<Vec<f64>> = sums.iter().map(|sums| vec![0.0; sums.totals.len()]).collect();
    for _ in 0..ROUNDS_MOST {
        for (sums, shifts) in sums.iter().zip(&mut shifts) {
            sums.shift(&mut table, shifts, -1.0);
            sums.level(&table, shifts);
            sums.shift(&mut table, shifts, 1.0);
        }
        let others = sums.iter().rev().skip(1);
        if others.map(|sums| sums.distance(table.iter().map(|cell| cell.max(0.0)))).all(|far| far < 1.0) {
            break;
        }
    }
    table.iter_mut().for_each(|cell| *cell = cell.max(0.0));
    table
}

/// The table with these sums that is nearest to independence (iterative proportional fitting).
fn proportional(cells: usize, sums: &[Sums]) -> Vec<f64> {
    let mut table = vec![1.0; cells];
    for _ in 0..ROUNDS_MOST {
        for sums in sums {
            let mut factors = vec![0.0; sums.totals.len()];
            add(table.iter().copied(), &sums.places, &mut factors);
            for (factor, total) in factors.iter_mut().zip(sums.totals) {
                *factor = if *factor > 0.0 { total / *factor } else { 0.0 };
            }
            let factors = sums.places.iter().map(|place| factors.get(*place).unwrap_or(&0.0));
            table.iter_mut().zip(factors).for_each(|(cell, factor)| *cell *= factor);
        }
        if sums.iter().all(|sums| sums.distance(table.iter().copied()) < 1.0) {
            break;
        }
    }
    table
}

impl Sums<'_> {
    fn shift(&self, table: &mut [f64], shifts: &[f64], times: f64) {
        let shifts = self.places.iter().map(|place| shifts.get(*place).unwrap_or(&0.0));
        table.iter_mut().zip(shifts).for_each(|(cell, shift)| *cell += times * shift);
    }

    /// Finds the shifts at which the cells above zero have these sums. They are roots of rising broken lines: Newton's
    /// method comes down on them from above in finitely many steps.
    fn level(&self, table: &[f64], shifts: &mut [f64]) {
        for _ in 0..ROUNDS_MOST {
            // By sum: the cells above zero, how many they are, and the largest cell.
            let mut found = vec![(0.0, 0.0, f64::NEG_INFINITY); shifts.len()];
            for (cell, place) in table.iter().zip(&self.places) {
                if let Some(((sum, count, largest), shift)) = found.get_mut(*place).zip(shifts.get(*place)) {
                    *largest = cell.max(*largest);
                    if cell + shift > 0.0 {
                        *sum += cell + shift;
                        *count += 1.0;
                    }
                }
            }
            let mut done = true;
            for ((shift, total), (sum, count, largest)) in shifts.iter_mut().zip(self.totals).zip(found) {
                if (sum - total).abs() > 1e-12 * (1.0 + total) {
                    *shift = if count > 0.0 { *shift - (sum - total) / count } else { total - largest };
                    done = false;
                }
            }
            if done {
                return;
            }
        }
    }

    /// The largest distance of a sum from its total; below 1 it is little beside the rounding that follows.
    fn distance(&self, table: impl Iterator<Item = f64>) -> f64 {
        let mut sums = vec![0.0; self.totals.len()];
        add(table, &self.places, &mut sums);
        let far = |(sum, total): (&f64, &f64)| (sum - total).abs() / (0.01 + 1e-12 * total);
        sums.iter().zip(self.totals).map(far).fold(0.0, f64::max)
    }
}

fn add(table: impl Iterator<Item = f64>, places: &[usize], sums: &mut [f64]) {
    for (cell, place) in table.zip(places) {
        sums.get_mut(*place).into_iter().for_each(|sum| *sum += cell);
    }
}
