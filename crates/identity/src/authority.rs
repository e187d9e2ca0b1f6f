//! Issuing certificates: what `lango identity authority` and `issue` do, and the demo and tests.

use std::fmt;
use std::path::Path;

use lango_files::{FileError, replace};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, SanType, SerialNumber, SubjectPublicKeyInfo,
};
use rustls::pki_types::CertificateDer;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::key::{KeyError, KeyKind};
use crate::oid::Oid;
use crate::pem::{PemError, certificates_from_pem};
use crate::region::{Region, RegionError};
use crate::request::{IdentityRequest, RequestError, host_name};
use crate::text::utc;
use lango_principal::{SpiffeError, SpiffeId, check_trust_domain};

/// How long before its issue a certificate begins, so that clocks may differ.
const SKEW_S: i64 = 300;
const DAY_S: i64 = 86_400;
/// Of a serial number: of 127 bits, drawn, so that no two are one.
const SERIAL_BYTES: usize = 16;

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
    not_after: i64,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A new authority with a fresh P-256 key and a self-signed certificate.
    ///
    /// # Errors
    /// As [`Authority::of_kind`].
    pub fn new(trust_domain: &str, common_name: &str, lifetime: Lifetime) -> Result<Self, AuthorityError> {
        Self::of_kind(KeyKind::P256, trust_domain, common_name, lifetime)
    }

    /// A new authority with a fresh key of a kind and a self-signed certificate.
    ///
    /// # Errors
    /// [`AuthorityError`] when the trust domain is none, the lifetime is outside the calendar, or randomness fails.
    pub fn of_kind(
        kind: KeyKind,
        trust_domain: &str,
        common_name: &str,
        lifetime: Lifetime,
    ) -> Result<Self, AuthorityError> {
        check_trust_domain(trust_domain)?;
        let mut params = params(common_name, lifetime)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        // An SVID's signing certificate names its trust domain, without a path (SPIFFE X.509-SVID, 2).
        params.subject_alt_names = vec![SanType::URI(domain_uri(trust_domain).try_into()?)];
        let key = kind.generate()?;
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            trust_domain: trust_domain.to_owned(),
            certificate: certificate.der().clone(),
            certificate_pem: certificate.pem(),
            not_after: lifetime.not_after,
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
        let (trust_domain, public_key, not_after) = authority_facts(&certificate)?;
        if public_key != key.der_bytes() {
            return Err(AuthorityError::KeyMismatch);
        }
        let issuer = Issuer::from_ca_cert_der(&certificate, key)?;
        Ok(Self { trust_domain, certificate, certificate_pem: certificate_pem.to_owned(), not_after, issuer })
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
        for_tls(&mut params, names.iter().copied())?;
        self.issue(&params, &KeyKind::P256.generate()?)
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
        for_signing(&mut params, signing_eku);
        self.issue(&params, &KeyKind::Ed25519.generate()?)
    }

    /// The certificates for the keys of a request, under the profile of the region and of nothing that the request asks for
    /// but its principal and hosts. The caller knows who sent the request.
    ///
    /// # Errors
    /// [`AuthorityError`] when the request is another trust domain's or its certificates would outlive the authority's own.
    pub fn certify(
        &self,
        request: &IdentityRequest,
        lifetime: Lifetime,
        signing_eku: &Oid,
    ) -> Result<Certified, AuthorityError> {
        if lifetime.not_after > self.not_after {
            return Err(AuthorityError::Outlives { not_after: self.not_after });
        }
        let mut params = self.principal(request.principal(), lifetime)?;
        for_tls(&mut params, request.hosts().iter().map(String::as_str))?;
        let tls_pem = self.sign(&params, &SubjectPublicKeyInfo::from_der(request.tls_key())?)?;
        let signing = |key: &[u8]| -> Result<String, AuthorityError> {
            let mut params = self.principal(request.principal(), lifetime)?;
            for_signing(&mut params, signing_eku);
            self.sign(&params, &SubjectPublicKeyInfo::from_der(key)?)
        };
        Ok(Certified { tls_pem, signing_pem: Some(signing(request.signing_key())?) })
    }

    /// What signs.
    pub(crate) const fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.issuer
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
        params.serial_number = Some(serial()?);
        Ok(params)
    }

    pub(crate) fn issue(&self, params: &CertificateParams, key: &KeyPair) -> Result<Issued, AuthorityError> {
        let certificate_pem = self.sign(params, key)?;
        Ok(Issued { certificate_pem, key_pem: Zeroizing::new(key.serialize_pem()) })
    }

    fn sign(&self, params: &CertificateParams, key: &impl PublicKeyData) -> Result<String, AuthorityError> {
        Ok(params.signed_by(key, &self.issuer)?.pem())
    }
}

/// What a certificate for both ends of TLS has beside its principal.
fn for_tls<'a>(
    params: &mut CertificateParams,
    hosts: impl Iterator<Item = &'a str>,
) -> Result<(), AuthorityError> {
    for host in hosts {
        params.subject_alt_names.push(host_name(host)?);
    }
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    Ok(())
}

/// What a certificate that signs has beside its principal.
fn for_signing(params: &mut CertificateParams, signing_eku: &Oid) {
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(signing_eku.arcs().to_vec())];
}

/// A positive number that no other certificate has.
fn serial() -> Result<SerialNumber, AuthorityError> {
    let mut bytes = [0; SERIAL_BYTES];
    getrandom::fill(&mut bytes).map_err(KeyError::Randomness)?;
    if let Some(first) = bytes.first_mut() {
        // Positive, and of one length.
        *first = *first & 0x7f | 0x40;
    }
    Ok(SerialNumber::from_slice(&bytes))
}

/// The certificates of a principal, in PEM.
#[derive(Debug, Clone)]
pub struct Certified {
    /// For TLS.
    pub tls_pem: String,
    /// For signing, where the role signs.
    pub signing_pem: Option<String>,
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
    /// No fresh key.
    #[error(transparent)]
    Fresh(#[from] KeyError),
    /// A host that is none.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The authority's own certificate ends before.
    #[error("the authority's own certificate ends at {}: give fewer days, or make a new authority", utc(*.not_after))]
    Outlives {
        /// The last second of the authority's certificate, Unix time.
        not_after: i64,
    },
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

pub(crate) fn time(unix: i64) -> Result<OffsetDateTime, AuthorityError> {
    OffsetDateTime::from_unix_timestamp(unix).map_err(|_| AuthorityError::Time(unix))
}

/// The trust domain, the public key and the last second of an authority's certificate.
fn authority_facts(der: &[u8]) -> Result<(String, Vec<u8>, i64), AuthorityError> {
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
    let key = certificate.public_key().subject_public_key.data.to_vec();
    Ok((domain.to_owned(), key, certificate.validity().not_after.timestamp()))
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
