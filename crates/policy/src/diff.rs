//! What differs between two policies: what becomes possible, what stops, and what is charged otherwise, each with a question.
//!
//! Whatever [`PolicySet::authorize`] decides otherwise, but for the reason of a denial, is in a difference, and the question
//! of each difference is decided otherwise. A policy is finite, so nothing is guessed: the askers whom the two distinguish,
//! the purposes and the days are gone through one by one, and what a grant allows of a question is compared as a whole.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use lango_principal::{PrincipalPattern, SpiffeId};
use lango_privacy::{
    Bound, Code, Condition, Dataset, Decimal, Domain, Filter, Margin, Measure, Name, Price, Query,
};
use time::Date;

use crate::{
    budget::{Budget, Pool},
    grant::{Grant, Validity},
    prohibition::Prohibition,
    set::PolicySet,
};

use region::{Region, Universe};
use witness::{Barrier, Parts, Search, Shown, Sketch};

pub use difference::{Askers, Change, ChargeChange, Comparison, Difference, Example, Novelty, PolicyDiff};

mod difference;
mod region;
#[cfg(test)]
mod tests;
mod witness;

impl PolicySet {
    /// What differs where a policy takes the place of this one. Examples are asked on the day, where it is one of theirs.
    pub fn diff(&self, new: &Self, today: Date) -> PolicyDiff {
        let mut found = Found::default();
        let datasets: BTreeSet<&Name> =
            self.grants.iter().chain(&new.grants).map(|grant| &grant.dataset).collect();
        for dataset in datasets {
            OfDataset::new(self, new, dataset, today).compare(&mut found);
        }
        let mut differences: Vec<Difference> = found.differences;
        differences.sort_by_key(|difference| difference.change.order());
        PolicyDiff { differences }
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
    prohibitions: Vec<&'a Prohibition>,
    dataset: Option<&'a Dataset>,
    pool: Option<&'a Pool>,
    budget: Option<&'a Budget>,
    grid: Option<Duration>,
}

/// What of a side speaks to an asker: the places of its grants, and its prohibitions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Open {
    grants: Vec<usize>,
    barriers: Vec<Barrier>,
    /// The names of the prohibitions, in the same order.
    rules: Vec<String>,
}

/// What becomes of questions, and by what.
type Changed = Vec<(Change, Shown)>;

/// Two policies, as far as they speak of one dataset.
struct OfDataset<'a> {
    name: &'a Name,
    universe: Universe,
    old: Side<'a>,
    new: Side<'a>,
    today: Date,
    /// What was found for askers to whom the same speaks.
    known: HashMap<(Open, Open), Changed>,
}

