//! Who is this, and did they sign it? Certificates, principals, signed envelopes and TLS settings.
//!
//! Architecture invariant: this crate signs and verifies opaque bytes. It knows no query, no release, no protobuf,
//! no network and no clock (TLS settings excepted, where rustls reads the time of a handshake itself); the caller
//! says what time it is.
//!
//! Architecture invariant: authority over a question comes from [`verify`] alone, never from a TLS peer.

mod apart;
mod authority;
mod bundle;
mod certificate;
mod chain;
mod described;
mod dsse;
mod encrypted;
mod envelope;
mod explain;
mod fingerprint;
mod key;
mod oid;
mod peer;
mod pem;
mod purposes;
mod region;
mod renewal;
mod request;
mod revocation;
mod revocation_list;
mod revocation_reason;
mod revoking;
mod signer;
mod spki;
mod text;
mod tls;

#[cfg(test)]
mod fixture;

pub use apart::{OneKey, check_apart};
pub use authority::{Authority, AuthorityError, Certified, Issued, Lifetime};
pub use bundle::{Bundle, BundleFault};
pub use certificate::{CertificateFault, Facts};
pub use chain::{CERTIFICATE_BYTES_MOST, CERTIFICATES_MOST, ChainFault};
pub use described::{CertificateUse, Described};
pub use dsse::{PayloadType, digest, pae, sha256, verify_signature};
pub use encrypted::{PASSPHRASE_CHARACTERS_LEAST, PassphraseError, decrypt_key, encrypt_key, is_encrypted};
pub use envelope::{Envelope, EnvelopeLimits, Unauthenticated, Verified, signing_key, verify};
pub use explain::{OwnFault, check_own, explain_handshake};
pub use fingerprint::{Fingerprint, FingerprintError};
pub use key::{KeyError, KeyKind};
pub use lango_principal::{Role, SpiffeError, SpiffeId};
pub use oid::{Oid, OidError};
pub use peer::{Expected, PeerFault, peer_id, stands};
pub use pem::{PemError, certificate_to_pem, certificates_from_pem, key_from_pem};
pub use region::{Region, RegionError};
pub use renewal::{RenewalError, SignedRenewal};
pub use request::{IdentityRequest, NAME_CHARACTERS_MOST, NewRequest, RequestError};
pub use revocation::{RevocationFault, RevocationRule, Revocations, check_age};
pub use revocation_list::{REVOCATION_BYTES_MOST, RevocationList, RevocationListFault, Revoked};
pub use revocation_reason::{NoReason, RevocationReason};
pub use revoking::Revocation;
pub use rustls::pki_types::{CertificateDer, PrivateKeyDer};
pub use rustls::{ClientConfig, ServerConfig};
pub use signer::{Signer, SignerError};
pub use tls::{TlsError, TlsIdentity, client_config, server_config};
