//! Why a question cannot be planned.

use super::limits::{
    CELLS_MOST, DIMENSIONS_MOST, INTEGERS_MOST, LAYOUT_BYTES_MOST, MARGINS_MOST, MEASURES_MOST, MEMORY_MOST,
    WEIGHED_MOST,
};
use crate::{Code, LossError, Measure, Name};

/// Why a question cannot be planned. A fact about the question and the policy alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanRefusal {
    /// Another unit than the dataset's is to be counted.
    #[error("`{asked}` is not what this dataset counts: ask for `{units}`")]
    UnitsNot {
        /// As asked.
        asked: Name,
        /// The measure of the dataset's units.
        units: Name,
    },
    /// A column without numbers is to be added up.
    #[error("column `{0}` holds no numbers: it is neither `integer` nor `amount`")]
    NotNumbers(Name),
    /// No bins to count rows in.
    #[error("column `{0}` has no `bins` in the policy, so there is no histogram of it")]
    NoBins(Name),
    /// No candidates to choose from.
    #[error("column `{0}` has no `candidates` in the policy, so there are no quantiles of it")]
    NoCandidates(Name),
    /// A quantile that is none.
    #[error("a quantile names one share or more between 0 and 1, of at most six decimals: quantile({0},0.5)")]
    Quantile(Name),
    /// A share by its own dimension.
    #[error("`share({0})` is asked by margins without `{0}`")]
    ShareByItself(Name),
    /// Values are searched for in a column that is not open, or in groups.
    #[error("`keys({0})` is asked of an `open` column, for the total only")]
    KeysOf(Name),
    /// Keys of the data cannot be had without a delta.
    #[error("`keys({0})` spends delta: it needs a zCDP account and a grant with `delta_per_query`")]
    DeltaNotGranted(Name),
    /// A sum might not fit 64 bits.
    #[error(
        "`{measure}` could overflow: rows are fewer than {rows_below} and each counts up to {magnitude}; a smaller \
         `rows_below` in the policy, or tighter bounds, make it possible"
    )]
    Overflow {
        /// The measure.
        measure: Measure,
        /// As the policy says, or 2^38.
        rows_below: u64,
        /// The largest magnitude of a row.
        magnitude: u64,
    },
    /// A precision is asked of what has none before the data is known.
    #[error(
        "the error of `{0}` depends on the data: ask for the precision of a count or a sum, or name an epsilon"
    )]
    PrecisionNot(Measure),
    /// A precision that no price buys.
    #[error("no epsilon up to 100 is precise enough")]
    PrecisionOutOfReach,
    /// A precision that makes no sense.
    #[error(
        "a precision is a half-width of one unit or more (1 of a count, the last decimal of a sum) and a confidence between 0 and 0.999999"
    )]
    Precision,
    /// Epsilon of zero, too large or finer than a billionth.
    #[error("epsilon must be above 0, at most 100 and no finer than a billionth")]
    Epsilon,
    /// The account cannot express it.
    #[error("{0}")]
    Loss(LossError),
    /// So little epsilon that there is nothing to share among the margins.
    #[error("the price is too small to be shared among {0} margins")]
    TooThin(usize),
    /// So little epsilon for values this large that the noise is beyond what can be drawn.
    #[error(
        "the noise of `{0}` would be too large to be drawn at this price: name a larger epsilon, or ask the office for tighter bounds"
    )]
    TooNoisy(Measure),
    /// A column that is not declared.
    #[error("column `{0}` is not declared")]
    Column(Name),
    /// A column without keys.
    #[error("column `{0}` has no keys to group by")]
    NotADimension(Name),
    /// Too many dimensions.
    #[error("a margin has at most {DIMENSIONS_MOST} dimensions")]
    Dimensions,
    /// More margins or dimensions of one measure than can be planned together.
    #[error("`{0}` is asked by too many margins or dimensions at once: ask several questions")]
    Margins(Measure),
    /// Too many measures.
    #[error("the question has {0} measures, more than {MEASURES_MOST}: ask several questions")]
    Measures(usize),
    /// Too many margins over all measures.
    #[error(
        "the question has {0} margins over all its measures, more than {MARGINS_MOST}: ask several questions"
    )]
    MarginsInAll(usize),
    /// Too many searches for keys.
    #[error("the question asks for `keys` of {0} columns: ask for one at a time")]
    Searches(usize),
    /// Too much work for quantiles.
    #[error(
        "the question chooses {selections} quantiles among {weighed} candidates in all, more than {WEIGHED_MOST}: ask for fewer \
         shares, or by fewer keys"
    )]
    Selections {
        /// How many quantiles, over all groups and shares.
        selections: usize,
        /// How many candidates they are chosen from, together.
        weighed: usize,
    },
    /// Too much memory.
    #[error(
        "the question takes {0} bytes of the gateway's memory, more than {MEMORY_MOST}: ask for fewer measures at once, or by \
         fewer keys"
    )]
    Memory(usize),
    /// Too long a layout.
    #[error("the answer's layout takes {0} bytes, more than {LAYOUT_BYTES_MOST}: ask by fewer keys")]
    Layout(usize),
    /// Too many cells.
    #[error("the question has {0} cells, more than the {CELLS_MOST} that a release may hold")]
    Cells(usize),
    /// Too many integers to count: groups times bins, keys or candidates.
    #[error(
        "the question counts {0} integers in all, more than {INTEGERS_MOST}: ask for fewer quantiles at once, or by fewer keys"
    )]
    Integers(usize),
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
            Self::UnitsNot { .. } => "unit-not-counted",
            Self::NotNumbers(_) => "not-a-number",
            Self::NoBins(_) => "bins-not-declared",
            Self::NoCandidates(_) => "candidates-not-declared",
            Self::Quantile(_) => "quantile-out-of-range",
            Self::ShareByItself(_) => "share-by-itself",
            Self::KeysOf(_) => "keys-not-open",
            Self::DeltaNotGranted(_) => "delta-not-granted",
            Self::Overflow { .. } => "sum-could-overflow",
            Self::PrecisionNot(_) => "precision-not-foreseen",
            Self::Precision | Self::PrecisionOutOfReach => "precision-out-of-range",
            Self::Epsilon | Self::Loss(_) | Self::TooThin(_) | Self::TooNoisy(_) => "epsilon-out-of-range",
            Self::Column(_) => "column-not-declared",
            Self::NotADimension(_) => "not-a-dimension",
            Self::Dimensions => "too-many-dimensions",
            Self::Margins(_) | Self::MarginsInAll(_) => "too-many-margins",
            Self::Measures(_) => "too-many-measures",
            Self::Searches(_) => "too-many-searches",
            Self::Selections { .. } => "too-many-selections",
            Self::Memory(_) => "too-much-memory",
            Self::Cells(_) | Self::Integers(_) | Self::Layout(_) => "too-many-cells",
            Self::Filter(_) => "filter-out-of-range",
            Self::Version { .. } => "version-not-live",
        }
    }
}

/// Why a stored plan cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The text is not of this question and these terms.
    #[error("the stored plan is of another question")]
    Other,
    /// The question cannot be planned any more: it is over a bound that came later.
    #[error("{0}")]
    Refused(#[from] PlanRefusal),
}
