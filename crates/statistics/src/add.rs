//! Adding up: what each office adds to the cells of a margin's table, and with what noise.

use std::collections::{BTreeMap, BTreeSet};

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

/// What a block of a table adds up to.
#[derive(Debug)]
pub(crate) struct Block {
    /// In the order of the table's figures.
    pub sums: Vec<Sum>,
    /// The figures of which some offices hide their part, which is then in no sum, and these.
    pub hidden: BTreeMap<usize, Vec<String>>,
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

    /// The same of the integers as they were measured.
    pub fn as_measured(answer: &'a OfficeRelease<'a>) -> Self {
        let earlier = answer.earlier.iter().map(OfficeRelease::as_measured).collect();
        Self { answer, own: answer.as_measured(), earlier }
    }

    /// Whether something of it, or of what its means are divided by, is hidden.
    fn hides(&self) -> bool {
        let releases = [self.answer].into_iter().chain(&self.answer.earlier);
        releases.filter_map(|release| release.hidden).any(|hidden| hidden.count() > 0)
    }

    /// The least noisy released counts by which a centred mean is divided.
    fn divisor(&self, place: usize) -> Option<&Estimates<'a>> {
        let mean = self.answer.layout.margins().get(place)?;
        let usable = self.answer.divisors(mean);
        let estimates = usable.filter_map(|(release, margin)| self.earlier.get(release)?.get(margin));
        estimates.min_by(|a, b| a.variance().total_cmp(&b.variance()))
    }
}

impl Sum {
    /// Both, of one office, with independent noises.
    pub fn and(self, other: &Self, noises: &mut Noises) -> Self {
        Self {
            value: self.value.and(other.value),
            denominator: self.denominator + other.denominator,
            carried: noises.sum(self.carried, other.carried),
            offices: self.offices.max(other.offices),
            last: self.last,
        }
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
    Plain { of: &'a Estimates<'a>, factor: i128, places: Vec<usize> },
    /// Several integers each add something to a numerator and a denominator: their estimates, the first's place, and the
    /// distance from cell to cell.
    Ratio(Vec<(&'a Estimates<'a>, usize, usize, Form)>),
}

impl Part<'_> {
    /// What each of this number of cells adds to which place: a value and a denominator, or nothing where it is hidden.
    fn visit(
        &self,
        cells: usize,
        offsets: &[Vec<usize>],
        mut visitor: impl FnMut(usize, Option<(Amount, f64)>),
    ) {
        for cell in 0..cells {
            let first = target(cell, offsets);
            match self {
                Self::Plain { of, factor, places } => {
                    for (value, place) in places.iter().enumerate() {
                        let amount = of.at(cell * places.len() + value);
                        visitor(first + place, amount.map(|amount| (amount.times(*factor), 0.0)));
                    }
                }
                Self::Ratio(parts) => {
                    let sum = parts.iter().try_fold((0.0, 0.0), |(numerator, denominator), part| {
                        let (of, from, width, form) = part;
                        let value = of.at(cell * width + from)?.get();
                        Some((numerator + form.numerator * value, denominator + form.denominator * value))
                    });
                    let amount = |(real, denominator)| (Amount { whole: 0, real }, denominator);
                    visitor(first, sum.map(amount));
                }
            }
        }
    }
}

impl Sheet<'_> {
    /// The sums of a block of the table: of all answers, or of one.
    pub fn block(&self, answers: &[(usize, &Estimated<'_>)], noises: &mut Noises) -> Block {
        let sums = vec![Sum::default(); self.size().unwrap_or_default()];
        let mut block = Block { sums, hidden: BTreeMap::new() };
        let contents: Vec<CellContent<'_>> =
            answers.iter().filter_map(|(index, _)| self.contents.get(*index).cloned()).collect();
        let frame = Frame::of(&contents);
        let scale = self.scale();
        for (office, ((_, estimated), content)) in answers.iter().zip(&contents).enumerate() {
            self.add(&mut block, office, estimated, content, (frame, scale), noises);
        }
        block
    }

    /// The finest scale of the offices' columns: the one of sums.
    pub fn scale(&self) -> u32 {
        let sums = self.contents.iter().filter(|content| matches!(content, CellContent::Sum(_)));
        sums.filter_map(CellContent::range).map(|range| range.scale).max().unwrap_or(0)
    }

    fn add(
        &self,
        block: &mut Block,
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
        let cells = estimated.answer.layout.cells_of(&self.margin.by);
        // A figure that several keys are summed into lacks what is hidden of one of them.
        let mut hidden = BTreeSet::new();
        if estimated.hides() {
            part.visit(cells, &offsets, |place, value| {
                if value.is_none() {
                    hidden.insert(place);
                }
            });
        }
        for place in &hidden {
            block.hidden.entry(*place).or_default().push(estimated.answer.office.to_owned());
        }
        part.visit(cells, &offsets, |place, value| {
            let sum = block.sums.get_mut(place).filter(|_| !hidden.contains(&place));
            let Some((sum, (value, denominator))) = sum.zip(value) else { return };
            sum.value = sum.value.and(value);
            sum.denominator += denominator;
            let office = u32::try_from(office + 1).unwrap_or(u32::MAX);
            // A cell that several keys are summed into carries their noises together.
            if sum.last != office {
                (sum.last, sum.offices) = (office, sum.offices.saturating_add(1));
                sum.carried = noises.sum(sum.carried, carried);
            }
        });
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
                Part::Plain { of: own, factor, places: vec![0] }
            }
            CellContent::Count
            | CellContent::Shares(_)
            | CellContent::Bins(..)
            | CellContent::Chosen(..)
            | CellContent::Found(_) => {
                Part::Plain { of: own, factor: 1, places: self.inner_places(estimated.answer, content) }
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
pub(crate) fn target(cell: usize, offsets: &[Vec<usize>]) -> usize {
    let mut rest = cell;
    let mut place = 0;
    for offsets in offsets {
        place += offsets.get(rest % offsets.len().max(1)).copied().unwrap_or_default();
        rest /= offsets.len().max(1);
    }
    place
}
