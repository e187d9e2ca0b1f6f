//! How does one question reach many gateways, and their answers one table?
//!
//! Architecture invariant: the coordinator is trusted with nothing. It relays the analyst's envelope byte for byte,
//! passes every release on so that the analyst verifies it again, and signs and stores nothing of it. As a witness it signs that
//! logs go on, and stores where they ended.
//!
//! Architecture invariant: cells never reach a log line.

#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants))]

mod ask;
mod clock;
mod combined;
mod config;
mod copies;
mod events;
mod members;
mod memory;
mod question;
mod server;
mod service;
mod witness;

pub use config::{CoordinatorConfig, MemberAddress};
pub use members::MembersError;
pub use server::{CoordinatorServeError, serve};
pub use witness::{WitnessConfig, WitnessError};

#[cfg(test)]
mod tests;
