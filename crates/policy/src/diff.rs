//! What differs between two policies: what becomes possible, what stops, and what is charged otherwise, each with a question.
//!
//! Whatever [`PolicySet::authorize`] decides otherwise, but for the reason of a denial, is in a difference, and the question
//! of each difference is decided otherwise. A policy is finite, so nothing is guessed: the askers whom the two distinguish,
//! the purposes and the days are gone through one by one, and what a grant allows of a question is compared as a whole.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    rc::Rc,
};

use lango_principal::{PrincipalPattern, SpiffeId};
use lango_privacy::{
    Bound, Code, Condition, Dataset, Decimal, Domain, Filter, Margin, Measure, Name, Price, Query,
};
use time::Date;

use crate::{
    grant::{Grant, Validity},
    prohibition::Prohibition,
    set::PolicySet,
};

use askers::{first_day, first_days, representative};
use region::{Barrier, Region, Universe};
use witness::{Ground, Parts, Problem, Shown, Sketch};
use work::Work;

pub use difference::{Askers, Change, Comparison, Difference, Example, Novelty, PolicyDiff, TermChange};

mod askers;
mod difference;
mod region;
#[cfg(test)]
mod tests;
mod witness;
mod work;

/// The steps of a comparison of two policies: a second or two.
const STEPS_AT_MOST: u64 = 20_000_000;

impl PolicySet {
    /// What differs where a policy takes the place of this one. Examples are asked on the day, where it is one of theirs.
    pub fn diff(&self, new: &Self, today: Date) -> PolicyDiff {
        let mut found = Found::default();
        let datasets: BTreeSet<&Name> =
            self.grants.iter().chain(&new.grants).map(|grant| &grant.dataset).collect();
        let (mut left, mut unfinished) = (STEPS_AT_MOST, Vec::new());
        for (at, dataset) in datasets.iter().enumerate() {
            // What one dataset leaves of its part is there for the next ones.
            let part = left / (datasets.len() - at).max(1) as u64;
            let work = Work::of(part);
            let compared = OfDataset::new(self, new, dataset, today, &work);
            let is_whole = compared.and_then(|compared| compared.compare(&mut found)).is_some();
            if !is_whole || work.is_used_up() {
                unfinished.push((*dataset).clone());
            }
            left -= part - work.left();
        }
        let mut differences: Vec<Difference> = found.differences;
        differences.sort_by_key(|difference| difference.change.order());
        PolicyDiff { differences, unfinished }
    }
}

/// Differences so far: one for each reason, with all who ask.
#[derive(Default)]
struct Found {
    differences: Vec<Difference>,
    places: HashMap<(Change, Name, Novelty), usize>,
}

impl Found {
    fn add(
        &mut self,
        change: &Change,
        dataset: &Name,
        what: Novelty,
        askers: &Askers,
        example: impl FnOnce() -> Example,
    ) {
        let key = (change.clone(), dataset.clone(), what);
        let Some(difference) = self.places.get(&key).and_then(|at| self.differences.get_mut(*at)) else {
            let (change, dataset, what) = key.clone();
            self.places.insert(key, self.differences.len());
            let askers = vec![askers.clone()];
            self.differences.push(Difference { change, dataset, what, askers, example: example() });
            return;
        };
        match difference.askers.last_mut() {
            // The days after those of the last line.
            Some(last)
                if last.who == askers.who
                    && last.purpose == askers.purpose
                    && last.days.until.next_day() == Some(askers.days.from) =>
            {
                last.days.until = askers.days.until
            }
            Some(_) | None => difference.askers.push(askers.clone()),
        }
    }
}

/// One side of a comparison, as far as it speaks of one dataset.
struct Side<'a> {
    grants: Vec<(&'a Grant, Region)>,
    /// Prohibitions, and the place of what each refuses. One that speaks of a column that no grant does is not here.
    rules: Vec<(&'a Prohibition, usize)>,
    dataset: Option<&'a Dataset>,
}

/// What of a side speaks to an asker: the places of its grants that decide something, and of its prohibitions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Open {
    grants: Vec<usize>,
    rules: Vec<usize>,
}

/// What becomes of questions, and by what.
type Changed = Vec<(Change, Shown)>;

