//! May this loss be charged? Accounts, reservations, requests and pools as pure state transitions.
//!
//! Architecture invariant: knows no clock, file or database. `store` loads the state, these functions decide, `store`
//! writes what they return, in one transaction.

mod account;
mod pools;
mod request;
mod reservation;

pub use account::{Account, Balance, Holder, Limit, Refusal};
pub use pools::{Declared, Known, Member, Pools, PoolsError, follow};
pub use request::{Claim, Claimed, claim, may_charge};
pub use reservation::{Event, Reservation, State, TransitionError};
