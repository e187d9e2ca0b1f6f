//! A question: what is counted, by what, of which rows, at what price.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::{Code, Decimal, Measure, Name, name::join};

/// A question about one dataset. Its one canonical text is what [`fmt::Display`] writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The dataset's name, the same at every office.
    pub dataset: Name,
    /// The dataset's version, where the asker insists on one.
    pub version: Option<Code>,
    /// Each measure with the margins it is asked for; never empty, no set empty.
    pub measures: BTreeMap<Measure, BTreeSet<Margin>>,
    /// Conditions that a row must meet, all of them.
    pub filters: Vec<Filter>,
    /// What the asker pays, or the precision the asker wants.
    pub price: Price,
}

impl Query {
    /// Each margin with its measure, in the order in which every release of this question lays them out.
    pub fn margins(&self) -> Vec<(Measure, Margin)> {
        let each =
            self.measures.iter().flat_map(|(measure, margins)| margins.iter().map(move |by| (measure, by)));
        each.map(|(measure, by)| (measure.clone(), by.clone())).collect()
    }

    /// The first measure whose figures are chosen at each office, and its column: such a question of several offices is asked
    /// office by office.
    pub fn chosen(&self) -> Option<(&Measure, &Name)> {
        self.measures.keys().find_map(|measure| Some((measure, measure.chosen_of()?)))
    }

    /// The columns that the question uses: measured, as dimensions or in conditions; a column may occur several times.
    pub fn columns(&self) -> impl Iterator<Item = &Name> {
        let measured = self.measures.keys().filter_map(Measure::column);
        let dimensions = self.measures.values().flatten().flat_map(Margin::dimensions);
        measured.chain(dimensions).chain(self.filters.iter().map(|filter| &filter.column))
    }
}

/// A set of dimensions to group by; the empty one is the total. Margins order by number of dimensions, then name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Margin(BTreeSet<Name>);

impl Margin {
    /// The margin of these dimensions.
    pub fn new(dimensions: impl IntoIterator<Item = Name>) -> Self {
        Self(dimensions.into_iter().collect())
    }

    /// The dimensions in name order.
    pub fn dimensions(&self) -> impl ExactSizeIterator<Item = &Name> {
        self.0.iter()
    }

    /// Whether a dimension is in it.
    pub fn contains(&self, dimension: &Name) -> bool {
        self.0.contains(dimension)
    }

    /// How many dimensions there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether this is the total.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Margin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&join(&self.0))
    }
}

impl Ord for Margin {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.len(), self.to_string()).cmp(&(other.len(), other.to_string()))
    }
}

impl PartialOrd for Margin {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// A condition on one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The column.
    pub column: Name,
    /// What its value must be.
    pub condition: Condition,
}

/// What a column's value must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// One of these codes; never empty.
    In(BTreeSet<Code>),
    /// Between these bounds, both included; the first is not above the second.
    Between(Bound, Bound),
}

/// An end of a range.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bound {
    /// A number.
    Number(Decimal),
    /// A calendar day, `YYYY-MM-DD`.
    Date(String),
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Date(date) => f.write_str(date),
        }
    }
}

/// What a question offers to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Price {
    /// The whole question's epsilon.
    Epsilon(Decimal),
    /// The half-width of an interval wanted for one margin of one measure.
    Precision {
        /// The interval's half-width.
        half_width: Decimal,
        /// The interval's confidence, between 0 and 1.
        confidence: Decimal,
        /// The measure it speaks of.
        measure: Measure,
        /// The margin it speaks of.
        by: Margin,
    },
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "lango-query 1\ndataset {}", self.dataset)?;
        if let Some(version) = &self.version {
            writeln!(f, "version {version}")?;
        }
        for (measure, margins) in &self.measures {
            writeln!(f, "measure {measure}")?;
            for margin in margins {
                writeln!(f, "{}", by(margin))?;
            }
        }
        for line in self.filters.iter().map(Filter::to_string).collect::<BTreeSet<_>>() {
            writeln!(f, "{line}")?;
        }
        match &self.price {
            Price::Epsilon(epsilon) => writeln!(f, "price epsilon {epsilon}"),
            Price::Precision { half_width, confidence, measure, by: margin } => {
                writeln!(f, "price precision {half_width} at {confidence} on {measure} {}", by(margin))
            }
        }
    }
}

fn by(margin: &Margin) -> String {
    if margin.is_empty() { "by".to_owned() } else { format!("by {margin}") }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "where {} ", self.column)?;
        match &self.condition {
            Condition::In(codes) if codes.len() == 1 => write!(f, "= {}", join(codes)),
            Condition::In(codes) => write!(f, "in {}", join(codes)),
            Condition::Between(low, high) => write!(f, "from {low} to {high}"),
        }
    }
}
