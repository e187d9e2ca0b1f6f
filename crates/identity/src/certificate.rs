//! What a certificate says, and the rules a region's certificates keep.

use rustls::pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Error;
use x509_parser::extensions::GeneralName;

use crate::oid::Oid;
use crate::purposes::{CLIENT_AUTH, SERVER_AUTH, is_tls, purposes};
use crate::region::Region;
use crate::spki::ED25519;
use lango_principal::{SpiffeError, SpiffeId};
use lango_words::printable;

/// What a principal's certificate says. Nothing here is verified: a stranger may have written it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The principal: its sole URI name.
    pub spiffe: SpiffeId,
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
    /// The public key, where it is an Ed25519 key.
    pub ed25519: Option<[u8; 32]>,
    /// Whether the key usage `digitalSignature` is present.
    pub digital_signature: bool,
    /// Extended key usages as dotted numbers, in no order.
    pub purposes: Vec<String>,
}

impl Facts {
    /// Reads a DER certificate that has exactly one URI name, a principal's.
    ///
    /// # Errors
    /// [`CertificateFault`] `Encoding`, `UriNames` or `Spiffe`.
    pub fn read(der: &[u8]) -> Result<Self, CertificateFault> {
        let (rest, certificate) = x509_parser::parse_x509_certificate(der).map_err(encoding)?;
        if !rest.is_empty() {
            return Err(CertificateFault::Encoding("bytes after its end".to_owned()));
        }
        let serial = certificate.raw_serial();
        Ok(Self {
            spiffe: sole_uri(&certificate)?.parse()?,
            issuer: printable(&certificate.issuer().to_string()),
            serial: hex::encode(serial),
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
            fingerprint: Sha256::digest(der).into(),
            ed25519: ed25519(&certificate),
            digital_signature: certificate
                .key_usage()
                .map_err(encoding)?
                .is_some_and(|usage| usage.value.digital_signature()),
            purposes: certificate
                .extended_key_usage()
                .map_err(encoding)?
                .map(|usage| purposes(usage.value))
                .unwrap_or_default(),
        })
    }

    /// The rule for every certificate of the region: the principal is of its trust domain.
    pub(crate) fn check_domain(&self, region: &Region) -> Result<(), CertificateFault> {
        match self.spiffe.trust_domain() == region.trust_domain() {
            true => Ok(()),
            false => Err(CertificateFault::TrustDomain {
                principal: self.spiffe.clone(),
                region: region.trust_domain().to_owned(),
            }),
        }
    }

    /// The rules for a certificate that signs; returns its public key.
    pub(crate) fn check_signing(&self, region: &Region) -> Result<[u8; 32], CertificateFault> {
        self.check_domain(region)?;
        if let Some(purpose) = self.purposes.iter().find(|purpose| is_tls(purpose)) {
            return Err(CertificateFault::TlsPurpose(purpose.clone()));
        }
        if !self.purposes.contains(&region.signing_eku().to_string()) {
            return Err(CertificateFault::NoSigningPurpose(region.signing_eku().clone()));
        }
        if !self.digital_signature {
            return Err(CertificateFault::NoDigitalSignature);
        }
        self.ed25519.ok_or(CertificateFault::KeyAlgorithm)
    }

    /// The rules for a certificate that serves TLS: it names both ends of a connection, and does not sign.
    pub(crate) fn check_tls(&self, region: &Region) -> Result<(), CertificateFault> {
        self.check_domain(region)?;
        if self.purposes.contains(&region.signing_eku().to_string()) {
            return Err(CertificateFault::SigningPurpose(region.signing_eku().clone()));
        }
        match [SERVER_AUTH, CLIENT_AUTH].iter().all(|tls| self.purposes.iter().any(|purpose| purpose == tls))
        {
            true => Ok(()),
            false => Err(CertificateFault::NoTlsPurpose),
        }
    }
}

