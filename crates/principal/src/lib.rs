//! Who is a principal, and whom does a grant's pattern mean?
//!
//! Architecture invariant: pure. Knows names and how they are written; no certificate, no key, no policy and no message.

mod id;
mod pattern;

pub use id::{Role, SpiffeError, SpiffeId, check_trust_domain};
pub use pattern::PrincipalPattern;
