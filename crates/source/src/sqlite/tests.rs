//! Counts through real files: every key has its cell, every odd value its place, and no catalogue is believed.

use std::{collections::BTreeMap, path::Path};

use lango_privacy::{Accounting, Column, Dataset, Domain, Kind, Plan, Query, Unit, compile, measure, rows};

use super::*;

const RESIDENTS: &str = "
    CREATE TABLE residents (person_id TEXT PRIMARY KEY, sex, age, income);
    INSERT INTO residents VALUES
      ('a', 'F', 3, 10), ('b', 'F', 7, 20), ('c', 'M', 11, 30), ('d', NULL, 4, NULL), ('e', '  ', NULL, 40),
      ('f', 'X', 12, 50), ('g', x'46', 'old', 60), ('h', 1, 3.0, 70), ('i', 'f', 9.5, 80), ('j', '_O', -1, 90),
      (NULL, 'F', 3, 10), (x'61', 'F', 3, 10), ('k', 'F; DROP TABLE residents', '', 100);";

fn dataset() -> Dataset {
    let codes =
        |codes: &[&str]| Domain::codes(codes.iter().map(|code| code.parse().unwrap()).collect()).unwrap();
    let columns = [
        ("sex", codes(&["F", "M", "1"])),
        ("age", Domain::integer(0, 11, 5).unwrap()),
        ("income", Domain::amount(0, 1_000, 0, None).unwrap()),
    ];
    Dataset {
        name: "residents".parse().unwrap(),
        title: String::new(),
        kind: Kind::Stock,
        source: "register".into(),
        table: "residents".into(),
        version: "1".parse().unwrap(),
        unit: Unit {
            column: "person_id".into(),
            noun: "person".parse().unwrap(),
            rows_at_most: 1,
            cells_at_most: 1,
        },
        columns: columns
            .into_iter()
            .map(|(name, domain)| (name.parse().unwrap(), Column { domain }))
            .collect(),
    }
}

fn file(sql: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.sqlite");
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    (folder, path)
}

fn source(path: &Path) -> Sqlite {
    Sqlite::new(path, Duration::from_secs(30))
}

/// At epsilon 100 a discrete Laplace noise is 0 but once in 10^43 draws, so the counts can be compared.
fn plan(body: &str) -> Plan {
    let query: Query =
        format!("lango-query 1\ndataset residents\nmeasure persons\n{body}\nprice epsilon 100\n")
            .parse()
            .unwrap();
    compile(&query, &dataset(), &Accounting::Pure, [0; 32]).unwrap()
}

async fn count(path: &Path, body: &str) -> BTreeMap<String, i64> {
    let plan = plan(body);
    let counted = source(path).open().await.unwrap().fetch(plan.clone()).await.unwrap();
    let cells = measure(&plan, counted).unwrap();
    let by = plan.margins[0].by.clone();
    let axes: Vec<_> = plan.layout.axes(&by).map(|(_, keyset)| keyset).collect();
    let keys = rows(&axes).map(|key| key.iter().map(|code| code.as_str()).collect::<Vec<_>>().join(" "));
    keys.zip(cells).filter(|(_, count)| *count != 0).collect()
}

#[tokio::test]
async fn every_value_finds_its_key() {
    let (_folder, path) = file(RESIDENTS);
    for (body, expected) in [
        ("by", vec![("", 11)]),
        // x'46' reads as F but is not text, `f` is not `F`, and a value spelt `_O` is undeclared like any other.
        ("by sex", vec![("1", 1), ("F", 2), ("M", 1), ("_O", 5), ("_U", 2)]),
        // 3.0 is no whole number in a column without a type; 'old', 9.5, 12 and -1 are not declared.
        ("by age", vec![("0-4", 2), ("10-11", 1), ("5-9", 1), ("_O", 5), ("_U", 2)]),
        ("by sex\nwhere sex = F", vec![("F", 2)]),
        ("by sex\nwhere sex in F,_U", vec![("F", 2), ("_U", 2)]),
        ("by sex\nwhere sex = _O", vec![("_O", 5)]),
        ("by sex\nwhere sex in 1,F,M,_O,_U", vec![("1", 1), ("F", 2), ("M", 1), ("_O", 5), ("_U", 2)]),
        ("by age\nwhere age from 4 to 7", vec![("0-4", 1), ("5-9", 1)]),
        ("by age\nwhere age in 3,_U", vec![("0-4", 1), ("_U", 2)]),
        ("by age\nwhere age = _O", vec![("_O", 5)]),
        ("by\nwhere income from 20 to 40", vec![("", 3)]),
        ("by age,sex\nwhere sex = M", vec![("10-11 M", 1)]),
    ] {
        let expected: BTreeMap<String, i64> =
            expected.into_iter().map(|(key, count)| (key.to_owned(), count)).collect();
        assert_eq!(count(&path, body).await, expected, "{body}");
    }
}

