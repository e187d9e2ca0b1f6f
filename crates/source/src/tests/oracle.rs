//! What a reader of the rows would count, written without a thought to how it is done.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::{
    fixture::Vector,
    table::{Odd, Row, pools},
};

/// A condition on a cell.
pub(super) type Passes = fn(&Odd) -> bool;

/// The conditions that tests use, with what they mean.
pub(super) const CONDITIONS: [(&str, &str, Passes); 12] = [
    ("sex", "sex in F", |cell| cell.key == "F"),
    ("sex", "sex in 1,_U", |cell| ["1", "_U"].contains(&cell.key)),
    ("sex", "sex in _O", |cell| cell.key == "_O"),
    ("sex", "sex in F,M,_O,_U", |cell| cell.key != "1"),
    ("age", "age from 4 to 11", |cell| cell.number.is_some_and(|age| (4..=11).contains(&age))),
    ("age", "age in 3,5,_U", |cell| cell.key == "_U" || [Some(3), Some(5)].contains(&cell.number)),
    ("age", "age in _O", |cell| cell.key == "_O"),
    ("age", "age in 11,_O", |cell| cell.key == "_O" || cell.number == Some(11)),
    ("income", "income from -13 to 9", |cell| cell.number.is_some_and(|income| (-13..=9).contains(&income))),
    ("income", "income from 50 to 50", |cell| cell.number == Some(50)),
    ("born", "born from 2024-01-01 to 2024-02-29", |cell| ["2024-01", "2024-02"].contains(&cell.key)),
    ("born", "born from 2023-12-30 to 2023-12-31", |cell| cell.key == "2023-12"),
];

fn place(column: &str) -> usize {
    pools().iter().position(|(name, _)| *name == column).unwrap()
}

/// Each unit's rows, its first ones first.
fn ordered(table: &[Row], secret: u8) -> Vec<Vec<&Row>> {
    let mut units: BTreeMap<&String, Vec<(Vec<u8>, &Row)>> = BTreeMap::new();
    for row in table {
        let Some(unit) = &row.unit else { continue };
        let mut bytes = vec![secret; 32];
        for field in [Some(unit)].into_iter().chain(row.cells.iter().map(|cell| cell.ordered.as_ref())) {
            match field {
                None => bytes.extend([0xff; 4]),
                Some(text) => {
                    bytes.extend((text.len() as u32).to_be_bytes());
                    bytes.extend(text.as_bytes());
                }
            }
        }
        units.entry(unit).or_default().push((Sha256::digest(bytes).to_vec(), row));
    }
    units
        .into_values()
        .map(|mut rows| {
            rows.sort_by(|a, b| a.0.cmp(&b.0));
            rows.into_iter().map(|(_, row)| row).collect()
        })
        .collect()
}

/// The integers of one measure by one margin, that are not 0.
pub(super) fn counted(
    table: &[Row],
    (rows_at_most, cells_at_most): (usize, usize),
    (measure, by): (&str, &str),
    conditions: &[(&str, &str, Passes)],
    secret: u8,
) -> Vector {
    let units = measure == "persons" || measure.starts_with("share") || measure.starts_with("keys");
    let most = if units { rows_at_most.min(cells_at_most) } else { rows_at_most };
    let mut counted = Vector::new();
    for rows in ordered(table, secret) {
        let read = rows.into_iter().take(most);
        let passing =
            read.filter(|row| conditions.iter().all(|(column, _, passes)| passes(&row.cells[place(column)])));
        let mut seen = BTreeSet::new();
        for row in passing {
            let names = by.split(',').filter(|name| !name.is_empty());
            let key = names.map(|name| row.cells[place(name)].key).collect::<Vec<_>>().join(",");
            for (integer, amount) in adds(row, measure) {
                let place = if measure == "keys(village)" { integer } else { format!("{key}#{integer}") };
                if !units || seen.insert(place.clone()) {
                    *counted.entry(place).or_default() += amount;
                }
            }
        }
    }
    counted.retain(|_, integer| *integer != 0);
    counted
}

/// Which integers of its cell a row adds to, and how much.
fn adds(row: &Row, measure: &str) -> Vec<(String, i64)> {
    let cell = |column: &str| &row.cells[place(column)];
    let clamped =
        |column: &str, low: i64, high: i64| cell(column).number.map(|value| value.max(low).min(high));
    let one = |integer: usize| vec![(integer.to_string(), 1)];
    match measure {
        "persons" | "rows" => one(0),
        "rows(age)" | "rows(born)" | "rows(sex)" | "rows(village)" => {
            let column = &measure[5..measure.len() - 1];
            if cell(column).present { one(0) } else { vec![] }
        }
        "sum(income)" => clamped("income", -20, 50).map(|value| ("0".into(), value)).into_iter().collect(),
        // Divided by the released count, so less what is usual.
        "mean(income)" => {
            clamped("income", -20, 50).map(|value| ("0".into(), value - 5)).into_iter().collect()
        }
        "mean(age)" => match clamped("age", 0, 11) {
            Some(value) => vec![("0".into(), value), ("1".into(), 11 - value)],
            None => vec![],
        },
        "share(sex)" => {
            one(["F", "M", "1", "_O", "_U"].iter().position(|key| *key == cell("sex").key).unwrap())
        }
        "histogram(age)" => match clamped("age", 0, 11) {
            Some(0..=4) => one(0),
            Some(5..=9) => one(1),
            Some(_) => one(2),
            None => vec![],
        },
        "histogram(income)" => match clamped("income", -20, 50) {
            Some(..=-1) => one(0),
            Some(0..=9) => one(1),
            Some(_) => one(2),
            None => vec![],
        },
        "quantile(income,0.25,0.5)" => match clamped("income", -20, 50) {
            Some(value) => {
                let candidates = [-20, -13, -6, 1, 8, 15, 22, 29, 36, 43, 50];
                let below = candidates.iter().filter(|candidate| **candidate < value).count();
                one(2 * below + usize::from(candidates.contains(&value)))
            }
            None => vec![],
        },
        "keys(village)" => match cell("village").key {
            "_U" => vec![],
            key => vec![(key.to_owned(), 1)],
        },
        _ => panic!("{measure}"),
    }
}
