//! Where are the ledger, the releases and the access records kept, durably and together?
//!
//! Architecture invariant: decides nothing about budgets (that is `ledger`) and knows no clock. Every change is one
//! transaction, durable before its function returns; nothing slow or random happens inside one.

mod record;
mod release;
mod reserve;
mod rows;
mod schema;
mod secret;

pub use record::{Decision, Entry, Record};
pub use release::{Made, ReleaseKey, Stored};
pub use reserve::{Charge, Held, Reserve, Reserved};
pub use schema::{Location, Store, StoreError};
