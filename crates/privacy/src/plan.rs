//! From a question to a plan: what to fetch, what noise to add, what it costs. Nothing here touches data.

use std::collections::BTreeMap;

use crate::{Accounting, Dataset, Keyset, Layout, LayoutMargin, Loss, Margin, Measure, Name, Noise, Query};

pub use cost::Cost;
pub use fetch::{Fetch, Sensitivity, fractions};
pub use filter::{FilterOn, PlannedFilter};
pub use limits::{CELLS_MOST, LAYOUT_BYTES_MOST, MARGINS_MOST, MEASURES_MOST, MEMORY_MOST, PLAN_BYTES_MOST};
pub use refusal::{PlanRefusal, RestoreError};
pub use text::{Bounds, MarginText, MeasuredColumn, PlanText};

mod cost;
mod fetch;
mod filter;
mod limits;
mod price;
mod refusal;
mod text;

use cost::Costed;

/// What answers a question: complete before any data is touched.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The table as its office declares it.
    pub dataset: Dataset,
    /// The conditions that rows must meet.
    pub filters: Vec<PlannedFilter>,
    /// Which integer stands for which cell; the keys that are searched for in the data are not in it yet.
    pub layout: Layout,
    /// The margins, in the layout's order.
    pub margins: Vec<PlannedMargin>,
    /// The earlier releases whose counts its means are divided by.
    pub earlier: Vec<[u8; 16]>,
    /// What it costs.
    pub loss: Loss,
    /// The digest of the terms.
    pub terms_digest: [u8; 32],
    /// What carrying it out takes.
    pub cost: Cost,
}

/// What is counted for one margin, and what is drawn over it.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedMargin {
    /// What the release says of it to its readers.
    pub text: MarginText,
    /// What the database counts.
    pub fetch: Fetch,
    /// By how much one unit can change what is counted.
    pub sensitivity: Sensitivity,
}

/// What a plan is made from beside the question and the dataset.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    /// The currency, and under zCDP the delta at which it is shown.
    pub account: &'a Accounting,
    /// What the question may spend of delta, in units of 1e-18: only the search for keys does.
    pub delta_e18: u64,
    /// The digest of the terms.
    pub terms_digest: [u8; 32],
    /// Counts that were released before, of this version, under these conditions and bounds, and may be divided by.
    pub released: &'a [ReleasedTable],
}

/// A released margin of `rows(C)` that a mean of C may be divided by.
#[derive(Debug, Clone, PartialEq)]
pub struct ReleasedTable {
    /// The release.
    pub release_id: [u8; 16],
    /// The column whose present rows are counted.
    pub column: Name,
    /// By what.
    pub by: Margin,
    /// The noise of every cell.
    pub noise: Noise,
}

/// Plans a question: the same question, dataset and basis always give the same plan.
///
/// ```
/// use lango_privacy::{Accounting, Basis, Dataset, Domain, DatasetKind, Objective, Query, Unit, compile};
///
/// let age = Domain::integer(0, 110, 10)?;
/// let dataset = Dataset {
///     name: "residents".parse()?,
///     title: "Residents".to_owned(),
///     kind: DatasetKind::Stock,
///     source: "register".to_owned(),
///     table: "residents".to_owned(),
///     version: "2024-07-01".parse()?,
///     unit: Unit {
///         column: "person_id".to_owned(),
///         noun: "person".parse()?,
///         plural: "persons".parse()?,
///         rows_at_most: 1,
///         cells_at_most: 1,
///     },
///     rows_below: Some(100_000_000),
///     objective: Objective::Sum,
///     bounds_drop: None,
///     columns: [("age".parse()?, age.into())].into(),
/// };
/// let question = "lango-query 1\ndataset residents\nmeasure persons\nby age\nprice epsilon 0.5\n";
/// let question = Query::from_canonical(question)?;
/// let account = Accounting::Pure;
/// let basis = Basis { account: &account, delta_e18: 0, terms_digest: [0; 32], released: &[] };
/// let plan = compile(&question, &dataset, &basis)?;
///
/// // Twelve bands of ages, `_O` and `_U`; one person changes one of them by one, so the noise has scale 1 / 0.5.
/// assert_eq!((plan.layout.integers(), plan.cost.integers), (14, 14));
/// assert_eq!(plan.loss.pure_nano, Some(500_000_000));
/// let text = plan.text().to_string();
/// assert!(text.contains("margin persons by age mechanism discrete-laplace scale 2 sensitivity 1"), "{text}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn compile(query: &Query, dataset: &Dataset, basis: &Basis<'_>) -> Result<Plan, PlanRefusal> {
    let shape = QuestionShape::of(query, dataset, &|_, _| false)?;
    let amount = shape.amount(&query.price, basis)?;
    let margins = shape.priced(amount, basis)?;
    let (shape, margins, earlier) = match shape.centred(query, amount, &margins, basis)? {
        Some(centred) => centred,
        None => (shape, margins, Vec::new()),
    };
    let loss = match basis.account {
        Accounting::Pure => Loss::pure(amount),
        Accounting::Zcdp { .. } => {
            Loss { delta_e18: if shape.discovers() { basis.delta_e18 } else { 0 }, ..Loss::rho(amount) }
        }
    };
    Ok(shape.plan(margins, earlier, loss, basis.terms_digest))
}

