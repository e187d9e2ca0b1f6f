//! What a ledger on a server holds.

use lango_testkit::TestDatabase;

/// What a ledger holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SharedLedger {
    pub(crate) pool: i64,
    /// The sum over all reservations that are not voided, from which the pool must not differ.
    pub(crate) reserved: i64,
    pub(crate) states: Vec<String>,
    pub(crate) releases: i64,
    pub(crate) decisions: Vec<String>,
}

impl SharedLedger {
    pub(crate) fn of(database: &TestDatabase) -> Self {
        let words = |sql| -> Vec<String> {
            database.rows(sql).into_iter().map(|row| row[0].clone().unwrap()).collect()
        };
        let gap = database.integer("SELECT count(*) - coalesce(max(sequence), 0) FROM access_record");
        assert_eq!(gap, 0, "the records have a gap");
        Self {
            pool: database
                .integer("SELECT CAST(coalesce(sum(pure_nano), 0) AS BIGINT) FROM account WHERE holder = ''"),
            reserved: database.integer(
                "SELECT CAST(coalesce(sum(pure_nano), 0) AS BIGINT) FROM reservation WHERE state <> 'voided'",
            ),
            states: words("SELECT state FROM reservation ORDER BY id"),
            releases: database.integer("SELECT count(*) FROM release"),
            decisions: words(
                "SELECT decision FROM access_record WHERE decision NOT IN ('started', 'stopped', 'activated') \
                 ORDER BY sequence",
            ),
        }
    }
}
