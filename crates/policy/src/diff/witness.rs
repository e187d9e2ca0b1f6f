//! The simplest question within a region that some other regions do not allow and that prohibitions leave alone.
//!
//! A region does not allow a question that has one part too many: one measure, one column, one more column at once, or a higher
//! price. So such a question is found by taking, for each region that is to be left, a part that is outside of it, as long as all
//! parts together still fit into a question.

use std::collections::{BTreeMap, BTreeSet};

use lango_privacy::Code;

use super::{
    region::{Barrier, Bits, Region, Universe},
    work::Work,
};

/// Columns with conditions; of one with codes, the code that it names, or one that no prohibition speaks of.
pub(super) type Conditions = BTreeMap<usize, Option<Code>>;

/// A measure, and the columns that it is grouped by.
pub(super) type Grouped = (usize, Vec<usize>);

/// Parts that make the difference, and a question that has them.
pub(super) type Shown = (Parts, Sketch);

/// What is searched for, as far as it decides what is found: the same for many askers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Problem {
    /// Where the question is.
    region: Region,
    /// Which regions it is not within: parts of the region, and none of them within another.
    outside: Vec<Region>,
    /// The places of the prohibitions that leave it alone.
    avoided: BTreeSet<usize>,
    /// The place of the one that refuses it.
    hit: Option<usize>,
}

/// What problems are about, and how much may be done to solve them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground<'a> {
    pub universe: &'a Universe,
    pub barriers: &'a [Barrier],
    pub work: &'a Work,
}

impl Problem {
    /// None where there is no such question, or nothing is left of the work.
    pub fn new<'r>(
        ground: Ground<'_>,
        region: Region,
        outside: impl Iterator<Item = &'r Region>,
        avoided: &[usize],
        hit: Option<usize>,
    ) -> Option<Self> {
        let (width, outside) = (ground.universe.width(), outside.collect::<Vec<_>>());
        ground.work.take((outside.len() + avoided.len()) * width)?;
        if region.measures.is_empty() || outside.iter().any(|outside| region.within(outside)) {
            return None;
        }
        let usable = region.usable(ground.universe);
        let is_usable = |at: &usize| {
            ground.barriers.get(*at).is_some_and(|barrier| {
                barrier.columns.within(&usable) && barrier.codes.keys().all(|column| usable.contains(*column))
            })
        };
        let avoided = avoided.iter().copied().filter(is_usable).collect();
        if hit.is_some_and(|hit| !is_usable(&hit)) {
            return None;
        }
        let parts: BTreeSet<Region> = outside.iter().map(|outside| region.and(outside)).collect();
        ground.work.take(parts.len() * parts.len() * width)?;
        let is_largest = |part: &&Region| !parts.iter().any(|other| other != *part && part.within(other));
        let outside = parts.iter().filter(is_largest).cloned().collect();
        Some(Self { region, outside, avoided, hit })
    }

    /// The parts by which questions come to be what is searched for, each with an example: alone as far as one is enough,
    /// together where it is not. None where there is no such question, or nothing is left of the work.
    pub fn found(&self, ground: Ground<'_>) -> Vec<Shown> {
        let barrier = |at: &usize| ground.barriers.get(*at);
        let search = Search {
            universe: ground.universe,
            region: &self.region,
            outside: &self.outside,
            avoided: self.avoided.iter().filter_map(barrier).collect(),
            hit: self.hit.as_ref().and_then(barrier),
            work: ground.work,
        };
        search.found()
    }
}

/// A problem with what its places mean.
#[derive(Debug)]
struct Search<'a> {
    universe: &'a Universe,
    region: &'a Region,
    outside: &'a [Region],
    avoided: Vec<&'a Barrier>,
    hit: Option<&'a Barrier>,
    work: &'a Work,
}

/// Parts that a question must have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Parts {
    pub measures: Vec<usize>,
    pub by: Vec<usize>,
    pub filters: Vec<usize>,
    /// This number of columns at once in one of its margins; 0 asks for nothing.
    pub at_once: usize,
    /// Whether it must cost more than others allow.
    pub is_dear: bool,
    /// The prohibition that must refuse it, by name.
    pub refused_by: Option<String>,
}

/// A question that has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sketch {
    pub margins: BTreeSet<Grouped>,
    pub filters: Conditions,
    pub epsilon_nano: u64,
}

