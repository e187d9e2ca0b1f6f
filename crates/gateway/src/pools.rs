//! The policy's pools as the ledger knows them: each dataset in its pool, over its rows.

use std::{collections::HashMap, sync::Arc};

use lango_ledger::{DeclaredMember, PoolMember};
use lango_policy::{PolicySet, Pool};
use lango_privacy::Dataset;
use lango_source::{ReachedTable, Source, SourceError};
use lango_store::{KeptPolicy, Moved, Record, Store, StoreError};

/// Why the policy's pools cannot be declared.
#[derive(Debug, thiserror::Error)]
pub enum DeclareError {
    /// A source cannot be asked what it reaches.
    #[error("dataset `{dataset}` cannot be served: {error}")]
    Source {
        /// The dataset.
        dataset: String,
        /// What is wrong.
        error: SourceError,
    },
    /// Two datasets name one table by different sources, and do not say whether they hold the same persons.
    #[error(
        "datasets `{one}` and `{other}` are both drawn from one table, which their sources reach: write `group = \"NAME\"` in each, the \
         same name if they hold the same persons, and different names only if they hold different persons"
    )]
    OneTable {
        /// The one.
        one: String,
        /// The other.
        other: String,
    },
    /// The ledger refuses them, or fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Lets what was charged before follow its rows into the pools that the policy declares, in one transaction with the record that
/// it came into force; returns which charges did.
pub(crate) async fn declare_pools(
    store: &Store,
    policy: &PolicySet,
    sources: &HashMap<String, Arc<dyn Source>>,
    (record, kept): (&Record, &KeptPolicy),
) -> Result<Vec<Moved>, DeclareError> {
    let mut declared = declared_members(policy);
    declared.extend(reached_members(policy, sources).await?);
    Ok(store.declare(&declared, Some(record), Some(kept)).await?)
}

/// The policy's datasets in their pools, over the tables that they name.
pub fn declared_members(policy: &PolicySet) -> Vec<DeclaredMember> {
    let declared = policy.datasets.values().filter_map(|dataset| {
        let pool = policy.pool(&dataset.name)?;
        Some(DeclaredMember { member: member(dataset, pool), has_group: pool.is_group })
    });
    declared.collect()
}

/// The same over what their sources reach, so that one table has one pool by whatever names it is reached. Two datasets over one
/// table say by their groups whether they hold the same persons.
///
/// # Errors
/// A source cannot be asked, or two datasets do not say it.
pub async fn reached_members(
    policy: &PolicySet,
    sources: &HashMap<String, Arc<dyn Source>>,
) -> Result<Vec<DeclaredMember>, DeclareError> {
    let mut reached: Vec<(DeclaredMember, String)> = Vec::new();
    for dataset in policy.datasets.values() {
        let (Some(pool), Some(source)) = (policy.pool(&dataset.name), sources.get(&dataset.source)) else {
            continue;
        };
        let failed = |error: SourceError| DeclareError::Source { dataset: dataset.name.to_string(), error };
        let ReachedTable { lasting, now } = source.identify(&dataset.table).await.map_err(failed)?;
        let member = PoolMember { rows_from: lasting, ..member(dataset, pool) };
        let other = reached.iter().find(|(other, other_now)| {
            let is_one_table = other.member.rows_from == member.rows_from || *other_now == now;
            is_one_table && other.member.pool != member.pool && !(other.has_group && pool.is_group)
        });
        if let Some((other, _)) = other {
            let (one, other) = (other.member.dataset.clone(), member.dataset);
            return Err(DeclareError::OneTable { one, other });
        }
        reached.push((DeclaredMember { member, has_group: pool.is_group }, now));
    }
    Ok(reached.into_iter().map(|(declared, _)| declared).collect())
}

/// A dataset in its pool, over its rows.
pub(crate) fn member(dataset: &Dataset, pool: &Pool) -> PoolMember {
    PoolMember {
        pool: pool.name.to_string(),
        dataset: dataset.name.to_string(),
        rows_from: dataset.rows_from(),
    }
}
