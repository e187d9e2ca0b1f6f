//! The catalogue is not trusted, and a failure reveals nothing of a row.

use rusqlite::Connection;

use super::*;
use crate::tests::{dataset, families, plan, secret};

fn file(sql: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.sqlite");
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    (folder, path)
}

fn source(path: &std::path::Path) -> Sqlite {
    Sqlite::new(path, Duration::from_secs(30))
}

#[tokio::test]
async fn the_catalogue_is_checked_and_not_believed() {
    let more = "sex, village, income, born, age";
    let unit_type = || Err(SourceError::UnitType { table: "residents".into(), column: "person_id".into() });
    let no_column = |name: &str, there: &str| {
        let (column, there) = (name.into(), there.into());
        Err(SourceError::NoColumn { table: "residents".into(), column, there })
    };
    for (sql, one_row_per_unit) in [
        (format!("(person_id TEXT PRIMARY KEY, {more})"), Ok(true)),
        (format!("(person_id TEXT UNIQUE, {more})"), Ok(true)),
        (format!("(person_id INTEGER PRIMARY KEY, {more})"), Ok(true)),
        (format!("(PERSON_ID INTEGER PRIMARY KEY, {more})"), Ok(true)),
        (format!("(person_id VARCHAR(9), {more}, PRIMARY KEY (person_id))"), Ok(true)),
        (format!("(person_id BIGINT, {more}); CREATE UNIQUE INDEX u ON residents (person_id)"), Ok(true)),
        (format!("(person_id TEXT, {more})"), Ok(false)),
        (format!("(person_id TEXT, {more}); CREATE INDEX i ON residents (person_id)"), Ok(false)),
        (format!("(person_id TEXT, {more}, PRIMARY KEY (person_id, age))"), Ok(false)),
        (format!("(person_id TEXT, {more}, UNIQUE (person_id, age))"), Ok(false)),
        (
            format!("(person_id TEXT, {more}); CREATE UNIQUE INDEX u ON residents (person_id) WHERE age > 3"),
            Ok(false),
        ),
        (
            format!("(person_id TEXT, {more}); CREATE UNIQUE INDEX u ON residents (person_id || '')"),
            Ok(false),
        ),
        (format!("(person_id UNIQUE, {more})"), unit_type()),
        (format!("(person_id BLOB PRIMARY KEY, {more})"), unit_type()),
        (format!("(person_id, {more})"), unit_type()),
        (
            "(person_id TEXT PRIMARY KEY, sex, village, born, age)".into(),
            no_column("income", "`person_id`, `sex`, `village`, `born`, `age`"),
        ),
        (
            format!("(id TEXT PRIMARY KEY, {more})"),
            no_column("person_id", "`id`, `sex`, `village`, `income`, `born`, `age`"),
        ),
    ] {
        let (_folder, path) = file(&format!("CREATE TABLE residents {sql};"));
        let found = catalogue::check(&Connection::open(&path).unwrap(), &dataset(3, 3));
        assert_eq!(found.map(|file| file.vouched.one_row_per_unit), one_row_per_unit, "{sql}");
        assert_eq!(source(&path).check(&dataset(3, 3)).await, one_row_per_unit.map(drop), "{sql}");
    }
}

#[tokio::test]
async fn what_is_no_table_is_not_served() {
    for (sql, expected) in [
        ("CREATE TABLE visas (x)", SourceError::NoTable("residents".into())),
        ("CREATE VIRTUAL TABLE residents USING fts5(person_id)", SourceError::NotATable("residents".into())),
    ] {
        let (_folder, path) = file(sql);
        assert_eq!(source(&path).check(&dataset(1, 1)).await, Err(expected), "{sql}");
    }
}

#[tokio::test]
async fn more_columns_than_can_be_put_in_order_are_found_at_the_start() {
    let mut dataset = dataset(1, 1);
    let open = dataset.columns.values().last().unwrap().clone();
    dataset.columns.extend((0..1_000).map(|i| (format!("c{i}").parse().unwrap(), open.clone())));
    let columns: Vec<&str> = dataset.columns.keys().map(lango_privacy::Name::as_str).collect();
    let (_folder, path) =
        file(&format!("CREATE TABLE residents (person_id INTEGER, {})", columns.join(", ")));
    assert!(matches!(source(&path).check(&dataset).await, Err(SourceError::Unavailable(_))));
}