/// A plan made earlier under the same release key, put together again from its stored text.
///
/// The question and the terms are the key, so only the noise, the loss and how means are centred need to be remembered. A
/// question that is over a bound that came later is refused: what an older gateway has begun is not finished at any cost.
pub fn restore(
    query: &Query,
    dataset: &Dataset,
    stored: &PlanText,
    loss: Loss,
) -> Result<Plan, RestoreError> {
    let centred = |measure: &Measure, _: &Margin| {
        let said = measure.column().and_then(|column| stored.columns.get(column));
        said.is_some_and(|said| said.centre.is_some())
    };
    let shape = QuestionShape::of(query, dataset, &centred)?;
    let plan = shape.plan(stored.margins.clone(), stored.earlier.clone(), loss, stored.terms_digest);
    // Whatever else the text says follows from the question and the terms.
    if stored.is_of(&query.margins()) && plan.text() == *stored { Ok(plan) } else { Err(RestoreError::Other) }
}

/// The part of a plan that follows from the question and the declared columns alone.
#[derive(Debug, Clone)]
struct QuestionShape {
    dataset: Dataset,
    filters: Vec<PlannedFilter>,
    layout: Layout,
    fetches: Vec<(Fetch, Sensitivity)>,
    cost: Cost,
}

impl QuestionShape {
    fn of(
        query: &Query,
        dataset: &Dataset,
        centred: &dyn Fn(&Measure, &Margin) -> bool,
    ) -> Result<Self, PlanRefusal> {
        if let Some(asked) = query.version.as_ref().filter(|asked| **asked != dataset.version) {
            return Err(PlanRefusal::Version { asked: asked.clone(), live: dataset.version.clone() });
        }
        let (cost, costed) = cost::costed(query, dataset, centred)?;
        let mut keysets: BTreeMap<Name, Keyset> = BTreeMap::new();
        for dimension in costed.iter().flat_map(|margin| margin.by.dimensions()) {
            if !keysets.contains_key(dimension) {
                let column = dataset.columns.get(dimension);
                let column = column.ok_or_else(|| PlanRefusal::Column(dimension.clone()))?;
                let keyset = column.domain.keyset();
                let keyset = keyset.ok_or_else(|| PlanRefusal::NotADimension(dimension.clone()))?;
                keysets.insert(dimension.clone(), keyset);
            }
        }
        let (mut fetches, mut margins) = (Vec::new(), Vec::new());
        for Costed { measure, by, fetch, groups } in costed {
            let values = fetch.values(&measure, dataset);
            let sensitivity = fetch.sensitivity(dataset, groups as u64);
            fetches.push((fetch, sensitivity));
            margins.push(LayoutMargin { measure, by, values });
        }
        let layout = Layout::new(keysets, margins).map_err(|_| PlanRefusal::Cells(usize::MAX))?;
        let bytes = layout.text_bytes();
        if bytes > LAYOUT_BYTES_MOST {
            return Err(PlanRefusal::Layout(bytes));
        }
        let filters =
            query.filters.iter().map(|filter| filter::plan(filter, dataset)).collect::<Result<_, _>>()?;
        Ok(Self { dataset: dataset.clone(), filters, layout, fetches, cost })
    }

    /// Whether keys are searched for in the data.
    fn discovers(&self) -> bool {
        self.fetches.iter().any(|(fetch, _)| fetch.searches())
    }

    fn plan(
        self,
        texts: Vec<MarginText>,
        earlier: Vec<[u8; 16]>,
        loss: Loss,
        terms_digest: [u8; 32],
    ) -> Plan {
        let margins = texts
            .into_iter()
            .zip(self.fetches)
            .map(|(text, (fetch, sensitivity))| PlannedMargin { text, fetch, sensitivity })
            .collect();
        let Self { dataset, filters, layout, cost, .. } = self;
        Plan { dataset, filters, layout, margins, earlier, loss, terms_digest, cost }
    }
}

impl Plan {
    /// Whether keys are searched for in the data.
    pub fn discovers(&self) -> bool {
        self.margins.iter().any(|margin| matches!(margin.fetch, Fetch::Keys(_)))
    }

    /// What a reader of the release needs of the plan.
    pub fn text(&self) -> PlanText {
        let measured = self.margins.iter().filter_map(|margin| margin.fetch.measured());
        let mut columns: BTreeMap<Name, MeasuredColumn> = BTreeMap::new();
        for (name, column) in measured {
            // A plain sum and a centred mean may be of one column; what is said of it is said once.
            let said = columns.entry(name.clone()).or_insert(column);
            *said = said.and(column);
        }
        PlanText {
            bounds: Bounds::of(&self.dataset),
            terms_digest: self.terms_digest,
            columns,
            earlier: self.earlier.clone(),
            margins: self.margins.iter().map(|margin| margin.text.clone()).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
