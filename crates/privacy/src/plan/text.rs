//! A plan as text: what travels beside a release and is stored with its reservation.

use std::{collections::BTreeMap, fmt, str::FromStr};

use super::{MARGINS_MOST, MEASURES_MOST, PLAN_BYTES_MOST};
use crate::{Dataset, Margin, Measure, Measurement, Name, Range};

/// The most lines of a plan: three of the whole, one for each measure's column, and for each margin one of its own and one of
/// the release that it divides by.
const LINES_MOST: usize = 3 + MEASURES_MOST + 2 * MARGINS_MOST;
/// The most bytes of a line: a measure's text, the names of a margin, and a few numbers.
const LINE_BYTES_MOST: usize = 1_024;

/// The text of a plan as it travels beside a release.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanText {
    /// The privacy unit and its bounds.
    pub bounds: Bounds,
    /// The digest of the terms.
    pub terms_digest: [u8; 32],
    /// What is said of the columns that are added up, ranked or put into bins.
    pub columns: BTreeMap<Name, MeasuredColumn>,
    /// The earlier releases whose counts its means are divided by.
    pub earlier: Vec<[u8; 16]>,
    /// The margins, in the layout's order.
    pub margins: Vec<MarginText>,
}

/// One margin of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct MarginText {
    /// What is computed.
    pub measure: Measure,
    /// By what.
    pub by: Margin,
    /// How its figures are made.
    pub measurement: Measurement,
    /// By how much one unit can change what is counted: in L1 for Laplace, squared in L2 for Gaussian noise, in one score for
    /// a selection.
    pub sensitivity: u128,
    /// Its part of the price, in billionths of the account's currency.
    pub price_nano: u64,
}

/// What is said of a column whose values are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeasuredColumn {
    /// Values were clamped to these bounds.
    pub range: Range,
    /// What a sum that is divided by an earlier release's count is centred on.
    pub centre: Option<i64>,
    /// How many values a quantile is chosen from.
    pub candidates: Option<u64>,
}

impl MeasuredColumn {
    /// A column with these bounds of which nothing else is said.
    pub(super) fn of(range: Range) -> Self {
        Self { range, centre: None, candidates: None }
    }

    /// What two margins say of their one column.
    pub(super) fn and(self, other: Self) -> Self {
        let (centre, candidates) = (self.centre.or(other.centre), self.candidates.or(other.candidates));
        Self { centre, candidates, ..self }
    }
}

/// The contribution bounds as a plan states them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// What the unit is.
    pub noun: Name,
    /// The most rows of a unit that were read.
    pub rows_at_most: u32,
    /// The most cells that a unit entered.
    pub cells_at_most: u32,
}

impl PlanText {
    /// Whether these are its margins, in this order.
    pub fn is_of(&self, margins: &[(Measure, Margin)]) -> bool {
        let own = self.margins.iter().map(|margin| (&margin.measure, &margin.by));
        own.eq(margins.iter().map(|(measure, by)| (measure, by)))
    }
}

impl fmt::Display for PlanText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Bounds { noun, rows_at_most, cells_at_most } = &self.bounds;
        writeln!(f, "lango-plan 1\nunit {noun} rows_at_most {rows_at_most} cells_at_most {cells_at_most}")?;
        writeln!(f, "terms {}", hex::encode(self.terms_digest))?;
        for (name, MeasuredColumn { range: Range { low, high, scale }, centre, candidates }) in &self.columns
        {
            let centre = centre.map(|centre| format!(" centre {centre}")).unwrap_or_default();
            let candidates = candidates.map(|many| format!(" candidates {many}")).unwrap_or_default();
            writeln!(f, "column {name} from {low} to {high} scale {scale}{centre}{candidates}")?;
        }
        for release in &self.earlier {
            writeln!(f, "earlier {}", hex::encode(release))?;
        }
        for MarginText { measure, by, measurement, sensitivity, price_nano } in &self.margins {
            let of = format!("margin {measure} by {by}");
            let of = of.trim_end();
            write!(f, "{of} mechanism {measurement} sensitivity {sensitivity} price {price_nano}")?;
            match measurement {
                Measurement::Discovery(discovery) => writeln!(f, " threshold {}", discovery.threshold)?,
                Measurement::Noise(_) | Measurement::Selection(_) => writeln!(f)?,
            }
        }
        Ok(())
    }
}

