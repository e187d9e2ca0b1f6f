//! Whether a chain of certificates leads to the region's authority at a given time, and how long it may be.

use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{
    EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeId, KeyPurposeIdIter, KeyUsage, VerifiedPath,
};

use crate::region::Region;
use crate::revocation::Link;
use crate::revocation_list::contents;
use crate::text::utc;

/// The most certificates of a chain that signs: the signer's own and the authorities between it and the region's.
pub const CERTIFICATES_MOST: usize = 4;
/// The most bytes of one of them, in DER.
pub const CERTIFICATE_BYTES_MOST: usize = 16 * 1024;
/// What TLS takes of a chain, whatever is sent beside it: rustls keeps at most 64 KiB of what a peer sends in a handshake. And
/// what TLS adds to each certificate.
const TLS_CHAIN_BYTES_MOST: usize = 60 * 1024;
const TLS_CERTIFICATE_FRAME_BYTES: usize = 5;

/// The use that a chain must be good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Signing,
    Tls,
}

/// How long a chain may be and how large its certificates: the rule of the verifier, and of the one who would send it.
pub(crate) fn check_size(chain: &[CertificateDer<'_>], usage: Use) -> Result<(), ChainFault> {
    match usage {
        Use::Signing => {
            let count = chain.len();
            if count > CERTIFICATES_MOST {
                return Err(ChainFault::TooLong { count });
            }
            match chain.iter().map(|der| der.len()).find(|bytes| *bytes > CERTIFICATE_BYTES_MOST) {
                Some(bytes) => Err(ChainFault::TooLarge { bytes, bytes_max: CERTIFICATE_BYTES_MOST }),
                None => Ok(()),
            }
        }
        Use::Tls => {
            let bytes = chain.iter().map(|der| der.len() + TLS_CERTIFICATE_FRAME_BYTES).sum();
            match bytes > TLS_CHAIN_BYTES_MOST {
                true => Err(ChainFault::TooLarge { bytes, bytes_max: TLS_CHAIN_BYTES_MOST }),
                false => Ok(()),
            }
        }
    }
}

/// One's own chain as it is sent: without the authorities at the top (certificates that sign themselves), which a verifier
/// has already and takes from nobody. The first certificate always stays.
pub(crate) fn without_roots(mut chain: Vec<CertificateDer<'static>>) -> Vec<CertificateDer<'static>> {
    let mut is_own = true;
    chain.retain(|certificate| std::mem::take(&mut is_own) || !signs_itself(certificate));
    chain
}

fn signs_itself(certificate: &CertificateDer<'_>) -> bool {
    let Ok((_, certificate)) = x509_parser::parse_x509_certificate(certificate) else { return false };
    certificate.subject().as_raw() == certificate.issuer().as_raw()
        && certificate.verify_signature(None).is_ok()
}

/// Checks size, signatures, validity, constraints and purposes from the first certificate up to an authority. Returns the
/// certificates of that way, which a revocation list may hold.
pub(crate) fn check_chain(
    chain: &[CertificateDer<'_>],
    region: &Region,
    now: i64,
    usage: Use,
) -> Result<Vec<Link>, ChainFault> {
    check_size(chain, usage)?;
    let (leaf, above) = chain.split_first().ok_or(ChainFault::Empty)?;
    let leaf = EndEntityCert::try_from(leaf)?;
    let anchors = region.anchors().map_err(|_| ChainFault::UnknownAuthority)?;
    // A time before 1970 is before every certificate.
    let time = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now).unwrap_or(0)));
    // Those that a peer's TLS takes, here as well: what is accepted at one end is accepted at the other.
    let algorithms = ring::default_provider().signature_verification_algorithms.all;
    match usage {
        Use::Signing => {
            let purpose = IfPresent(KeyPurposeId::new(region.signing_eku().der()));
            links(&leaf.verify_for_usage(algorithms, &anchors, above, time, purpose, None, None)?)
        }
        Use::Tls => {
            let purpose = KeyUsage::client_auth();
            leaf.verify_for_usage(algorithms, &anchors, above, time, purpose, None, None)?;
            let purpose = KeyUsage::server_auth();
            links(&leaf.verify_for_usage(algorithms, &anchors, above, time, purpose, None, None)?)
        }
    }
}

