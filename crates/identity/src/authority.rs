//! Issuing certificates: what `lango identity authority` and `issue` do, and the demo and tests.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;

use ed25519_dalek::pkcs8::{EncodePrivateKey as _, KeypairBytes};
use lango_files::{FileError, replace};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _, SanType,
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::oid::Oid;
use crate::pem::{PemError, certificates_from_pem};
use crate::region::{Region, RegionError};
use lango_principal::{SpiffeError, SpiffeId, check_trust_domain};

/// How long before its issue a certificate begins, so that clocks may differ.
const SKEW_S: i64 = 300;
const DAY_S: i64 = 86_400;

/// From when to when a certificate is valid: Unix seconds, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// First second.
    pub not_before: i64,
    /// Last second.
    pub not_after: i64,
}

impl Lifetime {
    /// From five minutes before `now` (Unix seconds) to `days` after it.
    #[must_use]
    pub fn days(now: i64, days: u32) -> Self {
        let life = i64::from(days).saturating_mul(DAY_S);
        Self { not_before: now.saturating_sub(SKEW_S), not_after: now.saturating_add(life) }
    }
}

/// A region's authority: its key and its own certificate, which names the trust domain it issues for.
pub struct Authority {
    trust_domain: String,
    certificate: CertificateDer<'static>,
    certificate_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A new authority with a fresh P-256 key and a self-signed certificate.
    ///
    /// # Errors
    /// [`AuthorityError`] when the trust domain is none, the lifetime is outside the calendar, or randomness fails.
    pub fn new(trust_domain: &str, common_name: &str, lifetime: Lifetime) -> Result<Self, AuthorityError> {
        check_trust_domain(trust_domain)?;
        let mut params = params(common_name, lifetime)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        // An SVID's signing certificate names its trust domain, without a path (SPIFFE X.509-SVID, 2).
        params.subject_alt_names = vec![SanType::URI(domain_uri(trust_domain).try_into()?)];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            trust_domain: trust_domain.to_owned(),
            certificate: certificate.der().clone(),
            certificate_pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        })
    }

    /// Reads what [`Authority::to_pem`] wrote.
    ///
    /// # Errors
    /// [`AuthorityError`] when the certificate is no authority's, or the key is not its.
    pub fn from_pem(certificate_pem: &str, key_pem: &str) -> Result<Self, AuthorityError> {
        let certificate = certificates_from_pem(certificate_pem.as_bytes())?
            .into_iter()
            .next()
            .ok_or(PemError::NoCertificate)?;
        let key = KeyPair::from_pem(key_pem).map_err(|_| AuthorityError::Key)?;
        let (trust_domain, public_key) = authority_facts(&certificate)?;
        if public_key != key.der_bytes() {
            return Err(AuthorityError::KeyMismatch);
        }
        let issuer = Issuer::from_ca_cert_der(&certificate, key)?;
        Ok(Self { trust_domain, certificate, certificate_pem: certificate_pem.to_owned(), issuer })
    }

    /// Its certificate and its key (PKCS#8), both PEM.
    #[must_use]
    pub fn to_pem(&self) -> Issued {
        Issued {
            certificate_pem: self.certificate_pem.clone(),
            key_pem: Zeroizing::new(self.issuer.key().serialize_pem()),
        }
    }

    /// Its own certificate.
    #[must_use]
    pub const fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The trust domain it issues for.
    #[must_use]
    pub fn trust_domain(&self) -> &str {
        &self.trust_domain
    }

    /// The region that trusts this authority alone.
    ///
    /// # Errors
    /// [`RegionError`] when `signing_eku` is a public purpose.
    pub fn region(&self, signing_eku: Oid) -> Result<Region, RegionError> {
        Region::new(&self.trust_domain, vec![self.certificate.clone()], signing_eku)
    }

    /// A certificate and a fresh P-256 key for both ends of TLS. `names` are further alternative names: an IP address
    /// where one parses, else a DNS name.
    ///
    /// # Errors
    /// [`AuthorityError`] when the principal is another trust domain's or a name cannot stand in a certificate.
    pub fn issue_tls(
        &self,
        id: &SpiffeId,
        lifetime: Lifetime,
        names: &[&str],
    ) -> Result<Issued, AuthorityError> {
        let mut params = self.principal(id, lifetime)?;
        for name in names {
            params.subject_alt_names.push(match name.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName((*name).try_into()?),
            });
        }
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(&params, &KeyPair::generate()?)
    }

    /// A certificate and a fresh Ed25519 key for signing, for no purpose but the region's.
    ///
    /// # Errors
    /// [`AuthorityError`] when the principal is another trust domain's.
    pub fn issue_signing(
        &self,
        id: &SpiffeId,
        lifetime: Lifetime,
        signing_eku: &Oid,
    ) -> Result<Issued, AuthorityError> {
        let mut params = self.principal(id, lifetime)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(signing_eku.arcs().to_vec())];
        self.issue(&params, &ed25519_key()?)
    }

    /// What all certificates of a principal have in common.
    pub(crate) fn principal(
        &self,
        id: &SpiffeId,
        lifetime: Lifetime,
    ) -> Result<CertificateParams, AuthorityError> {
        if id.trust_domain() != self.trust_domain {
            return Err(AuthorityError::TrustDomain {
                principal: id.clone(),
                authority: self.trust_domain.clone(),
            });
        }
        let mut params = params(&format!("{} {}", id.role(), id.name()), lifetime)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.subject_alt_names = vec![SanType::URI(id.to_string().try_into()?)];
        params.use_authority_key_identifier_extension = true;
        Ok(params)
    }

    pub(crate) fn issue(&self, params: &CertificateParams, key: &KeyPair) -> Result<Issued, AuthorityError> {
        let certificate_pem = params.signed_by(key, &self.issuer)?.pem();
        Ok(Issued { certificate_pem, key_pem: Zeroizing::new(key.serialize_pem()) })
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("trust_domain", &self.trust_domain).finish_non_exhaustive()
    }
}

