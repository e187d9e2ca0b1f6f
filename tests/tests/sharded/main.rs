//! An office whose register outgrew one server: PostgreSQL with its rows on three others. Needs `tests/servers --shards`.

use lango_testkit::{Cluster, Register};

#[test]
fn a_register_is_spread_over_the_shards_and_read_through_the_head() {
    let register = Register::sample(20);
    let cluster = Cluster::of(&register);
    let all = register.count(|_| true);
    let count = "SELECT count(*) FROM residents";
    let each = cluster.shards.each_ref().map(|shard| shard.integer(count));
    assert!(each.iter().all(|rows| *rows > 0), "{each:?}");
    assert_eq!((each.iter().sum::<i64>(), cluster.head.integer(count)), (all, all));

    // The shards have the key that the head cannot vouch for.
    let keys = "SELECT count(*) FROM pg_constraint WHERE contype = 'p' AND conrelid = 'residents'::regclass";
    assert_eq!(cluster.head.integer(keys), 0);
    assert!(cluster.shards.iter().all(|shard| shard.integer(keys) == 1));

    // Grouped by the partition key only is it grouped there: which is why the shards have to be named.
    let plan = |sql: &str| {
        let lines = cluster.head.rows(&format!("EXPLAIN (VERBOSE, COSTS OFF) {sql}"));
        lines.into_iter().flatten().flatten().collect::<Vec<_>>().join("\n")
    };
    let whole = plan("SELECT sex, count(*) FROM residents GROUP BY sex");
    assert!(!whole.contains("GROUP BY"), "{whole}");
    let part = |shard: u32| format!("SELECT sex, count(*) FROM residents_{shard} GROUP BY sex");
    let parts = plan(&[1, 2, 3].map(part).join(" UNION ALL "));
    assert_eq!(parts.matches("Async Foreign Scan").count(), 3, "{parts}");
    assert_eq!(parts.matches("GROUP BY").count(), 3, "{parts}");
}
