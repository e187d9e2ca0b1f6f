//! What of a release the rule of a grant hides.

use lango_privacy::{Level, ShownIf};

use crate::{
    CombineError, Hidden, OfficeRelease,
    add::{Estimated, Frame, Sum, target},
    combine::shared_margins,
    content::CellContent,
    figures::{may_be_negative, mean},
    intervals::Intervals,
    sheet::Sheet,
};

/// What a rule hides of a release. Each figure is judged by itself, as it was measured, before least squares; the shares and the
/// bins of one cell by the count of all of them, and shown or hidden together. What the rule cannot judge is hidden: a sum or a
/// quantile, where it asks for a count; a quantile, where it asks for an error.
pub fn hide(release: &OfficeRelease<'_>, rule: ShownIf) -> Result<Hidden, CombineError> {
    let answers = std::slice::from_ref(release);
    shared_margins(answers)?;
    let measured = Estimated::as_measured(release);
    let mut intervals = Intervals::new(Level::USUAL);
    let mut hidden = Hidden::none_of(release.cells.len());
    let mut place = 0;
    for at in 0..release.layout.margins().len() {
        let sheet = Sheet::new(answers, at, &[])?;
        for is_shown in sheet.shown(&measured, rule, &mut intervals) {
            if !is_shown {
                hidden.add(place);
            }
            place += 1;
        }
    }
    Ok(hidden)
}

impl Sheet<'_> {
    /// Whether each integer of the one answer's margin is shown, in their order.
    fn shown(&self, measured: &Estimated<'_>, rule: ShownIf, intervals: &mut Intervals) -> Vec<bool> {
        let Some(content) = self.contents.first() else { return Vec::new() };
        let sums = self.block(&[(0, measured)], &mut intervals.noises).sums;
        let sum = |place: usize| sums.get(place).copied().unwrap_or_default();
        let offsets = self.offsets(measured.answer);
        let inner = self.inner_places(measured.answer, content);
        let frame = Frame::of(&self.contents);
        let size = |(value, error): (f64, f64)| match may_be_negative(&self.contents) {
            true => (value, error),
            false => (value.max(0.0), error),
        };
        let mut shown = Vec::new();
        for cell in 0..measured.answer.layout.cells_of(&self.margin.by) {
            let first = target(cell, &offsets);
            match content {
                CellContent::Count | CellContent::Found(_) => {
                    shown.extend(inner.iter().map(|place| {
                        let figure = plain(sum(first + place), intervals);
                        rule.shows(figure.map(|(count, _)| count), figure.map(size))
                    }));
                }
                CellContent::Sum(_) => shown.push(rule.shows(None, plain(sum(first), intervals).map(size))),
                CellContent::Pair(_) | CellContent::Centred(..) => {
                    let sum = sum(first);
                    let figure = mean(&sum, &frame, intervals).filter(|mean| mean.is_estimable);
                    let figure = figure.and_then(|mean| Some((mean.figure.value, mean.figure.std_err?)));
                    let is_shown = rule.shows((sum.offices > 0).then_some(sum.denominator), figure);
                    shown.extend(std::iter::repeat_n(is_shown, self.margin.width()));
                }
                CellContent::Shares(_) | CellContent::Bins(..) => {
                    let all = inner.iter().fold(Sum::default(), |all, place| {
                        all.and(&sum(first + place), &mut intervals.noises)
                    });
                    let figure = plain(all, intervals);
                    let is_shown = rule.shows(figure.map(|(count, _)| count), figure.map(size));
                    shown.extend(std::iter::repeat_n(is_shown, inner.len()));
                }
                CellContent::Chosen(..) => {
                    shown.extend(std::iter::repeat_n(rule.shows(None, None), inner.len()));
                }
            }
        }
        shown
    }
}

/// A plain sum and its standard error.
fn plain(sum: Sum, intervals: &mut Intervals) -> Option<(f64, f64)> {
    (sum.offices > 0).then(|| (sum.value.get(), intervals.width(sum.carried).0))
}