/// Two policies, as far as they speak of one dataset.
struct OfDataset<'a> {
    name: &'a Name,
    universe: Universe,
    /// What prohibitions refuse, each once.
    barriers: Vec<Barrier>,
    old: Side<'a>,
    new: Side<'a>,
    /// What is otherwise of every question that is permitted as before.
    of_all: Vec<TermChange>,
    today: Date,
    /// What was found for askers to whom the same speaks.
    known: HashMap<(Open, Open), Changed>,
    /// What was found of problems that many askers share.
    solved: RefCell<HashMap<Problem, Rc<Vec<Shown>>>>,
    work: &'a Work,
}

impl<'a> OfDataset<'a> {
    /// None where there is more to compare than the work allows.
    fn new(
        old: &'a PolicySet,
        new: &'a PolicySet,
        name: &'a Name,
        today: Date,
        work: &'a Work,
    ) -> Option<Self> {
        let of = |set: &'a PolicySet| set.grants.iter().filter(move |grant| grant.dataset == *name);
        let universe = Universe::of(of(old).chain(of(new)), work)?;
        let mut barriers = Vec::new();
        let mut side = |set: &'a PolicySet| {
            let regions = of(set).map(|grant| Some((grant, Region::of(grant, &universe, work)?)));
            Some(Side {
                grants: regions.collect::<Option<_>>()?,
                rules: rules(set, name, &universe, &mut barriers, work)?,
                dataset: set.datasets.get(name),
            })
        };
        let of_all = of_all_grants(old, new, name);
        let (old, new) = (side(old)?, side(new)?);
        let (known, solved) = (HashMap::new(), RefCell::default());
        Some(Self { name, universe, barriers, old, new, of_all, today, known, solved, work })
    }

    /// Nothing where the work was used up before all was compared.
    fn compare(mut self, found: &mut Found) -> Option<()> {
        let principals = self.principals();
        for who in &principals {
            self.work.take(self.old.grants.len() + self.new.grants.len() + principals.len())?;
            let Some(principal) = representative(who, &principals) else { continue };
            let old = to(&self.old, |grant| grant.is_to(&principal));
            let new = to(&self.new, |grant| grant.is_to(&principal));
            let purposes: BTreeSet<&'a String> =
                self.at(&old, &new).flat_map(|grant| grant.purposes.iter()).collect();
            for purpose in purposes {
                self.work.take(old.len() + new.len())?;
                let is_for = |side: &Side<'a>, of: &[usize]| -> Vec<usize> {
                    let grants = of.iter().copied();
                    let is_for =
                        |at: &usize| side.grants.get(*at).is_some_and(|(grant, _)| grant.is_for(purpose));
                    grants.filter(is_for).collect()
                };
                let (old, new) = (is_for(&self.old, &old), is_for(&self.new, &new));
                let first_days = first_days(self.at(&old, &new));
                let ends = first_days.iter().skip(1).map(|day| day.previous_day().unwrap_or(Date::MIN));
                let ends: Vec<Date> = ends.chain([Date::MAX]).collect();
                for (from, until) in first_days.iter().zip(ends) {
                    let days = Validity { from: *from, until };
                    let askers = Askers { who: who.clone(), purpose: purpose.clone(), days };
                    let old = self.open(&self.old, &old, &principal, &askers)?;
                    let new = self.open(&self.new, &new, &principal, &askers)?;
                    self.asked((old, new), &principal, &askers, found);
                }
            }
        }
        (!self.work.is_used_up()).then_some(())
    }

    /// Grants by their places.
    fn at<'s>(&'s self, old: &'s [usize], new: &'s [usize]) -> impl Iterator<Item = &'a Grant> + 's {
        let old = old.iter().filter_map(|at| self.old.grants.get(*at));
        old.chain(new.iter().filter_map(|at| self.new.grants.get(*at))).map(|(grant, _)| *grant)
    }

    /// Every principal that either policy names, and for each role one that neither does, in order.
    fn principals(&self) -> Vec<PrincipalPattern> {
        let of = |side: &'_ Side<'a>| -> BTreeSet<&'a PrincipalPattern> {
            let rules = side.rules.iter().flat_map(|(rule, _)| &rule.to);
            side.grants.iter().flat_map(|(grant, _)| &grant.to).chain(rules).collect()
        };
        let mut patterns = of(&self.old);
        patterns.append(&mut of(&self.new));
        patterns.into_iter().cloned().collect()
    }

    fn asked(&mut self, key: (Open, Open), principal: &SpiffeId, askers: &Askers, found: &mut Found) {
        if key.0.grants.is_empty() && key.1.grants.is_empty() {
            return;
        }
        if !self.known.contains_key(&key) {
            let differences = self.differences(&key.0, &key.1);
            self.known.insert(key.clone(), differences);
        }
        for (change, (parts, sketch)) in self.known.get(&key).into_iter().flatten() {
            let example = || self.example(principal, askers, sketch);
            found.add(change, self.name, self.novelty(parts), askers, example);
        }
    }

    /// What speaks to an asker. Grants of which an earlier one allows all are not among them: they decide nothing.
    fn open(&self, side: &Side<'a>, to: &[usize], principal: &SpiffeId, askers: &Askers) -> Option<Open> {
        self.work.take(to.len() + side.rules.len() + 1)?;
        let mut open = Open { grants: Vec::new(), rules: Vec::new() };
        let mut regions: Vec<&Region> = Vec::new();
        for at in to {
            let Some((grant, region)) = side.grants.get(*at) else { continue };
            if grant.is_open(askers.days.from.max(first_day())) {
                self.work.take(regions.len())?;
                if !regions.iter().any(|earlier| region.within(earlier)) {
                    regions.push(region);
                    open.grants.push(*at);
                }
            }
        }
        let speaks = |rule: &Prohibition| rule.is_to(principal) && rule.is_for(Some(&askers.purpose));
        let rules = side.rules.iter().enumerate().filter(|(_, (rule, _))| speaks(rule));
        open.rules = rules.map(|(at, _)| at).collect();
        Some(open)
    }

    fn differences(&self, old: &Open, new: &Open) -> Changed {
        let mut differences = Vec::new();
        let (before, now) = (self.avoided(&self.old, old), self.avoided(&self.new, new));
        for (grant, found) in self.gained((&self.new, new, &now), (&self.old, old, &before)) {
            let change = Change::Possible { grant };
            differences.extend(found.into_iter().map(|shown| (change.clone(), shown)));
        }
        for (grant, found) in self.gained((&self.old, old, &before), (&self.new, new, &now)) {
            let change = Change::Stopped { grant };
            differences.extend(found.into_iter().map(|shown| (change.clone(), shown)));
        }
        let avoided: Vec<usize> = before.iter().chain(&now).map(|(at, _)| *at).collect();
        let (old, new) = (grants(&self.old, old), grants(&self.new, new));
        let (old_places, new_places) = (places(&old), places(&new));
        for (at, (from, region)) in old.iter().enumerate() {
            // Behind a grant of the new policy that allows the same, nothing of this one is decided; nor the other way round.
            let last = new_places.get(region).copied().unwrap_or(new.len());
            for (place, (to, other)) in new.iter().enumerate().take(last.saturating_add(1)) {
                if self.work.take(1).is_none() {
                    return differences;
                }
                if old_places.get(other).is_some_and(|twin| *twin < at) {
                    continue;
                }
                let changes = self.terms(from, to);
                if changes.is_empty() {
                    continue;
                }
                let earlier = old.iter().take(at).chain(new.iter().take(place));
                let earlier = earlier.map(|(_, region)| region);
                let found = self.searched(region.and(other), earlier, &avoided, None);
                // What they have in common is the two grants, whatever else: the simplest question is enough.
                let change = Change::OnOtherTerms { from: from.id.clone(), to: to.id.clone(), changes };
                let first = found.first().map(|(_, sketch)| sketch.clone());
                differences.extend(first.map(|sketch| (change, (Parts::default(), sketch))));
            }
        }
        differences
    }

    /// What the prohibitions refuse that speak to an asker, and their names.
    fn avoided(&self, side: &Side<'a>, open: &Open) -> Vec<(usize, &'a str)> {
        let rules = open.rules.iter().filter_map(|at| side.rules.get(*at));
        rules.map(|(rule, barrier)| (*barrier, rule.id.as_str())).collect()
    }

    /// What one side permits and the other does not, by the grant that permits it.
    fn gained(
        &self,
        (side, open, rules): (&Side<'a>, &Open, &[(usize, &str)]),
        (other, other_open, other_rules): (&Side<'a>, &Open, &[(usize, &str)]),
    ) -> Vec<(String, Vec<Shown>)> {
        let avoided: Vec<usize> = rules.iter().map(|(at, _)| *at).collect();
        // Prohibitions of the other side alone.
        let dropped: Vec<_> = other_rules.iter().filter(|(at, _)| !avoided.contains(at)).collect();
        let (grants, others) = (grants(side, open), grants(other, other_open));
        let mut gained = Vec::new();
        let allowed: HashSet<&Region> = others.iter().map(|(_, region)| region).collect();
        for (at, (grant, region)) in grants.iter().enumerate() {
            if dropped.is_empty() && allowed.contains(region) {
                continue;
            }
            let earlier = || grants.iter().take(at).map(|(_, region)| region);
            let outside = others.iter().map(|(_, region)| region).chain(earlier());
            let mut found = self.searched(region.clone(), outside, &avoided, None).to_vec();
            for (place, rule) in &dropped {
                if !found.iter().any(|(parts, _)| *parts == Parts::default()) {
                    let shown = self.searched(region.clone(), earlier(), &avoided, Some(*place));
                    let parts = Parts { refused_by: Some((*rule).to_owned()), ..Parts::default() };
                    found.extend(shown.first().map(|(_, sketch)| (parts, sketch.clone())));
                }
            }
            gained.push((grant.id.clone(), found));
        }
        gained
    }

    /// What is found in a region, outside of others, that prohibitions leave alone or refuse.
    fn searched<'r>(
        &self,
        region: Region,
        outside: impl Iterator<Item = &'r Region>,
        avoided: &[usize],
        hit: Option<usize>,
    ) -> Rc<Vec<Shown>> {
        let Self { universe, barriers, work, .. } = self;
        let ground = Ground { universe, barriers, work };
        let Some(problem) = Problem::new(ground, region, outside, avoided, hit) else { return Rc::default() };
        let mut solved = self.solved.borrow_mut();
        let found = solved.entry(problem).or_insert_with_key(|problem| Rc::new(problem.found(ground)));
        Rc::clone(found)
    }

    fn terms(&self, from: &Grant, to: &Grant) -> Vec<TermChange> {
        let (from_nano, to_nano) = (from.epsilon_total_nano, to.epsilon_total_nano);
        let changes = [
            (from.id != to.id, TermChange::Grant),
            (from_nano != to_nano, TermChange::Share { from_nano, to_nano }),
            (from.delta_per_query_e18 != to.delta_per_query_e18, TermChange::Delta),
            (from.review != to.review, TermChange::Review { from: from.review, to: to.review }),
            (from.shown_if != to.shown_if, TermChange::ShownIf { from: from.shown_if, to: to.shown_if }),
            (from.agreement != to.agreement, TermChange::Agreement),
        ];
        let changes = changes.into_iter().filter(|(is_other, _)| *is_other).map(|(_, change)| change);
        changes.chain(self.of_all.iter().copied()).collect()
    }

    fn column(&self, at: usize) -> Option<Name> {
        self.universe.columns.get(at).cloned()
    }

    fn novelty(&self, parts: &Parts) -> Novelty {
        let columns = |places: &[usize]| places.iter().filter_map(|at| self.column(*at)).collect();
        let measures = parts.measures.iter().filter_map(|at| self.universe.measures.get(*at));
        Novelty {
            measures: measures.map(|written| written.measure.clone()).collect(),
            by: columns(&parts.by),
            filters: columns(&parts.filters),
            at_once: parts.at_once,
            is_dear: parts.is_dear,
            refused_by: parts.refused_by.clone(),
        }
    }

    fn example(&self, principal: &SpiffeId, askers: &Askers, sketch: &Sketch) -> Example {
        let mut measures: BTreeMap<Measure, BTreeSet<Margin>> = BTreeMap::new();
        for (measure, by) in &sketch.margins {
            if let Some(written) = self.universe.measures.get(*measure) {
                let by = Margin::new(by.iter().filter_map(|at| self.column(*at)));
                measures.entry(written.measure.clone()).or_default().insert(by);
            }
        }
        let filters = sketch.filters.iter().filter_map(|(at, code)| {
            let column = self.column(*at)?;
            let condition = self.condition(&column, code.as_ref())?;
            Some(Filter { column, condition })
        });
        let Validity { from, until } = askers.days;
        let on = match askers.days.holds(self.today) {
            true => self.today,
            false if from > self.today => from,
            false => until,
        };
        Example {
            principal: principal.clone(),
            purpose: askers.purpose.clone(),
            on,
            query: Query {
                dataset: self.name.clone(),
                version: None,
                measures,
                filters: filters.collect(),
                price: Price::Epsilon(Decimal::of_nano(sketch.epsilon_nano)),
            },
        }
    }

    /// A condition on a column: on a code, or on one that no prohibition speaks of, or on the first value.
    fn condition(&self, column: &Name, code: Option<&Code>) -> Option<Condition> {
        if let Some(code) = code {
            return Some(Condition::In([code.clone()].into()));
        }
        let declared = self.new.dataset.and_then(|dataset| dataset.columns.get(column));
        let declared = declared.or_else(|| self.old.dataset.and_then(|dataset| dataset.columns.get(column)));
        let rules = self.old.rules.iter().chain(&self.new.rules);
        let listed: BTreeSet<&Code> =
            rules.filter_map(|(rule, _)| rule.codes.get(column)).flatten().collect();
        let number = |value: i64| Some(Bound::Number(Decimal::minimal(&value.to_string())?));
        Some(match declared.map(|declared| &declared.domain) {
            Some(Domain::Integer { low, .. }) => Condition::Between(number(*low)?, number(*low)?),
            Some(Domain::Amount { .. }) => Condition::Between(number(0)?, number(1)?),
            Some(Domain::Date { from, .. }) => {
                Condition::Between(Bound::Date(from.clone()), Bound::Date(from.clone()))
            }
            Some(domain @ (Domain::Codes(_) | Domain::Open)) => {
                let keyset = domain.keyset();
                let codes = keyset.iter().flat_map(|keyset| keyset.codes());
                let free = codes.into_iter().find(|code| !listed.contains(code)).cloned();
                Condition::In([free.or_else(|| unlisted(&listed))?].into())
            }
            None => Condition::In([unlisted(&listed)?].into()),
        })
    }
}

