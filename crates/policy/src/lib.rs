//! Who may ask what: policy files, read, checked and decided by.
//!
//! Architecture invariant: pure. Knows no clock, file, socket or database; every decision is a function of its
//! arguments, and a request is denied unless a grant allows it.

#![deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]

mod agreement;
mod authorize;
mod budget;
mod canonical;
mod check;
mod communities;
mod declare;
mod denial;
mod diff;
mod explain;
mod file;
mod grant;
mod grants;
mod index;
mod judge;
mod labels;
mod lists;
mod open;
mod prohibition;
mod purpose;
mod refusals;
mod replay;
mod set;
mod trial;
mod warn;
mod within;

pub use agreement::{Agreement, AgreementError};
pub use authorize::Granted;
pub use budget::{Budget, Pool, Renewal};
pub use canonical::{canonical_bytes, canonical_documents};
pub use denial::{AccessRequest, Denial, DenialCode, DenialReason};
pub use diff::{Askers, Change, Comparison, Difference, Example, Novelty, PolicyDiff, TermChange};
pub use explain::{Objection, Verdict, covers};
pub use grant::{Grant, GrantPart, Review, Validity};
pub use judge::Judged;
pub use labels::CodeLabels;
pub use lists::CountryCodes;
pub use open::{OpenDataset, OpenGrant, OpenRefusal};
pub use prohibition::Prohibition;
pub use purpose::short as short_purpose;
pub use replay::{ReplayChange, Replayed};
pub use set::PolicySet;
pub use trial::{Trial, TrialFailure, Tried};
