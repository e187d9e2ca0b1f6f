//! The layout of a release: which integer stands for which cell.

use std::{collections::BTreeMap, fmt, fmt::Write as _, str::FromStr, sync::Arc};

use crate::{
    Code, MARGINS_MOST, Margin, Measure, MeasureError, Name, NameError,
    plan::{CELLS_MOST, LAYOUT_BYTES_MOST},
};

/// The most dimensions of a layout: four for each margin.
const DIMENSIONS_MOST: usize = 4 * MARGINS_MOST;
/// The most words of a line: `margin M by D1,D2 values V1,V2`.
const WORDS_MOST: usize = 6;

/// The public list of a dimension's keys, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyset(Arc<[Code]>);

impl Keyset {
    /// A keyset of these codes.
    pub fn new(codes: Vec<Code>) -> Self {
        Self(codes.into())
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
    /// More cells than can be counted, or than a release may have.
    #[error("the layout has too many cells")]
    Cells,
    /// A text longer than any plan's, or of more lines or codes.
    #[error("the layout has more lines, codes or bytes than an answer may have")]
    Size,
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

    /// How long its text is, without making it.
    pub(crate) fn text_bytes(&self) -> usize {
        let mut bytes = 0usize;
        let counted = write!(
            Sink(|text: &str| {
                bytes += text.len();
                Ok(())
            }),
            "{self}"
        );
        counted.map_or(usize::MAX, |()| bytes)
    }

    /// Whether a text is its own, without making another.
    fn is_written(&self, text: &str) -> bool {
        let mut rest = text;
        let alike = write!(
            Sink(|part: &str| {
                rest = rest.strip_prefix(part).ok_or(fmt::Error)?;
                Ok(())
            }),
            "{self}"
        );
        alike.is_ok() && rest.is_empty()
    }

    /// The layout with the keys that were found in the data, margin by margin where there are any.
    /// As it was planned, without the keys that were found in the data.
    pub fn planned(mut self) -> Self {
        for margin in self.margins.iter_mut().filter(|margin| matches!(margin.measure, Measure::Keys(_))) {
            margin.values = Some(Vec::new());
        }
        self
    }

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
            write!(f, "codes {name} ")?;
            list(f, keyset.codes())?;
            f.write_str("\n")?;
        }
        for LayoutMargin { measure, by, values } in &self.margins {
            write!(f, "margin {measure} by")?;
            if !by.is_empty() {
                write!(f, " {by}")?;
            }
            if let Some(values) = values {
                f.write_str(if values.is_empty() { " values" } else { " values " })?;
                list(f, values)?;
            }
            f.write_str("\n")?;
        }
        Ok(())
    }
}

/// Codes with commas between them.
fn list(f: &mut fmt::Formatter<'_>, codes: &[Code]) -> fmt::Result {
    for (at, code) in codes.iter().enumerate() {
        f.write_str(if at == 0 { "" } else { "," })?;
        f.write_str(code.as_str())?;
    }
    Ok(())
}

/// Takes a text, and makes none.
struct Sink<F>(F);

impl<F: FnMut(&str) -> fmt::Result> fmt::Write for Sink<F> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        (self.0)(text)
    }
}

impl FromStr for Layout {
    type Err = LayoutError;

    /// Reads a layout back; any other spelling than the printed one is refused, and one that no plan could have.
    fn from_str(text: &str) -> Result<Self, LayoutError> {
        bounded(text)?;
        let mut keysets = BTreeMap::new();
        let mut margins = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let at = index + 1;
            // No line has more words, however many spaces a hostile one has.
            match line.splitn(WORDS_MOST + 1, ' ').collect::<Vec<_>>().as_slice() {
                ["codes", name, codes] if margins.is_empty() => {
                    let name = name.parse().map_err(|error| LayoutError::Word(at, error))?;
                    keysets.insert(name, Keyset::new(words(codes, at)?));
                }
                ["margin", measure, "by", rest @ ..] => {
                    let measure = measure.parse().map_err(|error| LayoutError::Measure(at, error))?;
                    let (by, values) = laid_out(rest, at)?;
                    margins.push(LayoutMargin { measure, by, values });
                }
                _ => return Err(LayoutError::Line(at)),
            }
        }
        let layout = Self::new(keysets, margins)?;
        if layout.margins.iter().any(|margin| layout.cells_of(&margin.by) > CELLS_MOST)
            || layout.integers() > CELLS_MOST
        {
            return Err(LayoutError::Cells);
        }
        if layout.is_written(text) { Ok(layout) } else { Err(LayoutError::Line(1)) }
    }
}

