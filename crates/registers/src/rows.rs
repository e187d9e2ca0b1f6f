//! The tables of a register, and the rows that go into them.

use std::fmt::Write as _;
use std::ops::ControlFlow;

use rusqlite::{Connection, Statement, params};

use crate::about;
use crate::movement::{Movement, Movements};
use crate::person::{Resident, Residents};
use crate::target::Draw;

/// What a register holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Rows of `residents`.
    pub persons: u64,
    /// Rows of `border_movements`.
    pub movements: u64,
}

/// Persons in a run. Their movements follow them; between runs, progress is reported.
const RUN: usize = 8192;

// No journal and no syncing: the file is no register until it is whole.
const SETTINGS: &str = "
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA cache_size = -16000;";

// Rows come in the order of their keys, so that tables without rowid are appended to, and hold each key once.
const TABLES: &str = "
    CREATE TABLE about (
        key TEXT PRIMARY KEY NOT NULL,
        value TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE residents (
        person_id TEXT PRIMARY KEY NOT NULL,
        country_of_birth TEXT,
        citizenship TEXT,
        sex TEXT,
        age INTEGER,
        education TEXT,
        arrival_year INTEGER,
        income INTEGER
    ) WITHOUT ROWID;
    CREATE TABLE border_movements (
        event_id TEXT PRIMARY KEY NOT NULL,
        person_id TEXT NOT NULL,
        date TEXT,
        direction TEXT,
        post TEXT,
        purpose TEXT
    ) WITHOUT ROWID;";

/// Writes everything in one transaction, which is abandoned if `progress` breaks off.
pub(crate) fn fill(
    connection: &mut Connection,
    mut residents: Residents,
    office: &str,
    draw: &Draw,
    progress: &dyn Fn(u64) -> ControlFlow<()>,
) -> rusqlite::Result<ControlFlow<(), Summary>> {
    connection.execute_batch(SETTINGS)?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(TABLES)?;
    for row in about::rows(office, draw) {
        transaction.execute("INSERT INTO about VALUES (?1, ?2)", row)?;
    }
    let mut writer = RowWriter {
        residents: transaction.prepare("INSERT INTO residents VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?,
        movements: transaction.prepare("INSERT INTO border_movements VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?,
        resident_id: Serial::new(format!("{office}-P")),
        traveller_id: Serial::new(format!("{office}-P")),
        event_id: Serial::new(format!("{office}-E")),
    };
    let mut movements = Movements::new(office, draw);
    loop {
        let run: Vec<Resident> = residents.by_ref().take(RUN).collect();
        if run.is_empty() {
            break;
        }
        for resident in &run {
            writer.resident(resident)?;
        }
        for resident in &run {
            writer.movements(movements.of(resident))?;
        }
        if progress(writer.resident_id.number).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    let summary = Summary { persons: writer.resident_id.number, movements: writer.event_id.number };
    drop(writer);
    transaction.commit()?;
    Ok(ControlFlow::Continue(summary))
}

struct RowWriter<'c> {
    residents: Statement<'c>,
    movements: Statement<'c>,
    resident_id: Serial,
    /// Follows `resident_id`: movements are written after the persons of their run.
    traveller_id: Serial,
    event_id: Serial,
}

impl RowWriter<'_> {
    fn resident(&mut self, resident: &Resident) -> rusqlite::Result<()> {
        let Resident { country_of_birth, citizenship, sex, age, education, arrival_year, income } = resident;
        self.residents.execute(params![
            self.resident_id.next(),
            country_of_birth,
            citizenship,
            sex.code(),
            age.cast_signed(),
            education,
            arrival_year.cast_signed(),
            income.cast_signed(),
        ])?;
        Ok(())
    }

    fn movements<'m>(&mut self, movements: impl Iterator<Item = Movement<'m>>) -> rusqlite::Result<()> {
        let person_id = self.traveller_id.next();
        for Movement { date, direction, post, purpose } in movements {
            let event_id = self.event_id.next();
            self.movements.execute(params![event_id, person_id, date, direction, post, purpose])?;
        }
        Ok(())
    }
}

/// Identifiers whose order as texts is their order as numbers.
struct Serial {
    prefix: String,
    number: u64,
    text: String,
}

impl Serial {
    fn new(prefix: String) -> Self {
        Self { prefix, number: 0, text: String::new() }
    }

    fn next(&mut self) -> &str {
        self.number += 1;
        self.text.clear();
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{}{:09}", self.prefix, self.number);
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(office: &str, scale: u32, seed: u64) -> Connection {
        let draw = Draw { scale, seed };
        let mut connection = Connection::open_in_memory().unwrap();
        let residents = Residents::new(office, &draw).unwrap();
        let go = |_| ControlFlow::Continue(());
        assert!(fill(&mut connection, residents, office, &draw, &go).unwrap().is_continue());
        connection
    }

    fn number(connection: &Connection, sql: &str) -> i64 {
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// All rows of all tables, as one text.
    fn dump(connection: &Connection) -> String {
        let text = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        text(
            "SELECT group_concat(concat_ws('|', person_id, country_of_birth, citizenship, sex, age,
                coalesce(education, '-'), arrival_year, income), x'0a') FROM residents",
        ) + &text(
            "SELECT group_concat(concat_ws('|', event_id, person_id, date, direction, post, purpose), x'0a')
                FROM border_movements",
        )
    }

    #[test]
    fn the_same_draw_gives_the_same_rows_and_another_seed_others() {
        let first = dump(&drawn("TGO", 100, 1));
        assert!(first == dump(&drawn("TGO", 100, 1)));
        assert!(first != dump(&drawn("TGO", 100, 2)));
    }

    /// A seed's promise across versions and platforms: if this changes, say so in the change log.
    #[test]
    fn the_first_rows_are_pinned() {
        let register = drawn("GHA", 1000, 7);
        let dump = dump(&register);
        let first: Vec<&str> = dump.lines().take(2).collect();
        let expected =
            ["GHA-P000000001|CIV|CIV|F|38|ED1|2024|0", "GHA-P000000002|OOO|OOO|F|27|ED2|2022|1061000"];
        assert_eq!(first, expected);
        let moves = "SELECT concat_ws('|', event_id, person_id, date, direction, post, purpose)
            FROM border_movements";
        let first: String = register.query_row(moves, [], |row| row.get(0)).unwrap();
        assert_eq!(first, "GHA-E000000001|GHA-P000000001|2024-05-05|entry|GHA-B5|study");
    }

    #[test]
    fn rows_are_consistent() {
        let register = drawn("CIV", 100, 1);
        let persons = number(&register, "SELECT count(*) FROM residents");
        assert_eq!(persons, 28_808);
        assert_eq!(number(&register, "SELECT count(DISTINCT person_id) FROM residents"), persons);
        assert_eq!(number(&register, "SELECT count(DISTINCT person_id) FROM border_movements"), persons);
        let never = [
            "residents WHERE age NOT BETWEEN 0 AND 110 OR income < 0 OR sex NOT IN ('F', 'M')",
            "residents WHERE country_of_birth IS NULL OR citizenship IS NULL",
            "residents WHERE arrival_year NOT BETWEEN 2024 - age AND 2024",
            "residents WHERE education NOT GLOB 'ED[0-8]'",
            "border_movements WHERE person_id NOT IN (SELECT person_id FROM residents)",
            "border_movements WHERE date IS NOT date(date) OR direction NOT IN ('entry', 'exit')",
            "border_movements WHERE post NOT GLOB 'CIV-B[1-9]' OR purpose IS NULL",
        ];
        for rows in never {
            assert_eq!(number(&register, &format!("SELECT count(*) FROM {rows}")), 0, "{rows}");
        }
    }

    #[test]
    fn identifiers_reveal_nothing_of_the_origin() {
        let register = drawn("CIV", 100, 1);
        let origins = |rows: &str| {
            number(
                &register,
                &format!(
                    "SELECT count(*) FROM (SELECT * FROM residents {rows}) WHERE country_of_birth = 'BFA'"
                ),
            )
        };
        let all = origins("") as f64 / 28_808.0;
        for part in ["LIMIT 5000", "LIMIT 5000 OFFSET 10000", "ORDER BY person_id DESC LIMIT 5000"] {
            assert!((origins(part) as f64 / 5000.0 - all).abs() < 0.03, "{part}");
        }
    }

    #[test]
    fn every_column_is_labelled_and_the_persons_are_a_key() {
        let register = drawn("GNB", 100, 1);
        let unlabelled = "SELECT count(*) FROM pragma_table_list AS t, pragma_table_info(t.name) AS c
            WHERE t.name IN ('residents', 'border_movements')
            AND NOT EXISTS (SELECT * FROM about WHERE key = t.name || '.' || c.name AND value GLOB '[pm]*')";
        assert_eq!(number(&register, unlabelled), 0);
        assert_eq!(number(&register, "SELECT count(*) FROM about"), 20);
        assert_eq!(
            number(&register, "SELECT pk FROM pragma_table_info('residents') WHERE name = 'person_id'"),
            1
        );
    }
}
