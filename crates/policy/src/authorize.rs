//! The one place that decides access: default deny, and every decision names the rule that made it.

use std::{collections::BTreeSet, fmt};

use lango_principal::SpiffeId;
use lango_privacy::{Dataset, Decimal, Margin, Measure, Name, Price, Query};
use time::Date;

use crate::{Budget, Grant, PolicySet, Pool, Validity};

/// Who asks, for what, when.
#[derive(Debug, Clone, Copy)]
pub struct AccessRequest<'a> {
    /// Who asks.
    pub principal: &'a SpiffeId,
    /// The declared purpose; `None` fits every grant (in trials only).
    pub purpose: Option<&'a str>,
    /// The day (UTC); `None` fits every grant (in trials only).
    pub on: Option<Date>,
    /// What the question costs, in billionths of epsilon, where its text names a precision and its plan has the price.
    pub epsilon_nano: Option<u64>,
}

/// A question allowed.
#[derive(Debug, Clone, Copy)]
pub struct Granted<'a> {
    /// The rule that allows it.
    pub grant: &'a Grant,
    /// The dataset it speaks of.
    pub dataset: &'a Dataset,
    /// The pool that it draws on.
    pub pool: &'a Pool,
    /// What may be learned from that pool.
    pub budget: &'a Budget,
}

/// A question denied. States facts of the question and the policy, never of the data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Denial {
    /// What is not granted.
    pub reason: DenialReason,
    /// The grant that came nearest, for the access log.
    pub rule: Option<String>,
}

impl Denial {
    /// The stable reason.
    pub fn code(&self) -> DenialCode {
        self.reason.code()
    }
}

/// What of a question is not granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DenialReason {
    /// The office has no such dataset.
    #[error("office {office} has no dataset `{dataset}`")]
    DatasetUnknown {
        /// The office's name.
        office: String,
        /// As asked.
        dataset: Name,
    },
    /// No grant on the dataset is to the principal.
    #[error("no grant on `{dataset}` is to {principal}")]
    PrincipalNotGranted {
        /// The dataset.
        dataset: Name,
        /// The principal's URI.
        principal: String,
    },
    /// Not for this purpose.
    #[error("purpose `{0}` is not granted")]
    PurposeNotGranted(String),
    /// Not on this day.
    #[error("the grant is valid from {} to {}", .0.from, .0.until)]
    GrantNotValid(Validity),
    /// Not this measure.
    #[error("measure `{0}` is not granted")]
    MeasureNotGranted(Measure),
    /// Not by this dimension.
    #[error("dimension `{0}` is not granted")]
    DimensionNotGranted(Name),
    /// No condition on this column.
    #[error("a condition on `{0}` is not granted")]
    FilterNotGranted(Name),
    /// Not by this number of columns at once.
    #[error("{asked} columns at once are asked for, conditions included; {granted} are granted")]
    TooManyDimensions {
        /// As asked.
        asked: usize,
        /// As granted.
        granted: u32,
    },
    /// Not at this price.
    #[error("epsilon {epsilon} is above the {granted} granted to a question")]
    EpsilonPerQuery {
        /// As asked, a decimal.
        epsilon: String,
        /// As granted, a decimal.
        granted: String,
    },
}

impl DenialReason {
    /// The stable reason.
    pub fn code(&self) -> DenialCode {
        match self {
            Self::DatasetUnknown { .. } => DenialCode::DatasetUnknown,
            Self::PrincipalNotGranted { .. } => DenialCode::PrincipalNotGranted,
            Self::PurposeNotGranted(_) => DenialCode::PurposeNotGranted,
            Self::GrantNotValid(_) => DenialCode::GrantNotValid,
            Self::MeasureNotGranted(_) => DenialCode::MeasureNotGranted,
            Self::DimensionNotGranted(_) => DenialCode::DimensionNotGranted,
            Self::FilterNotGranted(_) => DenialCode::FilterNotGranted,
            Self::TooManyDimensions { .. } => DenialCode::TooManyDimensions,
            Self::EpsilonPerQuery { .. } => DenialCode::EpsilonPerQuery,
        }
    }
}

/// Why a question is denied, from the least to the most that a grant allowed of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DenialCode {
    /// The office has no such dataset.
    DatasetUnknown,
    /// No grant on the dataset is to the principal.
    PrincipalNotGranted,
    /// Not for this purpose.
    PurposeNotGranted,
    /// Not on this day.
    GrantNotValid,
    /// Not this measure.
    MeasureNotGranted,
    /// Not by this dimension.
    DimensionNotGranted,
    /// No condition on this column.
    FilterNotGranted,
    /// Not by this number of columns at once.
    TooManyDimensions,
    /// Not at this price.
    EpsilonPerQuery,
}

