//! What came back: answers and prices, as far as they are what was asked.

use std::collections::BTreeMap;

use lango_identity::SpiffeId;
use lango_privacy::{Accounting, Layout, Level, Loss, Margin, Measure, PlanText, Query};
use lango_statistics::{CombinedTable, Coverage, Planned};
use lango_wire::{Answer, answer::read_texts, pb};

/// A verified answer.
pub struct Answered {
    pub text: String,
    pub query_digest: [u8; 32],
    pub coverage: Coverage,
    pub answers: BTreeMap<String, Answer>,
    pub tables: Vec<CombinedTable>,
    /// Whether offices stand side by side.
    pub by_office: bool,
    pub level: Level,
    pub at_least: u32,
}

/// The price at one office.
#[derive(Debug, Clone, PartialEq)]
pub struct Priced {
    pub plan: PlanText,
    pub layout: Layout,
    pub loss: Loss,
    pub charged: Loss,
    pub account: Accounting,
    pub queries_left: u64,
    pub repeated: bool,
    /// How much of the data the office expects its bounds to drop, in its words; empty where it does not say.
    pub bounds_drop: String,
}

/// What each office would charge.
pub struct Prices {
    pub text: String,
    pub query_digest: [u8; 32],
    pub level: Level,
    pub priced: BTreeMap<String, Priced>,
    pub absent: Vec<(String, String)>,
}

/// A price, if it is of what was asked.
pub(super) fn priced(estimate: pb::Estimate, query: &Query) -> Option<Priced> {
    let (plan, layout) = read_texts(&estimate.plan, &estimate.layout).ok()?;
    layout.is_of(&query.margins()).then_some(())?;
    Some(Priced {
        plan,
        layout,
        loss: estimate.loss?.into(),
        charged: estimate.charged?.into(),
        account: estimate.account?.try_into().ok()?,
        queries_left: estimate.queries_left,
        repeated: estimate.repeated,
        bounds_drop: estimate.bounds_drop,
    })
}

/// Whether a signed release can stand in a table beside others: an office's nonsense must not spoil the others' figures.
pub(super) fn fits(
    office: &SpiffeId,
    answer: Answer,
    margins: &[(Measure, Margin)],
) -> Result<Answer, String> {
    if !answer.layout.is_of(margins) {
        return Err("its margins are not the question's".to_owned());
    }
    view(office.name(), &answer).check().map_err(|error| error.to_string())?;
    Ok(answer)
}

/// A verified release as the statistics take it.
pub fn view<'a>(office: &'a str, answer: &'a Answer) -> lango_statistics::OfficeRelease<'a> {
    let Answer { layout, plan, cells, earlier, .. } = answer;
    let earlier = earlier.iter().map(|earlier| view(office, earlier)).collect();
    lango_statistics::OfficeRelease { office, layout, plan, cells, earlier }
}

impl Answered {
    /// The answers as the statistics take them.
    pub fn views(&self) -> Vec<lango_statistics::OfficeRelease<'_>> {
        self.answers.iter().map(|(office, answer)| view(office, answer)).collect()
    }
}

impl Priced {
    /// The plan with its layout.
    pub fn planned(&self) -> Planned<'_> {
        Planned { plan: &self.plan, layout: &self.layout }
    }
}
