//! Adding up: what each office adds to the cells of a margin's table, and with what noise.

use lango_privacy::{Form, Name, Range, RatioTerm};

use crate::{
    OfficeRelease,
    content::CellContent,
    estimate::{Amount, Estimates},
    noises::{Carried, Noises},
    sheet::Sheet,
};

/// An answer with the best estimates of its integers.
#[derive(Debug)]
pub(crate) struct Estimated<'a> {
    /// The answer.
    pub answer: &'a OfficeRelease<'a>,
    /// By margin.
    own: Vec<Estimates<'a>>,
    /// By earlier release and margin.
    earlier: Vec<Vec<Estimates<'a>>>,
}

/// What is added up in a cell.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sum {
    /// The figure, or a ratio's numerator.
    pub value: Amount,
    /// A ratio's denominator.
    pub denominator: f64,
    /// The noises in both.
    pub carried: Carried,
    /// How many offices are in it.
    pub offices: u32,
    /// The one that was added last, counting from 1.
    last: u32,
}

/// The bounds between which the means of some offices lie, and the point between them that figures are measured from, in
/// the unit of the column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Frame {
    /// The least and the greatest mean.
    pub ends: [f64; 2],
    /// The middle.
    pub about: f64,
    /// Whether all offices have these bounds.
    pub shared: bool,
}

impl<'a> Estimated<'a> {
    /// The estimates of an answer that was checked, these dimensions being summed over.
    pub fn new(answer: &'a OfficeRelease<'a>, over: &[Name]) -> Self {
        let earlier = answer.earlier.iter().map(|earlier| earlier.estimates(over)).collect();
        Self { answer, own: answer.estimates(over), earlier }
    }

    /// The least noisy released counts by which a centred mean is divided.
    fn divisor(&self, place: usize) -> Option<&Estimates<'a>> {
        let mean = self.answer.layout.margins().get(place)?;
        let usable = self.answer.divisors(mean);
        let estimates = usable.filter_map(|(release, margin)| self.earlier.get(release)?.get(margin));
        estimates.min_by(|a, b| a.variance().total_cmp(&b.variance()))
    }
}

impl Frame {
    /// The frame of some offices' ranges; any frame, if there are none.
    pub fn of(contents: &[CellContent<'_>]) -> Self {
        let ranges = || contents.iter().filter_map(CellContent::range);
        let lows = ranges().map(|range| at_scale(range.low, range.scale));
        let highs = ranges().map(|range| at_scale(range.high, range.scale));
        let ends = [lows.fold(f64::INFINITY, f64::min), highs.fold(f64::NEG_INFINITY, f64::max)];
        let [low, high] = ends;
        let finest = |value: i64, scale: u32| i128::from(value) * 10i128.pow(18u32.saturating_sub(scale));
        let exact = |range: Range| [range.low, range.high].map(|end| finest(end, range.scale));
        let first = ranges().next().map(exact);
        let shared = ranges().all(|range| Some(exact(range)) == first);
        Self { ends, about: 0.5 * low + 0.5 * high, shared }
    }

    /// The ends as distances from the middle.
    pub fn centred(&self) -> [f64; 2] {
        self.ends.map(|end| end - self.about)
    }
}

/// A whole number of `10^-scale`, in the unit of its column.
pub(crate) fn at_scale(value: i64, scale: u32) -> f64 {
    value as f64 / unit(scale)
}

/// `10^scale`.
pub(crate) fn unit(scale: u32) -> f64 {
    10f64.powi(i32::try_from(scale).unwrap_or(i32::MAX))
}

/// How a figure is computed from the integers of a cell.
enum Part<'a> {
    /// Each integer, times the factor, goes to a place of its own.
    Plain { factor: i128, places: Vec<usize> },
    /// Several integers each add something to a numerator and a denominator: their estimates, the first's place, and the
    /// distance from cell to cell.
    Ratio(Vec<(&'a Estimates<'a>, usize, usize, Form)>),
}

