//! A dataset as a policy would declare it, for tests that need no policy.

use lango_privacy::{Column, Dataset, DatasetKind, Objective, Unit};

/// The table `residents` of persons, identified by `person_id`, with these bounds on rows and cells and these columns.
pub fn residents<'a>(
    (rows_at_most, cells_at_most): (u32, u32),
    columns: impl IntoIterator<Item = (&'a str, Column)>,
) -> Dataset {
    Dataset {
        name: "residents".parse().unwrap(),
        title: String::new(),
        kind: DatasetKind::Stock,
        source: "register".into(),
        table: "residents".into(),
        version: "1".parse().unwrap(),
        unit: Unit {
            column: "person_id".into(),
            noun: "person".parse().unwrap(),
            plural: "persons".parse().unwrap(),
            rows_at_most,
            cells_at_most,
        },
        rows_below: None,
        objective: Objective::Sum,
        bounds_drop: None,
        columns: columns.into_iter().map(|(name, column)| (name.parse().unwrap(), column)).collect(),
    }
}