impl DenialCode {
    /// The stable word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DatasetUnknown => "dataset-unknown",
            Self::PrincipalNotGranted => "principal-not-granted",
            Self::PurposeNotGranted => "purpose-not-granted",
            Self::GrantNotValid => "grant-not-valid",
            Self::MeasureNotGranted => "measure-not-granted",
            Self::DimensionNotGranted => "dimension-not-granted",
            Self::FilterNotGranted => "filter-not-granted",
            Self::TooManyDimensions => "too-many-dimensions",
            Self::EpsilonPerQuery => "epsilon-per-query-exceeded",
        }
    }
}

impl fmt::Display for DenialCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PolicySet {
    /// Decides a question: the first grant, in the files' order, that allows all of it; else the reason of the grant
    /// that came nearest.
    ///
    /// ```
    /// use lango_document::Document;
    /// use lango_policy::{AccessRequest, DenialCode, PolicySet};
    /// use lango_privacy::Query;
    ///
    /// let text = r#"
    /// policy = 2
    /// office = "GHA"
    ///
    /// [dataset.residents]
    /// title = "Residents"
    /// kind = "stock"
    /// source = "register"
    /// table = "residents"
    /// version = "2024-07-01"
    /// unit = { column = "person_id", noun = "person", rows_at_most = 1 }
    ///
    /// [dataset.residents.column]
    /// sex = { codes = ["F", "M"] }
    /// age = { integer = [0, 110], bands = 5 }
    ///
    /// [budget.residents]
    /// accounting = "pure"
    /// epsilon = 8.0
    /// renews = "yearly"
    ///
    /// [[grant]]
    /// id = "analysts"
    /// to = ["spiffe://ecowas.example/analyst/*"]
    /// purpose = ["official-statistics"]
    /// dataset = "residents"
    /// measures = ["persons"]
    /// by = ["sex"]
    /// by_at_most = 1
    /// epsilon_per_query = 1.0
    /// epsilon_total = 4.0
    /// publish = "office"
    /// "#;
    /// let policy = PolicySet::read(&[Document::new("gha.toml", text)])?;
    /// let principal = "spiffe://ecowas.example/analyst/awa".parse()?;
    /// let asked = AccessRequest {
    ///     principal: &principal,
    ///     purpose: Some("official-statistics"),
    ///     on: None,
    ///     epsilon_nano: None,
    /// };
    /// let question = |by: &str| -> Result<Query, _> {
    ///     format!("lango-query 1\ndataset residents\nmeasure persons\n{by}\nprice epsilon 0.5\n").parse()
    /// };
    ///
    /// let by_sex = question("by sex")?;
    /// assert_eq!(policy.authorize(&asked, &by_sex)?.grant.id, "analysts");
    ///
    /// let denial = policy.authorize(&asked, &question("by age")?).unwrap_err();
    /// assert_eq!((denial.code(), denial.rule.as_deref()), (DenialCode::DimensionNotGranted, Some("analysts")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn authorize<'a>(&'a self, asked: &AccessRequest<'_>, query: &Query) -> Result<Granted<'a>, Denial> {
        let unknown = || {
            let (office, dataset) = (self.office.clone(), query.dataset.clone());
            Denial { reason: DenialReason::DatasetUnknown { office, dataset }, rule: None }
        };
        let dataset = self.datasets.get(&query.dataset).ok_or_else(unknown)?;
        let ungranted = || {
            let (dataset, principal) = (query.dataset.clone(), asked.principal.to_string());
            DenialReason::PrincipalNotGranted { dataset, principal }
        };
        let mut nearest = Denial { reason: ungranted(), rule: None };
        for grant in self.grants.iter().filter(|grant| grant.dataset == query.dataset) {
            let pool = self.pool(&grant.dataset).zip(self.budget(&grant.dataset));
            match (refuse(grant, asked, query), pool) {
                (None, Some((pool, budget))) => return Ok(Granted { grant, dataset, pool, budget }),
                (Some(reason), _) if reason.code() > nearest.code() => {
                    nearest = Denial { reason, rule: Some(grant.id.clone()) };
                }
                // No nearer than another; or allowed of a dataset without a budget, which no policy is read with.
                (Some(_), _) | (None, None) => {}
            }
        }
        Err(nearest)
    }

    /// The grants that are open to a principal on a day, whatever is asked.
    pub fn open_to<'a>(&'a self, principal: &'a SpiffeId, on: Date) -> impl Iterator<Item = &'a Grant> {
        let valid =
            move |grant: &&Grant| grant.valid.is_none_or(|valid| (valid.from..=valid.until).contains(&on));
        self.grants.iter().filter(move |grant| matches(grant, principal)).filter(valid)
    }
}