impl FromStr for PlanText {
    type Err = ();

    /// Reads a plan's text back; any other spelling than the printed one is refused.
    fn from_str(text: &str) -> Result<Self, ()> {
        // INVARIANT (bounded before it is read): what is no plan's size costs no more than to count its lines.
        let is_long = |line: &str| line.len() > LINE_BYTES_MOST;
        if text.len() > PLAN_BYTES_MOST || text.lines().nth(LINES_MOST).is_some() || text.lines().any(is_long)
        {
            return Err(());
        }
        let mut lines = text.lines();
        if lines.next() != Some("lango-plan 1") {
            return Err(());
        }
        let words =
            |line: Option<&str>| line.unwrap_or_default().split(' ').map(str::to_owned).collect::<Vec<_>>();
        let unit = words(lines.next());
        let [_, noun, _, rows, _, cells] = unit.as_slice() else { return Err(()) };
        let bounds = Bounds {
            noun: noun.parse().map_err(drop)?,
            rows_at_most: rows.parse().map_err(drop)?,
            cells_at_most: cells.parse().map_err(drop)?,
        };
        let terms = words(lines.next());
        let [_, terms] = terms.as_slice() else { return Err(()) };
        let mut read = Self {
            bounds,
            terms_digest: bytes(terms)?,
            columns: BTreeMap::new(),
            earlier: Vec::new(),
            margins: Vec::new(),
        };
        for line in lines {
            match line.split(' ').collect::<Vec<_>>().as_slice() {
                ["column", name, rest @ ..] => {
                    read.columns.insert(name.parse().map_err(drop)?, column(rest).ok_or(())?);
                }
                ["earlier", release] => read.earlier.push(bytes(release)?),
                ["margin", rest @ ..] => read.margins.push(margin(rest).ok_or(())?),
                _ => return Err(()),
            }
        }
        if read.to_string() == text { Ok(read) } else { Err(()) }
    }
}

fn bytes<const N: usize>(text: &str) -> Result<[u8; N], ()> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map_err(drop)?;
    Ok(bytes)
}

fn column(words: &[&str]) -> Option<MeasuredColumn> {
    let (words, candidates) = match words {
        [words @ .., "candidates", many] => (words, Some(many.parse().ok()?)),
        words => (words, None),
    };
    let (words, centre) = match words {
        [words @ .., "centre", centre] => (words, Some(centre.parse().ok()?)),
        words => (words, None),
    };
    let ["from", low, "to", high, "scale", scale] = words else { return None };
    let range = Range { low: low.parse().ok()?, high: high.parse().ok()?, scale: scale.parse().ok()? };
    // A reader computes with these, so what no policy can declare is not read.
    (range.low <= range.high && range.scale <= 18).then_some(MeasuredColumn { range, centre, candidates })
}

fn margin(words: &[&str]) -> Option<MarginText> {
    let (words, threshold) = match words {
        [words @ .., "threshold", threshold] => (words, Some(*threshold)),
        words => (words, None),
    };
    let [
        measure,
        "by",
        names @ ..,
        "mechanism",
        mechanism,
        "scale",
        scale,
        "sensitivity",
        sensitivity,
        "price",
        price,
    ] = words
    else {
        return None;
    };
    let names = names.first().into_iter().flat_map(|names| names.split(','));
    Some(MarginText {
        measure: measure.parse().ok()?,
        by: Margin::new(names.map(Name::from_str).collect::<Result<Vec<_>, _>>().ok()?),
        measurement: Measurement::of_words(mechanism, scale, threshold)?,
        sensitivity: sensitivity.parse().ok()?,
        price_nano: price.parse().ok()?,
    })
}

impl Bounds {
    /// The bounds that a dataset declares.
    pub fn of(dataset: &Dataset) -> Self {
        let unit = &dataset.unit;
        Self { noun: unit.noun.clone(), rows_at_most: unit.rows_at_most, cells_at_most: unit.cells_at_most }
    }
}