/// The certificates of a verified way, without the region's own authority.
fn links(path: &VerifiedPath<'_>) -> Result<Vec<Link>, ChainFault> {
    let mut links = vec![(path.end_entity().serial(), path.end_entity().issuer())];
    let mut keys = Vec::new();
    for authority in path.intermediate_certificates() {
        keys.push(contents(&authority.subject_public_key_info()).to_vec());
        links.push((authority.serial(), authority.issuer()));
    }
    keys.push(path.anchor().subject_public_key_info.as_ref().to_vec());
    let link = |((serial, issuer), issuer_key): ((&[u8], &[u8]), Vec<u8>)| Link {
        issuer_key,
        issuer: issuer.to_vec(),
        serial: serial.to_vec(),
    };
    Ok(links.into_iter().zip(keys).map(link).collect())
}

/// A purpose that a certificate may leave open, as intermediate authorities do. webpki's `KeyUsage` takes only
/// identifiers known at compile time. [`Facts::check_signing`](crate::Facts) checks that the *first* certificate does
/// name the purpose.
struct IfPresent<'a>(KeyPurposeId<'a>);

impl ExtendedKeyUsageValidator for IfPresent<'_> {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        let present = purposes.collect::<Result<Vec<_>, _>>()?;
        match present.is_empty() || present.contains(&self.0) {
            true => Ok(()),
            #[expect(deprecated, reason = "the variant with context cannot be built for such an identifier")]
            false => Err(webpki::Error::RequiredEkuNotFound),
        }
    }
}

/// Why a chain does not lead to the region's authority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// No certificate at all.
    #[error("no certificate")]
    Empty,
    /// More certificates than a signed message may carry.
    #[error(
        "a chain of {count} certificates is too long: at most {CERTIFICATES_MOST} are accepted, the principal's own among them"
    )]
    TooLong {
        /// How many there are.
        count: usize,
    },
    /// A certificate of a signed message, or a chain in TLS, is larger than verifiers take.
    #[error("{bytes} bytes of certificates are too large: at most {bytes_max} are accepted")]
    TooLarge {
        /// The size of the one certificate, or of the chain in TLS.
        bytes: usize,
        /// The most that is accepted.
        bytes_max: usize,
    },
    /// More authorities than are followed.
    #[error("the chain has more authorities above one another than verifiers follow, which are six")]
    TooDeep,
    /// A key or a signature of a kind that verifiers do not take.
    #[error(
        "a key or signature of the chain is of a kind that verifiers do not take: take RSA of 2,048 bits or more, ECDSA on P-256 or \
         P-384, or Ed25519"
    )]
    Algorithm,
    /// Its issuer is not trusted in the region, or is not the one that it names.
    #[error("the certificate is not from the region's authority")]
    UnknownAuthority,
    /// A certificate of the chain has expired.
    #[error("the certificate expired at {}", utc(*.not_after))]
    Expired {
        /// Its last second, Unix time.
        not_after: i64,
    },
    /// A certificate of the chain is not valid yet.
    #[error("the certificate is not valid before {}", utc(*.not_before))]
    NotYetValid {
        /// Its first second, Unix time.
        not_before: i64,
    },
    /// A certificate of the chain is for other purposes.
    #[error("the certificate is for another purpose")]
    Purpose,
    /// Anything else.
    #[error("the certificate is unacceptable: {0}")]
    Other(webpki::Error),
}

impl From<webpki::Error> for ChainFault {
    #[expect(deprecated, reason = "see IfPresent")]
    fn from(error: webpki::Error) -> Self {
        match error {
            webpki::Error::CertExpired { not_after, .. } => Self::Expired { not_after: seconds(not_after) },
            webpki::Error::CertNotValidYet { not_before, .. } => {
                Self::NotYetValid { not_before: seconds(not_before) }
            }
            webpki::Error::UnknownIssuer | webpki::Error::InvalidSignatureForPublicKey => {
                Self::UnknownAuthority
            }
            webpki::Error::RequiredEkuNotFound | webpki::Error::RequiredEkuNotFoundContext(_) => {
                Self::Purpose
            }
            webpki::Error::MaximumPathDepthExceeded => Self::TooDeep,
            webpki::Error::UnsupportedSignatureAlgorithm
            | webpki::Error::UnsupportedSignatureAlgorithmContext(_)
            | webpki::Error::UnsupportedSignatureAlgorithmForPublicKey
            | webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => Self::Algorithm,
            other => Self::Other(other),
        }
    }
}

pub(crate) fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
