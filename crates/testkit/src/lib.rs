//! What do tests of several rooms share? A region with its certificates, small registers, policies, and gateways and
//! coordinators that run in the test's own process behind real sockets.
//!
//! Architecture invariant: a dev-dependency only; nothing that ships knows this crate.

// What a test needs and does not get is the test's failure, so this crate panics where the others return errors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod answers;
mod background;
mod caller;
mod chain;
mod clock;
mod cluster;
mod coordinator;
mod database;
mod dataset;
mod engine;
mod federation;
mod gate;
mod ledger;
mod limits;
mod memory;
mod office;
mod policy;
mod pooler;
mod readings;
mod register;
mod running;
mod together;
mod world;

pub use answers::{table, tables, unsigned};
pub use background::wait;
pub use caller::{Caller, FailedCall, largest, persons};
pub use clock::TestClock;
pub use cluster::Cluster;
pub use coordinator::{Relayed, TestCoordinator};
pub use database::{Host, TestDatabase};
pub use dataset::residents;
pub use engine::{Engine, Value};
pub use federation::Federation;
pub use gate::{Gate, Mode};
pub use ledger::{AccountRow, RecordRow, TestLedger};
pub use limits::generous;
pub use memory::memory_kb;
pub use office::Office;
pub use policy::{Policy, TestGrant};
pub use pooler::{PoolMode, Pooler};
pub use readings::{ReadAs, read_columns, readings};
pub use register::{KEYS, Person, Register};
pub use together::at_once;
pub use world::{EKU, TestIdentity, TestRegion};
