//! Texts, and what is read as one.

use lango_privacy::{Column, Domain};
use lango_testkit::{Engine, TestDatabase};

use super::{HeldRows, UNITS, by_every_access, codes, declared, held, vector};

#[test]
fn texts_are_the_same_only_byte_by_byte() {
    let sex = Column::from(Domain::codes(["F", "M", "a"].map(|code| code.parse().unwrap()).into()).unwrap());
    let texts = [
        "F",
        "f",
        "F ",
        "F  ",
        " F",
        "É",
        "é",
        "e",
        "a",
        "A",
        "à",
        "it''s",
        "\"",
        "`",
        "F\n",
        "F\t",
        "\u{1}1\u{1}",
        "😀",
        "%",
        "_O",
    ];
    let columns = [("sex", sex), ("village", Domain::Open.into())];
    let asked: [(&str, &[&str]); 4] =
        [("keys(village)", &[""]), ("persons", &["sex"]), ("rows", &[""]), ("rows(sex)", &[""])];
    // As text the unit is the text itself.
    let rows: Vec<String> = texts.iter().map(|text| format!("'{text}', '{text}', '{text}'")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let counted = |engine, unit: &str, text: &str| {
        let database = held(engine, &format!("person_id {unit}, sex {text}, village {text}"), &rows);
        by_every_access(&database, &declared(columns.clone(), 1), &asked, &[])
    };
    let expected = counted(Engine::Sqlite, "text", "text");
    assert_eq!(expected[2], vector(&[("#0", texts.len() as i64)]));
    // Blanks around a code do not count.
    assert_eq!(expected[1], vector(&[("F#0", 6), ("a#0", 1), ("_O#0", texts.len() as i64 - 7)]));
    assert_eq!(counted(Engine::Postgres, "text", "text"), expected);
    assert_eq!(counted(Engine::Postgres, "text PRIMARY KEY", "varchar(80)"), expected);
    for collation in [
        "utf8mb4_general_ci",
        "utf8mb4_unicode_nopad_ci",
        "utf8mb4_bin",
        "utf8mb4_nopad_bin",
        "uca1400_ai_ci",
    ] {
        let of = |length: u32| format!("varchar({length}) COLLATE {collation}");
        assert_eq!(counted(Engine::MariaDb, &of(20), &of(80)), expected, "{collation}");
    }
    let latin: Vec<&str> = rows.iter().copied().filter(|row| !row.contains('😀')).collect();
    let kind = "varchar(20) CHARACTER SET latin1 COLLATE latin1_swedish_ci";
    let database = held(Engine::MariaDb, &format!("person_id {kind}, sex {kind}, village {kind}"), &latin);
    let plain = held(Engine::Sqlite, "person_id text, sex text, village text", &latin);
    let of = |held: &HeldRows| by_every_access(held, &declared(columns.clone(), 1), &asked, &[]);
    assert_eq!(of(&database), of(&plain), "latin1");
    let filtered = |held: &HeldRows| {
        by_every_access(held, &declared(columns.clone(), 1), &[("persons", &["sex"])], &["sex in F,a"])
    };
    assert_eq!(filtered(&database), [vector(&[("F#0", 6), ("a#0", 1)])]);
}

#[test]
fn enumerations_truth_values_and_uuids_are_codes_and_identifiers() {
    let id = "c0ffee00-0000-4000-8000-000000000001";
    let asked: [(&str, &[&str]); 2] = [("persons", &["sex"]), ("rows(sex)", &[""])];
    let filters = |values: &'static str| -> Vec<&'static str> { vec![values] };
    for key in ["PRIMARY KEY", ""] {
        let database = TestDatabase::fresh(Engine::Postgres);
        database.run("CREATE TYPE s AS ENUM ('M', 'F', '')");
        database.run(&format!("CREATE TABLE residents (person_id uuid {key}, sex s, ok boolean)"));
        for (number, row) in ["'F', true", "'M', false", "'', NULL"].into_iter().enumerate() {
            database.run(&format!(
                "INSERT INTO residents VALUES ('c0ffee00-0000-4000-8000-00000000000{number}', {row})"
            ));
        }
        let keyed = !key.is_empty();
        let database = HeldRows { database, keyed };
        let dataset = declared([("ok", codes(&["true", "false"])), ("sex", codes(&["F", "X"]))], 1);
        let counted = by_every_access(&database, &dataset, &asked, &[]);
        assert_eq!(counted, [vector(&[("F#0", 1), ("_O#0", 1), ("_U#0", 1)]), vector(&[("#0", 2)])], "{key}");
        let counted = by_every_access(&database, &dataset, &[("persons", &["sex"])], &filters("ok in true"));
        assert_eq!(counted, [vector(&[("F#0", 1)])], "{key}");

        let database = TestDatabase::fresh(Engine::MariaDb);
        database.run(&format!(
            "CREATE TABLE residents (person_id uuid {key}, sex enum('M','F',''), village uuid, age date)"
        ));
        for (number, row) in ["'F'", "'M'", "''"].into_iter().enumerate() {
            database.run(&format!("INSERT INTO residents VALUES ('c0ffee00-0000-4000-8000-00000000000{number}', {row}, '{id}', '2024-01-01')"));
        }
        let database = HeldRows { database, keyed };
        let dataset = declared(
            [
                ("age", codes(&["2024-01-01", "X"])),
                ("sex", codes(&["F", "X"])),
                ("village", codes(&[id, "X"])),
            ],
            1,
        );
        let counted = by_every_access(&database, &dataset, &asked, &[]);
        assert_eq!(counted, [vector(&[("F#0", 1), ("_O#0", 1), ("_U#0", 1)]), vector(&[("#0", 2)])], "{key}");
        for filter in
            ["village in c0ffee00-0000-4000-8000-000000000001,X", "age in X,2024-01-01", "sex in F,X"]
        {
            let counted = by_every_access(&database, &dataset, &[("persons", &["sex"])], &[filter]);
            assert_eq!(counted[0].get("F#0"), Some(&1), "{filter} {key}");
        }
    }
}

#[test]
fn long_code_lists_and_empty_tables_are_nothing_special() {
    let many: Vec<String> = (0..5_000).map(|number| format!("c{number}")).collect();
    let sex = Domain::codes(many.iter().map(|code| code.parse().unwrap()).collect()).unwrap();
    let dataset = declared([("sex", sex.into())], 1);
    let filter = format!("sex in {}", many[1..].join(","));
    for engine in Engine::ALL {
        let text = if engine == Engine::MariaDb { "varchar(40)" } else { "text" };
        for unit in UNITS {
            let columns = format!("{unit}, sex {text}");
            let database = held(engine, &columns, &["1, 'c0'", "2, 'c4999'", "3, 'c5000'"]);
            let counted = by_every_access(&database, &dataset, &[("persons", &["sex"])], &[]);
            assert_eq!(counted, [vector(&[("c0#0", 1), ("c4999#0", 1), ("_O#0", 1)])], "{engine:?}");
            let counted = by_every_access(&database, &dataset, &[("persons", &["sex"])], &[&filter]);
            assert_eq!(counted, [vector(&[("c4999#0", 1)])], "{engine:?}");
            let counted = by_every_access(
                &held(engine, &columns, &[]),
                &dataset,
                &[("persons", &["", "sex"]), ("rows", &[""])],
                &[],
            );
            assert_eq!(counted, [vector(&[]), vector(&[]), vector(&[])], "{engine:?}");
        }
        let nobody =
            held(engine, &format!("person_id int UNIQUE, sex {text}"), &["NULL, 'c0'", "NULL, 'c1'"]);
        let counted = by_every_access(&nobody, &dataset, &[("persons", &[""]), ("rows", &[""])], &[]);
        assert_eq!(counted, [vector(&[]), vector(&[])], "{engine:?}");
    }
}
