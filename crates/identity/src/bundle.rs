//! The certificates that an authority hands out, sorted by what they are for and held against the keys that they are for.

use lango_principal::{Role, SpiffeId};
use rustls::pki_types::CertificateDer;

use crate::apart::{OneKey, check_apart};
use crate::certificate::{CertificateFault, Facts};
use crate::described::CertificateUse;
use crate::envelope::Unauthenticated;
use crate::explain::{OwnFault, check_own};
use crate::pem::{PemError, certificate_to_pem, certificates_from_pem};
use crate::region::Region;
use crate::request::{IdentityRequest, is_for_signing};
use crate::signer::{Signer, SignerError};
use crate::spki::public_key;
use crate::tls::{TlsError, TlsIdentity};

/// A principal's certificates with the authorities between them and the region's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    principal: SpiffeId,
    tls: Vec<CertificateDer<'static>>,
    signing: Option<Vec<CertificateDer<'static>>>,
}

impl Bundle {
    /// Reads a PEM text: a principal's certificate for TLS and the one for signing, in any order, each followed by the
    /// authorities above it. Whatever stands between the sections is skipped.
    ///
    /// # Errors
    /// [`BundleFault`] when certificates are missing, too many or of several principals.
    pub fn read(pem: &[u8], region: &Region) -> Result<Self, BundleFault> {
        let mut chains: Vec<(Facts, Vec<CertificateDer<'static>>)> = Vec::new();
        for der in certificates_from_pem(pem)? {
            match (Facts::read(&der), chains.last_mut()) {
                (Ok(facts), _) => chains.push((facts, vec![der])),
                // An authority's, of the certificate before it.
                (Err(CertificateFault::UriNames { .. } | CertificateFault::Spiffe(_)), Some((_, chain))) => {
                    chain.push(der);
                }
                (Err(fault), _) => return Err(fault.into()),
            }
        }
        let principals: Vec<&SpiffeId> = chains.iter().map(|(facts, _)| &facts.spiffe).collect();
        let principal = match principals.as_slice() {
            [first, others @ ..] => match others.iter().find(|other| *other != first) {
                Some(other) => return Err(BundleFault::Several((*first).clone(), (*other).clone())),
                None => (*first).clone(),
            },
            [] => return Err(PemError::NoCertificate.into()),
        };
        let (signing, tls): (Vec<_>, Vec<_>) =
            chains.into_iter().partition(|(facts, _)| is_for_signing(&facts.purposes, region.signing_eku()));
        let role = principal.role();
        let (tls, signing) = (sole("TLS", tls)?, sole("signing", signing)?);
        match (tls, signing) {
            (None, _) => Err(BundleFault::None { what: "TLS", role }),
            // Those of before they signed are still read, for what is issued anew is held against them.
            (_, None) if !matches!(role, Role::Coordinator | Role::Auditor) => {
                Err(BundleFault::None { what: "signing", role })
            }
            (Some(tls), signing) => Ok(Self { principal, tls, signing }),
        }
    }

    /// Whose certificates they are.
    #[must_use]
    pub const fn principal(&self) -> &SpiffeId {
        &self.principal
    }

    /// The chain for TLS in PEM, the principal's own first: what `tls.pem` holds.
    #[must_use]
    pub fn tls_pem(&self) -> String {
        self.tls.iter().map(|der| certificate_to_pem(der)).collect()
    }

    /// The chain for signing: what `signing.pem` holds.
    #[must_use]
    pub fn signing_pem(&self) -> Option<String> {
        self.signing.as_ref().map(|chain| chain.iter().map(|der| certificate_to_pem(der)).collect())
    }

    /// Whether an authority of this region issued it, at a time when it was valid.
    #[must_use]
    pub fn is_of(&self, region: &Region) -> bool {
        let began = self.tls_facts().map_or(i64::MAX, |facts| facts.not_before);
        CertificateUse::of(&self.tls, region, began).is_ok()
    }

    /// The principal's own certificate for TLS.
    ///
    /// # Errors
    /// [`CertificateFault`], which no bundle that was read has.
    pub fn tls_facts(&self) -> Result<Facts, CertificateFault> {
        self.tls.first().map_or(Err(CertificateFault::UriNames { count: 0 }), |der| Facts::read(der))
    }

    /// The principal's own certificate for signing.
    ///
    /// # Errors
    /// As [`Bundle::tls_facts`].
    pub fn signing_facts(&self) -> Result<Option<Facts>, CertificateFault> {
        self.signing.as_ref().and_then(|chain| chain.first()).map(|der| Facts::read(der)).transpose()
    }

    /// Whether they are certificates for just the keys of a request.
    #[must_use]
    pub fn answers(&self, request: &IdentityRequest) -> bool {
        let key = |chain: &[CertificateDer<'static>]| chain.first().and_then(public_key);
        let signing = self.signing.as_deref().and_then(key);
        self.principal == *request.principal()
            && key(&self.tls).as_deref() == Some(request.tls_key())
            && signing.as_deref() == Some(request.signing_key())
    }

    /// Whether a key in PEM is the one of the certificate for TLS.
    #[must_use]
    pub fn fits_tls(&self, key_pem: &[u8]) -> bool {
        TlsIdentity::from_pem(self.tls_pem().as_bytes(), key_pem).is_ok_and(|tls| tls.check_key().is_ok())
    }

    /// Whether a key in PEM is the one of the certificate for signing.
    #[must_use]
    pub fn fits_signing(&self, key_pem: &[u8]) -> bool {
        self.signing_pem().is_some_and(|pem| Signer::from_pem(pem.as_bytes(), key_pem).is_ok())
    }

    /// Checks the certificates with their keys as verifiers of the region will, at `now` (Unix seconds).
    ///
    /// # Errors
    /// [`BundleFault`], the first thing that somebody would refuse.
    pub fn check(
        &self,
        tls_key_pem: &[u8],
        signing_key_pem: Option<&[u8]>,
        region: &Region,
        now: i64,
    ) -> Result<(), BundleFault> {
        let tls = TlsIdentity::from_pem(self.tls_pem().as_bytes(), tls_key_pem)?;
        check_own(&tls, region, now)?;
        if let Some(pem) = self.signing_pem() {
            let key = signing_key_pem.ok_or(PemError::NoKey)?;
            let signer = Signer::from_pem(pem.as_bytes(), key)?;
            signer.check(region, now)?;
            check_apart(&tls, &signer)?;
        }
        Ok(())
    }
}

/// The one chain of its use, if there is one.
fn sole(
    what: &'static str,
    mut chains: Vec<(Facts, Vec<CertificateDer<'static>>)>,
) -> Result<Option<Vec<CertificateDer<'static>>>, BundleFault> {
    let last = chains.pop();
    if chains.is_empty() { Ok(last.map(|(_, chain)| chain)) } else { Err(BundleFault::Two(what)) }
}

/// Why certificates are not a principal's, or not good for its keys.
#[derive(Debug, thiserror::Error)]
pub enum BundleFault {
    /// Not PEM, or no certificate.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// A certificate that no verifier takes.
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
    /// Of two principals.
    #[error("the certificates are of `{0}` and of `{1}`: name those of one principal")]
    Several(SpiffeId, SpiffeId),
    /// One is missing.
    #[error(
        "there is no certificate for {what}, which principals of role `{role}` need: ask the authority for it"
    )]
    None {
        /// What for.
        what: &'static str,
        /// Whose.
        role: Role,
    },
    /// Two for one use.
    #[error("there are two certificates for {0}: name the one that was issued last")]
    Two(&'static str),
    /// The certificate or key for TLS cannot be read.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A peer would refuse the connection.
    #[error(transparent)]
    Own(#[from] OwnFault),
    /// The key that signs is not the certificate's.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// A verifier would refuse what is signed.
    #[error("the certificate for signing: {0}")]
    Signing(#[from] Unauthenticated),
    /// One key for both.
    #[error(transparent)]
    OneKey(#[from] OneKey),
}

#[cfg(test)]
mod tests;
