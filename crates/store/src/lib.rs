//! Where are the ledger, the releases and the access records kept, durably and together?
//!
//! Architecture invariant: decides nothing about budgets (that is `ledger`) and knows no clock. Every change is part of one
//! transaction, durable before its function returns; nothing slow or random happens inside one.

#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants))]

mod administration;
mod anchor;
mod balance;
mod engine;
mod error;
mod examine;
#[cfg(test)]
mod fixture;
mod guard;
mod key;
mod leaf;
mod location;
mod log;
mod log_earlier;
mod policy;
mod pooler;
mod pools;
mod purging;
mod reader;
mod record;
mod release;
mod request;
mod reserve;
mod review;
mod rows;
mod schema;
mod secret;
mod statement;
mod version;
mod wal;
mod writer;

pub use anchor::{Anchor, Anchored, StorePosition};
pub use error::{AnchorError, DatabaseError, PoolerSign, StoreAbsence, StoreError};
pub use examine::{Examined, Written};
pub use guard::LogState;
pub use key::ReleaseKey;
pub use location::Location;
pub use log::{CheckpointKind, FullTile, KeptBalance, KeptBalances};
pub use policy::{KeptPolicy, PolicySignature};
pub use pools::Moved;
pub use reader::{HistoryFilter, StoreReader};
pub use record::{Decision, Entry, OfRequest, Record, Recorded, Step};
pub use release::{Made, Settled, Stored};
pub use request::{Claiming, KeptAnswers, Seen};
pub use reserve::{Charge, HeldCharge, Reserve, Reserved};
pub use review::{
    REVIEWS_OPEN_MOST, ReviewAsked, ReviewFilter, ReviewStep, ReviewSubject, ReviewVerdict, StoredReview,
    WHY_BYTES_MOST,
};
pub use schema::Store;