/// What of a dataset's own terms is otherwise.
fn of_all_grants(old: &PolicySet, new: &PolicySet, name: &Name) -> Vec<TermChange> {
    let [from, to] = [old, new].map(|set| set.answer_grids.get(name).copied());
    let changes = [
        (old.pool(name) != new.pool(name), TermChange::Pool),
        (old.budget(name) != new.budget(name), TermChange::Budget),
        (from != to, TermChange::AnswerGrid { from, to }),
        (declared(old.datasets.get(name)) != declared(new.datasets.get(name)), TermChange::Dataset),
    ];
    changes.into_iter().filter(|(is_other, _)| *is_other).map(|(_, change)| change).collect()
}

/// A dataset without what is for people alone.
fn declared(dataset: Option<&Dataset>) -> Option<Dataset> {
    Some(Dataset { title: String::new(), bounds_drop: None, ..dataset?.clone() })
}

/// A code that is none of these.
fn unlisted(listed: &BTreeSet<&Code>) -> Option<Code> {
    (0..).map(Code::of_integer).find(|code| !listed.contains(code))
}

fn grants<'s, 'a>(side: &'s Side<'a>, open: &Open) -> Vec<&'s (&'a Grant, Region)> {
    open.grants.iter().filter_map(|at| side.grants.get(*at)).collect()
}

