//! Who is this, and did they sign it? Certificates, principals, signed envelopes and TLS settings.
//!
//! Architecture invariant: this crate signs and verifies opaque bytes. It knows no query, no release, no protobuf,
//! no network and no clock (TLS settings excepted, where rustls reads the time of a handshake itself); the caller
//! says what time it is.
//!
//! Architecture invariant: authority over a question comes from [`verify`] alone, never from a TLS peer.

mod apart;
mod authority;
mod certificate;
mod chain;
mod dsse;
mod envelope;
mod explain;
mod oid;
mod peer;
mod pem;
mod region;
mod signer;
mod text;
mod tls;

#[cfg(test)]
mod fixture;

pub use apart::{OneKey, check_apart};
pub use authority::{Authority, AuthorityError, Issued, Lifetime};
pub use certificate::{CertificateFault, Facts};
pub use chain::{CERTIFICATE_BYTES_MOST, CERTIFICATES_MOST, ChainFault};
pub use dsse::{PayloadType, digest, pae, verify_signature};
pub use envelope::{Envelope, EnvelopeLimits, Unauthenticated, Verified, verify};
pub use explain::{OwnFault, check_own, explain_handshake};
pub use lango_principal::{Role, SpiffeError, SpiffeId};
pub use oid::{Oid, OidError};
pub use peer::{Expected, PeerFault, peer_id};
pub use pem::{PemError, certificates_from_pem, key_from_pem};
pub use region::{Region, RegionError};
pub use rustls::pki_types::{CertificateDer, PrivateKeyDer};
pub use signer::{Signer, SignerError};
pub use tls::{TlsError, TlsIdentity, client_config, server_config};
