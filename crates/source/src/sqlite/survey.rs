//! Everything that stands in a table of the file, counted in two passes: one over the rows, one over the units.

use std::collections::BTreeMap;

use lango_privacy::{Dataset, Name};
use rusqlite::Connection;

use super::{
    catalogue::{self, FileTable},
    row_order::raw,
    statement::quoted,
    unavailable,
};
use crate::{SourceError, Survey, count::UnitType, survey::tallies};

pub(super) fn survey(connection: &Connection, dataset: &Dataset) -> Result<Survey, SourceError> {
    let file = catalogue::check(connection, dataset)?;
    let unit_type = file.vouched.unit_type;
    let read = || -> rusqlite::Result<Survey> {
        let mut tallies = tallies(dataset, |name: &Name| file.scale(name));
        let names: String =
            tallies.iter().map(|(name, _)| format!(", {}", quoted(file.name(name)))).collect();
        let (unit, table) = (quoted(&file.unit), quoted(&dataset.table));
        let mut statement = connection.prepare(&format!("SELECT {unit}{names} FROM {table}"))?;
        let mut rows = statement.query([])?;
        let mut total = 0;
        while let Some(row) = rows.next()? {
            total += 1;
            for (position, (_, tally)) in tallies.iter_mut().enumerate() {
                tally.add(raw(row.get_ref(position + 1)?), 1);
            }
        }
        let sql = format!(
            "SELECT {unit}, count(*) FROM {table} WHERE {unit} IS NOT NULL GROUP BY {unit} COLLATE BINARY"
        );
        let mut statement = connection.prepare(&sql)?;
        let mut groups = statement.query([])?;
        let mut units: BTreeMap<u64, u64> = BTreeMap::new();
        while let Some(row) = groups.next()? {
            if unit_type.identifies(raw(row.get_ref(0)?)) {
                *units.entry(row.get::<_, i64>(1)?.unsigned_abs()).or_default() += 1;
            }
        }
        let alike = alike(connection, dataset, &file)?.unwrap_or(0);
        let columns = tallies.into_iter().map(|(name, tally)| (name.clone(), tally.finish())).collect();
        Ok(Survey { rows: total, units, alike, columns })
    };
    read().map_err(|error| unavailable(&error))
}

/// The identifiers that differ from another one in the case of letters or in blanks alone; `None` where they are numbers.
pub(super) fn alike(
    connection: &Connection,
    dataset: &Dataset,
    file: &FileTable,
) -> rusqlite::Result<Option<u64>> {
    match file.vouched.unit_type {
        UnitType::Integer => return Ok(None),
        UnitType::Text => {}
    }
    let (unit, table) = (quoted(&file.unit), quoted(&dataset.table));
    let sql = format!(
        "SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM (SELECT DISTINCT {unit} COLLATE BINARY AS u FROM {table} \
         WHERE typeof({unit}) = 'text') GROUP BY lower(trim(u, char(9, 10, 11, 12, 13, 32, 160))) HAVING count(*) > 1)"
    );
    connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map(|found| Some(found.unsigned_abs()))
}