/// INVARIANT (bounded before it is read): a text that no plan could have costs no more than to count its lines and commas.
fn bounded(text: &str) -> Result<(), LayoutError> {
    // A keyset and the values of a margin are each no larger than the cells of a release.
    let (lines, codes) = (DIMENSIONS_MOST + MARGINS_MOST, 2 * CELLS_MOST);
    let many = |bytes: u8, most: usize| text.bytes().filter(|byte| *byte == bytes).nth(most).is_some();
    if text.len() > LAYOUT_BYTES_MOST || many(b'\n', lines) || many(b',', codes) {
        return Err(LayoutError::Size);
    }
    Ok(())
}

fn words<T: FromStr<Err = NameError>>(text: &str, at: usize) -> Result<Vec<T>, LayoutError> {
    text.split(',').map(|word| word.parse().map_err(|error| LayoutError::Word(at, error))).collect()
}

/// What follows a margin's `by`: its dimensions, and what the integers of a cell are.
fn laid_out(rest: &[&str], at: usize) -> Result<(Margin, Option<Vec<Code>>), LayoutError> {
    let (names, values) = match rest {
        [] => (None, None),
        ["values"] => (None, Some(None)),
        ["values", values] => (None, Some(Some(values))),
        [names] => (Some(names), None),
        [names, "values"] => (Some(names), Some(None)),
        [names, "values", values] => (Some(names), Some(Some(values))),
        _ => return Err(LayoutError::Line(at)),
    };
    let by = names.map(|names| words::<Name>(names, at)).transpose()?.unwrap_or_default();
    let listed = |values: Option<&&str>| values.map_or(Ok(Vec::new()), |values| words(values, at));
    Ok((Margin::new(by), values.map(listed).transpose()?))
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
        let keys: Vec<_> = rows(&axes).map(crate::name::join).collect();
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
    fn a_layout_larger_than_any_plans_is_refused_before_it_is_read() {
        let words = |count: usize, word: &str| vec![word; count].join(",");
        let cases = [
            (
                "a million commas",
                format!("codes a {}\nmargin rows by a\n", ",".repeat(1_000_000)),
                LayoutError::Size,
            ),
            ("a million codes", format!("codes a {}\n", words(1_000_000, "A")), LayoutError::Size),
            (
                "a million values",
                format!("margin rows by values {}\n", words(1_000_000, "1")),
                LayoutError::Size,
            ),
            ("a million margins", "margin rows by\n".repeat(1_000_000), LayoutError::Size),
            ("a million lines", "\n".repeat(1_000_000), LayoutError::Size),
            ("a million keysets", "codes a A\n".repeat(1_000_000), LayoutError::Size),
            ("a long text", "x".repeat(LAYOUT_BYTES_MOST + 1), LayoutError::Size),
            ("a million spaces", format!("codes a{}\n", " ".repeat(1_000_000)), LayoutError::Line(1)),
            (
                "more cells than a release has",
                format!("codes a {}\ncodes b {}\nmargin rows by a,b\n", words(600, "A"), words(600, "B")),
                LayoutError::Cells,
            ),
            (
                "cells in which nothing stands",
                format!(
                    "codes a {}\ncodes b {}\nmargin keys(c) by a,b values\n",
                    words(600, "A"),
                    words(600, "B")
                ),
                LayoutError::Cells,
            ),
        ];
        for (what, text, refusal) in cases {
            let begun = std::time::Instant::now();
            assert_eq!(text.parse::<Layout>(), Err(refusal), "{what}");
            assert!(begun.elapsed().as_millis() < 500, "{what} took {:?}", begun.elapsed());
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
            "margin rows by values \n",
            "margin rows by sex values F M\n",
            "codes sex F\nmargin rows by sex\nmargin rows by sex values 1 \n",
            "codes sex F\ncodes age 1\nmargin persons by\n",
        ] {
            assert!(text.parse::<Layout>().is_err(), "{text}");
        }
    }
}
