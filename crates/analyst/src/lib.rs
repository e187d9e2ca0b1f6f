//! What did the offices sign in answer to a question? Asks through a coordinator, verifies every answer, price, description and
//! refusal, and adds up.
//!
//! Architecture invariant: the coordinator is trusted with nothing. What it says is bounded in size, number and time, and counts
//! only where an office signed it.
//!
//! Architecture invariant: prints nothing. What happens on the way are events, what comes of it are values, what fails is an
//! error; words for people are made by the caller.

#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants))]

mod answered;
mod client;
mod clock;
mod enquiry;
mod error;
mod event;
mod stream;

pub use answered::{Answered, MemberCatalogue, NoAnswer, Prices};
pub use client::{Asking, Client, Credentials, Describing, Pricing};
pub use clock::now;
pub use enquiry::Enquiry;
pub use error::{AskError, CoordinatorFault};
pub use event::{AskEvent, BrokenOff, Discarded};
