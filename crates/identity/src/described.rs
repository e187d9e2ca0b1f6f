//! What any certificate says, a principal's, an authority's or somebody else's.

use rustls::pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};
use x509_parser::extensions::GeneralName;

use crate::certificate::CertificateFault;
use crate::chain::{Use, check_chain};
use crate::envelope::{Unauthenticated, check_certificates};
use crate::purposes::purposes;
use crate::region::Region;
use crate::request::{address, is_for_signing};
use crate::spki::key_words;
use lango_words::printable;

/// What a certificate says. Nothing here is verified: a stranger may have written it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Whom it names, as X.509 does.
    pub subject: String,
    /// Who is said to have issued it.
    pub issuer: String,
    /// Serial number in lower-case hexadecimal.
    pub serial: String,
    /// First second of its validity, Unix time.
    pub not_before: i64,
    /// Last second of its validity, Unix time.
    pub not_after: i64,
    /// SHA-256 of the DER encoding.
    pub fingerprint: [u8; 32],
    /// The kind of its key, in words.
    pub key: String,
    /// Whether it may issue others.
    pub is_authority: bool,
    /// Its URI names: a principal has one.
    pub uris: Vec<String>,
    /// Its hosts' names and addresses.
    pub hosts: Vec<String>,
    /// Extended key usages as dotted numbers, in no order.
    pub purposes: Vec<String>,
}

impl Described {
    /// Reads a certificate in DER.
    ///
    /// # Errors
    /// [`CertificateFault::Encoding`].
    pub fn read(der: &[u8]) -> Result<Self, CertificateFault> {
        let unreadable = |error: String| CertificateFault::Encoding(error);
        let (_, certificate) =
            x509_parser::parse_x509_certificate(der).map_err(|error| unreadable(error.to_string()))?;
        let names = certificate.subject_alternative_name().map_err(|error| unreadable(error.to_string()))?;
        let usage = certificate.extended_key_usage().map_err(|error| unreadable(error.to_string()))?;
        let (mut uris, mut hosts) = (Vec::new(), Vec::new());
        for name in names.iter().flat_map(|names| &names.value.general_names) {
            match name {
                GeneralName::URI(uri) => uris.push(printable(uri)),
                GeneralName::DNSName(host) => hosts.push(printable(host)),
                GeneralName::IPAddress(bytes) => hosts.extend(address(bytes)),
                _ => {}
            }
        }
        Ok(Self {
            subject: printable(&certificate.subject().to_string()),
            issuer: printable(&certificate.issuer().to_string()),
            serial: hex::encode(certificate.raw_serial()),
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
            fingerprint: Sha256::digest(der).into(),
            key: key_words(certificate.public_key()),
            is_authority: certificate.is_ca(),
            uris,
            hosts,
            purposes: usage.map(|usage| purposes(usage.value)).unwrap_or_default(),
        })
    }
}

/// What a principal's chain is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateUse {
    /// Both ends of TLS.
    Tls,
    /// Signing.
    Signing,
}

impl CertificateUse {
    /// Judges a chain as verifiers of the region do, at `now` (Unix seconds): by what its first certificate claims to be for.
    ///
    /// # Errors
    /// What they would refuse it for.
    pub fn of(chain: &[CertificateDer<'_>], region: &Region, now: i64) -> Result<Self, Unauthenticated> {
        let facts = crate::certificate::leaf_facts(chain).ok_or(crate::chain::ChainFault::Empty)??;
        if is_for_signing(&facts.purposes, region.signing_eku()) {
            check_certificates(chain, region, (region.revocation(), now))?;
            return Ok(Self::Signing);
        }
        facts.check_tls(region)?;
        let links = check_chain(chain, region, now, Use::Tls)?;
        region.revocations().check(&links, region.revocation(), now)?;
        Ok(Self::Tls)
    }
}