/// The first thing of a question that a grant does not allow.
fn refuse(grant: &Grant, asked: &AccessRequest<'_>, query: &Query) -> Option<DenialReason> {
    if !matches(grant, asked.principal) {
        let (dataset, principal) = (query.dataset.clone(), asked.principal.to_string());
        return Some(DenialReason::PrincipalNotGranted { dataset, principal });
    }
    if let Some(purpose) =
        asked.purpose.filter(|purpose| !grant.purposes.iter().any(|granted| granted == purpose))
    {
        return Some(DenialReason::PurposeNotGranted(purpose.to_owned()));
    }
    if let (Some(on), Some(valid)) = (asked.on, grant.valid)
        && !(valid.from..=valid.until).contains(&on)
    {
        return Some(DenialReason::GrantNotValid(valid));
    }
    let granted = |measure: &Measure| grant.measures.iter().any(|granted| covers(granted, measure));
    if let Some(measure) = query.measures.keys().find(|measure| !granted(measure)) {
        return Some(DenialReason::MeasureNotGranted(measure.clone()));
    }
    let margins =
        || query.measures.iter().flat_map(|(measure, margins)| margins.iter().map(move |by| (measure, by)));
    // What a measure groups by beside its margin is grouped by.
    let mut dimensions =
        margins().flat_map(|(measure, by): (&Measure, &Margin)| by.dimensions().chain(measure.dimension()));
    if let Some(dimension) = dimensions.find(|name| !grant.by.contains(name)) {
        return Some(DenialReason::DimensionNotGranted(dimension.clone()));
    }
    let conditions: BTreeSet<&Name> = query.filters.iter().map(|filter| &filter.column).collect();
    let granted = |name: &Name| grant.by.contains(name) || grant.filters.contains(name);
    if let Some(column) = conditions.iter().find(|name| !granted(name)) {
        return Some(DenialReason::FilterNotGranted((*column).clone()));
    }
    // A condition, a histogram or a quantile reveals as much of a column as grouping by it does, so it counts against the
    // same bound.
    let columns = margins().map(|(measure, by)| {
        let revealed = by.dimensions().chain(measure.reveals()).chain(conditions.iter().copied());
        revealed.collect::<BTreeSet<_>>().len()
    });
    let most = columns.max().unwrap_or_default();
    if most > grant.by_at_most as usize {
        return Some(DenialReason::TooManyDimensions { asked: most, granted: grant.by_at_most });
    }
    let most = lango_privacy::nano(grant.epsilon_per_query_nano);
    let above = |epsilon: String| Some(DenialReason::EpsilonPerQuery { epsilon, granted: most.clone() });
    match (&query.price, asked.epsilon_nano) {
        // Compared as decimals: what is finer than a billionth is the plan's to refuse.
        (Price::Epsilon(epsilon), _) if Decimal::minimal(&most).is_none_or(|most| *epsilon > most) => {
            above(epsilon.to_string())
        }
        (Price::Precision { .. }, Some(epsilon)) if epsilon > grant.epsilon_per_query_nano => {
            above(lango_privacy::nano(epsilon))
        }
        // Within the grant, or a price that only the plan knows.
        (Price::Epsilon(_), _) | (Price::Precision { .. }, Some(_) | None) => None,
    }
}

/// Whether a granted measure allows one that is asked: the same, or quantiles of which all are granted, or any if it
/// names none.
fn covers(granted: &Measure, asked: &Measure) -> bool {
    match (granted, asked) {
        (Measure::Quantile(of, granted), Measure::Quantile(column, asked)) => {
            of == column && (granted.is_empty() || asked.iter().all(|share| granted.contains(share)))
        }
        (Measure::Quantile(..), _) | (_, Measure::Quantile(..)) => false,
        (Measure::Units(_) | Measure::Rows | Measure::RowsOf(_) | Measure::Sum(_), _)
        | (Measure::Mean(_) | Measure::Share(_) | Measure::Histogram(_) | Measure::Keys(_), _) => {
            granted == asked
        }
    }
}

fn matches(grant: &Grant, principal: &SpiffeId) -> bool {
    grant.to.iter().any(|to| to.matches(principal))
}
