//! Which grants may speak of a principal: found without going through all of them.

use std::collections::HashMap;

use lango_principal::{PrincipalPattern, Role, SpiffeId};
use lango_privacy::Name;

use crate::grant::Grant;

/// Grants by dataset and by those whom they are to; each list ascends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    one: HashMap<SpiffeId, HashMap<Name, Vec<usize>>>,
    every: HashMap<String, HashMap<(Role, Name), Vec<usize>>>,
}

impl Index {
    pub(crate) fn of(grants: &[Grant]) -> Self {
        let mut index = Self::default();
        for (at, grant) in grants.iter().enumerate() {
            for to in &grant.to {
                let list = match to {
                    PrincipalPattern::One(one) => {
                        index.one.entry(one.clone()).or_default().entry(grant.dataset.clone()).or_default()
                    }
                    PrincipalPattern::Every { trust_domain, role } => index
                        .every
                        .entry(trust_domain.clone())
                        .or_default()
                        .entry((*role, grant.dataset.clone()))
                        .or_default(),
                };
                if list.last() != Some(&at) {
                    list.push(at);
                }
            }
        }
        index
    }

    /// The grants on a dataset that are to a principal, in their order.
    pub(crate) fn to<'a>(
        &'a self,
        principal: &SpiffeId,
        dataset: &Name,
    ) -> impl Iterator<Item = usize> + use<'a> {
        let one = self.one.get(principal).and_then(|one| one.get(dataset));
        let every = self.every.get(principal.trust_domain());
        let every = every.and_then(|every| every.get(&(principal.role(), dataset.clone())));
        let mut one = one.into_iter().flatten().copied().peekable();
        let mut every = every.into_iter().flatten().copied().peekable();
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
}
