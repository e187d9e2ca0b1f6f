//! From a question to a plan: what to fetch, what noise to add, what it costs. Nothing here touches data.

use std::collections::BTreeMap;

use crate::{
    Accounting, Code, Dataset, Keyset, Layout, Loss, LossError, Margin, Measure, Name, Noise, NoiseSum,
    Price, Query,
};

pub use filter::{FilterOn, PlannedFilter};
pub use text::{Bounds, PlanText};

mod filter;
mod text;

/// The most dimensions of a margin.
const DIMENSIONS_MOST: usize = 4;
/// The most cells of a release: what fits a message with room to spare.
const CELLS_MOST: usize = 250_000;

/// What answers a question: complete before any data is touched.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The table as its office declares it.
    pub dataset: Dataset,
    /// The conditions that rows must meet.
    pub filters: Vec<PlannedFilter>,
    /// Which integer stands for which cell.
    pub layout: Layout,
    /// The margins, in the layout's order.
    pub margins: Vec<PlannedMargin>,
    /// What it costs.
    pub loss: Loss,
    /// The digest of the terms.
    pub terms_digest: [u8; 32],
}

/// One margin's count and its noise.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedMargin {
    /// What is counted.
    pub measure: Measure,
    /// By what.
    pub by: Margin,
    /// The noise of every cell.
    pub noise: Noise,
    /// By how much one unit can change the margin: in L1 for Laplace, squared in L2 for Gaussian.
    pub sensitivity: u64,
}

/// Why a question cannot be planned. A fact about the question and the policy alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanRefusal {
    /// The measure has no plan in this version.
    #[error("measure `{0}` is not supported: ask for `persons`")]
    MeasureNotSupported(Measure),
    /// A price other than epsilon.
    #[error("a price by precision is not supported: name an epsilon")]
    PriceNotSupported,
    /// Epsilon of zero, too large or finer than a billionth.
    #[error("epsilon must be above 0, at most 100 and no finer than a billionth")]
    Epsilon,
    /// The account cannot express it.
    #[error("{0}")]
    Loss(LossError),
    /// So little epsilon that there is nothing to share among the margins.
    #[error("the price is too small to be shared among {0} margins")]
    TooThin(usize),
    /// A column that is not declared.
    #[error("column `{0}` is not declared")]
    Column(Name),
    /// A column without keys.
    #[error("column `{0}` has no keys to group by")]
    NotADimension(Name),
    /// Too many dimensions.
    #[error("a margin has at most {DIMENSIONS_MOST} dimensions")]
    Dimensions,
    /// Too many cells.
    #[error("the question has {0} cells, more than the {CELLS_MOST} that a release may hold")]
    Cells(usize),
    /// A condition that the column cannot meet.
    #[error("the condition on `{0}` is not in its declared values")]
    Filter(Name),
    /// The version asked for is not the live one.
    #[error("version `{asked}` is asked for, `{live}` is live")]
    Version {
        /// As asked.
        asked: Code,
        /// As declared.
        live: Code,
    },
}

impl PlanRefusal {
    /// The stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MeasureNotSupported(_) => "measure-not-supported",
            Self::PriceNotSupported => "price-not-supported",
            Self::Epsilon | Self::Loss(_) | Self::TooThin(_) => "epsilon-out-of-range",
            Self::Column(_) => "column-not-declared",
            Self::NotADimension(_) => "not-a-dimension",
            Self::Dimensions => "too-many-dimensions",
            Self::Cells(_) => "too-many-cells",
            Self::Filter(_) => "filter-out-of-range",
            Self::Version { .. } => "version-not-live",
        }
    }
}

/// Plans a question: the same question, dataset and account always give the same plan.
pub fn compile(
    query: &Query,
    dataset: &Dataset,
    account: &Accounting,
    terms_digest: [u8; 32],
) -> Result<Plan, PlanRefusal> {
    let (filters, layout) = shape(query, dataset)?;
    let Price::Epsilon(epsilon) = &query.price else { return Err(PlanRefusal::PriceNotSupported) };
    let epsilon_nano =
        epsilon.scaled(9).and_then(|nano| u64::try_from(nano).ok()).ok_or(PlanRefusal::Epsilon)?;
    let amount = account.amount_of(epsilon_nano).map_err(|error| match error {
        LossError::Range => PlanRefusal::Epsilon,
        error => PlanRefusal::Loss(error),
    })?;
    let count = layout.margins().len();
    let share = amount / count.max(1) as u64;
    let margins = layout
        .margins()
        .iter()
        .map(|margin| {
            let cells = u64::try_from(layout.cells_of(&margin.by)).unwrap_or(u64::MAX);
            let sensitivity = persons_sensitivity(dataset, cells);
            let noise = calibrate(account, sensitivity, share).ok_or(PlanRefusal::TooThin(count))?;
            Ok(PlannedMargin { measure: margin.measure.clone(), by: margin.by.clone(), noise, sensitivity })
        })
        .collect::<Result<Vec<_>, PlanRefusal>>()?;
    let loss = match account {
        Accounting::Pure => Loss::pure(amount),
        Accounting::Zcdp { .. } => Loss::rho(amount),
    };
    Ok(Plan { dataset: dataset.clone(), filters, layout, margins, loss, terms_digest })
}

