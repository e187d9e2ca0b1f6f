//! Public microdata with several rows per person, with gaps, and a small table of our own with the same oddities.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use lango_privacy::{Code, Column, Dataset, Domain};
use rusqlite::{Connection, types::Value as Sql};

use super::fixture::{counted, dataset, file, plan, secret};

/// A table as text: a line of names, then the rows.
struct Csv {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Csv {
    fn of(text: &str) -> Self {
        let split = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
        let mut lines = text.lines();
        Self { names: split(lines.next().unwrap()), rows: lines.map(split).collect() }
    }

    fn place(&self, name: &str) -> usize {
        self.names.iter().position(|column| column == name).unwrap()
    }

    /// The rows of each unit that has an identifier.
    fn units(&self, unit: &str) -> BTreeMap<&str, Vec<&Vec<String>>> {
        let mut units: BTreeMap<&str, Vec<&Vec<String>>> = BTreeMap::new();
        for row in self.rows.iter().filter(|row| !row[self.place(unit)].is_empty()) {
            units.entry(&row[self.place(unit)]).or_default().push(row);
        }
        units
    }

    /// Writes it with whole numbers as numbers and gaps as empty text.
    fn write(&self, unit: &str, unit_type: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(file(&folder)).unwrap();
        let columns: Vec<String> = self
            .names
            .iter()
            .map(|name| if name == unit { format!("{name} {unit_type}") } else { name.clone() })
            .collect();
        connection.execute_batch(&format!("CREATE TABLE residents ({}); BEGIN", columns.join(", "))).unwrap();
        let marks = vec!["?"; columns.len()].join(", ");
        let mut insert = connection.prepare(&format!("INSERT INTO residents VALUES ({marks})")).unwrap();
        for row in &self.rows {
            let values = row.iter().map(|text| match text.parse::<i64>() {
                Ok(number) => Sql::Integer(number),
                Err(_) => Sql::Text(text.clone()),
            });
            insert.execute(rusqlite::params_from_iter(values)).unwrap();
        }
        drop(insert);
        connection.execute_batch("COMMIT").unwrap();
        folder
    }
}

/// What is examined of a file: the unit, a code list and a column of numbers with its bounds.
struct Microdata {
    unit: (&'static str, &'static str),
    codes: (&'static str, &'static [&'static str]),
    number: (&'static str, i64, i64),
}

impl Microdata {
    fn dataset(&self, rows_at_most: u32, cells_at_most: u32) -> Dataset {
        let codes: Vec<Code> = self.codes.1.iter().map(|code| code.parse().unwrap()).collect();
        let amount = Domain::amount(self.number.1, self.number.2, 0, None).unwrap();
        let columns: [(&str, Column); 2] =
            [(self.codes.0, Domain::codes(codes).unwrap().into()), (self.number.0, amount.into())];
        let mut dataset = dataset(rows_at_most, cells_at_most);
        dataset.unit.column = self.unit.0.into();
        dataset.columns = columns.into_iter().map(|(name, column)| (name.parse().unwrap(), column)).collect();
        dataset
    }

    /// Compares what is counted with what the text says, for several bounds; how many persons and rows there are.
    fn check(&self, csv: &Csv) -> (usize, usize) {
        let folder = csv.write(self.unit.0, self.unit.1);
        let units = csv.units(self.unit.0);
        let most = units.values().map(Vec::len).max().unwrap();
        let (codes, numbers) = (csv.place(self.codes.0), csv.place(self.number.0));
        let clamped = |row: &&Vec<String>| {
            row[numbers].parse::<i64>().map_or(0, |value| value.clamp(self.number.1, self.number.2))
        };
        let sum = format!("sum({})", self.number.0);
        let present = format!("rows({})", self.number.0);
        for rows_at_most in [1, 2, 3, most] {
            let by = self.codes.0;
            let asked: [(&str, &[&str]); 4] =
                [("persons", &["", by]), ("rows", &["", by]), (&present, &[""]), (&sum, &[""])];
            let plan = plan(&self.dataset(rows_at_most as u32, rows_at_most as u32), &asked, &[]);
            let vectors = counted(&file(&folder), &plan, secret(7)).unwrap();
            let mut vectors: BTreeMap<(String, String), _> = plan
                .margins
                .iter()
                .map(|margin| (margin.text.measure.to_string(), margin.text.by.to_string()))
                .zip(vectors)
                .collect();
            let mut counted =
                |measure: &str, by: &str| vectors.remove(&(measure.to_owned(), by.to_owned())).unwrap();
            let read: usize = units.values().map(|rows| rows.len().min(rows_at_most)).sum();
            assert_eq!(counted("persons", "")["#0"], units.len() as i64);
            assert_eq!(counted("rows", "")["#0"], read as i64);
            let (by_code, persons) = (counted("rows", by), counted("persons", by));
            assert_eq!(by_code.values().sum::<i64>(), read as i64);
            let all = units.values().flatten();
            if rows_at_most == most {
                let holding = all.clone().filter(|row| row[numbers].parse::<i64>().is_ok()).count();
                assert_eq!(counted(&present, "")["#0"], holding as i64);
                assert_eq!(counted(&sum, "")["#0"], all.clone().map(clamped).sum::<i64>());
                for code in self.codes.1 {
                    let rows = all.clone().filter(|row| row[codes] == *code).count() as i64;
                    assert_eq!(by_code.get(&format!("{code}#0")).copied().unwrap_or(0), rows, "{code}");
                    let having = units.values().filter(|rows| rows.iter().any(|row| row[codes] == *code));
                    assert_eq!(
                        persons.get(&format!("{code}#0")).copied().unwrap_or(0),
                        having.count() as i64
                    );
                }
                let missing = all.clone().filter(|row| row[codes].is_empty()).count() as i64;
                assert_eq!(by_code.get("_U#0").copied().unwrap_or(0), missing);
            }
        }
        (units.len(), units.values().map(Vec::len).sum())
    }
}

/// A file of the shared data, beside the repository; `None`, and a loud line, where it is not there.
fn shared(path: &str) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap();
    let file: PathBuf = root.join("shared/data").join(path);
    let read = match file.extension().is_some_and(|extension| extension == "gz") {
        true => {
            Command::new("gzip").arg("-dc").arg(&file).output().ok().filter(|output| output.status.success())
        }
        false => None,
    };
    let text = read.and_then(|output| String::from_utf8(output.stdout).ok());
    let text = text.or_else(|| std::fs::read_to_string(&file).ok());
    if text.is_none() {
        eprintln!("SKIPPED: {} is not there or cannot be read", file.display());
    }
    text
}

const PUMS: Microdata = Microdata {
    unit: ("pid", "INTEGER"),
    codes: ("educ", &["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16"]),
    number: ("income", 0, 100_000),
};

#[test]
fn persons_with_several_rows_are_bounded() {
    if let Some(text) = shared("micro_pums_smartnoise/PUMS_dup.csv") {
        assert_eq!(PUMS.check(&Csv::of(&text)), (1_000, 1_948));
    }
}

#[test]
fn rows_without_an_identifier_are_dropped_and_gaps_have_their_key() {
    if let Some(text) = shared("micro_pums_smartnoise/PUMS_null.csv") {
        let csv = Csv::of(&text);
        let (persons, rows) = PUMS.check(&csv);
        assert!(persons < 1_000 && rows < csv.rows.len(), "{persons} {rows}");
    }
}

#[test]
fn jobs_of_ten_thousand_persons_are_bounded() {
    if let Some(text) = shared("micro_pseudopeople/w2_1099_2020_2022.csv.gz") {
        let microdata = Microdata {
            unit: ("simulant_id", "TEXT"),
            codes: ("tax_form", &["W2", "1099"]),
            number: ("wages", 0, 50_000),
        };
        assert_eq!(microdata.check(&Csv::of(&text)), (9_200, 30_582));
    }
}

#[test]
fn members_of_a_household_are_bounded_together() {
    if let Some(text) = shared("micro_pseudopeople/census_2020_2030.csv.gz") {
        // Three rows have quoted commas, which this reader knows nothing of.
        let plain: Vec<&str> = text.lines().filter(|line| !line.contains('"')).collect();
        let microdata = Microdata {
            unit: ("household_id", "TEXT"),
            codes: ("sex", &["Female", "Male"]),
            number: ("age", 0, 90),
        };
        let (households, members) = microdata.check(&Csv::of(&plain.join("\n")));
        assert!((6_283..=6_285).contains(&households), "{households}");
        assert_eq!(members, 21_604 - 3);
    }
}

#[test]
fn a_household_survey_is_bounded() {
    if let Some(text) = shared("micro_sdcmicro_testdata/testdata.csv.gz") {
        let microdata = Microdata {
            unit: ("ori_hid", "INTEGER"),
            codes: ("urbrur", &["1", "2"]),
            number: ("expend", 0, 16_000_000),
        };
        assert_eq!(microdata.check(&Csv::of(&text)), (1_000, 4_580));
    }
}

#[test]
fn a_small_table_with_the_same_oddities_is_bounded() {
    let csv = Csv::of(include_str!("../../testdata/jobs.csv"));
    assert_eq!(PUMS.check(&csv), (40, 137));
}
