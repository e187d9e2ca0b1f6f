//! What a table is read through, of which its own entry in the catalogue says nothing: the tables of other servers, the functions
//! that a view calls, and what a view does with rows.

use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::session::unnamed;
use crate::Mixing;

/// A relation, its partitions and children, and what the views of these kinds among them read.
fn reached(views: &str) -> String {
    format!(
        "WITH RECURSIVE reached AS ( \
      SELECT $1::oid AS oid \
      UNION SELECT next.oid FROM reached r CROSS JOIN LATERAL ( \
        SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = r.oid \
        UNION ALL \
        SELECT d.refobjid FROM pg_class v JOIN pg_rewrite w ON w.ev_class = v.oid \
        JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass \
        WHERE v.oid = r.oid AND v.relkind IN ({views})) AS next(oid))"
    )
}

/// What a materialised view holds is here already.
const VIEWS: &str = "'v'";
/// And yet it is of the rows that it was made from.
const ALL_VIEWS: &str = "'v', 'm'";

/// Whether a table, or one of those that it is read through, has another file than the transaction's view knows, or is not in
/// that view at all: TRUNCATE, REFRESH MATERIALIZED VIEW and some forms of ALTER TABLE make a new one, in which the view sees no
/// row. What is held is not rewritten any more.
pub(super) async fn is_rewritten(view: &mut PgConnection, oid: i64) -> sqlx::Result<bool> {
    // The function answers as of now, the table as of the view.
    let sql = format!(
        "{} SELECT NOT EXISTS (SELECT FROM pg_class WHERE oid = $1::oid) OR EXISTS ( \
         SELECT FROM reached r JOIN pg_class c ON c.oid = r.oid \
         WHERE c.relfilenode <> 0 AND pg_relation_filenode(c.oid) IS DISTINCT FROM c.relfilenode)",
        reached(VIEWS)
    );
    unnamed(AssertSqlSafe(sql)).bind(oid).fetch_one(view).await?.try_get(0)
}

/// With this option of `postgres_fdw` the other server raises an error instead of leaving rows out.
const ASKS_FOR_ALL: &str = "-c row_security=off";

/// The foreign server behind a table that may leave rows out without a word, if there is one. A file leaves none out, and a
/// server of `postgres_fdw` raises an error where it is set to.
pub(super) async fn silent_server(view: &mut PgConnection, oid: i64) -> sqlx::Result<Option<String>> {
    let sql = format!(
        "{} SELECT s.srvname::text FROM reached r JOIN pg_foreign_table f ON f.ftrelid = r.oid \
         JOIN pg_foreign_server s ON s.oid = f.ftserver JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw \
         LEFT JOIN pg_proc h ON h.oid = w.fdwhandler \
         WHERE coalesce(h.proname, '') <> 'file_fdw_handler' AND NOT (coalesce(h.proname, '') = 'postgres_fdw_handler' \
           AND EXISTS (SELECT FROM pg_options_to_table(s.srvoptions) o \
                       WHERE o.option_name = 'options' AND o.option_value = '{ASKS_FOR_ALL}')) \
         ORDER BY 1 LIMIT 1",
        reached(VIEWS)
    );
    let row = unnamed(AssertSqlSafe(sql)).bind(oid).fetch_optional(view).await?;
    row.map(|row| row.try_get(0)).transpose()
}

/// The functions, other than the server's own, that the views behind a table call.
pub(super) async fn functions(view: &mut PgConnection, oid: i64) -> sqlx::Result<Vec<String>> {
    let sql = format!(
        "{} SELECT DISTINCT d.refobjid::regproc::text FROM reached r JOIN pg_class v ON v.oid = r.oid AND v.relkind = 'v' \
         JOIN pg_rewrite w ON w.ev_class = v.oid JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid \
         AND d.refclassid = 'pg_proc'::regclass ORDER BY 1",
        reached(VIEWS)
    );
    let rows = unnamed(AssertSqlSafe(sql)).bind(oid).fetch_all(view).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// The tables and views that a table reads, by their numbers and names. What a function reads that a view calls stands in no
/// catalogue.
pub(super) async fn read(view: &mut PgConnection, oid: i64) -> sqlx::Result<Vec<(i64, String)>> {
    let sql = format!(
        "{} SELECT r.oid::bigint, r.oid::regclass::text FROM reached r WHERE r.oid <> $1::oid ORDER BY 2",
        reached(ALL_VIEWS)
    );
    let rows = unnamed(AssertSqlSafe(sql)).bind(oid).fetch_all(view).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// What each is known by in the tree of a view's rule, whose nodes the catalogue has as text: every query in it says of itself
/// `:hasSubLinks true` and the like, in a form that has lasted, whereas the view's definition in SQL would have to be parsed.
const MIXING: [(Mixing, &str); 6] = [
    (Mixing::Subquery, ":hasSubLinks true"),
    (Mixing::Join, r"\{JOINEXPR |:fromlist \(\{RANGETBLREF :rtindex \d+\} \{"),
    (Mixing::Window, ":hasWindowFuncs true"),
    (Mixing::Aggregate, r":hasAggs true|:groupClause \(|:groupingSets \("),
    // Of all that puts queries together only UNION ALL keeps every row; it is operation 1.
    (Mixing::Distinct, r":distinctClause \(|\{SETOPERATIONSTMT :op (1 :all false|[023456789])"),
    (Mixing::Limit, r":limit(Count|Offset) \{"),
];

/// By what the views behind a table, and it itself where it is one, may let one unit's row decide on another's.
pub(super) async fn mixing(view: &mut PgConnection, oid: i64) -> sqlx::Result<Vec<Mixing>> {
    let matches =
        MIXING.map(|(_, pattern)| format!("coalesce(bool_or(w.ev_action::text ~ '{pattern}'), false)"));
    let sql = format!(
        "{} SELECT {} FROM reached r JOIN pg_rewrite w ON w.ev_class = r.oid AND w.rulename = '_RETURN'",
        reached(ALL_VIEWS),
        matches.join(", ")
    );
    let row = unnamed(AssertSqlSafe(sql)).bind(oid).fetch_one(view).await?;
    let mut found = Vec::new();
    for (place, (mixing, _)) in MIXING.into_iter().enumerate() {
        if row.try_get(place)? {
            found.push(mixing);
        }
    }
    Ok(found)
}