impl Sheet<'_> {
    /// The sums of a block of the table: of all answers, or of one.
    pub fn block(&self, answers: &[(usize, &Estimated<'_>)], noises: &mut Noises) -> Vec<Sum> {
        let mut sums = vec![Sum::default(); self.size().unwrap_or_default()];
        let contents: Vec<CellContent<'_>> =
            answers.iter().filter_map(|(index, _)| self.contents.get(*index).cloned()).collect();
        let frame = Frame::of(&contents);
        let scale = self.scale();
        for (office, ((_, estimated), content)) in answers.iter().zip(&contents).enumerate() {
            self.add(&mut sums, office, estimated, content, (frame, scale), noises);
        }
        sums
    }

    /// The finest scale of the offices' columns: the one of sums.
    pub fn scale(&self) -> u32 {
        let sums = self.contents.iter().filter(|content| matches!(content, CellContent::Sum(_)));
        sums.filter_map(CellContent::range).map(|range| range.scale).max().unwrap_or(0)
    }

    fn add(
        &self,
        sums: &mut [Sum],
        office: usize,
        estimated: &Estimated<'_>,
        content: &CellContent<'_>,
        (frame, scale): (Frame, u32),
        noises: &mut Noises,
    ) {
        let Some(own) = estimated.own.get(self.place) else { return };
        let part = self.part(estimated, own, content, frame, scale);
        let carried = match &part {
            Part::Plain { factor, .. } => noises.plain(&own.noise, *factor as f64),
            Part::Ratio(parts) => {
                noises.alone(parts.iter().flat_map(|(of, _, _, form)| ratio_terms(of, *form)).collect())
            }
        };
        let offsets = self.offsets(estimated.answer);
        let mut add = |place: usize, value: Amount, denominator: f64| {
            let Some(sum) = sums.get_mut(place) else { return };
            sum.value = sum.value.and(value);
            sum.denominator += denominator;
            let office = u32::try_from(office + 1).unwrap_or(u32::MAX);
            // A cell that several keys are summed into carries their noises together.
            if sum.last != office {
                (sum.last, sum.offices) = (office, sum.offices.saturating_add(1));
                sum.carried = noises.sum(sum.carried, carried);
            }
        };
        for cell in 0..estimated.answer.layout.cells_of(&self.margin.by) {
            let first = target(cell, &offsets);
            match &part {
                Part::Plain { factor, places } => {
                    for (value, place) in places.iter().enumerate() {
                        add(first + place, own.at(cell * places.len() + value).times(*factor), 0.0);
                    }
                }
                Part::Ratio(parts) => {
                    let (mut numerator, mut denominator) = (0.0, 0.0);
                    for (of, from, width, form) in parts {
                        let value = of.at(cell * width + from).get();
                        numerator += form.numerator * value;
                        denominator += form.denominator * value;
                    }
                    add(first, Amount { whole: 0, real: numerator }, denominator);
                }
            }
        }
    }

    fn part<'e>(
        &self,
        estimated: &'e Estimated<'e>,
        own: &'e Estimates<'e>,
        content: &CellContent<'_>,
        frame: Frame,
        scale: u32,
    ) -> Part<'e> {
        match content {
            // `low B + high A` is W times the sum of values and `A + B` is W times their number, W being `high - low`: so
            // offices with other bounds add up.
            CellContent::Pair(range) => {
                let width = range.width() as f64;
                let form = |end: i64| Form {
                    numerator: (at_scale(end, range.scale) - frame.about) / width,
                    denominator: 1.0 / width,
                };
                Part::Ratio(vec![(own, 0, 2, form(range.high)), (own, 1, 2, form(range.low))])
            }
            CellContent::Centred(range, centre) => {
                let sum = Form { numerator: 1.0 / unit(range.scale), denominator: 0.0 };
                let about = at_scale(*centre, range.scale) - frame.about;
                let count = Form { numerator: about, denominator: 1.0 };
                let counts = estimated.divisor(self.place).map(|counts| (counts, 0, 1, count));
                Part::Ratio([(own, 0, 1, sum)].into_iter().chain(counts).collect())
            }
            CellContent::Sum(range) => {
                let factor = 10i128.pow(scale.saturating_sub(range.scale).min(18));
                Part::Plain { factor, places: vec![0] }
            }
            CellContent::Count
            | CellContent::Shares(_)
            | CellContent::Bins(..)
            | CellContent::Chosen(..)
            | CellContent::Found(_) => {
                Part::Plain { factor: 1, places: self.inner_places(estimated.answer, content) }
            }
        }
    }
}

fn ratio_terms(of: &Estimates<'_>, form: Form) -> impl Iterator<Item = RatioTerm> {
    of.noise.iter().map(move |term| RatioTerm {
        noise: term.noise,
        numerator: form.numerator * term.weight,
        denominator: form.denominator * term.weight,
        times: term.times,
    })
}

/// The place in the table of an answer's cell, by offsets of its dimensions, the last dimension first.
fn target(cell: usize, offsets: &[Vec<usize>]) -> usize {
    let mut rest = cell;
    let mut place = 0;
    for offsets in offsets {
        place += offsets.get(rest % offsets.len().max(1)).copied().unwrap_or_default();
        rest /= offsets.len().max(1);
    }
    place
}
