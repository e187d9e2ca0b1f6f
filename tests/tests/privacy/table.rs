//! One small invented table with a column of every kind, and the questions that are asked of it.

use lango_privacy::{
    Accounting, Basis, Code, Column, Dataset, DatasetKind, Domain, Grid, Name, Noise, Objective, Plan, Query,
    ReleasedTable, Unit, compile,
};

/// A row: whose it is, and its values as they would stand in a file; `-` is NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The unit.
    pub unit: i64,
    /// In the order of [`COLUMNS`].
    pub values: Vec<Option<String>>,
}

/// The declared columns in name order.
pub const COLUMNS: [&str; 6] = ["age", "balance", "income", "region", "sex", "village"];

impl Row {
    /// A row of a unit from its values, a word each.
    pub fn read(unit: i64, text: &str) -> Self {
        let values: Vec<_> = text.split(' ').map(|word| (word != "-").then(|| word.to_owned())).collect();
        assert_eq!(values.len(), COLUMNS.len(), "{text}");
        Self { unit, values }
    }

    /// The value of a column.
    pub fn value(&self, column: &str) -> Option<&str> {
        let place = COLUMNS.iter().position(|name| *name == column);
        self.values[place.unwrap_or_else(|| panic!("no column {column}"))].as_deref()
    }
}

/// The table as its office declares it: a unit has at most `rows_at_most` rows, in at most `cells_at_most` cells.
pub fn dataset(rows_at_most: u32, cells_at_most: u32) -> Dataset {
    let codes = |codes: &str| Domain::codes(codes.split(' ').map(code).collect()).unwrap().into();
    let age = Column::from(Domain::integer(0, 9, 5).unwrap());
    let balance = Column::from(Domain::amount(-900, 400, 0, None).unwrap());
    let income = Column::from(Domain::amount(0, 1_000, 0, None).unwrap());
    let columns: [(&str, Column); 6] = [
        ("age", age.with_candidates(Grid::Listed([2, 7].into())).unwrap()),
        ("balance", balance.with_candidates(Grid::Listed([-700, -500, 0, 200].into())).unwrap()),
        ("income", income.with_bins(Grid::Listed([0, 500].into())).unwrap()),
        ("region", codes("A")),
        ("sex", codes("F M")),
        ("village", Domain::Open.into()),
    ];
    Dataset {
        name: name("movements"),
        title: "Invented movements".into(),
        kind: DatasetKind::Flow,
        source: "register".into(),
        table: "movements".into(),
        version: code("1"),
        unit: Unit {
            column: "person_id".into(),
            noun: name("person"),
            plural: name("persons"),
            rows_at_most,
            cells_at_most,
        },
        rows_below: Some(1 << 20),
        objective: Objective::Sum,
        bounds_drop: None,
        columns: columns.into_iter().map(|(column, declared)| (name(column), declared)).collect(),
    }
}

/// The plan of a question about a dataset, its price included; means are divided by a released count where there is one.
pub fn plan(body: &str, dataset: &Dataset, account: &Accounting, released: &[ReleasedTable]) -> Plan {
    let query: Query = format!("lango-query 1\ndataset {}\n{body}\n", dataset.name).parse().unwrap();
    let delta_e18 = match account {
        Accounting::Pure => 0,
        Accounting::Zcdp { delta_e18 } => *delta_e18,
    };
    let basis = Basis { account, delta_e18, terms_digest: [7; 32], released };
    compile(&query, dataset, &basis).unwrap_or_else(|refusal| panic!("{body}: {refusal}"))
}

/// An earlier release of `rows(income)` in all, precise enough that a mean of incomes is divided by it.
pub fn released(noise: Noise) -> Vec<ReleasedTable> {
    vec![ReleasedTable { release_id: [1; 16], column: name("income"), by: Default::default(), noise }]
}

pub fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub fn code(text: &str) -> Code {
    text.parse().unwrap()
}
