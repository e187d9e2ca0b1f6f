//! A dataset, questions about it, and what was counted.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::OnceLock,
    time::Duration,
};

use lango_privacy::{
    Accounting, Basis, Bound, Code, Column, Condition, Dataset, Decimal, Discovery, Domain, Fetch, Filter,
    Grid, Margin, Measure, Measurement, Mechanism, Noise, Plan, Price, Query, ReleasedTable, Span, compile,
    measure, rows,
};

use lango_testkit::residents;

use crate::{FetchError, Secret, Source, Sqlite};

const ACCOUNT: Accounting = Accounting::Zcdp { delta_e18: 1_000_000_000_000 };

/// The integers of a margin that are not 0, by their cells' keys and their place in the cell.
pub(super) type Vector = BTreeMap<String, i64>;

pub(crate) fn dataset(rows_at_most: u32, cells_at_most: u32) -> Dataset {
    let codes = ["F", "M", "1"].iter().map(|code| code.parse().unwrap()).collect();
    let born = Domain::date("2023-12-30".into(), "2024-03-01".into(), Span::Month).unwrap();
    let income = Column::from(Domain::amount(-20, 50, 0, None).unwrap()).with_typical(5).unwrap();
    let income = income.with_bins(Grid::Listed(vec![-20, 0, 10].into())).unwrap();
    let columns = [
        ("age", Domain::integer(0, 11, 5).unwrap().into()),
        ("born", born.into()),
        ("income", income.with_candidates(Grid::Every(7)).unwrap()),
        ("sex", Domain::codes(codes).unwrap().into()),
        ("village", Domain::Open.into()),
    ];
    residents((rows_at_most, cells_at_most), columns)
}

pub(super) fn margin(names: &str) -> Margin {
    Margin::new(names.split(',').filter(|name| !name.is_empty()).map(|name| name.parse().unwrap()))
}

/// `column in A,B`, `column from LOW to HIGH`.
pub(super) fn filter(text: &str) -> Filter {
    let bound = |text: &str| match text.parse() {
        Ok(code) if text.len() == 10 => Bound::Date(Code::to_string(&code)),
        _ => Bound::Number(Decimal::minimal(text).unwrap()),
    };
    let condition = match text.split(' ').collect::<Vec<_>>().as_slice() {
        [_, "in", codes] => Condition::In(codes.split(',').map(|code| code.parse().unwrap()).collect()),
        [_, "from", low, "to", high] => Condition::Between(bound(low), bound(high)),
        _ => panic!("{text}"),
    };
    Filter { column: text.split(' ').next().unwrap().parse().unwrap(), condition }
}

/// Plans measures, each by margins, under conditions; the mean income by sex has a released count to be divided by.
pub(crate) fn plan(dataset: &Dataset, asked: &[(&str, &[&str])], filters: &[&str]) -> Plan {
    let mut measures: BTreeMap<Measure, BTreeSet<Margin>> = BTreeMap::new();
    for (measure, margins) in asked {
        let margins = margins.iter().map(|names| margin(names));
        measures.entry(measure.parse().unwrap()).or_default().extend(margins);
    }
    let query = Query {
        dataset: dataset.name.clone(),
        version: None,
        measures,
        filters: filters.iter().map(|text| filter(text)).collect(),
        price: Price::Epsilon(Decimal::minimal("100").unwrap()),
    };
    let noise = Noise { mechanism: Mechanism::DiscreteGaussian, scale: 0.1 };
    let released =
        ReleasedTable { release_id: [1; 16], column: "income".parse().unwrap(), by: margin("sex"), noise };
    let basis = Basis {
        account: &ACCOUNT,
        delta_e18: 1_000_000_000,
        terms_digest: [0; 32],
        released: std::slice::from_ref(&released),
    };
    compile(&query, dataset, &basis).unwrap()
}

pub(crate) fn secret(byte: u8) -> Secret {
    Secret::new([byte; 32])
}

pub(super) fn file(folder: &tempfile::TempDir) -> std::path::PathBuf {
    folder.path().join("register.sqlite")
}

/// One for all tests: connections of a pool belong to the runtime that made them.
pub(crate) fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap())
}

/// What is counted for each margin in an SQLite file.
pub(super) fn counted(file: &Path, plan: &Plan, secret: Secret) -> Result<Vec<Vector>, FetchError> {
    counted_in(&Sqlite::new(file, Duration::from_secs(60)), plan, secret)
}

/// A noise that is 0 but once in 10^55 draws.
pub(super) fn exactly(fetch: &Fetch) -> Measurement {
    let noise = |mechanism| Noise { mechanism, scale: 1.0 / 128.0 };
    match fetch {
        Fetch::Keys(_) => {
            Measurement::Discovery(Discovery { noise: noise(Mechanism::DiscreteGaussian), threshold: 1 })
        }
        _ => Measurement::Noise(noise(Mechanism::DiscreteLaplace)),
    }
}

/// What is counted for each margin: measured with a noise that is 0 but once in 10^55 draws.
pub(super) fn counted_in(
    source: &dyn Source,
    plan: &Plan,
    secret: Secret,
) -> Result<Vec<Vector>, FetchError> {
    let mut plan = plan.clone();
    for margin in &mut plan.margins {
        margin.text.measurement = exactly(&margin.fetch);
    }
    let fetched = runtime().block_on(async {
        let session = source.open().await.unwrap();
        session.fetch(plan.clone(), secret).await
    })?;
    let measured = measure(&plan, fetched).unwrap();
    let mut integers = measured.integers.into_iter();
    let margins = plan.margins.iter().zip(measured.layout.margins()).map(|(margin, measured)| {
        let axes: Vec<_> = plan.layout.axes(&margin.text.by).map(|(_, keyset)| keyset).collect();
        let keys = rows(&axes).map(|key| key.iter().map(|code| code.as_str()).collect::<Vec<_>>().join(","));
        let places: Vec<String> = match margin.fetch {
            Fetch::Keys(_) => measured.values.clone().unwrap().iter().map(ToString::to_string).collect(),
            _ => {
                let width = margin.fetch.width(&plan.dataset);
                keys.flat_map(|key| (0..width).map(move |place| format!("{key}#{place}"))).collect()
            }
        };
        let vector: Vector = places.into_iter().map(|place| (place, integers.next().unwrap())).collect();
        vector.into_iter().filter(|(_, integer)| *integer != 0).collect()
    });
    let margins = margins.collect();
    assert_eq!(integers.next(), None);
    Ok(margins)
}
