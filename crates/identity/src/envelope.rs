//! Signed envelopes, and the check of who signed one.

use rustls::pki_types::CertificateDer;

use crate::certificate::{CertificateFault, Facts, leaf_facts};
use crate::chain::{ChainFault, Use, check_chain, check_size};
use crate::dsse::{PayloadType, verify_signature};
use crate::region::Region;
use crate::revocation::{RevocationFault, RevocationRule};
use lango_principal::SpiffeId;
use lango_words::printable;

/// A message as it travels. Trust nothing in it before [`verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The media type as received.
    pub payload_type: String,
    /// The signed bytes; never re-serialised before they are verified.
    pub payload: Vec<u8>,
    /// 64 bytes.
    pub signature: Vec<u8>,
    /// DER, the signer's first, then the authorities between it and the region's: four at most, of 16 KiB each.
    pub certificates: Vec<Vec<u8>>,
}

/// How large an envelope's payload may be; its chain has limits of its own. The default is the gateway's for queries: 256 KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnvelopeLimits {
    /// Bytes of the payload.
    pub payload_bytes_max: usize,
}

impl Default for EnvelopeLimits {
    fn default() -> Self {
        Self { payload_bytes_max: 256 * 1024 }
    }
}

/// What an envelope proves: this principal signed this payload as a message of the expected type. The caller checks
/// whether the principal has the role for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Who signed.
    pub principal: SpiffeId,
    /// What the signer's certificate says.
    pub certificate: Facts,
    /// What was signed.
    pub payload: Vec<u8>,
}

/// Verifies an envelope at `now` (Unix seconds): sizes and payload type (A1), certificates (A2), revocation by the lists that
/// the region holds (A3), signature (A4). A certificate that was taken back later than `now` stands, so that what was signed
/// before is good for ever.
///
/// # Errors
/// [`Unauthenticated`], the first check that failed. The caller's peer MUST NOT learn which.
pub fn verify(
    envelope: &Envelope,
    expected: PayloadType,
    region: &Region,
    now: i64,
    limits: EnvelopeLimits,
) -> Result<Verified, Unauthenticated> {
    let bytes = envelope.payload.len();
    if bytes > limits.payload_bytes_max {
        return Err(Unauthenticated::PayloadSize { bytes });
    }
    if envelope.payload_type != expected.media_type() {
        return Err(Unauthenticated::PayloadType { expected, found: printable(&envelope.payload_type) });
    }
    let chain: Vec<_> =
        envelope.certificates.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
    // Before any of them is read.
    check_size(&chain, Use::Signing)?;
    let (certificate, public_key) = check_certificates(&chain, region, (region.revocation(), now))?;
    if !verify_signature(&public_key, expected.media_type(), &envelope.payload, &envelope.signature) {
        return Err(Unauthenticated::Signature);
    }
    Ok(Verified { principal: certificate.spiffe.clone(), certificate, payload: envelope.payload.clone() })
}

/// Whose a chain of certificates is (DER, the signer's own first), and the key that it signs with, as of a moment in Unix
/// seconds: what a signature is verified by that is in no envelope.
///
/// # Errors
/// [`Unauthenticated`], where the chain is no signer's of the region at that moment.
pub fn signing_key(
    chain: &[Vec<u8>],
    region: &Region,
    at: i64,
) -> Result<(SpiffeId, [u8; 32]), Unauthenticated> {
    let chain: Vec<_> = chain.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
    check_size(&chain, Use::Signing)?;
    let (facts, public_key) = check_certificates(&chain, region, (region.revocation(), at))?;
    Ok((facts.spiffe, public_key))
}

/// A2 and A3: the first certificate keeps the rules for signing, the chain leads to the region's authority, and none of it was
/// taken back, as far as the rule asks.
pub(crate) fn check_certificates(
    chain: &[CertificateDer<'_>],
    region: &Region,
    (rule, now): (RevocationRule, i64),
) -> Result<(Facts, [u8; 32]), Unauthenticated> {
    let facts = leaf_facts(chain).ok_or(ChainFault::Empty)??;
    let public_key = facts.check_signing(region)?;
    let links = check_chain(chain, region, now, Use::Signing)?;
    region.revocations().check(&links, rule, now)?;
    Ok((facts, public_key))
}

/// Why an envelope proves nothing. For the gateway's own log: the caller sees `UNAUTHENTICATED` and no more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unauthenticated {
    /// A1: the payload is too large.
    #[error("a payload of {bytes} bytes is too large")]
    PayloadSize {
        /// Its size.
        bytes: usize,
    },
    /// A1: a message of another type.
    #[error("the envelope is of type `{found}` instead of `{expected}`")]
    PayloadType {
        /// The type expected.
        expected: PayloadType,
        /// The type received.
        found: String,
    },
    /// A2: the signer's certificate breaks a rule.
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
    /// A1: the chain is too long, or a certificate too large. A2: it does not lead to the region's authority.
    #[error(transparent)]
    Chain(#[from] ChainFault),
    /// A3: a certificate was taken back, or nothing says that it was not.
    #[error(transparent)]
    Revocation(#[from] RevocationFault),
    /// A4: not the signature of this payload by this certificate's key.
    #[error("the signature is not the certificate's over this payload")]
    Signature,
}

#[cfg(test)]
mod tests;
