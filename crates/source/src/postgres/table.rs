//! A dataset's table as the catalogues of its server, and of its shards where there are some, describe it.

use std::collections::BTreeMap;

use lango_privacy::Dataset;
use sqlx::PgConnection;

use super::{
    catalogue::{children, columns, definition, encoding, qualified, relation, sole_keys},
    collation::{avoid_indexes, outdated},
    dialect::PostgresDialect,
    rights::{may_read, row_security},
    session::{Sessions, unnamed},
    shards::{self, Parts},
};
use crate::{
    SourceError,
    failure::unavailable,
    sql::{CatalogueTable, Listed, time_zones, typed},
};

/// Checks that all that is declared is there.
pub(super) async fn table(
    view: &mut PgConnection,
    sessions: &Sessions,
    pools: &BTreeMap<String, Sessions>,
    dataset: &Dataset,
) -> Result<CatalogueTable, SourceError> {
    // Before anything else is read, so that the view is of a moment at which the table is held.
    let relation = relation(view, sessions, &dataset.table).await?;
    encoding(view).await?;
    let policies = row_security(view, &relation, dataset, sessions.row_security()).await?;
    let listed = columns(view, relation.oid).await?;
    let plain: Vec<Listed> = listed.iter().map(|(listed, ..)| listed.clone()).collect();
    let typed = typed(&PostgresDialect, dataset, &plain)?;
    may_read(view, &relation, dataset, &typed).await?;
    for zone in time_zones(dataset) {
        let found = unnamed("SELECT 1 WHERE now() AT TIME ZONE $1 IS NOT NULL").bind(zone);
        if found.execute(&mut *view).await.is_err() {
            return Err(SourceError::TimeZone(zone.to_owned()));
        }
    }
    // A nondeterministic collation groups different texts together.
    for column in typed.names() {
        if listed.iter().any(|(listed, _, deterministic)| listed.name == column && !deterministic) {
            return Err(SourceError::Collation { table: dataset.table.clone(), column: column.to_owned() });
        }
    }
    let children = children(view, relation.oid).await?;
    // A child or a part on another server need not keep to it, nor a foreign table.
    let not_null = children.is_empty()
        && relation.kind != "f"
        && listed.iter().any(|(listed, not_null, _)| listed.name == typed.unit.name && *not_null);
    let keys = sole_keys(view, relation.oid).await?;
    // The rows of an ordinary table's children are read with its own, and its keys do not bind them.
    let outdated = outdated(view, relation.oid).await.map_err(|error| unavailable(&error))?;
    let is_outdated = outdated.iter().any(|(column, _)| *column == typed.unit.name);
    if is_outdated {
        avoid_indexes(view).await.map_err(|error| unavailable(&error))?;
    }
    let vouched =
        keys.contains(&typed.unit.name) && !is_outdated && (relation.kind == "p" || children.is_empty());
    let parts = match vouched || pools.is_empty() || relation.kind != "p" {
        true => None,
        false => shards::parts(view, pools, relation.oid, &typed, &plain).await?,
    };
    let mut fingerprint = format!("{} {} {}\n", relation.oid, relation.schema, relation.name);
    for Listed { name, declared, .. } in &plain {
        fingerprint += &format!("column {name} {declared}\n");
    }
    if let "v" | "m" = relation.kind.as_str() {
        fingerprint += &definition(view, relation.oid).await?;
    }
    fingerprint += &format!("keys {}\nparts {}\n", keys.join(", "), children.join(", "));
    if let Some(Parts { files, .. }) = &parts {
        fingerprint += &format!("files {}\n", files.join(", "));
    }
    if let Some(policies) = policies {
        fingerprint += &format!("row security {policies}");
    }
    // A child that a table is given at this moment would be read with it, and no lock of ours keeps that from it.
    let only = if vouched && relation.kind == "r" { "ONLY " } else { "" };
    Ok(CatalogueTable {
        from: format!("{only}{}", qualified(&relation.schema, &relation.name)),
        unit: typed.unit,
        unit_type: typed.unit_type,
        unit_not_null: not_null,
        one_row_per_unit: vouched || parts.is_some(),
        columns: typed.columns,
        shards: parts.map(|parts| parts.froms).unwrap_or_default(),
        fingerprint,
    })
}
