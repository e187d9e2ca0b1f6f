//! Random tables of odd values, each of which says itself what it means.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use rusqlite::{Connection, types::Value as Sql};

/// A value of a row, and what is to be made of it.
#[derive(Debug, Clone)]
pub(super) struct Odd {
    pub(super) stored: Sql,
    /// The key of its dimension; of an open column, what a search for keys finds.
    pub(super) key: &'static str,
    /// The number that sums, quantiles and histograms use.
    pub(super) number: Option<i64>,
    /// Whether `rows(C)` counts it.
    pub(super) present: bool,
    /// What the row order reads; `None` where it is missing.
    pub(super) ordered: Option<String>,
}

fn missing(stored: Sql) -> Odd {
    Odd { stored, key: "_U", number: None, present: false, ordered: None }
}

fn number(value: i64, key: &'static str) -> Odd {
    let ordered = Some(value.to_string());
    Odd { stored: Sql::Integer(value), key, number: Some(value), present: true, ordered }
}

fn text(text: &str, key: &'static str) -> Odd {
    let ordered = Some(text.to_owned());
    Odd { stored: Sql::Text(text.to_owned()), key, number: None, present: true, ordered }
}

/// A value that the column cannot hold: present where it is not of numbers.
fn wrong(stored: Sql, present: bool) -> Odd {
    Odd { stored, key: "_O", number: None, present, ordered: Some("_O".to_owned()) }
}

fn gaps() -> [Odd; 4] {
    let blank = |text: &str| missing(Sql::Text(text.into()));
    [missing(Sql::Null), blank(""), blank("  "), blank("\u{a0}\t")]
}

/// The declared columns in name order, each with the values that may stand in it.
pub(super) fn pools() -> [(&'static str, Vec<Odd>); 5] {
    let blob = |bytes: &[u8]| Sql::Blob(bytes.to_vec());
    let age = [
        number(0, "0-4"),
        number(3, "0-4"),
        number(4, "0-4"),
        number(5, "5-9"),
        number(7, "5-9"),
        number(11, "10-11"),
        number(12, "_O"),
        number(-3, "_O"),
        number(i64::MAX, "_O"),
        wrong(Sql::Text("old".into()), false),
        wrong(Sql::Text("7,0".into()), false),
        Odd { stored: Sql::Text(" 7 ".into()), ..number(7, "5-9") },
        Odd { stored: Sql::Text("7.5".into()), ..number(8, "5-9") },
        Odd { stored: Sql::Text("1e1".into()), ..number(10, "10-11") },
        Odd { stored: Sql::Real(2.5), ..number(2, "0-4") },
        Odd { stored: Sql::Real(-0.5), ..number(0, "0-4") },
        Odd { stored: Sql::Real(-0.0), ..number(0, "0-4") },
        Odd { stored: Sql::Real(1e300), ..number(i64::MAX, "_O") },
        wrong(Sql::Real(f64::INFINITY), false),
        wrong(blob(b"4"), false),
    ];
    let born = [
        text("2023-12-30", "2023-12"),
        text("2024-01-01", "2024-01"),
        text("2024-02-29", "2024-02"),
        text("2024-03-01", "2024-03"),
        text("2023-12-29", "_O"),
        text("2024-02-30", "_O"),
        text("2024-03-02", "_O"),
        text("2024-01", "_O"),
        Odd { stored: Sql::Text("2024-01-01T00:00".into()), ..text("2024-01-01", "2024-01") },
        Odd { stored: Sql::Text("2024-02-29 23:59:59.5+05:30\n".into()), ..text("2024-02-29", "2024-02") },
        text("2024-01-01T00", "_O"),
        text("2024-01-01 24:00", "_O"),
        Odd { stored: Sql::Integer(20_240_101), ..text("20240101", "_O") },
        Odd { stored: Sql::Real(2024.5), ..text("2024.5", "_O") },
        wrong(blob(b"2024-01-01"), true),
    ];
    let income = [-20, -13, -7, -1, 0, 5, 9, 10, 43, 50, 51, -21, i64::MIN, i64::MAX]
        .map(|value| number(value, "not a dimension"));
    let income = income.into_iter().chain([
        wrong(Sql::Text("10 XOF".into()), false),
        Odd { stored: Sql::Text("10".into()), ..number(10, "not a dimension") },
        Odd { stored: Sql::Text("-.5".into()), ..number(0, "not a dimension") },
        Odd { stored: Sql::Real(9.5), ..number(10, "not a dimension") },
        Odd { stored: Sql::Real(-0.0), ..number(0, "not a dimension") },
        wrong(blob(b"10"), false),
    ]);
    let sex = [
        text("F", "F"),
        text("M", "M"),
        text("1", "1"),
        Odd { stored: Sql::Integer(1), ..text("1", "1") },
        text("f", "_O"),
        Odd { stored: Sql::Text("F ".into()), ..text("F", "F") },
        Odd { stored: Sql::Text("\t\u{a0}M\r\n".into()), ..text("M", "M") },
        text("F\u{2003}", "_O"),
        text("_O", "_O"),
        text("_U", "_O"),
        text("F; DROP TABLE residents", "_O"),
        Odd { stored: Sql::Integer(2), ..text("2", "_O") },
        Odd { stored: Sql::Real(1.0), ..text("1", "1") },
        Odd { stored: Sql::Real(-0.0), ..text("0", "_O") },
        wrong(blob(b"F"), true),
    ];
    let village = [
        text("Kumasi", "Kumasi"),
        text("Cape Coast", "Cape%20Coast"),
        text("Ho,1", "Ho%2C1"),
        text("é", "%C3%A9"),
        text("_O", "_O"),
        text("_U", "_O"),
        text("_T", "_O"),
        text("a name that is much too long to be a code of sixty-four characters", "_O"),
        text("another name that is much too long to be a code of that length too", "_O"),
        Odd { stored: Sql::Integer(7), ..text("7", "7") },
        text("7", "7"),
        wrong(blob(b"Kumasi"), true),
        Odd { stored: Sql::Real(7.0), ..text("7", "7") },
        Odd { stored: Sql::Real(-0.0), ..text("0", "0") },
        Odd { stored: Sql::Text(" Kumasi".into()), ..text("Kumasi", "Kumasi") },
    ];
    let with_gaps =
        |values: Vec<Odd>| values.into_iter().chain(gaps()).chain([missing(Sql::Null)]).collect::<Vec<_>>();
    [
        ("age", with_gaps(age.into())),
        ("born", with_gaps(born.into())),
        ("income", with_gaps(income.collect())),
        ("sex", with_gaps(sex.into())),
        ("village", with_gaps(village.into())),
    ]
}

/// A row; its cells stand in the order of the pools. Rows whose unit is `None` are to be dropped.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) stored_unit: Sql,
    pub(super) unit: Option<String>,
    pub(super) cells: Vec<Odd>,
}

