//! How does a request become a release? The gateway beside an office's database.
//!
//! The way of a request, top to bottom: [`service`] takes it off the wire, `authenticate` finds out who signed it,
//! `release` walks it through policy, plan, ledger, source and noise, `refuse` answers whoever may not pass, and `grid` says
//! when an answer leaves.
//!
//! Architecture invariant: knows nothing of other offices.

mod authenticate;
mod config;
mod describe;
mod earlier;
mod estimate;
mod flights;
mod grid;
mod refuse;
mod release;
mod secret;
mod serve;
mod service;

pub use config::{Clock, Config, Gateway, OpenError, system_clock};
pub use secret::{SecretError, bounding_secret};
pub use serve::{ServeError, serve};
