//! What travels, and what does it mean in the domain? Generated messages, and the way to and from them.
//!
//! Architecture invariant: the only user of prost. Payloads are decoded strictly and only after their signature was
//! verified; [`status`] is the only place where a refusal becomes a gRPC status.

pub mod answer;
pub mod kept;
pub mod question;
pub mod reflection;
pub mod status;

mod envelope;

pub use answer::{Answer, AnswerError, Cells};
pub use question::{Lookup, Malformed, Object, Question};
pub use status::{Refusal, SignedRefusal};

/// The generated messages, clients and servers of `lango.v1`.
#[allow(missing_docs, clippy::all, clippy::pedantic, clippy::restriction)]
pub mod pb {
    tonic::include_proto!("lango.v1");
}

/// The compiled protocol, for reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/lango.bin"));

/// The most bytes of a request or of one message of an answer.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;
