//! What travels, and what does it mean in the domain? Generated messages, and the way to and from them.
//!
//! Architecture invariant: the only user of prost. Payloads are decoded strictly and only after their signature was
//! verified; what came from a peer stays bytes until it is worth reading ([`sealed`]); [`refusal`] is the only place where a
//! refusal gets its status, and [`words`] the only one where it gets words.

#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants))]

pub mod absence;
mod administration;
mod admit;
pub mod answer;
mod audit;
pub mod client;
pub mod description;
pub mod kept;
pub mod limits;
pub mod question;
pub mod reflection;
pub mod refusal;
pub mod sealed;
pub mod signed;
pub mod status;
mod witness;
pub mod words;

mod currency;
mod envelope;

pub use absence::Absence;
pub use administration::{Act, Administration, REVIEW_LETTERS_LEAST, ReviewChoice, review_range};
pub use admit::{Admission, CLOCK_SKEW_S, FREE_LIFE_S_MAX, SignedRequest};
pub use answer::{AnswerError, Inquiry, VerifiedPrice, VerifiedReceipt, VerifiedRelease, Wanted};
pub use audit::{Audit, AuditLookup};
pub use currency::FREE;
pub use description::{
    DatasetColumn, DescribedDataset, DescribedGrant, DescribedNumbers, DescribedRefusal, VerifiedDescription,
};
pub use envelope::{envelope_bytes, envelope_digest, kept_envelope};
pub use limits::{MESSAGE_BYTES_MAX, OnWire, PAGE_MOST};
pub use question::{FieldFault, Lookup, Malformed, Object, Question};
pub use refusal::{
    AdministrationFault, Arguments, BudgetFault, COORDINATOR_CODES, Refusal, ReviewFault, TimeFault,
};
pub use signed::{
    Basics, Cells, Charged, Reviewed, SignedDescription, SignedHidden, SignedPrice, SignedRefusal,
    SignedRelease,
};
pub use witness::{ShownLog, Witness, WitnessAct};

/// The generated messages, clients and servers of `lango.v1`.
#[allow(missing_docs, clippy::all, clippy::pedantic, clippy::restriction)]
pub mod pb {
    tonic::include_proto!("lango.v1");
}

/// The compiled protocol, for reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/lango.bin"));
