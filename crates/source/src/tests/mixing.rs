//! Views in which one unit's row decides on another's.

use lango_testkit::{Engine, TestDatabase};

use super::{engines::source, fixture::runtime};
use crate::{Mixing, MixingView};

fn of(database: &TestDatabase, table: &str) -> Vec<MixingView> {
    runtime().block_on(source(database).examine(&[table])).unwrap().mixing
}

#[test]
fn what_brings_rows_of_several_units_together_in_a_view_is_named() {
    let database = TestDatabase::fresh(Engine::Postgres);
    database.run("CREATE TABLE residents (person_id int PRIMARY KEY, sex text, household int)");
    database.run("CREATE TABLE codes (code text)");
    let neighbour =
        "EXISTS (SELECT FROM residents o WHERE o.household = r.household AND o.person_id <> r.person_id)";
    for (kind, query, expected) in [
        ("VIEW", "SELECT * FROM residents".to_owned(), &[][..]),
        (
            "VIEW",
            "SELECT person_id, lower(sex) AS sex FROM residents WHERE sex IN ('F', 'M') OR sex IS NULL"
                .to_owned(),
            &[],
        ),
        (
            "VIEW",
            "SELECT * FROM (SELECT person_id, sex FROM residents) AS r WHERE sex = ':hasAggs true'"
                .to_owned(),
            &[],
        ),
        ("VIEW", "SELECT person_id AS \":hasAggs true\" FROM residents".to_owned(), &[]),
        ("VIEW", "SELECT person_id FROM residents UNION ALL SELECT household FROM residents".to_owned(), &[]),
        ("MATERIALIZED VIEW", "SELECT * FROM residents".to_owned(), &[]),
        ("VIEW", format!("SELECT * FROM residents r WHERE {neighbour}"), &[Mixing::Subquery]),
        ("MATERIALIZED VIEW", format!("SELECT *, {neighbour} AS n FROM residents r"), &[Mixing::Subquery]),
        (
            "VIEW",
            "SELECT r.* FROM residents r JOIN residents o USING (household)".to_owned(),
            &[Mixing::Join],
        ),
        ("VIEW", "SELECT r.* FROM residents r, codes WHERE code = sex".to_owned(), &[Mixing::Join]),
        ("VIEW", "SELECT r.* FROM residents r, LATERAL (SELECT r.sex) AS s".to_owned(), &[Mixing::Join]),
        (
            "VIEW",
            "SELECT *, row_number() OVER (ORDER BY person_id) AS n FROM residents".to_owned(),
            &[Mixing::Window],
        ),
        (
            "VIEW",
            "SELECT household AS person_id, count(*) AS n FROM residents GROUP BY 1".to_owned(),
            &[Mixing::Aggregate],
        ),
        ("VIEW", "SELECT household AS person_id FROM residents GROUP BY 1".to_owned(), &[Mixing::Aggregate]),
        ("VIEW", "SELECT DISTINCT household FROM residents".to_owned(), &[Mixing::Distinct]),
        ("VIEW", "SELECT DISTINCT ON (household) * FROM residents".to_owned(), &[Mixing::Distinct]),
        ("VIEW", "SELECT sex FROM residents UNION SELECT sex FROM residents".to_owned(), &[Mixing::Distinct]),
        (
            "VIEW",
            "SELECT sex FROM residents EXCEPT ALL SELECT code FROM codes".to_owned(),
            &[Mixing::Distinct],
        ),
        ("VIEW", "SELECT * FROM residents LIMIT 5".to_owned(), &[Mixing::Limit]),
        ("VIEW", "SELECT * FROM residents OFFSET 5".to_owned(), &[Mixing::Limit]),
        (
            "VIEW",
            "WITH w AS (SELECT max(person_id) AS m FROM residents) SELECT * FROM residents, w".to_owned(),
            &[Mixing::Join, Mixing::Aggregate],
        ),
    ] {
        database.run(&format!("CREATE {kind} shown AS {query}"));
        database.run("CREATE VIEW outer_view AS SELECT * FROM shown");
        for table in ["shown", "outer_view"] {
            let expected = MixingView { table: table.to_owned(), by: Some(expected.to_vec()) };
            let expected = Some(expected).filter(|view| view.by != Some(Vec::new()));
            assert_eq!(of(&database, table), Vec::from_iter(expected), "{kind} {query}");
        }
        database.run("DROP VIEW outer_view");
        database.run(&format!("DROP {kind} shown"));
    }
}

#[test]
fn every_view_is_named_where_its_definition_is_text_alone() {
    for engine in [Engine::Sqlite, Engine::MariaDb] {
        let database = TestDatabase::fresh(engine);
        database.run("CREATE TABLE residents (person_id int PRIMARY KEY)");
        database.run("CREATE VIEW shown AS SELECT * FROM residents");
        assert_eq!(
            of(&database, "shown"),
            [MixingView { table: "shown".to_owned(), by: None }],
            "{engine:?}"
        );
        assert_eq!(of(&database, "residents"), [], "{engine:?}");
    }
}
