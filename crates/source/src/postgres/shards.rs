//! A table in partitions on other servers: which parts it has, and whether each server's own catalogue vouches for one row
//! per unit.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    catalogue::{columns, encoding, first_allowed, lock, qualified, sole_keys},
    collation::outdated,
    rights::is_filtered,
    session::{Sessions, unnamed},
};
use crate::{
    RowSecurity, SourceError,
    columns::find_column,
    failure::{safe_words, unavailable},
    sql::{Listed, Typed},
};

/// A partition: where it is read here, and where it lies.
struct Part {
    from: String,
    oid: i64,
    /// An ordinary table of this server has none.
    remote: Option<Remote>,
}

/// Where a foreign table lies, as far as this server knows.
struct Remote {
    server: String,
    /// Qualified and quoted.
    table: String,
    /// The database there, where the foreign server names it.
    database: Option<String>,
    /// Its columns have the same names there.
    same_names: bool,
}

/// The parts of a table.
pub(super) struct Parts {
    /// Where each is read here.
    pub(super) froms: Vec<String>,
    /// The file that each on another server has there: one that has another after the rows were read was emptied or rewritten
    /// meanwhile.
    pub(super) files: Vec<String>,
}

/// The parts of a partitioned table, if each of them has units of its own, one row each: the table is partitioned by a hash of
/// the unit column, so that a unit lives in one part, and every part's own catalogue vouches for one row per unit.
pub(super) async fn parts(
    view: &mut PgConnection,
    shards: &BTreeMap<String, Sessions>,
    oid: i64,
    typed: &Typed,
    listed: &[Listed],
) -> Result<Option<Parts>, SourceError> {
    if !hashed_by_unit(view, oid, &typed.unit.name).await? {
        return Ok(None);
    }
    let (mut froms, mut files, mut places) = (Vec::new(), Vec::new(), BTreeSet::new());
    for part in partitions(view, oid).await? {
        let place = match &part.remote {
            None => {
                let vouched = vouches(view, part.oid, &typed.unit.name).await?;
                vouched.then(|| (format!("here {}", part.oid), None))
            }
            Some(remote) => match shards.get(&remote.server) {
                Some(sessions) => {
                    there(sessions, remote, typed, listed).await?.map(|(place, file)| (place, Some(file)))
                }
                None => None,
            },
        };
        // One table as two parts would have every unit twice.
        let Some((_, file)) = place.filter(|(place, _)| places.insert(place.clone())) else {
            return Ok(None);
        };
        froms.push(part.from);
        files.extend(file);
    }
    Ok(Some(Parts { froms, files }).filter(|parts| !parts.froms.is_empty()))
}

async fn hashed_by_unit(view: &mut PgConnection, oid: i64, unit: &str) -> Result<bool, SourceError> {
    let sql = "SELECT EXISTS (SELECT FROM pg_partitioned_table p JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0] \
               WHERE p.partrelid = $1::oid AND p.partstrat = 'h' AND p.partnatts = 1 AND a.attname = $2)";
    let row = unnamed(sql).bind(oid).bind(unit).fetch_one(view).await;
    row.and_then(|row| row.try_get(0)).map_err(|error| unavailable(&error))
}

/// The partitions; one that is partitioned itself, or is neither here nor a foreign table, is none that can be vouched for.
async fn partitions(view: &mut PgConnection, oid: i64) -> Result<Vec<Part>, SourceError> {
    let sql = "SELECT c.oid::bigint, n.nspname::text, c.relname::text, c.relkind::text, coalesce(s.srvname, '')::text, \
               coalesce((SELECT option_value FROM pg_options_to_table(f.ftoptions) WHERE option_name = 'schema_name'), n.nspname)::text, \
               coalesce((SELECT option_value FROM pg_options_to_table(f.ftoptions) WHERE option_name = 'table_name'), c.relname)::text, \
               (SELECT option_value FROM pg_options_to_table(s.srvoptions) WHERE option_name = 'dbname')::text, \
               NOT EXISTS (SELECT FROM pg_attribute a, pg_options_to_table(a.attfdwoptions) o \
                           WHERE a.attrelid = c.oid AND o.option_name = 'column_name' AND o.option_value <> a.attname) \
               FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
               LEFT JOIN pg_foreign_table f ON f.ftrelid = c.oid LEFT JOIN pg_foreign_server s ON s.oid = f.ftserver \
               WHERE i.inhparent = $1::oid ORDER BY c.relname";
    let rows = unnamed(sql).bind(oid).fetch_all(view).await.map_err(|error| unavailable(&error))?;
    let read = |row: &PgRow| -> sqlx::Result<Part> {
        let text = |place: usize| row.try_get::<String, _>(place);
        let remote = Remote {
            server: text(4)?,
            table: qualified(&text(5)?, &text(6)?),
            database: row.try_get(7)?,
            same_names: row.try_get(8)?,
        };
        let remote = (text(3)? != "r").then_some(remote);
        Ok(Part { from: qualified(&text(1)?, &text(2)?), oid: row.try_get(0)?, remote })
    };
    rows.iter().map(read).collect::<sqlx::Result<_>>().map_err(|error| unavailable(&error))
}

