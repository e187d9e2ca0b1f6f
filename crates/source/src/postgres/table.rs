//! A dataset's table as the catalogues of its server, and of its shards where there are some, describe it.

use std::collections::BTreeMap;

use lango_privacy::Dataset;
use sqlx::PgConnection;

use super::{
    catalogue::{children, columns, encoding, qualified, relation, sole_keys},
    collation::{avoid_indexes, outdated},
    rights::{may_read, row_security},
    session::Sessions,
    shards,
};
use crate::{
    RowSecurity, SourceError,
    failure::unavailable,
    sql::{CatalogueTable, Listed, typed},
};

/// Checks that all that is declared is there.
pub(super) async fn table(
    view: &mut PgConnection,
    pools: &BTreeMap<String, Sessions>,
    dataset: &Dataset,
    wanted: RowSecurity,
) -> Result<CatalogueTable, SourceError> {
    encoding(view).await?;
    let relation = relation(view, &dataset.table).await?;
    may_read(view, &relation, dataset).await?;
    let policies = row_security(view, &relation, dataset, wanted).await?;
    let listed = columns(view, relation.oid).await?;
    // A nondeterministic collation groups different texts together.
    let declared = dataset.columns.keys().map(|name| name.as_str()).chain([dataset.unit.column.as_str()]);
    for column in declared {
        if listed.iter().any(|(listed, _, deterministic)| listed.name == *column && !deterministic) {
            return Err(SourceError::Collation { table: dataset.table.clone(), column: column.to_owned() });
        }
    }
    let children = children(view, relation.oid).await?;
    // A child or a part on another server need not keep to it.
    let not_null = children.is_empty()
        && listed.iter().any(|(listed, not_null, _)| listed.name == dataset.unit.column && *not_null);
    let listed: Vec<Listed> = listed.into_iter().map(|(listed, ..)| listed).collect();
    let (unit_column, unit_type, types) = typed(dataset, &listed, |a, b| a == b)?;
    let keys = sole_keys(view, relation.oid).await?;
    // The rows of an ordinary table's children are read with its own, and its keys do not bind them.
    let outdated = outdated(view, relation.oid).await.map_err(|error| unavailable(&error))?;
    let is_outdated = outdated.iter().any(|(column, _)| *column == dataset.unit.column);
    if is_outdated {
        avoid_indexes(view).await.map_err(|error| unavailable(&error))?;
    }
    let vouched =
        keys.contains(&dataset.unit.column) && !is_outdated && (relation.kind == "p" || children.is_empty());
    let parts = match vouched || pools.is_empty() || relation.kind != "p" {
        true => None,
        false => shards::parts(view, pools, relation.oid, dataset, &listed).await?,
    };
    let mut fingerprint = format!("{} {} {}\n", relation.oid, relation.schema, relation.name);
    for Listed { name, declared, .. } in &listed {
        fingerprint += &format!("column {name} {declared}\n");
    }
    fingerprint += &format!("keys {}\nparts {}\n", keys.join(", "), children.join(", "));
    if let Some(policies) = policies {
        fingerprint += &format!("row security {policies}");
    }
    Ok(CatalogueTable {
        from: qualified(&relation.schema, &relation.name),
        unit_type,
        unit_column,
        unit_not_null: not_null,
        one_row_per_unit: vouched || parts.is_some(),
        types,
        shards: parts.unwrap_or_default(),
        fingerprint,
    })
}