/// Which place each region has in a list.
fn places<'s>(grants: &[&'s (&Grant, Region)]) -> HashMap<&'s Region, usize> {
    grants.iter().enumerate().map(|(at, (_, region))| (region, at)).collect()
}

/// The places of the grants of a side that are to somebody.
fn to(side: &Side<'_>, is_to: impl Fn(&Grant) -> bool) -> Vec<usize> {
    side.grants.iter().enumerate().filter(|(_, (grant, _))| is_to(grant)).map(|(at, _)| at).collect()
}

/// The prohibitions on a dataset with the places of their barriers; further barriers are added to those that are there.
fn rules<'a>(
    set: &'a PolicySet,
    dataset: &Name,
    universe: &Universe,
    barriers: &mut Vec<Barrier>,
    work: &Work,
) -> Option<Vec<(&'a Prohibition, usize)>> {
    let mut rules = Vec::new();
    for rule in set.prohibitions.iter().filter(|rule| rule.is_on(dataset)) {
        let codes: usize = rule.codes.values().map(BTreeSet::len).sum();
        work.take(barriers.len() + universe.columns.len() / 64 + codes + 1)?;
        let Some(barrier) = universe.barrier(rule) else { continue };
        let place = barriers.iter().position(|other| *other == barrier).unwrap_or_else(|| {
            barriers.push(barrier);
            barriers.len() - 1
        });
        rules.push((rule, place));
    }
    Some(rules)
}
