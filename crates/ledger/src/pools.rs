//! Pools: which charges the datasets of a policy share, whatever an edit of the policy calls them.
//!
//! A charge follows the rows that it was made for. Persons do not change when a dataset or a table gets another name, so an edit
//! may bring datasets together, and never part what has been charged together.

use std::collections::{BTreeMap, BTreeSet};

/// A dataset in a pool, over some rows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PoolMember {
    /// The pool: the dataset's group, or its own name.
    pub pool: String,
    /// The dataset's name.
    pub dataset: String,
    /// Where its rows are, as `source/table`; empty where that was not recorded.
    pub rows_from: String,
}

/// A member that an earlier policy declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownMember {
    /// The member.
    pub member: PoolMember,
    /// Whether anything is charged to its pool.
    pub is_charged: bool,
}

/// A member that the policy declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredMember {
    /// The member.
    pub member: PoolMember,
    /// Whether the dataset names its group.
    pub has_group: bool,
}

/// What becomes of the pools under a policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pools {
    /// Which pools' charges move to which other pools, all of a pool's to one.
    pub moves: BTreeMap<String, String>,
    /// Every member to remember.
    pub members: BTreeSet<PoolMember>,
}

/// Why a policy would give budget back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PoolsError {
    /// A dataset would leave a pool that others still use.
    #[error(
        "dataset `{dataset}` would draw on the pool `{would}`, but its rows or its name have been charged to the pool `{pool}`: write \
         `group = \"{pool}\"` in `[dataset.{dataset}]`"
    )]
    Leaves {
        /// The dataset.
        dataset: String,
        /// The pool that it would draw on.
        would: String,
        /// The pool that holds its charges.
        pool: String,
    },
    /// What has been charged to one pool would belong to several.
    #[error(
        "datasets {} have been charged to one pool, `{pool}`, and share it for good: write `group = \"{pool}\"` in each, or another \
         name, the same in each", datasets.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    )]
    Split {
        /// The pool.
        pool: String,
        /// The datasets that would part.
        datasets: Vec<String>,
    },
    /// A new dataset, or one over other rows than before, while charges wait whose dataset is gone.
    #[error(
        "dataset `{dataset}` is new, or over other rows than before, and no dataset is left for what was charged to the pool `{pool}`: write `group = \"{pool}\"` in \
         `[dataset.{dataset}]` if it holds the same persons, or `group = \"{dataset}\"` if it holds others"
    )]
    Unclear {
        /// The new dataset.
        dataset: String,
        /// The pool without a dataset.
        pool: String,
    },
}

/// Decides which charges follow which datasets.
///
/// INVARIANT (no edit gives budget back): every charge is counted by the pool of each dataset that is declared over its rows now
/// or, where none is, of the dataset that has its name now. Where that cannot be, the policy is refused.
pub fn follow(known: &[KnownMember], declared: &[DeclaredMember]) -> Result<Pools, PoolsError> {
    let of_pool = |name: &str| declared.iter().any(|declared| declared.member.pool == name);
    let mut charged: BTreeMap<&str, Vec<&PoolMember>> = BTreeMap::new();
    for known in known.iter().filter(|known| known.is_charged) {
        charged.entry(&known.member.pool).or_default().push(&known.member);
    }
    let mut pools = Pools::default();
    let mut left: Option<&str> = None;
    for (pool, members) in &charged {
        let heirs: Vec<&PoolMember> =
            members.iter().flat_map(|member| heirs(member, known, declared)).collect();
        let targets: BTreeSet<&str> = heirs.iter().map(|heir| heir.pool.as_str()).collect();
        let leaver = heirs.iter().find(|heir| heir.pool != *pool);
        match (of_pool(pool), leaver, targets.len()) {
            (_, None, 1..) | (true, None, 0) => {}
            (false, None, 0) => left = left.or(Some(pool)),
            (true, Some(leaver), _) => {
                let (dataset, would) = (leaver.dataset.clone(), leaver.pool.clone());
                return Err(PoolsError::Leaves { dataset, would, pool: (*pool).to_owned() });
            }
            (false, Some(heir), 1) => {
                pools.moves.insert((*pool).to_owned(), heir.pool.clone());
            }
            (false, Some(_), _) => {
                let datasets: BTreeSet<String> = heirs.iter().map(|heir| heir.dataset.clone()).collect();
                let datasets = datasets.into_iter().collect();
                return Err(PoolsError::Split { pool: (*pool).to_owned(), datasets });
            }
        }
    }
    if let Some(pool) = left {
        // One over other rows than before may hold those that the charges were for, as a new one may.
        let is_known = |new: &PoolMember| {
            let was = |known: &KnownMember| {
                let rows_from = &known.member.rows_from;
                known.member.pool == new.pool && (rows_from.is_empty() || *rows_from == new.rows_from)
            };
            known.iter().any(was) || pools.moves.values().any(|to| *to == new.pool)
        };
        let new = declared.iter().find(|new| !new.has_group && !is_known(&new.member));
        if let Some(new) = new {
            let (dataset, pool) = (new.member.dataset.clone(), pool.to_owned());
            return Err(PoolsError::Unclear { dataset, pool });
        }
    }
    pools.members = declared.iter().map(|declared| declared.member.clone()).collect();
    for member in charged.into_values().flatten() {
        let pool = pools.moves.get(&member.pool).unwrap_or(&member.pool).clone();
        // Where a table was not recorded, it is the one that the dataset has now.
        let is_placed = member.rows_from.is_empty()
            && declared.iter().any(|d| d.member.dataset == member.dataset && d.member.pool == pool);
        if !is_placed {
            pools.members.insert(PoolMember { pool, ..member.clone() });
        }
    }
    Ok(pools)
}

/// The declared datasets that a member's charges belong to: those over its rows, else the one of its name. One that was declared
/// in another pool over the same rows before is not meant: their groups have kept the two apart from the beginning.
fn heirs<'a>(
    member: &PoolMember,
    known: &[KnownMember],
    declared: &'a [DeclaredMember],
) -> Vec<&'a PoolMember> {
    let over =
        |heir: &&DeclaredMember| !member.rows_from.is_empty() && heir.member.rows_from == member.rows_from;
    let named = |heir: &&DeclaredMember| heir.member.dataset == member.dataset;
    let is_apart =
        |heir: &PoolMember| heir.pool != member.pool && known.iter().any(|known| known.member == *heir);
    let is_over = declared.iter().any(|heir| over(&heir));
    let heirs = declared.iter().filter(|heir| if is_over { over(heir) } else { named(heir) });
    heirs.map(|heir| &heir.member).filter(|heir| !is_apart(heir)).collect()
}

#[cfg(test)]
mod tests;
