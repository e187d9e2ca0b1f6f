//! From sums to figures: values with their intervals, and what to think of them.

use std::collections::BTreeMap;

use lango_privacy::{RatioFigure, rank_bound};

use crate::{
    Axis, Cell, CombinedTable, Figure, OFFICE, OfficeRelease, Status,
    add::{Block, Estimated, Frame, Sum, unit},
    content::CellContent,
    intervals::Intervals,
    noises::Carried,
    sheet::Sheet,
};

/// Answers that are to stand in one table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Together<'a, 'b> {
    pub answers: &'b [OfficeRelease<'a>],
    /// In the same order.
    pub estimated: &'b [Estimated<'b>],
    /// Side by side, or added up.
    pub by_office: bool,
}

impl<'b> Together<'_, 'b> {
    /// The places of the answers in each block of a table: all, or each by itself.
    pub fn blocks(&self) -> Vec<Vec<(usize, &'b Estimated<'b>)>> {
        let each = self.estimated.iter().enumerate();
        if self.by_office { each.map(|one| vec![one]).collect() } else { vec![each.collect()] }
    }
}

impl Sheet<'_> {
    /// The table.
    pub fn table(&self, together: &Together<'_, '_>, intervals: &mut Intervals) -> CombinedTable {
        let mixed = if together.by_office { Vec::new() } else { self.mixed_others(together.answers) };
        let is_mixed = |place: usize| mixed.iter().any(|(stride, keys, at)| place / stride % keys == *at);
        let (mut cells, mut hidden) = (Vec::new(), BTreeMap::new());
        for block in together.blocks() {
            let contents: Vec<CellContent<'_>> =
                block.iter().filter_map(|(index, _)| self.contents.get(*index).cloned()).collect();
            let Block { sums, hidden: missing } = self.block(&block, &mut intervals.noises);
            let figures = self.figures(&contents, &sums, intervals);
            let first = cells.len();
            hidden.extend(missing.iter().map(|(place, offices)| (first + place, offices.clone())));
            let alike =
                matches!(contents.first(), Some(CellContent::Bins(..))) || Frame::of(&contents).shared;
            let (least, may_be_negative) = (little(&contents), may_be_negative(&contents));
            cells.extend(sums.iter().zip(figures).enumerate().map(|(place, (sum, estimate))| {
                let (figure, is_estimable) = match estimate {
                    Some(Estimate { figure, is_estimable }) => {
                        (Some(figure).filter(|_| is_estimable), is_estimable)
                    }
                    None => (None, true),
                };
                let status = match figure {
                    None if !is_estimable => Status::Unreliable,
                    Some(figure) if figure.is_unreliable(least, may_be_negative) => Status::Unreliable,
                    None if sum.offices > 0 => Status::Missing,
                    None if missing.contains_key(&place) => Status::Suppressed,
                    None if matches!(contents.first(), Some(CellContent::Found(_))) => Status::Suppressed,
                    None => Status::NotCollected,
                    Some(_) if (sum.offices as usize) < block.len() => Status::DefinitionDiffers,
                    Some(_) if !alike || is_mixed(place) => Status::DefinitionDiffers,
                    Some(_) => Status::Normal,
                };
                Cell { figure, status }
            }));
        }
        let mut axes = self.axes.clone();
        if together.by_office {
            axes.insert(0, offices(together.answers));
        }
        CombinedTable { measure: self.margin.measure.clone(), axes, cells, hidden }
    }

    /// The figures of a block, whose answers have these contents.
    fn figures(
        &self,
        contents: &[CellContent<'_>],
        sums: &[Sum],
        intervals: &mut Intervals,
    ) -> Vec<Option<Estimate>> {
        let unit = unit(self.scale());
        let frame = Frame::of(contents);
        match contents.first() {
            Some(CellContent::Pair(_) | CellContent::Centred(..)) => {
                sums.iter().map(|sum| mean(sum, &frame, intervals)).collect()
            }
            Some(CellContent::Shares(_)) => {
                sums.chunks(self.inner.max(1)).flat_map(|sums| shares(sums, intervals)).collect()
            }
            Some(CellContent::Chosen(range, chosen)) => {
                let figure = |(place, sum): (usize, &Sum)| {
                    let decay = chosen.decays.get(place % self.inner.max(1))?;
                    let bound = rank_bound(chosen.candidates, *decay, intervals.level());
                    let value = sum.value.get() / crate::add::unit(range.scale);
                    let rank_error = Some(bound);
                    let figure = Figure { value, std_err: None, lower: None, upper: None, rank_error };
                    (sum.offices > 0).then_some(figure.into())
                };
                sums.iter().enumerate().map(figure).collect()
            }
            _ => sums.iter().map(|sum| plain(sum, unit, intervals).map(Estimate::from)).collect(),
        }
    }
}

