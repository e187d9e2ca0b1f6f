//! How is a store's log held to what was signed of it? Its tree, its checkpoints, receipts of its entries, and what witnesses
//! cosign.
//!
//! Architecture invariant: decides nothing about requests and knows no message. An entry is written by who has something to
//! record, in the transaction of that (`store`); this room reads what was written.

#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants))]

mod cosigning;
mod keys;
mod sealing;
mod signer_in_use;

pub use cosigning::{CosignError, cosign, held};
pub use keys::{list_taken, renewed};
pub use sealing::{LogError, LogHead, Present, Receipt, Sealing};
pub use signer_in_use::SignerInUse;
