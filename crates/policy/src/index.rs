//! Which grants may speak of a principal and of a question: found without going through all of them.

use std::collections::HashMap;

use lango_principal::{PrincipalPattern, Role, SpiffeId};
use lango_privacy::{Name, Query};

use crate::grant::Grant;

/// Grants by dataset and by those whom they are to; each list ascends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    one: HashMap<SpiffeId, HashMap<Name, Vec<usize>>>,
    every: HashMap<String, HashMap<(Role, Name), Places>>,
    facets: HashMap<Name, Facets>,
}

/// The grants on a dataset by what they allow.
#[derive(Debug, Clone, Default)]
struct Facets {
    purposes: HashMap<String, Places>,
    by: HashMap<Name, Places>,
    filters: HashMap<Name, Places>,
}

/// Places of grants.
#[derive(Debug, Clone, Default)]
struct Places(Vec<u64>);

impl Places {
    fn insert(&mut self, at: usize) {
        if self.0.len() <= at / 64 {
            self.0.resize(at / 64 + 1, 0);
        }
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    fn contains(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word & (1 << (at % 64)) != 0)
    }

    /// Keeps those that are in the other, too; of none, none.
    fn keep(&mut self, other: Option<&Self>) {
        let other = other.map(|other| other.0.as_slice()).unwrap_or_default();
        self.0.truncate(other.len());
        self.0.iter_mut().zip(other).for_each(|(word, other)| *word &= other);
    }

    /// Ascending.
    fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros() as usize;
                left &= left.checked_sub(1)?;
                Some(at * 64 + bit)
            })
        })
    }
}

impl Index {
    pub(crate) fn of(grants: &[Grant]) -> Self {
        let mut index = Self::default();
        for (at, grant) in grants.iter().enumerate() {
            for to in &grant.to {
                index.add_to(at, to, &grant.dataset);
            }
            let facets = index.facets.entry(grant.dataset.clone()).or_default();
            for purpose in &grant.purposes {
                facets.purposes.entry(purpose.clone()).or_default().insert(at);
            }
            for name in &grant.by {
                facets.by.entry(name.clone()).or_default().insert(at);
            }
            for name in grant.by.iter().chain(&grant.filters) {
                facets.filters.entry(name.clone()).or_default().insert(at);
            }
        }
        index
    }

    fn add_to(&mut self, at: usize, to: &PrincipalPattern, dataset: &Name) {
        match to {
            PrincipalPattern::One(one) => {
                let list = self.one.entry(one.clone()).or_default().entry(dataset.clone()).or_default();
                if list.last() != Some(&at) {
                    list.push(at);
                }
            }
            PrincipalPattern::Every { trust_domain, role } => {
                let every = self.every.entry(trust_domain.clone()).or_default();
                every.entry((*role, dataset.clone())).or_default().insert(at);
            }
        }
    }

    /// The grants on a dataset that are to a principal, in their order.
    pub(crate) fn to<'a>(
        &'a self,
        principal: &SpiffeId,
        dataset: &Name,
    ) -> impl Iterator<Item = usize> + use<'a> {
        let (one, every) = self.lists(principal, dataset);
        ascending(one.iter().copied(), every.into_iter().flat_map(Places::iter))
    }

    /// Those of them that are for the purpose and name all columns of the question, as far as these decide.
    pub(crate) fn fitting(&self, principal: &SpiffeId, purpose: Option<&str>, query: &Query) -> Vec<usize> {
        let (one, every) = self.lists(principal, &query.dataset);
        let Some(facets) = self.facets.get(&query.dataset) else { return Vec::new() };
        let purposes = purpose.map(|purpose| facets.purposes.get(purpose));
        let dimensions = query.measures.values().flatten().flat_map(lango_privacy::Margin::dimensions);
        let by = dimensions.map(|name| facets.by.get(name));
        let filters = query.filters.iter().map(|filter| facets.filters.get(&filter.column));
        let needed: Vec<Option<&Places>> = purposes.into_iter().chain(by).chain(filters).collect();
        let fits = |at: &usize| needed.iter().all(|places| places.is_some_and(|places| places.contains(*at)));
        let mut every = every.cloned().unwrap_or_default();
        needed.iter().for_each(|places| every.keep(*places));
        ascending(one.iter().copied().filter(fits), every.iter()).collect()
    }

    fn lists(&self, principal: &SpiffeId, dataset: &Name) -> (&[usize], Option<&Places>) {
        let one = self.one.get(principal).and_then(|one| one.get(dataset));
        let every = self.every.get(principal.trust_domain());
        let every = every.and_then(|every| every.get(&(principal.role(), dataset.clone())));
        (one.map(Vec::as_slice).unwrap_or_default(), every)
    }
}

/// Two ascending lists as one, each place once.
fn ascending(
    one: impl Iterator<Item = usize>,
    every: impl Iterator<Item = usize>,
) -> impl Iterator<Item = usize> {
    let (mut one, mut every) = (one.peekable(), every.peekable());
    std::iter::from_fn(move || match (one.peek(), every.peek()) {
        (Some(first), Some(second)) if first == second => {
            every.next();
            one.next()
        }
        (Some(first), Some(second)) if first > second => every.next(),
        (Some(_), _) => one.next(),
        (None, _) => every.next(),
    })
}
