//! A second reading of what a plan counts, over rows in memory, by the plainest code there is.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use lango_privacy::{Code, Counted, Dataset, Domain, Fetch, OTHER, Plan, PlannedMargin, Range, UNKNOWN};

use crate::table::Row;

/// Counts what the plan fetches. Of each unit the first rows are read, as many as its bounds allow.
pub fn count(plan: &Plan, rows: &[Row]) -> Vec<Counted> {
    assert!(plan.filters.is_empty(), "the reading in memory knows no conditions");
    plan.margins.iter().map(|margin| margin_of(plan, margin, rows)).collect()
}

fn margin_of(plan: &Plan, margin: &PlannedMargin, rows: &[Row]) -> Counted {
    let (dataset, fetch) = (&plan.dataset, &margin.fetch);
    let most = if fetch.counts_units() { dataset.cells_at_most() } else { dataset.unit.rows_at_most };
    let mut read: BTreeMap<i64, u32> = BTreeMap::new();
    let rows = rows.iter().filter(|row| {
        let before = read.entry(row.unit).or_default();
        *before += 1;
        *before <= most
    });
    let width = fetch.width(dataset);
    let mut cells = vec![0i64; plan.layout.cells_of(&margin.text.by) * width];
    let mut keys: HashMap<String, i64> = HashMap::new();
    let mut seen: BTreeSet<(i64, String)> = BTreeSet::new();
    for row in rows {
        let axes = plan.layout.axes(&margin.text.by);
        let cell = axes.fold(0, |cell, (dimension, keyset)| {
            let key = key(dataset, dimension.as_str(), row);
            cell * keyset.len() + keyset.codes().iter().position(|code| code.as_str() == key).unwrap()
        });
        for (place, by) in integers(dataset, fetch, row) {
            cells[cell * width + place] += match fetch.counts_units() {
                true => i64::from(seen.insert((row.unit, format!("{cell} {place}")))),
                false => by,
            };
        }
        let Fetch::Keys(column) = fetch else { continue };
        let key = present(row, column.as_str()).map(|value| Code::escaped(value).unwrap().to_string());
        if let Some(key) = key.filter(|key| seen.insert((row.unit, key.clone()))) {
            *keys.entry(key).or_default() += 1;
        }
    }
    if matches!(fetch, Fetch::Keys(_)) { Counted::Keys(keys) } else { Counted::Cells(cells) }
}

/// What a row adds to the integers of its cell, and to which.
fn integers(dataset: &Dataset, fetch: &Fetch, row: &Row) -> Vec<(usize, i64)> {
    let number = |column: &str| row.value(column).and_then(|text| text.parse::<i64>().ok());
    let clamped =
        |column: &str, range: &Range| number(column).map(|value| value.clamp(range.low, range.high));
    match fetch {
        Fetch::Units | Fetch::Rows => vec![(0, 1)],
        Fetch::UnitsBy(column) => {
            let keyset = dataset.columns[column].domain.keyset().unwrap();
            let key = key(dataset, column.as_str(), row);
            vec![(keyset.codes().iter().position(|code| code.as_str() == key).unwrap(), 1)]
        }
        Fetch::RowsOf(column) => {
            let present = match dataset.columns[column].range() {
                Some(_) => number(column.as_str()).is_some(),
                None => present(row, column.as_str()).is_some(),
            };
            if present { vec![(0, 1)] } else { Vec::new() }
        }
        Fetch::Sum { column, range, centre } => {
            let value = clamped(column.as_str(), range);
            value.map(|value| (0, value - centre.unwrap_or(0))).into_iter().collect()
        }
        Fetch::Pair { column, range } => {
            let value = clamped(column.as_str(), range);
            value.map_or(Vec::new(), |value| vec![(0, value - range.low), (1, range.high - value)])
        }
        Fetch::Bins { column, range, grid } => {
            let starts = grid.points(range);
            let value = clamped(column.as_str(), range);
            value
                .map(|value| (starts.iter().filter(|start| **start <= value).count() - 1, 1))
                .into_iter()
                .collect()
        }
        Fetch::Ranks { column, range, grid } => {
            let candidates = grid.points(range);
            let value = clamped(column.as_str(), range);
            let place = value.map(|value| {
                let below = candidates.iter().filter(|candidate| **candidate < value).count();
                2 * below + usize::from(candidates.contains(&value))
            });
            place.map(|place| (place, 1)).into_iter().collect()
        }
        Fetch::Keys(_) => Vec::new(),
    }
}

/// The value of a column where it is neither missing nor blank.
fn present<'a>(row: &'a Row, column: &str) -> Option<&'a str> {
    row.value(column).filter(|text| !text.trim().is_empty())
}

/// The public key of a row's value.
fn key(dataset: &Dataset, column: &str, row: &Row) -> String {
    let domain = &dataset.columns[&column.parse().unwrap()].domain;
    let Some(text) = present(row, column) else { return UNKNOWN.to_owned() };
    let declared = match domain {
        Domain::Integer { .. } => text
            .parse()
            .ok()
            .and_then(|value| domain.band_of(value))
            .map(|place| domain.keyset().unwrap().codes()[place].to_string()),
        _ => domain.key_of(text).map(str::to_owned),
    };
    declared.unwrap_or_else(|| OTHER.to_owned())
}
