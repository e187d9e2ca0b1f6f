//! A request that the principal's present key signs, so that its authority need not ask who sent it.

use crate::bundle::Bundle;
use crate::certificate::Facts;
use crate::dsse::PayloadType;
use crate::envelope::{Envelope, EnvelopeLimits, Unauthenticated, verify};
use crate::pem::{PemError, certificate_to_pem, certificates_from_pem};
use crate::region::Region;
use crate::request::IdentityRequest;
use crate::signer::Signer;
use lango_principal::SpiffeId;

/// The signature of a present key over a request for the next ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRenewal {
    signature: Vec<u8>,
    certificates: Vec<Vec<u8>>,
}

impl SignedRenewal {
    /// Signs a request.
    #[must_use]
    pub fn sign(request: &IdentityRequest, region: &Region, signer: &Signer) -> Self {
        let signed = signer.sign(PayloadType::IdentityRequest, request.text(region).into_bytes());
        Self { signature: signed.signature, certificates: signed.certificates }
    }

    /// Reads the signature, in hexadecimal, and the signer's chain, in PEM.
    ///
    /// # Errors
    /// [`RenewalError`] when either is unreadable.
    pub fn read(signature: &str, certificates: &str) -> Result<Self, RenewalError> {
        let certificates = certificates_from_pem(certificates.as_bytes())?;
        Ok(Self {
            signature: hex::decode(signature).map_err(|_| RenewalError::Signature)?,
            certificates: certificates.iter().map(|der| der.to_vec()).collect(),
        })
    }

    /// The signature in hexadecimal.
    #[must_use]
    pub fn signature(&self) -> String {
        hex::encode(&self.signature)
    }

    /// The signer's chain in PEM.
    #[must_use]
    pub fn certificates_pem(&self) -> String {
        self.certificates.iter().map(|der| certificate_to_pem(der)).collect()
    }

    /// Whether a key of this principal that is certified now signed this request.
    ///
    /// # Errors
    /// [`RenewalError`].
    pub fn check_signed(
        &self,
        request: &IdentityRequest,
        region: &Region,
        now: i64,
    ) -> Result<Facts, RenewalError> {
        let envelope = Envelope {
            payload_type: PayloadType::IdentityRequest.media_type().to_owned(),
            payload: request.text(region).into_bytes(),
            signature: self.signature.clone(),
            certificates: self.certificates.clone(),
        };
        let verified =
            verify(&envelope, PayloadType::IdentityRequest, region, now, EnvelopeLimits::default())?;
        if verified.principal != *request.principal() {
            let (signer, principal) = (verified.principal, request.principal().clone());
            return Err(RenewalError::Principal { signer, principal });
        }
        Ok(verified.certificate)
    }

    /// Whether the key of the certificate that the authority issued last to this principal signed this request. An older key, of
    /// which nobody may know where it is by now, renews nothing.
    ///
    /// # Errors
    /// [`RenewalError`].
    pub fn check(
        &self,
        request: &IdentityRequest,
        present: &Bundle,
        region: &Region,
        now: i64,
    ) -> Result<Facts, RenewalError> {
        let certificate = self.check_signed(request, region, now)?;
        let last = present.signing_facts().ok().flatten();
        if last.is_none_or(|last| last.fingerprint != certificate.fingerprint) {
            return Err(RenewalError::NotPresent { serial: certificate.serial });
        }
        Ok(certificate)
    }
}

/// Why a renewal is none.
#[derive(Debug, thiserror::Error)]
pub enum RenewalError {
    /// The chain is unreadable.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// The signature is unreadable.
    #[error("the renewal's signature is not hexadecimal")]
    Signature,
    /// The signature proves nothing.
    #[error("the renewal's signature proves nothing: {0}")]
    Unauthenticated(#[from] Unauthenticated),
    /// Signed by somebody else.
    #[error("`{signer}` signed the renewal of `{principal}`: nobody renews for others. Refuse it")]
    Principal {
        /// Who signed.
        signer: SpiffeId,
        /// Who asks.
        principal: SpiffeId,
    },
    /// Signed by a key before the present one.
    #[error(
        "the certificate with the serial number {serial}, whose key signed the renewal, is not the one that was issued last to this \
         principal: telephone, and have a new request made"
    )]
    NotPresent {
        /// Of the signer's certificate.
        serial: String,
    },
}
