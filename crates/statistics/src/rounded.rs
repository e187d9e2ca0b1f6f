//! Counts as whole numbers, none below zero, that still add up.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use lango_privacy::{Cube, Measure};

use crate::{Axis, Cell, CombineError, CombinedTable, Figure, OFFICE, OfficeRelease, whole};

/// A dimension of several tables; the bins of histograms, which stand last in each, after all others.
type Dimension<'a> = (bool, &'a str);

/// The tables of some answers, with the counts made whole numbers that are not negative; margins of a measure that added up
/// before still do, unless something of them is hidden: then each figure is rounded by itself. Sums, ratios, quantiles and found
/// keys stay as they are.
///
/// Standard errors are those of the estimates before, and so are the intervals, cut off at zero; of an estimate below zero the
/// interval is that of zero. Rounding, and what negative cells lacked and their neighbours give, may move a figure out of its
/// interval.
pub fn in_whole_numbers(
    tables: &[CombinedTable],
    answers: &[OfficeRelease<'_>],
) -> Result<Vec<CombinedTable>, CombineError> {
    let mut tables = tables.to_vec();
    let margins = answers.first().map(|answer| answer.layout.margins()).unwrap_or_default();
    let mut groups: Vec<(&Measure, Vec<usize>)> = Vec::new();
    for (place, margin) in margins.iter().enumerate().filter(|(_, margin)| margin.measure.counts()) {
        let adds_up = answers.iter().all(|answer| margin.measure.adds_up(&answer.plan.bounds));
        match groups.last_mut().filter(|(measure, _)| adds_up && **measure == margin.measure) {
            Some((_, places)) => places.push(place),
            None => groups.push((&margin.measure, vec![place])),
        }
    }
    for (measure, places) in groups {
        let offices = places.first().and_then(|place| Some(blocks(tables.get(*place)?)));
        for block in 0..offices.unwrap_or(0) {
            if places.iter().filter_map(|place| tables.get(*place)).any(|table| hides(table, block)) {
                places.iter().for_each(|place| round_each(&mut tables, *place, block));
                continue;
            }
            make_whole(&mut tables, &places, block)
                .ok_or_else(|| CombineError::NotWhole { measure: measure.to_string() })?;
        }
    }
    Ok(tables)
}

/// How many offices stand side by side in a table; 1 where they are added up.
fn blocks(table: &CombinedTable) -> usize {
    table.axes.first().filter(|axis| axis.dimension == OFFICE).map_or(1, |axis| axis.codes.len())
}

/// The axes of a block of a table.
fn axes(table: &CombinedTable) -> &[Axis] {
    match table.axes.as_slice() {
        [office, axes @ ..] if office.dimension == OFFICE => axes,
        axes => axes,
    }
}

fn dimensions(table: &CombinedTable) -> impl Iterator<Item = Dimension<'_>> {
    let bins = matches!(table.measure, Measure::Histogram(_)).then(|| axes(table).len().saturating_sub(1));
    axes(table).iter().enumerate().map(move |(at, axis)| (Some(at) == bins, axis.dimension.as_str()))
}

fn block_cells(table: &CombinedTable, block: usize) -> &[Cell] {
    table.cells.get(places(table, block)).unwrap_or_default()
}

/// The places of a block's cells.
fn places(table: &CombinedTable, block: usize) -> Range<usize> {
    let size = table.cells.len() / blocks(table).max(1);
    block * size..(block + 1) * size
}

/// Whether something of a block is hidden.
fn hides(table: &CombinedTable, block: usize) -> bool {
    table.hidden.range(places(table, block)).next().is_some()
}

/// Rounds each figure of a block by itself.
fn round_each(tables: &mut [CombinedTable], place: usize, block: usize) {
    let Some(table) = tables.get_mut(place) else { return };
    let own = places(table, block);
    let figures = table.cells.get_mut(own).into_iter().flatten().filter_map(|cell| cell.figure.as_mut());
    figures.for_each(|figure| *figure = at_least_none(figure, figure.value.round_ties_even().max(0.0)));
}