/// What a table is drawn by.
pub(super) struct Drawn(ChaCha8Rng);

impl Drawn {
    pub(super) fn of(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub(super) fn below(&mut self, most: usize) -> usize {
        (self.0.next_u64() % most as u64) as usize
    }

    /// A table with identifiers of one type among others, at most `rows_at_most` rows, several of them of most units, some alike.
    pub(super) fn table(&mut self, integers: bool, rows_at_most: usize) -> Vec<Row> {
        let pools = pools();
        let rows = self.below(rows_at_most + 1);
        let units = 1 + self.below(8);
        let mut table: Vec<Row> = Vec::new();
        for _ in 0..rows {
            if !table.is_empty() && self.below(5) == 0 {
                let again = self.below(table.len());
                table.push(table[again].clone());
                continue;
            }
            let id = self.below(units);
            let (stored_unit, unit) = match (self.below(16), integers) {
                (0, _) => (Sql::Null, None),
                (1, _) => (Sql::Blob(b"1".to_vec()), None),
                (2, true) => (Sql::Text("x".into()), None),
                (2, false) => (Sql::Text(" ".repeat(id)), None),
                (_, true) => (Sql::Integer(id as i64 - 3), Some((id as i64 - 3).to_string())),
                (_, false) => (Sql::Text(format!("p{id}")), Some(format!("p{id}"))),
            };
            let cells = pools.iter().map(|(_, pool)| pool[self.below(pool.len())].clone()).collect();
            table.push(Row { stored_unit, unit, cells });
        }
        table
    }
}

/// The table as a typed engine can hold it: numbers in columns of numbers, text in the others, and identifiers of one type.
pub(super) fn typed(table: &[Row]) -> Vec<Row> {
    let numbers = ["age", "income"];
    let typed = |(row, (name, _)): (&Odd, &(&str, Vec<Odd>))| match &row.stored {
        Sql::Null => row.clone(),
        Sql::Integer(value) if !numbers.contains(name) => {
            Odd { stored: Sql::Text(value.to_string()), ..row.clone() }
        }
        Sql::Integer(_) => row.clone(),
        Sql::Text(_) if !numbers.contains(name) => row.clone(),
        _ => missing(Sql::Null),
    };
    let pools = pools();
    let row = |row: &Row| {
        let cells = row.cells.iter().zip(&pools).map(typed).collect();
        let stored_unit = if row.unit.is_none() { Sql::Null } else { row.stored_unit.clone() };
        Row { stored_unit, unit: row.unit.clone(), cells }
    };
    table.iter().map(row).collect()
}

/// Writes a table to a file; `unit` is the unit column's declaration.
pub(super) fn write(table: &[Row], unit: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let connection = Connection::open(folder.path().join("register.sqlite")).unwrap();
    connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; BEGIN").unwrap();
    let sql = format!("CREATE TABLE residents (person_id {unit}, sex, village, income, born, age)");
    connection.execute_batch(&sql).unwrap();
    let sql = "INSERT INTO residents (person_id, age, born, income, sex, village) VALUES (?, ?, ?, ?, ?, ?)";
    let mut insert = connection.prepare(sql).unwrap();
    for row in table {
        let values = [&row.stored_unit].into_iter().chain(row.cells.iter().map(|cell| &cell.stored));
        insert.execute(rusqlite::params_from_iter(values)).unwrap();
    }
    drop(insert);
    connection.execute_batch("COMMIT").unwrap();
    folder
}
