//! May this loss be charged? Accounts and reservations as pure state transitions.
//!
//! Architecture invariant: knows no clock, file or database. `store` loads the state, these functions decide, `store`
//! writes what they return, in one transaction.

mod account;
mod reservation;

pub use account::{Account, Balance, ChargeRefusal, Holder, Limit};
pub use reservation::{Event, Reservation, State, TransitionError};
