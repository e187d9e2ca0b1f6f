//! The policy's pools as the ledger knows them: each dataset in its pool, over its rows.

use lango_ledger::{DeclaredMember, PoolMember};
use lango_policy::{PolicySet, Pool};
use lango_privacy::Dataset;
use lango_store::{Moved, Store, StoreError};

/// Lets what was charged before follow its rows into the pools that the policy declares.
pub(crate) async fn declare_pools(store: &Store, policy: &PolicySet) -> Result<(), StoreError> {
    for Moved { from, to } in store.declare(&declared_members(policy)).await? {
        tracing::warn!(from, to, "charges followed their dataset into another pool");
    }
    Ok(())
}

/// The policy's datasets in their pools, as a gateway declares them when it starts.
pub fn declared_members(policy: &PolicySet) -> Vec<DeclaredMember> {
    let declared = policy.datasets.values().filter_map(|dataset| {
        let pool = policy.pool(&dataset.name)?;
        Some(DeclaredMember { member: member(dataset, pool), has_group: pool.is_group })
    });
    declared.collect()
}

/// A dataset in its pool, over its rows.
pub(crate) fn member(dataset: &Dataset, pool: &Pool) -> PoolMember {
    PoolMember {
        pool: pool.name.to_string(),
        dataset: dataset.name.to_string(),
        rows_from: format!("{}/{}", dataset.source, dataset.table),
    }
}
