//! How does a request become a release? The gateway beside an office's database.
//!
//! The way of a request, top to bottom: [`service`] takes it off the wire, `authenticate` finds out who signed it, `share`
//! holds it against what its principal may ask, and `turn` against what has come before. `release` takes a question past its
//! stops: `authorize`, `plan`, `reserve`, `measure`, `sign`; `estimate` makes prices, and `describe` what is looked up.
//! `refuse` makes every refusal, and `grid` decides when an answer leaves. `in_force` is the policy that decides, and `change`
//! takes another. `administer` does what the office's administrators sign, `audit` shows its auditors the log, and `sealing`
//! proves what is in it.
//!
//! Architecture invariant: knows nothing of other offices.

#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants))]

mod accounts;
mod administer;
mod administrators;
mod anchoring;
mod answer_room;
mod audit;
mod authenticate;
mod authorize;
mod begin;
mod bounds;
mod capacity;
mod change;
mod changes;
mod config;
mod describe;
mod estimate;
mod failures;
mod faults;
mod flights;
mod forked;
mod free_answers;
mod grid;
mod hide;
mod in_force;
mod keys;
mod lapse;
mod lease;
mod measure;
mod open_error;
mod pace;
mod plan;
mod pools;
mod recall;
mod refuse;
mod release;
mod release_key;
mod renew;
mod reserve;
mod review;
mod reviewed;
mod secret;
mod serve;
mod service;
mod share;
mod shown;
mod sign;
mod standing;
mod started;
mod turn;
mod two;
mod withheld;
mod witness;

pub use accounts::{AccountStanding, AccountsError, PolicyAccount, account_standings, policy_accounts};
pub use administrators::{Activation, Administrators};
pub use change::PolicyChange;
pub use config::{Clock, Gateway, GatewayConfig, system_clock};
pub use in_force::{PolicyError, policy_digest};
pub use lango_sealing::LogError;
pub use lapse::{decided, lapsed, review_event, review_name};
pub use open_error::OpenError;
pub use pools::{DeclareError, declared_members, reached_members};
pub use renew::RenewError;
pub use reviewed::{ReviewFound, ReviewedTable, reviews_found};
pub use secret::{SecretError, bounding_secret};
pub use serve::{GatewayServeError, serve};
pub use shown::Travels;
pub use standing::{PolicyStanding, SignedBy, WaitingPolicy};
pub use two::{Signing, standing_files};
