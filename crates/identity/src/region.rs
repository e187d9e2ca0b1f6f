//! A region: one trust domain, its authorities, and what a certificate that signs must be for.

use std::fmt;

use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, TrustAnchor};
use sha2::{Digest as _, Sha256};

use crate::dsse::{PayloadType, digest};
use crate::oid::Oid;
use crate::pem::{PemError, certificate_to_pem, certificates_from_pem};
use crate::revocation::{RevocationFault, RevocationRule, Revocations, check_age};
use crate::revocation_list::{RevocationList, RevocationListFault};
use lango_principal::{SpiffeError, check_trust_domain};

/// What everybody in a federation agrees on before the first connection.
#[derive(Clone)]
pub struct Region {
    trust_domain: String,
    authorities: Vec<CertificateDer<'static>>,
    signing_eku: Oid,
    revocation: RevocationRule,
    revocations: Revocations,
}

impl Region {
    /// A region of one trust domain with its authorities' certificates, one at least. `signing_eku` is the extended
    /// key usage that every signing certificate carries, a private object identifier.
    ///
    /// # Errors
    /// [`RegionError`] when a part is not what it should be.
    pub fn new(
        trust_domain: &str,
        authorities: Vec<CertificateDer<'static>>,
        signing_eku: Oid,
    ) -> Result<Self, RegionError> {
        check_trust_domain(trust_domain)?;
        // id-kp (RFC 5280, 4.2.1.12) holds TLS's purposes and RFC 9336's, which is for documents people read.
        if matches!(signing_eku.arcs(), [1, 3, 6, 1, 5, 5, 7, 3, ..] | [2, 5, 29, 37, ..]) {
            return Err(RegionError::PublicPurpose(signing_eku));
        }
        let region = Self {
            trust_domain: trust_domain.to_owned(),
            authorities,
            signing_eku,
            revocation: RevocationRule::default(),
            revocations: Revocations::default(),
        };
        if region.anchors()?.is_empty() {
            return Err(RegionError::NoAuthority);
        }
        Ok(region)
    }

    /// As [`Region::new`], with the authorities as a PEM text.
    ///
    /// # Errors
    /// [`RegionError`] when a part is not what it should be.
    pub fn from_pem(trust_domain: &str, authorities: &[u8], signing_eku: Oid) -> Result<Self, RegionError> {
        Self::new(trust_domain, certificates_from_pem(authorities)?, signing_eku)
    }

    /// The trust domain that every principal of the region has.
    #[must_use]
    pub fn trust_domain(&self) -> &str {
        &self.trust_domain
    }

    /// The certificates that chains end in.
    #[must_use]
    pub fn authorities(&self) -> &[CertificateDer<'static>] {
        &self.authorities
    }

    /// The extended key usage of signing certificates.
    #[must_use]
    pub const fn signing_eku(&self) -> &Oid {
        &self.signing_eku
    }

    /// The same region, which asks for revocation lists as this rule says.
    #[must_use]
    pub fn with_revocation(self, revocation: RevocationRule) -> Self {
        Self { revocation, ..self }
    }

    /// What the region asks for of revocation lists.
    #[must_use]
    pub const fn revocation(&self) -> RevocationRule {
        self.revocation
    }

    /// The revocation lists in use, which all clones of a region share.
    #[must_use]
    pub const fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    /// Takes the revocation lists of a PEM text into use at `now` (Unix seconds); returns those that are new.
    ///
    /// # Errors
    /// [`RevocationListFault`]: then all stays as it was.
    pub fn take_revocations(&self, pem: &[u8], now: i64) -> Result<Vec<RevocationList>, RevocationListFault> {
        self.revocations.take(pem, &self.authorities, now)
    }

    /// Whether there is a list of at least one authority that is good at `now` (Unix seconds), where the region requires one.
    ///
    /// # Errors
    /// [`RevocationFault`]: then nobody of the region is believed.
    pub fn check_lists(&self, now: i64) -> Result<(), RevocationFault> {
        if !self.revocation.is_required {
            return Ok(());
        }
        let mut fault = RevocationFault::Absent { issuer: self.trust_domain.clone() };
        for list in self.revocations.lists().iter() {
            match check_age(list, self.revocation, now) {
                Ok(()) => return Ok(()),
                Err(found) => fault = found,
            }
        }
        Err(fault)
    }

