//! Whole numbers: from estimates that add up to tables of whole numbers, none below zero, that still add up.

use std::collections::BTreeSet;

use lango_privacy::Cube;

mod apportion;
mod fit;

/// The most cells of a table that is made up because no margin has all dimensions.
const JOINT_CELLS_MOST: usize = 2_000_000;
/// Beyond this, floats are not exact to the unit.
const SIZE_MOST: f64 = 4e15;

/// Tables of whole numbers, none below zero, that add up exactly, from estimated tables that add up.
///
/// The grand total becomes the nearest whole number that is not below zero. From there down, each table becomes the nearest
/// one (in the sum of squares) that has no cell below zero and adds up to the tables within it: what negative cells lack
/// is taken from the cells beside them, and does not add to any total. Then the cells of a chain of margins, each within
/// the next, are rounded up or down, from coarse to fine: each of their cells ends less than 1 from where it was without
/// negative cells. Margins beside the chain are sums of cells so rounded; which of these go up is chosen so that the sums
/// stay close, but they have no bound. Where no margin has all dimensions, a table that does is made up first, as near to
/// independence as the margins allow.
///
/// `None` if the tables are not of the cube's sizes, hold a number beyond 4e15 or none at all, or if a table of more than
/// 2,000,000 cells would have to be made up.
pub fn whole(cube: &Cube, tables: &[Vec<f64>]) -> Option<Vec<Vec<i64>>> {
    let margins = cube.margins();
    let fits = |(margin, table): (&u32, &Vec<f64>)| cube.cells(*margin) == Some(table.len());
    let sized = |table: &Vec<f64>| table.iter().map(|cell| cell.abs()).sum::<f64>() <= SIZE_MOST;
    if margins.len() != tables.len() || !margins.iter().zip(tables).all(fits) || !tables.iter().all(sized) {
        return None;
    }
    let joint = margins.iter().fold(0, |joint, margin| joint | margin);
    if !margins.contains(&joint) && cube.cells(joint)? > JOINT_CELLS_MOST {
        return None;
    }
    let chain = chain(cube, joint);
    let (total, finest) = fit::non_negative(cube, tables, &nodes(cube, joint), &chain)?;
    let finest = apportion::rounded(cube, total, &finest, &chain);
    let sum = |margin: &u32| {
        let mut sums = vec![0i64; cube.cells(*margin)?];
        for (cell, place) in finest.iter().zip(cube.places(joint, *margin)) {
            sums.get_mut(place).into_iter().for_each(|sum| *sum += cell);
        }
        Some(sums)
    };
    margins.iter().map(sum).collect()
}

/// The tables that are fitted: the grand total, every intersection of margins and the joint table, each after those that
/// are within it.
fn nodes(cube: &Cube, joint: u32) -> Vec<u32> {
    let distinct: BTreeSet<u32> = cube.intersections().chain([0, joint]).collect();
    let mut nodes: Vec<u32> = distinct.into_iter().collect();
    nodes.sort_by_key(|mask| mask.count_ones());
    nodes
}

/// The chain of nodes, each within the next, from the grand total to the joint table, that holds the most margins, and
/// leaves out no node between two of its own.
fn chain(cube: &Cube, joint: u32) -> Vec<u32> {
    let asked = |chain: &Vec<u32>| chain.iter().filter(|mask| cube.margins().contains(mask)).count();
    let mut chains: Vec<Vec<u32>> = Vec::new();
    for node in nodes(cube, joint) {
        let within = |chain: &&Vec<u32>| chain.last().is_some_and(|last| last & node == *last);
        let best = chains.iter().filter(within).max_by_key(|chain| (asked(chain), chain.len()));
        chains.push(best.into_iter().flatten().copied().chain([node]).collect());
    }
    chains.pop().unwrap_or_default()
}

#[cfg(test)]
mod tests;
