//! Whether a chain of certificates leads to the region's authority at a given time.

use std::time::Duration;

use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeId, KeyPurposeIdIter, KeyUsage};

use crate::region::Region;
use crate::text::utc;

/// The use that a chain must be good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Signing,
    Tls,
}

/// Checks signatures, validity, constraints and purposes from the first certificate up to an authority.
pub(crate) fn check_chain(
    chain: &[CertificateDer<'_>],
    region: &Region,
    now: i64,
    usage: Use,
) -> Result<(), ChainFault> {
    let (leaf, above) = chain.split_first().ok_or(ChainFault::Empty)?;
    let leaf = EndEntityCert::try_from(leaf)?;
    let anchors = region.anchors().map_err(|_| ChainFault::UnknownAuthority)?;
    // A time before 1970 is before every certificate.
    let time = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now).unwrap_or(0)));
    let algorithms = webpki::ALL_VERIFICATION_ALGS;
    match usage {
        Use::Signing => {
            let purpose = IfPresent(KeyPurposeId::new(region.signing_eku().der()));
            leaf.verify_for_usage(algorithms, &anchors, above, time, purpose, None, None)?;
        }
        Use::Tls => {
            for purpose in [KeyUsage::client_auth(), KeyUsage::server_auth()] {
                leaf.verify_for_usage(algorithms, &anchors, above, time, purpose, None, None)?;
            }
        }
    }
    Ok(())
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
            other => Self::Other(other),
        }
    }
}

pub(crate) fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}