#[tokio::test]
async fn a_filter_passes_exactly_the_rows_of_its_cell() {
    let (_folder, path) = file(RESIDENTS);
    for (column, codes) in [("sex", vec!["F", "M", "1", "_O", "_U"]), ("age", vec!["_O", "_U"])] {
        let cells = count(&path, &format!("by {column}")).await;
        for code in codes {
            let filtered = count(&path, &format!("by {column}\nwhere {column} = {code}")).await;
            assert_eq!(filtered, BTreeMap::from([(code.to_owned(), cells[code])]), "{column} {code}");
        }
    }
}

#[tokio::test]
async fn the_catalogue_is_checked_and_not_believed() {
    let table = |columns: &str, more: &str| format!("CREATE TABLE residents ({columns}); {more}");
    let unit_type = || Err(SourceError::UnitType { table: "residents".into(), column: "person_id".into() });
    let not_unique = || Err(SourceError::NotUnique { table: "residents".into(), column: "person_id".into() });
    for (sql, expected) in [
        (table("person_id TEXT PRIMARY KEY, sex, age, income", ""), Ok(())),
        (table("person_id TEXT UNIQUE, sex, age, income", ""), Ok(())),
        (table("person_id INTEGER PRIMARY KEY, sex, age, income", ""), Ok(())),
        (table("person_id VARCHAR(9), sex, age, income, PRIMARY KEY (person_id)", ""), Ok(())),
        (table("person_id BIGINT, sex, age, income", "CREATE UNIQUE INDEX u ON residents (person_id);"), Ok(())),
        (table("person_id UNIQUE, sex, age, income", ""), unit_type()),
        (table("person_id BLOB PRIMARY KEY, sex, age, income", ""), unit_type()),
        (table("person_id, sex, age, income", ""), not_unique()),
        (table("person_id, sex, age, income", "CREATE INDEX i ON residents (person_id);"), not_unique()),
        (table("person_id, sex, age, income, PRIMARY KEY (person_id, age)", ""), not_unique()),
        (table("person_id, sex, age, income, UNIQUE (person_id, age)", ""), not_unique()),
        (table("person_id, sex, age, income", "CREATE UNIQUE INDEX u ON residents (person_id) WHERE age > 3;"), not_unique()),
        (table("person_id, sex, age, income", "CREATE UNIQUE INDEX u ON residents (person_id || '');"), not_unique()),
        (table("person_id TEXT PRIMARY KEY, sex, age", ""), Err(SourceError::NoColumn { table: "residents".into(), column: "income".into() })),
        ("CREATE TABLE visas (x);".into(), Err(SourceError::NoTable("residents".into()))),
        (
            "CREATE TABLE r (person_id TEXT PRIMARY KEY, sex, age, income); CREATE VIEW residents AS SELECT * FROM r;".into(),
            Err(SourceError::NotATable("residents".into())),
        ),
    ] {
        let (_folder, path) = file(&sql);
        assert_eq!(source(&path).check(&dataset()).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn a_key_dropped_while_running_is_found_before_any_row_is_read() {
    let (_folder, path) = file("CREATE TABLE residents (person_id, sex, age, income);");
    let error = source(&path).open().await.unwrap().fetch(plan("by sex")).await.err();
    assert_eq!(error, Some(FetchError { rows_were_read: false }));
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_stopped_and_counts_as_read() {
    let (_folder, path) = file(
        "CREATE TABLE residents (person_id INTEGER PRIMARY KEY, sex, age, income);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
         INSERT INTO residents SELECT i, 'F', i % 12, i FROM n;",
    );
    let session = Sqlite::new(&path, Duration::ZERO).open().await.unwrap();
    assert_eq!(session.fetch(plan("by age,sex")).await.err(), Some(FetchError { rows_were_read: true }));
}

#[tokio::test]
async fn a_file_that_is_not_there_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nowhere.sqlite");
    assert!(matches!(source(&path).open().await, Err(SourceError::Unavailable(_))));
    assert!(!path.exists());
}
