//! What the integers of a margin's cells are: read from layout and plan once, and then relied upon.

use lango_privacy::{
    Code, LayoutMargin, MarginText, Measure, MeasuredColumn, Measurement, PlanText, Range, Selection,
    fractions,
};

/// What the integers of a cell are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CellContent<'a> {
    /// One count.
    Count,
    /// One sum of values.
    Sum(Range),
    /// The sums of what values are above the lower bound and below the upper one.
    Pair(Range),
    /// The sum of what values are above a centre.
    Centred(Range, i64),
    /// Counts of the keys of a dimension, which are shown as shares of their sum.
    Shares(&'a [Code]),
    /// Counts of the bins that begin there.
    Bins(Range, Vec<i64>),
    /// Values that were chosen, and within how many rows of the best choice each is, as a share's denominator over the
    /// scale of the choice.
    Chosen(Range, Chosen),
    /// Counts of keys that were found in the data.
    Found(&'a [Code]),
}

/// How quantiles were chosen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chosen {
    /// Among how many values.
    pub candidates: u64,
    /// For each share, by how much the logarithm of a value's probability falls with each row that its rank is worse.
    pub decays: Vec<f64>,
}

impl<'a> CellContent<'a> {
    /// The keys of the dimension that it gives shares of.
    pub fn keys_of_shares(&self) -> Option<&'a [Code]> {
        match self {
            Self::Shares(keys) => Some(keys),
            Self::Count | Self::Sum(_) | Self::Pair(_) | Self::Centred(..) => None,
            Self::Bins(..) | Self::Chosen(..) | Self::Found(_) => None,
        }
    }

    /// The decimals of what is added up; counts have none.
    pub fn scale(&self) -> u32 {
        match self {
            Self::Sum(range) | Self::Pair(range) | Self::Centred(range, _) => range.scale,
            Self::Count | Self::Shares(_) | Self::Bins(..) | Self::Chosen(..) | Self::Found(_) => 0,
        }
    }

    /// The content of a margin; `None` where layout and plan do not agree with its measure.
    pub fn of(laid: &'a LayoutMargin, planned: &MarginText, plan: &PlanText) -> Option<Self> {
        let column = || laid.measure.column().and_then(|name| plan.columns.get(name));
        let wide = |column: &&MeasuredColumn| column.range.low < column.range.high;
        let values = laid.values.as_deref();
        match (&laid.measure, values, planned.measurement) {
            (Measure::Units(_) | Measure::Rows | Measure::RowsOf(_), None, Measurement::Noise(_)) => {
                Some(Self::Count)
            }
            (Measure::Sum(_), None, Measurement::Noise(_)) => Some(Self::Sum(column()?.range)),
            (Measure::Mean(_), Some(values), Measurement::Noise(_)) => {
                let MeasuredColumn { range, centre, .. } = column().filter(wide)?;
                match values.iter().map(Code::as_str).collect::<Vec<_>>().as_slice() {
                    ["above", "below"] => Some(Self::Pair(*range)),
                    ["centred"] => {
                        let centre = centre.filter(|centre| (range.low..=range.high).contains(centre))?;
                        Some(Self::Centred(*range, centre))
                    }
                    _ => None,
                }
            }
            (Measure::Share(dimension), Some(keys), Measurement::Noise(_)) => {
                (!keys.is_empty() && !laid.by.contains(dimension)).then_some(Self::Shares(keys))
            }
            (Measure::Histogram(_), Some(values), Measurement::Noise(_)) => {
                let range = column()?.range;
                let starts: Vec<i64> =
                    values.iter().map(|start| start.as_str().parse().ok()).collect::<Option<_>>()?;
                let sound = starts.first() == Some(&range.low)
                    && starts.is_sorted_by(|a, b| a < b)
                    && starts.last().is_some_and(|last| *last <= range.high);
                sound.then_some(Self::Bins(range, starts))
            }
            (Measure::Quantile(_, shares), Some(values), Measurement::Selection(selection)) => {
                let MeasuredColumn { range, candidates, .. } = column()?;
                let same = values.iter().map(Code::as_str).eq(shares.iter().map(|share| share.as_str()));
                let decays = fractions(shares)?.into_iter().map(|share| decay(&selection, share)).collect();
                let chosen = Chosen { candidates: candidates.filter(|many| *many > 0)?, decays };
                (same && !shares.is_empty()).then_some(Self::Chosen(*range, chosen))
            }
            (Measure::Keys(_), Some(keys), Measurement::Discovery(_)) => {
                laid.by.is_empty().then_some(Self::Found(keys))
            }
            _ => None,
        }
    }

    /// The bounds of the column, where values are measured.
    pub fn range(&self) -> Option<Range> {
        match self {
            Self::Sum(range)
            | Self::Pair(range)
            | Self::Centred(range, _)
            | Self::Bins(range, _)
            | Self::Chosen(range, _) => Some(*range),
            Self::Count | Self::Shares(_) | Self::Found(_) => None,
        }
    }

    /// The keys of the table's innermost axis, beside its margin's; `None` where a cell is one figure.
    pub fn inner(&self, laid: &LayoutMargin) -> Option<Vec<String>> {
        match self {
            Self::Shares(keys) | Self::Found(keys) => Some(keys.iter().map(Code::to_string).collect()),
            Self::Bins(range, starts) => {
                Some(bins(range, starts).map(|(low, high)| bin(low, high, range.scale)).collect())
            }
            Self::Chosen(..) => {
                laid.values.as_ref().map(|shares| shares.iter().map(Code::to_string).collect())
            }
            Self::Count | Self::Sum(_) | Self::Pair(_) | Self::Centred(..) => None,
        }
    }
}

