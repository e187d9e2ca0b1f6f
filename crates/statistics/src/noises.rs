//! Which noises lie on a cell: handles for the sums that occur, far fewer than there are cells.

use std::collections::{BTreeMap, HashMap};

use lango_privacy::{Mechanism, RatioTerm, Term};

/// A sum of noises that some cell carries. The default is no noise at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Carried(u32);

/// Each distinct list of noises by its place, with how often it occurs.
type Bag = BTreeMap<usize, u64>;

/// What distinguishes one list of noises from another.
type Key = Vec<(Mechanism, [u64; 4])>;

/// The sums of noises that occur.
#[derive(Debug)]
pub(crate) struct Noises {
    lists: Vec<Vec<RatioTerm>>,
    places: HashMap<Key, usize>,
    bags: Vec<Bag>,
    known: HashMap<Bag, Carried>,
    sums: HashMap<(Carried, Carried), Carried>,
}

impl Noises {
    /// No noises.
    pub fn new() -> Self {
        Self {
            lists: Vec::new(),
            places: HashMap::new(),
            bags: vec![Bag::new()],
            known: HashMap::from([(Bag::new(), Carried(0))]),
            sums: HashMap::new(),
        }
    }

    /// What a cell carries that has these independent noises and no other; equal lists have one handle.
    pub fn alone(&mut self, terms: Vec<RatioTerm>) -> Carried {
        let key = |term: &RatioTerm| {
            let RatioTerm { noise, numerator, denominator, times } = term;
            let bits = [noise.scale, *numerator, *denominator].map(f64::to_bits);
            let [scale, numerator, denominator] = bits;
            (noise.mechanism, [scale, numerator, denominator, *times])
        };
        let place = *self.places.entry(terms.iter().map(key).collect()).or_insert(self.lists.len());
        if place == self.lists.len() {
            self.lists.push(terms);
        }
        self.carried(Bag::from([(place, 1)]))
    }

    /// As [`alone`](Self::alone), of noises that are in a plain sum.
    pub fn plain(&mut self, terms: &[Term], factor: f64) -> Carried {
        let of = |term: &Term| RatioTerm {
            noise: term.noise,
            numerator: factor * term.weight,
            denominator: 0.0,
            times: term.times,
        };
        self.alone(terms.iter().map(of).collect())
    }

    /// What a cell carries that is the sum of two with independent noises.
    pub fn sum(&mut self, a: Carried, b: Carried) -> Carried {
        if let Some(sum) = self.sums.get(&(a, b)) {
            return *sum;
        }
        let mut bag = self.bag(a).clone();
        for (place, times) in self.bag(b) {
            let occurs = bag.entry(*place).or_default();
            *occurs = occurs.saturating_add(*times);
        }
        let sum = self.carried(bag);
        self.sums.insert((a, b), sum);
        sum
    }

    /// What is in the second sum and not in the first, which is a part of it.
    pub fn rest(&mut self, part: Carried, all: Carried) -> Carried {
        let mut bag = self.bag(all).clone();
        for (place, times) in self.bag(part) {
            bag.entry(*place).and_modify(|occurs| *occurs = occurs.saturating_sub(*times));
        }
        bag.retain(|_, times| *times > 0);
        self.carried(bag)
    }

    /// The noises of a sum.
    pub fn terms(&self, carried: Carried) -> impl Iterator<Item = RatioTerm> {
        let lists =
            self.bag(carried).iter().filter_map(|(place, times)| Some((self.lists.get(*place)?, *times)));
        lists.flat_map(|(list, occurs)| {
            list.iter().map(move |term| RatioTerm { times: term.times.saturating_mul(occurs), ..*term })
        })
    }

    /// The noises of a plain sum.
    pub fn plain_terms(&self, carried: Carried) -> impl Iterator<Item = Term> {
        self.terms(carried).map(|RatioTerm { noise, numerator, times, .. }| Term {
            noise,
            weight: numerator,
            times,
        })
    }

    fn bag(&self, carried: Carried) -> &Bag {
        const NONE: &Bag = &Bag::new();
        self.bags.get(carried.0 as usize).unwrap_or(NONE)
    }

    fn carried(&mut self, bag: Bag) -> Carried {
        // Fewer sums than cells, and fewer cells than 2^32.
        let next = Carried(u32::try_from(self.bags.len()).unwrap_or(u32::MAX));
        let carried = *self.known.entry(bag.clone()).or_insert(next);
        if carried == next {
            self.bags.push(bag);
        }
        carried
    }
}
