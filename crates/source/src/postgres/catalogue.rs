//! What the server's catalogue says of a table, which is not taken on trust.

use sqlx::{AssertSqlSafe, PgConnection, Row, postgres::PgRow};

use super::{
    behind::is_rewritten,
    dialect::PostgresDialect,
    session::{Sessions, on_usual_path, unnamed},
};
use crate::{
    SourceError,
    failure::unavailable,
    sql::{ColumnType, Dialect, Listed, Made},
};

/// How often a view of a table is begun while others rewrite it.
const VIEWS_MOST: usize = 10;

/// Texts of at most this number of characters are short, whatever bytes each takes.
const SHORT_CHARACTERS: i32 = 2_048;

/// A relation as `pg_class` has it.
pub(super) struct Relation {
    pub(super) oid: i64,
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) kind: String,
}

pub(super) fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", PostgresDialect.quoted(schema), PostgresDialect.quoted(name))
}

/// In a database of UTF-8 every text is UTF-8, and no conversion can fail on one.
pub(super) async fn encoding(view: &mut PgConnection) -> Result<(), SourceError> {
    let sql =
        "SELECT pg_encoding_to_char(encoding)::text FROM pg_database WHERE datname = current_database()";
    let encoding: String = scalar(view, sql).await?;
    if encoding == "UTF8" { Ok(()) } else { Err(SourceError::Encoding(encoding)) }
}

async fn scalar(view: &mut PgConnection, sql: &'static str) -> Result<String, SourceError> {
    let row = unnamed(sql).fetch_one(view).await.map_err(|error| unavailable(&error))?;
    row.try_get(0).map_err(|error| unavailable(&error))
}

/// The table that a policy names, `registers.residents`, or `residents`, found as the server finds it for its user; held until
/// the transaction ends, so that no other takes its name between what the catalogue says of it and the reading of its rows.
///
/// INVARIANT (no view is older than its lock): an office may empty a table and fill it again in one transaction, for which a
/// question waits. The transaction's view of the rows, if it were from before the wait, would show neither the old rows, whose
/// file is gone, nor the new ones. A lock is taken without a view where the server allows it; elsewhere a view from before the
/// wait is given up and begun anew, which the table's file shows.
pub(super) async fn relation(
    view: &mut PgConnection,
    sessions: &Sessions,
    table: &str,
) -> Result<Relation, SourceError> {
    if table.chars().any(char::is_control) {
        return Err(SourceError::Identifier(table.to_owned()));
    }
    let no_table = || SourceError::NoTable(table.to_owned());
    for _ in 0..VIEWS_MOST {
        let held = held(view, table).await.map_err(|error| unavailable(&error))?;
        let held = held.ok_or_else(no_table)?;
        if !is_rewritten(view, held.oid).await.map_err(|error| unavailable(&error))? {
            return found(view, table, held).await;
        }
        sessions.begin_anew(view).await?;
    }
    Err(SourceError::Rewritten(table.to_owned()))
}

/// What the catalogue has of a table that is held.
async fn found(view: &mut PgConnection, table: &str, held: HeldTable) -> Result<Relation, SourceError> {
    let HeldTable { oid, schema, name } = held;
    let no_table = || SourceError::NoTable(table.to_owned());
    // A temporary one is found first, and is another client's where a pooler stands in front of the server.
    let sql = "SELECT relkind::text FROM pg_class WHERE oid = $1::oid AND relpersistence <> 't'";
    let found = unnamed(sql).bind(oid).fetch_optional(view).await.map_err(|error| unavailable(&error))?;
    let row = found.ok_or_else(no_table)?;
    let kind = row.try_get(0).map_err(|error| unavailable(&error))?;
    let relation = Relation { oid, schema, name, kind };
    // An ordinary table, one in partitions, a view, a materialised one, or a foreign table.
    match relation.kind.as_str() {
        "r" | "p" | "v" | "m" | "f" => Ok(relation),
        _ => Err(SourceError::NotATable(table.to_owned())),
    }
}

/// A table that has its name until the transaction ends.
pub(super) struct HeldTable {
    pub(super) oid: i64,
    pub(super) schema: String,
    pub(super) name: String,
}

