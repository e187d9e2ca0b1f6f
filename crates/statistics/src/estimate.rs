//! One office's best estimates: its integers as measured, or by least squares over the margins that add up.

use lango_privacy::{
    Group, Layout, LayoutMargin, Margin, MarginText, Measurement, Mechanism, Name, Noise, Term,
};

use crate::{Hidden, OfficeRelease};

/// A number that is whole as long as what it is the sum of is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Amount {
    /// The sum of integers as measured.
    pub whole: i128,
    /// The sum of everything else.
    pub real: f64,
}

impl Amount {
    /// The sum.
    pub fn and(self, other: Self) -> Self {
        // At most 2^64 summands of at most 2^123 each: only an office that makes numbers up gets to the end.
        Self { whole: self.whole.saturating_add(other.whole), real: self.real + other.real }
    }

    /// This amount times a factor.
    pub fn times(self, factor: i128) -> Self {
        Self { whole: self.whole.saturating_mul(factor), real: self.real * factor as f64 }
    }

    /// As a float: exact for whole numbers below 2^53.
    pub fn get(self) -> f64 {
        self.whole as f64 + self.real
    }
}

/// The estimates of one margin's integers.
#[derive(Debug, Clone)]
pub(crate) struct Estimates<'a> {
    values: Values<'a>,
    hidden: Option<&'a Hidden>,
    /// The place of the margin's first integer among those of the release.
    first: usize,
    /// The noise of each, added up over the keys of the dimensions that are summed over; none, where none was added.
    pub noise: Vec<Term>,
}

#[derive(Debug, Clone)]
enum Values<'a> {
    Measured(&'a [i64]),
    Fitted(Vec<f64>),
}

impl Values<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Measured(integers) => integers.len(),
            Self::Fitted(values) => values.len(),
        }
    }
}

impl Estimates<'_> {
    /// The estimate at a place of the margin; nothing where the office does not show it.
    pub fn at(&self, place: usize) -> Option<Amount> {
        if self.hidden.is_some_and(|hidden| hidden.contains(self.first + place)) {
            return None;
        }
        Some(match &self.values {
            Values::Measured(integers) => {
                Amount { whole: integers.get(place).copied().unwrap_or_default().into(), real: 0.0 }
            }
            Values::Fitted(values) => {
                Amount { whole: 0, real: values.get(place).copied().unwrap_or_default() }
            }
        })
    }

    /// The variance of each.
    pub fn variance(&self) -> f64 {
        lango_privacy::WeightedSum::of(self.noise.iter().copied()).variance()
    }
}

