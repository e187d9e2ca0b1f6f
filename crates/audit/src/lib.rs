//! What follows of a log from what it said before, and what does not? Balances, decisions and answers, recomputed from
//! entries and policies; and what the entries say, listed, counted and written for others.
//!
//! Architecture invariant: pure. It is given entries and texts and returns verdicts; it knows no clock, file or socket, and
//! believes neither the office nor its store.
//!
//! Architecture invariant: it decides nothing of its own. Access is what `policy` decides, a charge what `ledger` decides.

#![deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]

mod accounts;
mod amount;
mod audit;
mod balances;
mod charged;
mod claim;
mod decisions;
mod deployment;
mod fault;
mod listed;
mod ocsf;
mod page;
mod pairing;
mod period;
mod policies;
mod pools;
mod register;
mod releases;
mod summary;

#[cfg(test)]
mod fixture;

pub use audit::{AuditReport, LogAudit};
pub use balances::{LedgerBalance, LedgerBalances};
pub use claim::ProvenClaim;
pub use deployment::deployment_entry;
pub use fault::{AccountName, FaultAt, LogFault};
pub use listed::{EntryFilter, ListedEntry};
pub use ocsf::ocsf_event;
pub use page::{PageProof, committee_page};
pub use pairing::{PairedAnswers, Pairing, PassedOn};
pub use policies::{Digests, PolicyTexts};
pub use register::article_30;
pub use summary::{LogSummary, QuestionCounts, SpentBudget};