/// A figure, and whether it says anything.
pub(crate) struct Estimate {
    pub figure: Figure,
    pub is_estimable: bool,
}

impl From<Figure> for Estimate {
    fn from(figure: Figure) -> Self {
        Self { figure, is_estimable: true }
    }
}

/// An error that is little, whatever the figure: one of what is counted or added up, and a hundredth of what a mean or a share
/// may be.
fn little(contents: &[CellContent<'_>]) -> f64 {
    match contents.first() {
        Some(CellContent::Pair(_) | CellContent::Centred(..)) => {
            let [lowest, highest] = Frame::of(contents).centred();
            (highest - lowest) / 100.0
        }
        Some(CellContent::Shares(_)) => 0.01,
        _ => 1.0,
    }
}

/// Whether what is measured can be below 0: what is counted, and values whose bounds are not, cannot.
pub(crate) fn may_be_negative(contents: &[CellContent<'_>]) -> bool {
    contents.iter().any(|content| match content {
        CellContent::Sum(range) | CellContent::Pair(range) | CellContent::Centred(range, _) => range.low < 0,
        CellContent::Count | CellContent::Shares(_) | CellContent::Bins(..) => false,
        CellContent::Chosen(..) | CellContent::Found(_) => false,
    })
}

/// The axis of offices.
pub(crate) fn offices(answers: &[OfficeRelease<'_>]) -> Axis {
    let codes = answers.iter().map(|answer| answer.office.to_owned()).collect();
    Axis { dimension: OFFICE.to_owned(), codes }
}

/// A sum, in parts of its unit: `unit` parts are one.
fn plain(sum: &Sum, unit: f64, intervals: &mut Intervals) -> Option<Figure> {
    // Beyond 64 bits there is no figure.
    i64::try_from(sum.value.whole / unit as i128).ok().filter(|_| sum.offices > 0)?;
    let (std_err, half_width) = intervals.width(sum.carried);
    let value = sum.value.get();
    Some(Figure {
        value: value / unit,
        std_err: Some(std_err / unit),
        lower: Some((value - half_width) / unit),
        upper: Some((value + half_width) / unit),
        rank_error: None,
    })
}

/// A mean: the ratio of the sum of what values are above the middle of the frame and of their number.
pub(crate) fn mean(sum: &Sum, frame: &Frame, intervals: &mut Intervals) -> Option<Estimate> {
    if sum.offices == 0 {
        return None;
    }
    let noise = intervals.ratio(sum.carried, frame.centred());
    Some(ratio(noise.figure(sum.value.get(), sum.denominator), frame.about))
}

/// Each of some counts as a share of their sum.
fn shares(sums: &[Sum], intervals: &mut Intervals) -> Vec<Option<Estimate>> {
    let denominator: f64 = sums.iter().map(|sum| sum.value.get()).sum();
    let all = sums.iter().fold(Carried::default(), |all, sum| intervals.noises.sum(all, sum.carried));
    let figure = |sum: &Sum| {
        if sum.offices == 0 {
            return None;
        }
        let noise = intervals.share(sum.carried, all);
        Some(ratio(noise.figure(sum.value.get(), denominator), 0.0))
    };
    sums.iter().map(figure).collect()
}

fn ratio(ratio: RatioFigure, about: f64) -> Estimate {
    let RatioFigure { value, std_err, lower, upper, is_estimable } = ratio;
    let at = |value: f64| value + about;
    let figure = Figure {
        value: at(value),
        std_err: Some(std_err),
        lower: Some(at(lower)),
        upper: Some(at(upper)),
        rank_error: None,
    };
    Estimate { figure, is_estimable }
}
