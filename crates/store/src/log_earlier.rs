//! Entries for the records from before the log was kept.

use crate::{
    StoreError,
    engine::{Connection, Run},
    rows,
    statement::statement,
};

statement! {
    /// Records from before the log was kept.
    Unlogged { most } =
        "SELECT sequence, at, principal, purpose, request_digest, query_digest, dataset, query, decision, reason, rule, \
         agreement, policy_digest, pure_nano, rho_nano, delta_e18, left_out, release_id FROM access_record \
         WHERE leaf IS NULL ORDER BY sequence LIMIT :most"
}

statement! {
    /// The leaf of one.
    SetLeaf { sequence, leaf } = "UPDATE access_record SET leaf = :leaf WHERE sequence = :sequence"
}

/// Records read at once to become entries.
const LOGGED_AT_ONCE: i64 = 1_000;

/// Makes an entry of each record from before the log was kept.
pub(crate) async fn log_earlier(connection: &mut Connection) -> Result<(), StoreError> {
    loop {
        let rows = connection.all(Unlogged { most: LOGGED_AT_ONCE.into() }.into()).await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in &rows {
            let entry = rows::entry(row)?;
            let release = row.get::<Option<Vec<u8>>>("release_id")?;
            let release = release.map(TryInto::try_into).transpose();
            let leaf = entry.earlier_leaf(release.map_err(|_| StoreError::Damaged("record"))?)?;
            let set = SetLeaf { sequence: entry.sequence.into(), leaf: leaf.as_slice().into() };
            connection.all(set.into()).await?;
        }
    }
}
