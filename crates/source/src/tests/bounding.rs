//! Which rows of a unit are read: the first ones in a secret order, whatever is asked and however the table is stored.

use rusqlite::Connection;

use super::{
    fixture::{Vector, counted, dataset, file, plan, secret},
    table::{Drawn, Row, write},
};

/// Made by this SQL.
fn made(sql: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    Connection::open(file(&folder)).unwrap().execute_batch(sql).unwrap();
    folder
}

/// `units` units, each with one woman and nine men of all ages; `declared` follows the unit in its declaration.
pub(crate) fn families(units: u32, declared: &str) -> String {
    format!(
        "CREATE TABLE residents (person_id {declared}, sex, village, income, born, age);
         WITH RECURSIVE unit(u) AS (SELECT 1 UNION ALL SELECT u + 1 FROM unit WHERE u < {units}),
                        row(r) AS (SELECT 0 UNION ALL SELECT r + 1 FROM row WHERE r < 9)
         INSERT INTO residents SELECT u, iif(r = u % 10, 'F', 'M'), NULL, r, NULL, r FROM unit, row;"
    )
}

fn one(folder: &tempfile::TempDir, rows: u32, measure: &str, by: &str, filters: &[&str], byte: u8) -> Vector {
    let plan = plan(&dataset(rows, rows), &[(measure, &[by])], filters);
    counted(&file(folder), &plan, secret(byte)).unwrap().remove(0)
}

#[test]
fn the_same_secret_reads_the_same_rows_and_another_one_others() {
    let folder = made(&families(20, "INTEGER"));
    let sample = |byte| one(&folder, 3, "rows", "age,sex", &[], byte);
    assert_eq!(sample(7), sample(7));
    assert_ne!(sample(7), sample(8));
    assert_eq!(sample(7).values().sum::<i64>(), 60);
}

#[test]
fn it_does_not_matter_where_a_row_is_stored_or_what_is_not_declared() {
    for seed in 0..20 {
        let mut drawn = Drawn::of(seed);
        let table = drawn.table(false, 60);
        let backwards: Vec<Row> = table.iter().rev().cloned().collect();
        let sample = |folder: &tempfile::TempDir| {
            (one(folder, 2, "rows", "age,sex", &[], 7), one(folder, 2, "sum(income)", "born", &[], 7))
        };
        let expected = sample(&write(&table, "TEXT"));
        assert_eq!(sample(&write(&backwards, "TEXT")), expected);
        let folder = write(&table, "TEXT");
        let more = "ALTER TABLE residents ADD COLUMN note; UPDATE residents SET note = random();
                    CREATE INDEX by_unit ON residents (person_id, note); ANALYZE;";
        Connection::open(file(&folder)).unwrap().execute_batch(more).unwrap();
        assert_eq!(sample(&folder), expected);
    }
}

#[test]
fn rows_are_chosen_before_conditions_and_alike_for_every_question() {
    let folder = made(&families(500, "INTEGER"));
    let women = one(&folder, 1, "persons", "", &["sex in F"], 7)["#0"];
    // A tenth of the first rows are women's; were rows filtered first, every unit would have one. Six standard errors.
    assert!((10..=90).contains(&women), "{women}");
    let all = one(&folder, 1, "rows", "age,sex", &[], 7);
    let by_sex = one(&folder, 1, "rows", "sex", &[], 7);
    let of = |sex: &str| all.iter().filter(|(key, _)| key.ends_with(sex)).map(|(_, rows)| rows).sum::<i64>();
    assert_eq!((by_sex["F#0"], by_sex["M#0"]), (of("F#0"), of("M#0")));
    assert_eq!(by_sex["F#0"], women);
}

#[test]
fn nothing_is_bounded_where_the_catalogue_vouches_for_one_row_per_unit() {
    let people = "INSERT INTO residents VALUES ('a', 'F', NULL, 1, NULL, 3), ('A', 'M', NULL, 2, NULL, 7),
                  ('b', 'F', NULL, 3, NULL, 4);";
    for declared in ["TEXT PRIMARY KEY", "TEXT UNIQUE", "TEXT", "TEXT COLLATE NOCASE"] {
        let table =
            format!("CREATE TABLE residents (person_id {declared}, sex, village, income, born, age);");
        let folder = made(&format!("{table}{people}"));
        for rows in [1, 3] {
            assert_eq!(one(&folder, rows, "persons", "", &[], 7), Vector::from([("#0".into(), 3)]));
            assert_eq!(one(&folder, rows, "sum(income)", "", &[], 7), Vector::from([("#0".into(), 6)]));
        }
    }
}

#[test]
fn identifiers_that_differ_in_a_letter_are_two_units_whatever_the_column_compares() {
    let folder = made(
        "CREATE TABLE residents (person_id TEXT COLLATE NOCASE, sex, village, income, born, age);
         WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99)
         INSERT INTO residents SELECT iif(i % 2, 'a', 'A'), 'F', NULL, i, NULL, 3 FROM n;",
    );
    for rows in [1, 3] {
        assert_eq!(one(&folder, rows, "persons", "", &[], 7), Vector::from([("#0".into(), 2)]));
        assert_eq!(one(&folder, rows, "rows", "", &[], 7)["#0"], 2 * i64::from(rows));
    }
}

#[test]
fn a_unit_of_many_rows_counts_once_in_each_of_its_cells() {
    let folder = made(&families(3, "INTEGER"));
    let counts = |rows, cells, by: &'static str| {
        let plan = plan(&dataset(rows, cells), &[("persons", &[by])], &[]);
        counted(&file(&folder), &plan, secret(7)).unwrap().remove(0)
    };
    // Ages 0 to 9 fill two bands.
    assert_eq!(counts(10, 10, "age"), Vector::from([("0-4#0".into(), 3), ("5-9#0".into(), 3)]));
    assert_eq!(counts(10, 1, "age").values().sum::<i64>(), 3);
    assert_eq!(counts(1, 10, "age").values().sum::<i64>(), 3);
}
