//! What came of a question: verified answers, prices and descriptions, who is in them, and what they add up to.

use std::collections::BTreeMap;

use lango_privacy::Level;
use lango_statistics::{CELLS_MOST, CombineError, CombinedTable, Coverage, OfficeRelease, combine_within};
use lango_trace::TraceContext;
use lango_wire::{Absence, SignedRefusal, VerifiedDescription, VerifiedPrice, VerifiedRelease};

/// A verified answer.
#[derive(Debug)]
pub struct Answered {
    /// The question's text.
    pub text: String,
    /// Its digest.
    pub query_digest: [u8; 32],
    /// The trace that it was asked in, by which its lines are found in the logs of those who worked on it.
    pub trace: Option<TraceContext>,
    /// Who was asked, and what became of it.
    pub coverage: Coverage,
    /// What the offices signed, by their short names.
    pub answers: BTreeMap<String, VerifiedRelease>,
    /// What offices signed in place of an answer, by their short names.
    pub refusals: BTreeMap<String, SignedRefusal>,
    /// One table for each measure and margin.
    pub tables: Vec<CombinedTable>,
    /// Whether offices stand side by side.
    pub by_office: bool,
    /// The confidence of the intervals.
    pub level: Level,
    /// Fewer answers are insufficient.
    pub at_least: u32,
}

/// What each office would charge.
#[derive(Debug)]
pub struct Prices {
    /// The question's text.
    pub text: String,
    /// Its digest.
    pub query_digest: [u8; 32],
    /// The confidence of the intervals that are foreseen.
    pub level: Level,
    /// What the offices signed, by their short names.
    pub priced: BTreeMap<String, VerifiedPrice>,
    /// The offices that named no price, in the order of asking.
    pub unpriced: Vec<(String, NoAnswer)>,
}

/// What is open at each office.
#[derive(Debug)]
pub struct MemberCatalogue {
    /// What the offices signed, by their short names.
    pub described: BTreeMap<String, VerifiedDescription>,
    /// The offices that described nothing, in the order of asking.
    pub undescribed: Vec<(String, NoAnswer)>,
}

/// Why an office has not said what it was asked: a price, or what is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// It refused, and signed that.
    Refused(SignedRefusal),
    /// It did not answer.
    Missing(Absence),
}

impl Answered {
    /// The answers as statistics take them.
    pub fn side_by_side(&self) -> Vec<OfficeRelease<'_>> {
        side_by_side(&self.answers)
    }
}

fn side_by_side(answers: &BTreeMap<String, VerifiedRelease>) -> Vec<OfficeRelease<'_>> {
    answers.values().map(VerifiedRelease::side_by_side).collect()
}

/// The tables of some answers, and the offices that had to be left out.
pub(crate) fn tables(
    answers: &mut BTreeMap<String, VerifiedRelease>,
    by_office: bool,
    level: Level,
) -> Result<(Vec<CombinedTable>, Vec<String>), CombineError> {
    let (tables, left_out) = combine_within(&side_by_side(answers), by_office, level, CELLS_MOST)?;
    let left_out: Vec<String> = left_out.into_iter().map(str::to_owned).collect();
    answers.retain(|office, _| !left_out.contains(office));
    Ok((tables, left_out))
}
