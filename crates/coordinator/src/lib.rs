//! How does one question reach many gateways, and their answers one table?
//!
//! Architecture invariant: the coordinator is trusted with nothing. It relays the analyst's envelope byte for byte,
//! passes every release on so that the analyst verifies it again, and signs and stores nothing of it. As a witness it signs that
//! logs go on, and stores where they ended; its own log holds digests of what it passed on.
//!
//! Architecture invariant: cells never reach a log line.

#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants))]

mod ask;
mod audit;
mod clock;
mod combined;
mod config;
mod copies;
mod cosigned;
mod events;
mod log;
mod mailbox;
mod members;
mod memory;
mod question;
mod server;
mod service;
mod visit;
mod witness;

pub use config::{CoordinatorConfig, MemberAddress};
pub use log::LogConfig;
pub use mailbox::MailboxConfig;
pub use members::MembersError;
pub use server::{CoordinatorServeError, serve};
pub use visit::WitnessError;
pub use witness::WitnessConfig;

#[cfg(test)]
mod tests;