    /// What two who hold the same region agree on: its name, its signing purpose and its authorities, in any order, and whether
    /// it requires revocation lists, where it does.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut authorities: Vec<String> = self
            .authorities
            .iter()
            .map(|der| format!("authority {}\n", hex::encode(Sha256::digest(der))))
            .collect();
        authorities.sort_unstable();
        let text = format!(
            "lango-region 1\nname {}\nsigning_eku {}\n{}{}",
            self.trust_domain,
            self.signing_eku,
            authorities.concat(),
            self.revocation_text()
        );
        digest(PayloadType::Region, text.as_bytes())
    }

    fn revocation_text(&self) -> String {
        let RevocationRule { is_required, age_max_s } = self.revocation;
        let age = age_max_s.map(|age| format!("revocation_age_max_s {age}\n")).unwrap_or_default();
        if is_required { format!("revocation required\n{age}") } else { age }
    }

    /// The authorities' certificates, in PEM.
    #[must_use]
    pub fn authorities_pem(&self) -> String {
        self.authorities.iter().map(|der| certificate_to_pem(der)).collect()
    }

    /// The authorities as webpki takes them.
    pub(crate) fn anchors(&self) -> Result<Vec<TrustAnchor<'_>>, RegionError> {
        let anchor = |der| webpki::anchor_from_trusted_cert(der).map_err(RegionError::Authority);
        self.authorities.iter().map(anchor).collect()
    }

    /// The authorities as rustls takes them.
    pub(crate) fn roots(&self) -> Result<RootCertStore, rustls::Error> {
        let mut roots = RootCertStore::empty();
        for authority in &self.authorities {
            roots.add(authority.clone())?;
        }
        Ok(roots)
    }
}

/// Whether both are one region, whatever lists they have at the moment.
impl PartialEq for Region {
    fn eq(&self, other: &Self) -> bool {
        self.trust_domain == other.trust_domain
            && self.authorities == other.authorities
            && self.signing_eku == other.signing_eku
            && self.revocation == other.revocation
    }
}

impl Eq for Region {}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Region")
            .field("trust_domain", &self.trust_domain)
            .field("authorities", &self.authorities.len())
            .field("signing_eku", &self.signing_eku.to_string())
            .finish()
    }
}

/// Why there is no such region.
#[derive(Debug, thiserror::Error)]
pub enum RegionError {
    /// Not a trust domain.
    #[error(transparent)]
    TrustDomain(#[from] SpiffeError),
    /// The authorities are not a PEM text of certificates.
    #[error("the region's authorities: {0}")]
    Pem(#[from] PemError),
    /// No authority.
    #[error("a region needs at least one authority")]
    NoAuthority,
    /// An authority's certificate cannot be read.
    #[error("an authority's certificate is unreadable: {0}")]
    Authority(webpki::Error),
    /// The extended key usage is a public one, which certificates for other ends carry too.
    #[error("the signing purpose `{0}` is a public one: choose an object identifier of the region's own")]
    PublicPurpose(Oid),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{DOMAIN, EKU, World};

    #[test]
    fn a_region_needs_a_domain_an_authority_and_a_private_purpose() {
        let authority = World::new().region.authorities()[0].clone();
        let some = || vec![authority.clone()];
        for (domain, authorities, eku, expected) in [
            (DOMAIN, some(), EKU, ""),
            ("Lango", some(), EKU, "`Lango` is not a trust domain"),
            (DOMAIN, vec![], EKU, "a region needs at least one authority"),
            (DOMAIN, vec![vec![0x30].into()], EKU, "an authority's certificate is unreadable"),
            (DOMAIN, some(), "1.3.6.1.5.5.7.3.1", "the signing purpose `1.3.6.1.5.5.7.3.1` is a public one"),
            (
                DOMAIN,
                some(),
                "1.3.6.1.5.5.7.3.36",
                "the signing purpose `1.3.6.1.5.5.7.3.36` is a public one",
            ),
            (DOMAIN, some(), "2.5.29.37.0", "the signing purpose `2.5.29.37.0` is a public one"),
        ] {
            match Region::new(domain, authorities, eku.parse().unwrap()) {
                Ok(_) => assert_eq!(expected, ""),
                Err(error) => {
                    assert!(!expected.is_empty() && error.to_string().starts_with(expected), "{error}")
                }
            }
        }
    }

    #[test]
    fn the_digest_is_of_what_a_region_is_and_not_of_how_it_is_written() {
        let (one, other) = (World::new().region, World::new().region);
        let of = |domain: &str, authorities: &[&Region], eku: &str| {
            let authorities = authorities.iter().flat_map(|of| of.authorities().to_vec()).collect();
            Region::new(domain, authorities, eku.parse().unwrap()).unwrap().digest()
        };
        assert_eq!(of(DOMAIN, &[&one, &other], EKU), of(DOMAIN, &[&other, &one], EKU));
        let read = Region::from_pem(DOMAIN, one.authorities_pem().as_bytes(), EKU.parse().unwrap()).unwrap();
        assert_eq!(read.digest(), one.digest());
        for changed in [
            of(DOMAIN, &[&other], EKU),
            of(DOMAIN, &[&one, &other], EKU),
            of("other.example", &[&one], EKU),
            of(DOMAIN, &[&one], "1.3.6.1.4.1.32473.1.2"),
        ] {
            assert_ne!(changed, one.digest());
        }
    }
}