impl<'a> OfficeRelease<'a> {
    /// The estimates of each margin, and their noises once these dimensions are summed over. The answer was checked.
    pub(crate) fn estimates(&self, over: &[Name]) -> Vec<Estimates<'a>> {
        self.estimates_of(&self.groups(), over)
    }

    /// The same of integers as they were measured: by no least squares.
    pub(crate) fn as_measured(&self) -> Vec<Estimates<'a>> {
        let groups = self.groups().into_iter().map(|group| Group { cube: None, ..group });
        self.estimates_of(&groups.collect::<Vec<_>>(), &[])
    }

    fn estimates_of(&self, groups: &[Group], over: &[Name]) -> Vec<Estimates<'a>> {
        let measured = self.measured();
        let values = groups.iter().flat_map(|group| {
            let measured = measured.get(group.margins.clone()).unwrap_or_default();
            match self.fitted(group, measured) {
                Some(fitted) => fitted.into_iter().map(Values::Fitted).collect::<Vec<_>>(),
                None => measured.iter().copied().map(Values::Measured).collect(),
            }
        });
        let noises = groups.iter().flat_map(|group| self.noises(group, over));
        let mut first = 0;
        let each = values.zip(noises).map(|(values, noise)| {
            let estimates = Estimates { values, hidden: self.hidden, first, noise };
            first += estimates.values.len();
            estimates
        });
        each.collect()
    }

    /// The margins that add up. Those of a measure of which the office hides some integer are left as they were measured: the
    /// hidden ones would be missing in the sums.
    fn groups(&self) -> Vec<Group> {
        let mut groups = self.layout.groups(&self.plan.bounds).unwrap_or_default();
        let Some(hidden) = self.hidden else { return groups };
        let mut first = 0;
        for group in &mut groups {
            let margins = self.layout.margins().get(group.margins.clone()).unwrap_or_default();
            let next = first + margins.iter().map(|margin| self.layout.integers_of(margin)).sum::<usize>();
            if (first..next).any(|place| hidden.contains(place)) {
                group.cube = None;
            }
            first = next;
        }
        groups
    }

    /// The noise of each margin's estimates, once these dimensions are summed over.
    pub(crate) fn noise(&self, over: &[Name]) -> Vec<Vec<Term>> {
        self.groups().iter().flat_map(|group| self.noises(group, over)).collect()
    }

    /// The integers margin by margin.
    fn measured(&self) -> Vec<&'a [i64]> {
        let mut rest = self.cells;
        let margins = self.layout.margins().iter();
        let of = |margin| {
            let (own, after) = rest.split_at_checked(self.layout.integers_of(margin)).unwrap_or_default();
            rest = after;
            own
        };
        margins.map(of).collect()
    }

    /// The best estimates where the margins of a group add up: each of a cell's integers has a cube of its own.
    fn fitted(&self, group: &Group, measured: &[&[i64]]) -> Option<Vec<Vec<f64>>> {
        let cube = group.cube.as_ref()?;
        let texts = self.plan.margins.get(group.margins.clone())?;
        let variances: Vec<f64> =
            texts.iter().filter_map(|text| Some(text.measurement.noise()?.variance())).collect();
        let width = self.layout.margins().get(group.margins.start)?.width();
        let mut fitted: Vec<Vec<f64>> = measured.iter().map(|integers| vec![0.0; integers.len()]).collect();
        for slice in 0..width {
            let tables: Vec<Vec<f64>> = measured
                .iter()
                .map(|integers| {
                    integers.iter().skip(slice).step_by(width).map(|integer| *integer as f64).collect()
                })
                .collect();
            let consistent = cube.consistent(&variances, &tables);
            for (fitted, table) in fitted.iter_mut().zip(consistent) {
                let places = fitted.iter_mut().skip(slice).step_by(width);
                places.zip(table).for_each(|(place, value)| *place = value);
            }
        }
        Some(fitted)
    }

    /// The noise of each margin's estimates, summed over.
    fn noises(&self, group: &Group, over: &[Name]) -> Vec<Vec<Term>> {
        let terms = group.terms(&self.plan.margins).unwrap_or_default();
        let each = group.margins.clone().zip(terms.into_iter().chain(std::iter::repeat(Vec::new())));
        let margins = each.filter_map(|(place, terms)| Some((self.layout.margins().get(place)?, terms)));
        let summed = margins.map(|(margin, terms)| {
            let rest = Margin::new(margin.by.dimensions().filter(|name| !over.contains(name)).cloned());
            if rest == margin.by {
                return terms;
            }
            match &group.cube {
                Some(_) => self.summed_fitted(group, rest).unwrap_or_default(),
                None => {
                    let cells = self.layout.cells_of(&margin.by) / self.layout.cells_of(&rest).max(1);
                    let many = |term: Term| Term { times: term.times.saturating_mul(cells as u64), ..term };
                    terms.into_iter().map(many).collect()
                }
            }
        });
        summed.collect()
    }

    /// The noise of a cell of a coarser margin by the sum of fitted cells: what least squares would make of that margin, had
    /// it been measured too and added no information.
    fn summed_fitted(&self, group: &Group, by: Margin) -> Option<Vec<Term>> {
        let laid = self.layout.margins().get(group.margins.clone())?;
        let texts = self.plan.margins.get(group.margins.clone())?;
        if let Some(place) = laid.iter().position(|margin| margin.by == by) {
            return group.terms(&self.plan.margins)?.into_iter().nth(place);
        }
        const NOTHING: Noise = Noise { mechanism: Mechanism::DiscreteGaussian, scale: f64::INFINITY };
        let (first, text) = (laid.first()?, texts.first()?);
        let mut margins: Vec<LayoutMargin> = laid.to_vec();
        margins.push(LayoutMargin { by: by.clone(), ..first.clone() });
        let mut planned: Vec<MarginText> = texts.to_vec();
        planned.push(MarginText { by, measurement: Measurement::Noise(NOTHING), ..text.clone() });
        let dimensions = laid.iter().flat_map(|margin| self.layout.axes(&margin.by));
        let keysets = dimensions.map(|(name, keyset)| (name.clone(), keyset.clone())).collect();
        let layout = Layout::new(keysets, margins).ok()?;
        let terms = layout.groups(&self.plan.bounds)?.first()?.terms(&planned)?.pop()?;
        Some(terms.into_iter().filter(|term| term.noise != NOTHING).collect())
    }
}