/// Makes one block of some tables, whose margins add up, whole.
fn make_whole(tables: &mut [CombinedTable], places: &[usize], block: usize) -> Option<()> {
    let own: Vec<&CombinedTable> = places.iter().filter_map(|place| tables.get(*place)).collect();
    // An office has no figures at keys that it does not declare.
    let mut kept: BTreeMap<Dimension<'_>, BTreeSet<usize>> = BTreeMap::new();
    for table in &own {
        for (cell, at) in block_cells(table, block).iter().zip(positions(table)) {
            for (dimension, at) in dimensions(table).zip(at).filter(|_| cell.figure.is_some()) {
                kept.entry(dimension).or_default().insert(at);
            }
        }
    }
    let sizes = kept.values().map(BTreeSet::len).collect();
    let mask = |table: &&CombinedTable| {
        let bit = |dimension| kept.keys().position(|known| *known == dimension);
        dimensions(table).try_fold(0u32, |mask, dimension| {
            Some(mask | 1u32.checked_shl(u32::try_from(bit(dimension)?).ok()?)?)
        })
    };
    let masks: Option<Vec<u32>> = own.iter().map(mask).collect();
    let Some(masks) = masks else {
        // No figures at all.
        return Some(());
    };
    let cube = Cube::new(sizes, masks)?;
    let is_kept = |table: &CombinedTable, at: &[usize]| {
        dimensions(table)
            .zip(at)
            .all(|(dimension, at)| kept.get(&dimension).is_some_and(|kept| kept.contains(at)))
    };
    let inside: Vec<Vec<usize>> = own
        .iter()
        .map(|table| {
            positions(table).enumerate().filter(|(_, at)| is_kept(table, at)).map(|(cell, _)| cell).collect()
        })
        .collect();
    let value = |cell: &Cell| cell.figure.map_or(0.0, |figure| figure.value);
    let values: Vec<Vec<f64>> = own
        .iter()
        .zip(&inside)
        .map(|(table, inside)| {
            inside.iter().filter_map(|cell| Some(value(block_cells(table, block).get(*cell)?))).collect()
        })
        .collect();
    let made = whole(&cube, &values)?;
    for ((place, inside), made) in places.iter().zip(inside).zip(made) {
        let table = tables.get_mut(*place)?;
        let first = block * (table.cells.len() / blocks(table).max(1));
        for (cell, value) in inside.iter().zip(made) {
            let figure = table.cells.get_mut(first + cell).and_then(|cell| cell.figure.as_mut());
            figure.into_iter().for_each(|figure| *figure = at_least_none(figure, value as f64));
        }
    }
    Some(())
}

/// For each cell of a block, its position on each axis.
fn positions(table: &CombinedTable) -> impl Iterator<Item = Vec<usize>> {
    let lens: Vec<usize> = axes(table).iter().map(|axis| axis.codes.len().max(1)).collect();
    (0..lens.iter().product()).map(move |cell: usize| {
        let mut rest = cell;
        let mut at: Vec<usize> = lens
            .iter()
            .rev()
            .map(|len| {
                let at = rest % len;
                rest /= len;
                at
            })
            .collect();
        at.reverse();
        at
    })
}

/// A figure with another value, of a count, which is not below zero.
///
/// Of an estimate below zero, what is left of its interval above zero would be the narrower the worse the noise was, or nothing.
/// In its place stands the interval of an estimate of zero, which holds that rest, so that it covers the truth as often. And
/// whatever the estimate, it holds at least the asked probability of the counts from zero on, if all were as likely beforehand:
/// the noises are log-concave, as sums of such are, so that what lies beyond grows no likelier the lower the estimate (Barlow and
/// Proschan, Statistical Theory of Reliability, 1975). Of Laplace noise, which has no memory, it holds that and hardly more.
fn at_least_none(figure: &Figure, value: f64) -> Figure {
    let below = figure.value.min(0.0);
    let lower = figure.lower.map(|end| end.max(0.0));
    let upper = figure.upper.map(|end| (end - below).max(0.0));
    Figure { value, lower, upper, ..*figure }
}
