//! Fills a store with charges that might have been made, faster than they could be.

use lango_store::Location;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, sqlite::SqliteConnectOptions};

use crate::{CELLS, DAY, GRANTS, LAYOUT, PLAN, QUERY};

/// Over how many days before today the charges are spread.
const DAYS: u32 = 1_000;

/// Adds charges: one reservation, one release and two records for each.
pub async fn fill(location: &Location, entries: u64) {
    match location {
        Location::File(path) => {
            let options =
                SqliteConnectOptions::new().filename(path).busy_timeout(std::time::Duration::from_secs(60));
            let mut connection = options.connect().await.unwrap();
            let bytes = |length: usize| format!("randomblob({length})");
            let numbers = format!(
                "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {entries}) "
            );
            let release = |n: &str| {
                format!(
                    "unhex(printf('%04X', {DAY} - {DAYS} * ({entries} - {n}) / {entries}) || hex(randomblob(14)))"
                )
            };
            let sql = statements(&numbers, "number", &bytes, &release);
            connection
                .execute(AssertSqlSafe(format!("BEGIN; {sql}; COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")))
                .await
                .unwrap();
            connection.close().await.unwrap();
        }
        Location::Postgres { server, .. } => {
            let mut connection = server.postgres().unwrap().connect().await.unwrap();
            let bytes = |length: usize| {
                let digests = length.div_ceil(32);
                let digest = "sha256(convert_to(random()::text, 'UTF8'))";
                format!("substr({}, 1, {length})", vec![digest; digests].join(" || "))
            };
            let numbers = format!("generate_series(1, {entries}) AS number(n)");
            let release = |n: &str| {
                let day = format!("to_hex({DAY} - {DAYS} * ({entries} - {n}) / {entries})");
                format!("decode(lpad({day}, 4, '0'), 'hex') || {}", bytes(14))
            };
            let sql = statements("", &numbers, &bytes, &release);
            connection.execute(AssertSqlSafe(format!("BEGIN; {sql}; COMMIT"))).await.unwrap();
            // As it would have been maintained while it grew.
            for sql in ["VACUUM ANALYZE", "CHECKPOINT"] {
                connection.execute(sql).await.unwrap();
            }
            connection.close().await.unwrap();
        }
    }
}

/// `bytes` says how random ones are made, `release` how the identifier of the n-th release is.
fn statements(
    with: &str,
    numbers: &str,
    bytes: &dyn Fn(usize) -> String,
    release: &dyn Fn(&str) -> String,
) -> String {
    let (digest, cells) = (bytes(32), bytes(8 * CELLS));
    let (of_record, of_release) = (release("n"), release("(reservation.id - (SELECT id FROM before))"));
    let (at, columns) = (
        crate::AT,
        "at, principal, purpose, request_digest, query_digest, dataset, decision, reason, rule, \
         policy_digest, pure_nano, rho_nano, delta_e18, release_id",
    );
    let record = |decision: &str, release: &str| {
        format!(
            "{with}INSERT INTO access_record (sequence, {columns}) SELECT (SELECT max(sequence) FROM access_record) + n, {at}, \
             'spiffe://ecowas.example/analyst/awa', 'official-statistics', {digest}, {digest}, 'residents', '{decision}', '', \
             'grant-' || (n % {GRANTS}), {digest}, 1, 0, 0, {release} FROM {numbers}"
        )
    };
    [
        "CREATE TEMP TABLE before AS SELECT coalesce(max(id), 0) AS id FROM reservation".to_owned(),
        format!(
            "{with}INSERT INTO reservation (query_digest, dataset_version, terms_digest, query, dataset, pool, rows_from, grant_id, period, plan, \
             pure_nano, rho_nano, delta_e18, reserved_at, state) SELECT {digest}, '1', {digest}, '{QUERY}', 'residents', 'residents', 'register/residents', \
             'grant-' || (n % {GRANTS}), '2026', '{PLAN}', 1, 0, 0, {at}, 'spent' FROM {numbers}"
        ),
        format!(
            "INSERT INTO release (release_id, reservation_id, layout, cells, released_at) SELECT {of_release}, reservation.id, \
             '{LAYOUT}', {cells}, {at} FROM reservation WHERE id > (SELECT id FROM before)"
        ),
        record("reserved", "NULL"),
        record("released", &of_record),
        "DELETE FROM account".to_owned(),
        "DROP TABLE before".to_owned(),
    ]
    .join(";\n")
}
