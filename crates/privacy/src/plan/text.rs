//! A plan as text: what travels beside a release and is stored with its reservation.

use std::{fmt, str::FromStr};

use crate::{Dataset, Margin, Mechanism, Name, Noise, PlannedMargin};

/// The text of a plan as it travels beside a release.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanText {
    /// The privacy unit and its bounds.
    pub bounds: Bounds,
    /// The digest of the terms.
    pub terms_digest: [u8; 32],
    /// The margins, in the layout's order.
    pub margins: Vec<PlannedMargin>,
}

/// The contribution bounds as a plan tells them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// What the unit is.
    pub noun: Name,
    /// At most so many rows of a unit were read.
    pub rows_at_most: u32,
    /// At most so many cells did a unit enter.
    pub cells_at_most: u32,
}

impl fmt::Display for PlanText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Bounds { noun, rows_at_most, cells_at_most } = &self.bounds;
        writeln!(f, "lango-plan 1\nunit {noun} rows_at_most {rows_at_most} cells_at_most {cells_at_most}")?;
        writeln!(f, "terms {}", hex::encode(self.terms_digest))?;
        for PlannedMargin { measure, by, noise, sensitivity } in &self.margins {
            let of = format!("margin {measure} by {by}");
            writeln!(f, "{} mechanism {noise} sensitivity {sensitivity}", of.trim_end())?;
        }
        Ok(())
    }
}

impl FromStr for PlanText {
    type Err = ();

    /// Reads a plan's text back; any other spelling than the printed one is refused.
    fn from_str(text: &str) -> Result<Self, ()> {
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
        let mut terms_digest = [0; 32];
        hex::decode_to_slice(terms, &mut terms_digest).map_err(drop)?;
        let margins = lines.map(|line| read_margin(line).ok_or(())).collect::<Result<Vec<_>, ()>>()?;
        let read = Self { bounds, terms_digest, margins };
        if read.to_string() == text { Ok(read) } else { Err(()) }
    }
}

fn read_margin(line: &str) -> Option<PlannedMargin> {
    let words: Vec<&str> = line.split(' ').collect();
    let [
        "margin",
        measure,
        "by",
        names @ ..,
        "mechanism",
        mechanism,
        "scale",
        scale,
        "sensitivity",
        sensitivity,
    ] = words.as_slice()
    else {
        return None;
    };
    let names = names.first().into_iter().flat_map(|names| names.split(','));
    let scale: f64 = scale.parse().ok().filter(|scale: &f64| crate::mechanism::SCALES.contains(scale))?;
    Some(PlannedMargin {
        measure: measure.parse().ok()?,
        by: Margin::new(names.map(Name::from_str).collect::<Result<Vec<_>, _>>().ok()?),
        noise: Noise { mechanism: Mechanism::of_word(mechanism)?, scale },
        sensitivity: sensitivity.parse().ok()?,
    })
}

impl Bounds {
    /// The bounds that a dataset declares.
    pub fn of(dataset: &Dataset) -> Self {
        let unit = &dataset.unit;
        Self { noun: unit.noun.clone(), rows_at_most: unit.rows_at_most, cells_at_most: unit.cells_at_most }
    }
}