impl<'a> OfDataset<'a> {
    fn new(old: &'a PolicySet, new: &'a PolicySet, name: &'a Name, today: Date) -> Self {
        let of = |set: &'a PolicySet| set.grants.iter().filter(move |grant| grant.dataset == *name);
        let universe = Universe::of(of(old).chain(of(new)));
        let side = |set: &'a PolicySet| Side {
            grants: of(set).map(|grant| (grant, Region::of(grant, &universe))).collect(),
            prohibitions: set.prohibitions.iter().filter(|rule| rule.is_on(name)).collect(),
            dataset: set.datasets.get(name),
            pool: set.pool(name),
            budget: set.budget(name),
            grid: set.answer_grids.get(name).copied(),
        };
        let (old, new) = (side(old), side(new));
        Self { name, universe, old, new, today, known: HashMap::new() }
    }

    fn compare(mut self, found: &mut Found) {
        let principals = self.principals();
        for who in &principals {
            let Some(principal) = representative(who, &principals) else { continue };
            let purposes: BTreeSet<String> = self
                .grants()
                .filter(|grant| grant.is_to(&principal))
                .flat_map(|grant| grant.purposes.iter().cloned())
                .collect();
            for purpose in purposes {
                let first_days = self.first_days(&principal, &purpose);
                let ends = first_days.iter().skip(1).map(|day| day.previous_day().unwrap_or(Date::MIN));
                let ends: Vec<Date> = ends.chain([Date::MAX]).collect();
                for (from, until) in first_days.iter().zip(ends) {
                    let askers = Askers {
                        who: who.clone(),
                        purpose: purpose.clone(),
                        days: Validity { from: *from, until },
                    };
                    self.asked(&principal, &askers, found);
                }
            }
        }
    }

    fn grants(&self) -> impl Iterator<Item = &'a Grant> {
        self.old.grants.iter().chain(&self.new.grants).map(|(grant, _)| *grant)
    }

    /// Every principal that either policy names, and for each role one that neither does.
    fn principals(&self) -> Vec<PrincipalPattern> {
        let of_rules = |side: &Side<'a>| side.prohibitions.clone().into_iter().flat_map(|rule| &rule.to);
        let patterns: BTreeSet<&PrincipalPattern> = self
            .grants()
            .flat_map(|grant| &grant.to)
            .chain(of_rules(&self.old))
            .chain(of_rules(&self.new))
            .collect();
        patterns.into_iter().cloned().collect()
    }

    /// The days on which something begins or is over for an asker, from the first day on.
    fn first_days(&self, principal: &SpiffeId, purpose: &str) -> Vec<Date> {
        let grants = self.grants().filter(|grant| grant.is_to(principal) && grant.is_for(purpose));
        let valid = grants.filter_map(|grant| grant.valid);
        let days = valid.flat_map(|valid| [Some(valid.from), valid.until.next_day()]).flatten();
        let days: BTreeSet<Date> = days.chain([Date::MIN]).collect();
        days.into_iter().collect()
    }

    fn asked(&mut self, principal: &SpiffeId, askers: &Askers, found: &mut Found) {
        let (old, new) = (self.open(&self.old, principal, askers), self.open(&self.new, principal, askers));
        if old.grants.is_empty() && new.grants.is_empty() {
            return;
        }
        let key = (old, new);
        if !self.known.contains_key(&key) {
            let differences = self.differences(&key.0, &key.1);
            self.known.insert(key.clone(), differences);
        }
        for (change, (parts, sketch)) in self.known.get(&key).into_iter().flatten() {
            let example = || self.example(principal, askers, sketch);
            found.add(change, self.name, self.novelty(parts), askers, example);
        }
    }

    fn open(&self, side: &Side<'a>, principal: &SpiffeId, askers: &Askers) -> Open {
        let is_open = |grant: &Grant| {
            grant.is_to(principal) && grant.is_for(&askers.purpose) && grant.is_open(askers.days.from)
        };
        let grants = side.grants.iter().enumerate().filter(|(_, (grant, _))| is_open(grant));
        let rules = side
            .prohibitions
            .iter()
            .filter(|rule| rule.is_to(principal) && rule.is_for(Some(&askers.purpose)));
        let rules = rules.filter_map(|rule| Some((self.barrier(rule)?, rule.id.clone())));
        let (barriers, rules) = rules.unzip();
        Open { grants: grants.map(|(at, _)| at).collect(), barriers, rules }
    }

    /// A prohibition in the dataset's columns; none where it speaks of a column that no grant does.
    fn barrier(&self, rule: &Prohibition) -> Option<Barrier> {
        let mut columns = self.universe.no_columns();
        for column in &rule.columns {
            columns.insert(self.universe.place(column)?);
        }
        let codes =
            rule.codes.iter().map(|(column, codes)| Some((self.universe.place(column)?, codes.clone())));
        Some(Barrier { columns, codes: codes.collect::<Option<_>>()? })
    }

    fn differences(&self, old: &Open, new: &Open) -> Changed {
        let mut differences = Vec::new();
        let only = |side: &Open, other: &Open| -> Vec<(Barrier, String)> {
            let each = side.barriers.iter().cloned().zip(side.rules.iter().cloned());
            each.filter(|(barrier, _)| !other.barriers.contains(barrier)).collect()
        };
        for (grant, found) in self.gained(&self.new, new, &self.old, old, &only(old, new)) {
            let change = Change::Possible { grant };
            differences.extend(found.into_iter().map(|shown| (change.clone(), shown)));
        }
        for (grant, found) in self.gained(&self.old, old, &self.new, new, &only(new, old)) {
            let change = Change::Stopped { grant };
            differences.extend(found.into_iter().map(|shown| (change.clone(), shown)));
        }
        for (at, from) in grants(&self.old, old).enumerate() {
            for (before, to) in grants(&self.new, new).enumerate() {
                let changes = self.charged(from.0, to.0);
                if changes.is_empty() {
                    continue;
                }
                let earlier = grants(&self.old, old).take(at).chain(grants(&self.new, new).take(before));
                let search = Search {
                    universe: &self.universe,
                    region: from.1.and(&to.1),
                    outside: earlier.map(|(_, region)| region).collect(),
                    avoided: old.barriers.iter().chain(&new.barriers).collect(),
                    hit: None,
                };
                // What they have in common is the two grants, whatever else: the simplest question is enough.
                let change = Change::Charged { from: from.0.id.clone(), to: to.0.id.clone(), changes };
                let first = search.found().into_iter().next();
                differences.extend(first.map(|(_, sketch)| (change, (Parts::default(), sketch))));
            }
        }
        differences
    }

    /// What one side permits and the other does not, by the grant that permits it. `dropped` are prohibitions of the other side
    /// alone.
    fn gained(
        &self,
        side: &Side<'a>,
        open: &Open,
        other: &Side<'a>,
        other_open: &Open,
        dropped: &[(Barrier, String)],
    ) -> Vec<(String, Vec<Shown>)> {
        let mut gained = Vec::new();
        for (at, (grant, region)) in grants(side, open).enumerate() {
            let earlier = || grants(side, open).take(at).map(|(_, region)| region);
            let others = grants(other, other_open).map(|(_, region)| region);
            let search = |outside, hit| Search {
                universe: &self.universe,
                region: region.clone(),
                outside,
                avoided: open.barriers.iter().collect(),
                hit,
            };
            let mut found = search(earlier().chain(others).collect(), None).found();
            for (barrier, rule) in dropped {
                if !found.iter().any(|(parts, _)| *parts == Parts::default()) {
                    let shown = search(earlier().collect(), Some(barrier)).found().into_iter().next();
                    let parts = Parts { refused_by: Some(rule.clone()), ..Parts::default() };
                    found.extend(shown.map(|(_, sketch)| (parts, sketch)));
                }
            }
            gained.push((grant.id.clone(), found));
        }
        gained
    }

    fn charged(&self, from: &Grant, to: &Grant) -> Vec<ChargeChange> {
        let (from_nano, to_nano) = (from.epsilon_total_nano, to.epsilon_total_nano);
        let changes = [
            (from.id != to.id, ChargeChange::Grant),
            (from_nano != to_nano, ChargeChange::Share { from_nano, to_nano }),
            (from.delta_per_query_e18 != to.delta_per_query_e18, ChargeChange::Delta),
            (from.review != to.review, ChargeChange::Review { from: from.review, to: to.review }),
            (from.agreement != to.agreement, ChargeChange::Agreement),
            (self.old.pool != self.new.pool, ChargeChange::Pool),
            (self.old.budget != self.new.budget, ChargeChange::Budget),
            (
                self.old.grid != self.new.grid,
                ChargeChange::AnswerGrid { from: self.old.grid, to: self.new.grid },
            ),
            (declared(self.old.dataset) != declared(self.new.dataset), ChargeChange::Dataset),
        ];
        changes.into_iter().filter(|(is_other, _)| *is_other).map(|(_, change)| change).collect()
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
        let rules = self.old.prohibitions.iter().chain(&self.new.prohibitions);
        let listed: BTreeSet<&Code> = rules.filter_map(|rule| rule.codes.get(column)).flatten().collect();
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

/// A dataset without what is for people alone.
fn declared(dataset: Option<&Dataset>) -> Option<Dataset> {
    Some(Dataset { title: String::new(), bounds_drop: None, ..dataset?.clone() })
}

/// A code that is none of these.
fn unlisted(listed: &BTreeSet<&Code>) -> Option<Code> {
    (0..).map(Code::of_integer).find(|code| !listed.contains(code))
}

fn grants<'s, 'a>(side: &'s Side<'a>, open: &'s Open) -> impl Iterator<Item = &'s (&'a Grant, Region)> {
    open.grants.iter().filter_map(|at| side.grants.get(*at))
}

/// A principal that a pattern means: of those of a role, one that no other pattern names.
fn representative(pattern: &PrincipalPattern, named: &[PrincipalPattern]) -> Option<SpiffeId> {
    let (trust_domain, role) = match pattern {
        PrincipalPattern::One(one) => return Some(one.clone()),
        PrincipalPattern::Every { trust_domain, role } => (trust_domain, *role),
    };
    let names = std::iter::once("any-other".to_owned()).chain((2..).map(|at| format!("any-other-{at}")));
    let others = names.take(named.len() + 1).filter_map(|name| SpiffeId::new(trust_domain, role, &name).ok());
    others.into_iter().find(|other| !named.contains(&PrincipalPattern::One(other.clone())))
}
