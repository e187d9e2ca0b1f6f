//! May this loss be charged? Accounts, reservations, requests and pools as pure state transitions.
//!
//! Architecture invariant: knows no clock, file or database. `store` loads the state, these functions decide, `store`
//! writes what they return, in one transaction.

#![deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]

mod account;
mod pools;
mod request;
mod reservation;
mod review;

pub use account::{Account, Balance, ChargeRefusal, Holder, Limit};
pub use pools::{DeclaredMember, KnownMember, PoolMember, Pools, PoolsError, follow};
pub use request::{Claim, Claimed, RequestMemory, claim, may_charge};
pub use reservation::{Reservation, ReservationEvent, ReservationState, TransitionError};
pub use review::{ReviewEvent, ReviewState, ReviewStepError};
