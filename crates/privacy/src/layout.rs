//! The layout of a release: which integer stands for which cell.

use std::{collections::BTreeMap, fmt, str::FromStr};

use crate::{Code, Margin, Measure, MeasureError, Name, NameError};

/// The public list of a dimension's keys, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyset(Vec<Code>);

impl Keyset {
    /// A keyset of these codes.
    pub fn new(codes: Vec<Code>) -> Self {
        Self(codes)
    }

    /// The codes in order.
    pub fn codes(&self) -> &[Code] {
        &self.0
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The codes of every dimension used, then the margins; cells run margin by margin, each row-major.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    keysets: BTreeMap<Name, Keyset>,
    margins: Vec<LayoutMargin>,
}

/// One margin of one measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutMargin {
    /// What is computed.
    pub measure: Measure,
    /// By what.
    pub by: Margin,
    /// What the integers of a cell are, where there are several: `above` and `below` for a mean's pair, the lower ends of a
    /// histogram's bins, the shares of quantiles, the keys of a share's dimension. `centred` is a mean's lone sum.
    /// Empty where a cell is its one figure. Keys that were found in the data may be none at all.
    pub values: Option<Vec<Code>>,
}

impl LayoutMargin {
    /// How many integers a cell has.
    pub fn width(&self) -> usize {
        self.values.as_ref().map_or(1, Vec::len)
    }
}

/// Why a text is not a layout. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// A line is neither `codes D C1,C2` nor `margin M by D1,D2 values V1,V2`, or stands in the wrong place.
    #[error("layout line {0}: expected `codes D C1,C2` in name order, then `margin M by D1,D2 values V1,V2`")]
    Line(usize),
    /// A word has the wrong shape.
    #[error("layout line {0}: {1}")]
    Word(usize, NameError),
    /// A measure that there is not.
    #[error("layout line {0}: {1}")]
    Measure(usize, MeasureError),
    /// A margin uses a dimension without codes.
    #[error("layout line {0}: dimension `{1}` has no codes")]
    Dimension(usize, Name),
    /// More cells than can be counted.
    #[error("the layout has too many cells")]
    Cells,
}

impl Layout {
    /// A layout; every dimension of every margin must have a keyset, and the product of keys must be countable.
    pub fn new(keysets: BTreeMap<Name, Keyset>, margins: Vec<LayoutMargin>) -> Result<Self, LayoutError> {
        let layout = Self { keysets, margins };
        let mut cells = 0usize;
        for (line, margin) in layout.margins.iter().enumerate() {
            let mut product = 1usize;
            for dimension in margin.by.dimensions() {
                let keys = layout.keysets.get(dimension).map(Keyset::len);
                let keys = keys.ok_or_else(|| LayoutError::Dimension(line + 1, dimension.clone()))?;
                product = product.checked_mul(keys).ok_or(LayoutError::Cells)?;
            }
            // Cells are counted by themselves too, so a margin of no values at all must have a countable number of them.
            let integers = product.checked_mul(margin.width()).ok_or(LayoutError::Cells)?;
            cells = cells.checked_add(integers).ok_or(LayoutError::Cells)?;
        }
        Ok(layout)
    }

    /// The margins in order.
    pub fn margins(&self) -> &[LayoutMargin] {
        &self.margins
    }

    /// The keyset of a dimension.
    pub fn keyset(&self, dimension: &Name) -> Option<&Keyset> {
        self.keysets.get(dimension)
    }

    /// The dimensions of a margin with their keysets, in name order.
    pub fn axes<'a>(&'a self, by: &'a Margin) -> impl Iterator<Item = (&'a Name, &'a Keyset)> {
        by.dimensions().filter_map(|dimension| Some((dimension, self.keysets.get(dimension)?)))
    }

    /// How many cells a margin has.
    pub fn cells_of(&self, by: &Margin) -> usize {
        self.axes(by).map(|(_, keyset)| keyset.len()).product()
    }

    /// How many integers the whole layout has: each margin's cells times the integers of a cell.
    pub fn integers(&self) -> usize {
        self.margins.iter().map(|margin| self.integers_of(margin)).sum()
    }

    /// How many integers a margin has.
    pub fn integers_of(&self, margin: &LayoutMargin) -> usize {
        self.cells_of(&margin.by).saturating_mul(margin.width())
    }

    /// Whether these are its margins, in this order.
    pub fn is_of(&self, margins: &[(Measure, Margin)]) -> bool {
        self.margins.len() == margins.len()
            && self
                .margins
                .iter()
                .zip(margins)
                .all(|(own, (measure, by))| own.measure == *measure && own.by == *by)
    }

    /// The layout with the keys that were found in the data, margin by margin where there are any.
    pub(crate) fn with_found(mut self, found: impl IntoIterator<Item = Option<Vec<Code>>>) -> Self {
        for (margin, found) in self.margins.iter_mut().zip(found) {
            if found.is_some() {
                margin.values = found;
            }
        }
        self
    }
}