/// A score falls by the share's denominator for each row that a rank is off, and a choice's weight by e for each scale.
fn decay(selection: &Selection, (_, denominator): (u64, u64)) -> f64 {
    denominator as f64 / selection.scale
}

/// The least and the greatest value of each bin.
pub(crate) fn bins<'a>(range: &'a Range, starts: &'a [i64]) -> impl Iterator<Item = (i64, i64)> {
    let ends = starts.iter().skip(1).map(|next| next - 1).chain([range.high]);
    starts.iter().copied().zip(ends)
}

/// How a bin is written: `0-999`, `-5..-1` where an end is negative, one value by itself.
fn bin(low: i64, high: i64, scale: u32) -> String {
    let (first, last) = (decimal(low, scale), decimal(high, scale));
    match (low == high, low < 0) {
        (true, _) => first,
        (false, true) => format!("{first}..{last}"),
        (false, false) => format!("{first}-{last}"),
    }
}

/// A whole number of `10^-scale`, with all its decimals.
fn decimal(value: i64, scale: u32) -> String {
    let width = scale as usize;
    let digits = format!("{:0>1$}", value.unsigned_abs(), width + 1);
    let (whole, part) = digits.split_at(digits.len() - width);
    let (sign, point) = (if value < 0 { "-" } else { "" }, if scale == 0 { "" } else { "." });
    format!("{sign}{whole}{point}{part}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_written_with_both_ends_at_the_columns_scale() {
        for (range, starts, expected) in [
            (Range { low: 0, high: 110, scale: 0 }, vec![0, 5, 110], vec!["0-4", "5-109", "110"]),
            (Range { low: -10, high: 9, scale: 0 }, vec![-10, 0], vec!["-10..-1", "0-9"]),
            (Range { low: 0, high: 250, scale: 2 }, vec![0, 100], vec!["0.00-0.99", "1.00-2.50"]),
            (Range { low: -5, high: 5, scale: 1 }, vec![-5], vec!["-0.5..0.5"]),
            (
                Range { low: i64::MIN, high: i64::MAX, scale: 18 },
                vec![i64::MIN],
                vec!["-9.223372036854775808..9.223372036854775807"],
            ),
        ] {
            let content = CellContent::Bins(range, starts);
            let histogram = "histogram(c)".parse().unwrap();
            let laid =
                LayoutMargin { measure: histogram, by: lango_privacy::Margin::default(), values: None };
            assert_eq!(content.inner(&laid).unwrap(), expected);
        }
    }
}
