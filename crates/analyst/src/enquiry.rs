//! What is asked, of whom, and how the answer is laid out.

use lango_identity::{Role, SpiffeId};
use lango_privacy::{Level, Query};

use crate::error::AskError;

/// A question before it is signed.
#[derive(Debug, Clone)]
pub struct Enquiry {
    /// The question.
    pub query: Query,
    /// Office by office, or added up.
    pub by_office: bool,
    /// What the answer is for.
    pub purpose: String,
    /// Fewer answers are insufficient.
    pub at_least: u32,
    /// The confidence of the intervals.
    pub level: Level,
    /// The short names of the offices that are asked; empty means every member.
    pub members: Vec<String>,
}

/// The offices of a region with these short names.
pub(crate) fn named_offices(names: &[String], region: &str) -> Result<Vec<SpiffeId>, AskError> {
    let id = |name: &String| SpiffeId::new(region, Role::Office, name).map_err(AskError::Member);
    names.iter().map(id).collect()
}

impl Enquiry {
    /// Refuses what several offices' answers cannot be added up of, before it is sent.
    pub(crate) fn adds_up(&self, offices: usize) -> Result<(), AskError> {
        match self.query.chosen() {
            Some((measure, column)) if offices > 1 && !self.by_office => {
                Err(AskError::QuantilePerOffice { measure: measure.clone(), column: column.clone() })
            }
            Some(_) | None => Ok(()),
        }
    }
}