/// Every combination of one key per axis, row-major: the last axis runs fastest.
pub fn rows<'a>(axes: &[&'a Keyset]) -> impl Iterator<Item = Vec<&'a Code>> {
    let axes: Vec<&'a [Code]> = axes.iter().map(|keyset| keyset.codes()).collect();
    let cells: usize = axes.iter().map(|codes| codes.len()).product();
    (0..cells).map(move |cell| {
        let mut rest = cell;
        let mut key: Vec<&Code> = axes
            .iter()
            .rev()
            .filter_map(|codes| {
                let code = codes.get(rest % codes.len().max(1));
                rest /= codes.len().max(1);
                code
            })
            .collect();
        key.reverse();
        key
    })
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, keyset) in &self.keysets {
            writeln!(f, "codes {name} {}", crate::query::join(keyset.codes()))?;
        }
        for LayoutMargin { measure, by, values } in &self.margins {
            let of = format!("margin {measure} by {by}");
            let values = values.as_ref().map(|values| format!(" values {}", crate::query::join(values)));
            writeln!(f, "{}{}", of.trim_end(), values.unwrap_or_default().trim_end())?;
        }
        Ok(())
    }
}

impl FromStr for Layout {
    type Err = LayoutError;

    fn from_str(text: &str) -> Result<Self, LayoutError> {
        let mut keysets = BTreeMap::new();
        let mut margins = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let at = index + 1;
            let word = |error| LayoutError::Word(at, error);
            match line.split(' ').collect::<Vec<_>>().as_slice() {
                ["codes", name, codes] if margins.is_empty() => {
                    let codes =
                        codes.split(',').map(str::parse).collect::<Result<Vec<Code>, _>>().map_err(word)?;
                    keysets.insert(name.parse().map_err(word)?, Keyset::new(codes));
                }
                ["margin", measure, "by", rest @ ..] => {
                    let (names, values) = match rest {
                        [] => (None, None),
                        ["values", values @ ..] => (None, Some(values)),
                        [names] => (Some(names), None),
                        [names, "values", values @ ..] => (Some(names), Some(values)),
                        _ => return Err(LayoutError::Line(at)),
                    };
                    let listed = |values: &[&str]| {
                        values.iter().flat_map(|values| values.split(',')).map(str::parse).collect()
                    };
                    let names = names.into_iter().flat_map(|names| names.split(','));
                    let by = names.map(str::parse).collect::<Result<Vec<Name>, _>>().map_err(word)?;
                    margins.push(LayoutMargin {
                        measure: measure.parse().map_err(|error| LayoutError::Measure(at, error))?,
                        by: Margin::new(by),
                        values: values.map(listed).transpose().map_err(word)?,
                    });
                }
                _ => return Err(LayoutError::Line(at)),
            }
        }
        let layout = Self::new(keysets, margins)?;
        if layout.to_string() == text { Ok(layout) } else { Err(LayoutError::Line(1)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "codes age 0-4,_O,_U\ncodes sex F,M,_O,_U\nmargin keys(village) by values\n\
                        margin mean(income) by values above,below\nmargin persons by age,sex\n\
                        margin quantile(income,0.25,0.5) by sex values 0.25,0.5\n";

    #[test]
    fn a_layout_is_read_back_from_its_text() {
        let layout: Layout = TEXT.parse().unwrap();
        assert_eq!(layout.to_string(), TEXT);
        assert_eq!(layout.integers(), 2 + 12 + 8);
        let axes: Vec<_> = layout.axes(&layout.margins()[2].by).map(|(_, keyset)| keyset).collect();
        let keys: Vec<_> = rows(&axes).map(crate::query::join).collect();
        assert_eq!((keys[0].as_str(), keys[1].as_str(), keys[11].as_str()), ("0-4,F", "0-4,M", "_U,_U"));
        assert_eq!(rows(&[]).count(), 1);
    }

    #[test]
    fn repro_cells_that_cannot_be_counted_are_refused_where_nothing_stands_in_them_too() {
        let keys: Vec<String> = (0..100).map(|key| key.to_string()).collect();
        let names: Vec<String> = ('a'..='j').map(String::from).collect();
        let codes: String = names.iter().map(|name| format!("codes {name} {}\n", keys.join(","))).collect();
        for values in [" values", " values x", ""] {
            let text = format!("{codes}margin keys(v) by {}{values}\n", names.join(","));
            assert_eq!(text.parse::<Layout>(), Err(LayoutError::Cells), "{values}");
        }
    }

    #[test]
    fn a_text_that_is_no_layout_is_refused() {
        for text in [
            "margin persons by sex\n",
            "codes sex\n",
            "nonsense\n",
            "margin rows by values 1, 2\n",
            "margin variance(x) by\n",
            "codes sex F\ncodes age 1\nmargin persons by\n",
        ] {
            assert!(text.parse::<Layout>().is_err(), "{text}");
        }
    }
}
