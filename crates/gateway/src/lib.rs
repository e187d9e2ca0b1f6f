//! How does a request become a release? The gateway beside an office's database.
//!
//! The way of a request, top to bottom: [`service`] takes it off the wire, `authenticate` finds out who signed it, and `release`
//! takes a question past its stops: `authorize`, `plan`, `reserve`, `measure`, `sign`. `refuse` makes every refusal, and `grid`
//! decides when an answer leaves.
//!
//! Architecture invariant: knows nothing of other offices.

mod anchoring;
mod answer_room;
mod authenticate;
mod authorize;
mod bounds;
mod capacity;
mod config;
mod describe;
mod estimate;
mod failures;
mod flights;
mod free_answers;
mod grid;
mod lease;
mod measure;
mod pace;
mod plan;
mod pools;
mod refuse;
mod release;
mod reserve;
mod secret;
mod serve;
mod service;
mod share;
mod sign;
mod strangers;
mod turn;
mod withheld;

pub use config::{Clock, Gateway, GatewayConfig, OpenError, system_clock};
pub use pools::{DeclareError, declared_members, reached_members};
pub use secret::{SecretError, bounding_secret};
pub use serve::{GatewayServeError, serve};