impl Search<'_> {
    fn found(&self) -> Vec<Shown> {
        let cheapest = self.outside.iter().map(|outside| outside.epsilon_nano).min();
        let low = cheapest.unwrap_or(u64::MAX).min(self.region.epsilon_nano);
        let mut found = Vec::new();
        let nothing = Parts::default();
        if let Some(sketch) = self.try_parts(&nothing, low) {
            return vec![(nothing, sketch)];
        }
        let mut rest = self.region.clone();
        for parts in self.alone() {
            if let Some(sketch) = self.try_parts(&parts, low) {
                parts.measures.iter().for_each(|measure| rest.measures.remove(*measure));
                parts.by.iter().for_each(|column| rest.by.remove(*column));
                parts.filters.iter().for_each(|column| rest.filters.remove(*column));
                if parts.at_once > 0 {
                    rest.at_most = parts.at_once - 1;
                }
                found.push((parts, sketch));
            }
        }
        found.extend(self.together(&rest, low));
        let dear = Parts { is_dear: true, ..Parts::default() };
        if low < self.region.epsilon_nano {
            match self.try_parts(&dear, self.region.epsilon_nano) {
                Some(sketch) => found.push((dear, sketch)),
                None if found.is_empty() => {
                    let together = self.together(self.region, self.region.epsilon_nano);
                    found.extend(together.map(|(parts, sketch)| (Parts { is_dear: true, ..parts }, sketch)));
                }
                None => {}
            }
        }
        found
    }

    /// Each part that is outside of a region that is to be left, by itself.
    fn alone(&self) -> Vec<Parts> {
        let outside = |of: fn(&Region) -> &Bits| -> Vec<usize> {
            let mut members = Bits::none(of(self.region).iter().last().map_or(0, |last| last + 1));
            for region in self.outside {
                of(self.region).minus(of(region)).iter().for_each(|member| members.insert(member));
            }
            members.iter().collect()
        };
        let mut parts: Vec<Parts> = Vec::new();
        parts.extend(
            outside(|region| &region.measures)
                .into_iter()
                .map(|at| Parts { measures: vec![at], ..Parts::default() }),
        );
        parts.extend(
            outside(|region| &region.by).into_iter().map(|at| Parts { by: vec![at], ..Parts::default() }),
        );
        parts.extend(
            outside(|region| &region.filters)
                .into_iter()
                .map(|at| Parts { filters: vec![at], ..Parts::default() }),
        );
        if let Some(most) = self.outside.iter().map(|region| region.at_most).max() {
            parts.push(Parts { at_once: most + 1, ..Parts::default() });
        }
        parts
    }

    fn try_parts(&self, parts: &Parts, epsilon_nano: u64) -> Option<Sketch> {
        self.work.take(self.outside.len())?;
        let leaves = self.outside.iter().all(|outside| self.leaves(parts, epsilon_nano, outside));
        if leaves { self.arrange(self.region, parts, epsilon_nano) } else { None }
    }

    fn leaves(&self, parts: &Parts, epsilon_nano: u64, outside: &Region) -> bool {
        epsilon_nano > outside.epsilon_nano
            || parts.at_once > outside.at_most
            || parts.measures.iter().any(|at| !outside.measures.contains(*at))
            || parts.by.iter().any(|at| !outside.by.contains(*at))
            || parts.filters.iter().any(|at| !outside.filters.contains(*at))
    }

    /// Parts that leave all regions together, as few as there can be left of those that were found.
    fn together(&self, within: &Region, epsilon_nano: u64) -> Option<Shown> {
        let mut parts = self.search(within, &Parts::default(), epsilon_nano)?;
        let is_enough =
            |parts: &Parts| self.outside.iter().all(|outside| self.leaves(parts, epsilon_nano, outside));
        let lists: [fn(&mut Parts) -> &mut Vec<usize>; 3] =
            [|parts| &mut parts.measures, |parts| &mut parts.by, |parts| &mut parts.filters];
        for list in lists {
            for at in (0..list(&mut parts).len()).rev() {
                let mut fewer = parts.clone();
                list(&mut fewer).remove(at);
                if is_enough(&fewer) {
                    parts = fewer;
                }
            }
        }
        let fewer = Parts { at_once: 0, ..parts.clone() };
        if is_enough(&fewer) {
            parts = fewer;
        }
        let sketch = self.arrange(within, &parts, epsilon_nano)?;
        Some((parts, sketch))
    }

    fn search(&self, within: &Region, parts: &Parts, epsilon_nano: u64) -> Option<Parts> {
        self.work.take(self.outside.len() + self.universe.width())?;
        let left = self.outside.iter().find(|outside| !self.leaves(parts, epsilon_nano, outside));
        let Some(outside) = left else {
            return self.arrange(within, parts, epsilon_nano).map(|_| parts.clone());
        };
        let with = |add: &dyn Fn(&mut Parts)| {
            let mut more = parts.clone();
            add(&mut more);
            self.arrange(within, &more, epsilon_nano)?;
            self.search(within, &more, epsilon_nano)
        };
        let measures = within.measures.minus(&outside.measures);
        let by = within.by.minus(&outside.by);
        let filters = within.filters.minus(&outside.filters);
        let found = measures.iter().find_map(|at| with(&|parts| parts.measures.push(at)));
        let found = found.or_else(|| by.iter().find_map(|at| with(&|parts| parts.by.push(at))));
        let found = found.or_else(|| filters.iter().find_map(|at| with(&|parts| parts.filters.push(at))));
        found.or_else(|| {
            let more = outside.at_most + 1;
            (more <= within.at_most).then(|| with(&|parts| parts.at_once = parts.at_once.max(more))).flatten()
        })
    }

    /// A question of these parts, where they fit into one.
    fn arrange(&self, within: &Region, parts: &Parts, epsilon_nano: u64) -> Option<Sketch> {
        let needed: BTreeSet<usize> = parts.filters.iter().copied().collect();
        // Further conditions help to keep out of the way of codes, to meet them, or to use more columns at once.
        let of_codes = self.avoided.iter().chain(&self.hit).flat_map(|barrier| barrier.codes.keys().copied());
        let of_hit = self.hit.into_iter().flat_map(|hit| hit.columns.iter());
        let of_many = within.filters.minus(&within.by);
        let of_many = of_many.iter().filter(|_| parts.at_once > 0);
        let optional: BTreeSet<usize> = of_codes.chain(of_hit).chain(of_many).collect();
        let optional: Vec<usize> =
            optional.into_iter().filter(|at| within.filters.contains(*at) && !needed.contains(at)).collect();
        let room = within.at_most.checked_sub(needed.len())?.min(optional.len());
        (0..=room).find_map(|count| {
            let mut chosen = Vec::new();
            self.choose(&optional, count, &mut chosen, &mut |further| {
                let columns: Vec<usize> = needed.iter().chain(further).copied().collect();
                self.conditions(&columns, BTreeMap::new(), &mut |filters| {
                    self.margins(within, parts, filters, epsilon_nano)
                })
            })
        })
    }

    /// Tries each choice of `count` of some columns.
    fn choose(
        &self,
        from: &[usize],
        count: usize,
        chosen: &mut Vec<usize>,
        each: &mut dyn FnMut(&[usize]) -> Option<Sketch>,
    ) -> Option<Sketch> {
        self.work.take(1)?;
        if count == 0 {
            return each(chosen);
        }
        for (at, column) in from.iter().enumerate() {
            chosen.push(*column);
            let found = self.choose(from.get(at + 1..).unwrap_or_default(), count - 1, chosen, each);
            chosen.pop();
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Tries each code that conditions on some columns may name; those that all prohibitions treat alike, once.
    fn conditions(
        &self,
        columns: &[usize],
        filters: Conditions,
        each: &mut dyn FnMut(&Conditions) -> Option<Sketch>,
    ) -> Option<Sketch> {
        self.work.take(1)?;
        let Some((column, rest)) = columns.split_first() else { return each(&filters) };
        let barriers = self.avoided.iter().chain(&self.hit);
        let listed: BTreeSet<&Code> =
            barriers.filter_map(|barrier| barrier.codes.get(column)).flatten().collect();
        // One that nobody lists, then each that is.
        let codes = std::iter::once(None).chain(listed.into_iter().map(|code| Some(code.clone())));
        codes.into_iter().find_map(|code| {
            let mut filters = filters.clone();
            filters.insert(*column, code);
            self.conditions(rest, filters, &mut *each)
        })
    }

    fn margins(
        &self,
        within: &Region,
        parts: &Parts,
        filters: &Conditions,
        epsilon_nano: u64,
    ) -> Option<Sketch> {
        self.work.take(self.universe.width() + 4 * filters.len())?;
        let mut margins = BTreeSet::new();
        for measure in &parts.measures {
            let margin = (*measure, Vec::new());
            margins.insert(Some(margin).filter(|margin| self.fits(within, margin, filters))?);
        }
        let measures = || parts.measures.iter().copied().chain(within.measures.iter());
        let dimension =
            |measure: usize| self.universe.measures.get(measure).and_then(|written| written.dimension);
        let by_one = |by: Option<usize>| {
            let fitting = |measure: usize| {
                // A share groups by its dimension already.
                let by = by.filter(|column| dimension(measure) != Some(*column));
                Some((measure, by.into_iter().collect())).filter(|margin| self.fits(within, margin, filters))
            };
            measures().find_map(fitting)
        };
        for column in &parts.by {
            if !margins.iter().any(|(measure, _)| dimension(*measure) == Some(*column)) {
                margins.insert(by_one(Some(*column))?);
            }
        }
        if parts.at_once > 0 {
            margins.insert(self.broad(within, parts.at_once, &measures().collect::<Vec<_>>(), filters)?);
        }
        if let Some(hit) = self.hit {
            margins.insert(measures().find_map(|measure| self.hitting(within, hit, measure, filters))?);
        }
        if margins.is_empty() {
            margins.insert(by_one(None)?);
        }
        // Of two margins of a measure, the one of no columns is not needed beside another.
        let alone = |(measure, by): &Grouped| {
            !by.is_empty() || !margins.iter().any(|(other, by)| other == measure && !by.is_empty())
        };
        Some(Sketch {
            margins: margins.iter().filter(|margin| alone(margin)).cloned().collect(),
            filters: filters.clone(),
            epsilon_nano,
        })
    }

    /// A margin with this number of columns at once.
    fn broad(
        &self,
        within: &Region,
        at_once: usize,
        measures: &[usize],
        filters: &Conditions,
    ) -> Option<Grouped> {
        if at_once > within.at_most {
            return None;
        }
        let columns: Vec<usize> = within.by.iter().collect();
        measures
            .iter()
            .find_map(|measure| self.grow(within, at_once, (*measure, Vec::new()), &columns, filters))
    }

    fn grow(
        &self,
        within: &Region,
        at_once: usize,
        margin: Grouped,
        columns: &[usize],
        filters: &Conditions,
    ) -> Option<Grouped> {
        if !self.fits(within, &margin, filters) {
            return None;
        }
        let used = self.at_once(&margin, filters);
        if used >= at_once {
            return Some(margin);
        }
        if used + columns.len() < at_once {
            return None;
        }
        (0..columns.len()).find_map(|at| {
            let (measure, mut by) = margin.clone();
            by.extend(columns.get(at));
            if self.at_once(&(measure, by.clone()), filters) == used {
                return None;
            }
            self.grow(within, at_once, (measure, by), columns.get(at + 1..).unwrap_or_default(), filters)
        })
    }

    /// A margin of a measure that a prohibition refuses.
    fn hitting(
        &self,
        within: &Region,
        hit: &Barrier,
        measure: usize,
        filters: &Conditions,
    ) -> Option<Grouped> {
        let written = self.universe.measures.get(measure)?;
        let used = hit.columns.iter().filter(|column| written.column != Some(*column));
        let shown = hit.codes.keys().copied().filter(|column| written.dimension != Some(*column));
        let by: BTreeSet<usize> = used.chain(shown).filter(|column| !filters.contains_key(column)).collect();
        let margin = (measure, by.into_iter().collect::<Vec<_>>());
        (self.fits(within, &margin, filters) && self.touches(hit, &margin, filters)).then_some(margin)
    }

    /// How many columns a margin uses at once, as a grant counts them.
    fn at_once(&self, (measure, by): &Grouped, filters: &Conditions) -> usize {
        let reveals = self.universe.measures.get(*measure).and_then(|written| written.reveals);
        let columns: BTreeSet<usize> =
            by.iter().copied().chain(reveals).chain(filters.keys().copied()).collect();
        columns.len()
    }

    fn fits(&self, within: &Region, margin: &Grouped, filters: &Conditions) -> bool {
        self.work.take(1 + self.avoided.len() * self.universe.width()).is_some()
            && within.measures.contains(margin.0)
            && margin.1.iter().all(|column| within.by.contains(*column))
            && filters.keys().all(|column| within.filters.contains(*column))
            && self.at_once(margin, filters) <= within.at_most
            && !self.avoided.iter().any(|barrier| self.touches(barrier, margin, filters))
    }

    fn touches(&self, barrier: &Barrier, (measure, by): &Grouped, filters: &Conditions) -> bool {
        let written = self.universe.measures.get(*measure);
        let column = written.and_then(|written| written.column);
        let dimension = written.and_then(|written| written.dimension);
        let uses = |at: usize| by.contains(&at) || column == Some(at) || filters.contains_key(&at);
        let shows = |(at, codes): (&usize, &BTreeSet<Code>)| match filters.get(at) {
            Some(code) => code.as_ref().is_some_and(|code| codes.contains(code)),
            None => by.contains(at) || dimension == Some(*at),
        };
        barrier.columns.iter().all(uses) && barrier.codes.iter().all(shows)
    }
}