/// Which table a part is on its own server, and its file there, if that server's catalogue says that it is a table with one row
/// per unit.
async fn there(
    sessions: &Sessions,
    remote: &Remote,
    typed: &Typed,
    listed: &[Listed],
) -> Result<Option<(String, String)>, SourceError> {
    let of_shard = |error: sqlx::Error| {
        SourceError::Unavailable(format!("shard `{}`: {}", remote.server, safe_words(&error)))
    };
    let mut there = sessions.read().await.map_err(|error| {
        if let SourceError::Unavailable(why) = error {
            SourceError::Unavailable(format!("shard `{}`: {why}", remote.server))
        } else {
            error
        }
    })?;
    // A part that is emptied and filled again is waited for: the other server's view is from before its lock when this one reads.
    let waiting = [lock(&remote.table), "SELECT 1".to_owned()];
    first_allowed(&mut there, waiting).await.map_err(of_shard)?;
    encoding(&mut there).await?;
    let sql = "SELECT c.oid::bigint, pg_postmaster_start_time()::text || ' ' || d.oid || ' ' || c.oid, c.relfilenode::text, \
               coalesce($2 = current_database(), true) FROM pg_class c, pg_database d WHERE c.oid = to_regclass($1) \
               AND c.relkind = 'r' AND d.datname = current_database() \
               AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid)";
    let found = unnamed(sql).bind(&remote.table).bind(&remote.database).fetch_optional(&mut *there).await;
    let Some(row) = found.map_err(of_shard)? else { return Ok(None) };
    let (oid, place): (i64, String) = (row.try_get(0).map_err(of_shard)?, row.try_get(1).map_err(of_shard)?);
    let (file, same_database): (String, bool) =
        (row.try_get(2).map_err(of_shard)?, row.try_get(3).map_err(of_shard)?);
    if !same_database || !remote.same_names {
        return Ok(None);
    }
    fits(&remote.table, typed, listed, &columns(&mut there, oid).await?)?;
    if is_filtered(&mut there, oid).await.map_err(of_shard)?
        && sessions.row_security() == RowSecurity::Refused
    {
        return Err(SourceError::RowSecurity {
            table: format!("{} of shard {}", remote.table, remote.server),
        });
    }
    Ok(vouches(&mut there, oid, &typed.unit.name).await?.then_some((place, file)))
}

/// Whether a table's own catalogue vouches for one row per unit.
async fn vouches(view: &mut PgConnection, oid: i64, unit: &str) -> Result<bool, SourceError> {
    let outdated = outdated(view, oid).await.map_err(|error| unavailable(&error))?;
    let is_key = sole_keys(view, oid).await?.iter().any(|key| key == unit);
    Ok(is_key && outdated.iter().all(|(column, _)| column != unit))
}

/// A column of another type there would be read with errors that depend on its values.
fn fits(
    table: &str,
    typed: &Typed,
    here: &[Listed],
    there: &[(Listed, bool, bool)],
) -> Result<(), SourceError> {
    let names: Vec<&str> = there.iter().map(|(listed, ..)| listed.name.as_str()).collect();
    for name in typed.names() {
        let at = find_column(table, &names, name)?;
        let (table, column) = (table.to_owned(), name.to_owned());
        let here = here.iter().find(|listed| listed.name == name);
        let (Some(here), Some((found, _, deterministic))) = (here, there.get(at)) else { continue };
        if !deterministic {
            return Err(SourceError::Collation { table, column });
        }
        if found.declared != here.declared {
            let (found, expected) = (
                found.declared.clone(),
                format!("`{}`, as it is declared in front of the shards", here.declared),
            );
            return Err(SourceError::ColumnType { table, column, found, expected });
        }
    }
    Ok(())
}
