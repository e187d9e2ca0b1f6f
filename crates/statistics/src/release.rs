//! One office's release, and whether it can stand beside others at all.

use std::collections::HashSet;

use lango_privacy::{Code, Layout, LayoutMargin, MarginText, Measure, Measurement, PlanText, TOTAL};

use crate::{CombineError, Hidden, content::CellContent};

/// Above this scale intervals could no longer be computed; no plan has a greater one.
const SCALE_MOST: f64 = 1e13;

/// One office's release, as far as its numbers go. The caller has verified its signature and digests.
#[derive(Debug, Clone)]
pub struct OfficeRelease<'a> {
    /// The office's short name: an ISO 3166-1 alpha-3 code.
    pub office: &'a str,
    /// Which integer stands for which cell.
    pub layout: &'a Layout,
    /// The noise of each margin.
    pub plan: &'a PlanText,
    /// The noisy integers as measured.
    pub cells: &'a [i64],
    /// Which of them the office does not show, and has put 0 in the place of; `None` where it shows all.
    pub hidden: Option<&'a Hidden>,
    /// The office's earlier releases that its means are divided by; what these were divided by does not matter.
    pub earlier: Vec<OfficeRelease<'a>>,
}

impl<'a> OfficeRelease<'a> {
    /// Whether layout, plan and cells speak of the same margins, with usable keys, values, noises and divisors.
    ///
    /// An office may sign nonsense: check an answer before it is combined, so that it alone is left out.
    pub fn check(&self) -> Result<(), CombineError> {
        self.check_parts()?;
        self.earlier.iter().try_for_each(Self::check_parts)?;
        for (place, margin) in self.layout.margins().iter().enumerate() {
            if matches!(self.content(place)?, CellContent::Centred(..))
                && self.divisors(margin).next().is_none()
            {
                let (office, measure) = (self.office.to_owned(), margin.measure.to_string());
                return Err(CombineError::Earlier { office, measure });
            }
        }
        Ok(())
    }

    /// The content of the cells of the margin at a place.
    pub(crate) fn content(&self, place: usize) -> Result<CellContent<'a>, CombineError> {
        let (laid, planned) = (self.layout.margins().get(place), self.plan.margins.get(place));
        let content = laid.zip(planned).and_then(|(laid, planned)| CellContent::of(laid, planned, self.plan));
        content.ok_or_else(|| CombineError::Values {
            office: self.office.to_owned(),
            measure: laid.map(|laid| laid.measure.to_string()).unwrap_or_default(),
        })
    }

    /// The places of margins of earlier releases that a centred mean can be divided by: which release, and which margin.
    pub(crate) fn divisors(&self, mean: &LayoutMargin) -> impl Iterator<Item = (usize, usize)> {
        let counts = mean.measure.column().map(|column| Measure::RowsOf(column.clone()));
        let usable = move |answer: &OfficeRelease<'_>, margin: &LayoutMargin| {
            let alike = answer.layout.axes(&mean.by).eq(self.layout.axes(&mean.by));
            Some(&margin.measure) == counts.as_ref() && margin.by == mean.by && alike
        };
        let releases = self.earlier.iter().enumerate();
        releases.filter_map(move |(release, answer)| {
            let mut margins = answer.layout.margins().iter();
            margins.position(|margin| usable(answer, margin)).map(|place| (release, place))
        })
    }

    fn check_parts(&self) -> Result<(), CombineError> {
        let office = || self.office.to_owned();
        let margins = self.layout.margins();
        let planned: Vec<_> =
            self.plan.margins.iter().map(|margin| (margin.measure.clone(), margin.by.clone())).collect();
        let mut seen = HashSet::new();
        if !self.layout.is_of(&planned) || !planned.iter().all(|margin| seen.insert(margin)) {
            return Err(CombineError::Margins { office: office() });
        }
        let (expected, found) = (self.layout.integers(), self.cells.len());
        if expected != found {
            return Err(CombineError::Cells { office: office(), expected, found });
        }
        if !self.hidden.is_none_or(|hidden| hidden.is_of(self.cells)) {
            return Err(CombineError::Hidden { office: office() });
        }
        if !self.plan.margins.iter().all(usable) {
            return Err(CombineError::Noise { office: office() });
        }
        for (place, margin) in margins.iter().enumerate() {
            let axes = self.layout.axes(&margin.by).map(|(dimension, keyset)| (dimension, keyset.codes()));
            let inner = margin.measure.column().zip(self.content(place)?.keys_of_shares());
            for (dimension, codes) in axes.chain(inner) {
                if codes.iter().any(|code| code.as_str() == TOTAL) || !unique(codes) {
                    return Err(CombineError::Keys { office: office(), dimension: dimension.to_string() });
                }
            }
        }
        self.check_groups()
    }

    /// Margins that are made to add up must be of one kind, and found keys each stand once.
    fn check_groups(&self) -> Result<(), CombineError> {
        let groups = self.layout.groups(&self.plan.bounds);
        let groups = groups.ok_or_else(|| CombineError::Margins { office: self.office.to_owned() })?;
        for group in groups {
            let margins = self.layout.margins().get(group.margins).unwrap_or_default();
            let first = margins.first().and_then(|margin| margin.values.as_deref());
            let alike = margins.iter().all(|margin| margin.values.as_deref() == first);
            if !alike || !first.is_none_or(unique) {
                return Err(CombineError::Values {
                    office: self.office.to_owned(),
                    measure: margins.first().map(|margin| margin.measure.to_string()).unwrap_or_default(),
                });
            }
        }
        Ok(())
    }
}

/// Whether an interval can be computed for a margin's noise.
pub(crate) fn usable(margin: &MarginText) -> bool {
    let scale = match margin.measurement {
        Measurement::Noise(noise) => noise.scale,
        Measurement::Selection(selection) => selection.scale,
        Measurement::Discovery(discovery) => discovery.noise.scale,
    };
    scale > 0.0 && scale <= SCALE_MOST
}

fn unique(codes: &[Code]) -> bool {
    let mut seen = HashSet::new();
    codes.iter().all(|code| seen.insert(code))
}
