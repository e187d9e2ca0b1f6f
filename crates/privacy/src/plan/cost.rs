//! What carrying out a plan takes: known before anything is made or counted.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Fetch, PlanRefusal,
    limits::{
        CELLS_MOST, DIMENSIONS_MOST, INTEGERS_MOST, MARGINS_MOST, MEASURES_MOST, MEMORY_MOST, WEIGHED_MOST,
    },
};
use crate::{Dataset, Margin, Measure, Name, Query};

/// What any question takes: the session's cache, and the texts.
const SESSION_BYTES: usize = 8 << 20;
/// What an integer that is counted takes, and its candidate's part.
const COUNTED_BYTES: usize = 12;
/// What an integer of the release takes: with its noise, stored, and as a message.
const RELEASED_BYTES: usize = 64;
/// What a code in a layout takes, as it is planned, as it is measured, and as text.
const CODE_BYTES: usize = 200;
/// What a value that is found takes, and how much of it is foreseen: a search holds every value that the register has.
const FOUND_BYTES: usize = 100;
const FOUND_BYTES_MOST: usize = 48 << 20;

/// What carrying out a plan takes, beside its price.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// The integers that the database counts.
    pub integers: usize,
    /// The integers of the release; keys that are found come on top.
    pub cells: usize,
    /// How often one of a quantile's candidates is chosen: for every share of every group.
    pub selections: usize,
    /// How many candidates are weighed for that.
    pub weighed: usize,
    /// The codes in the layout.
    pub codes: usize,
    /// The most bytes that a plan takes by itself.
    pub plan_bytes: usize,
    /// The most bytes that planning, counting and measuring take together.
    pub memory_bytes: usize,
}

impl Cost {
    /// The cost of a question, or which bound it is over; makes nothing that grows with what is asked for.
    pub fn of(query: &Query, dataset: &Dataset) -> Result<Self, PlanRefusal> {
        Ok(costed(query, dataset, &|_, _| false)?.0)
    }

    /// Adds a margin of this number of groups.
    fn add(
        &mut self,
        groups: usize,
        fetch: &Fetch,
        measure: &Measure,
        dataset: &Dataset,
    ) -> Result<(), PlanRefusal> {
        let named = fetch.named(measure, dataset);
        let shares = if fetch.chooses() { named } else { 0 };
        let selections = groups.saturating_mul(shares);
        self.integers = self.integers.saturating_add(groups.saturating_mul(fetch.width(dataset)));
        self.cells = self.cells.saturating_add(groups.saturating_mul(fetch.figures(measure, dataset)));
        self.selections = self.selections.saturating_add(selections);
        self.weighed = self.weighed.saturating_add(selections.saturating_mul(fetch.candidate_count()));
        self.codes = self.codes.saturating_add(named);
        if self.cells > CELLS_MOST {
            return Err(PlanRefusal::Cells(self.cells));
        }
        if self.integers > INTEGERS_MOST {
            return Err(PlanRefusal::Integers(self.integers));
        }
        if self.weighed > WEIGHED_MOST {
            return Err(PlanRefusal::Selections { selections: self.selections, weighed: self.weighed });
        }
        Ok(())
    }

    /// Adds up the memory, once all is known.
    fn remembered(mut self, searched: bool, dataset: &Dataset) -> Result<Self, PlanRefusal> {
        let rows = usize::try_from(dataset.rows_below()).unwrap_or(usize::MAX);
        let found = if searched { rows.saturating_mul(FOUND_BYTES).min(FOUND_BYTES_MOST) } else { 0 };
        // Each factor is a bounded number times a small one.
        self.plan_bytes = CODE_BYTES / 2 * self.codes + (256 << 10);
        self.memory_bytes = SESSION_BYTES
            + COUNTED_BYTES * self.integers
            + RELEASED_BYTES * self.cells
            + CODE_BYTES * self.codes
            + found;
        if self.memory_bytes > MEMORY_MOST { Err(PlanRefusal::Memory(self.memory_bytes)) } else { Ok(self) }
    }
}

/// A margin that can be planned.
pub(super) struct Costed {
    pub(super) measure: Measure,
    pub(super) by: Margin,
    pub(super) fetch: Fetch,
    /// How many cells it has.
    pub(super) groups: usize,
}

/// The margins of a question with what they fetch, and what they cost together.
///
/// INVARIANT (a question's cost is known before it is begun): what is made here grows with the number of margins, never with
/// that of keys, bins or candidates.
pub(super) fn costed(
    query: &Query,
    dataset: &Dataset,
    centred: &dyn Fn(&Measure, &Margin) -> bool,
) -> Result<(Cost, Vec<Costed>), PlanRefusal> {
    if query.measures.len() > MEASURES_MOST {
        return Err(PlanRefusal::Measures(query.measures.len()));
    }
    let count = query.measures.values().map(BTreeSet::len).sum();
    if count > MARGINS_MOST {
        return Err(PlanRefusal::MarginsInAll(count));
    }
    let searches = query.measures.keys().filter(|measure| matches!(measure, Measure::Keys(_))).count();
    if searches > 1 {
        return Err(PlanRefusal::Searches(searches));
    }
    let mut keys: BTreeMap<Name, usize> = BTreeMap::new();
    let (mut cost, mut margins) = (Cost::default(), Vec::with_capacity(count));
    for (measure, by) in query.margins() {
        let groups = groups(&by, dataset, &mut keys)?;
        let fetch = Fetch::of(&measure, &by, dataset, centred(&measure, &by))?;
        cost.add(groups, &fetch, &measure, dataset)?;
        margins.push(Costed { measure, by, fetch, groups });
    }
    cost.codes = cost.codes.saturating_add(keys.values().sum());
    Ok((cost.remembered(searches > 0, dataset)?, margins))
}

/// How many cells a margin has; `keys` remembers how many each dimension has.
fn groups(by: &Margin, dataset: &Dataset, keys: &mut BTreeMap<Name, usize>) -> Result<usize, PlanRefusal> {
    if by.len() > DIMENSIONS_MOST {
        return Err(PlanRefusal::Dimensions);
    }
    let mut groups = 1usize;
    for dimension in by.dimensions() {
        let count = match keys.get(dimension) {
            Some(count) => *count,
            None => {
                let column = dataset.columns.get(dimension);
                let column = column.ok_or_else(|| PlanRefusal::Column(dimension.clone()))?;
                let count = column.domain.key_count();
                let count = count.ok_or_else(|| PlanRefusal::NotADimension(dimension.clone()))?;
                keys.insert(dimension.clone(), count);
                count
            }
        };
        groups = groups.saturating_mul(count);
    }
    Ok(groups)
}