/// A plan made earlier under the same release key, put together again from its stored text.
///
/// The question and the terms are the key, so only the noise and the loss need to be remembered. `None` where the text
/// is not of this question.
pub fn restore(query: &Query, dataset: &Dataset, stored: &PlanText, loss: Loss) -> Option<Plan> {
    let (filters, layout) = shape(query, dataset).ok()?;
    let same = layout.margins().len() == stored.margins.len()
        && layout
            .margins()
            .iter()
            .zip(&stored.margins)
            .all(|(asked, stored)| asked.measure == stored.measure && asked.by == stored.by);
    let (margins, terms_digest) = (stored.margins.clone(), stored.terms_digest);
    same.then(|| Plan { dataset: dataset.clone(), filters, layout, margins, loss, terms_digest })
}

/// The part of a plan that follows from the question and the declared columns alone.
fn shape(query: &Query, dataset: &Dataset) -> Result<(Vec<PlannedFilter>, Layout), PlanRefusal> {
    if let Some(asked) = query.version.as_ref().filter(|asked| **asked != dataset.version) {
        return Err(PlanRefusal::Version { asked: asked.clone(), live: dataset.version.clone() });
    }
    let mut keysets: BTreeMap<Name, Keyset> = BTreeMap::new();
    for (measure, asked) in &query.measures {
        if *measure != Measure::persons() {
            return Err(PlanRefusal::MeasureNotSupported(measure.clone()));
        }
        for by in asked {
            if by.len() > DIMENSIONS_MOST {
                return Err(PlanRefusal::Dimensions);
            }
            for dimension in by.dimensions() {
                let column =
                    dataset.columns.get(dimension).ok_or_else(|| PlanRefusal::Column(dimension.clone()))?;
                let keyset =
                    column.domain.keyset().ok_or_else(|| PlanRefusal::NotADimension(dimension.clone()))?;
                keysets.insert(dimension.clone(), keyset);
            }
        }
    }
    let layout = Layout::new(keysets, query.margins()).map_err(|_| PlanRefusal::Cells(usize::MAX))?;
    if layout.cells() > CELLS_MOST {
        return Err(PlanRefusal::Cells(layout.cells()));
    }
    let filters =
        query.filters.iter().map(|filter| filter::plan(filter, dataset)).collect::<Result<_, _>>()?;
    Ok((filters, layout))
}

/// By how many cells, one each, a unit can change a margin of `persons`: in L1, and squared in L2.
///
/// `c = min(C, K)` with `C = min(cells_at_most, rows_at_most)` and K the margin's cells.
fn persons_sensitivity(dataset: &Dataset, cells: u64) -> u64 {
    u64::from(dataset.unit.cells_at_most.min(dataset.unit.rows_at_most)).min(cells)
}

/// The noise that the account's currency buys for `share` billionths; under zCDP the one with the smaller variance.
fn calibrate(account: &Accounting, sensitivity: u64, share: u64) -> Option<Noise> {
    if share == 0 {
        return None;
    }
    let noise = match account {
        Accounting::Pure => Noise::laplace(sensitivity, share)?,
        Accounting::Zcdp { .. } => {
            let gaussian = Noise::gaussian(sensitivity, share)?;
            // epsilon^2 / 2 = rho: the largest epsilon whose rho, rounded up, is within the share.
            let epsilon = (u128::from(share) * 2_000_000_000).isqrt();
            let laplace = Noise::laplace(sensitivity, u64::try_from(epsilon).ok()?)?;
            if laplace.variance() < gaussian.variance() { laplace } else { gaussian }
        }
    };
    crate::mechanism::SCALES.contains(&noise.scale).then_some(noise)
}

impl PlannedMargin {
    /// The distribution of the error of one cell.
    pub fn error(&self) -> NoiseSum {
        NoiseSum::of([self.noise])
    }
}

impl Plan {
    /// What a reader of the release needs of the plan.
    pub fn text(&self) -> PlanText {
        PlanText {
            bounds: Bounds::of(&self.dataset),
            terms_digest: self.terms_digest,
            margins: self.margins.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