/// A certificate and its key (PKCS#8), both PEM. It prints the certificate only.
#[derive(Clone)]
pub struct Issued {
    /// The certificate; the authority above it is the region's, so that it is the whole chain.
    pub certificate_pem: String,
    /// The key, wiped when dropped.
    pub key_pem: Zeroizing<String>,
}

impl Issued {
    /// Writes `<name>.pem` and `<name>.key`, which are their owner's alone. Names that are read again are `tls` and
    /// `signing`.
    ///
    /// # Errors
    /// [`FileError`] with the file that could not be written.
    pub fn save(&self, dir: &Path, name: &str) -> Result<(), FileError> {
        replace(&dir.join(format!("{name}.key")), self.key_pem.as_bytes())?;
        replace(&dir.join(format!("{name}.pem")), self.certificate_pem.as_bytes())
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("certificate_pem", &self.certificate_pem).finish_non_exhaustive()
    }
}

/// Why nothing was issued.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// Not a trust domain.
    #[error(transparent)]
    Spiffe(#[from] SpiffeError),
    /// The principal is of another trust domain.
    #[error("the authority of `{authority}` cannot issue for `{principal}`")]
    TrustDomain {
        /// Who the certificate was for.
        principal: SpiffeId,
        /// The trust domain it may issue for.
        authority: String,
    },
    /// Not PEM.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// The certificate cannot issue others, or does not name a trust domain.
    #[error("the certificate is not an authority's for one trust domain")]
    NotAnAuthority,
    /// The key is not in PKCS#8.
    #[error("the authority's private key is not a PKCS#8 key in PEM")]
    Key,
    /// Key and certificate are not a pair.
    #[error("the private key is not the authority's")]
    KeyMismatch,
    /// A date outside the calendar.
    #[error("`{0}` is not a time that a certificate can state")]
    Time(i64),
    /// The system gave no randomness.
    #[error("no randomness from the system: {0}")]
    Randomness(getrandom::Error),
    /// Refused by the library that writes certificates.
    #[error("the certificate cannot be written: {0}")]
    Certificate(#[from] rcgen::Error),
}

fn domain_uri(trust_domain: &str) -> String {
    format!("spiffe://{trust_domain}")
}

fn params(common_name: &str, lifetime: Lifetime) -> Result<CertificateParams, AuthorityError> {
    let mut params = CertificateParams::default();
    params.not_before = time(lifetime.not_before)?;
    params.not_after = time(lifetime.not_after)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    Ok(params)
}

fn time(unix: i64) -> Result<OffsetDateTime, AuthorityError> {
    OffsetDateTime::from_unix_timestamp(unix).map_err(|_| AuthorityError::Time(unix))
}

/// PKCS#8 version 1, which every tool reads; ring writes a version 2 that OpenSSL refuses.
pub(crate) fn ed25519_key() -> Result<KeyPair, AuthorityError> {
    let mut key = KeypairBytes { secret_key: [0; 32], public_key: None };
    getrandom::fill(&mut key.secret_key).map_err(AuthorityError::Randomness)?;
    let der = key.to_pkcs8_der().map_err(|_| AuthorityError::Key)?;
    Ok(KeyPair::try_from(&PrivatePkcs8KeyDer::from(der.as_bytes()))?)
}

/// The trust domain and the public key of an authority's certificate.
fn authority_facts(der: &[u8]) -> Result<(String, Vec<u8>), AuthorityError> {
    let unfit = AuthorityError::NotAnAuthority;
    let Ok((_, certificate)) = x509_parser::parse_x509_certificate(der) else { return Err(unfit) };
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return Err(unfit) };
    let [x509_parser::extensions::GeneralName::URI(uri)] = names.value.general_names.as_slice() else {
        return Err(unfit);
    };
    let Some(domain) = uri.strip_prefix("spiffe://").filter(|_| certificate.is_ca()) else {
        return Err(unfit);
    };
    check_trust_domain(domain)?;
    Ok((domain.to_owned(), certificate.public_key().subject_public_key.data.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{DOMAIN, EKU, NOW, World, day, id};
    use crate::signer::Signer;

    #[test]
    fn an_authority_read_back_issues_for_the_same_region() {
        let world = World::new();
        let pem = world.authority.to_pem();
        let authority = Authority::from_pem(&pem.certificate_pem, &pem.key_pem).unwrap();
        assert_eq!(authority.region(EKU.parse().unwrap()).unwrap(), world.region);
        let gha = id("spiffe://lango.example/office/GHA");
        let issued = authority.issue_signing(&gha, day(), world.region.signing_eku()).unwrap();
        let signer = Signer::from_pem(issued.certificate_pem.as_bytes(), issued.key_pem.as_bytes()).unwrap();
        assert_eq!(signer.check(&world.region, NOW), Ok(()));
    }

    #[test]
    fn an_authority_issues_for_its_own_trust_domain_only() {
        let authority = World::new().authority;
        let foreign = id("spiffe://other.example/office/GHA");
        let refused = authority.issue_tls(&foreign, day(), &[]).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the authority of `lango.example` cannot issue for `spiffe://other.example/office/GHA`"
        );
        assert!(Authority::new("Lango", "x", day()).is_err());
    }

    #[test]
    fn a_certificate_or_key_of_somebody_else_makes_no_authority() {
        let (one, other) = (World::new(), World::new());
        let leaf = one.tls("spiffe://lango.example/office/GHA");
        let (mine, theirs) = (one.authority.to_pem(), other.authority.to_pem());
        for (certificate, key, expected) in [
            (&mine.certificate_pem, &theirs.key_pem, "the private key is not the authority's"),
            (
                &leaf.certificate_pem,
                &leaf.key_pem,
                "the certificate is not an authority's for one trust domain",
            ),
            (
                &mine.certificate_pem,
                &Zeroizing::new(String::new()),
                "the authority's private key is not a PKCS#8 key in PEM",
            ),
        ] {
            assert_eq!(Authority::from_pem(certificate, key).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn keys_are_never_printed() {
        let world = World::new();
        let issued = world.tls("spiffe://lango.example/office/GHA");
        assert!(!format!("{issued:?}").contains("PRIVATE"));
        assert_eq!(
            format!("{:?}", world.authority),
            format!("Authority {{ trust_domain: \"{DOMAIN}\", .. }}")
        );
    }
}
