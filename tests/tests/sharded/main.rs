//! An office whose register outgrew one server: PostgreSQL with its rows on three others. Needs `tests/servers --shards`.

mod asked;

use std::time::Duration;

use asked::{QUESTIONS, answers, both, dataset, plain, planned, rows, secret, sharded};
use lango_source::{Bounding, FetchError, Source, SourceError};
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

#[tokio::test(flavor = "multi_thread")]
async fn the_shards_add_up_to_the_counts_of_one_table() {
    for unit in ["BIGINT PRIMARY KEY", "TEXT PRIMARY KEY"] {
        let mut rows = rows(400, 1);
        if unit.starts_with("TEXT") {
            let texts = (0..).zip(&mut rows).map(|(number, row)| row[0] = format!("p{number}").into());
            texts.for_each(drop);
        }
        let (cluster, single) = both(unit, &rows);
        let dataset = dataset(1);
        let source = sharded(&cluster, 3);
        source.check(&dataset).await.unwrap();
        assert_eq!(source.bounding(&dataset, &secret()).await, Ok(Bounding::Vouched), "{unit}");
        assert_eq!(answers(&source, &dataset).await, answers(&plain(&single), &dataset).await, "{unit}");

        // What is sent groups at every shard, all of which are asked at once.
        for question in QUESTIONS {
            let plan = planned(question, &dataset);
            let lines = source.explain(&plan, &secret()).await.unwrap().join("\n");
            // The blanks around a text, of which some break lines.
            let lines = lines.replace(" \t\n\u{b}\u{c}\r\u{a0}", "");
            let statements =
                lines.lines().filter(|line| line.trim().trim_start_matches("->  ") == "Append").count();
            assert!(statements > 0, "{lines}");
            let each = ["Async Foreign Scan", "Relations: Aggregate on"];
            for words in each {
                assert_eq!(lines.matches(words).count(), 3 * statements, "{question}\n{words}\n{lines}");
            }
            let grouped = |line: &&str| line.contains("Remote SQL") && line.contains(" GROUP BY ");
            let total = question.ends_with("by") && !question.contains("quantile");
            assert_eq!(
                lines.lines().filter(grouped).count(),
                if total { 0 } else { 3 * statements },
                "{question}\n{lines}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_catalogue_vouches_for_is_ranked_or_prepared_and_answers_the_same() {
    let (cluster, single) = both("BIGINT", &rows(60, 4));
    let dataset = dataset(2);
    let expected = answers(&plain(&single), &dataset).await;
    for known in [0, 3] {
        let source = sharded(&cluster, known);
        source.check(&dataset).await.unwrap();
        assert_eq!(source.bounding(&dataset, &secret()).await, Ok(Bounding::Unprepared));
        assert_eq!(answers(&source, &dataset).await, expected, "{known}");
    }
    let source = sharded(&cluster, 3);
    let made = source.prepare(&dataset, &secret()).await.unwrap();
    assert_eq!(made.kept, 120);
    assert_eq!(source.bounding(&dataset, &secret()).await, Ok(Bounding::Prepared { rows: 120 }));
    assert_eq!(answers(&source, &dataset).await, expected);
    assert_eq!(
        plain(&cluster.head).bounding(&dataset, &secret()).await,
        Ok(Bounding::Prepared { rows: 120 })
    );

    // Another part: what was prepared is not all there is.
    cluster.head.run_async("ALTER TABLE residents DETACH PARTITION residents_3").await;
    assert!(matches!(source.bounding(&dataset, &secret()).await, Ok(Bounding::Stale(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_is_vouched_for_only_where_each_shard_has_a_key_and_units_of_its_own() {
    let unit = "BIGINT PRIMARY KEY";
    let dataset = dataset(1);
    let (cluster, _single) = both(unit, &rows(30, 1));
    let vouched = |source: lango_source::Postgres| {
        let dataset = dataset.clone();
        async move { source.bounding(&dataset, &secret()).await.map(|bounding| bounding == Bounding::Vouched) }
    };
    assert_eq!(vouched(sharded(&cluster, 3)).await, Ok(true));
    for known in 0..3 {
        assert_eq!(vouched(sharded(&cluster, known)).await, Ok(false), "{known}");
    }
    let head = |sql: &'static str| cluster.head.run_async(sql);
    // One table as two parts.
    head("ALTER FOREIGN TABLE residents_2 OPTIONS (SET table_name 'others')").await;
    assert_eq!(vouched(sharded(&cluster, 3)).await, Ok(false));
    head("ALTER FOREIGN TABLE residents_2 OPTIONS (SET table_name 'residents')").await;
    for (wrong, right) in [
        // Read as another column than the one whose key is known.
        (
            "ALTER FOREIGN TABLE residents_2 ALTER COLUMN person_id OPTIONS (ADD column_name 'income')",
            "ALTER FOREIGN TABLE residents_2 ALTER COLUMN person_id OPTIONS (DROP column_name)",
        ),
        // Another database than the one whose catalogue is known.
        (
            "ALTER SERVER shard_2 OPTIONS (SET dbname 'postgres')",
            "DO $$ BEGIN EXECUTE format('ALTER SERVER shard_2 OPTIONS (SET dbname %L)', (SELECT o.option_value FROM pg_user_mappings m, pg_options_to_table(m.umoptions) o WHERE m.srvname = 'shard_2' AND o.option_name = 'user' AND m.usename = current_database())); END $$",
        ),
        // One table as two parts, by another foreign server.
        (
            "ALTER TABLE residents DETACH PARTITION residents_3; CREATE FOREIGN TABLE twin PARTITION OF residents \
             FOR VALUES WITH (MODULUS 3, REMAINDER 2) SERVER shard_2 OPTIONS (table_name 'residents')",
            "DROP FOREIGN TABLE twin; ALTER TABLE residents ATTACH PARTITION residents_3 FOR VALUES WITH (MODULUS 3, REMAINDER 2)",
        ),
    ] {
        head(wrong).await;
        assert_eq!(vouched(sharded(&cluster, 3)).await, Ok(false), "{wrong}");
        head(right).await;
        assert_eq!(vouched(sharded(&cluster, 3)).await, Ok(true), "{right}");
    }
    // Keys, and types.
    let shard = &cluster.shards[1];
    for (wrong, right) in [
        (
            "ALTER TABLE residents DROP CONSTRAINT residents_pkey",
            "ALTER TABLE residents ADD PRIMARY KEY (person_id)",
        ),
        ("CREATE TABLE late () INHERITS (residents)", "DROP TABLE late"),
    ] {
        let source = sharded(&cluster, 3);
        assert_eq!(vouched(source.clone()).await, Ok(true));
        shard.run_async(wrong).await;
        assert_eq!(vouched(source).await, Ok(false), "{wrong}");
        shard.run_async(right).await;
    }
    shard.run_async("ALTER TABLE residents ALTER COLUMN age TYPE text").await;
    let error = sharded(&cluster, 3).check(&dataset).await.unwrap_err();
    assert!(matches!(&error, SourceError::ColumnType { column, .. } if column == "age"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn units_that_are_spread_otherwise_than_by_their_hash_are_not_vouched_for() {
    let cluster = Cluster::fresh();
    for (number, shard) in cluster.shards.iter().enumerate() {
        shard.create("residents", &asked::COLUMNS);
        let columns =
            asked::COLUMNS.map(|(name, words)| format!("{name} {}", words.split(' ').next().unwrap()));
        if number == 0 {
            let sql = format!("CREATE TABLE residents ({}) PARTITION BY LIST (sex)", columns.join(", "));
            cluster.head.run_async(&sql).await;
        }
        let values = ["'F'", "'M'", "NULL"][number];
        let sql = format!(
            "CREATE FOREIGN TABLE residents_{number} PARTITION OF residents FOR VALUES IN ({values}) SERVER shard_{} OPTIONS (table_name 'residents')",
            number + 1
        );
        cluster.head.run_async(&sql).await;
    }
    // One person in two shards.
    cluster.head.run_async("INSERT INTO residents (person_id, sex) VALUES (1, 'F'), (1, 'M')").await;
    let (source, dataset) = (sharded(&cluster, 3), dataset(1));
    assert_eq!(source.bounding(&dataset, &secret()).await, Ok(Bounding::Unprepared));
    assert_eq!(answers(&source, &dataset).await[0][0], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_that_is_down_is_named_and_its_question_is_charged_only_if_rows_were_read() {
    let (cluster, _single) = both("BIGINT PRIMARY KEY", &rows(30, 1));
    let (source, dataset) = (sharded(&cluster, 3), dataset(1));
    let plan = planned(QUESTIONS[0], &dataset);
    cluster.shards[1].away();
    let error = source.check(&dataset).await.unwrap_err().to_string();
    assert!(error.contains("shard `shard_2`"), "{error}");
    let session = source.open().await.unwrap();
    let failed = session.fetch(plan.clone(), secret()).await.map(drop);
    assert_eq!(failed, Err(FetchError { rows_were_read: false }));
    // Without its catalogue nobody sees that it is down before its rows are asked for.
    let session = plain(&cluster.head).open().await.unwrap();
    let failed = session.fetch(plan.clone(), secret()).await.map(drop);
    assert_eq!(failed, Err(FetchError { rows_were_read: true }));
    cluster.shards[1].back();
    assert!(source.open().await.unwrap().fetch(plan, secret()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_or_rows_that_go_after_a_shard_was_examined_fail_the_question() {
    let key = "ALTER TABLE residents DROP CONSTRAINT residents_pkey";
    let rows_of = "BEGIN; CREATE TEMP TABLE kept AS SELECT * FROM residents; TRUNCATE residents; \
                   INSERT INTO residents SELECT * FROM kept; SELECT pg_sleep(3); COMMIT";
    for (change, bounding) in [(key, Bounding::Unprepared), (rows_of, Bounding::Vouched)] {
        let (cluster, _single) = both("BIGINT PRIMARY KEY", &rows(30, 1));
        let (source, dataset) = (sharded(&cluster, 3), dataset(1));
        let plan = planned(QUESTIONS[0], &dataset);
        let [_, second, third] = &cluster.shards;
        let until = async |waiting: &str| {
            // Not at once again: who is waited for runs in the same task.
            while third.integer(waiting) == 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        // The third shard is examined last, and waited for.
        let held = third.run_async("BEGIN; LOCK TABLE residents; SELECT pg_sleep(4); COMMIT");
        let asked = async {
            until("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()").await;
            source.open().await.unwrap().fetch(plan, secret()).await.map(drop)
        };
        let changed = async {
            until("SELECT count(*) FROM pg_locks WHERE relation = 'residents'::regclass AND NOT granted")
                .await;
            second.run_async(change).await;
        };
        let ((), failed, ()) = tokio::join!(held, asked, changed);
        assert_eq!(failed, Err(FetchError { rows_were_read: true }), "{change}");
        assert_eq!(source.bounding(&dataset, &secret()).await, Ok(bounding), "{change}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_that_is_loaded_again_is_waited_for() {
    let (cluster, single) = both("BIGINT PRIMARY KEY", &rows(30, 1));
    let (source, dataset) = (sharded(&cluster, 3), dataset(1));
    let expected = answers(&plain(&single), &dataset).await;
    let shard = &cluster.shards[1];
    let loaded = shard.run_async(
        "BEGIN; CREATE TEMP TABLE kept AS SELECT * FROM residents; TRUNCATE residents; \
         INSERT INTO residents SELECT * FROM kept; SELECT pg_sleep(2); COMMIT",
    );
    let asked = async {
        let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
        while shard.integer(sleeping) == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        answers(&source, &dataset).await
    };
    let ((), found) = tokio::join!(loaded, asked);
    assert_eq!(found, expected);
}
