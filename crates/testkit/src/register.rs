//! Small registers, and what is true of them: counted here without any of the code under test.

use std::collections::BTreeMap;

use crate::{TestDatabase, Value};

/// The dimensions that [`crate::Policy`] declares, with every key that must have a cell.
pub const KEYS: [(&str, &[&str]); 5] = [
    (
        "age",
        &[
            "0-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70-79", "80-89", "90-99",
            "100-109", "110", "_O", "_U",
        ],
    ),
    ("arrival_year", &["2020-2021", "2022-2023", "2024", "_O", "_U"]),
    ("country_of_birth", &["BEN", "GHA", "NGA", "TGO", "_O", "_U"]),
    ("education", &["none", "primary", "higher", "_O", "_U"]),
    ("sex", &["F", "M", "_O", "_U"]),
];

/// A row of the table `residents`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Person {
    /// A code, declared or not.
    pub country_of_birth: Option<&'static str>,
    /// `F`, `M` or anything else.
    pub sex: Option<&'static str>,
    /// In years.
    pub age: Option<i64>,
    /// A code, declared or not.
    pub education: Option<&'static str>,
    /// A year, declared or not.
    pub arrival_year: Option<i64>,
    /// In whole units of the currency.
    pub income: Option<i64>,
}

impl Person {
    /// The key of the cell in which this person is to be counted.
    pub fn key(&self, dimension: &str) -> String {
        let keys = KEYS.iter().find(|(name, _)| *name == dimension).unwrap().1;
        let code = |value: Option<&str>| match value {
            None => "_U",
            Some(blank) if blank.trim().is_empty() => "_U",
            Some(value) => keys.iter().find(|key| **key == value).copied().unwrap_or("_O"),
        };
        let number = |value: Option<i64>, name: &dyn Fn(i64) -> Option<String>| {
            value.map_or_else(|| "_U".to_owned(), |value| name(value).unwrap_or_else(|| "_O".to_owned()))
        };
        match dimension {
            "country_of_birth" => code(self.country_of_birth).to_owned(),
            "sex" => code(self.sex).to_owned(),
            "education" => code(self.education).to_owned(),
            "age" => number(self.age, &|age| match age {
                110 => Some("110".to_owned()),
                0..110 => Some(format!("{}-{}", age / 10 * 10, age / 10 * 10 + 9)),
                _ => None,
            }),
            "arrival_year" => number(self.arrival_year, &|year| match year {
                2020 | 2021 => Some("2020-2021".to_owned()),
                2022 | 2023 => Some("2022-2023".to_owned()),
                2024 => Some("2024".to_owned()),
                _ => None,
            }),
            other => panic!("{other} is not a dimension"),
        }
    }
}

/// A register that is still to be written.
#[derive(Debug, Clone)]
pub struct Register {
    people: Vec<Person>,
    /// How the unit column is declared; `TEXT PRIMARY KEY` unless a test wants another.
    pub unit: &'static str,
}

impl Default for Register {
    fn default() -> Self {
        Self { people: Vec::new(), unit: "TEXT PRIMARY KEY" }
    }
}

impl Register {
    /// Adds `count` persons who are alike.
    #[must_use]
    pub fn with(mut self, count: usize, person: Person) -> Self {
        self.people.extend(std::iter::repeat_n(person, count));
        self
    }

    /// A register with every kind of value: declared, undeclared, missing, blank and out of bounds. `size` makes
    /// registers differ from office to office.
    pub fn sample(size: usize) -> Self {
        let person = |country: &'static str, sex: &'static str, age: i64| Person {
            country_of_birth: Some(country),
            sex: Some(sex),
            age: Some(age),
            education: Some("primary"),
            arrival_year: Some(2021),
            income: Some(1_000 * age),
        };
        Self::default()
            .with(3 * size, person("TGO", "F", 34))
            .with(2 * size, person("TGO", "M", 39))
            .with(size, Person { education: Some("higher"), ..person("BEN", "F", 9) })
            .with(size + 4, Person { arrival_year: Some(2024), ..person("NGA", "M", 110) })
            .with(5, person("FRA", "F", 40))
            .with(2, Person { country_of_birth: None, ..person("", "M", 0) })
            .with(1, Person { sex: Some("X"), education: Some(" "), ..person("GHA", "", 111) })
            .with(3, Person { age: None, arrival_year: Some(1999), ..person("GHA", "M", 0) })
            .with(1, Person::default())
    }

    /// How many people there are for whom this is so.
    pub fn count(&self, is: impl Fn(&Person) -> bool) -> i64 {
        self.people.iter().filter(|person| is(person)).count().try_into().unwrap()
    }

    /// The table that an exact answer by these dimensions (in name order) would be, every cell of it: keys joined by
    /// spaces, the total under the empty key.
    pub fn table(&self, by: &[&str], is: impl Fn(&Person) -> bool) -> BTreeMap<String, i64> {
        let mut cells: Vec<Vec<&str>> = vec![Vec::new()];
        for dimension in by {
            let keys = KEYS.iter().find(|(name, _)| name == dimension).unwrap().1;
            let extended = cells.iter().flat_map(|cell| {
                keys.iter().map(move |key| cell.iter().copied().chain([*key]).collect::<Vec<_>>())
            });
            cells = extended.collect();
        }
        let mut table: BTreeMap<String, i64> = cells.iter().map(|cell| (cell.join(" "), 0)).collect();
        for person in self.people.iter().filter(|person| is(person)) {
            let key: Vec<String> = by.iter().map(|dimension| person.key(dimension)).collect();
            *table.get_mut(&key.join(" ")).unwrap() += 1;
        }
        table
    }

    /// The columns of its table, as [`crate::Engine::create`] takes them.
    pub fn columns(&self) -> [(&'static str, &'static str); 7] {
        [
            ("person_id", self.unit),
            ("country_of_birth", "TEXT"),
            ("sex", "TEXT"),
            ("age", "INTEGER"),
            ("education", "TEXT"),
            ("arrival_year", "INTEGER"),
            ("income", "BIGINT"),
        ]
    }

    /// Its rows, in those columns.
    pub fn rows(&self) -> impl Iterator<Item = Vec<Value>> {
        self.people.iter().enumerate().map(|(number, person)| {
            vec![
                format!("p{number}").into(),
                person.country_of_birth.into(),
                person.sex.into(),
                person.age.into(),
                person.education.into(),
                person.arrival_year.into(),
                person.income.into(),
            ]
        })
    }

    /// Writes it as the table `residents`.
    pub fn write(&self, database: &TestDatabase) {
        database.create("residents", &self.columns());
        database.insert("residents", self.rows());
    }
}
