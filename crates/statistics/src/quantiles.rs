//! Quantiles of several offices together, from their histograms.

use std::collections::BTreeMap;

use lango_privacy::{Decimal, HistogramQuantile, Level, Measure};

use crate::{
    Axis, Cell, CombineError, CombinedTable, Figure, OfficeRelease, Status,
    add::{Block, Estimated, Sum, unit},
    combine::{shared_margins, sheets},
    content::CellContent,
    figures::{Together, offices},
    intervals::Intervals,
    sheet::{QUANTILE, Sheet},
};

/// The quantiles of every histogram in the answers, one table for each of their margins: offices added up, which must then
/// have the same bins, or side by side. Shares are between 0 and 1.
///
/// An interval holds every value that the bins' noisy counts do not exclude, and so is seldom narrower than a bin. There is
/// no standard error: counts do not say where in its bin a quantile lies, so it is interpolated on a straight line.
pub fn quantile_from_histogram(
    answers: &[OfficeRelease<'_>],
    shares: &[Decimal],
    by_office: bool,
    level: Level,
) -> Result<Vec<CombinedTable>, CombineError> {
    let margins = shared_margins(answers)?;
    let histogram = |(_, (measure, _)): &(usize, &(Measure, _))| matches!(measure, Measure::Histogram(_));
    let places: Vec<usize> = margins.iter().enumerate().filter(histogram).map(|(place, _)| place).collect();
    let sheets = sheets(answers, &places, &[], by_office)?;
    let estimated: Vec<Estimated<'_>> = answers.iter().map(|answer| Estimated::new(answer, &[])).collect();
    let together = Together { answers, estimated: &estimated, by_office };
    let mut intervals = Intervals::new(level);
    sheets.iter().map(|sheet| sheet.quantiles(&together, shares, &mut intervals)).collect()
}

impl Sheet<'_> {
    fn quantiles(
        &self,
        together: &Together<'_, '_>,
        shares: &[Decimal],
        intervals: &mut Intervals,
    ) -> Result<CombinedTable, CombineError> {
        let (mut cells, mut hidden) = (Vec::new(), BTreeMap::new());
        for block in together.blocks() {
            let mut contents = block.iter().filter_map(|(index, _)| self.contents.get(*index));
            let Some(content) = contents.next() else { continue };
            if !contents.all(|other| other == content) {
                return Err(CombineError::Bins { measure: self.margin.measure.to_string() });
            }
            let Some((_, first)) = block.first() else { continue };
            let bins = self.inner_places(first.answer, content);
            let Block { sums, hidden: missing } = self.block(&block, &mut intervals.noises);
            for (at, cell) in sums.chunks(self.inner.max(1)).enumerate() {
                // The bins of a cell are shown or hidden together.
                let first = bins.first().map_or(0, |bin| at * self.inner + bin);
                let offices = missing.get(&first);
                let counts: Vec<Sum> = bins.iter().filter_map(|place| cell.get(*place).copied()).collect();
                for share in shares {
                    let mut found = quantile(content, &counts, share, block.len(), intervals);
                    if let Some(offices) = offices {
                        hidden.insert(cells.len(), offices.clone());
                        if found.figure.is_none() {
                            found.status = Status::Suppressed;
                        }
                    }
                    cells.push(found);
                }
            }
        }
        let mut axes = self.axes.clone();
        axes.pop();
        let taken = axes.iter().any(|axis| axis.dimension == QUANTILE);
        let measure = match self.margin.measure.column() {
            Some(column) => Measure::Quantile(column.clone(), shares.to_vec()),
            None => return Err(CombineError::Bins { measure: self.margin.measure.to_string() }),
        };
        let dimension = if taken { measure.to_string() } else { QUANTILE.to_owned() };
        axes.push(Axis { dimension, codes: shares.iter().map(Decimal::to_string).collect() });
        if together.by_office {
            axes.insert(0, offices(together.answers));
        }
        Ok(CombinedTable { measure, axes, cells, hidden })
    }
}

/// The quantile of one histogram of these counts.
fn quantile(
    content: &CellContent<'_>,
    counts: &[Sum],
    share: &Decimal,
    offices: usize,
    intervals: &mut Intervals,
) -> Cell {
    const NONE: Cell = Cell { figure: None, status: Status::NotCollected };
    let (CellContent::Bins(range, starts), Some(first)) =
        (content, counts.first().filter(|count| count.offices > 0))
    else {
        return NONE;
    };
    let ends: Vec<i64> = starts.iter().copied().chain([range.high]).collect();
    let values: Vec<f64> = counts.iter().map(|count| count.value.get()).collect();
    let share = share.as_str().parse().unwrap_or(f64::NAN);
    let Some(found) = intervals.quantile(first.carried, counts.len(), share).figure(&ends, &values) else {
        return NONE;
    };
    let HistogramQuantile { value, lower, upper, .. } = found;
    let unit = unit(range.scale);
    let figure = Figure {
        value: value / unit,
        std_err: None,
        lower: Some(lower / unit),
        upper: Some(upper / unit),
        rank_error: None,
    };
    let complete = first.offices as usize == offices;
    Cell { figure: Some(figure), status: if complete { Status::Normal } else { Status::DefinitionDiffers } }
}
