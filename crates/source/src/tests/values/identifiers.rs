//! Identifiers, which no two units share.

use lango_privacy::{Column, Domain};
use lango_testkit::{Engine, TestDatabase};

use super::{HeldRows, by_every_access, declared, held, vector};
use crate::{
    PreparedRows,
    tests::{
        engines::source,
        fixture::{runtime, secret},
    },
};

#[test]
fn repro_columns_named_unit_and_rank_stood_twice_beside_a_rows_unit_and_rank() {
    let codes = || Column::from(Domain::codes(["a", "b"].map(|code| code.parse().unwrap()).into()).unwrap());
    let dataset = declared([("rank", codes()), ("unit", codes())], 2);
    for engine in [Engine::Sqlite, Engine::Postgres, Engine::MariaDb] {
        let columns = "person_id int, rank varchar(9), unit varchar(9)";
        let database = held(engine, columns, &["1, 'a', 'b'", "1, 'b', 'b'", "2, 'a', 'a'"]);
        let asked: [(&str, &[&str]); 3] = [("persons", &["unit"]), ("rows", &["rank"]), ("rows", &["unit"])];
        let counted = by_every_access(&database, &dataset, &asked, &[]);
        let expected = [[("a#0", 1), ("b#0", 1)], [("a#0", 2), ("b#0", 1)], [("a#0", 1), ("b#0", 2)]];
        assert_eq!(counted, expected.map(|cells| vector(&cells)), "{engine:?}");
        // Read of what was ranked alone, too: not by their keys.
        let rows = by_every_access(&database, &dataset, &asked[1..], &[]);
        assert_eq!(rows, counted[1..], "{engine:?}");
    }
}

/// Two people, whose numbers differ only past the signed ones.
#[test]
fn repro_identifiers_past_the_signed_numbers_were_one_unit() {
    let age = Column::from(Domain::integer(0, 9, 5).unwrap());
    let rows = [
        "18446744073709551615, 1",
        "18446744073709551615, 2",
        "18446744073709551614, 3",
        "9223372036854775807, 4",
        "9223372036854775808, 5",
        "7, 6",
    ];
    let database = held(Engine::MariaDb, "person_id bigint unsigned, age int", &rows);
    let counted =
        by_every_access(&database, &declared([("age", age)], 1), &[("persons", &[""]), ("rows", &[""])], &[]);
    assert_eq!(counted, [vector(&[("#0", 5)]), vector(&[("#0", 5)])]);
}

#[test]
fn repro_an_identifier_that_is_no_number_was_a_unit_and_kept_a_preparation_from_being_made() {
    let age = Column::from(Domain::integer(0, 9, 5).unwrap());
    for key in ["UNIQUE", "", "NOT NULL"] {
        let rows = ["1, 1", "'NaN', 2", "2, 3"];
        let database = held(Engine::Postgres, &format!("person_id numeric(18,0) {key}, age int"), &rows);
        let dataset = declared([("age", age.clone())], 1);
        let counted = by_every_access(&database, &dataset, &[("persons", &[""]), ("rows", &[""])], &[]);
        assert_eq!(counted, [vector(&[("#0", 2)]), vector(&[("#0", 2)])], "{key}");
        if key != "UNIQUE" {
            assert_eq!(
                runtime().block_on(source(&database.database).prepare(&dataset, &secret(7))),
                Ok(PreparedRows { kept: 2, all: 3 })
            );
        }
    }
}

#[test]
fn repro_a_domain_that_forbids_null_holds_it_all_the_same() {
    let database = TestDatabase::fresh(Engine::Postgres);
    for sql in [
        "CREATE DOMAIN number AS int NOT NULL",
        "CREATE TABLE residents (person_id number UNIQUE, age int)",
        "INSERT INTO residents VALUES (1, 1)",
        "INSERT INTO residents VALUES ((SELECT person_id FROM residents WHERE false), 2), ((SELECT person_id FROM residents WHERE false), 3)",
    ] {
        database.run(sql);
    }
    let age = Column::from(Domain::integer(0, 9, 5).unwrap());
    let held = HeldRows { database, keyed: true };
    let counted = by_every_access(&held, &declared([("age", age)], 1), &[("rows", &[""])], &[]);
    assert_eq!(counted, [vector(&[("#0", 1)])]);
}

#[test]
fn every_letter_of_a_latin_column_is_another_unit() {
    let database = TestDatabase::fresh(Engine::MariaDb);
    database.run("CREATE TABLE residents (person_id varchar(2) CHARACTER SET latin1 COLLATE latin1_swedish_ci, age int)");
    for byte in 0..=255u8 {
        database.run(&format!("INSERT INTO residents VALUES (CONVERT(X'{byte:02X}' USING latin1), 1)"));
    }
    let age = Column::from(Domain::integer(0, 9, 5).unwrap());
    let held = HeldRows { database, keyed: false };
    let counted = by_every_access(&held, &declared([("age", age)], 1), &[("rows", &[""])], &[]);
    // All but the blanks: six of ASCII's and the no-break space.
    assert_eq!(counted, [vector(&[("#0", 249)])]);
}
