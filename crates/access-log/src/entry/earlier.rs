//! Records from before the log was kept.

use serde::{Deserialize, Serialize};

use crate::values::{Amount, Hex};

use super::request::{LoggedLoss, LoggedQuestion};

/// A record that was a row of a table before the log was kept: nothing but the store vouches for what it says. Who asked, when
/// and under which policy stands in the entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlierRecord {
    /// The agreement that the rule cites.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<String>,
    /// What was charged.
    pub charged: LoggedLoss,
    /// The dataset asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// The record's word for what was decided.
    pub decision: String,
    /// For what, in the asker's words.
    pub purpose: String,
    /// The question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<LoggedQuestion>,
    /// The record's reason, empty where it has none.
    pub reason: String,
    /// What was handed out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Hex<16>>,
    /// Digest of the request; of the policy where that changed.
    pub request: Hex<32>,
    /// The grant that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The record's number, from 1.
    pub sequence: Amount,
}
