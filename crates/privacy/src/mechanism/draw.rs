//! The one place that adds noise: a plan's, over what was counted.

use std::collections::HashMap;

use super::{CELLS_PER_THREAD, Measurement, NoiseError, Selection, in_threads, rank_scores};
use crate::{
    Code, Fetch, Layout, Measure, Plan, PlannedMargin,
    plan::{CELLS_MOST, fractions},
};

/// The most keys that a release names of those that are found in the data.
pub const FOUND_KEYS_MOST: usize = 10_000;
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