#[tokio::test]
async fn a_table_that_is_dropped_while_running_is_found_before_any_row_is_read() {
    let (_folder, path) = file("CREATE TABLE visas (x);");
    let session = source(&path).open().await.unwrap();
    let failed = session.fetch(plan(&dataset(1, 1), &[("persons", &["sex"])], &[]), secret(7)).await.err();
    assert_eq!(failed, Some(FetchError { rows_were_read: false }));
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_stopped_and_counts_as_read() {
    for declared in ["INTEGER PRIMARY KEY", "INTEGER"] {
        let (_folder, path) = file(&format!(
            "CREATE TABLE residents (person_id {declared}, sex, village, income, born, age);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
             INSERT INTO residents SELECT i, 'F', NULL, i, NULL, i % 12 FROM n;"
        ));
        let session = Sqlite::new(&path, Duration::ZERO).open().await.unwrap();
        let plan = plan(&dataset(1, 1), &[("persons", &["age,sex"])], &[]);
        let failed = session.fetch(plan, secret(7)).await.err();
        assert_eq!(failed, Some(FetchError { rows_were_read: true }), "{declared}");
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nowhere.sqlite");
    assert!(matches!(source(&path).open().await, Err(SourceError::Unavailable(_))));
    assert!(!path.exists());
}

#[tokio::test]
async fn what_a_killed_writer_left_behind_is_undone() {
    let (folder, path) =
        file("CREATE TABLE residents (person_id INTEGER PRIMARY KEY, sex, village, income, born, age);");
    let writer = Connection::open(&path).unwrap();
    // A small cache writes to the file before the commit.
    writer.execute_batch("PRAGMA cache_size = 5; BEGIN").unwrap();
    let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
                INSERT INTO residents SELECT i, 'F', NULL, i, NULL, 3 FROM n";
    writer.execute_batch(rows).unwrap();
    // The files as a kill would leave them.
    let (left, journal) = (folder.path().join("left.sqlite"), folder.path().join("left.sqlite-journal"));
    std::fs::copy(&path, &left).unwrap();
    std::fs::copy(path.with_extension("sqlite-journal"), &journal).unwrap();
    let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY;
    assert!(view(&left, read_only, Duration::from_secs(1)).is_err_and(|error| left_behind(&error)));
    assert_eq!(source(&left).check(&dataset(1, 1)).await, Ok(()));
    assert!(!journal.exists());
    let rows: i64 = Connection::open(&left)
        .unwrap()
        .query_row("SELECT count(*) FROM residents", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 0);
}

/// Else each would write into the table of the other.
#[tokio::test(flavor = "multi_thread")]
async fn preparations_of_one_register_wait_for_each_other() {
    let (_folder, path) = file(&families(10, "INTEGER"));
    let first = prepare::alone(&path).unwrap();
    let source = source(&path);
    let mut second = tokio::spawn(async move { source.prepare(&dataset(2, 2), &secret(7)).await });
    assert!(tokio::time::timeout(Duration::from_millis(300), &mut second).await.is_err());
    drop(first);
    assert_eq!(second.await.unwrap().map(|rows| rows.kept), Ok(20));
}

#[tokio::test(flavor = "multi_thread")]
async fn repro_a_preparation_or_another_question_gave_up_where_a_question_took_long() {
    let (_folder, path) = file(&families(10, "INTEGER"));
    let (source, dataset, secret) = (source(&path), dataset(2, 2), secret(7));
    let question = source.open().await.unwrap();
    let later = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        source.open().await.map(drop)
    };
    let (prepared, answered, ()) = tokio::join!(source.prepare(&dataset, &secret), later, async {
        tokio::time::sleep(Duration::from_secs(12)).await;
        drop(question);
    });
    assert_eq!((prepared.map(|rows| rows.kept), answered), (Ok(20), Ok(())));
}

#[test]
fn the_statement_holds_names_of_the_policy_and_nothing_else() {
    use super::{
        catalogue::{FileColumn, FileTable},
        statement::{FileAccess, rows},
    };
    use crate::count::{UnitType, Vouched};

    let mut dataset = dataset(3, 3);
    dataset.table = "odd \"table\"".into();
    let sex = "sex".parse().unwrap();
    let name = |name: &str| FileColumn { name: name.into(), scale: 0 };
    let columns = dataset.columns.keys().map(|declared| (declared.clone(), name(declared.as_str())));
    let vouched = Vouched { unit_type: UnitType::Text, one_row_per_unit: false };
    let mut file = FileTable { vouched, unit: "Person ID".into(), columns: columns.collect() };
    file.columns.insert("age".parse().unwrap(), name("Âge"));
    for (columns, access, expected) in [
        (
            vec![&sex],
            FileAccess::Vouched,
            r#"SELECT "Person ID", "sex" FROM "odd ""table""" WHERE "Person ID" IS NOT NULL"#,
        ),
        (
            vec![],
            FileAccess::Vouched,
            r#"SELECT "Person ID" FROM "odd ""table""" WHERE "Person ID" IS NOT NULL"#,
        ),
        (
            vec![&sex],
            FileAccess::Ranked,
            r#"SELECT "Person ID", "sex" FROM "odd ""table""" NOT INDEXED WHERE "Person ID" IS NOT NULL ORDER BY "Person ID" COLLATE BINARY, lango_row_order(?1, "Person ID", "Âge", "born", "income", "sex", "village")"#,
        ),
        (
            vec![&sex],
            FileAccess::Prepared("lango_prepared_r_1".into()),
            r#"SELECT _unit, "sex" FROM "lango_prepared_r_1" ORDER BY _unit, _rank"#,
        ),
    ] {
        assert_eq!(rows(&dataset, &file, &columns, &access), expected);
    }
}

/// Of a table below a view, nothing but the types of the view's columns says that it was made anew.
#[tokio::test]
async fn repro_a_preparation_of_a_view_was_read_after_the_amounts_below_it_had_another_scale() {
    let imported = |scale: u32| {
        format!(
            "DROP TABLE IF EXISTS imported; CREATE TABLE imported (person_id INTEGER, income FIXEDPOINT({scale}));
             INSERT INTO imported VALUES (1, 1000), (1, 2000), (2, 3000);"
        )
    };
    let (_folder, path) = file(&imported(2));
    let run = |sql: &str| Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    run("CREATE VIEW residents AS SELECT person_id, income FROM imported");
    let income = lango_privacy::Column::from(lango_privacy::Domain::amount(0, 100_000, 2, None).unwrap());
    let dataset = Dataset { columns: [("income".parse().unwrap(), income)].into(), ..dataset(2, 2) };
    let (source, secret) = (source(&path), secret(7));
    assert_eq!(source.prepare(&dataset, &secret).await.map(|rows| rows.kept), Ok(3));
    for (scale, expected) in [
        (2, Bounding::Prepared { rows: 3 }),
        (3, Bounding::Stale(crate::Stale::Table)),
        (2, Bounding::Prepared { rows: 3 }),
    ] {
        run(&imported(scale));
        assert_eq!(source.bounding(&dataset, &secret).await, Ok(expected), "{scale}");
    }
}
