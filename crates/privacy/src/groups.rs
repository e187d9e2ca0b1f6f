//! The margins of one measure, and whether they can be made to add up.

use std::{collections::BTreeSet, ops::Range};

use crate::{Bounds, Cube, Layout, MarginText, Measure, Name, Term};

/// Margins of one measure, as they stand in a layout.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Their places among the layout's margins.
    pub margins: Range<usize>,
    /// How they add up to each other; `None` for a lone margin, and for a measure whose margins do not: distinct units
    /// that may enter several cells, quantiles, keys.
    pub cube: Option<Cube>,
}

impl Layout {
    /// The groups in order; `None` where a measure has more margins or dimensions than can be planned together.
    pub fn groups(&self, bounds: &Bounds) -> Option<Vec<Group>> {
        let mut groups: Vec<Group> = Vec::new();
        let mut start = 0;
        while let Some(first) = self.margins().get(start) {
            let alike =
                self.margins().iter().skip(start).take_while(|margin| margin.measure == first.measure);
            let margins = start..start + alike.count();
            let cube = if margins.len() > 1 && first.measure.adds_up(bounds) {
                Some(self.cube(margins.clone())?)
            } else {
                None
            };
            start = margins.end;
            groups.push(Group { margins, cube });
        }
        Some(groups)
    }

    fn cube(&self, margins: Range<usize>) -> Option<Cube> {
        let margins = self.margins().get(margins)?;
        let dimensions: BTreeSet<&Name> = margins.iter().flat_map(|margin| margin.by.dimensions()).collect();
        let sizes =
            dimensions.iter().map(|name| Some(self.keyset(name)?.len())).collect::<Option<Vec<_>>>()?;
        let mask = |by: &crate::Margin| {
            dimensions
                .iter()
                .enumerate()
                .filter(|(_, name)| by.contains(name))
                .fold(0, |mask, (at, _)| mask | 1 << at)
        };
        if sizes.len() > u32::BITS as usize {
            return None;
        }
        Cube::new(sizes, margins.iter().map(|margin| mask(&margin.by)).collect())
    }
}

impl Measure {
    /// Whether its margins are sums of finer ones.
    pub fn adds_up(&self, bounds: &Bounds) -> bool {
        match self {
            Self::Units(_) | Self::Share(_) => bounds.rows_at_most.min(bounds.cells_at_most) == 1,
            Self::Quantile(..) | Self::Keys(_) => false,
            Self::Rows | Self::RowsOf(_) | Self::Sum(_) | Self::Mean(_) | Self::Histogram(_) => true,
        }
    }
}

impl Group {
    /// For each margin of the group, the noise of the best estimate of one of its integers: as measured, or after least
    /// squares over the margins. `None` where nothing is added to what was counted.
    pub fn terms(&self, margins: &[MarginText]) -> Option<Vec<Vec<Term>>> {
        let margins = margins.get(self.margins.clone())?;
        (0..margins.len()).map(|at| self.terms_of(margins, at)).collect()
    }

    /// The same for one of the group's margins; `margins` are the group's alone.
    pub(crate) fn terms_of(&self, margins: &[MarginText], at: usize) -> Option<Vec<Term>> {
        let noises = margins.iter().map(|margin| margin.measurement.noise()).collect::<Option<Vec<_>>>()?;
        let Some(cube) = &self.cube else {
            return Some(vec![Term { noise: *noises.get(at)?, weight: 1.0, times: 1 }]);
        };
        let variances: Vec<f64> = noises.iter().map(|noise| noise.variance()).collect();
        let term = |weight: crate::Weight| {
            let noise = *noises.get(weight.margin)?;
            Some(Term { noise, weight: weight.weight, times: weight.times })
        };
        cube.weights(&variances, at).into_iter().map(term).collect()
    }
}
