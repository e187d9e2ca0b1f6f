//! A dataset's table as the catalogues of its server, and of its shards where there are some, describe it.

use std::collections::BTreeMap;

use lango_privacy::Dataset;
use sqlx::{PgConnection, PgPool};

use super::{
    catalogue::{children, columns, definition, encoding, qualified, relation, sole_keys},
    dialect::PostgresDialect,
    shards,
};
use crate::{
    SourceError,
    sql::{CatalogueTable, Listed, time_zones, typed},
};

/// Checks that all that is declared is there.
pub(super) async fn table(
    view: &mut PgConnection,
    pools: &BTreeMap<String, PgPool>,
    dataset: &Dataset,
) -> Result<CatalogueTable, SourceError> {
    encoding(view).await?;
    let relation = relation(view, &dataset.table).await?;
    let listed = columns(view, relation.oid).await?;
    let plain: Vec<Listed> = listed.iter().map(|(listed, ..)| listed.clone()).collect();
    let typed = typed(&PostgresDialect, dataset, &plain)?;
    for zone in time_zones(dataset) {
        let found = sqlx::query("SELECT 1 WHERE now() AT TIME ZONE $1 IS NOT NULL").bind(zone);
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
    // A child or a part on another server need not keep to it.
    let not_null = children.is_empty()
        && listed.iter().any(|(listed, not_null, _)| listed.name == typed.unit.name && *not_null);
    let keys = sole_keys(view, relation.oid).await?;
    // The rows of an ordinary table's children are read with its own, and its keys do not bind them.
    let vouched = keys.contains(&typed.unit.name) && (relation.kind == "p" || children.is_empty());
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
    Ok(CatalogueTable {
        from: qualified(&relation.schema, &relation.name),
        unit: typed.unit,
        unit_type: typed.unit_type,
        unit_not_null: not_null,
        one_row_per_unit: vouched || parts.is_some(),
        columns: typed.columns,
        shards: parts.unwrap_or_default(),
        fingerprint,
    })
}