/// The table that the server finds on its user's path, on which nothing else is found. A user who may read it holds it; why
/// another may not is found when its rights are.
pub(super) async fn held(view: &mut PgConnection, table: &str) -> sqlx::Result<Option<HeldTable>> {
    let quoted = table.split('.').map(|part| PostgresDialect.quoted(part)).collect::<Vec<_>>().join(".");
    let literal = quoted.replace('\'', "''");
    let find = format!("SELECT pg_catalog.to_regclass('{literal}')::pg_catalog.oid::pg_catalog.text");
    // The first begins no view before it has the lock; it is refused on materialised views and foreign tables, and to a user who
    // may read some columns alone.
    let holding = [lock(&quoted), format!("SELECT 1 FROM {quoted} LIMIT 0")];
    let [lock, read] = holding.map(|hold| on_usual_path(&format!("{hold}; {find}")));
    let rows = first_allowed(view, [lock, read, on_usual_path(&find)]).await?;
    let found: Option<String> = rows.last().map(|row| row.try_get_unchecked(0)).transpose()?.flatten();
    let Some(oid) = found.and_then(|oid| oid.parse::<i64>().ok()) else { return Ok(None) };
    // What the server prints of a table is its name now, behind its schema's, for that is not on the path. The catalogue, as the
    // transaction sees it, may be of a moment before the table took the name.
    let sql = "SELECT parts[cardinality(parts) - 1], parts[cardinality(parts)] \
               FROM (SELECT parse_ident($1::oid::regclass::text) AS parts) AS named";
    let row = unnamed(sql).bind(oid).fetch_one(view).await?;
    let schema: Option<String> = row.try_get(0)?;
    Ok(Some(HeldTable {
        oid,
        schema: schema.unwrap_or_else(|| "pg_catalog".to_owned()),
        name: row.try_get(1)?,
    }))
}

/// Waits for those who rewrite a table, and keeps others from that until the transaction ends.
pub(super) fn lock(quoted: &str) -> String {
    format!("LOCK TABLE {quoted} IN ACCESS SHARE MODE")
}

/// The rows of the first statements that the server does not refuse. That one was stopped while it waited is no refusal: a view
/// that the next ones began would be from before the end of the wait.
pub(super) async fn first_allowed<const N: usize>(
    view: &mut PgConnection,
    attempts: [String; N],
) -> sqlx::Result<Vec<PgRow>> {
    let mut rows = Ok(Vec::new());
    for statements in attempts {
        let sql = format!("SAVEPOINT lango_table; {statements}; RELEASE SAVEPOINT lango_table");
        rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut *view).await;
        match &rows {
            Err(error) if is_refused(error) => {
                let back = "ROLLBACK TO SAVEPOINT lango_table; RELEASE SAVEPOINT lango_table";
                sqlx::raw_sql(back).execute(&mut *view).await?;
            }
            _ => break,
        }
    }
    rows
}

/// Whether a server refused a statement, and did not stop it: query_canceled, lock_not_available, deadlock_detected.
fn is_refused(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().map(|error| error.code().unwrap_or_default());
    code.is_some_and(|code| !["57014", "55P03", "40P01"].contains(&&*code))
}

/// The columns, each with whether it is never NULL and whether its collation is deterministic.
pub(super) async fn columns(
    view: &mut PgConnection,
    oid: i64,
) -> Result<Vec<(Listed, bool, bool)>, SourceError> {
    // A domain is its base type, as often as it is one of a domain; the first modifier on the way counts. Its constraints do not:
    // one against NULL does not keep every NULL out.
    let sql = "WITH RECURSIVE based AS ( \
                 SELECT a.attnum, a.atttypid AS type, a.atttypmod AS modifier FROM pg_attribute a \
                 WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped \
                 UNION ALL \
                 SELECT b.attnum, t.typbasetype, CASE WHEN b.modifier = -1 THEN t.typtypmod ELSE b.modifier END \
                 FROM based b JOIN pg_type t ON t.oid = b.type WHERE t.typtype = 'd') \
               SELECT a.attname::text, format_type(t.oid, b.modifier)::text, t.typname::text, t.typtype::text, b.modifier, \
               a.attnotnull, coalesce(c.collisdeterministic, true) \
               FROM based b JOIN pg_type t ON t.oid = b.type AND t.typtype <> 'd' \
               JOIN pg_attribute a ON a.attrelid = $1::oid AND a.attnum = b.attnum \
               LEFT JOIN pg_collation c ON c.oid = a.attcollation ORDER BY a.attnum";
    let rows = unnamed(sql).bind(oid).fetch_all(view).await.map_err(|error| unavailable(&error))?;
    let read = |row: &PgRow| -> sqlx::Result<(Listed, bool, bool)> {
        let (name, declared): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let (type_name, type_kind): (String, String) = (row.try_get(2)?, row.try_get(3)?);
        let (kind, made) = kind(&type_name, &type_kind, row.try_get(4)?);
        // A modifier of `n` characters is n + 4, and none is -1.
        let is_short = (0..SHORT_CHARACTERS + 4).contains(&row.try_get::<i32, _>(4)?) || type_name == "name";
        Ok((Listed { name, declared, kind, made, is_short }, row.try_get(5)?, row.try_get(6)?))
    };
    rows.iter().map(read).collect::<sqlx::Result<_>>().map_err(|error| unavailable(&error))
}

