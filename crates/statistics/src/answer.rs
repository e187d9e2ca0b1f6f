//! One office's release, and whether it can stand beside others at all.

use std::collections::HashSet;

use lango_privacy::{Layout, PlanText, TOTAL};

use crate::CombineError;

/// Above this scale intervals could no longer be computed exactly; at epsilon 1e-9 a count has scale 1e9.
const SCALE_MOST: f64 = 1e12;

/// One office's release, as far as its numbers go. The caller has verified its signature and digests.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// The office's short name: an ISO 3166-1 alpha-3 code.
    pub office: &'a str,
    /// Which integer stands for which cell.
    pub layout: &'a Layout,
    /// The noise of each margin.
    pub plan: &'a PlanText,
    /// The noisy integers as measured.
    pub cells: &'a [i64],
}

impl Answer<'_> {
    /// Whether layout, plan and cells speak of the same margins, with usable keys and noises.
    ///
    /// An office may sign nonsense: check an answer before it is combined, so that it alone is left out.
    pub fn check(&self) -> Result<(), CombineError> {
        let office = || self.office.to_owned();
        let margins = self.layout.margins();
        let mut seen = HashSet::new();
        let planned = margins.len() == self.plan.margins.len()
            && margins
                .iter()
                .zip(&self.plan.margins)
                .all(|(laid, planned)| laid.measure == planned.measure && laid.by == planned.by)
            && margins.iter().all(|margin| seen.insert((&margin.measure, &margin.by)));
        if !planned {
            return Err(CombineError::Margins { office: office() });
        }
        if self.cells.len() != self.layout.cells() {
            let (expected, found) = (self.layout.cells(), self.cells.len());
            return Err(CombineError::Cells { office: office(), expected, found });
        }
        let usable = |scale: f64| scale > 0.0 && scale <= SCALE_MOST;
        if !self.plan.margins.iter().all(|margin| usable(margin.noise.scale)) {
            return Err(CombineError::Noise { office: office() });
        }
        for (dimension, keyset) in margins.iter().flat_map(|margin| self.layout.axes(&margin.by)) {
            let mut seen = HashSet::new();
            if keyset.codes().iter().any(|code| code.as_str() == TOTAL || !seen.insert(code)) {
                return Err(CombineError::Keys { office: office(), dimension: dimension.to_string() });
            }
        }
        Ok(())
    }
}
