//! Whole numbers from real ones that are not below zero, from coarse to fine.

use std::collections::BTreeSet;

use lango_privacy::Cube;

/// A table beside the chain.
struct Guide {
    /// By cell of the table that is being rounded: the guide's cell that it adds to.
    places: Vec<usize>,
    /// By its own cell: what the cells rounded so far took from it.
    owed: Vec<f64>,
}

/// The joint table in whole numbers. The grand total is rounded first; then one dimension after the other splits what is
/// already whole among its keys: each gets its real number without the fraction, and what is left goes, one each, to those
/// with the largest fractions and what their cells in other margins are owed.
pub(super) fn rounded(cube: &Cube, total: f64, finest: &[f64], chain: &[u32]) -> Vec<i64> {
    let joint = chain.last().copied().unwrap_or_default();
    let mut whole = vec![total.round() as i64];
    let mut split = 0u32;
    for dimension in dimensions(chain) {
        split |= 1 << dimension;
        let mut real = vec![0.0; cube.cells(split).unwrap_or_default()];
        for (cell, place) in finest.iter().zip(cube.places(joint, split)) {
            real.get_mut(place).into_iter().for_each(|sum| *sum += cell);
        }
        let keys = cube.sizes().get(dimension).copied().unwrap_or(1);
        let stride = cube.cells(split & !((2 << dimension) - 1)).unwrap_or(1);
        let mut guides = guides(cube, split, dimension);
        let mut next = vec![0; real.len()];
        for (at, units) in whole.iter().enumerate() {
            let start = at / stride * stride * keys + at % stride;
            let cells: Vec<usize> = (0..keys).map(|key| start + key * stride).collect();
            share_out(*units, &cells, &real, &mut guides, &mut next);
        }
        whole = next;
    }
    whole
}

/// The dimensions in the order in which the chain takes them up.
fn dimensions(chain: &[u32]) -> impl Iterator<Item = usize> {
    let steps = chain.iter().zip(chain.iter().skip(1)).map(|(before, after)| after & !before);
    steps.flat_map(|step| (0..u32::BITS as usize).filter(move |at| step >> at & 1 == 1))
}

/// The margins that the newest dimension of a table splits, as far as the table goes, except the table itself.
fn guides(cube: &Cube, split: u32, dimension: usize) -> Vec<Guide> {
    let split_up =
        cube.margins().iter().map(|margin| margin & split).filter(|mask| mask >> dimension & 1 == 1);
    let distinct: BTreeSet<u32> = split_up.filter(|mask| *mask != split).collect();
    let guide = |mask| Guide {
        places: cube.places(split, mask),
        owed: vec![0.0; cube.cells(mask).unwrap_or_default()],
    };
    distinct.into_iter().map(guide).collect()
}

/// Shares out the units of one cell among the cells that it is split into.
fn share_out(units: i64, cells: &[usize], real: &[f64], guides: &mut [Guide], whole: &mut [i64]) {
    let number = |cell: usize| real.get(cell).copied().unwrap_or_default();
    let owed = |cell: usize| {
        let each = guides.iter().filter_map(|guide| guide.owed.get(*guide.places.get(cell)?));
        each.sum::<f64>()
    };
    // Cells that are whole already come last.
    let rank = |cell: usize| match number(cell).fract() {
        0.0 => f64::NEG_INFINITY,
        fraction => fraction + owed(cell),
    };
    let mut given: Vec<(f64, usize, i64)> =
        cells.iter().map(|cell| (rank(*cell), *cell, number(*cell) as i64)).collect();
    given.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut left = units - given.iter().map(|(_, _, units)| units).sum::<i64>();
    while left > 0 {
        for (_, _, units) in given.iter_mut().take(left as usize) {
            (*units, left) = (*units + 1, left - 1);
        }
    }
    // Only where the sum of fractions is off by a float's rounding.
    while left < 0 {
        for (_, _, units) in
            given.iter_mut().rev().filter(|(_, _, units)| *units > 0).take(left.unsigned_abs() as usize)
        {
            (*units, left) = (*units - 1, left + 1);
        }
    }
    for (_, cell, units) in given {
        for guide in guides.iter_mut() {
            let place = guide.places.get(cell).copied();
            let owed = place.and_then(|place| guide.owed.get_mut(place));
            owed.into_iter().for_each(|owed| *owed += number(cell) - units as f64);
        }
        whole.get_mut(cell).into_iter().for_each(|whole| *whole = units);
    }
}