fn kind(name: &str, type_kind: &str, modifier: i32) -> (Option<ColumnType>, Made) {
    let text = ColumnType::Text { bytewise: true, utf8: true };
    let (kind, made) = match name {
        "int2" | "int4" | "int8" => (ColumnType::Integer, Made::AsIs),
        "numeric" => (decimal(modifier).unwrap_or(ColumnType::Numeric), Made::AsIs),
        "float4" | "float8" => (ColumnType::Float, Made::AsIs),
        "text" | "varchar" | "bpchar" => (text, Made::AsIs),
        // Their own comparison is not that of their texts.
        "citext" | "name" | "char" => (text, Made::AsText),
        "bit" | "varbit" => (ColumnType::Word, Made::AsText),
        "date" => (ColumnType::Day, Made::AsIs),
        "timestamp" => (ColumnType::Moment, Made::AsIs),
        "timestamptz" => (ColumnType::Moment, Made::AtPlace),
        "uuid" | "bool" => (ColumnType::Word, Made::AsIs),
        _ if type_kind == "e" => (ColumnType::Word, Made::AsIs),
        _ => return (None, Made::AsIs),
    };
    (Some(kind), made)
}

/// A decimal of at most 18 digits: any of them is a number of 64 bits in units of its last digit.
fn decimal(modifier: i32) -> Option<ColumnType> {
    // Precision and scale as `numeric` packs them; a negative scale has no place here.
    let packed = u32::try_from(modifier.checked_sub(4)?).ok()?;
    let (precision, scale) = (packed >> 16, packed & 0x7ff);
    (precision <= 18 && scale <= precision).then_some(ColumnType::Decimal(scale))
}

/// The columns that are unique by themselves: the one key of a full unique index, whose rows are checked at once, by the usual
/// equality of its type.
pub(super) async fn sole_keys(view: &mut PgConnection, oid: i64) -> Result<Vec<String>, SourceError> {
    let sql = "SELECT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] \
               WHERE i.indrelid = $1::oid AND i.indisunique AND i.indisvalid AND i.indisready AND i.indimmediate \
               AND i.indnkeyatts = 1 AND i.indpred IS NULL AND i.indexprs IS NULL \
               AND (SELECT o.opcdefault FROM pg_opclass o WHERE o.oid = i.indclass[0]) ORDER BY 1";
    let rows = unnamed(sql).bind(oid).fetch_all(view).await.map_err(|error| unavailable(&error))?;
    rows.iter().map(|row| row.try_get(0)).collect::<sqlx::Result<_>>().map_err(|error| unavailable(&error))
}

/// The tables that inherit from a table, or its partitions.
pub(super) async fn children(view: &mut PgConnection, oid: i64) -> Result<Vec<String>, SourceError> {
    let sql = "SELECT inhrelid::text FROM pg_inherits WHERE inhparent = $1::oid ORDER BY inhrelid";
    let rows = unnamed(sql).bind(oid).fetch_all(view).await.map_err(|error| unavailable(&error))?;
    rows.iter().map(|row| row.try_get(0)).collect::<sqlx::Result<_>>().map_err(|error| unavailable(&error))
}

/// What a view reads, in words.
pub(super) async fn definition(view: &mut PgConnection, oid: i64) -> Result<String, SourceError> {
    let row = unnamed("SELECT pg_get_viewdef($1::oid)").bind(oid).fetch_one(view).await;
    row.and_then(|row| row.try_get(0)).map_err(|error| unavailable(&error))
}
