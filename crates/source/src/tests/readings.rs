//! Columns of texts are read on every engine as an import reads files: by the list that both sides keep to.

use lango_privacy::{Column, Dataset, Domain, Name};
use lango_testkit::{Engine, ReadAs, TestDatabase, Value, read_columns, readings};

use super::{
    engines::source,
    fixture::{Vector, counted_in, dataset, plan, runtime, secret},
};
use crate::{Bounding, SourceError};

/// A row for each text, in which nothing else stands but the row's name.
fn held(engine: Engine, unit: &str) -> TestDatabase {
    let text = if engine == Engine::MariaDb { "mediumtext CHARACTER SET utf8mb4" } else { "text" };
    let columns: Vec<String> = read_columns().iter().map(|(name, _)| format!("{name} {text}")).collect();
    let database = TestDatabase::fresh(engine);
    database
        .run(&format!("CREATE TABLE residents (person_id {unit}, place varchar(9), {})", columns.join(", ")));
    let rows = readings().into_iter().enumerate().map(|(row, (column, text, _))| {
        let fields = read_columns().map(|(name, _)| (name == column).then(|| text.clone()).into());
        let begin = [Value::Integer(row as i64), Value::Text(place(row))];
        begin.into_iter().chain(fields).collect()
    });
    database.insert("residents", rows);
    database
}

fn place(row: usize) -> String {
    format!("r{row}")
}

fn of_places(rows_at_most: u32) -> Dataset {
    let places = (0..readings().len()).map(|row| place(row).parse().unwrap()).collect();
    let places = ("place", Column::from(Domain::codes(places).unwrap()));
    let columns = read_columns().into_iter().chain([places]);
    let columns = columns.map(|(name, column)| (name.parse().unwrap(), column)).collect();
    Dataset { columns, ..dataset(rows_at_most, rows_at_most) }
}

/// What is expected to be counted of a text in a column, as words, and what is found.
fn words(dataset: &Dataset, (column, row, read): (&str, usize, ReadAs), counted: &[Vector]) -> [String; 2] {
    let [by_code, by_day, by_folded, by_whole, amounts, amounts_sum, wholes_sum] = counted else {
        panic!("{} margins", counted.len())
    };
    let of = &dataset.columns[&column.parse::<Name>().unwrap()];
    let sum_of = |sums: &Vector| sums.get(&format!("{}#0", place(row))).copied().unwrap_or(0);
    let clamped = |number: i64| {
        let range = of.range().unwrap();
        number.clamp(range.low, range.high)
    };
    if column == "amount" {
        let number = if let ReadAs::Number(number) = read { Some(clamped(number)) } else { None };
        let is_there = sum_of(amounts) == 1;
        let found = is_there.then(|| sum_of(amounts_sum));
        return [format!("{number:?}"), format!("{found:?}")];
    }
    let (by, sum) = match column {
        "code" => (by_code, 0),
        "day" => (by_day, 0),
        "folded" => (by_folded, 0),
        _ => (by_whole, sum_of(wholes_sum)),
    };
    let keys = of.domain.keyset().unwrap();
    let found: Vec<&str> = keys
        .codes()
        .iter()
        .map(|key| key.as_str())
        .filter(|key| {
            [format!("{key},{}#0", place(row)), format!("{},{key}#0", place(row))]
                .iter()
                .any(|cell| by.contains_key(cell))
        })
        .collect();
    let (key, number) = match read {
        ReadAs::Missing => ("_U".to_owned(), 0),
        ReadAs::Undeclared => ("_O".to_owned(), 0),
        ReadAs::Code(key) | ReadAs::Day(key) => (key.to_owned(), 0),
        ReadAs::Number(number) => {
            let band = of.domain.band_of(number).and_then(|band| keys.codes().get(band)).unwrap();
            (band.to_string(), clamped(number))
        }
    };
    [format!("{key} {number}"), format!("{} {sum}", found.join(" and "))]
}

#[test]
fn every_text_is_read_the_same_on_every_engine_and_by_every_access() {
    for engine in Engine::ALL {
        for (unit, rows_at_most) in [("int PRIMARY KEY", 1), ("int", 2)] {
            let (database, dataset) = (held(engine, unit), of_places(rows_at_most));
            let asked: [(&str, &[&str]); 4] = [
                ("persons", &["place,code", "place,day", "place,folded", "place,whole"]),
                ("rows(amount)", &["place"]),
                ("sum(amount)", &["place"]),
                ("sum(whole)", &["place"]),
            ];
            let plan = plan(&dataset, &asked, &[]);
            let source = source(&database);
            runtime().block_on(source.check(&dataset)).unwrap();
            let direct = counted_in(&*source, &plan, secret(7)).unwrap();
            let mut wrong = Vec::new();
            for (row, (column, text, read)) in readings().into_iter().enumerate() {
                let [expected, found] = words(&dataset, (column, row, read), &direct);
                if expected != found {
                    let shown: String = text.chars().take(40).collect();
                    wrong.push(format!("`{column}` {shown:?} ({}): {found}, not {expected}", text.len()));
                }
            }
            assert!(wrong.is_empty(), "{engine:?} {unit}:\n{}", wrong.join("\n"));
            let prepared = runtime().block_on(source.prepare(&dataset, &secret(7)));
            if rows_at_most == 1 {
                assert_eq!(prepared, Err(SourceError::NothingToPrepare(dataset.table.clone())), "{engine:?}");
                continue;
            }
            let rows = prepared.unwrap().kept;
            let bounding = runtime().block_on(source.bounding(&dataset, &secret(7))).unwrap();
            assert_eq!(bounding, Bounding::Prepared { rows });
            assert_eq!(counted_in(&*source, &plan, secret(7)).unwrap(), direct, "{engine:?} prepared");
        }
    }
}