/// What is wrong with a certificate in itself, whatever its issuer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    /// Not a certificate in DER.
    #[error("the certificate is unreadable: {0}")]
    Encoding(String),
    /// Not exactly one URI name.
    #[error("the certificate has {count} URI names instead of one")]
    UriNames {
        /// How many it has.
        count: usize,
    },
    /// The URI name is not a principal's.
    #[error("the certificate's URI name: {0}")]
    Spiffe(#[from] SpiffeError),
    /// The principal is of another region.
    #[error("`{principal}` is not of the trust domain `{region}`")]
    TrustDomain {
        /// Who the certificate names.
        principal: SpiffeId,
        /// The trust domain it should be of.
        region: String,
    },
    /// A signing certificate that could serve TLS too.
    #[error("the certificate is for TLS (purpose `{0}`) and must not sign")]
    TlsPurpose(String),
    /// A signing certificate without the region's private purpose.
    #[error("the certificate is not for signing: it lacks the purpose `{0}`")]
    NoSigningPurpose(Oid),
    /// A signing certificate without `digitalSignature`.
    #[error("the certificate lacks the key usage `digitalSignature`")]
    NoDigitalSignature,
    /// A signing key of another kind.
    #[error("the certificate's key is not an Ed25519 key")]
    KeyAlgorithm,
    /// A TLS certificate that could sign too.
    #[error("the certificate is for signing (purpose `{0}`) and must not serve TLS")]
    SigningPurpose(Oid),
    /// A TLS certificate that lacks serverAuth or clientAuth.
    #[error("the certificate is not for both ends of TLS: it lacks `serverAuth` or `clientAuth`")]
    NoTlsPurpose,
}

fn encoding(error: impl Into<X509Fault>) -> CertificateFault {
    CertificateFault::Encoding(error.into().0)
}

/// The parser's two error types, as text.
struct X509Fault(String);

impl From<X509Error> for X509Fault {
    fn from(error: X509Error) -> Self {
        Self(error.to_string())
    }
}

impl From<x509_parser::nom::Err<X509Error>> for X509Fault {
    fn from(error: x509_parser::nom::Err<X509Error>) -> Self {
        Self(match error {
            x509_parser::nom::Err::Incomplete(_) => "cut short".to_owned(),
            x509_parser::nom::Err::Error(error) | x509_parser::nom::Err::Failure(error) => error.to_string(),
        })
    }
}

fn sole_uri<'a>(certificate: &'a X509Certificate<'_>) -> Result<&'a str, CertificateFault> {
    let mut uris = Vec::new();
    let names = certificate.subject_alternative_name().map_err(encoding)?;
    for name in names.iter().flat_map(|extension| &extension.value.general_names) {
        match name {
            GeneralName::URI(uri) => uris.push(*uri),
            GeneralName::Invalid(..) => {
                return Err(CertificateFault::Encoding("an invalid alternative name".to_owned()));
            }
            _ => {}
        }
    }
    match uris.as_slice() {
        [uri] => Ok(uri),
        _ => Err(CertificateFault::UriNames { count: uris.len() }),
    }
}

fn ed25519(certificate: &X509Certificate<'_>) -> Option<[u8; 32]> {
    let key = certificate.public_key();
    let algorithm = &key.algorithm;
    let plain = algorithm.algorithm.to_id_string() == ED25519 && algorithm.parameters.is_none();
    plain.then(|| key.subject_public_key.data.as_ref().try_into().ok()).flatten()
}

/// The facts of the first certificate of a chain.
pub(crate) fn leaf_facts(chain: &[CertificateDer<'_>]) -> Option<Result<Facts, CertificateFault>> {
    chain.first().map(|leaf| Facts::read(leaf))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{NOW, World, id};
    use crate::pem::certificates_from_pem;

    #[test]
    fn an_issued_certificate_says_who_when_and_what_for() {
        let world = World::new();
        let issued = world.signing("spiffe://lango.example/analyst/awa");
        let der = certificates_from_pem(issued.certificate_pem.as_bytes()).unwrap().remove(0);
        let facts = Facts::read(&der).unwrap();
        assert_eq!(facts.spiffe, id("spiffe://lango.example/analyst/awa"));
        assert_eq!((facts.not_before, facts.not_after), (NOW - 300, NOW + 86_400));
        assert_eq!(facts.purposes, ["1.3.6.1.4.1.32473.1.1"]);
        assert_eq!(facts.issuer, "CN=authority of lango.example");
        assert!(facts.digital_signature && facts.ed25519.is_some());
        assert_eq!(facts.check_signing(&world.region), Ok(facts.ed25519.unwrap()));
        assert!(matches!(facts.check_tls(&world.region), Err(CertificateFault::SigningPurpose(_))));
    }

    #[test]
    fn bytes_that_are_no_certificate_are_refused() {
        let der = World::new().region.authorities()[0].clone();
        let mut longer = der.to_vec();
        longer.push(0);
        for bytes in [&[][..], &[0x30], &der[..der.len() - 1], &longer] {
            assert!(matches!(Facts::read(bytes), Err(CertificateFault::Encoding(_))));
        }
        assert!(matches!(Facts::read(&der), Err(CertificateFault::Spiffe(_))));
    }
}
