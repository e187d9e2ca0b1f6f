//! What the catalogue says of all tables.

use sqlx::{MySqlConnection, Row};

use super::catalogue::{SchemaColumn, columns, sole_keys, text};
use crate::{
    ColumnDescription, Suggested, TableDescription,
    sql::{ColumnType, Listed, Made},
};

/// The tables of the connection's database, with their columns.
pub(super) async fn tables(view: &mut MySqlConnection) -> sqlx::Result<Vec<TableDescription>> {
    let sql = "SELECT table_schema, table_name, CAST(table_rows AS SIGNED) FROM information_schema.tables \
               WHERE table_schema = DATABASE() AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW') \
               AND table_name NOT LIKE 'lango\\_prepar%' ESCAPE '\\' ORDER BY table_name";
    let rows = sqlx::query(sql).fetch_all(&mut *view).await?;
    let mut tables = Vec::new();
    for row in rows {
        let (schema, name) = (text(&row, 0)?, text(&row, 1)?);
        let keys = sole_keys(view, &schema, &name).await?;
        let described =
            columns(view, &schema, &name).await?.into_iter().map(|SchemaColumn { listed, .. }| {
                let Listed { name, declared, kind, made, .. } = listed;
                let suggested = match kind {
                    Some(ColumnType::Word) if declared.starts_with("enum(") => {
                        Suggested::Codes(labels(&declared))
                    }
                    Some(ColumnType::Integer | ColumnType::Unsigned) => Suggested::Integer,
                    Some(ColumnType::Decimal(scale)) => Suggested::Amount(scale),
                    Some(ColumnType::Text { .. } | ColumnType::Word) => Suggested::Text,
                    Some(ColumnType::Numeric | ColumnType::Float) => Suggested::Amount(2),
                    Some(ColumnType::Moment) if made == Made::AtPlace => Suggested::Moment,
                    Some(ColumnType::Day | ColumnType::Moment) => Suggested::Date,
                    None => Suggested::Nothing,
                };
                let unique = keys.iter().any(|key| key.eq_ignore_ascii_case(&name));
                ColumnDescription { name, declared, suggested, unique }
            });
        let columns = described.collect();
        let rows: Option<i64> = row.try_get_unchecked(2)?;
        tables.push(TableDescription { name, rows: rows.and_then(|rows| u64::try_from(rows).ok()), columns });
    }
    Ok(tables)
}

/// The labels of `enum('a','b''c')`.
fn labels(declared: &str) -> Vec<String> {
    let inner = declared.strip_prefix("enum('").and_then(|rest| rest.strip_suffix("')")).unwrap_or_default();
    inner.split("','").map(|label| label.replace("''", "'")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_labels_of_an_enumeration_are_read_from_its_type() {
        assert_eq!(labels("enum('F','M')"), ["F", "M"]);
        assert_eq!(labels("enum('it''s','')"), ["it's", ""]);
    }
}
